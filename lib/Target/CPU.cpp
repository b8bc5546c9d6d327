//===- CPU.cpp - What a CPU offers to quantized kernels -------------------===//

#include "quant-mlir/Target/CPU.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"

#include <mutex>
#include <unistd.h>
#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#endif

using namespace llvm;
using namespace quant_mlir;

StringRef quant_mlir::getName(DotKind kind) {
  switch (kind) {
  case DotKind::AVX512VNNI:
    return "avx512vnni";
  case DotKind::AVXVNNI:
    return "avxvnni";
  case DotKind::AVX2:
    return "avx2";
  case DotKind::NeonI8MM:
    return "neon_i8mm";
  case DotKind::NeonDotProd:
    return "neon_dotprod";
  case DotKind::Generic:
    return "generic";
  }
  llvm_unreachable("a dot instruction");
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
  });
}

using Subtarget = std::unique_ptr<MCSubtargetInfo>;

static Expected<Subtarget> getSubtarget(const Triple &triple, StringRef cpu,
                                        StringRef features) {
  std::string message;
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError("expected a target that LLVM was built with, found '" +
                     triple.str() + "': " + message);
  return Subtarget(target->createMCSubtargetInfo(triple, cpu, features));
}

/// The name that LLVM's tables have for `cpu`.
static StringRef resolveCPU(const Triple &triple, StringRef cpu) {
  return triple.isAArch64() ? AArch64::resolveCPUAlias(cpu) : cpu;
}

static Expected<bool> knowsCPU(const Triple &triple, StringRef cpu) {
  // Made for the plainest CPU: for one that is not known LLVM prints a warning.
  Expected<Subtarget> subtarget = getSubtarget(triple, "", "");
  if (!subtarget)
    return subtarget.takeError();
  return (*subtarget)->isCPUStringValid(resolveCPU(triple, cpu));
}

/// Up to three names of `table` that are nearly `name`, as a list for messages.
template <typename Entry>
static std::string getSimilar(ArrayRef<Entry> table, StringRef name) {
  SmallVector<std::pair<unsigned, StringRef>> similar;
  for (const Entry &entry : table) {
    StringRef key = entry.Key;
    unsigned distance = name.edit_distance_insensitive(key, true, 3);
    // Part of a name is as good as a letter that is wrong.
    if (name.size() > 2 && key.contains_insensitive(name))
      distance = std::min(distance, 1u);
    if (distance <= 3 && distance < name.size())
      similar.push_back({distance, key});
  }
  llvm::sort(similar);
  if (similar.size() > 3)
    similar.truncate(3);
  std::string list;
  for (auto [i, entry] : llvm::enumerate(similar))
    list += (i == 0                    ? ""
             : i + 1 == similar.size() ? " or "
                                       : ", ") +
            entry.second.str();
  return list;
}

static bool isSupported(const Triple &triple) {
  return triple.getArch() == Triple::x86_64 ||
         triple.getArch() == Triple::aarch64;
}

static Expected<Triple> chooseTriple(const CPUTargetOptions &options) {
  if (!options.triple.empty()) {
    Triple triple(Triple::normalize(options.triple));
    if (!isSupported(triple))
      return makeError("expected a target triple of x86_64 or aarch64, such as "
                       "aarch64-unknown-linux-gnu, found " +
                       quoteForMessage(options.triple));
    return triple;
  }
  Triple host(sys::getProcessTriple());
  if (!isSupported(host))
    return makeError("expected to run on x86_64 or aarch64, found '" +
                     host.str() + "': pass --target-triple");
  if (options.cpu.empty() || options.cpu == "native")
    return host;
  std::string known;
  for (const Triple &triple : {host, Triple("x86_64-unknown-linux-gnu"),
                               Triple("aarch64-unknown-linux-gnu")}) {
    Expected<bool> knows = knowsCPU(triple, options.cpu);
    if (!knows)
      return knows.takeError();
    if (*knows)
      return triple;
  }
  return host;
}

static Error checkCPU(const Triple &triple, StringRef cpu) {
  Expected<bool> knows = knowsCPU(triple, cpu);
  if (!knows)
    return knows.takeError();
  if (*knows)
    return Error::success();
  Subtarget subtarget = std::move(*getSubtarget(triple, "", ""));
  std::string similar =
      getSimilar(subtarget->getAllProcessorDescriptions(), cpu);
  return makeError("expected a CPU of " + triple.getArchName() +
                   " that LLVM knows, found " + quoteForMessage(cpu) + ": " +
                   (similar.empty() ? "" : "use " + similar + ", or ") +
                   "see them all with 'llc -mtriple=" + triple.getArchName() +
                   " -mcpu=help'");
}

static Error checkFeatures(const Triple &triple, StringRef features) {
  Expected<Subtarget> subtarget = getSubtarget(triple, "", "");
  if (!subtarget)
    return subtarget.takeError();
  ArrayRef<SubtargetFeatureKV> table = (*subtarget)->getAllProcessorFeatures();
  for (StringRef feature : llvm::split(features, ',')) {
    if (feature.empty())
      continue;
    if (feature.size() < 2 || (feature[0] != '+' && feature[0] != '-'))
      return makeError("expected features with + or - before each, such as "
                       "+avx512vnni,-avx512f, found " +
                       quoteForMessage(feature));
    StringRef name = feature.drop_front();
    auto entry = llvm::lower_bound(table, name);
    if (entry != table.end() && StringRef(entry->Key) == name)
      continue;
    std::string similar = getSimilar(table, name);
    return makeError("expected a feature of " + triple.getArchName() +
                     " that LLVM knows, found " + quoteForMessage(name) + ": " +
                     (similar.empty() ? "" : "use " + similar + ", or ") +
                     "see them all with 'llc -mtriple=" + triple.getArchName() +
                     " -mattr=help'");
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// This machine
//===----------------------------------------------------------------------===//

bool quant_mlir::requestTiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long requestPermission = 0x1023, tileData = 18;
  static const bool isGranted =
      syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
  return isGranted;
#else
  return false;
#endif
}

/// Features of this machine, those that it lacks first: a CPU's name stands for
/// more than a virtual machine may let through.
static std::string getHostFeatures() {
  std::vector<std::string> without, with;
  for (const auto &feature : sys::getHostCPUFeatures()) {
    bool isUsable = feature.second;
    if (isUsable && feature.first().starts_with("amx-"))
      isUsable = requestTiles();
    (isUsable ? with : without)
        .push_back((isUsable ? "+" : "-") + feature.first().str());
  }
  llvm::sort(without);
  llvm::sort(with);
  without.insert(without.end(), with.begin(), with.end());
  return llvm::join(without, ",");
}

static int64_t askSystem([[maybe_unused]] int name) {
  int64_t size = sysconf(name);
  return size > 0 ? size : 0;
}

static DotKind chooseDot(const Triple &triple, const StringSet<> &features) {
  auto has = [&](StringRef name) { return features.contains(name); };
  if (triple.isX86()) {
    if (has("avx512vnni") && has("avx512bw") && has("avx512vl"))
      return DotKind::AVX512VNNI;
    if (has("avxvnni"))
      return DotKind::AVXVNNI;
    return has("avx2") ? DotKind::AVX2 : DotKind::Generic;
  }
  if (!has("neon"))
    return DotKind::Generic;
  // Depthwise kernels have use for sdot only; no CPU has smmla without.
  if (!has("dotprod"))
    return DotKind::Generic;
  return has("i8mm") ? DotKind::NeonI8MM : DotKind::NeonDotProd;
}

Expected<CPUTarget> CPUTarget::get(const CPUTargetOptions &options) {
  initializeTargets();
  Expected<Triple> triple = chooseTriple(options);
  if (!triple)
    return triple.takeError();
  CPUTarget target;
  target.triple = *triple;
  Triple host(sys::getProcessTriple());
  bool isHostArch = host.getArch() == triple->getArch();
  bool isNative =
      options.cpu == "native" || (options.cpu.empty() && isHostArch);
  if (isNative && !isHostArch)
    return makeError("expected the name of a CPU of " + triple->getArchName() +
                     ", found 'native' on " + host.getArchName() +
                     ": pass --target-cpu=generic or one of its CPUs");
  if (isNative) {
    target.cpu = sys::getHostCPUName().str();
    target.features = getHostFeatures();
  } else {
    target.cpu = !options.cpu.empty() ? options.cpu
                 : triple->isX86()    ? "x86-64"
                                      : "generic";
    if (Error error = checkCPU(*triple, target.cpu))
      return std::move(error);
  }
  if (Error error = checkFeatures(*triple, options.features))
    return std::move(error);
  if (!options.features.empty())
    target.features += (target.features.empty() ? "" : ",") + options.features;

  Expected<Subtarget> subtarget =
      getSubtarget(*triple, resolveCPU(*triple, target.cpu), target.features);
  if (!subtarget)
    return subtarget.takeError();
  for (const SubtargetFeatureKV &feature :
       (*subtarget)->getEnabledProcessorFeatures())
    target.enabled.insert(feature.Key);
  target.dot = chooseDot(*triple, target.enabled);

#ifdef _SC_LEVEL1_DCACHE_SIZE
  if (isNative) {
    target.l1Size = askSystem(_SC_LEVEL1_DCACHE_SIZE);
    target.l2Size = askSystem(_SC_LEVEL2_CACHE_SIZE);
  }
#endif
  if (target.l1Size == 0)
    target.l1Size = (*subtarget)->getCacheSize(0).value_or(32 << 10);
  if (target.l2Size == 0)
    target.l2Size =
        (*subtarget)
            ->getCacheSize(1)
            .value_or(target.dot == DotKind::AVX512VNNI ? 1 << 20 : 512 << 10);
  return target;
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

bool CPUTarget::hasTiles() const {
  return dot == DotKind::AVX512VNNI && hasFeature("amx-tile") &&
         hasFeature("amx-int8");
}

bool CPUTarget::hasFMA() const {
  return isAArch64() || hasFeature("fma") || hasFeature("avx512f");
}

int64_t CPUTarget::getVectorBytes() const {
  switch (dot) {
  case DotKind::AVX512VNNI:
    return 64;
  case DotKind::AVXVNNI:
  case DotKind::AVX2:
    return 32;
  case DotKind::NeonI8MM:
  case DotKind::NeonDotProd:
  case DotKind::Generic:
    return 16;
  }
  llvm_unreachable("a dot instruction");
}

int64_t CPUTarget::getNumVectorRegisters() const {
  return dot == DotKind::AVX512VNNI || isAArch64() ? 32 : 16;
}

int64_t CPUTarget::getDotGroup() const {
  switch (dot) {
  case DotKind::AVX512VNNI:
  case DotKind::AVXVNNI:
  case DotKind::NeonDotProd:
    return 4;
  case DotKind::NeonI8MM:
    return 8;
  case DotKind::AVX2:
    return 2;
  case DotKind::Generic:
    return 1;
  }
  llvm_unreachable("a dot instruction");
}

int64_t CPUTarget::getDotRows() const {
  return dot == DotKind::NeonI8MM ? 2 : 1;
}

int64_t CPUTarget::getDepthwiseGroup() const {
  return dot == DotKind::NeonI8MM ? 4 : getDotGroup();
}

bool CPUTarget::isDotLhsUnsigned() const {
  return dot == DotKind::AVX512VNNI || dot == DotKind::AVXVNNI;
}

int64_t CPUTarget::getTileColumns() const {
  // zmm: 6 x 4 accumulators, 4 registers of weights, 1 or 2 of lhs of 32.
  // ymm: 6 x 2, 2 and 1 of 16, and with AVX2 1 for the products.
  // Neon: 6 x 4 of 32; smmla holds two rows of two columns in a register.
  // Generic on x86: 2 x 4 of 16, the rest for widening.
  return dot == DotKind::AVX512VNNI ? 64 : 16;
}

int64_t CPUTarget::getTileRows(int64_t columns) const {
  int64_t perRow = divideCeil(columns, getLanes());
  int64_t accumulators = getNumVectorRegisters() == 32 ? 24 : 12;
  if (dot == DotKind::Generic && isX86())
    accumulators = 8;
  // More rows than this only make the remainder of M longer.
  int64_t rows = std::clamp<int64_t>(accumulators / perRow, 1, 12);
  return std::max<int64_t>(alignDown(rows, getDotRows()), 1);
}

static int64_t shareColumns(int64_t columns, int64_t most, int64_t lanes) {
  columns = std::max<int64_t>(columns, 1);
  int64_t panels = divideCeil(columns, most);
  return alignTo(divideCeil(columns, panels), lanes);
}

int64_t CPUTarget::getPanelColumns(int64_t columns) const {
  return shareColumns(columns, getTileColumns(), getLanes());
}

int64_t CPUTarget::getCodePanelColumns(int64_t columns, int64_t rows,
                                       unsigned width) const {
  // Two tiles, so that a panel stays in L1 for all rows.
  if (hasTiles() && (rows < 0 || rows >= getLeastTiledRows(width)))
    return shareColumns(columns, getTwoTileColumns(), getLanes());
  // Two registers of narrow codes: unpacked once for twice as many rows.
  if (dot == DotKind::AVX512VNNI && width < 8)
    return shareColumns(columns, 2 * getLanes(), getLanes());
  return getPanelColumns(columns);
}

//===- GPU.cpp - What a GPU offers to quantized kernels -------------------===//

#include "quant-mlir/Target/GPU.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace quant_mlir;

llvm::StringRef quant_mlir::getName(GPUKind kind) {
  switch (kind) {
  case GPUKind::SPIRV:
    return "spirv";
  case GPUKind::NVVM:
    return "nvvm";
  case GPUKind::ROCDL:
    return "rocdl";
  }
  llvm_unreachable("unknown kind of GPU");
}

std::optional<GPUKind> quant_mlir::symbolizeGPUKind(llvm::StringRef name) {
  for (GPUKind kind : {GPUKind::SPIRV, GPUKind::NVVM, GPUKind::ROCDL})
    if (name == getName(kind))
      return kind;
  return std::nullopt;
}

/// The architectures of `kind`, the plainest one first.
static llvm::ArrayRef<llvm::StringLiteral> getArchitectures(GPUKind kind) {
  static constexpr llvm::StringLiteral spirv[] = {"vulkan1.3"};
  // Before sm_80 there are neither m16n8k32 of bytes nor cp.async.
  static constexpr llvm::StringLiteral nvvm[] = {
      "sm_80",  "sm_86",  "sm_87",   "sm_89",  "sm_90",
      "sm_90a", "sm_100", "sm_100a", "sm_120", "sm_120a"};
  // CDNA3, whose MFMA takes 8 codes of a row from each lane, and RDNA3: WMMA of
  // RDNA4 distributes them in another way.
  static constexpr llvm::StringLiteral rocdl[] = {
      "gfx942",  "gfx1100", "gfx1101", "gfx1102",
      "gfx1103", "gfx1150", "gfx1151"};
  switch (kind) {
  case GPUKind::SPIRV:
    return spirv;
  case GPUKind::NVVM:
    return nvvm;
  case GPUKind::ROCDL:
    return rocdl;
  }
  llvm_unreachable("unknown kind of GPU");
}

llvm::Expected<GPUTarget> GPUTarget::get(const GPUTargetOptions &options) {
  GPUTarget target;
  target.kind = options.kind;
  llvm::ArrayRef<llvm::StringLiteral> known = getArchitectures(options.kind);
  target.arch = options.arch.empty() ? known.front().str() : options.arch;
  if (!llvm::is_contained(known, target.arch))
    return makeError(
        "expected " + std::string(known.size() > 1 ? "one of " : "") +
        llvm::join(known, ", ") + " as architecture of " + target.getName() +
        ", found " + quoteForMessage(target.arch));
  return target;
}

llvm::Expected<GPUTarget> GPUTarget::get(llvm::StringRef kind,
                                         llvm::StringRef arch) {
  std::optional<GPUKind> known = symbolizeGPUKind(kind);
  if (!known)
    return makeError("expected spirv, nvvm or rocdl as gpu, found " +
                     quoteForMessage(kind));
  GPUTargetOptions options;
  options.kind = *known;
  options.arch = arch.str();
  return get(options);
}

int64_t GPUTarget::getGroupSize() const {
  switch (kind) {
  case GPUKind::SPIRV:
    return 64;
  case GPUKind::NVVM:
    return 128;
  case GPUKind::ROCDL:
    return 256;
  }
  llvm_unreachable("unknown kind of GPU");
}

bool GPUTarget::multiplies(ValueKind value) const {
  if (isSPIRV())
    return value == ValueKind::F32;
  // cvt.rn.f16x2.e4m3x2 is there from sm_89 on; AMD's kernels decode fp8 by
  // operations of integers.
  bool isBefore89 = arch == "sm_80" || arch == "sm_86" || arch == "sm_87";
  return value != ValueKind::SmallFloat || !isBefore89;
}

int64_t GPUTarget::getPanelColumns(int64_t columns) const {
  if (isSPIRV())
    return 32;
  // Columns whose number only the run time knows are many.
  return columns < 0 || columns > 64 ? 128 : columns > 32 ? 64 : 32;
}

//===- quant-bench.cpp - Ours beside peers and limits ---------------------===//
//
// Measures each case against the peers that there are and the machine's own
// limit, all in one run and in turns, prints a table as it goes, and writes a
// JSON file. Time is never a failure: the exit code is 1 only where something
// did not work. See docs/benchmarks.md.
//
//===----------------------------------------------------------------------===//

#include "Cases.h"
#include "OneDnn.h"

#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/OptionReader.h"
#include "quant-mlir/Support/OutputFile.h"
#include "quant-mlir/Target/CPU.h"

#include "llvm/Option/Option.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <omp.h>

// LLVM's OpenMP runtime: for how long a thread waits awake for more work.
extern "C" void kmp_set_blocktime(int milliseconds);

using namespace llvm::opt;
using namespace quant_mlir;
using namespace quant_mlir::bench;

namespace {
enum ID {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "Opts.inc"
#undef OPTION
};

#define OPTTABLE_STR_TABLE_CODE
#include "Opts.inc"
#undef OPTTABLE_STR_TABLE_CODE

#define OPTTABLE_PREFIXES_TABLE_CODE
#include "Opts.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

constexpr OptTable::Info infoTable[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "Opts.inc"
#undef OPTION
};

class BenchOptTable : public GenericOptTable {
public:
  BenchOptTable()
      : GenericOptTable(OptionStrTable, OptionPrefixesTable, infoTable) {}
};

struct BenchOptions {
  std::optional<llvm::Regex> filter;
  llvm::SmallVector<unsigned> threads = {1};
  std::string targetFeatures, json, onnxRuntime, ggml, python, models, scratch;
  bool quick = false, list = false, peersOnly = false;
};
} // namespace

static void readThreads(OptionReader &reader, BenchOptions &options) {
  std::optional<std::string> text = reader.value(OPT_threads, "threads");
  if (!text)
    return;
  options.threads.clear();
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(*text).split(parts, ',');
  for (llvm::StringRef part : parts) {
    unsigned number;
    if (part.getAsInteger(10, number) || number < 1 || number > 1024)
      reader.fail(
          "--threads expects whole numbers from 1 to 1024, separated by "
          "commas, found " +
          quoteForMessage(*text));
    else
      options.threads.push_back(number);
  }
}

/// Nothing where the program has only to print something.
static llvm::Expected<std::optional<BenchOptions>> parseOptions(int argc,
                                                                char **argv) {
  BenchOptTable table;
  OptionReader reader(table, argc, argv, OPT_INPUT, OPT_UNKNOWN);
  if (reader.has(OPT_help)) {
    table.printHelp(llvm::outs(), "quant-bench [options]",
                    "Measures quant-mlir beside other libraries");
    return std::nullopt;
  }
  if (reader.has(OPT_version)) {
    llvm::outs() << getVersionLine("quant-bench");
    return std::nullopt;
  }
  BenchOptions options;
  if (std::optional<std::string> text = reader.value(OPT_filter, "filter")) {
    options.filter.emplace(*text);
    std::string why;
    if (!options.filter->isValid(why))
      reader.fail("--filter expects a regular expression, found " +
                  quoteForMessage(*text) + ": " + why);
  }
  readThreads(reader, options);
  options.targetFeatures =
      reader.value(OPT_target_features, "target-features").value_or("");
  options.json = reader.value(OPT_json, "json").value_or("");
  options.onnxRuntime =
      reader.value(OPT_onnxruntime, "onnxruntime").value_or("");
  options.ggml = reader.value(OPT_ggml, "ggml").value_or("");
  options.python =
      reader.value(OPT_python, "python").value_or(QUANT_BENCH_PYTHON);
  options.scratch =
      reader.value(OPT_scratch, "scratch").value_or(QUANT_BENCH_SCRATCH);
  if (std::optional<std::string> models = reader.value(OPT_models, "models"))
    options.models = *models;
  else if (llvm::sys::fs::is_directory(QUANT_BENCH_MODELS))
    options.models = QUANT_BENCH_MODELS;
  options.quick = reader.has(OPT_quick);
  options.list = reader.has(OPT_list_cases);
  options.peersOnly = reader.has(OPT_peers_only);
  if (!reader.positional().empty())
    reader.fail("expected options only, found " +
                quoteForMessage(reader.positional().front()));
  if (llvm::Error error = reader.takeError())
    return error;
  return options;
}

/// Sets `peer`, or `absent` to the reason why it is not there.
template <typename Peer, typename Load>
static void loadPeer(std::unique_ptr<Peer> &peer, std::string &absent,
                     const std::string &name, const char *option,
                     const std::string &path, Load load) {
  if (path.empty()) {
    absent = name + ": no " + option + " is given";
    return;
  }
  auto loaded = load(path);
  if (loaded)
    peer = std::move(*loaded);
  else
    absent = name + ": " + llvm::toString(loaded.takeError());
}

static llvm::Error setUp(Context &context, const BenchOptions &options) {
  CPUTargetOptions machine;
  machine.features = context.targetFeatures = options.targetFeatures;
  llvm::Expected<CPUTarget> target = CPUTarget::get(machine);
  if (!target)
    return target.takeError();
  if (!target->hasTiles())
    keepOneDnnFromTiles();
  context.int8Limit = findInt8Limit(options.quick, target->hasTiles());
  context.floatLimit = findFloatLimit(options.quick);
  // Far more than the last cache holds, which is hundreds of MiB on servers.
  uint64_t cache = lastLevelCacheBytes();
  context.stream = std::make_unique<StreamRead>(
      options.quick
          ? 2 * cache
          : std::min(8 * cache, std::max(uint64_t(1) << 30, 2 * cache)),
      options.quick);
  context.models = options.models;
  context.scratch = options.scratch;
  context.calibrateTool = QUANT_BENCH_TOOLS "/quant-calibrate";
  context.peersOnly = options.peersOnly;
  loadPeer(context.onnxRuntime, context.onnxRuntimeAbsent, subject::onnxRuntime,
           "--onnxruntime", options.onnxRuntime,
           [&](const std::string &library) {
             return OnnxRuntime::load(library, options.scratch, options.python,
                                      QUANT_BENCH_SOURCES "/make-onnx.py");
           });
  loadPeer(context.ggml, context.ggmlAbsent, subject::ggml, "--ggml",
           options.ggml, Ggml::load);
  return llvm::Error::success();
}

static llvm::json::Object describe(const Context &context,
                                   const BenchOptions &options) {
  llvm::json::Object machine;
  std::string oneDnn = getOneDnnVersion();
  if (!oneDnn.empty())
    machine["onednn"] = oneDnn;
  if (!options.targetFeatures.empty())
    machine["target_features"] = options.targetFeatures;
  if (context.onnxRuntime)
    machine["onnxruntime"] = context.onnxRuntime->getVersion();
  if (context.ggml)
    machine["ggml"] = context.ggml->getVersion();
  auto describeLimit = [](const Limit &limit) {
    return llvm::json::Object{{"variant", limit.variant},
                              {"giga_ops", limit.rate}};
  };
  machine["int8_limit"] = describeLimit(context.int8Limit);
  machine["f32_limit"] = describeLimit(context.floatLimit);
  machine["stream_variant"] = context.stream->variant();
  machine["last_level_cache_bytes"] = int64_t(lastLevelCacheBytes());
  machine["quick"] = options.quick;
  return describeMachine(std::move(machine));
}

static MeasureOptions getMeasureOptions(const BenchOptions &options,
                                        unsigned threads) {
  MeasureOptions result;
  if (options.quick) {
    result.turnMicroseconds = 200;
    result.rounds = 2;
    result.minimumRuns = 3;
    result.budgetMicroseconds = 1e5;
  }
  if (threads > 1) {
    result.warmUpMicroseconds = options.quick ? 2000 : 100000;
    if (!options.quick) {
      result.turnMicroseconds = 20000;
      result.rounds = 8;
    }
  }
  return result;
}

static llvm::Error run(BenchOptions &options) {
  std::vector<Case> cases;
  for (Case &candidate : getCases(options.models))
    if (options.filter ? options.filter->match(candidate.name())
                       : !candidate.isTest)
      cases.push_back(std::move(candidate));
  if (options.list) {
    for (const Case &listed : cases)
      llvm::outs() << listed.name() << '\n';
    return llvm::Error::success();
  }
  if (cases.empty())
    return makeError(
        "--filter expects a part of a case's name, found none that "
        "matches; --list prints all");

  kmp_set_blocktime(5);
  Context context;
  if (llvm::Error error = setUp(context, options))
    return error;
  llvm::json::Object machine = describe(context, options);
  llvm::outs() << "int8 limit " << llvm::format("%.1f", context.int8Limit.rate)
               << " GOP/s (" << context.int8Limit.variant << "), f32 limit "
               << llvm::format("%.1f", context.floatLimit.rate) << " GFLOP/s ("
               << context.floatLimit.variant << ")\n";
  if (!options.targetFeatures.empty())
    llvm::outs() << "ours with " << options.targetFeatures << "; oneDNN "
                 << getOneDnnVersion()
                 << "; others use what the processor has\n";
  llvm::outs() << '\n';
  printHeader(llvm::outs());
  std::vector<Row> rows;
  std::vector<std::string> absent;
  for (unsigned threads : options.threads)
    for (const Case &measured : cases) {
      if (threads > 1 && !measured.scales && !options.filter)
        continue;
      omp_set_num_threads(int(threads));
      Row row = measured.make(context, threads);
      row.work = measured.work;
      row.shape = measured.shape;
      row.timings = measure(row.subjects, getMeasureOptions(options, threads));
      printRow(llvm::outs(), row);
      llvm::outs().flush();
      for (Subject &subject : row.subjects)
        subject.run = nullptr; // frees its memory
      for (const std::string &reason : row.absent)
        if (!llvm::is_contained(absent, reason))
          absent.push_back(reason);
      rows.push_back(std::move(row));
    }
  printMeans(llvm::outs(), rows);
  printCompileTimes(llvm::outs(), rows);
  for (const std::string &reason : absent)
    llvm::outs() << "\nLeft out: " << reason << '\n';
  if (options.json.empty())
    return llvm::Error::success();
  return writeFileAtomically(options.json, [&](llvm::raw_ostream &os) {
    llvm::json::Array array;
    for (const Row &row : rows)
      array.push_back(toJSON(row));
    llvm::json::Value document =
        llvm::json::Object{{"version", 1},
                           {"machine", std::move(machine)},
                           {"rows", std::move(array)}};
    os << llvm::formatv("{0:2}", document) << '\n';
  });
}

int main(int argc, char **argv) {
  installCrashGuard("quant-bench");
  auto options = parseOptions(argc, argv);
  llvm::Error error = options ? llvm::Error::success() : options.takeError();
  if (!error && *options)
    error = run(**options);
  if (!error)
    return 0;
  llvm::errs() << "quant-bench: error: " << llvm::toString(std::move(error))
               << '\n';
  return 1;
}

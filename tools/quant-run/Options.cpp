//===- Options.cpp - The command line of quant-run ------------------------===//
//
// llvm::opt instead of llvm::cl: libLLVM registers an option named `threads` of
// its own.
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Option/Option.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm::opt;
using namespace quant_mlir;

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

class RunOptTable : public GenericOptTable {
public:
  RunOptTable()
      : GenericOptTable(OptionStrTable, OptionPrefixesTable, infoTable) {}
};

/// Reads options out of parsed arguments; the first error stays.
class Reader {
public:
  explicit Reader(const InputArgList &args) : args(args) {}

  /// The value of an option that may be given once.
  std::optional<std::string> value(ID id, llvm::StringRef name);
  std::optional<int64_t> number(ID id, llvm::StringRef name, int64_t largest);
  void fail(const llvm::Twine &message) {
    if (error.empty())
      error = message.str();
  }

  std::string error;

private:
  const InputArgList &args;
};
} // namespace

std::optional<std::string> Reader::value(ID id, llvm::StringRef name) {
  std::vector<std::string> values = args.getAllArgValues(id);
  if (values.empty())
    return std::nullopt;
  if (values.size() > 1)
    fail("--" + name + " is given " + llvm::Twine(values.size()) +
         " times; expected once");
  if (values[0].empty())
    fail("--" + name + "= has no value");
  return values[0];
}

std::optional<int64_t> Reader::number(ID id, llvm::StringRef name,
                                      int64_t largest) {
  std::optional<std::string> text = value(id, name);
  if (!text)
    return std::nullopt;
  int64_t number = 0;
  if (llvm::StringRef(*text).getAsInteger(10, number) || number < 1 ||
      number > largest)
    fail("--" + name + " expects a number from 1 to " + llvm::Twine(largest) +
         ", found " + quoteForMessage(*text));
  return number;
}

static void readTarget(Reader &reader) {
  std::string target = reader.value(OPT_target, "target").value_or("cpu");
  if (target == "vulkan")
    reader.fail("--target=vulkan is not built in; use --target=cpu");
  else if (target != "cpu" && target != "reference")
    reader.fail("--target expects cpu, reference or vulkan, found " +
                quoteForMessage(target));
}

static void checkUse(const RunOptions &options, Reader &reader) {
  bool prints = !options.compare.empty() || options.labels || options.bench;
  if (!prints && options.json)
    reader.fail("--json has no effect without --compare, --labels or --bench");
  if (!prints && options.outputs.empty())
    reader.fail("nothing to do: give --output, --compare, --labels or "
                "--bench");
  for (const auto &[name, values] :
       {std::make_pair("input", &options.inputs),
        std::make_pair("output", &options.outputs),
        std::make_pair("compare", &options.compare)})
    for (const std::string &value : *values)
      if (value.empty())
        reader.fail(llvm::Twine("--") + name + "= has no value");
  for (size_t i = 0; i < options.outputs.size(); ++i)
    for (size_t j = i + 1; j < options.outputs.size(); ++j)
      if (options.outputs[i] == options.outputs[j])
        reader.fail("--output=" + options.outputs[i] +
                    " is given twice; expected one file per result");
}

llvm::Expected<std::optional<RunOptions>>
quant_mlir::parseOptions(int argc, char **argv) {
  RunOptTable table;
  unsigned missingIndex = 0, missingCount = 0;
  llvm::ArrayRef<const char *> arguments(argv + 1, argv + argc);
  InputArgList args = table.ParseArgs(arguments, missingIndex, missingCount);
  if (args.hasArg(OPT_help)) {
    table.printHelp(llvm::outs(), "quant-run <model.mlir> [options]",
                    "runs a model, in MLIR text or bytecode, on .npy arrays");
    return std::nullopt;
  }
  if (args.hasArg(OPT_version)) {
    llvm::outs() << "quant-run (quant-mlir " QUANT_MLIR_VERSION
                    ", LLVM " LLVM_VERSION_STRING ")\n";
    return std::nullopt;
  }

  Reader reader(args);
  if (missingCount != 0)
    reader.fail(llvm::Twine("the option ") + arguments[missingIndex] +
                " has no value");
  std::vector<std::string> models = args.getAllArgValues(OPT_INPUT);
  std::vector<std::string> unknown = args.getAllArgValues(OPT_UNKNOWN);
  llvm::copy_if(models, std::back_inserter(unknown),
                [](llvm::StringRef text) { return text.starts_with("-"); });
  for (const std::string &option : unknown) {
    std::string nearest;
    unsigned distance = table.findNearest(option, nearest);
    reader.fail("unknown option " + quoteForMessage(option) +
                (distance <= 2 ? "; did you mean '" + nearest + "'?"
                               : "; --help lists all of them"));
  }

  RunOptions options;
  if (models.size() > 1)
    reader.fail("expected one model, found " + quoteForMessage(models[0]) +
                " and " + quoteForMessage(models[1]) +
                "; arrays are given with --input");
  if (models.empty())
    reader.fail("expected a model: quant-run <model.mlir> --input=<x.npy> "
                "--output=<y.npy>");
  else
    options.model = models[0];
  options.inputs = args.getAllArgValues(OPT_input);
  options.outputs = args.getAllArgValues(OPT_output);
  options.compare = args.getAllArgValues(OPT_compare);
  options.labels = reader.value(OPT_labels, "labels");
  options.entry = reader.value(OPT_entry, "entry").value_or("main");
  options.threads = reader.number(OPT_threads, "threads", 1024).value_or(1);
  options.batch = reader.number(OPT_batch, "batch", INT32_MAX);
  options.bench = reader.number(OPT_bench, "bench", 1000000000);
  options.json = args.hasArg(OPT_json);
  readTarget(reader);
  checkUse(options, reader);
  if (!reader.error.empty())
    return makeError(reader.error);
  return options;
}

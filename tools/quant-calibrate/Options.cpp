//===- Options.cpp - The command line of quant-calibrate ------------------===//

#include "Options.h"

#include "quant-mlir/Dialect/Quant/Transforms/ActivationSettings.h"
#include "quant-mlir/Numerics/Calibrator.h"
#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/OptionReader.h"

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

class CalibrateOptTable : public GenericOptTable {
public:
  CalibrateOptTable()
      : GenericOptTable(OptionStrTable, OptionPrefixesTable, infoTable) {}
};

struct NamedOption {
  ID id;
  llvm::StringLiteral name;
};
constexpr NamedOption insertOptions[] = {
    {OPT_calibrator, "calibrator"},
    {OPT_quantize_activations, "quantize-activations"},
    {OPT_activation_qscheme, "activation-qscheme"},
    {OPT_quant_config, "quant-config"},
};
constexpr NamedOption runOptions[] = {
    {OPT_input, "input"},         {OPT_entry, "entry"},
    {OPT_threads, "threads"},     {OPT_batch, "batch"},
    {OPT_nonfinite, "nonfinite"}, {OPT_percentile, "percentile"},
};
} // namespace

static void readRequest(CalibrateOptions &options, OptionReader &reader) {
  RangeRequest &request = options.request;
  for (const NamedOption &option : insertOptions)
    if (reader.has(option.id) && !options.insertOption)
      options.insertOption = "--" + option.name.str();
  request.calibrator =
      reader.value(OPT_calibrator, "calibrator").value_or(request.calibrator);
  if (!numerics::findCalibrator(request.calibrator))
    reader.fail("--calibrator expects one of " + numerics::calibratorNames() +
                ", found " + quoteForMessage(request.calibrator));
  if (auto text =
          reader.value(OPT_quantize_activations, "quantize-activations")) {
    auto dtype = numerics::parseStorageType(*text);
    if (!dtype || !isActivationType(*dtype))
      reader.fail("--quantize-activations expects one of " +
                  activationTypeNames() + ", found " + quoteForMessage(*text));
    request.dtype = dtype.value_or(request.dtype);
  }
  if (auto text = reader.value(OPT_activation_qscheme, "activation-qscheme")) {
    auto scheme = numerics::parseScheme(*text);
    if (!scheme || *scheme == numerics::Scheme::SymmetricWithClipping)
      reader.fail("--activation-qscheme expects symmetric or asymmetric, "
                  "found " +
                  quoteForMessage(*text));
    request.scheme = scheme.value_or(request.scheme);
  }
  options.config =
      reader.value(OPT_quant_config, "quant-config").value_or(std::string());
}

static void readPercentile(CalibrateOptions &options, OptionReader &reader) {
  auto text = reader.value(OPT_percentile, "percentile");
  if (!text)
    return;
  double value = 0;
  if (llvm::StringRef(*text).getAsDouble(value) ||
      !(value > 50 && value <= 100))
    reader.fail("--percentile expects a number above 50 and up to 100, found " +
                quoteForMessage(*text));
  options.percentile = value;
}

static void readRun(CalibrateOptions &options, OptionReader &reader) {
  const std::vector<std::string> &models = reader.positional();
  if (models.size() > 1)
    reader.fail("expected one model, found " + quoteForMessage(models[0]) +
                " and " + quoteForMessage(models[1]) +
                "; arrays are given with --input, and several files of ranges "
                "with --merge");
  if (models.empty())
    reader.fail("expected a model: quant-calibrate <model.mlir> "
                "--input=<x.npy> -o <ranges.json>");
  else
    options.model = models[0];
  options.inputs = reader.values(OPT_input, "input");
  options.entry = reader.value(OPT_entry, "entry").value_or("main");
  options.threads = reader.number(OPT_threads, "threads", 1024).value_or(1);
  options.batch = reader.number(OPT_batch, "batch", INT32_MAX);
  std::string policy =
      reader.value(OPT_nonfinite, "nonfinite").value_or("error");
  if (policy != "error" && policy != "ignore")
    reader.fail("--nonfinite expects error or ignore, found " +
                quoteForMessage(policy));
  options.ignoreNonFinite = policy == "ignore";
  readPercentile(options, reader);
  readRequest(options, reader);
}

llvm::Expected<std::optional<CalibrateOptions>>
quant_mlir::parseOptions(int argc, char **argv, std::string &answer) {
  CalibrateOptTable table;
  OptionReader reader(table, argc, argv, OPT_INPUT, OPT_UNKNOWN);
  llvm::raw_string_ostream os(answer);
  if (reader.has(OPT_help)) {
    table.printHelp(os,
                    "quant-calibrate <model.mlir> --input=<x.npy> -o "
                    "<ranges.json> [options]\n"
                    "       quant-calibrate --merge <a.json> <b.json>... -o "
                    "<ranges.json>",
                    "finds the ranges of a model's activations on samples");
    return std::nullopt;
  }
  if (reader.has(OPT_version)) {
    os << getVersionLine("quant-calibrate");
    return std::nullopt;
  }

  CalibrateOptions options;
  auto output = reader.value(OPT_o, "o");
  if (!output)
    reader.fail("expected -o <ranges.json>: where the ranges go");
  options.output = output.value_or(std::string());
  if (reader.has(OPT_merge)) {
    options.merge = reader.positional();
    if (options.merge.empty())
      reader.fail("expected files to merge: quant-calibrate --merge <a.json> "
                  "<b.json> -o <ranges.json>");
    for (llvm::ArrayRef<NamedOption> list :
         {llvm::ArrayRef<NamedOption>(insertOptions),
          llvm::ArrayRef<NamedOption>(runOptions)})
      for (const NamedOption &option : list)
        if (reader.has(option.id))
          reader.fail("--" + option.name +
                      " has no effect with --merge: what "
                      "was asked for is in the files");
  } else {
    readRun(options, reader);
  }
  if (llvm::Error error = reader.takeError())
    return std::move(error);
  return options;
}

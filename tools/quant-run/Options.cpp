//===- Options.cpp - The command line of quant-run ------------------------===//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/OptionReader.h"

#include "llvm/ADT/STLExtras.h"
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
} // namespace

static LoweringTarget readTarget(OptionReader &reader) {
  std::string target = reader.value(OPT_target, "target").value_or("cpu");
  if (target == "vulkan")
    return LoweringTarget::SPIRV;
  if (target == "nvvm")
    return LoweringTarget::NVVM;
  if (target == "rocdl")
    return LoweringTarget::ROCDL;
  if (target == "nvvm-emulator")
    return LoweringTarget::EmulatedNVVM;
  if (target == "rocdl-emulator")
    return LoweringTarget::EmulatedROCDL;
  if (target == "reference")
    return LoweringTarget::Reference;
  if (target != "cpu")
    reader.fail("--target expects cpu, reference, vulkan, nvvm, rocdl, "
                "nvvm-emulator or rocdl-emulator, found " +
                quoteForMessage(target));
  return LoweringTarget::CPU;
}

static void checkReports(const RunOptions &options, OptionReader &reader) {
  if (!options.reports.empty() && !options.reference)
    reader.fail("--report needs the float model to compare with: give "
                "--reference");
  for (size_t i = 0; i < options.reports.size(); ++i) {
    llvm::StringRef path = options.reports[i];
    if (!path.ends_with(".html") && !path.ends_with(".json"))
      reader.fail(
          "--report expects a name that ends in .html or .json, found " +
          quoteForMessage(path));
    for (size_t j = i + 1; j < options.reports.size(); ++j)
      if (options.reports[j] == path)
        reader.fail("--report=" + path +
                    " is given twice; expected one page "
                    "and one .json");
    if (llvm::is_contained(options.outputs, options.reports[i]))
      reader.fail("--report=" + path +
                  " is the file of an --output, too; give one of them another "
                  "name");
  }
}

static void checkUse(const RunOptions &options, OptionReader &reader) {
  bool prints = !options.compare.empty() || options.labels || options.bench ||
                options.printsReference();
  if (!prints && options.json)
    reader.fail("--json has no effect without --compare, --labels, --bench or "
                "--reference alone");
  if (!prints && options.outputs.empty() && !options.reference &&
      options.reports.empty())
    reader.fail("nothing to do: give --output, --compare, --labels, --bench or "
                "--reference");
  if (!options.gpuArch.empty() &&
      (!isGPU(options.target) || options.target == LoweringTarget::SPIRV))
    reader.fail("--gpu-arch has no effect without --target=nvvm, rocdl, "
                "nvvm-emulator or rocdl-emulator");
  checkReports(options, reader);
  for (size_t i = 0; i < options.outputs.size(); ++i)
    for (size_t j = i + 1; j < options.outputs.size(); ++j)
      if (options.outputs[i] == options.outputs[j])
        reader.fail("--output=" + options.outputs[i] +
                    " is given twice; expected one file per result");
}

llvm::Expected<std::optional<RunOptions>>
quant_mlir::parseOptions(int argc, char **argv) {
  RunOptTable table;
  OptionReader reader(table, argc, argv, OPT_INPUT, OPT_UNKNOWN);
  if (reader.has(OPT_help)) {
    table.printHelp(llvm::outs(), "quant-run <model.mlir> [options]",
                    "runs a model, in MLIR text or bytecode, on .npy arrays");
    return std::nullopt;
  }
  if (reader.has(OPT_version)) {
    llvm::outs() << getVersionLine("quant-run");
    return std::nullopt;
  }

  const std::vector<std::string> &models = reader.positional();
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
  options.inputs = reader.values(OPT_input, "input");
  options.outputs = reader.values(OPT_output, "output");
  options.compare = reader.values(OPT_compare, "compare");
  options.labels = reader.value(OPT_labels, "labels");
  options.entry = reader.value(OPT_entry, "entry").value_or("main");
  options.threads = reader.number(OPT_threads, "threads", 1024).value_or(1);
  options.batch = reader.number(OPT_batch, "batch", INT32_MAX);
  options.bench = reader.number(OPT_bench, "bench", 1000000000);
  options.reference = reader.value(OPT_reference, "reference");
  options.reports = reader.values(OPT_report, "report");
  options.json = reader.has(OPT_json);
  options.target = readTarget(reader);
  options.targetFeatures =
      reader.value(OPT_target_features, "target-features").value_or("");
  if (!options.targetFeatures.empty() && options.target != LoweringTarget::CPU)
    reader.fail("--target-features has no effect without --target=cpu");
  options.gpuArch = reader.value(OPT_gpu_arch, "gpu-arch").value_or("");
  checkUse(options, reader);
  if (llvm::Error error = reader.takeError())
    return std::move(error);
  return options;
}

//===- quant-opt.cpp - mlir-opt with quantization -------------------------===//
//
// Everything mlir-opt does, with our dialects and passes, and short flags for
// the common jobs:
//
//   quant-opt model.mlir --quantize-weights=int8 --granularity=per_channel
//
// Short flags are checked here for what they can mean together; what their
// values mean is checked by the passes. Output is written whole or not at all.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/InitAll.h"
#include "quant-mlir/Pipelines/Pipelines.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/InputFile.h"
#include "quant-mlir/Support/OutputFile.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"

using namespace quant_mlir;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// Short flags
//===----------------------------------------------------------------------===//

namespace {
struct ShortFlags {
  cl::OptionCategory category{
      "Quantization", "Run in one order, whatever order they are written in"};
  cl::opt<std::string> quantizeWeights{
      "quantize-weights", cl::cat(category), cl::value_desc("type"),
      cl::desc("Quantize weights to int8, uint8, int4, uint4, int2, uint2, "
               "float8_e4m3fn, float8_e5m2 or float4_e2m1fn")};
  cl::opt<std::string> granularity{
      "granularity", cl::cat(category), cl::value_desc("kind"),
      cl::desc("per_tensor, per_channel (default) or per_block")};
  cl::list<int64_t> blockSize{
      "block-size", cl::cat(category), cl::CommaSeparated,
      cl::value_desc("sizes"),
      cl::desc("per_block: elements along the reduction dimension (default "
               "32), or one size per dimension, -1 for a whole one")};
  cl::opt<std::string> axis{
      "axis", cl::cat(category), cl::value_desc("N"),
      cl::desc("Dimension of the weights with the channels or blocks "
               "(default: by role)")};
  cl::opt<std::string> qscheme{
      "qscheme", cl::cat(category), cl::value_desc("scheme"),
      cl::desc("symmetric (default), symmetric_with_clipping or asymmetric")};
  cl::opt<std::string> qformulation{
      "qformulation", cl::cat(category), cl::value_desc("formulation"),
      cl::desc("zp (default) or minval")};
  cl::opt<std::string> scaleDtype{
      "scale-dtype", cl::cat(category), cl::value_desc("type"),
      cl::desc("f32 (default), f16, bf16 or f8E8M0FNU (default for "
               "float4_e2m1fn)")};
  cl::opt<int64_t> weightThreshold{
      "weight-threshold", cl::cat(category), cl::value_desc("N"),
      cl::desc("Weights with fewer than N elements stay in floating point "
               "(default 1024)")};
  cl::opt<std::string> config{"quant-config", cl::cat(category),
                              cl::value_desc("file"),
                              cl::desc("YAML file with rules per operation; "
                                       "the flags are its defaults")};
  cl::opt<std::string> report{
      "quant-report", cl::cat(category), cl::value_desc("file"),
      cl::desc("Write what was done, what was left, and why, as JSON")};
  cl::opt<bool> pack{"pack", cl::cat(category),
                     cl::desc("Store constants of 4 and 2 bits packed")};

  /// Whether any of them is given.
  bool any() const {
    return quantizeWeights.getNumOccurrences() || config.getNumOccurrences() ||
           pack || !dependents().empty();
  }

  /// A flag given without the value it needs; empty where there is none.
  llvm::StringRef emptyFlag() const {
    for (const auto *option : {&quantizeWeights, &granularity, &axis, &qscheme,
                               &qformulation, &scaleDtype, &config, &report})
      if (option->getNumOccurrences() && option->empty())
        return option->ArgStr;
    return "";
  }

  /// Flags given that only say how weights are quantized.
  llvm::SmallVector<llvm::StringRef> dependents() const {
    llvm::SmallVector<llvm::StringRef> given;
    auto add = [&](const auto &...options) {
      (void(options.getNumOccurrences() ? given.push_back(options.ArgStr)
                                        : void()),
       ...);
    };
    add(granularity, blockSize, axis, qscheme, qformulation, scaleDtype,
        weightThreshold, report);
    return given;
  }
};
} // namespace

static int fail(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "quant-opt") << message << "\n";
  return 1;
}

/// The flags as a pipeline; an error where one has no effect. `reportPath` is
/// where the report goes until everything else has succeeded.
static llvm::Expected<QuantPipelineOptions>
getPipelineOptions(const ShortFlags &flags, llvm::StringRef reportPath) {
  QuantPipelineOptions options;
  options.pack = flags.pack;
  if (llvm::StringRef flag = flags.emptyFlag(); !flag.empty())
    return llvm::createStringError("expected a value after --" + flag +
                                   "=, found none: add one, or drop the flag");
  bool weights = flags.quantizeWeights.getNumOccurrences() ||
                 flags.config.getNumOccurrences();
  if (!weights) {
    if (llvm::SmallVector<llvm::StringRef> given = flags.dependents();
        !given.empty())
      return llvm::createStringError(
          "--" + given.front() +
          " has no effect without --quantize-weights: add it, or drop the flag");
    return options;
  }
  QuantizeWeightsPassOptions pass;
  pass.dtype = flags.quantizeWeights;
  if (flags.granularity.getNumOccurrences())
    pass.granularity = flags.granularity;
  pass.blockSize.assign(flags.blockSize.begin(), flags.blockSize.end());
  pass.axis = flags.axis;
  if (flags.qscheme.getNumOccurrences())
    pass.qscheme = flags.qscheme;
  if (flags.qformulation.getNumOccurrences())
    pass.qformulation = flags.qformulation;
  pass.scaleDtype = flags.scaleDtype;
  if (flags.weightThreshold.getNumOccurrences())
    pass.weightThreshold = flags.weightThreshold;
  pass.config = flags.config;
  pass.report = reportPath.str();
  options.quantizeWeights = std::move(pass);
  return options;
}

/// Whether a pass or pipeline is given by mlir-opt's own flags.
static bool hasOtherPasses(const mlir::MlirOptMainConfig &config,
                           mlir::MLIRContext &context) {
  if (cl::getRegisteredOptions().lookup("pass-pipeline")->getNumOccurrences())
    return true;
  mlir::PassManager pm(&context);
  return mlir::failed(config.setupPassPipeline(pm)) || pm.size() != 0;
}

/// An error is one line with a location; the whole operation behind it, weights
/// included, comes only with --mlir-print-op-on-diagnostic.
static void disablePrintingOpsInErrors() {
  if (auto *option = static_cast<cl::opt<bool> *>(
          cl::getRegisteredOptions().lookup("mlir-print-op-on-diagnostic")))
    option->setInitialValue(false);
}

/// Writes the module, and the report from where the pass left it: both or none.
static llvm::Error writeOutputs(llvm::StringRef outputPath,
                                llvm::StringRef output,
                                llvm::StringRef reportPath,
                                llvm::StringRef reportSource) {
  llvm::Expected<OutputFile> module = OutputFile::stage(
      outputPath, [&](llvm::raw_ostream &os) { os << output; });
  if (!module)
    return module.takeError();
  if (reportPath.empty())
    return module->commit();
  auto content = llvm::MemoryBuffer::getFile(reportSource);
  if (!content)
    return llvm::createStringError("cannot read the report back: " +
                                   content.getError().message());
  llvm::Expected<OutputFile> report =
      OutputFile::stage(reportPath, [&](llvm::raw_ostream &os) {
        os << (*content)->getBuffer();
      });
  if (!report)
    return report.takeError();
  if (llvm::Error error = module->commit())
    return error;
  return report->commit();
}

//===----------------------------------------------------------------------===//
// Main
//===----------------------------------------------------------------------===//

int main(int argc, char **argv) {
  llvm::InitLLVM initLLVM(argc, argv);
  installCrashGuard("quant-opt");
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  quant_mlir::registerAllDialects(registry);
  quant_mlir::registerAllPasses();

  ShortFlags flags;
  std::string help = mlir::registerCLIOptions(
      "quant-opt: mlir-opt with quantization\n", registry);
  disablePrintingOpsInErrors();
  auto [inputName, outputName] = mlir::parseCLIOptions(argc, argv, help);
  mlir::MlirOptMainConfig config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::failed(
        mlir::MlirOptMain(argc, argv, inputName, outputName, registry));

  // A report that appears although the run failed would be a partial output, so
  // the pass writes to a place of its own.
  llvm::SmallString<128> reportPath;
  llvm::FileRemover removeReport;
  if (flags.report.getNumOccurrences()) {
    if (std::error_code error = llvm::sys::fs::createTemporaryFile(
            "quant-report", "json", reportPath))
      return fail("cannot write a temporary file: " + error.message());
    removeReport.setFile(reportPath);
  }

  if (flags.any()) {
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    if (hasOtherPasses(config, context))
      return fail("short flags run their passes in an order of their own: "
                  "expected them alone, found them with passes or a pipeline; "
                  "run quant-opt twice, or write the whole pipeline");
    llvm::Expected<QuantPipelineOptions> options =
        getPipelineOptions(flags, reportPath);
    if (!options)
      return fail(llvm::toString(options.takeError()));
    config.setPassPipelineSetupFn([options = *options](mlir::PassManager &pm) {
      buildQuantPipeline(pm, options);
      return mlir::success();
    });
  }
  if (llvm::StringRef(outputName).ends_with(".mlirbc"))
    config.emitBytecode(true);

  if (inputName == "-" &&
      llvm::sys::Process::FileDescriptorIsDisplayed(fileno(stdin)))
    llvm::errs() << "(reading from standard input; interrupt with ctrl-c)\n";
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> input =
      mlir::openInputFile(inputName, &message);
  if (!input)
    return fail(message);

  CrashScope scope("processing '" + inputName + "'");
  std::string output;
  llvm::raw_string_ostream os(output);
  if (mlir::failed(mlir::MlirOptMain(os, alignBytecode(std::move(input)), registry,
                                     config)))
    return 1;
  if (llvm::Error error = writeOutputs(outputName, output, flags.report,
                                       reportPath))
    return fail(llvm::toString(std::move(error)));
  return 0;
}

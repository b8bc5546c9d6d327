//===- quant-opt.cpp - mlir-opt with quantization -------------------------===//
//
// Everything mlir-opt does, with our dialects and passes, and short flags for
// the common jobs:
//
//   quant-opt model.mlir --quantize-weights=int8 --granularity=per_channel
//
// What the flags mean is in ShortFlags.cpp. Output is written whole or not at
// all.
//
//===----------------------------------------------------------------------===//

#include "ShortFlags.h"

#include "quant-mlir/InitAll.h"
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
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"

using namespace quant_mlir;
namespace cl = llvm::cl;

static int fail(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "quant-opt") << message << "\n";
  return 1;
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
  mlir::MlirOptMainConfig config =
      mlir::MlirOptMainConfig::createFromCLOptions();
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
  if (mlir::failed(mlir::MlirOptMain(os, alignBytecode(std::move(input)),
                                     registry, config)))
    return 1;
  if (llvm::Error error =
          writeOutputs(outputName, output, flags.report, reportPath))
    return fail(llvm::toString(std::move(error)));
  return 0;
}

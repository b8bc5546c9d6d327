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
  cl::opt<std::string> qformulation{"qformulation", cl::cat(category),
                                    cl::value_desc("formulation"),
                                    cl::desc("zp (default) or minval")};
  cl::opt<std::string> scaleDtype{
      "scale-dtype", cl::cat(category), cl::value_desc("type"),
      cl::desc("f32 (default), f16, bf16 or f8E8M0FNU (default for "
               "float4_e2m1fn)")};
  cl::opt<int64_t> weightThreshold{
      "weight-threshold", cl::cat(category), cl::value_desc("N"),
      cl::desc("Weights with fewer than N elements stay in floating point "
               "(default 1024; 0 where activations are quantized too)")};
  cl::opt<bool> insertObservers{
      "insert-observers", cl::cat(category),
      cl::desc("Mark the values whose ranges calibration has to find")};
  cl::opt<std::string> quantizeActivations{
      "quantize-activations", cl::cat(category), cl::value_desc("type"),
      cl::desc("Quantize activations to int8, uint8, float8_e4m3fn or "
               "float8_e5m2, with --ranges or --dynamic")};
  cl::opt<std::string> ranges{
      "ranges", cl::cat(category), cl::value_desc("file"),
      cl::desc("Ranges of activations, as quant-calibrate writes them")};
  cl::opt<std::string> dynamic{
      "dynamic", cl::cat(category), cl::value_desc("unit"), cl::ValueOptional,
      cl::desc(
          "Find scales of activations at run time: per_tensor (default) or "
          "per_row")};
  cl::opt<std::string> activationQscheme{
      "activation-qscheme", cl::cat(category), cl::value_desc("scheme"),
      cl::desc("symmetric (default) or asymmetric; outputs of relu are always "
               "asymmetric")};
  cl::opt<bool> quantizeIo{
      "quantize-io", cl::cat(category),
      cl::desc("The model's own inputs and outputs become codes, too")};
  cl::opt<std::string> config{"quant-config", cl::cat(category),
                              cl::value_desc("file"),
                              cl::desc("YAML file with rules per operation; "
                                       "the flags are its defaults")};
  cl::opt<std::string> report{
      "quant-report", cl::cat(category), cl::value_desc("file"),
      cl::desc("Write what was done, what was left, and why, as JSON")};
  cl::opt<bool> explain{"explain", cl::cat(category),
                        cl::desc("Print which rule applied to each operation, "
                                 "and why")};
  cl::opt<bool> fuse{"fuse", cl::cat(category),
                     cl::desc("Make one operation on codes of each kernel")};
  cl::opt<bool> pack{"pack", cl::cat(category),
                     cl::desc("Store constants of 4 and 2 bits packed")};

  cl::opt<std::string> lowerTo{
      "lower-to", cl::cat(category), cl::value_desc("target"),
      cl::desc(
          "cpu: kernels, and the LLVM dialect with an interface for C; "
          "spirv: the same, with kernels of a GPU that a run time launches "
          "through Vulkan; nvvm: with kernels of GPUs of NVIDIA's, as PTX; "
          "reference: linalg and arith on tensors")};
  cl::opt<std::string> gpuArch{
      "gpu-arch", cl::cat(category), cl::value_desc("name"),
      cl::desc(
          "Architecture of the GPU: vulkan1.3 (spirv), sm_80 or a later one "
          "(nvvm); default: the first of them")};
  cl::opt<std::string> targetCPU{
      "target-cpu", cl::cat(category), cl::value_desc("name"),
      cl::desc("Processor of the host's code as LLVM calls it (default: "
               "this one)")};
  cl::opt<std::string> targetFeatures{
      "target-features", cl::cat(category), cl::value_desc("list"),
      cl::desc("Features beside those of the processor: +avx2,-avx512f")};
  cl::opt<std::string> targetTriple{
      "target-triple", cl::cat(category), cl::value_desc("triple"),
      cl::desc("Architecture and system of the host's code (default: that of "
               "the processor)")};
  cl::opt<unsigned> threads{
      "target-threads", cl::cat(category), cl::value_desc("N"), cl::init(1),
      cl::desc("Threads of the host's code, by OpenMP (default: 1)")};

  /// Whether any of them is given.
  bool any() const { return !given(all()).empty(); }

  /// A flag given without the value it needs; empty where there is none.
  llvm::StringRef emptyFlag() const {
    for (const auto *option :
         {&quantizeWeights, &granularity, &axis, &qscheme, &qformulation,
          &scaleDtype, &config, &report, &quantizeActivations, &ranges,
          &activationQscheme})
      if (option->getNumOccurrences() && option->empty())
        return option->ArgStr;
    return "";
  }

  using Options = llvm::SmallVector<const cl::Option *, 16>;
  template <typename... Ts> static Options list(const Ts &...options) {
    Options result;
    // cl::list has an operator& of its own.
    (result.push_back(std::addressof(options)), ...);
    return result;
  }
  /// Flags that only say how weights are quantized.
  Options ofWeights() const {
    return list(granularity, blockSize, axis, qscheme, qformulation, scaleDtype,
                weightThreshold);
  }
  /// Flags that only say what code for the host is made.
  Options ofLowering() const {
    return list(targetCPU, targetFeatures, targetTriple, threads);
  }
  Options all() const {
    Options options = ofWeights();
    llvm::append_range(options, list(lowerTo, gpuArch));
    llvm::append_range(options, ofLowering());
    llvm::append_range(options,
                       list(quantizeWeights, config, report, fuse, pack,
                            explain, insertObservers, quantizeActivations,
                            ranges, dynamic, activationQscheme, quantizeIo));
    return options;
  }
  /// Those of `options` that are given.
  static Options given(Options options) {
    llvm::erase_if(options, [](const cl::Option *option) {
      return option->getNumOccurrences() == 0;
    });
    return options;
  }
};
} // namespace

static int fail(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "quant-opt") << message << "\n";
  return 1;
}

/// The reason why a flag cannot be used as it is, or has no effect.
static llvm::Error checkFlags(const ShortFlags &flags) {
  auto given = [](const cl::Option &option) {
    return option.getNumOccurrences() != 0;
  };
  auto noEffect = [](const cl::Option &option, const llvm::Twine &need) {
    return llvm::createStringError("--" + option.ArgStr +
                                   " has no effect without " + need +
                                   ": add it, or drop the flag");
  };
  auto exclude = [](const cl::Option &a, const cl::Option &b,
                    const llvm::Twine &why) {
    return llvm::createStringError("expected one of --" + a.ArgStr + " and --" +
                                   b.ArgStr + ", found both: " + why);
  };
  if (llvm::StringRef flag = flags.emptyFlag(); !flag.empty())
    return llvm::createStringError("expected a value after --" + flag +
                                   "=, found none: add one, or drop the flag");
  bool hasRules = given(flags.config);
  if (ShortFlags::Options options = ShortFlags::given(flags.ofWeights());
      !options.empty() && !given(flags.quantizeWeights) && !hasRules)
    return noEffect(*options.front(), "--quantize-weights");
  if (given(flags.ranges) && given(flags.dynamic))
    return exclude(flags.ranges, flags.dynamic,
                   "ranges are fixed beforehand, or found at run time");
  if (flags.insertObservers && given(flags.ranges))
    return exclude(flags.insertObservers, flags.ranges,
                   "--ranges inserts observers and folds them");
  if (flags.insertObservers && given(flags.dynamic))
    return exclude(flags.insertObservers, flags.dynamic,
                   "nothing is observed where ranges are found at run time");
  bool hasSource =
      given(flags.ranges) || given(flags.dynamic) || flags.insertObservers;
  if (given(flags.quantizeActivations) && !hasSource)
    return llvm::createStringError(
        "--quantize-activations needs ranges: add --ranges=file, which "
        "quant-calibrate writes, or --dynamic");
  for (const auto *option : {&flags.ranges, &flags.dynamic})
    if (given(*option) && !given(flags.quantizeActivations) && !hasRules)
      return noEffect(*option, "--quantize-activations");
  if (given(flags.activationQscheme) && !hasSource)
    return noEffect(flags.activationQscheme, "--quantize-activations");
  if (flags.quantizeIo && !given(flags.ranges))
    return noEffect(flags.quantizeIo, "--ranges");
  for (const cl::Option *option :
       {static_cast<const cl::Option *>(&flags.report),
        static_cast<const cl::Option *>(&flags.explain)})
    if (given(*option) && !hasSource && !hasRules &&
        !given(flags.quantizeWeights))
      return noEffect(*option, "--quantize-weights");
  std::optional<LoweringTarget> target = symbolizeLoweringTarget(flags.lowerTo);
  if (given(flags.lowerTo) && !target)
    return llvm::createStringError("expected --lower-to=cpu, --lower-to=spirv, "
                                   "--lower-to=nvvm or --lower-to=reference, "
                                   "found '" +
                                   flags.lowerTo + "'");
  if (!target || *target == LoweringTarget::Reference)
    if (ShortFlags::Options options = ShortFlags::given(flags.ofLowering());
        !options.empty())
      return noEffect(*options.front(), "--lower-to=cpu");
  if (given(flags.gpuArch) && !(target && isGPU(*target)))
    return noEffect(flags.gpuArch, "--lower-to=spirv or nvvm");
  if (flags.threads == 0 || flags.threads > 1024)
    return llvm::createStringError(
        "expected 1 to 1024 --target-threads, found " +
        llvm::Twine(flags.threads));
  return llvm::Error::success();
}

static QuantizeWeightsPassOptions getWeightOptions(const ShortFlags &flags,
                                                   llvm::StringRef reportPath) {
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
  else if (flags.ranges.getNumOccurrences() ||
           flags.dynamic.getNumOccurrences())
    pass.weightThreshold = 0;
  pass.config = flags.config;
  pass.report = reportPath.str();
  pass.explain = flags.explain;
  return pass;
}

/// The flags as a pipeline; an error where one has no effect. `reportPath` is
/// where the report goes until everything else has succeeded.
static llvm::Expected<QuantPipelineOptions>
getPipelineOptions(const ShortFlags &flags, llvm::StringRef reportPath) {
  if (llvm::Error error = checkFlags(flags))
    return std::move(error);
  QuantPipelineOptions options;
  options.pack = flags.pack;
  if (flags.lowerTo.getNumOccurrences()) {
    LLVMLoweringOptions &lowering = options.lowerTo.emplace();
    lowering.target = *symbolizeLoweringTarget(flags.lowerTo);
    lowering.gpuArch = flags.gpuArch;
    lowering.machine = {flags.targetCPU, flags.targetFeatures,
                        flags.targetTriple};
    lowering.threads = flags.threads;
    lowering.cInterface = true;
  }
  if (flags.fuse)
    options.fuse.emplace().report = reportPath.str();
  options.foldBatchNorm = flags.dynamic.getNumOccurrences() != 0;
  // Level 1 is closed where activations are quantized; weights alone leave
  // nothing to clean up.
  if (flags.ranges.getNumOccurrences() || flags.dynamic.getNumOccurrences()) {
    options.cleanUp = true;
    options.quantizeBiases.emplace().report = reportPath.str();
  }
  if (flags.insertObservers || flags.ranges.getNumOccurrences()) {
    InsertObserversPassOptions pass;
    // A configuration alone leaves to its rules what is quantized.
    if (flags.quantizeActivations.getNumOccurrences() ||
        flags.config.getNumOccurrences())
      pass.dtype = flags.quantizeActivations;
    if (flags.activationQscheme.getNumOccurrences())
      pass.qscheme = flags.activationQscheme;
    pass.config = flags.config;
    pass.explain = flags.explain;
    options.insertObservers = std::move(pass);
  }
  if (flags.ranges.getNumOccurrences()) {
    FoldRangesPassOptions pass;
    pass.ranges = flags.ranges;
    pass.quantizeIo = flags.quantizeIo;
    options.foldRanges = std::move(pass);
  }
  if (flags.dynamic.getNumOccurrences()) {
    QuantizeDynamicPassOptions pass;
    pass.dtype = flags.quantizeActivations;
    if (!flags.dynamic.empty())
      pass.granularity = flags.dynamic;
    if (flags.activationQscheme.getNumOccurrences())
      pass.qscheme = flags.activationQscheme;
    pass.config = flags.config;
    pass.explain = flags.explain;
    options.quantizeDynamic = std::move(pass);
  }
  // Weights are quantized behind calibration, not before it. A report speaks of
  // the weights whatever happens to them.
  if (flags.quantizeWeights.getNumOccurrences() ||
      (flags.config.getNumOccurrences() && !flags.insertObservers) ||
      flags.report.getNumOccurrences())
    options.quantizeWeights = getWeightOptions(flags, reportPath);
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

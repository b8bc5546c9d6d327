//===- ShortFlags.cpp - Flags for the common jobs -------------------------===//
//
// Flags are checked here for what they can mean together; what their values
// mean is checked by the passes.
//
//===----------------------------------------------------------------------===//

#include "ShortFlags.h"

using namespace quant_mlir;
namespace cl = llvm::cl;

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
                                   "--lower-to=nvvm, --lower-to=rocdl or "
                                   "--lower-to=reference, found '" +
                                   flags.lowerTo + "'");
  if (!target || *target == LoweringTarget::Reference)
    if (ShortFlags::Options options = ShortFlags::given(flags.ofLowering());
        !options.empty())
      return noEffect(*options.front(), "--lower-to=cpu");
  if (given(flags.gpuArch) && !(target && isGPU(*target)))
    return noEffect(flags.gpuArch, "--lower-to=spirv, nvvm or rocdl");
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

llvm::Expected<QuantPipelineOptions>
quant_mlir::getPipelineOptions(const ShortFlags &flags,
                               llvm::StringRef reportPath) {
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

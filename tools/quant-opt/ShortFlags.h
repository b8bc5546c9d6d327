//===- ShortFlags.h - Flags for the common jobs -----------------*- C++ -*-===//

#ifndef QUANT_MLIR_TOOLS_QUANT_OPT_SHORTFLAGS_H
#define QUANT_MLIR_TOOLS_QUANT_OPT_SHORTFLAGS_H

#include "quant-mlir/Pipelines/Pipelines.h"

#include "llvm/Support/CommandLine.h"

namespace quant_mlir {

struct ShortFlags {
  llvm::cl::OptionCategory category{
      "Quantization", "Run in one order, whatever order they are written in"};
  llvm::cl::opt<std::string> quantizeWeights{
      "quantize-weights", llvm::cl::cat(category), llvm::cl::value_desc("type"),
      llvm::cl::desc(
          "Quantize weights to int8, uint8, int4, uint4, int2, uint2, "
          "float8_e4m3fn, float8_e5m2 or float4_e2m1fn")};
  llvm::cl::opt<std::string> granularity{
      "granularity", llvm::cl::cat(category), llvm::cl::value_desc("kind"),
      llvm::cl::desc("per_tensor, per_channel (default) or per_block")};
  llvm::cl::list<int64_t> blockSize{
      "block-size", llvm::cl::cat(category), llvm::cl::CommaSeparated,
      llvm::cl::value_desc("sizes"),
      llvm::cl::desc(
          "per_block: elements along the reduction dimension (default "
          "32), or one size per dimension, -1 for a whole one")};
  llvm::cl::opt<std::string> axis{
      "axis", llvm::cl::cat(category), llvm::cl::value_desc("N"),
      llvm::cl::desc("Dimension of the weights with the channels or blocks "
                     "(default: by role)")};
  llvm::cl::opt<std::string> qscheme{
      "qscheme", llvm::cl::cat(category), llvm::cl::value_desc("scheme"),
      llvm::cl::desc(
          "symmetric (default), symmetric_with_clipping or asymmetric")};
  llvm::cl::opt<std::string> qformulation{
      "qformulation", llvm::cl::cat(category),
      llvm::cl::value_desc("formulation"),
      llvm::cl::desc("zp (default) or minval")};
  llvm::cl::opt<std::string> scaleDtype{
      "scale-dtype", llvm::cl::cat(category), llvm::cl::value_desc("type"),
      llvm::cl::desc("f32 (default), f16, bf16 or f8E8M0FNU (default for "
                     "float4_e2m1fn)")};
  llvm::cl::opt<int64_t> weightThreshold{
      "weight-threshold", llvm::cl::cat(category), llvm::cl::value_desc("N"),
      llvm::cl::desc(
          "Weights with fewer than N elements stay in floating point "
          "(default 1024; 0 where activations are quantized too)")};
  llvm::cl::opt<bool> insertObservers{
      "insert-observers", llvm::cl::cat(category),
      llvm::cl::desc("Mark the values whose ranges calibration has to find")};
  llvm::cl::opt<std::string> quantizeActivations{
      "quantize-activations", llvm::cl::cat(category),
      llvm::cl::value_desc("type"),
      llvm::cl::desc("Quantize activations to int8, uint8, float8_e4m3fn or "
                     "float8_e5m2, with --ranges or --dynamic")};
  llvm::cl::opt<std::string> ranges{
      "ranges", llvm::cl::cat(category), llvm::cl::value_desc("file"),
      llvm::cl::desc("Ranges of activations, as quant-calibrate writes them")};
  llvm::cl::opt<std::string> dynamic{
      "dynamic", llvm::cl::cat(category), llvm::cl::value_desc("unit"),
      llvm::cl::ValueOptional,
      llvm::cl::desc(
          "Find scales of activations at run time: per_tensor (default) or "
          "per_row")};
  llvm::cl::opt<std::string> activationQscheme{
      "activation-qscheme", llvm::cl::cat(category),
      llvm::cl::value_desc("scheme"),
      llvm::cl::desc(
          "symmetric (default) or asymmetric; outputs of relu are always "
          "asymmetric")};
  llvm::cl::opt<bool> quantizeIo{
      "quantize-io", llvm::cl::cat(category),
      llvm::cl::desc("The model's own inputs and outputs become codes, too")};
  llvm::cl::opt<std::string> config{
      "quant-config", llvm::cl::cat(category), llvm::cl::value_desc("file"),
      llvm::cl::desc("YAML file with rules per operation; "
                     "the flags are its defaults")};
  llvm::cl::opt<std::string> report{
      "quant-report", llvm::cl::cat(category), llvm::cl::value_desc("file"),
      llvm::cl::desc("Write what was done, what was left, and why, as JSON")};
  llvm::cl::opt<bool> explain{
      "explain", llvm::cl::cat(category),
      llvm::cl::desc("Print which rule applied to each operation, "
                     "and why")};
  llvm::cl::opt<bool> fuse{
      "fuse", llvm::cl::cat(category),
      llvm::cl::desc("Make one operation on codes of each kernel")};
  llvm::cl::opt<bool> pack{
      "pack", llvm::cl::cat(category),
      llvm::cl::desc("Store constants of 4 and 2 bits packed")};

  llvm::cl::opt<std::string> lowerTo{
      "lower-to", llvm::cl::cat(category), llvm::cl::value_desc("target"),
      llvm::cl::desc(
          "cpu: kernels, and the LLVM dialect with an interface for C; "
          "spirv: the same, with kernels of a GPU that a run time launches "
          "through Vulkan; nvvm: with kernels of GPUs of NVIDIA's, as PTX; "
          "nvvm-emulator: the same as LLVM IR, for tests; "
          "rocdl: with kernels of GPUs of AMD's, as code objects; "
          "reference: linalg and arith on tensors")};
  llvm::cl::opt<std::string> gpuArch{
      "gpu-arch", llvm::cl::cat(category), llvm::cl::value_desc("name"),
      llvm::cl::desc(
          "Architecture of the GPU: vulkan1.3 (spirv), sm_80 or a later one "
          "(nvvm), gfx942 or gfx1100 (rocdl); default: the first of them")};
  llvm::cl::opt<std::string> targetCPU{
      "target-cpu", llvm::cl::cat(category), llvm::cl::value_desc("name"),
      llvm::cl::desc("Processor of the host's code as LLVM calls it (default: "
                     "this one)")};
  llvm::cl::opt<std::string> targetFeatures{
      "target-features", llvm::cl::cat(category), llvm::cl::value_desc("list"),
      llvm::cl::desc("Features beside those of the processor: +avx2,-avx512f")};
  llvm::cl::opt<std::string> targetTriple{
      "target-triple", llvm::cl::cat(category), llvm::cl::value_desc("triple"),
      llvm::cl::desc(
          "Architecture and system of the host's code (default: that of "
          "the processor)")};
  llvm::cl::opt<unsigned> threads{
      "target-threads", llvm::cl::cat(category), llvm::cl::value_desc("N"),
      llvm::cl::init(1),
      llvm::cl::desc("Threads of the host's code, by OpenMP (default: 1)")};

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

  using Options = llvm::SmallVector<const llvm::cl::Option *, 16>;
  template <typename... Ts> static Options list(const Ts &...options) {
    Options result;
    // llvm::cl::list has an operator& of its own.
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
    llvm::erase_if(options, [](const llvm::cl::Option *option) {
      return option->getNumOccurrences() == 0;
    });
    return options;
  }
};

/// The flags as a pipeline; an error where one has no effect. `reportPath` is
/// where the report goes until everything else has succeeded.
llvm::Expected<QuantPipelineOptions>
getPipelineOptions(const ShortFlags &flags, llvm::StringRef reportPath);

} // namespace quant_mlir

#endif // QUANT_MLIR_TOOLS_QUANT_OPT_SHORTFLAGS_H

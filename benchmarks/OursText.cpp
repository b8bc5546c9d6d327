//===- OursText.cpp - Problems as MLIR ------------------------------------===//

#include "OursText.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>

using namespace quant_mlir::bench;

using Dims = std::vector<int64_t>;

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// tensor<3x4xi8>
static std::string tensor(const Dims &dims, const char *element) {
  std::string text = "tensor<";
  for (int64_t size : dims)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

/// Enough digits to be read back as the same binary32.
static std::string number(float value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.9e", double(value));
  return text;
}

template <typename T>
static void addResource(ModuleText &module, const char *name,
                        const std::vector<T> &values) {
  ModuleText::Resource resource{name, {}, sizeof(T)};
  resource.bytes.resize(values.size() * sizeof(T));
  std::memcpy(resource.bytes.data(), values.data(), resource.bytes.size());
  module.resources.push_back(std::move(resource));
}

namespace {
/// Names and types of the operation that all is about.
struct Kernel {
  Dims input, weight, output;
  /// Dimensions of the bias that the output's other dimensions come before.
  std::string broadcast;
  ConvShape conv;
  bool isConv;
};
} // namespace

static Kernel getKernel(bool isConv, const MatmulShape &matmul,
                        const ConvShape &conv) {
  if (!isConv)
    return {{matmul.m, matmul.k},
            {matmul.k, matmul.n},
            {matmul.m, matmul.n},
            "[0]",
            conv,
            false};
  Dims weight = {conv.kernel, conv.kernel, conv.in};
  if (!conv.depthwise)
    weight.push_back(conv.out);
  return {{1, conv.height, conv.width, conv.in},
          std::move(weight),
          {1, conv.outHeight(), conv.outWidth(), conv.out},
          "[0, 1, 2]",
          conv,
          true};
}

/// %padded, of codes or values: the input with `zero` around it.
static std::string padText(const Kernel &kernel, const char *input,
                           const char *element, const std::string &zero,
                           Dims &padded) {
  const ConvShape &conv = kernel.conv;
  padded = kernel.input;
  if (!kernel.isConv || (conv.padBefore == 0 && conv.padAfter == 0))
    return "";
  padded[1] += conv.padBefore + conv.padAfter;
  padded[2] += conv.padBefore + conv.padAfter;
  return llvm::formatv(R"(
  %zero = arith.constant {0} : {1}
  %padded = tensor.pad %{2} low[0, {3}, {3}, 0] high[0, {4}, {4}, 0] {{
  ^bb0(%i0: index, %i1: index, %i2: index, %i3: index):
    tensor.yield %zero : {1}
  } : {5} to {6})",
                       zero, element, input, conv.padBefore, conv.padAfter,
                       tensor(kernel.input, element), tensor(padded, element))
      .str();
}

/// %y from %x, %w and %b, in float.
static std::string computeText(const Kernel &kernel, const Dims &input,
                               int64_t channels, bool hasBias) {
  std::string output = tensor(kernel.output, "f32");
  std::string text =
      llvm::formatv("\n  %empty = tensor.empty() : {0}", output).str();
  if (hasBias)
    text += llvm::formatv("\n  %init = linalg.broadcast ins(%b : {0}) "
                          "outs(%empty : {1}) dimensions = {2}",
                          tensor({channels}, "f32"), output, kernel.broadcast)
                .str();
  else
    text += llvm::formatv("\n  %f0 = arith.constant 0.0 : f32"
                          "\n  %init = linalg.fill ins(%f0 : f32) "
                          "outs(%empty : {0}) -> {0}",
                          output)
                .str();
  std::string name = "linalg.matmul";
  if (kernel.isConv)
    name = llvm::formatv("linalg.{0} {{strides = dense<{1}> : tensor<2xi64>}",
                         kernel.conv.depthwise ? "depthwise_conv_2d_nhwc_hwc"
                                               : "conv_2d_nhwc_hwcf",
                         kernel.conv.stride)
               .str();
  return text + llvm::formatv("\n  %y = {0} ins(%x, %w : {1}, {2}) "
                              "outs(%init : {3}) -> {3}",
                              name, tensor(input, "f32"),
                              tensor(kernel.weight, "f32"), output)
                    .str();
}

//===----------------------------------------------------------------------===//
// Problems
//===----------------------------------------------------------------------===//

ModuleText quant_mlir::bench::makeText(const Int8Problem &problem) {
  Kernel kernel = getKernel(problem.isConv, problem.matmul, problem.conv);
  const char *type =
      problem.activations == Activations::Signed ? "int8" : "uint8";
  int64_t channels = problem.channels();
  // A code of padding is the zero point as the bits of i8.
  Dims padded;
  std::string pad = padText(
      kernel, "a", "i8", std::to_string(int8_t(uint8_t(problem.zpA))), padded);
  // Output channels are the last dimension of weights everywhere.
  size_t axis = kernel.weight.size() - 1;
  Dims scaleDims(kernel.weight.size(), 1);
  scaleDims[axis] = channels;
  std::vector<float> biasScales;
  for (float scale : problem.scaleW)
    biasScales.push_back(problem.scaleA * scale);

  ModuleText module;
  addResource(module, "w", problem.w);
  addResource(module, "w_scale", problem.scaleW);
  addResource(module, "b", problem.bias);
  addResource(module, "b_scale", biasScales);
  std::string codes = tensor(kernel.weight, "i8");
  std::string in = tensor(kernel.input, "i8");
  std::string out = tensor(kernel.output, "i8");
  llvm::raw_string_ostream os(module.text);
  os << "func.func @main(%a: " << in << ") -> " << out << " {";
  os << "\n  %wc = arith.constant dense_resource<w> : " << codes;
  os << "\n  %bc = arith.constant dense_resource<b> : "
     << tensor({channels}, "i32");
  os << pad;
  os << llvm::formatv(
      "\n  %x = quant.dequantize %{0} <{1}, per_tensor, scale = "
      "{2}, zero_point = {3}> : {4} -> {5}",
      pad.empty() ? "a" : "padded", type, number(problem.scaleA), problem.zpA,
      tensor(padded, "i8"), tensor(padded, "f32"));
  os << llvm::formatv("\n  %w = quant.dequantize %wc <int8 narrow, "
                      "per_channel<[{0}]>, scale = dense_resource<w_scale> : "
                      "{1}> : {2} -> {3}",
                      axis, tensor(scaleDims, "f32"), codes,
                      tensor(kernel.weight, "f32"));
  os << llvm::formatv("\n  %b = quant.dequantize %bc <int32, per_channel<[0]>, "
                      "scale = dense_resource<b_scale> : {0}> : {1} -> {0}",
                      tensor({channels}, "f32"), tensor({channels}, "i32"));
  os << computeText(kernel, padded, channels, /*hasBias=*/true);
  os << llvm::formatv(
      "\n  %q = quant.quantize %y <{0}, per_tensor, scale = {1}, "
      "zero_point = {2}> : {3} -> {4}",
      type, number(problem.scaleOut), problem.zpOut,
      tensor(kernel.output, "f32"), out);
  os << "\n  return %q : " << out << "\n}\n";
  return module;
}

ModuleText quant_mlir::bench::makeText(const FloatProblem &problem) {
  Kernel kernel = getKernel(problem.isConv, problem.matmul, problem.conv);
  ModuleText module;
  addResource(module, "w", problem.w);
  addResource(module, "b", problem.bias);
  Dims padded;
  std::string pad = padText(kernel, "a", "f32", "0.0", padded);
  std::string out = tensor(kernel.output, "f32");
  llvm::raw_string_ostream os(module.text);
  os << "func.func @main(%" << (pad.empty() ? "x" : "a") << ": "
     << tensor(kernel.input, "f32") << ") -> " << out << " {";
  os << "\n  %w = arith.constant dense_resource<w> : "
     << tensor(kernel.weight, "f32");
  os << "\n  %b = arith.constant dense_resource<b> : "
     << tensor({problem.channels()}, "f32");
  if (!pad.empty())
    pad.replace(pad.find("%padded"), 7, "%x");
  os << pad;
  os << computeText(kernel, padded, problem.channels(), /*hasBias=*/true);
  os << "\n  return %y : " << out << "\n}\n";
  return module;
}

/// Weights that are dequantized, activations that are not yet quantized.
static void writeDynamic(ModuleText &module, const MatmulShape &shape,
                         const std::string &weight) {
  Kernel kernel = getKernel(false, shape, {});
  std::string out = tensor(kernel.output, "f32");
  llvm::raw_string_ostream os(module.text);
  os << "func.func @main(%x: " << tensor(kernel.input, "f32") << ") -> " << out
     << " {" << weight
     << computeText(kernel, kernel.input, shape.n, /*hasBias=*/false)
     << "\n  return %y : " << out << "\n}\n";
}

ModuleText quant_mlir::bench::makeText(const BlockProblem &problem) {
  const MatmulShape &shape = problem.shape;
  // The canonical layout: element i in the low (even i) or high half of a byte.
  std::vector<uint8_t> packed((problem.codes.size() + 1) / 2);
  for (size_t i = 0; i < problem.codes.size(); ++i)
    packed[i / 2] |= uint8_t((problem.codes[i] & 15) << (i % 2 * 4));
  ModuleText module;
  addResource(module, "w", packed);
  addResource(module, "w_scale", problem.scales);
  Dims dims = {shape.k, shape.n}, blocks = {problem.numBlocks(), shape.n};
  std::string zeroPoints;
  if (problem.hasZeroPoints) {
    addResource(module, "w_zp", problem.zeroPoints);
    zeroPoints =
        ", zero_point = dense_resource<w_zp> : " + tensor(blocks, "ui8");
  }
  std::string bytes = tensor({int64_t(packed.size())}, "i8");
  writeDynamic(module, shape,
               llvm::formatv(R"(
  %packed = arith.constant dense_resource<w> : {0}
  %wc = quant.unpack %packed <canonical> : {0} -> {1}
  %w = quant.dequantize %wc <{2}, per_block<[{3}, 1]>, scale = dense_resource<w_scale> : {4}{5}> : {1} -> {6})",
                             bytes, tensor(dims, "i4"),
                             problem.hasZeroPoints ? "uint4" : "int4",
                             problem.block, tensor(blocks, "f32"), zeroPoints,
                             tensor(dims, "f32"))
                   .str());
  return module;
}

ModuleText quant_mlir::bench::makeText(const DynamicProblem &problem) {
  const MatmulShape &shape = problem.shape;
  ModuleText module;
  addResource(module, "w", problem.w);
  addResource(module, "w_scale", problem.scaleW);
  Dims dims = {shape.k, shape.n};
  writeDynamic(module, shape,
               llvm::formatv(R"(
  %wc = arith.constant dense_resource<w> : {0}
  %w = quant.dequantize %wc <int8 narrow, per_channel<[1]>, scale = dense_resource<w_scale> : {1}> : {0} -> {2})",
                             tensor(dims, "i8"), tensor({1, shape.n}, "f32"),
                             tensor(dims, "f32"))
                   .str());
  return module;
}

ModuleText quant_mlir::bench::makeText(const AttentionProblem &problem) {
  auto [m, n, k] = problem.shape.product;
  int64_t heads = problem.shape.heads;
  Dims a = {heads, m, k}, w = {heads, k, n}, y = {heads, m, n};
  if (problem.shape.isTransposed)
    std::swap(w[1], w[2]);
  ModuleText module;
  module.text =
      llvm::formatv(R"(
func.func @main(%a: {0}, %b: {1}) -> {2} {{
  %x = quant.dequantize %a <int8, per_tensor, scale = {6}, zero_point = {7}> : {0} -> {3}
  %w = quant.dequantize %b <int8, per_tensor, scale = {8}> : {1} -> {4}
  %f0 = arith.constant 0.0 : f32
  %empty = tensor.empty() : {5}
  %init = linalg.fill ins(%f0 : f32) outs(%empty : {5}) -> {5}
  %y = linalg.batch_matmul indexing_maps = [
      affine_map<(b, m, n, k) -> (b, m, k)>,
      affine_map<(b, m, n, k) -> {10}>,
      affine_map<(b, m, n, k) -> (b, m, n)>]
    ins(%x, %w : {3}, {4}) outs(%init : {5}) -> {5}
  %q = quant.quantize %y <int8, per_tensor, scale = {9}> : {5} -> {2}
  return %q : {2}
}
)",
                    tensor(a, "i8"), tensor(w, "i8"), tensor(y, "i8"),
                    tensor(a, "f32"), tensor(w, "f32"), tensor(y, "f32"),
                    number(problem.scaleA), problem.zpA, number(problem.scaleW),
                    number(problem.scaleOut),
                    problem.shape.isTransposed ? "(b, n, k)" : "(b, k, n)")
          .str();
  return module;
}

/// %y from %x.
static std::string computeText(Activation activation, const std::string &type) {
  std::string text;
  auto constant = [&](const char *name, double value) {
    text += llvm::formatv("\n  %{0} = arith.constant dense<{1}> : {2}", name,
                          number(float(value)), type)
                .str();
  };
  auto line = [&](const char *operation) {
    text += std::string("\n  ") + operation + " : " + type;
  };
  switch (activation) {
  case Activation::HardSwish:
    constant("zero", 0);
    constant("three", 3);
    constant("six", 6);
    constant("sixth", 1.0 / 6);
    line("%0 = arith.addf %x, %three");
    line("%1 = arith.maximumf %0, %zero");
    line("%2 = arith.minimumf %1, %six");
    line("%3 = arith.mulf %x, %2");
    line("%y = arith.mulf %3, %sixth");
    break;
  case Activation::Sigmoid:
    constant("one", 1);
    line("%0 = arith.negf %x");
    line("%1 = math.exp %0");
    line("%2 = arith.addf %1, %one");
    line("%y = arith.divf %one, %2");
    break;
  case Activation::Gelu:
    constant("one", 1);
    constant("half", 0.5);
    constant("root", std::sqrt(0.5));
    line("%0 = arith.mulf %x, %root");
    line("%1 = math.erf %0");
    line("%2 = arith.addf %1, %one");
    line("%3 = arith.mulf %x, %2");
    line("%y = arith.mulf %3, %half");
    break;
  }
  return text;
}

ModuleText quant_mlir::bench::makeText(const ActivationProblem &problem) {
  ModuleText module;
  std::string codes = tensor(problem.shape, "i8");
  std::string values = tensor(problem.shape, "f32");
  module.text = llvm::formatv(R"(func.func @main(%a: {0}) -> {0} {{
  %x = quant.dequantize %a <int8, per_tensor, scale = {1}, zero_point = {2}>
    : {0} -> {3}{4}
  %q = quant.quantize %y <int8, per_tensor, scale = {5}, zero_point = {6}>
    : {3} -> {0}
  return %q : {0}
}
)",
                              codes, number(problem.scaleA), problem.zpA,
                              values, computeText(problem.activation, values),
                              number(problem.scaleOut), problem.zpOut)
                    .str();
  return module;
}

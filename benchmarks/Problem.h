//===- Problem.h - What is computed -----------------------------*- C++ -*-===//
//
// One problem has the data that every subject works on, and says what the
// result has to be. Data is made from the shape alone: the same in every run.
//
// Integer form, for a matmul and a convolution alike (round half to even):
//
//   out[m,n] = clamp(round((sum_k (a[m,k] - zpA) * w[k,n] + bias[n])
//                          * (scaleA * scaleW[n] / scaleOut)) + zpOut)
//
// A convolution is NHWC with weights HWIO (HW1C, as HWC, where depthwise);
// padding is zpA.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_BENCHMARKS_PROBLEM_H
#define QUANT_MLIR_BENCHMARKS_PROBLEM_H

#include <cstdint>
#include <string>
#include <vector>

namespace quant_mlir::bench {

struct MatmulShape {
  int64_t m, n, k;
  std::string str() const;
  double ops() const { return 2.0 * double(m) * double(n) * double(k); }
};

struct ConvShape {
  std::string name;
  int64_t height, width, in, out;
  int64_t kernel, stride, padBefore, padAfter;
  bool depthwise = false;

  int64_t outHeight() const {
    return (height + padBefore + padAfter - kernel) / stride + 1;
  }
  int64_t outWidth() const {
    return (width + padBefore + padAfter - kernel) / stride + 1;
  }
  int64_t reduction() const { return kernel * kernel * (depthwise ? 1 : in); }
  /// Products with padding are not counted: a kernel may leave them out.
  double ops() const;
};

/// How the activations are kept.
enum class Activations {
  Unsigned, ///< uint8, zero point 0: what follows a relu
  Signed,   ///< int8, zero point not 0
};

/// Static int8, per-channel weights; a matmul or a convolution.
struct Int8Problem {
  bool isConv = false;
  MatmulShape matmul{};
  ConvShape conv{};
  Activations activations = Activations::Unsigned;
  /// ONNX Runtime's QLinearMatMul takes no bias.
  bool hasBias = true;

  std::vector<uint8_t> a; ///< int8 as its bits where Signed
  std::vector<int8_t> w;
  std::vector<int32_t> bias;
  std::vector<float> scaleW;
  float scaleA = 0, scaleOut = 0;
  int32_t zpA = 0, zpOut = 0;

  Int8Problem(MatmulShape shape, Activations activations);
  Int8Problem(ConvShape shape, Activations activations);

  int64_t channels() const { return isConv ? conv.out : matmul.n; }
  int64_t numOutputs() const;
  bool isOutputUnsigned() const { return activations == Activations::Unsigned; }
  int32_t codeA(int64_t index) const;
  /// The exact result at a place of the output.
  int32_t expected(int64_t index, bool withBias) const;
  /// The greatest difference of codes over (at most some thousand) places.
  double difference(const void *output, bool withBias) const;

private:
  void fill(int64_t numA, int64_t numW, int64_t reduction);
  int64_t accumulate(int64_t index) const;
};

/// f32, or f32 activations with int4 or int8 weights.
struct FloatProblem {
  bool isConv = false;
  MatmulShape matmul{};
  ConvShape conv{};

  std::vector<float> a, w, bias;

  explicit FloatProblem(MatmulShape shape);
  explicit FloatProblem(ConvShape shape);

  int64_t channels() const { return isConv ? conv.out : matmul.n; }
  int64_t numOutputs() const;
  /// |difference| / max|expected|, over sampled places.
  double difference(const float *output, bool withBias) const;

private:
  double expected(int64_t index, bool withBias) const;
};

/// f32 activations, int4 weights with one scale per block of `block` along k.
struct BlockProblem {
  MatmulShape shape;
  int64_t block;
  bool hasZeroPoints;
  std::vector<float> a;
  std::vector<int8_t> codes; ///< k x n, in [-8, 7]; [0, 15] with zero points
  std::vector<float> scales; ///< blocks x n
  std::vector<int8_t> zeroPoints; ///< blocks x n, in [0, 15]; empty without

  BlockProblem(MatmulShape shape, int64_t block, bool hasZeroPoints);
  int64_t numBlocks() const { return (shape.k + block - 1) / block; }
  /// |difference| / max|expected| from the product without rounding of `a`.
  double difference(const float *output) const;
  /// Packed weights, scales and zero points, counted once.
  double weightBytes() const;
};

/// A product of two activations for each head.
struct AttentionShape {
  int64_t heads;
  MatmulShape product;
  bool isTransposed; ///< the second one is heads x n x k, not heads x k x n
  std::string str() const;
};

/// Static int8 times static int8, both computed before.
struct AttentionProblem {
  AttentionShape shape;
  std::vector<int8_t> a; ///< heads x m x k
  std::vector<int8_t> w; ///< heads x k x n, or heads x n x k
  float scaleA, scaleW, scaleOut;
  int32_t zpA;

  explicit AttentionProblem(const AttentionShape &shape);
  double ops() const { return double(shape.heads) * shape.product.ops(); }
  /// The greatest difference of codes over (at most some thousand) places.
  double difference(const int8_t *output) const;
};

/// f32 activations quantized at run time, int8 weights per channel.
struct DynamicProblem {
  MatmulShape shape;
  std::vector<float> a;
  std::vector<int8_t> w; ///< k x n
  std::vector<float> scaleW;

  explicit DynamicProblem(MatmulShape shape);
  double difference(const float *output) const;
};

enum class Activation { HardSwish, Sigmoid, Gelu };
/// "hard-swish", "sigmoid", "GELU".
const char *getName(Activation activation);

/// A function of each element between int8 and int8.
struct ActivationProblem {
  Activation activation;
  std::vector<int64_t> shape;
  std::vector<int8_t> a;
  float scaleA, scaleOut;
  int32_t zpA, zpOut;

  ActivationProblem(Activation activation, std::vector<int64_t> shape);
  /// The greatest difference of codes.
  double difference(const int8_t *output) const;
};

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_PROBLEM_H

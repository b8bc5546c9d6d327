//===- Problem.cpp - What is computed ------------------------===//

#include "Problem.h"

#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

using namespace quant_mlir::bench;

std::string MatmulShape::str() const {
  return std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

/// Pairs of an output's row and a row of the kernel that meet a row of the
/// input.
static int64_t countTaps(int64_t size, int64_t outSize,
                         const ConvShape &shape) {
  int64_t count = 0;
  for (int64_t i = 0; i < outSize; ++i)
    for (int64_t tap = 0; tap < shape.kernel; ++tap) {
      int64_t at = i * shape.stride + tap - shape.padBefore;
      count += at >= 0 && at < size;
    }
  return count;
}

double ConvShape::ops() const {
  int64_t taps = countTaps(height, outHeight(), *this) *
                 countTaps(width, outWidth(), *this);
  return 2.0 * double(taps) * double(out) * double(depthwise ? 1 : in);
}

//===----------------------------------------------------------------------===//
// Data and places
//===----------------------------------------------------------------------===//

using Random = std::mt19937;

static void fillFloats(std::vector<float> &values, int64_t count,
                       Random &random, float magnitude) {
  values.resize(count);
  for (float &value : values)
    value = (float(random()) * 0x1p-31f - 1.0f) * magnitude;
}

static int32_t between(Random &random, int32_t low, int32_t high) {
  return low + int32_t(random() % uint32_t(high - low + 1));
}

/// Places of an output to compare: all of a small one, else the corners and
/// some thousand others, so that the reference stays quick.
static void forPlaces(int64_t count, int64_t costOfOne,
                      const std::function<void(int64_t)> &visit) {
  int64_t budget = std::max<int64_t>(512, (int64_t(1) << 24) / costOfOne);
  if (count <= budget) {
    for (int64_t i = 0; i < count; ++i)
      visit(i);
    return;
  }
  visit(0);
  visit(count - 1);
  Random random(7);
  for (int64_t i = 0; i < budget; ++i)
    visit(int64_t((uint64_t(random()) << 32 | random()) % uint64_t(count)));
}

/// Calls `visit(index of a, index of w)` for the products of one output.
template <typename Visit>
static void forMatmulTerms(const MatmulShape &shape, int64_t index,
                           Visit visit) {
  int64_t row = index / shape.n, column = index % shape.n;
  for (int64_t k = 0; k < shape.k; ++k)
    visit(row * shape.k + k, k * shape.n + column);
}

/// The same for a convolution; padding is left out: it adds nothing.
template <typename Visit>
static void forConvTerms(const ConvShape &shape, int64_t index, Visit visit) {
  int64_t channel = index % shape.out;
  int64_t x = index / shape.out % shape.outWidth();
  int64_t y = index / shape.out / shape.outWidth();
  for (int64_t ky = 0; ky < shape.kernel; ++ky)
    for (int64_t kx = 0; kx < shape.kernel; ++kx) {
      int64_t row = y * shape.stride + ky - shape.padBefore;
      int64_t column = x * shape.stride + kx - shape.padBefore;
      if (row < 0 || row >= shape.height || column < 0 || column >= shape.width)
        continue;
      int64_t pixel = row * shape.width + column;
      int64_t tap = ky * shape.kernel + kx;
      if (shape.depthwise) {
        visit(pixel * shape.in + channel, tap * shape.in + channel);
        continue;
      }
      for (int64_t c = 0; c < shape.in; ++c)
        visit(pixel * shape.in + c, (tap * shape.in + c) * shape.out + channel);
    }
}

//===----------------------------------------------------------------------===//
// Static int8
//===----------------------------------------------------------------------===//

Int8Problem::Int8Problem(MatmulShape shape, Activations activations)
    : matmul(shape), activations(activations) {
  fill(shape.m * shape.k, shape.k * shape.n, shape.k);
}

Int8Problem::Int8Problem(ConvShape shape, Activations activations)
    : isConv(true), conv(shape), activations(activations) {
  fill(shape.height * shape.width * shape.in, shape.reduction() * shape.out,
       shape.reduction());
}

void Int8Problem::fill(int64_t numA, int64_t numW, int64_t reduction) {
  Random random(1);
  a.resize(numA);
  for (uint8_t &value : a)
    value = uint8_t(random() >> 24);
  w.resize(numW);
  // The narrow range of symmetric weights.
  for (int8_t &value : w)
    value = int8_t(between(random, -127, 127));
  bool isSigned = activations == Activations::Signed;
  zpA = isSigned ? -3 : 0;
  zpOut = isSigned ? 5 : 0;
  scaleA = 0.02f;
  // Most results fall into the range, some saturate.
  double deviation =
      std::sqrt(double(reduction)) * 73.0 * (isSigned ? 74.0 : 147.0);
  scaleOut = float(0.02 * 0.003 * deviation / 50.0);
  bias.resize(channels());
  for (int32_t &value : bias)
    value = between(random, -int32_t(deviation / 2), int32_t(deviation / 2));
  scaleW.resize(channels());
  for (float &value : scaleW)
    value = 0.003f * float(between(random, 700, 1300)) / 1000.0f;
}

int64_t Int8Problem::numOutputs() const {
  return isConv ? conv.outHeight() * conv.outWidth() * conv.out
                : matmul.m * matmul.n;
}

int32_t Int8Problem::codeA(int64_t index) const {
  return activations == Activations::Signed ? int32_t(int8_t(a[index]))
                                            : int32_t(a[index]);
}

int64_t Int8Problem::accumulate(int64_t index) const {
  int64_t sum = 0;
  auto add = [&](int64_t ia, int64_t iw) {
    sum += int64_t(codeA(ia) - zpA) * w[iw];
  };
  if (isConv)
    forConvTerms(conv, index, add);
  else
    forMatmulTerms(matmul, index, add);
  return sum;
}

int32_t Int8Problem::expected(int64_t index, bool withBias) const {
  int64_t channel = index % channels();
  int64_t sum = accumulate(index) + (withBias ? bias[channel] : 0);
  double scale = double(scaleA) * scaleW[channel] / scaleOut;
  double code = std::nearbyint(double(sum) * scale) + zpOut;
  bool isUnsigned = isOutputUnsigned();
  return int32_t(
      std::clamp(code, isUnsigned ? 0.0 : -128.0, isUnsigned ? 255.0 : 127.0));
}

double Int8Problem::difference(const void *output, bool withBias) const {
  int32_t worst = 0;
  int64_t reduction = isConv ? conv.reduction() : matmul.k;
  forPlaces(numOutputs(), reduction, [&](int64_t i) {
    int32_t found = isOutputUnsigned()
                        ? int32_t(static_cast<const uint8_t *>(output)[i])
                        : int32_t(static_cast<const int8_t *>(output)[i]);
    worst = std::max(worst, std::abs(found - expected(i, withBias)));
  });
  return worst;
}

std::string AttentionShape::str() const {
  return std::to_string(heads) + "x" + product.str() +
         (isTransposed ? ", transposed" : "");
}

AttentionProblem::AttentionProblem(const AttentionShape &shape)
    : shape(shape), scaleA(0.02f), scaleW(0.03f), zpA(-3) {
  const MatmulShape &product = shape.product;
  Random random(5);
  a.resize(shape.heads * product.m * product.k);
  w.resize(shape.heads * product.k * product.n);
  for (std::vector<int8_t> *codes : {&a, &w})
    for (int8_t &code : *codes)
      code = int8_t(random() >> 24);
  double deviation = std::sqrt(double(product.k)) * 73.7 * 73.7;
  scaleOut = float(double(scaleA) * scaleW * deviation / 47.3);
}

double AttentionProblem::difference(const int8_t *output) const {
  auto [m, n, k] = shape.product;
  int32_t worst = 0;
  forPlaces(shape.heads * m * n, k, [&, m = m, n = n, k = k](int64_t index) {
    int64_t row = index / n, column = index % n, head = row / m, sum = 0;
    for (int64_t i = 0; i < k; ++i)
      sum += int64_t(a[row * k + i] - zpA) *
             w[shape.isTransposed ? (head * n + column) * k + i
                                  : (head * k + i) * n + column];
    double code =
        std::nearbyint(double(sum) * (double(scaleA) * scaleW / scaleOut));
    worst = std::max(worst, std::abs(int32_t(output[index]) -
                                     int32_t(std::clamp(code, -128.0, 127.0))));
  });
  return worst;
}

//===----------------------------------------------------------------------===//
// f32
//===----------------------------------------------------------------------===//

FloatProblem::FloatProblem(MatmulShape shape) : matmul(shape) {
  Random random(2);
  fillFloats(a, shape.m * shape.k, random, 1.0f);
  fillFloats(w, shape.k * shape.n, random, 0.1f);
  fillFloats(bias, shape.n, random, 1.0f);
}

FloatProblem::FloatProblem(ConvShape shape) : isConv(true), conv(shape) {
  Random random(2);
  fillFloats(a, shape.height * shape.width * shape.in, random, 1.0f);
  fillFloats(w, shape.reduction() * shape.out, random, 0.1f);
  fillFloats(bias, shape.out, random, 1.0f);
}

int64_t FloatProblem::numOutputs() const {
  return isConv ? conv.outHeight() * conv.outWidth() * conv.out
                : matmul.m * matmul.n;
}

double FloatProblem::expected(int64_t index, bool withBias) const {
  double sum = withBias ? double(bias[index % channels()]) : 0.0;
  auto add = [&](int64_t ia, int64_t iw) { sum += double(a[ia]) * w[iw]; };
  if (isConv)
    forConvTerms(conv, index, add);
  else
    forMatmulTerms(matmul, index, add);
  return sum;
}

/// |difference| / max|expected| over the places of an output.
static double
relativeDifference(const float *output, int64_t count, int64_t costOfOne,
                   const std::function<double(int64_t)> &expected) {
  double worst = 0, greatest = 0;
  forPlaces(count, costOfOne, [&](int64_t i) {
    double value = expected(i);
    double difference = std::abs(double(output[i]) - value);
    // A NaN is as wrong as can be.
    worst = std::max(worst, std::isnan(difference) ? INFINITY : difference);
    greatest = std::max(greatest, std::abs(value));
  });
  return greatest > 0 ? worst / greatest : worst;
}

double FloatProblem::difference(const float *output, bool withBias) const {
  return relativeDifference(output, numOutputs(),
                            isConv ? conv.reduction() : matmul.k,
                            [&](int64_t i) { return expected(i, withBias); });
}

//===----------------------------------------------------------------------===//
// Dynamic activations
//===----------------------------------------------------------------------===//

BlockProblem::BlockProblem(MatmulShape shape, int64_t block, bool hasZeroPoints)
    : shape(shape), block(block), hasZeroPoints(hasZeroPoints) {
  Random random(3);
  fillFloats(a, shape.m * shape.k, random, 1.0f);
  codes.resize(shape.k * shape.n);
  for (int8_t &code : codes)
    code = int8_t(int32_t(random() >> 28) - (hasZeroPoints ? 0 : 8));
  scales.resize(numBlocks() * shape.n);
  for (float &scale : scales)
    scale = 0.01f * float(between(random, 500, 1500)) / 1000.0f;
  if (hasZeroPoints) {
    zeroPoints.resize(scales.size());
    for (int8_t &zeroPoint : zeroPoints)
      zeroPoint = int8_t(between(random, 6, 9));
  }
}

double BlockProblem::difference(const float *output) const {
  return relativeDifference(
      output, shape.m * shape.n, shape.k, [&](int64_t index) {
        double sum = 0;
        int64_t n = shape.n, column = index % n;
        forMatmulTerms(shape, index, [&](int64_t ia, int64_t iw) {
          int64_t at = iw / n / block * n + column;
          int32_t code = codes[iw] - (hasZeroPoints ? zeroPoints[at] : 0);
          sum += double(a[ia]) * code * scales[at];
        });
        return sum;
      });
}

double BlockProblem::weightBytes() const {
  double weights = double(shape.k * shape.n) / 2;
  return weights + double(scales.size()) * 4 + double(zeroPoints.size()) / 2;
}

DynamicProblem::DynamicProblem(MatmulShape shape) : shape(shape) {
  Random random(4);
  fillFloats(a, shape.m * shape.k, random, 1.0f);
  w.resize(shape.k * shape.n);
  for (int8_t &value : w)
    value = int8_t(between(random, -127, 127));
  scaleW.resize(shape.n);
  for (float &value : scaleW)
    value = 0.003f * float(between(random, 700, 1300)) / 1000.0f;
}

double DynamicProblem::difference(const float *output) const {
  return relativeDifference(
      output, shape.m * shape.n, shape.k, [&](int64_t index) {
        double sum = 0;
        forMatmulTerms(shape, index, [&](int64_t ia, int64_t iw) {
          sum += double(a[ia]) * w[iw];
        });
        return sum * scaleW[index % shape.n];
      });
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

const char *quant_mlir::bench::getName(Activation activation) {
  switch (activation) {
  case Activation::HardSwish:
    return "hard-swish";
  case Activation::Sigmoid:
    return "sigmoid";
  case Activation::Gelu:
    return "GELU";
  }
  llvm_unreachable("unknown activation");
}

static double apply(Activation activation, double x) {
  switch (activation) {
  case Activation::HardSwish:
    return x * std::clamp(x + 3, 0.0, 6.0) / 6;
  case Activation::Sigmoid:
    return 1 / (1 + std::exp(-x));
  case Activation::Gelu:
    return 0.5 * x * (1 + std::erf(x * std::sqrt(0.5)));
  }
  llvm_unreachable("unknown activation");
}

ActivationProblem::ActivationProblem(Activation activation,
                                     std::vector<int64_t> shape)
    : activation(activation), shape(std::move(shape)), scaleA(0.05f),
      scaleOut(activation == Activation::Sigmoid ? 0x1p-8f : 0.026f), zpA(-3),
      zpOut(activation == Activation::Sigmoid ? -128 : -112) {
  Random random(8);
  int64_t count = 1;
  for (int64_t size : this->shape)
    count *= size;
  a.resize(count);
  for (int8_t &code : a)
    code = int8_t(random() >> 24);
}

double ActivationProblem::difference(const int8_t *output) const {
  int32_t worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    double value = apply(activation, double(a[i] - zpA) * scaleA);
    double code = std::nearbyint(value / scaleOut) + zpOut;
    worst = std::max(worst, std::abs(int32_t(output[i]) -
                                     int32_t(std::clamp(code, -128.0, 127.0))));
  }
  return worst;
}

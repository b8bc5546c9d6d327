//===- Tensor.h - Quantizing whole tensors by blocks ------------*- C++ -*-===//
//
// docs/numerics.md section 4 and the array forms of sections 2 and 3: a dense
// row-major tensor with one block size per dimension. Ragged last blocks have
// parameters of their own.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_TENSOR_H
#define QUANT_MLIR_NUMERICS_TENSOR_H

#include "quant-mlir/Numerics/Params.h"

#include <vector>

namespace quant_mlir::numerics {

/// A tensor's shape with one block size per dimension. A size of -1, or larger
/// than the dimension, means the whole dimension.
struct BlockGeometry {
  std::vector<int64_t> shape;
  std::vector<int64_t> blockSizes;

  BlockGeometry() = default;
  BlockGeometry(std::vector<int64_t> shape, std::vector<int64_t> blockSizes);

  /// Shape of scales, zero points and minvals: ceil(shape[i] / blockSizes[i]).
  std::vector<int64_t> paramShape() const;
  int64_t numElements() const;
  int64_t numUnits() const;
};

/// Elements of a float tensor in memory, row-major, of any expressed type.
struct FloatData {
  const void *data;
  ExpressedType type;
};

/// The first of the tensor's NaN or Inf elements and how many there are.
struct NonFinite {
  int64_t count = 0;
  int64_t firstIndex = -1; ///< linear index of the first
};
NonFinite findNonFinite(FloatData source, int64_t numElements);

/// What quantization did to the data, accumulated in binary64.
struct QuantError {
  double signalPower = 0;     ///< sum of x^2
  double noisePower = 0;      ///< sum of (x' - x)^2
  double maxAbsError = 0;     ///< max |x' - x|
  /// Elements for which the clamp changed the rounded code: what rounds to an end
  /// of the range in use by itself is not counted, and neither is NaN.
  int64_t clipped = 0;
  /// 10 log10(signal / noise); +infinity when exact.
  double sqnrDb() const;
};

/// Parameters of every unit, row-major over paramShape().
struct TensorParams {
  CodeFormat format;
  std::vector<float> scales;       ///< as stored, widened
  /// Inside the storage type's range; empty for symmetric signed, float, minval.
  std::vector<int32_t> zeroPoints;
  std::vector<float> minvals;      ///< empty unless minval
};

/// Why a tensor could not be quantized; `unit` is the linear index of the unit.
struct TensorError {
  ParamError error = ParamError::None;
  int64_t unit = -1;
  explicit operator bool() const { return error != ParamError::None; }
};

/// Range and parameters of every unit. The data must be finite. Zero points are
/// given for asymmetric zp, and for unsigned symmetric (the midpoint).
TensorError computeParams(const QuantSpec &spec, const BlockGeometry &geometry,
                          FloatData source, TensorParams &params);

/// One code per byte (sub-byte codes sign- or zero-extended to int8_t/uint8_t,
/// float codes as bit patterns), row-major, numElements() bytes. int32 storage
/// is not for tensors of weights and is refused by an assertion. `error`, where
/// given, is added to, measured against the source (which must then be finite)
/// in the same pass; the dequantized value is rounded to the source's type
/// first.
void quantizeTensor(const TensorParams &params, const BlockGeometry &geometry,
                    FloatData source, uint8_t *codes,
                    QuantError *error = nullptr);

/// computeParams and quantizeTensor in one: data are quantized while in cache
/// where units do not span the whole tensor. After an error `params`, `codes`
/// and `error` are incomplete.
TensorError quantizeTensor(const QuantSpec &spec, const BlockGeometry &geometry,
                           FloatData source, TensorParams &params,
                           uint8_t *codes, QuantError *error = nullptr);

/// The inverse: writes numElements() values of type `expressed` to `dest`.
void dequantizeTensor(const TensorParams &params, const BlockGeometry &geometry,
                      const uint8_t *codes, ExpressedType expressed,
                      void *dest);

/// Whether quantize(dequantize(q)) == q may be relied on for these parameters:
/// the rule of section 2, and that no code's value overflows the expressed type
/// or falls among its denormals. Section 2 takes that for granted, but a scale
/// written by hand, or float storage expressed in f16, need not satisfy it.
bool roundTripIsIdentity(const TensorParams &params, ExpressedType expressed);

//===----------------------------------------------------------------------===//
// Canonical packed layout: element i of width w in bits (i*w) mod 8 upwards of
// byte floor(i*w/8); tail bits are 0.
//===----------------------------------------------------------------------===//

/// Bytes that `numElements` codes of `width` bits (1, 2, 4 or 8) take.
int64_t packedSize(int64_t numElements, unsigned width);
/// `codes` holds one code per byte; bits above `width` are ignored.
void packCodes(const uint8_t *codes, int64_t numElements, unsigned width,
               uint8_t *packed);
/// One code per byte, sign-extended where `isSigned`.
void unpackCodes(const uint8_t *packed, int64_t numElements, unsigned width,
                 bool isSigned, uint8_t *codes);

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_TENSOR_H

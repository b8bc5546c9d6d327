//===- Params.h - From a range to scale, zero point and minval --*- C++ -*-===//
//
// docs/numerics.md sections 2 and 3: which requests are allowed, and how one
// unit's range becomes its parameters. All arithmetic is binary32, each
// operation rounded on its own.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_PARAMS_H
#define QUANT_MLIR_NUMERICS_PARAMS_H

#include "quant-mlir/Numerics/Types.h"

namespace quant_mlir::numerics {

/// A request for quantization, before any data has been seen.
struct QuantSpec {
  StorageType storage = StorageType::Int8;
  Scheme scheme = Scheme::Symmetric;
  Formulation formulation = Formulation::ZeroPoint;
  ScaleType scaleType = ScaleType::F32;
  /// Fixed ends of the float range; an absent end comes from the data.
  std::optional<float> floatLo;
  std::optional<float> floatHi;
};

/// The reason why the contract forbids `spec`, worded as "expected …, found …:
/// way out"; nullopt where it is allowed. Granularity is not looked at: see
/// `checkBlockSize`.
std::optional<std::string> checkSpec(const QuantSpec &spec);

/// The reason why `spec` cannot be used with this granularity: float4_e2m1fn
/// takes per_block with block size 32 only. `blockSize` is the size along the
/// reduction dimension as asked for, or nullopt when not per_block.
std::optional<std::string> checkBlockSize(const QuantSpec &spec,
                                          std::optional<int64_t> blockSize);

/// The range in use that `spec` asks for: narrow for symmetric_with_clipping
/// on signed integers, full otherwise.
CodeRange rangeInUse(const QuantSpec &spec);

/// Whether the parameters that `spec` asks for have a zero point that need not be
/// 0: asymmetric, or the midpoint of an unsigned type, with the zp formulation.
bool hasZeroPoint(const QuantSpec &spec);

/// Parameters of one unit (tensor, channel slice or block).
struct UnitParams {
  float scale = 1.0f;    ///< as stored, widened to binary32
  int32_t zeroPoint = 0; ///< zp formulation, integer storage
  float minval = 0.0f;   ///< minval formulation, as stored, widened
};

/// Why a range gave no parameters.
enum class ParamError : uint8_t {
  None,
  NonFiniteRange,  ///< min or max is NaN or infinite
  NonFiniteScale,  ///< the scale overflows its stored type
  NonFiniteMinval, ///< the minval overflows its stored type
};
std::string_view message(ParamError error);

/// Section 3 for one unit whose data span [min, max] (0 is included here; float
/// range ends of `spec` replace the data's). `spec` must have passed checkSpec.
/// Order: range, scale, at least 2^-23, rounding to the stored type, then zero
/// point or minval from the stored scale.
ParamError paramsFromRange(const QuantSpec &spec, float min, float max,
                           UnitParams &params);

//===----------------------------------------------------------------------===//
// Elementwise, section 2. Scalars: these define the meaning; Tensor.h has the
// array forms. A code is the sign- or zero-extended integer, or the bit pattern
// of a float storage type.
//===----------------------------------------------------------------------===//

/// How codes and values of one tensor correspond, but for the unit's numbers.
struct CodeFormat {
  StorageType storage = StorageType::Int8;
  Formulation formulation = Formulation::ZeroPoint;
  CodeRange range = {-128, 127}; ///< range in use
};

/// +-Inf saturates; NaN gives the code of 0.0.
int32_t quantize(float value, const CodeFormat &format,
                 const UnitParams &params);
/// In binary32; the caller rounds to the expressed type once.
float dequantize(int32_t code, const CodeFormat &format,
                 const UnitParams &params);

/// Whether quantize(dequantize(q)) == q for every q in the range in use
/// (section 2): not for minval in bf16; for bf16 with zp only where
/// |q - zero_point| <= 128 for every code. The scale is not looked at: with one
/// for which values overflow the expressed type or become denormal the property
/// fails; the overload for TensorParams in Tensor.h excludes these too.
bool roundTripIsIdentity(const CodeFormat &format, ExpressedType expressed,
                         int32_t minZeroPoint, int32_t maxZeroPoint);

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_PARAMS_H

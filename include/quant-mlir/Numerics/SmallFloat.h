//===- SmallFloat.h - Conversions to and from narrow floats -----*- C++ -*-===//
//
// Scalar conversions between binary32 and the bit patterns of f16, bf16,
// f8E4M3FN, f8E5M2, f4E2M1FN and E8M0, in integer arithmetic, rounding half to
// even. Independent of the compiler's and the processor's own conversions, and
// written the way the IR lowering writes them.
//
// Out of range: f16, bf16 and f8E5M2 overflow to infinity, f8E4M3FN to NaN,
// f4E2M1FN saturates (it has neither). The quantizer clamps first, so none of
// this is reached from it. A NaN gives the type's canonical NaN, f4E2M1FN +0.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_SMALLFLOAT_H
#define QUANT_MLIR_NUMERICS_SMALLFLOAT_H

#include "quant-mlir/Numerics/Types.h"

namespace quant_mlir::numerics {

uint16_t encodeF16(float value);
float decodeF16(uint16_t bits);
uint16_t encodeBF16(float value);
float decodeBF16(uint16_t bits);

uint8_t encodeF8E4M3FN(float value);
float decodeF8E4M3FN(uint8_t bits);
uint8_t encodeF8E5M2(float value);
float decodeF8E5M2(uint8_t bits);
/// The code is in the low four bits.
uint8_t encodeF4E2M1FN(float value);
float decodeF4E2M1FN(uint8_t bits);

/// 2^(bits-127); 255 is NaN.
float decodeE8M0(uint8_t bits);
/// Exact for powers of two in [2^-127, 2^127]; anything else rounds to the
/// nearest power of two in the exponent, half to even; NaN for NaN, 0, negative.
uint8_t encodeE8M0(float value);

/// Rounds `value` to the stored type (half to even) and widens it again.
float roundToScaleType(float value, ScaleType type);
float roundToExpressedType(float value, ExpressedType type);

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_SMALLFLOAT_H

//===- SmallFloatArith.h - Casts to and from narrow floats ------*- C++ -*-===//
//
// Builders for the conversions between binary32 and f8E4M3FN, f8E5M2, f4E2M1FN,
// f8E8M0FNU, f16 and bf16, the same arithmetic as Numerics/SmallFloat.h. One
// set for every target: arith's own casts to the fp8 and fp4 types do not
// legalize, round wrongly or lose -0, and a processor's bf16 conversion may
// flush denormals.
//
// Values are scalars or vectors. Codes travel as signless integers: i8
// (f4E2M1FN in the low four bits, the others 0), i16 for f16 and bf16.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_SMALLFLOATARITH_H
#define QUANT_MLIR_CONVERSION_UTILS_SMALLFLOATARITH_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Support/LLVM.h"

namespace mlir {
class Location;
class OpBuilder;
class Value;
} // namespace mlir

namespace quant_mlir {

/// Whether `buildEncode` and `buildDecode` know `type`.
bool isSmallFloat(mlir::Type type);

/// Whether `arith`'s own extf and truncf of `type` are not to be used: they do
/// not legalize or round wrongly for the types of at most eight bits.
bool needsOwnCasts(mlir::Type type);

/// Rounds a binary32 half to even to the bit pattern of `format`. Out of range:
/// f16, bf16 and f8E5M2 give infinity, f8E4M3FN NaN, f4E2M1FN its largest
/// value; NaN gives the canonical NaN, +0 for f4E2M1FN. f8E8M0FNU rounds to a
/// power of two; 0, negative values and NaN give its NaN.
mlir::Value buildEncode(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value, mlir::FloatType format);

/// The same where |value| is known to be at most the largest finite one of
/// `format` (f8E4M3FN, f8E5M2 or f4E2M1FN) and not NaN: shorter.
mlir::Value buildEncodeClamped(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value value, mlir::FloatType format);

/// The binary32 value of a bit pattern; exact.
mlir::Value buildDecode(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value code, mlir::FloatType format);

/// A bit pattern from `buildEncode` as a value of type `format`, and back.
mlir::Value buildFromCode(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Value code, mlir::FloatType format);
mlir::Value buildToCode(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value);

/// A float of any type up to 32 bits widened to binary32. Only f16 goes through
/// `arith.extf`: LLVM moves operations on a widened bf16 before the widening
/// and then calls a library function to narrow what it widened to do them.
mlir::Value buildWiden(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value value);
/// A binary32 rounded half to even to `type` (f32, f16, bf16 or a small float).
/// To f16 it is `arith.truncf`, an IEEE operation; to bf16 it is not, since
/// backends pick instructions that flush denormals (vcvtneps2bf16).
mlir::Value buildRound(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value value, mlir::FloatType type);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_SMALLFLOATARITH_H

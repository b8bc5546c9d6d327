//===- SmallFloatToArith.h - Casts of fp8, fp4 and E8M0 ---------*- C++ -*-===//

#ifndef QUANT_MLIR_CONVERSION_SMALLFLOATTOARITH_SMALLFLOATTOARITH_H
#define QUANT_MLIR_CONVERSION_SMALLFLOATTOARITH_SMALLFLOATTOARITH_H

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace quant_mlir {

/// Patterns that expand arith.extf and arith.truncf of scalars and vectors from
/// and to the floats of at most eight bits into integer arithmetic.
void populateSmallFloatToArithPatterns(mlir::RewritePatternSet &patterns);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_SMALLFLOATTOARITH_SMALLFLOATTOARITH_H

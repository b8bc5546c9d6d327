//===- QuantToLinalg.h - The reference lowering -----------------*- C++ -*-===//
//
// Lowers the operations of both levels to linalg and arith on tensors: those
// between values and codes, pack and unpack, and the integer form. What it
// produces defines the operations.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_QUANTTOLINALG_QUANTTOLINALG_H
#define QUANT_MLIR_CONVERSION_QUANTTOLINALG_QUANTTOLINALG_H

namespace mlir {
class OpPassManager;
class RewritePatternSet;
} // namespace mlir

namespace quant_mlir {

/// Patterns that lower each operation to one linalg.generic, a dynamic range to
/// two.
void populateQuantToLinalgPatterns(mlir::RewritePatternSet &patterns);

/// Patterns that lower the integer form: contractions, add, mul and pools, and
/// what packs for them. Packed codes become a quant.unpack, and packing a
/// quant.pack, for the patterns above.
void populateIntegerFormToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populateContractToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populateElementwiseToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populatePoolToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populatePackColumnsToLinalgPatterns(mlir::RewritePatternSet &patterns);

/// The lowering of quantize and dequantize, of dynamic ranges, and of pack and
/// unpack.
void populateQuantizeToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populateDynamicRangeToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populatePackToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populatePanelsToLinalgPatterns(mlir::RewritePatternSet &patterns);

/// Everything between levels 1 and plain linalg that can be bufferized, for a
/// pass manager on modules: `quant-to-linalg`, then `quant-widen-storage`, then
/// `quant-small-float-to-arith`. The arguments and results of functions that
/// are tensors of i4, i2, f8, f4 or E8M0 become tensors of i8, one
/// zero-extended bit pattern per byte.
/// Without `integerForm`, level 2 is left as it is.
void addReferenceLoweringPasses(mlir::OpPassManager &manager,
                                bool integerForm = true);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_QUANTTOLINALG_QUANTTOLINALG_H

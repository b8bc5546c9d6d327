//===- RangeArith.h - Parameters from a range as arith ----------*- C++ -*-===//
//
// docs/numerics.md section 3 at run time: one unit's range to its scale and zero
// point, for the reference lowering and for every target. Where
// numerics::paramsFromRange gives parameters, these are the same bit for bit.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_RANGEARITH_H
#define QUANT_MLIR_CONVERSION_UTILS_RANGEARITH_H

#include "quant-mlir/Numerics/Params.h"

#include "mlir/IR/Value.h"

namespace mlir {
class Location;
class OpBuilder;
} // namespace mlir

namespace quant_mlir {

/// What has to be known of a unit's elements for `spec`, in the order of the
/// values that the functions below take and give.
enum class RangeEnd {
  Low,     ///< min(0, min x)
  High,    ///< max(0, max x)
  Greatest ///< max |x|: where nothing else is asked of both ends
};
llvm::SmallVector<RangeEnd> getRangeEnds(const numerics::QuantSpec &spec);

/// `end` of what has been seen, binary32 and 0 at first, extended by `element`
/// (f32, f16 or bf16), which is left out where it is NaN or infinite.
mlir::Value buildExtendRange(mlir::OpBuilder &builder, mlir::Location loc,
                             RangeEnd end, mlir::Value seen,
                             mlir::Value element);

/// Parameters of one unit, or of a vector of them.
struct RangeParams {
  mlir::Value scale;     ///< of the type of the spec's scale
  mlir::Value zeroPoint; ///< i32; null where numerics::hasZeroPoint is false
};
/// `ends` are those of getRangeEnds(spec). A scale that overflows its type is the
/// largest value of that type.
RangeParams buildParamsFromRange(mlir::OpBuilder &builder, mlir::Location loc,
                                 const numerics::QuantSpec &spec,
                                 llvm::ArrayRef<mlir::Value> ends);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_RANGEARITH_H

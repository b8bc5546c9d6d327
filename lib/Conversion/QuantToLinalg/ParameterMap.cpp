//===- ParameterMap.cpp - From elements to units of parameters ------------===//

#include "ParameterMap.h"

#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace quant_mlir;

SmallVector<int64_t>
quant_mlir::getUnitSizes(GranularityAttrInterface granularity,
                         ArrayRef<int64_t> shape) {
  SmallVector<int64_t> sizes = *granularity.getBlockSizes(shape, [&] {
    return emitError(UnknownLoc::get(granularity.getContext()));
  });
  for (auto [size, dim] : llvm::zip_equal(sizes, shape))
    if (!ShapedType::isDynamic(dim) && size >= dim)
      size = -1;
  return sizes;
}

AffineMap quant_mlir::getParameterMap(GranularityAttrInterface granularity,
                                      ArrayRef<int64_t> shape) {
  MLIRContext *context = granularity.getContext();
  SmallVector<AffineExpr> exprs;
  if (!isa<PerTensorAttr>(granularity))
    for (auto [index, size] : llvm::enumerate(getUnitSizes(granularity, shape))) {
      AffineExpr expr = getAffineDimExpr(index, context);
      exprs.push_back(size == -1  ? getAffineConstantExpr(0, context)
                      : size == 1 ? expr
                                  : expr.floorDiv(size));
    }
  return AffineMap::get(shape.size(), 0, exprs, context);
}

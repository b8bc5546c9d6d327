//===- ContractBounds.cpp - How large sums of a contraction are -----------===//

#include "quant-mlir/Dialect/Quant/IR/ContractBounds.h"

#include "quant-mlir/Numerics/IntegerCompute.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

int64_t quant_mlir::getMaxAbsLhs(ContractOp op) {
  AffineAttr params = *op.getLhsParams();
  numerics::CodeRange range = params.getRange();
  if (op.getZeroPoint())
    return int64_t(range.max - range.min); // A zero point lies in the range.
  if (params.isDynamic())
    return numerics::maxAbsCode(range, 0);
  numerics::TensorParams values = params.getTensorParams();
  return numerics::maxAbsCode(
      range, values.zeroPoints.empty() ? 0 : values.zeroPoints.front());
}

int64_t quant_mlir::getMaxAbsRhs(ContractOp op) {
  AffineAttr params = op.getRhsParamsAttr();
  if (op.getRhsZeroPoint() || params.getZeroPoint() || params.getMinval())
    return params.getQuantMax() - params.getQuantMin();
  return numerics::maxAbsCode(params.getRange(), 0);
}

std::optional<int64_t> quant_mlir::getNumProducts(ContractOp op) {
  auto form = cast<IntegerFormOpInterface>(op.getOperation());
  std::optional<std::pair<unsigned, int64_t>> block = op.getReductionBlock();
  int64_t count = 1;
  for (auto [loop, size] : llvm::enumerate(form.getStaticLoopSizes())) {
    if (form.isParallelLoop(loop))
      continue;
    if (block && op.getRhsMap().getDimPosition(block->first) == loop)
      size = block->second;
    if (ShapedType::isDynamic(size) || llvm::MulOverflow(count, size, count))
      return std::nullopt;
  }
  return count;
}

int64_t quant_mlir::getMaxProducts(ContractOp op) {
  return numerics::maxReductionSize(getMaxAbsLhs(op), getMaxAbsRhs(op));
}

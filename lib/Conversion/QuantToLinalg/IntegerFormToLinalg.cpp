//===- IntegerFormToLinalg.cpp - What its lowerings share -----------------===//

#include "IntegerFormToLinalg.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;

Value quant_mlir::buildElementwise(
    OpBuilder &builder, Location loc, const GenericInputs &inputs, Value init,
    function_ref<Value(const ElementArith &, ValueRange)> body) {
  auto type = cast<RankedTensorType>(init.getType());
  SmallVector<AffineMap> maps(inputs.maps);
  maps.push_back(builder.getMultiDimIdentityMap(type.getRank()));
  auto generic = linalg::GenericOp::create(
      builder, loc, type, inputs.values, init, maps,
      SmallVector<utils::IteratorType>(type.getRank(),
                                       utils::IteratorType::parallel),
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        ElementArith arith(builder, loc, args.front());
        linalg::YieldOp::create(builder, loc, body(arith, args));
      });
  return generic.getResult(0);
}

Value quant_mlir::buildPadded(OpBuilder &builder, Location loc, Value input,
                              ArrayRef<int64_t> padding, Value value) {
  if (llvm::all_of(padding, [](int64_t size) { return size == 0; }))
    return input;
  SmallVector<OpFoldResult> low, high;
  for (size_t i = 0; i < padding.size(); i += 2) {
    low.push_back(builder.getIndexAttr(padding[i]));
    high.push_back(builder.getIndexAttr(padding[i + 1]));
  }
  return tensor::PadOp::create(builder, loc, /*resultType=*/Type(), input, low,
                               high, value);
}

LogicalResult quant_mlir::checkLowerable(Operation *op,
                                         PatternRewriter &rewriter) {
  if (op->getNumResults() == 0)
    return rewriter.notifyMatchFailure(op, "operands are buffers, not tensors");
  return success();
}

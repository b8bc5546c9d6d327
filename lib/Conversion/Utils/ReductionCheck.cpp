//===- ReductionCheck.cpp - Sums of a length that is not known ------------===//

#include "quant-mlir/Conversion/Utils/ReductionCheck.h"

#include "quant-mlir/Dialect/Quant/IR/ContractBounds.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace quant_mlir;

void quant_mlir::buildReductionCheck(OpBuilder &builder, ContractOp op) {
  if (!op.hasIntegerSum() || getNumProducts(op))
    return;
  Location loc = op.getLoc();
  auto form = cast<IntegerFormOpInterface>(op.getOperation());
  Value count = arith::ConstantIndexOp::create(builder, loc, 1);
  for (auto [loop, size] : llvm::enumerate(form.getLoopSizes(builder, loc)))
    if (!form.isParallelLoop(loop))
      count = arith::MulIOp::create(
          builder, loc, count,
          getValueOrCreateConstantIndexOp(builder, loc, size));
  int64_t most = getMaxProducts(op);
  Value fits =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, count,
                            arith::ConstantIndexOp::create(builder, loc, most));
  cf::AssertOp::create(
      builder, loc, fits,
      ("a sum of products of codes is too long: expected at "
       "most " +
       Twine(most) +
       " of them, which an int32 holds; leave the operation in "
       "floating point for more")
          .str());
}

//===- ReductionCheck.cpp - Sums of a length that is not known ------------===//

#include "quant-mlir/Conversion/Utils/ReductionCheck.h"

#include "quant-mlir/Dialect/Quant/IR/ContractBounds.h"
#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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

void quant_mlir::buildSizeCheck(OpBuilder &builder, ContractOp op) {
  struct Place {
    unsigned operand, dim;
    OpFoldResult size;
  };
  Location loc = op.getLoc();
  auto form = cast<IntegerFormOpInterface>(op.getOperation());
  SmallVector<std::optional<Place>> first(form.getStaticLoopSizes().size());
  for (auto [number, operand, map] :
       llvm::enumerate(form.getMappedOperands(), form.getOperandMaps())) {
    Value source = operand->get();
    if (op.getLayout() && operand == &op.getRhsMutable()) {
      // Packed weights are constants, and other codes have their sizes.
      auto pack = source.getDefiningOp<PackColumnsOp>();
      if (!pack)
        continue;
      source = pack.getInput();
    }
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        continue;
      Place place{unsigned(number), unsigned(dim),
                  tensor::getMixedSize(builder, loc, source, dim)};
      std::optional<Place> &other = first[loop.getPosition()];
      if (!other) {
        other = place;
        continue;
      }
      if (getConstantIntValue(other->size) && getConstantIntValue(place.size))
        continue;
      Value fits = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::eq,
          getValueOrCreateConstantIndexOp(builder, loc, other->size),
          getValueOrCreateConstantIndexOp(builder, loc, place.size));
      std::string message;
      llvm::raw_string_ostream(message)
          << "dimension #" << dim << " of operand #" << number
          << " has another size than dimension #" << other->dim
          << " of operand #" << other->operand << ", at " << loc;
      cf::AssertOp::create(builder, loc, fits, message);
    }
  }
}

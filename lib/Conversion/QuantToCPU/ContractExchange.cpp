//===- ContractExchange.cpp - Results whose columns are rows --------------===//
//
// Where elements of the result follow each other along a loop of lhs (NCHW),
// rhs gives the rows of the kernel, and lhs its columns:
//
//   y[k, (h, w)] = sum(w[k, (c, i, j)] * x[(c, i, j), (h, w)])
//
// Constant rhs is packed with one column in a panel, so that the codes of a row
// follow each other; positions of lhs become panels as those of any computed
// side do (ContractPanels.cpp). Multipliers, biases and corrections belong to
// rows.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

std::string quant_mlir::findNoExchangeReason(ContractOp op,
                                             const ContractLoops &loops) {
  if (op.isDynamic())
    return "columns do not follow each other in the result, and the scale of "
           "its left-hand side is known at run time only";
  if (op.getReductionBlock() || op.getRhsParams()->getMinval())
    return "columns do not follow each other in the result, and its right-hand "
           "side has blocks along a reduction, or minval";
  for (ArrayRef<unsigned> known :
       {ArrayRef(loops.columns), ArrayRef(loops.reduction),
        ArrayRef(loops.batch)})
    if (ShapedType::isDynamic(loops.getSize(known)))
      return "the size of a column, reduction or batch is not known";
  for (unsigned loop : loops.rows) {
    if (loops.sizes[loop] == 1)
      continue;
    if (ShapedType::isDynamic(loops.sizes[loop]) && loops.initStrides[loop] &&
        loop != loops.rows.front())
      return "the size of a row is not known";
    if (!loops.biasStrides.empty() && loops.biasStrides[loop] != 0)
      return "the bias is not the same for all rows";
    if (!loops.residualStrides.empty() &&
        loops.residualStrides[loop] != loops.initStrides[loop])
      return "the residual does not lie as the result does";
  }
  return "";
}

void ContractKernel::exchangeSides() {
  LayoutAttr layout = *op.getLayout();
  // Rows as quant-pack-weights orders columns.
  SmallVector<unsigned> rows = getRhsLoops(op, layout.getColumns());
  for (LoopRole &role : loops.roles)
    role = role == LoopRole::Row      ? LoopRole::Column
           : role == LoopRole::Column ? LoopRole::Row
                                      : role;
  // Channels are batches here, of one row each.
  loops.isDepthwise = false;
  loops.columns = loops.rows;
  loops.rows = rows;
  loops.batch = getRhsLoops(op, layout.getBatch());
  loops.reductionByStride = getRhsLoops(op, layout.getReduction());
  loops.lhsRun = loops.reduction.size();

  source = lhs;
  lhs = kernel.flatten(
      op.getRhs(), AffineMap::get(op.getNumLoops(), 0,
                                  getAffineConstantExpr(0, op.getContext())));
  // From the innermost row out: the codes of a row, filled up to groups.
  int64_t stride = llvm::alignTo(reductionSize, layout.getGroup());
  for (ArrayRef<unsigned> from : {ArrayRef(loops.rows), ArrayRef(loops.batch)})
    for (unsigned loop : llvm::reverse(from)) {
      lhs.strides[loop] = attr(stride);
      stride *= loops.sizes[loop];
    }
  // Inside a row codes follow each other.
  llvm::fill(loops.lhsStrides, 0);
  stride = 1;
  for (unsigned loop : llvm::reverse(loops.reductionByStride)) {
    lhs.strides[loop] = attr(stride);
    loops.lhsStrides[loop] = stride;
    stride *= loops.sizes[loop];
  }
  rowTotals = kernel.flatten(
      op.getSums(),
      AffineMap::get(op.getNumLoops(), 0,
                     SmallVector<AffineExpr>(
                         cast<MemRefType>(op.getSums().getType()).getRank(),
                         getAffineConstantExpr(0, op.getContext())),
                     op.getContext()));
  planPanels();
}

void ContractKernel::addRowConstants(Row &row, ArrayRef<Value> at,
                                     OpFoldResult number) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  // Numbered through all batches.
  OpFoldResult batch = attr(0);
  for (unsigned loop : loops.batch)
    batch = kernel.add(kernel.mul(batch, attr(loops.sizes[loop])),
                       at[loop] ? OpFoldResult(at[loop]) : attr(0));
  Value index = kernel.index(
      kernel.add(kernel.mul(batch, attr(loops.getSize(loops.rows))), number));
  auto load = [&](const ColumnConstants &constants) -> Value {
    if (!constants.global)
      return constants.element.isInteger()
                 ? constantI32(int64_t(constants.values.front()))
                 : Value(arith::ConstantOp::create(
                       builder, loc,
                       builder.getF32FloatAttr(constants.values.front())));
    return memref::LoadOp::create(builder, loc, constants.global, index);
  };
  row.multiplier = load(multiplier);
  if (!rhsOffset.isZero())
    row.rhsOffset = load(rhsOffset);

  // acc = sum(w x) + bias - zx sum(w - zw) - (zw + offset) sum(x), where w has
  // been moved as it is stored, and x as it is packed.
  Value start = constantI32(0);
  int64_t zeroPoint = getTensorZeroPoint(*op.getLhsParams()) + rhsMoved;
  if (zeroPoint != 0) {
    Value sum = memref::LoadOp::create(builder, loc, rowTotals.base, index);
    if (!rhsZero.isZero())
      sum = arith::SubIOp::create(
          builder, loc, sum,
          arith::MulIOp::create(builder, loc, load(rhsZero),
                                constantI32(reductionSize)));
    start = arith::MulIOp::create(builder, loc, sum, constantI32(-zeroPoint));
  }
  if (bias.base) {
    // `at` has rows that are one loop at their first one.
    Values place(at);
    if (rowLoops.size() == 1)
      place[rowLoops.front().loop] = kernel.index(number);
    Value added = memref::LoadOp::create(builder, loc, bias.base,
                                         kernel.address(bias, place));
    if (bias.element.isInteger())
      start = arith::AddIOp::create(builder, loc, start, added);
    else
      row.bias = buildResultBias(ElementArith(builder, loc, added), added, op);
  }
  row.start = start;
}

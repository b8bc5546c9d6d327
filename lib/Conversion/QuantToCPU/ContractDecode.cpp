//===- ContractDecode.cpp - Weights of a sum of values --------------------===//
//
// Weights that are multiplied with values become f32 in registers, once for all
// rows of a tile: values are widened, codes decoded by the formulas of
// docs/numerics.md section 2, operation by operation, so that every product is
// that of the reference lowering. Only the order of sums is another.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

void ContractKernel::loadDecoding(Panel &panel, OpFoldResult block) {
  if (op.hasFloatRhs())
    return;
  for (int64_t reg = 0; reg < panel.getRegisters(dot.getLanes()); ++reg) {
    OpFoldResult at = getConstantsAt(panel, block, reg);
    panel.multiplier.push_back(loadConstants(multiplier, at));
    if (!rhsOffset.isZero())
      panel.rhsOffset.push_back(loadConstants(rhsOffset, at));
    if (!minval.values.empty())
      panel.minval.push_back(loadConstants(minval, at));
  }
}

/// (w - zw) * sw, or (w - quant_min) * sw + minval
Value ContractKernel::decodeRhs(const Panel &panel, int64_t reg, Value stored) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Type element = op.getRhsCodesType().getElementType();
  if (op.hasFloatRhs()) {
    auto type = VectorType::get({dot.getLanes()}, element);
    return buildWiden(builder, loc,
                      vector::BitCastOp::create(builder, loc, type, stored));
  }
  ElementArith arith = this->arith(stored);
  Value value;
  if (auto type = dyn_cast<FloatType>(element)) {
    value = buildDecode(builder, loc, stored, type);
  } else {
    // Bytes are stored signed, shorter codes unsigned.
    value = width < 8 ? arith.cast<arith::ExtUIOp>(arith.intType(32), stored)
                      : arith.cast<arith::ExtSIOp>(arith.intType(32), stored);
    if (!panel.rhsOffset.empty())
      value = arith.sub(value, panel.rhsOffset[reg]);
    value = arith.cast<arith::SIToFPOp>(arith.f32(), value);
  }
  value = arith.mulf(value, panel.multiplier[reg]);
  if (!panel.minval.empty())
    value = arith.addf(value, panel.minval[reg]);
  return value;
}

ContractKernel::Values ContractKernel::addDecodedBlock(ArrayRef<Row> rows,
                                                       const Panel &panel,
                                                       OpFoldResult number,
                                                       int64_t size,
                                                       Values totals) {
  Panel block(panel);
  loadDecoding(block, number);
  return addBlockCodes(rows, block, number, size, totals);
}

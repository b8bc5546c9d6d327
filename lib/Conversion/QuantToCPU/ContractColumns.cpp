//===- ContractColumns.cpp - Numbers of a kernel's columns ----------------===//
//
// Multipliers, zero points and biases of columns: constants in the order of
// panels, or operands; and what of them a panel holds in registers.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Numerics/IntegerCompute.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

void ContractKernel::analyzeColumns() {
  AffineAttr params = op.getRhsParamsAttr();
  if (!params)
    return;
  if (op.isRhsDynamic()) {
    OpBuilder &builder = kernel.builder;
    multiplier = {{1.0f}, builder.getF32Type(), Value(), true};
    bool isOperand(op.getRhsZeroPoint());
    rhsZero = {{0.0f}, builder.getI32Type(), Value(), isOperand};
    rhsOffset = {{float(rhsMoved)}, builder.getI32Type(), Value(), isOperand};
    return;
  }
  bool isPerTensor = isa<PerTensorAttr>(params.getGranularity());
  RhsUnits units(op);
  // Units in the order of panels: batches, then columns, then what a panel has
  // beyond them.
  auto unitsOf = [&](ArrayRef<unsigned> loops) {
    SmallVector<int64_t> dims;
    for (unsigned loop : loops)
      dims.push_back(*op.getRhsMap().getResultPosition(
          getAffineDimExpr(loop, op.getContext())));
    return units.along(dims);
  };
  ArrayRef<unsigned> around(batchLoops), inside(columnLoops);
  int64_t columns = this->columns, columnStep = this->columnStep,
          panelColumns = this->panelColumns, numPanels = this->numPanels;
  if (isExchanged) {
    // One number after the other.
    around = loops.batch;
    inside = loops.rows;
    columns = columnStep = panelColumns = loops.getSize(inside);
    numPanels = 1;
  }
  std::vector<int64_t> batches{0}, inBatch{0};
  if (isPerTensor) {
    columns = columnStep = panelColumns = numPanels = 1;
  } else {
    batches = unitsOf(around);
    inBatch = unitsOf(inside);
  }
  int64_t blockStride =
      hasBlocks ? units.getStride(op.getReductionBlock()->first) : 0;
  OpBuilder &builder = kernel.builder;
  auto collect = [&](Type element, llvm::function_ref<float(int64_t)> get) {
    ColumnConstants constants;
    constants.element = element;
    for (int64_t batch : batches)
      for (int64_t panel = 0; panel < numPanels; ++panel)
        for (int64_t block = 0; block < numBlocks; ++block)
          for (int64_t i = 0; i < panelColumns; ++i) {
            int64_t column = panel * columnStep + i;
            bool exists = i < columnStep && column < columns;
            constants.values.push_back(
                exists ? get(batch + block * blockStride + inBatch[column])
                       : 0);
          }
    // Columns that do not exist have any number.
    float first = get(0);
    bool isOne = llvm::all_of(batches, [&](int64_t batch) {
      return llvm::all_of(inBatch, [&](int64_t column) {
        for (int64_t block = 0; block < numBlocks; ++block)
          if (get(batch + block * blockStride + column) != first)
            return false;
        return true;
      });
    });
    if (isOne)
      constants.values.assign(1, first);
    return constants;
  };
  // As it is stored where it is not multiplied first: fewer bytes to read.
  auto typeOf = [&](ElementsAttr values) -> Type {
    if ((op.isDynamic() || isOfValues) && values)
      if (Type type = values.getElementType(); type.isF16() || type.isBF16())
        return type;
    return builder.getF32Type();
  };

  multiplier = collect(typeOf(params.getScale()),
                       [&](int64_t unit) { return units.getMultiplier(unit); });
  if (units.hasMinval())
    minval = collect(typeOf(params.getMinval()),
                     [&](int64_t unit) { return units.getMinval(unit); });
  Type integer = builder.getIntegerType(width < 8 ? 8 : 32);
  int64_t moved = isExchanged ? op.getLayout()->getOffset() : rhsMoved;
  rhsZero =
      collect(integer, [&](int64_t unit) { return units.getZeroPoint(unit); });
  rhsOffset = collect(
      integer, [&](int64_t unit) { return units.getZeroPoint(unit) + moved; });
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

Value ContractKernel::loadBias(Panel &panel, OpFoldResult at, int64_t reg) {
  Value biases = loadColumns(bias, kernel.index(at), panel, reg);
  if (bias.element.isInteger())
    return biases;
  panel.bias.push_back(buildResultBias(this->arith(biases), biases, op));
  return {};
}

Value ContractKernel::loadRhsNumbers(ArrayRef<Value> ivs,
                                     const FlatOperand &operand,
                                     const Panel &panel, int64_t reg) {
  OpBuilder &builder = kernel.builder;
  Value address = kernel.address(operand, ivs), numbers;
  bool isOne = llvm::all_of(
      columnLoops, [&](unsigned loop) { return operand.getStride(loop) == 0; });
  if (isOne)
    numbers = splat(memref::LoadOp::create(builder, kernel.loc, operand.base,
                                           ValueRange(address)));
  else
    numbers = loadColumns(
        operand,
        kernel.index(kernel.add(kernel.add(address, panel.firstColumn),
                                attr(reg * dot.getLanes()))),
        panel, reg);
  ElementArith arith = this->arith(numbers);
  if (operand.element.isInteger())
    return rhsMoved == 0 ? numbers : arith.add(numbers, rhsMoved);
  return operand.element.isF32()
             ? numbers
             : arith.cast<arith::ExtFOp>(arith.f32(), numbers);
}

ContractKernel::Panel ContractKernel::placePanel(Value batch, Value index,
                                                 int64_t columns, Value valid,
                                                 OpFoldResult place) {
  Panel panel;
  panel.columns = columns;
  panel.count = valid;
  panel.index = index;
  panel.number = kernel.add(kernel.mul(batch, attr(numPanels)), index);
  OpFoldResult first = kernel.mul(index, attr(columnStep));
  panel.firstColumn = kernel.index(first);
  panel.rhs = kernel.index(
      kernel.mul(ownsPanel() ? place : panel.number, attr(panelBytes)));
  // Sums and biases have as many columns as there are, constants as panels.
  panel.sums = packsPanels
                   ? kernel.mul(place, attr(panelColumns))
                   : kernel.add(kernel.mul(batch, attr(this->columns)), first);
  panel.constants = kernel.mul(panel.number, attr(numBlocks * panelColumns));
  return panel;
}

void ContractKernel::fillPanel(ArrayRef<Value> ivs, const Panel &panel) {
  packsPanels ? packPanel(ivs, panel) : unpackPanel(panel);
}

void ContractKernel::loadPanel(Values &ivs, Panel &panel) {
  int64_t lanes = dot.getLanes();
  OpFoldResult biasAt;
  if (bias.base)
    biasAt = kernel.add(kernel.address(bias, ivs), panel.firstColumn);

  for (int64_t reg = 0; isExchanged && reg < panel.getRegisters(lanes); ++reg)
    if (needsColumnSums)
      panel.columnSums.push_back(kernel.load(
          sums, kernel.index(kernel.add(panel.sums, attr(reg * lanes))),
          lanes));
  for (int64_t reg = 0; !isExchanged && reg < panel.getRegisters(lanes);
       ++reg) {
    auto at = [&](OpFoldResult base) {
      return kernel.index(kernel.add(base, attr(reg * lanes)));
    };
    Value biases;
    if (bias.base)
      biases = loadBias(panel, at(biasAt), reg);
    if (hasBlocks || isOfValues)
      continue;
    // acc = sum(x w) - zx sum(w - zw) - (zw + offset) sum(x), where x has been
    // moved as the instruction does, and w as it is stored.
    OpFoldResult constantsAt = at(panel.constants);
    Value start = biases ? biases : splat(constantI32(0));
    Value offset;
    if (rhsZeroPoint.base)
      offset = loadRhsNumbers(ivs, rhsZeroPoint, panel, reg);
    if (op.getWide())
      start = arith(start).extend(start, kernel.builder.getI64Type());
    if (needsColumnSums) {
      Value sum = loadColumns(sums, at(panel.sums), panel, reg);
      // Panels that are packed here are summed as they are stored.
      const ColumnConstants &zero = packsPanels ? rhsOffset : rhsZero;
      if (!zero.isZero())
        sum =
            subtractProduct(sum, buildReductionSize(),
                            offset ? offset : loadConstants(zero, constantsAt));
      if (op.getZeroPoint())
        panel.columnSums.push_back(sum);
      else
        start = subtractProduct(start, constantI32(lhsZero), sum);
    }
    panel.start.push_back(start);
    panel.multiplier.push_back(rhsScale.base
                                   ? loadRhsNumbers(ivs, rhsScale, panel, reg)
                                   : loadConstants(multiplier, constantsAt));
    if (!rhsOffset.isZero())
      panel.rhsOffset.push_back(offset ? offset
                                       : loadConstants(rhsOffset, constantsAt));
    if (!minval.values.empty())
      panel.minval.push_back(loadConstants(minval, constantsAt));
  }
  if (isOfValues && !hasBlocks)
    loadDecoding(panel, attr(0));
}

void ContractKernel::buildPanel(Values &ivs, Value batch, Value index,
                                int64_t columns, Value firstRow,
                                OpFoldResult count, Value valid) {
  Panel panel = placePanel(batch, index, columns, valid, attr(0));
  if (ownsPanel())
    fillPanel(ivs, panel);
  loadPanel(ivs, panel);
  buildRows(ivs, panel, firstRow, count);
}

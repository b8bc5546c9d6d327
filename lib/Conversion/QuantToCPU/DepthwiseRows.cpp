//===- DepthwiseRows.cpp - Rows and pixels of a depthwise kernel ----------===//
//
// Where the window's rows are, and the columns that pass along a row of the
// result.
//
//===----------------------------------------------------------------------===//

#include "DepthwiseKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <set>

using namespace mlir;
using namespace quant_mlir;

SmallVector<DepthwiseKernel::WindowRow>
DepthwiseKernel::buildWindowRows(ArrayRef<Value> ivs) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Value first = kernel.address(lhs, ivs);
  OpFoldResult step =
      window.pixelLoop ? lhs.strides[*window.pixelLoop] : attr(0);
  ArrayRef<int64_t> low = op.getInputPadding();
  SmallVector<WindowRow> rows;
  for (int64_t tap = 0; tap < tapsPerColumn; ++tap) {
    // The tap's place in each loop of a column.
    SmallVector<int64_t> place(sizes.size(), 0);
    int64_t rest = tap, offset = 0;
    for (unsigned loop : llvm::reverse(window.rowLoops)) {
      place[loop] = rest % loops.sizes[loop];
      rest /= loops.sizes[loop];
      offset += place[loop] * loops.lhsStrides[loop].value_or(0);
    }
    WindowRow row{lhs.base, at(first, offset), step};
    Value exists;
    for (unsigned dim : window.paddedDims) {
      LinearExpr linear =
          *getLinearExpr(op.getLhsMap().getResult(dim), sizes.size());
      OpFoldResult position = attr(linear.constant - low[2 * dim]);
      for (auto [loop, factor] : llvm::enumerate(linear.factors)) {
        position = kernel.add(position, attr(place[loop] * factor));
        if (ivs[loop] && factor != 0)
          position = kernel.add(position, kernel.mul(ivs[loop], attr(factor)));
      }
      // What is less than 0 is large without a sign.
      Value isInside = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::ult, kernel.index(position),
          kernel.index(memref::getMixedSize(builder, loc, op.getLhs(), dim)));
      exists =
          exists ? Value(arith::AndIOp::create(builder, loc, exists, isInside))
                 : isInside;
    }
    if (exists) {
      auto select = [&](Value inside, Value outside) -> Value {
        return arith::SelectOp::create(builder, loc, exists, inside, outside);
      };
      row.base = select(row.base, padding.base);
      row.index = select(row.index, kernel.index(0));
      row.step = select(kernel.index(row.step), kernel.index(0));
    }
    rows.push_back(row);
  }
  return rows;
}

bool DepthwiseKernel::isPadding(int64_t pixel, int64_t column) {
  if (!window.columnDim)
    return false;
  unsigned dim = *window.columnDim;
  LinearExpr linear =
      *getLinearExpr(op.getLhsMap().getResult(dim), loops.sizes.size());
  int64_t position = linear.constant - op.getInputPadding()[2 * dim] +
                     pixel * linear.factors[*window.pixelLoop] +
                     column * linear.factors[*window.columnLoop];
  return position < 0 ||
         position >= cast<ShapedType>(op.getLhs().getType()).getDimSize(dim);
}

DepthwiseKernel::Values DepthwiseKernel::loadColumn(const Channels &channels,
                                                    ArrayRef<WindowRow> rows,
                                                    Value pixel,
                                                    int64_t offset) {
  Values taps;
  for (const WindowRow &row : rows) {
    OpFoldResult index = kernel.add(row.index, kernel.mul(pixel, row.step));
    taps.push_back(loadPart({row.base, lhs.element, {}, attr(0)},
                            at(kernel.index(index), offset), channels.count(),
                            channels.valid));
  }
  return interleave(channels, taps);
}

void DepthwiseKernel::buildPixel(const Channels &channels,
                                 ArrayRef<WindowRow> rows,
                                 const RowTargets &targets, Value base,
                                 int64_t behind, std::optional<int64_t> number,
                                 Columns &columns) {
  PixelSums sums;
  sums.products = channels.starts;
  if (needsCodeSums)
    sums.codes.assign(channels.registers,
                      arith::ConstantOp::create(
                          kernel.builder, kernel.loc,
                          kernel.builder.getZeroAttr(
                              channels.dot.getSumType(kernel.builder))));
  int64_t perColumn = groups * channels.registers;
  for (int64_t j = 0; j < window.numColumns; ++j) {
    Values codes = channels.padding;
    if (!number || !isPadding(*number, j)) {
      int64_t offset = behind * pixelStep.value_or(0) + j * columnStep;
      Values &column = columns[offset];
      if (column.empty())
        column = loadColumn(channels, rows, base, offset);
      codes = column;
    }
    for (int64_t place = 0; place < perColumn; ++place) {
      int64_t reg = place % channels.registers;
      Value &sum = sums.products[reg];
      sum = channels.dot.build(kernel, sum, codes[place],
                               channels.weights[j * perColumn + place]);
      if (needsCodeSums)
        sums.codes[reg] =
            channels.dot.build(kernel, sums.codes[reg], codes[place],
                               buildOnes(channels, place / channels.registers));
    }
  }
  OpFoldResult pixel = kernel.add(base, attr(behind));
  auto place = [&](const FlatOperand &operand, Value row) -> Value {
    if (!operand.base || !window.pixelLoop)
      return row;
    return kernel.index(
        kernel.add(row, kernel.mul(pixel, operand.strides[*window.pixelLoop])));
  };
  finishPixel(channels, sums, place(init, targets.init),
              place(residual, targets.residual));
}

int64_t DepthwiseKernel::getNumSteps() const {
  return (window.endWhole - window.firstWhole) / stepPixels;
}

/// Pixels of a row whose number is known: the left edge, whole steps, what is
/// left and the right edge. Columns that a step leaves to the next are carried.
void DepthwiseKernel::buildRow(ArrayRef<Value> ivs, const Channels &channels) {
  SmallVector<WindowRow> rows = buildWindowRows(ivs);
  RowTargets targets{kernel.address(init, ivs), Value()};
  if (residual.base)
    targets.residual = kernel.address(residual, ivs);
  OpFoldResult size = window.pixelLoop ? sizes[*window.pixelLoop] : attr(1);
  std::optional<int64_t> known = getConstantIntValue(size);
  if (!known)
    return kernel.forLoop(size, [&](Value pixel) {
      Columns columns;
      buildPixel(channels, rows, targets, pixel, 0, std::nullopt, columns);
    });

  auto straight = [&](int64_t base, int64_t from, int64_t to,
                      Columns &columns) {
    for (int64_t pixel = from; pixel < to; ++pixel) {
      // Distances that are not known are not part of a column's number.
      bool isApart = !pixelStep;
      if (isApart)
        columns.clear();
      buildPixel(channels, rows, targets, kernel.index(isApart ? pixel : base),
                 isApart ? 0 : pixel - base, pixel, columns);
    }
  };
  Columns columns;
  int64_t steps = getNumSteps(), first = window.firstWhole;
  if (steps < 2)
    return straight(0, 0, *known, columns);
  straight(0, 0, first, columns);

  // Columns of a step that are columns of the next, by their place there.
  SmallVector<int64_t> carried;
  if (pixelStep) {
    std::set<int64_t> offsets;
    for (int64_t pixel = 0; pixel < stepPixels; ++pixel)
      for (int64_t j = 0; j < window.numColumns; ++j)
        offsets.insert(pixel * *pixelStep + j * columnStep);
    for (int64_t offset : offsets)
      if (offsets.count(offset - stepPixels * *pixelStep))
        carried.push_back(offset - stepPixels * *pixelStep);
  }
  Values inits;
  for (int64_t offset : carried) {
    Values &column = columns[first * *pixelStep + offset];
    if (column.empty())
      column = loadColumn(channels, rows, kernel.index(0),
                          first * *pixelStep + offset);
    inits.append(column);
  }
  auto unflatten = [&](ValueRange values) {
    Columns result;
    int64_t each = carried.empty() ? 0 : values.size() / carried.size();
    for (auto [i, offset] : llvm::enumerate(carried))
      result[offset] = Values(values.slice(i * each, each));
    return result;
  };
  Values results =
      kernel.forCarry(attr(0), attr(steps), inits,
                      [&](Value step, ValueRange values) -> Values {
                        Columns inStep = unflatten(values);
                        Value base = kernel.index(kernel.add(
                            kernel.mul(step, attr(stepPixels)), attr(first)));
                        for (int64_t pixel = 0; pixel < stepPixels; ++pixel)
                          buildPixel(channels, rows, targets, base, pixel,
                                     std::nullopt, inStep);
                        Values next;
                        for (int64_t offset : carried)
                          next.append(inStep[offset + stepPixels * *pixelStep]);
                        return next;
                      });
  columns = unflatten(results);
  int64_t done = first + steps * stepPixels;
  straight(done, done, *known, columns);
}

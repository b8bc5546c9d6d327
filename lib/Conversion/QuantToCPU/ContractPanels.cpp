//===- ContractPanels.cpp - Panels of a rhs that is not packed ------------===//
//
// Products of two activations: what quant-pack-weights does for constants, at
// run time. A panel is packed when it is needed, or as many as tiles of rows
// meet together, and its columns are summed on the way:
//
//   - where the codes of a column follow each other (Q * K^T), squares of
//     groups and columns are transposed in registers;
//   - otherwise a line of codes for each element of the reduction is loaded
//     (P * V), or copied together from pieces (columns of several loops), and
//     the lines of a group are interleaved.
//
// Positions without a code hold 0, as those of a constant do. Columns that do
// not exist hold anything. Of values a group is one element, and what is stored
// is what rhs holds: it is widened when it is multiplied.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

/// Bytes of a panel: on the stack, also on that of a thread.
static constexpr int64_t maxPanel = 512 << 10;

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

void ContractKernel::planPanels() {
  packsPanels = true;
  std::optional<AffineAttr> params =
      isExchanged ? op.getLhsParams() : op.getRhsParams();
  bool isInteger = params && numerics::isInteger(params->getStorage());
  bool isSigned = isInteger && numerics::isSignedInteger(params->getStorage());
  if (!isExchanged)
    source = kernel.flatten(op.getRhs(), op.getRhsMap());
  batchLoops.assign(loops.batch.begin(), loops.batch.end());
  columnLoops = orderColumns(loops);
  // Signed, or unsigned where that leaves codes of rows as they are. Tiles are
  // of either.
  if (usesTiles)
    rhsMoved = 0;
  else if (isExchanged && target.isDotLhsUnsigned())
    rhsMoved = isSigned ? 128 : 0;
  else
    rhsMoved = isSigned || !isInteger ? 0 : -128;

  // A panel has as many columns as fit, of the innermost loop, or whole rows of
  // it where rows are short. What is outside of that counts as batches.
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  width = source.element.getIntOrFloatBitWidth();
  int64_t bytes = width / 8;
  int64_t most = std::clamp<int64_t>(
      maxPanel /
          (llvm::alignTo(std::max<int64_t>(reductionSize, 1), group) * bytes),
      lanes, usesTiles ? target.getTwoTileColumns() : target.getTileColumns());
  SmallVector<MergedLoop> merged =
      kernel.mergeLoops(columnLoops, sizes, {&init, &source});
  if (merged.empty())
    merged.push_back({0, attr(1)});
  // 0 where it is not known.
  auto sizeOf = [](const MergedLoop &loop) {
    return getConstantIntValue(loop.size).value_or(0);
  };
  int64_t inner = sizeOf(merged.back());
  bool hasRows = merged.size() > 1 && inner != 0 && inner < most &&
                 getConstantIntValue(merged[merged.size() - 2].size) &&
                 init.getStride(merged[merged.size() - 2].loop) == inner;
  unsigned numInside = hasRows ? 2 : 1;
  columnNest.assign(merged.end() - numInside, merged.end());
  columns = 1;
  numColumns = attr(1);
  for (const MergedLoop &loop : columnNest) {
    columns *= sizeOf(loop);
    numColumns = kernel.mul(numColumns, loop.size);
  }
  // Loops up to the outermost one that a panel covers.
  unsigned first = 0;
  for (unsigned i = 0; i < columnLoops.size(); ++i)
    if (merged.size() > numInside &&
        columnLoops[i] == merged[merged.size() - numInside - 1].loop)
      first = i + 1;
  batchLoops.append(columnLoops.begin(), columnLoops.begin() + first);
  columnLoops.erase(columnLoops.begin(), columnLoops.begin() + first);
  columnStep = hasRows ? std::min(columns, most / inner * inner)
               : columns == 0
                   ? most / lanes * lanes
                   : std::min(usesTiles ? target.getCodePanelColumns(
                                              columns, ShapedType::kDynamic, 8)
                                        : target.getPanelColumns(columns),
                              most);
  panelColumns = llvm::alignTo(columnStep, lanes);
  numPanels = llvm::divideCeil(std::max<int64_t>(columns, 1), columnStep);

  // The reductions are in the order of lhs, which is read as it is where that
  // takes not many more tuples than gathered rows would.
  ArrayRef<unsigned> order = loops.reductionByStride;
  auto countTuples = [&](unsigned length) {
    return loops.getSize(order.drop_back(length)) *
           llvm::divideCeil(loops.getSize(order.take_back(length)), group);
  };
  unsigned length = loops.lhsRun;
  if (length == 0 || length == order.size() ||
      countTuples(length) * 8 > countTuples(order.size()) * 9)
    length = order.size();
  outer.assign(order.begin(), order.end() - length);
  run.assign(order.end() - length, order.end());
  runSize = std::max<int64_t>(loops.getSize(run), 0);
  runLength = attr(1);
  for (unsigned loop : run)
    runLength = kernel.mul(runLength, sizes[loop]);
  SmallVector<MergedLoop> inRun = kernel.mergeLoops(run, sizes, {&source});
  if (inRun.empty())
    runStride = attr(0);
  else if (inRun.size() == 1)
    runStride = source.strides[inRun.front().loop];

  tupleSize = group;
  tupleBytes = group * panelColumns * bytes;
  numBlocks = 1;
  sumsPerBlock = panelColumns;
  runBytes = llvm::divideCeil(runSize, tupleSize) * tupleBytes;
  panelBytes = runSize == 0 ? 0 : loops.getSize(outer) * runBytes;
}

void ContractKernel::allocatePanel() {
  OpBuilder &builder = kernel.builder;
  if (unpacksPanels) {
    // The last step may go beyond the end, where rows have zeros.
    packed =
        allocate(attr(panelsTogether * panelBytes + tileStep * panelColumns),
                 builder.getI8Type());
    rhs = packed.base;
    return;
  }
  OpFoldResult bytes = attr(panelsTogether * panelBytes);
  if (runSize == 0)
    bytes =
        kernel.mul(ceilDivide(kernel, runLength, tupleSize), attr(tupleBytes));
  packed = allocate(bytes, builder.getI8Type());
  packedSums =
      allocate(attr(panelsTogether * panelColumns), builder.getI32Type());
  lines = allocate(attr(dot.getGroup() * panelColumns), source.element);
  rhs = packed.base;
  sums = packedSums;
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

OpFoldResult ContractKernel::getRunOffset(OpFoldResult number) {
  if (runStride)
    return kernel.mul(number, *runStride);
  OpBuilder &builder = kernel.builder;
  Value rest = kernel.index(number);
  OpFoldResult offset = attr(0);
  for (unsigned loop : llvm::reverse(run)) {
    if (loops.sizes[loop] == 1)
      continue;
    Value size = kernel.index(loops.sizes[loop]);
    Value at = arith::RemUIOp::create(builder, kernel.loc, rest, size);
    rest = arith::DivUIOp::create(builder, kernel.loc, rest, size);
    offset = kernel.add(offset, kernel.mul(at, source.strides[loop]));
  }
  return offset;
}

OpFoldResult ContractKernel::getColumnOffset(int64_t number) {
  if (columnNest.size() == 1)
    return kernel.mul(attr(number), source.strides[columnNest.back().loop]);
  int64_t inner = *getConstantIntValue(columnNest.back().size);
  return kernel.add(
      kernel.mul(attr(number / inner), source.strides[columnNest.front().loop]),
      kernel.mul(attr(number % inner), source.strides[columnNest.back().loop]));
}

void ContractKernel::forColumnRows(
    const Panel &panel, int64_t first,
    llvm::function_ref<void(OpFoldResult, OpFoldResult, OpFoldResult)> body) {
  OpFoldResult count = attr(panel.columns);
  if (panel.count)
    count = panel.count;
  if (columnNest.size() == 1)
    return body(getColumnOffset(first), attr(first),
                kernel.add(count, attr(-first)));
  assert(first == 0 && "rows of columns are whole");
  int64_t inner = *getConstantIntValue(columnNest.back().size);
  kernel.forLoop(attr(panel.columns / inner), [&](Value row) {
    body(kernel.mul(row, source.strides[columnNest.front().loop]),
         kernel.mul(row, attr(inner)), attr(inner));
  });
}

//===----------------------------------------------------------------------===//
// A panel
//===----------------------------------------------------------------------===//

ContractKernel::Values
ContractKernel::packCodes(const Panel &panel, OpFoldResult base,
                          OpFoldResult dest, OpFoldResult size, Values totals) {
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  // Elements that follow each other in every column, and columns that do not.
  bool isSquare =
      runStride && getConstantIntValue(*runStride) == 1 &&
      getConstantIntValue(source.strides[columnNest.back().loop]) != 1;
  auto packOne = [&](OpFoldResult element, OpFoldResult at, OpFoldResult count,
                     MutableArrayRef<Value> values) {
    if (isSquare)
      packWords(panel, 0, kernel.add(base, element), at, count, values);
    else
      packGroup(panel, base, element, at, count, values);
  };
  // Groups of numbers [from, to): one after the other, or as many as a register
  // has lanes.
  auto loop = [&](OpFoldResult from, OpFoldResult to, int64_t groups,
                  llvm::function_ref<void(OpFoldResult, OpFoldResult,
                                          MutableArrayRef<Value>)>
                      body) {
    if (getConstantIntValue(from) &&
        getConstantIntValue(from) == getConstantIntValue(to))
      return;
    totals = kernel.forCarry(from, to, totals, [&](Value iv, ValueRange inits) {
      Values values(inits);
      body(kernel.mul(iv, attr(groups * group)),
           kernel.add(dest, kernel.mul(iv, attr(groups * tupleBytes))), values);
      return values;
    });
  };
  OpFoldResult done = attr(0), whole = floorDivide(kernel, size, group);
  if (isSquare && (columnNest.size() == 1 || panel.columns % lanes == 0)) {
    OpFoldResult squares = floorDivide(kernel, size, lanes * group);
    loop(attr(0), squares, lanes,
         [&](OpFoldResult element, OpFoldResult at,
             MutableArrayRef<Value> values) {
           packSquare(panel, kernel.add(base, element), at, values);
         });
    done = kernel.mul(squares, attr(lanes));
  }
  loop(done, whole, 1,
       [&](OpFoldResult element, OpFoldResult at,
           MutableArrayRef<Value> values) {
         packOne(element, at, attr(group), values);
       });
  // At most one group is not whole.
  loop(whole, ceilDivide(kernel, size, group), 1,
       [&](OpFoldResult element, OpFoldResult at,
           MutableArrayRef<Value> values) {
         packOne(element, at, getRest(kernel, size, group), values);
       });
  return totals;
}

void ContractKernel::packPanel(ArrayRef<Value> ivs, const Panel &panel) {
  OpBuilder &builder = kernel.builder;
  Values at(ivs);
  const MergedLoop &outermost = columnNest.front();
  int64_t step = columnStep;
  if (columnNest.size() > 1)
    step /= *getConstantIntValue(columnNest.back().size);
  if (columns != 1)
    at[outermost.loop] = kernel.index(kernel.mul(panel.index, attr(step)));
  Value base = kernel.address(source, at);

  Values totals;
  if (needsColumnSums) {
    Value zero = arith::ConstantOp::create(
        builder, kernel.loc, builder.getZeroAttr(dot.getSumType(builder)));
    totals.assign(panel.getRegisters(dot.getLanes()), zero);
  }
  totals =
      forRuns(source, totals,
              [&](OpFoldResult from, OpFoldResult number, ValueRange sums) {
                return packCodes(
                    panel, kernel.add(base, from),
                    kernel.add(panel.rhs, kernel.mul(number, attr(runBytes))),
                    runLength, Values(sums));
              });
  for (auto [reg, total] : llvm::enumerate(totals))
    kernel.store(packedSums,
                 kernel.index(kernel.add(panel.sums,
                                         attr(int64_t(reg) * dot.getLanes()))),
                 total);
}

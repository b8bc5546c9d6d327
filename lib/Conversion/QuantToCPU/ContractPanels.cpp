//===- ContractPanels.cpp - Panels of a rhs that is not packed ------------===//
//
// Products of two activations: what quant-pack-weights does for constants, at
// run time. A panel is packed when it is needed, into a place that all panels
// share, and its columns are summed on the way:
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
    packed = allocate(attr(panelBytes + tileStep * panelColumns),
                      builder.getI8Type());
    rhs = packed.base;
    return;
  }
  OpFoldResult bytes = attr(panelBytes);
  if (runSize == 0)
    bytes =
        kernel.mul(ceilDivide(kernel, runLength, tupleSize), attr(tupleBytes));
  packed = allocate(bytes, builder.getI8Type());
  packedSums = allocate(attr(panelColumns), builder.getI32Type());
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
// Groups
//===----------------------------------------------------------------------===//

void ContractKernel::storeGroups(Value codes, OpFoldResult dest,
                                 OpFoldResult count, Value *total) {
  OpBuilder &builder = kernel.builder;
  auto type = cast<VectorType>(codes.getType());
  // By a flipped top bit, of codes that exist.
  if (rhsMoved != 0)
    codes = arith::XOrIOp::create(builder, kernel.loc, codes,
                                  dot.buildFlips(kernel, type, count));
  Value bytes = codes;
  if (type.getElementType() != packed.element)
    bytes = vector::BitCastOp::create(
        builder, kernel.loc,
        VectorType::get({type.getNumElements() * width / 8}, packed.element),
        codes);
  kernel.store(packed, kernel.index(dest), bytes);
  if (!total)
    return;
  DotProduct sum =
      usesTiles ? DotProduct(target, /*isLhsSigned=*/true, !isRhsSigned())
                : dot;
  *total = sum.addRhs(kernel, *total, sum.unpackRhs(kernel, codes, width, 0));
}

/// Rows of a square as its columns: log2(n) steps, each of which exchanges
/// blocks of half the size of the one before.
static void transposeSquare(KernelBuilder &kernel,
                            MutableArrayRef<Value> rows) {
  int64_t size = rows.size();
  for (int64_t half = size / 2; half > 0; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < size; ++i) {
      bool isSecond = i & half;
      low.push_back(isSecond ? size + i - half : i);
      high.push_back(isSecond ? size + i : i + half);
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i & half)
        continue;
      Value a = rows[i], b = rows[i + half];
      rows[i] =
          vector::ShuffleOp::create(kernel.builder, kernel.loc, a, b, low);
      rows[i + half] =
          vector::ShuffleOp::create(kernel.builder, kernel.loc, a, b, high);
    }
  }
}

void ContractKernel::packSquare(const Panel &panel, OpFoldResult base,
                                OpFoldResult dest,
                                MutableArrayRef<Value> totals) {
  OpBuilder &builder = kernel.builder;
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  unsigned bits = source.element.getIntOrFloatBitWidth();
  auto codes = VectorType::get({lanes * group}, source.element);
  auto words = VectorType::get({lanes}, builder.getIntegerType(bits * group));
  int64_t whole = getWholeRegisters(panel);
  for (int64_t reg = 0; reg < whole; ++reg) {
    Values rows;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Value from =
          kernel.index(kernel.add(base, getColumnOffset(reg * lanes + lane)));
      rows.push_back(
          vector::BitCastOp::create(builder, kernel.loc, words,
                                    kernel.load(source, from, lanes * group)));
    }
    transposeSquare(kernel, rows);
    for (int64_t tuple = 0; tuple < lanes; ++tuple)
      storeGroups(
          vector::BitCastOp::create(builder, kernel.loc, codes, rows[tuple]),
          kernel.add(dest, attr(tuple * tupleBytes + reg * registerBytes())),
          attr(group), totals.empty() ? nullptr : &totals[reg]);
  }
  if (whole == panel.getRegisters(lanes))
    return;
  // Few columns are not worth a square of their own.
  Values last = kernel.forCarry(
      attr(0), attr(lanes), ValueRange(totals),
      [&](Value iv, ValueRange inits) {
        Values values(inits);
        packWords(panel, whole, kernel.add(base, kernel.mul(iv, attr(group))),
                  kernel.add(dest, kernel.mul(iv, attr(tupleBytes))),
                  attr(group), values);
        return values;
      });
  llvm::copy(last, totals.begin());
}

void ContractKernel::copyLine(const Panel &panel, OpFoldResult from,
                              OpFoldResult to, int64_t done) {
  OpFoldResult stride = source.strides[columnNest.back().loop];
  forColumnRows(
      panel, done,
      [&](OpFoldResult inSource, OpFoldResult number, OpFoldResult size) {
        auto copy = [&](Value iv, int64_t count) {
          OpFoldResult at =
              kernel.add(kernel.add(from, inSource), kernel.mul(iv, stride));
          Value codes = kernel.load(source, kernel.index(at), count);
          at = kernel.add(to, kernel.add(number, iv));
          kernel.store(lines, kernel.index(at), codes);
        };
        if (getConstantIntValue(stride) == 1)
          kernel.forPieces(size, target.getVectorBytes(), copy);
        else
          kernel.forLoop(size, [&](Value iv) { copy(iv, 1); });
      });
}

void ContractKernel::packWords(const Panel &panel, int64_t firstReg,
                               OpFoldResult base, OpFoldResult dest,
                               OpFoldResult count,
                               MutableArrayRef<Value> totals) {
  OpBuilder &builder = kernel.builder;
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  OpFoldResult stride = source.strides[columnNest.back().loop];
  forColumnRows(
      panel, firstReg * lanes,
      [&](OpFoldResult inSource, OpFoldResult number, OpFoldResult size) {
        kernel.forLoop(size, [&](Value iv) {
          Value from = kernel.index(
              kernel.add(kernel.add(base, inSource), kernel.mul(iv, stride)));
          OpFoldResult to = kernel.mul(kernel.add(number, iv), attr(group));
          auto copy = [&](OpFoldResult at, int64_t size) {
            kernel.store(
                lines, kernel.index(kernel.add(to, at)),
                kernel.load(source, kernel.index(kernel.add(from, at)), size));
          };
          if (getConstantIntValue(count) == group)
            return copy(attr(0), group);
          auto type = VectorType::get({group}, source.element);
          kernel.store(lines, kernel.index(to),
                       arith::ConstantOp::create(builder, kernel.loc,
                                                 builder.getZeroAttr(type)));
          kernel.forLoop(count, [&](Value i) { copy(i, 1); });
        });
      });
  for (int64_t reg = firstReg; reg < panel.getRegisters(lanes); ++reg)
    storeGroups(
        kernel.load(lines, kernel.index(reg * lanes * group), lanes * group),
        kernel.add(dest, attr(reg * registerBytes())), count,
        totals.empty() ? nullptr : &totals[reg]);
}

void ContractKernel::packGroup(const Panel &panel, OpFoldResult base,
                               OpFoldResult first, OpFoldResult dest,
                               OpFoldResult size,
                               MutableArrayRef<Value> totals) {
  OpBuilder &builder = kernel.builder;
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  // Where only the run time knows how many there are, the last one stands for
  // those that are not, and is 0 in their place.
  std::optional<int64_t> known = getConstantIntValue(size);
  int64_t count = known.value_or(group);
  Value last;
  if (!known)
    last = kernel.index(kernel.add(size, attr(-1)));
  auto type = VectorType::get({lanes}, source.element);
  OpFoldResult stride = source.strides[columnNest.back().loop];
  bool isLine = columnNest.size() == 1 && getConstantIntValue(stride) == 1;

  // From where it lies, if that is whole.
  auto isWhole = [&](int64_t reg) {
    return isLine && reg < getWholeRegisters(panel);
  };
  auto placeOf = [&](int64_t i) {
    OpFoldResult number = attr(i);
    if (last)
      number =
          arith::MinUIOp::create(builder, kernel.loc, kernel.index(i), last)
              .getResult();
    return kernel.add(base, getRunOffset(kernel.add(first, number)));
  };
  for (int64_t i = 0; i < count; ++i)
    if (!isWhole(panel.getRegisters(lanes) - 1))
      copyLine(panel, placeOf(i), attr(i * panelColumns),
               isLine ? getWholeRegisters(panel) * lanes : 0);

  auto zip = [&](Value a, Value b) -> Value {
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < lanes; ++i)
      mask.append({i, lanes + i});
    return vector::ShuffleOp::create(builder, kernel.loc, a, b, mask);
  };
  auto recast = [&](Value codes, int64_t size, unsigned bits) -> Value {
    return vector::BitCastOp::create(
        builder, kernel.loc,
        VectorType::get({size}, builder.getIntegerType(bits)), codes);
  };
  for (int64_t reg = 0; reg < panel.getRegisters(lanes); ++reg) {
    Values elements;
    for (int64_t i = 0; i < group; ++i) {
      if (i >= count) {
        elements.push_back(arith::ConstantOp::create(
            builder, kernel.loc, builder.getZeroAttr(type)));
        continue;
      }
      OpFoldResult from = isWhole(reg)
                              ? kernel.add(placeOf(i), attr(reg * lanes))
                              : attr(i * panelColumns + reg * lanes);
      elements.push_back(kernel.load(isWhole(reg) ? source : lines,
                                     kernel.index(from), lanes));
      if (!last || i == 0)
        continue;
      Value exists =
          arith::CmpIOp::create(builder, kernel.loc, arith::CmpIPredicate::ule,
                                kernel.index(i), last);
      Value zero = arith::ConstantOp::create(builder, kernel.loc,
                                             builder.getZeroAttr(type));
      elements.back() = arith::SelectOp::create(builder, kernel.loc, exists,
                                                elements.back(), zero);
    }
    // Pairs, then pairs of pairs.
    unsigned bits = source.element.getIntOrFloatBitWidth();
    while (elements.size() > 1) {
      Values pairs;
      for (unsigned i = 0; i < elements.size(); i += 2)
        pairs.push_back(recast(zip(elements[i], elements[i + 1]), lanes,
                               bits * group / elements.size() * 2));
      elements = std::move(pairs);
    }
    Value codes = elements.front();
    if (group > 1)
      codes = recast(codes, lanes * group, bits);
    storeGroups(codes, kernel.add(dest, attr(reg * registerBytes())), size,
                totals.empty() ? nullptr : &totals[reg]);
  }
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

void ContractKernel::packPanel(ArrayRef<Value> ivs, Value index, Panel &panel) {
  OpBuilder &builder = kernel.builder;
  panel.rhs = kernel.index(0);
  panel.sums = attr(0);
  Values at(ivs);
  const MergedLoop &outermost = columnNest.front();
  int64_t step = columnStep;
  if (columnNest.size() > 1)
    step /= *getConstantIntValue(columnNest.back().size);
  if (columns != 1)
    at[outermost.loop] = kernel.index(kernel.mul(index, attr(step)));
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
                return packCodes(panel, kernel.add(base, from),
                                 kernel.mul(number, attr(runBytes)), runLength,
                                 Values(sums));
              });
  for (auto [reg, total] : llvm::enumerate(totals))
    kernel.store(packedSums, kernel.index(reg * dot.getLanes()), total);
}

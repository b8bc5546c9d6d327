//===- ContractDepthwise.cpp - Depthwise contractions of values -----------===//
//
// Every channel has weights of its own, so nothing is shared between columns: a
// register holds channels of lhs as it does of rhs. A tile is several rows that
// are neighbours in the innermost row loop, pixels, whose windows overlap, so
// that LLVM loads what they share once. Memory is walked as it lies: rows of
// pixels, tiles, channels. Weights of codes are decoded once for a row of
// pixels.
//
// Padding is not written: taps that lie in it are left out where pixels are
// known, and read from zeros where only the run time knows the row.
//
// Codes are summed elsewhere (DepthwiseToCPU.cpp), by dot instructions.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace quant_mlir;

/// Taps for which all code is written out.
static constexpr int64_t maxTaps = 64;

std::string quant_mlir::findNoDepthwiseValuesReason(ContractOp op) {
  ContractLoops loops = analyzeLoops(op);
  if (!loops.channel)
    return "channels are not the innermost dimension of lhs and result";
  if (op.getReductionBlock())
    return "scales of blocks along its window";
  int64_t taps = loops.getSize(loops.reduction);
  if (ShapedType::isDynamic(loops.sizes[*loops.channel]) ||
      ShapedType::isDynamic(taps) || taps > maxTaps)
    return "the number of channels or taps is not known, or there are more "
           "than 64 taps";
  for (unsigned loop : loops.reduction)
    if (!loops.lhsStrides[loop] && loops.sizes[loop] != 1)
      return "distances between taps are not known";
  for (const LoopStrides *strides :
       {&loops.biasStrides, &loops.residualStrides})
    if (!strides->empty() && (*strides)[*loops.channel] != 1 &&
        loops.sizes[*loops.channel] != 1)
      return "the bias or the residual is not one number for each channel";
  return "";
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// The innermost loop of rows, as the kernel orders them.
static std::optional<unsigned> findPixelLoop(const ContractLoops &loops) {
  std::optional<unsigned> found;
  for (unsigned loop : loops.rows)
    if (loops.sizes[loop] != 1 &&
        (!found || loops.initStrides[loop] <= loops.initStrides[*found]))
      found = loop;
  return found;
}

/// Which padded dimensions rows of pixels walk, and which one pixels; nothing
/// where the kernel needs a padded copy.
static std::optional<DepthwisePadding>
analyzePadding(ContractOp op, const ContractLoops &loops) {
  // Code of edges is written out beside that of the middle.
  constexpr int64_t maxPaddedTaps = 25;
  DepthwisePadding result;
  ArrayRef<int64_t> padding = op.getInputPadding();
  if (llvm::all_of(padding, [](int64_t size) { return size == 0; }))
    return result;
  auto type = cast<ShapedType>(op.getLhs().getType());
  std::optional<unsigned> pixelLoop = findPixelLoop(loops);
  if (!type.hasStaticShape() ||
      !cast<ShapedType>(op.getInit().getType()).hasStaticShape() ||
      loops.getSize(loops.reduction) > maxPaddedTaps)
    return std::nullopt;
  for (auto [dim, expr] : llvm::enumerate(op.getLhsMap().getResults())) {
    if (padding[2 * dim] == 0 && padding[2 * dim + 1] == 0)
      continue;
    LinearExpr linear = *getLinearExpr(expr, loops.sizes.size());
    if (linear.factors[*loops.channel] != 0)
      return std::nullopt;
    if (!pixelLoop || linear.factors[*pixelLoop] == 0) {
      result.rowDims.push_back(dim);
      continue;
    }
    bool isAlone = !result.pixelDim;
    for (auto [loop, factor] : llvm::enumerate(linear.factors))
      isAlone &= factor == 0 || loop == *pixelLoop ||
                 llvm::is_contained(loops.reduction, loop);
    if (!isAlone)
      return std::nullopt;
    result.pixelDim = dim;
  }
  return result;
}

bool quant_mlir::isPaddedInValuesKernel(ContractOp op) {
  ContractLoops loops = analyzeLoops(op);
  return loops.isDepthwise && !op.hasIntegerSum() && op.getLayout() &&
         findNoDepthwiseValuesReason(op).empty() &&
         analyzePadding(op, loops).has_value();
}

/// Where the taps are, in the order of the panels.
static SmallVector<DepthwiseTap> getTaps(ContractOp op,
                                         const ContractLoops &loops) {
  SmallVector<DepthwiseTap> taps;
  taps.push_back({SmallVector<int64_t>(loops.sizes.size(), 0), 0});
  for (int64_t dim : op.getLayout()->getReduction()) {
    unsigned loop = op.getRhsMap().getDimPosition(dim);
    SmallVector<DepthwiseTap> outer = std::move(taps);
    taps.clear();
    for (const DepthwiseTap &base : outer)
      for (int64_t i = 0; i < loops.sizes[loop]; ++i) {
        taps.push_back(base);
        taps.back().place[loop] = i;
        taps.back().offset += i * loops.lhsStrides[loop].value_or(0);
      }
  }
  return taps;
}

/// Whether the tap of pixel `pixel` lies in lhs, in the dimension of pixels.
bool ContractKernel::hasPixel(const DepthwiseTap &tap, int64_t pixel) {
  if (!depthwisePadding.pixelDim)
    return true;
  unsigned dim = *depthwisePadding.pixelDim;
  LinearExpr linear =
      *getLinearExpr(op.getLhsMap().getResult(dim), loops.sizes.size());
  int64_t position = linear.constant - op.getInputPadding()[2 * dim] +
                     pixel * linear.factors[rowLoops.back().loop];
  for (auto [place, factor] : llvm::zip_equal(tap.place, linear.factors))
    position += place * factor;
  return position >= 0 &&
         position < cast<ShapedType>(op.getLhs().getType()).getDimSize(dim);
}

/// Whether its row does.
Value ContractKernel::buildHasRow(ArrayRef<Value> ivs,
                                  const DepthwiseTap &tap) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Value all;
  for (unsigned dim : depthwisePadding.rowDims) {
    LinearExpr linear =
        *getLinearExpr(op.getLhsMap().getResult(dim), loops.sizes.size());
    OpFoldResult position =
        attr(linear.constant - op.getInputPadding()[2 * dim]);
    for (auto [loop, factor] : llvm::enumerate(linear.factors)) {
      position = kernel.add(position, attr(tap.place[loop] * factor));
      if (ivs[loop] && factor != 0)
        position = kernel.add(position, kernel.mul(ivs[loop], attr(factor)));
    }
    int64_t size = cast<ShapedType>(op.getLhs().getType()).getDimSize(dim);
    // What is less than 0 is large without a sign.
    Value isInside =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                              kernel.index(position), kernel.index(size));
    all = all ? Value(arith::AndIOp::create(builder, loc, all, isInside))
              : isInside;
  }
  return all;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void ContractKernel::buildDepthwise(Values &ivs, Value batch) {
  OpBuilder &builder = kernel.builder;
  depthwisePadding = *analyzePadding(op, loops);
  depthwiseTaps = getTaps(op, loops);
  std::function<void(Values &, unsigned)> nest = [&](Values &ivs,
                                                     unsigned depth) {
    if (depth + 1 >= rowLoops.size())
      return buildPixels(ivs, batch);
    buildLoop(kernel.index(0), kernel.index(rowLoops[depth].size), 1,
              depth == 0 && parallel != Parallel::None, [&](Value iv) {
                ivs[rowLoops[depth].loop] = iv;
                nest(ivs, depth + 1);
              });
  };
  if (depthwisePadding.rowDims.empty())
    return nest(ivs, 0);
  // Rows of padding are read from one pixel of zeros.
  buildOnStack([&] {
    int64_t lanes = dot.getLanes(), size = llvm::alignTo(columns, lanes);
    FlatOperand buffer = allocate(attr(size), lhs.element);
    Value zero = buildZero(VectorType::get({lanes}, lhs.element));
    kernel.forPieces(attr(size), lanes, [&](Value at, int64_t) {
      kernel.store(buffer, at, zero);
    });
    zeros = kernel.flatten(buffer.base, AffineMap::getMultiDimIdentityMap(
                                            1, builder.getContext()));
    nest(ivs, 0);
  });
}

void ContractKernel::buildPixels(Values &ivs, Value batch) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  if (!rowLoops.empty())
    ivs[rowLoops.back().loop] = Value();
  Value first = kernel.address(lhs, ivs);
  OpFoldResult step =
      rowLoops.empty() ? attr(0) : lhs.strides[rowLoops.back().loop];
  SmallVector<TapRow> inside, edge;
  for (const DepthwiseTap &tap : depthwiseTaps)
    inside.push_back({lhs.base, first, step, tap.offset});
  if (depthwisePadding.rowDims.empty())
    return buildPixelTiles(ivs, batch, inside);

  Value areInside;
  for (const DepthwiseTap &tap : depthwiseTaps) {
    Value exists = buildHasRow(ivs, tap);
    areInside =
        areInside
            ? Value(arith::AndIOp::create(builder, loc, areInside, exists))
            : exists;
    auto select = [&](OpFoldResult inLhs, OpFoldResult outside) -> Value {
      return arith::SelectOp::create(builder, loc, exists, kernel.index(inLhs),
                                     kernel.index(outside));
    };
    edge.push_back(
        {arith::SelectOp::create(builder, loc, exists, lhs.base, zeros.base),
         select(kernel.add(first, attr(tap.offset)), attr(0)),
         OpFoldResult(select(step, attr(0))), 0});
  }
  auto build = [&](ArrayRef<TapRow> taps) {
    Values inBranch(ivs);
    buildPixelTiles(inBranch, batch, taps);
  };
  buildIf(areInside, [&] { build(inside); }, [&] { build(edge); });
}

/// Channels follow each other in memory, so they are inside of pixels, as long
/// as weights are only loaded. Codes are decoded for a whole row of pixels.
void ContractKernel::buildPixelTiles(Values &ivs, Value batch,
                                     ArrayRef<TapRow> taps) {
  int64_t lanes = dot.getLanes(), whole = columns / lanes;
  auto forChannels = [&](llvm::function_ref<void(const Channels &)> body) {
    kernel.forLoop(attr(whole), [&](Value iv) {
      body(prepareChannels(ivs, batch, iv, lanes));
    });
    if (int64_t rest = columns % lanes)
      body(prepareChannels(ivs, batch, kernel.index(whole), rest));
  };
  if (op.hasFloatRhs())
    return forPixelTiles(
        [&](Value at, int64_t count, std::optional<int64_t> known) {
          forChannels([&](const Channels &channels) {
            buildPixelTile(ivs, taps, channels, at, count, known);
          });
        });
  forChannels([&](const Channels &channels) {
    forPixelTiles([&](Value at, int64_t count, std::optional<int64_t> known) {
      buildPixelTile(ivs, taps, channels, at, count, known);
    });
  });
}

void ContractKernel::forPixelTiles(
    llvm::function_ref<void(Value, int64_t, std::optional<int64_t>)> body) {
  int64_t most = target.getNumVectorRegisters() / 4;
  OpFoldResult all = rowLoops.empty() ? attr(1) : rowLoops.back().size;
  if (!depthwisePadding.pixelDim)
    return forTiles(all, most, [&](Value at, int64_t count) {
      body(at, count, std::nullopt);
    });
  int64_t size = *getConstantIntValue(all);
  int64_t count = llvm::divideCeil(size, llvm::divideCeil(size, most));
  auto isInside = [&](int64_t at) {
    return at + count <= size &&
           llvm::all_of(depthwiseTaps, [&](const DepthwiseTap &tap) {
             return hasPixel(tap, at) && hasPixel(tap, at + count - 1);
           });
  };
  for (int64_t at = 0; at < size;) {
    int64_t end = at;
    while (end < size && isInside(end))
      end += count;
    if (end > at + count) {
      buildLoop(kernel.index(at), kernel.index(end), count,
                /*isParallel=*/false,
                [&](Value iv) { body(iv, count, std::nullopt); });
      at = end;
      continue;
    }
    // At an edge which taps exist is written out.
    body(kernel.index(at), std::min(count, size - at), at);
    at += count;
  }
}

ContractKernel::Channels ContractKernel::prepareChannels(Values &ivs,
                                                         Value batch,
                                                         Value number,
                                                         int64_t valid) {
  OpBuilder &builder = kernel.builder;
  int64_t lanes = dot.getLanes(), perPanel = panelColumns / lanes;
  OpFoldResult index = number, inPanel = attr(0);
  if (numPanels == 1) {
    index = attr(0);
    inPanel = number;
  } else if (perPanel != 1) {
    index = arith::DivUIOp::create(builder, kernel.loc, number,
                                   kernel.index(perPanel))
                .getResult();
    inPanel = arith::RemUIOp::create(builder, kernel.loc, number,
                                     kernel.index(perPanel))
                  .getResult();
  }
  index = kernel.add(kernel.mul(batch, attr(numPanels)), index);

  Channels channels;
  Panel &panel = channels.panel;
  panel.columns = valid;
  OpFoldResult first = kernel.mul(number, attr(lanes));
  panel.firstColumn = kernel.index(first);
  int64_t registerBytes = lanes * tupleBytes / panelColumns;
  panel.rhs =
      kernel.index(kernel.add(kernel.mul(index, attr(panelBytes)),
                              kernel.mul(inPanel, attr(registerBytes))));
  panel.constants = kernel.add(kernel.mul(index, attr(panelColumns)),
                               kernel.mul(inPanel, attr(lanes)));
  if (bias.base)
    loadBias(panel, kernel.add(kernel.address(bias, ivs), first), 0);
  loadDecoding(panel, attr(0));

  Value stored;
  for (int64_t tap = 0, e = depthwiseTaps.size(); tap != e; ++tap) {
    if (tap % tupleSize == 0)
      stored = dot.loadRhs(kernel, rhs,
                           kernel.index(kernel.add(
                               panel.rhs, attr(tap / tupleSize * tupleBytes))),
                           width);
    channels.weights.push_back(decodeRhs(
        panel, 0, dot.unpackRhs(kernel, stored, width, tap % tupleSize)));
  }
  return channels;
}

void ContractKernel::buildPixelTile(Values &ivs, ArrayRef<TapRow> taps,
                                    const Channels &channels, Value at,
                                    int64_t count,
                                    std::optional<int64_t> known) {
  const Panel &panel = channels.panel;
  if (!rowLoops.empty())
    ivs[rowLoops.back().loop] = at;
  SmallVector<Row> rows(count);
  Values sums;
  for (int64_t i = 0; i < count; ++i) {
    Row &row = rows[i];
    auto place = [&](const FlatOperand &operand) {
      OpFoldResult address =
          kernel.add(kernel.address(operand, ivs), panel.firstColumn);
      if (i != 0)
        address = kernel.add(
            address,
            kernel.mul(operand.strides[rowLoops.back().loop], attr(i)));
      return kernel.index(address);
    };
    row.init = place(init);
    if (residual.base)
      row.residual = place(residual);
    Value sum = buildZero(dot.getSumType(kernel.builder));
    for (auto [tap, tapRow, weight] :
         llvm::zip_equal(depthwiseTaps, taps, channels.weights)) {
      if (known && !hasPixel(tap, *known + i))
        continue;
      // A constant distance is part of the instruction's address.
      OpFoldResult index =
          kernel.add(kernel.add(tapRow.index, kernel.mul(at, tapRow.step)),
                     panel.firstColumn);
      index = kernel.add(index, kernel.add(kernel.mul(tapRow.step, attr(i)),
                                           attr(tapRow.offset)));
      FlatOperand source{tapRow.base, lhs.element, {}, attr(0)};
      Value x = loadColumns(source, kernel.index(index), panel, 0);
      sum = dot.build(kernel, sum, x, weight);
    }
    sums.push_back(sum);
  }
  finish(rows, panel, sums);
}

void ContractKernel::forTiles(OpFoldResult size, int64_t most,
                              llvm::function_ref<void(Value, int64_t)> body) {
  OpBuilder &builder = kernel.builder;
  auto loop = [&](Value from, Value to, int64_t step) {
    buildLoop(from, to, step, /*isParallel=*/false,
              [&](Value iv) { body(iv, step); });
  };
  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    if (*known == 0)
      return;
    // Tiles of equal size: 9 are 5 and 4, not 8 and 1.
    int64_t count = llvm::divideCeil(*known, llvm::divideCeil(*known, most));
    int64_t whole = *known / count * count;
    loop(kernel.index(0), kernel.index(whole), count);
    if (whole != *known)
      body(kernel.index(whole), *known - whole);
    return;
  }
  Value end = kernel.index(size);
  Value rest =
      arith::RemUIOp::create(builder, kernel.loc, end, kernel.index(most));
  Value whole = arith::SubIOp::create(builder, kernel.loc, end, rest);
  loop(kernel.index(0), whole, most);
  loop(whole, end, 1);
}

//===- ContractDepthwise.cpp - Depthwise contractions of values -----------===//
//
// Every channel has weights of its own, so nothing is shared between columns: a
// register holds channels of lhs as it does of rhs. The weights of a register
// of channels, decoded, stay in registers over all rows; a tile is several rows
// that are neighbours in the innermost row loop, whose windows overlap, so that
// LLVM loads what they share once.
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

/// Distances of the taps from the first, in the order of the panels.
static SmallVector<int64_t> getTapOffsets(ContractOp op,
                                          const ContractLoops &loops) {
  SmallVector<int64_t> offsets{0};
  for (int64_t dim : op.getLayout()->getReduction()) {
    unsigned loop = op.getRhsMap().getDimPosition(dim);
    SmallVector<int64_t> outer = std::move(offsets);
    offsets.clear();
    for (int64_t base : outer)
      for (int64_t i = 0; i < loops.sizes[loop]; ++i)
        offsets.push_back(base + i * loops.lhsStrides[loop].value_or(0));
  }
  return offsets;
}

void ContractKernel::buildDepthwise(Values &ivs, Value batch) {
  int64_t lanes = dot.getLanes(), whole = columns / lanes;
  kernel.forLoop(attr(whole),
                 [&](Value iv) { buildChannels(ivs, batch, iv, lanes); });
  if (int64_t rest = columns % lanes)
    buildChannels(ivs, batch, kernel.index(whole), rest);
}

void ContractKernel::buildChannels(Values &ivs, Value batch, Value number,
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

  Panel panel;
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

  SmallVector<int64_t> offsets = getTapOffsets(op, loops);
  Values weights;
  Value stored;
  for (int64_t tap = 0, e = offsets.size(); tap != e; ++tap) {
    if (tap % tupleSize == 0)
      stored = dot.loadRhs(kernel, rhs,
                           kernel.index(kernel.add(
                               panel.rhs, attr(tap / tupleSize * tupleBytes))),
                           width);
    weights.push_back(decodeRhs(
        panel, 0, dot.unpackRhs(kernel, stored, width, tap % tupleSize)));
  }

  // Neighbours in the innermost loop.
  auto buildRows = [&](Values &ivs, Value at, int64_t count) {
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
      row.lhs = place(lhs);
      row.init = place(init);
      if (residual.base)
        row.residual = place(residual);
      Value sum = arith::ConstantOp::create(
          builder, kernel.loc, builder.getZeroAttr(dot.getSumType(builder)));
      for (auto [offset, weight] : llvm::zip_equal(offsets, weights)) {
        Value x = loadColumns(
            lhs, kernel.index(kernel.add(row.lhs, attr(offset))), panel, 0);
        sum = dot.build(kernel, sum, x, weight);
      }
      sums.push_back(sum);
    }
    finish(rows, panel, sums);
  };
  std::function<void(Values &, unsigned)> nest = [&](Values &ivs,
                                                     unsigned depth) {
    if (depth + 1 >= rowLoops.size()) {
      int64_t most = target.getNumVectorRegisters() / 4;
      OpFoldResult size = rowLoops.empty() ? attr(1) : rowLoops.back().size;
      return forTiles(size, most, [&](Value at, int64_t count) {
        buildRows(ivs, at, count);
      });
    }
    buildLoop(kernel.index(0), kernel.index(rowLoops[depth].size), 1,
              depth == 0 && parallel != Parallel::None, [&](Value iv) {
                ivs[rowLoops[depth].loop] = iv;
                nest(ivs, depth + 1);
              });
  };
  nest(ivs, 0);
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

//===- ContractDepthwise.cpp - A filter for each channel ------------------===//
//
// Every channel has weights of its own, so nothing is shared that a matrix unit
// could multiply. An invocation has four channels of several pixels in a row:
//
//   words of weights                     four taps of a channel, from panels
//   columns of the window                four channels of each tap
//     transposed                         four taps of each channel
//     pixels whose window has the column: dot products
//   epilogue                             as of every contraction
//
// A column is loaded and transposed once for all pixels. Channels play the part
// of columns (of the result) in all that follows the sums.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

/// Taps for which all code is written out.
static constexpr int64_t maxTaps = 64;

void quant_mlir::makeChannelsColumns(ContractLoops &loops) {
  loops.roles[*loops.channel] = LoopRole::Column;
  llvm::erase(loops.batch, *loops.channel);
  loops.columns.push_back(*loops.channel);
}

std::string quant_mlir::findNoDepthwiseReason(ContractOp op,
                                              const ContractLoops &loops) {
  if (!loops.channel || op.getLayout()->getPanel() == 1)
    return "channels are not the innermost dimension of lhs and result";
  if (op.getRhsCodesType().getElementTypeBitWidth() != 8)
    return "weights of channels have less than 8 bits";
  if (op.getReductionBlock())
    return "weights of channels have blocks along a reduction";
  int64_t taps = loops.getSize(loops.reduction);
  if (ShapedType::isDynamic(taps) || taps > maxTaps)
    return "the number of taps is not known, or there are more than 64";
  if (op.isRhsDynamic())
    return "weights of channels have a scale that is an operand";
  bool isPadded = llvm::any_of(op.getInputPadding(),
                               [](int64_t size) { return size != 0; });
  if (isPadded && op.getZeroPoint() &&
      !llvm::all_of(cast<ShapedType>(op.getZeroPoint().getType()).getShape(),
                    [](int64_t size) { return size == 1; }))
    return "its padding has a zero point for each row";
  return "";
}

/// The code that padding holds, as it is in lhs.
Value GPUContractKernel::loadPaddingCode() {
  Type i8 = builder.getIntegerType(8);
  if (!zeroPoint.base) {
    int8_t code =
        op.isDynamic() ? 0 : int8_t(getTensorZeroPoint(*op.getLhsParams()));
    return arith::ConstantOp::create(builder, loc,
                                     builder.getIntegerAttr(i8, code));
  }
  Value at = kernel.body.address(
      zeroPoint, SmallVector<Value>(loops.sizes.size(), Value()));
  Value code =
      memref::LoadOp::create(builder, loc, zeroPoint.base, ValueRange(at));
  return arith::TruncIOp::create(builder, loc, i8, code);
}

GPUContractKernel::Values GPUContractKernel::multiplyWindow() {
  Values sums = unit->getZeros();
  // Of a channel, what is a row's elsewhere.
  Values codeSums = needsRowSums ? unit->getZeros() : Values();
  int64_t pixels = shape().laneRows;
  SmallVector<WindowLoads::Steps> columnSteps = listSteps(outer, sizes),
                                  runSteps = listSteps(run, sizes);
  int64_t groups = llvm::divideCeil(runSteps.size(), 4);
  Value panel = div(firstColumn, tileColumns);
  Value word = mul(add(mul(batch, numPanels), panel),
                   columnSteps.size() * groups * tileColumns);
  word = add(rhs.start, add(word, rem(firstColumn, tileColumns)));
  auto words = VectorType::get({laneChannels}, builder.getI32Type());
  std::map<std::vector<int64_t>, Values> transposed;
  for (auto [j, columnStep] : llvm::enumerate(columnSteps))
    for (int64_t group = 0; group < groups; ++group) {
      Value weights = unit->load(
          words, rhs.base,
          add(word, attr((int64_t(j) * groups + group) * tileColumns)));
      size_t firstTap = 4 * group,
             endTap = std::min<size_t>(runSteps.size(), firstTap + 4);
      Value ones =
          kernel.body.constantI32(0x01010101 & llvm::maskTrailingOnes<uint32_t>(
                                                   8 * (endTap - firstTap)));
      for (int64_t pixel = 0; pixel < pixels; ++pixel) {
        WindowLoads::Steps first = columnStep;
        if (pixelLoop)
          first[*pixelLoop] = pixel;
        std::vector<int64_t> place = window->getPlace(first);
        place.push_back(group);
        Values &column = transposed[place];
        if (column.empty()) {
          Values taps;
          for (size_t tap = firstTap; tap < endTap; ++tap) {
            WindowLoads::Steps steps = first;
            for (unsigned loop : run)
              steps[loop] = runSteps[tap][loop];
            taps.push_back(window->load(steps));
          }
          column = unit->transpose(taps);
          if (isLhsFlipped)
            for (Value &codes : column)
              codes = kernel.body.bitXor(codes,
                                         kernel.body.constantI32(0x80808080));
        }
        for (int64_t channel = 0; channel < laneChannels; ++channel) {
          int64_t number = pixel * laneChannels + channel;
          sums[number] = unit->dot(
              column[channel],
              vector::ExtractOp::create(builder, loc, weights, channel),
              sums[number], isLhsSigned);
          if (needsRowSums)
            codeSums[number] =
                unit->dot(column[channel], ones, codeSums[number], isLhsSigned);
        }
      }
    }
  sums.append(codeSums);
  return sums;
}

void GPUContractKernel::buildDepthwise() {
  int64_t pixels = shape().laneRows;
  SmallVector<OpFoldResult> space;
  for (unsigned loop : batchLoops)
    space.push_back(sizes[loop]);
  for (const MergedLoop &loop : rowLoops)
    space.push_back(loop.size);
  OpFoldResult numPixels = pixelLoop ? sizes[*pixelLoop] : attr(1);
  space.push_back(ceilDiv(kernel.host, numPixels, pixels));
  space.push_back(ceilDiv(kernel.host, columns, laneChannels));
  kernel.forEach(space, [&](ValueRange positions) {
    batch = index(attr(0));
    batchPosition.assign(loops.sizes.size(), Value());
    for (auto [loop, position] :
         llvm::zip(batchLoops, positions.take_front(batchLoops.size()))) {
      batch = add(mul(batch, loops.sizes[loop]), position);
      batchPosition[loop] = position;
    }
    Values ivs(batchPosition);
    for (auto [loop, position] :
         llvm::zip(rowLoops, positions.drop_front(batchLoops.size())))
      ivs[loop.loop] = position;
    Value channelWord = positions.back();
    firstColumn = mul(channelWord, laneChannels);
    Value firstPixel = mul(positions[positions.size() - 2], pixels);
    laneRows.clear();
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      LaneRow row;
      row.ivs = ivs;
      Value number = add(firstPixel, attr(pixel));
      if (pixelLoop)
        row.ivs[*pixelLoop] = number;
      row.exists = buildExists(kernel, number, pixel, numPixels, pixels);
      laneRows.push_back(row);
    }
    window->place(laneRows.front().ivs, channelWord, loadPaddingCode());
    finish(multiplyWindow());
  });
}

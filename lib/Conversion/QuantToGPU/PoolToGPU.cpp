//===- PoolToGPU.cpp - quant.pool as a kernel -----------------------------===//
//
// An invocation has four channels of several pixels in a row:
//
//   columns of the window                four channels of each tap, as a word
//     combined down the column           sums or maxima of four channels
//   pixels: combined across columns
//   codes, stored as a word
//
// A column belongs to all pixels whose windows have it. Windows of many taps
// are walked by loops, one pixel at a time.
//
//===----------------------------------------------------------------------===//

#include "WindowLoads.h"

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

/// Taps for which all code is written out.
static constexpr int64_t maxTaps = 64;

/// The loop of channels: the last dimension of input and result, in both of
/// which it is contiguous.
static std::optional<unsigned> findChannelLoop(PoolOp op) {
  SmallVector<AffineMap> maps = op.getOperandMaps();
  unsigned numLoops = maps[0].getNumDims();
  std::optional<unsigned> channel;
  Value operands[] = {op.getInput(), op.getInit()};
  for (auto [map, value] : llvm::zip_equal(maps, operands)) {
    if (map.getNumResults() == 0)
      return std::nullopt;
    auto loop = dyn_cast<AffineDimExpr>(map.getResult(map.getNumResults() - 1));
    if (!loop || (channel && *channel != loop.getPosition()))
      return std::nullopt;
    channel = loop.getPosition();
    // Nothing else moves along it.
    for (AffineExpr expr : map.getResults().drop_back())
      if (getLinearExpr(expr, numLoops)->factors[*channel] != 0)
        return std::nullopt;
    if (auto type = dyn_cast<MemRefType>(value.getType())) {
      SmallVector<int64_t> strides;
      int64_t offset;
      if (failed(type.getStridesAndOffset(strides, offset)) ||
          strides.back() != 1)
        return std::nullopt;
    }
  }
  return channel;
}

std::string quant_mlir::findNoGPUKernelReason(PoolOp op,
                                              const GPUTarget &target) {
  AffineAttr params = op.getParams();
  if (!numerics::isInteger(params.getStorage()) ||
      numerics::bitWidth(params.getStorage()) != 8)
    return "codes are not integers of 8 bits";
  if (op.getWide())
    return "an int32 may not hold its sum";
  std::optional<unsigned> channel = findChannelLoop(op);
  if (!channel)
    return "channels are not the innermost dimension of input and result";
  auto form = cast<IntegerFormOpInterface>(op.getOperation());
  SmallVector<int64_t> sizes = form.getStaticLoopSizes();
  if (ShapedType::isDynamic(sizes[*channel]) || sizes[*channel] == 0)
    return "the number of channels is not known, or 0";
  ArrayRef<int64_t> padding = form.getInputPadding();
  if (!padding.empty() && (padding[padding.size() - 2] || padding.back()))
    return "channels are padded";
  uint64_t taps = 1;
  for (auto [loop, size] : llvm::enumerate(sizes)) {
    if (form.isParallelLoop(loop))
      continue;
    if (ShapedType::isDynamic(size))
      return "the size of its window is not known";
    taps *= size;
  }
  if (std::optional<uint64_t> most = target.getMaxIterations();
      most && taps > *most)
    return "its window has more taps than every device takes steps";
  return taps == 0 ? "its window is empty" : "";
}

namespace {
class PoolKernel {
public:
  PoolKernel(PoolOp op, const GPUTarget &target, OpBuilder &hostBuilder)
      : op(op), target(target),
        kernel(hostBuilder, op.getLoc(), "pool", target), body(kernel.body),
        builder(kernel.body.builder), loc(op.getLoc()), params(op.getParams()),
        isMax(op.getKind() == PoolKind::Max),
        isSigned(numerics::isSignedInteger(params.getStorage())) {}

  void build();

private:
  using Values = SmallVector<Value>;
  using Steps = WindowLoads::Steps;

  /// A word of codes as vector<4xi32>.
  Value widen(Value word);
  Value combine(Value a, Value b) {
    if (!a)
      return b;
    return isMax ? Value(arith::MaxSIOp::create(builder, loc, a, b))
                 : Value(arith::AddIOp::create(builder, loc, a, b));
  }
  /// Sums or maxima of all taps of `pixel`, and how many count, i32.
  std::pair<Value, Value> walkTaps(int64_t pixel);
  std::pair<Value, Value> walkLoops(ArrayRef<Value> ivs, Value channelWord);
  Value buildCodes(Value total, Value count);
  void store(ArrayRef<Value> ivs, Value channelWord, Value codes);
  Value constantI8(int64_t value) {
    Type i8 = builder.getIntegerType(8);
    return arith::ConstantOp::create(
        builder, loc,
        builder.getIntegerAttr(i8, APInt(8, value, /*isSigned=*/true,
                                         /*implicitTrunc=*/true)));
  }
  /// Whether elements of the padding are not among those that are counted.
  bool countsElements() {
    return !isMax && !op.getCountPadding() &&
           llvm::any_of(op.getInputPadding(),
                        [](int64_t size) { return size != 0; });
  }
  Value toNumber(Value condition) {
    if (!condition)
      return body.constantI32(1);
    return arith::ExtUIOp::create(builder, loc, builder.getI32Type(),
                                  condition);
  }

  PoolOp op;
  const GPUTarget &target;
  GPUKernel kernel;
  GPUBuilder &body;
  OpBuilder &builder;
  Location loc;
  AffineAttr params;
  bool isMax, isSigned;
  SmallVector<OpFoldResult> sizes;
  SmallVector<unsigned> window, across, down;
  unsigned channel = 0;
  std::optional<unsigned> pixelLoop;
  int64_t taps = 1;
  FlatOperand init;
  bool storesWords = false;
  std::optional<WindowLoads> loads;
  std::map<std::vector<int64_t>, Value> columns;
};
} // namespace

Value PoolKernel::widen(Value word) {
  Values codes;
  auto shift = [&](int64_t bits) { return body.constantI32(bits); };
  for (int64_t i = 0; i < laneChannels; ++i) {
    Value code = word;
    if (isSigned) {
      if (i != laneChannels - 1)
        code = arith::ShLIOp::create(builder, loc, code, shift(24 - 8 * i));
      code = arith::ShRSIOp::create(builder, loc, code, shift(24));
    } else {
      if (i != 0)
        code = arith::ShRUIOp::create(builder, loc, code, shift(8 * i));
      code = arith::AndIOp::create(builder, loc, code, shift(0xFF));
    }
    codes.push_back(code);
  }
  return vector::FromElementsOp::create(
      builder, loc, VectorType::get({laneChannels}, builder.getI32Type()),
      codes);
}

std::pair<Value, Value> PoolKernel::walkTaps(int64_t pixel) {
  Value total, count;
  SmallVector<Steps> downSteps = listSteps(down, sizes);
  for (Steps steps : listSteps(across, sizes)) {
    if (pixelLoop)
      steps[*pixelLoop] = pixel;
    Value &column = columns[loads->getPlace(steps)];
    bool isNew = !column;
    for (const Steps &inColumn : downSteps) {
      Steps tap = steps;
      for (unsigned loop : down)
        tap[loop] = inColumn[loop];
      if (isNew)
        column = combine(column, widen(loads->load(tap)));
      if (!countsElements())
        continue;
      Value one = toNumber(loads->exists(tap));
      count =
          count ? Value(arith::AddIOp::create(builder, loc, count, one)) : one;
    }
    total = combine(total, column);
  }
  return {total, count};
}

std::pair<Value, Value> PoolKernel::walkLoops(ArrayRef<Value> pixelIvs,
                                              Value channelWord) {
  auto type = VectorType::get({laneChannels}, builder.getI32Type());
  Value start = arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(
          type, builder.getI32IntegerAttr(isMax && isSigned ? -128 : 0)));
  Values ivs(pixelIvs), inits{start};
  Value code =
      constantI8(isMax ? (isSigned ? -128 : 0) : getTensorZeroPoint(params));
  if (countsElements())
    inits.push_back(body.constantI32(0));
  std::function<Values(unsigned, ValueRange)> walk =
      [&](unsigned depth, ValueRange carried) -> Values {
    if (depth < window.size())
      return body.forCarry(body.attr(0), sizes[window[depth]], carried,
                           [&](Value iv, ValueRange inner) {
                             ivs[window[depth]] = iv;
                             return walk(depth + 1, inner);
                           });
    loads->place(ivs, channelWord, code);
    Steps none(sizes.size(), 0);
    Values results{combine(carried[0], widen(loads->load(none)))};
    if (countsElements())
      results.push_back(arith::AddIOp::create(builder, loc, carried[1],
                                              toNumber(loads->exists(none))));
    return results;
  };
  Values results = walk(0, inits);
  return {results[0], countsElements() ? results[1] : Value()};
}

/// vector<4xi8> of docs/numerics.md section 6.
Value PoolKernel::buildCodes(Value total, Value count) {
  ElementArith arith(builder, loc, total);
  numerics::CodeRange range =
      getBoundedRange(params, op.getLow(), op.getHigh());
  if (isMax) {
    auto bound = [&](double code) { return arith.intConstant(int64_t(code)); };
    total = arith::MaxSIOp::create(builder, loc, total, bound(range.min));
    total = arith::MinSIOp::create(builder, loc, total, bound(range.max));
    return arith.cast<arith::TruncIOp>(arith.intType(8), total);
  }
  // What padding holds is the zero point, so that all taps are counted here.
  int32_t zeroPoint = getTensorZeroPoint(params);
  total = arith.sub(total, arith.intConstant(zeroPoint * taps));
  Value sums = arith.cast<arith::SIToFPOp>(arith.f32(), total);
  Value divisor = count ? count : body.constantI32(taps);
  divisor =
      arith::SIToFPOp::create(builder, loc, builder.getF32Type(), divisor);
  // One by one: targets that divide in steps of their own know scalars.
  Values quotients;
  for (int64_t i = 0; i < laneChannels; ++i)
    quotients.push_back(arith::DivFOp::create(
        builder, loc, vector::ExtractOp::create(builder, loc, sums, i),
        divisor));
  Value value =
      vector::FromElementsOp::create(builder, loc, sums.getType(), quotients);
  return buildRequantize(arith, value, zeroPoint, range);
}

void PoolKernel::store(ArrayRef<Value> ivs, Value channelWord, Value codes) {
  Value at = body.address(init, ivs);
  if (storesWords) {
    Value word = vector::BitCastOp::create(
        builder, loc, VectorType::get({1}, builder.getI32Type()), codes);
    word = vector::ExtractOp::create(builder, loc, word, 0);
    memref::StoreOp::create(builder, loc, word, init.base,
                            ValueRange(body.sum(at, channelWord)));
    return;
  }
  int64_t channels = *getConstantIntValue(sizes[channel]);
  Value first = body.times(channelWord, laneChannels);
  for (int64_t i = 0; i < laneChannels; ++i) {
    Value number = body.sum(first, body.attr(i));
    OpBuilder::InsertionGuard guard(builder);
    if (channels % laneChannels > 0 && i >= channels % laneChannels) {
      auto branch = scf::IfOp::create(builder, loc,
                                      body.isLess(number, body.attr(channels)));
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    Value code = vector::ExtractOp::create(builder, loc, codes, i);
    memref::StoreOp::create(builder, loc, code, init.base,
                            ValueRange(body.sum(at, number)));
  }
}

void PoolKernel::build() {
  KernelBuilder &host = kernel.host;
  auto form = cast<IntegerFormOpInterface>(op.getOperation());
  SmallVector<AffineMap> maps = op.getOperandMaps();
  ArrayRef<int64_t> padding = form.getInputPadding();
  sizes = form.getLoopSizes(host.builder, loc);
  channel = *findChannelLoop(op);
  init = host.flattenWhole(op.getInit(), maps[1]);
  SmallVector<unsigned> parallel;
  for (unsigned loop = 0; loop < sizes.size(); ++loop)
    if (!form.isParallelLoop(loop))
      window.push_back(loop);
    else if (loop != channel)
      parallel.push_back(loop);
  for (unsigned loop : window)
    taps *= *getConstantIntValue(sizes[loop]);
  bool isRolled = taps > maxTaps;
  if (!isRolled)
    pixelLoop = findPixelLoop(parallel, init, sizes);
  int64_t pixels =
      choosePixels(maps[0], pixelLoop, window, channel, sizes, target);
  // Loops that walk what pixels walk go across columns.
  for (unsigned loop : window) {
    bool isAcross = false;
    for (AffineExpr expr : maps[0].getResults()) {
      LinearExpr linear = *getLinearExpr(expr, sizes.size());
      isAcross |= pixelLoop && linear.factors[*pixelLoop] != 0 &&
                  linear.factors[loop] != 0;
    }
    (isAcross ? across : down).push_back(loop);
  }
  loads.emplace(kernel, op.getInput(), maps[0], padding,
                host.flattenWhole(op.getInput(), maps[0], padding), sizes,
                channel, pixelLoop, pixels);
  SmallVector<unsigned> outer;
  for (unsigned loop : orderLoops(init, parallel))
    if (loop != pixelLoop)
      outer.push_back(loop);
  storesWords = takesWords(init, sizes, channel);
  if (storesWords)
    viewAs(host, init, host.builder.getI32Type());
  init = kernel.import(init, Access::Write);

  SmallVector<OpFoldResult> space;
  for (unsigned loop : outer)
    space.push_back(sizes[loop]);
  OpFoldResult numPixels = pixelLoop ? sizes[*pixelLoop] : body.attr(1);
  space.push_back(ceilDiv(host, numPixels, pixels));
  space.push_back(ceilDiv(host, sizes[channel], laneChannels));
  kernel.forEach(space, [&](ValueRange positions) {
    Values ivs(sizes.size());
    for (auto [loop, position] : llvm::zip(outer, positions))
      ivs[loop] = position;
    Value channelWord = positions.back();
    if (isRolled) {
      auto [total, count] = walkLoops(ivs, channelWord);
      return store(ivs, channelWord, buildCodes(total, count));
    }
    Value firstPixel = body.times(positions[positions.size() - 2], pixels);
    if (pixelLoop)
      ivs[*pixelLoop] = firstPixel;
    loads->place(
        ivs, channelWord,
        constantI8(isMax ? (isSigned ? -128 : 0) : getTensorZeroPoint(params)));
    SmallVector<std::pair<Value, Value>> totals;
    for (int64_t pixel = 0; pixel < pixels; ++pixel)
      totals.push_back(walkTaps(pixel));
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      Value number = body.sum(firstPixel, body.attr(pixel));
      Values pixelIvs(ivs);
      if (pixelLoop)
        pixelIvs[*pixelLoop] = number;
      OpBuilder::InsertionGuard guard(builder);
      if (Value exists =
              buildExists(kernel, number, pixel, numPixels, pixels)) {
        auto branch = scf::IfOp::create(builder, loc, exists);
        builder.setInsertionPointToStart(branch.thenBlock());
      }
      store(pixelIvs, channelWord,
            buildCodes(totals[pixel].first, totals[pixel].second));
    }
  });
}

void quant_mlir::buildPoolKernel(PoolOp op, const GPUTarget &target,
                                 OpBuilder &builder) {
  PoolKernel(op, target, builder).build();
}

//===- WindowLoads.cpp - Four channels under a window ---------------------===//

#include "WindowLoads.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

std::optional<unsigned>
quant_mlir::findPixelLoop(ArrayRef<unsigned> rows, const FlatOperand &init,
                          ArrayRef<OpFoldResult> sizes) {
  SmallVector<unsigned> moving(
      llvm::make_filter_range(orderLoops(init, rows), [&](unsigned loop) {
        return getConstantIntValue(sizes[loop]) != 1;
      }));
  if (moving.empty())
    return std::nullopt;
  return moving.back();
}

int64_t quant_mlir::choosePixels(AffineMap map,
                                 std::optional<unsigned> pixelLoop,
                                 ArrayRef<unsigned> window,
                                 unsigned channelLoop,
                                 ArrayRef<OpFoldResult> sizes,
                                 const GPUTarget &target) {
  constexpr int64_t most = 4;
  if (!pixelLoop)
    return 1;
  std::optional<int64_t> pixels = getConstantIntValue(sizes[*pixelLoop]);
  if (!pixels)
    return most;
  // How far windows are apart and reach, along what pixels walk.
  int64_t step = 1, reach = 1;
  for (AffineExpr expr : map.getResults()) {
    LinearExpr linear = *getLinearExpr(expr, sizes.size());
    if (linear.factors[*pixelLoop] == 0)
      continue;
    step = std::abs(linear.factors[*pixelLoop]);
    for (unsigned loop : window)
      reach += (*getConstantIntValue(sizes[loop]) - 1) *
               std::abs(linear.factors[loop]);
  }
  // Invocations for each group of pixels.
  std::optional<int64_t> others =
      llvm::divideCeil(*getConstantIntValue(sizes[channelLoop]), laneChannels);
  for (auto [loop, size] : llvm::enumerate(sizes)) {
    if (loop == *pixelLoop || loop == channelLoop ||
        llvm::is_contained(window, loop))
      continue;
    std::optional<int64_t> known = getConstantIntValue(size);
    others = others && known ? std::optional<int64_t>(*others * *known)
                             : std::nullopt;
  }
  int64_t best = 1, fewest = INT64_MAX;
  for (int64_t count = 1; count <= std::min(most, *pixels); ++count) {
    int64_t groups = llvm::divideCeil(*pixels, count);
    bool isBusy = !others || groups * *others >=
                                 target.getNumCores() * target.getGroupSize();
    int64_t columns =
        groups * std::min(count * reach, (count - 1) * step + reach);
    if (count > 1 && (!isBusy || columns > fewest))
      continue;
    best = count;
    fewest = columns;
  }
  return best;
}

bool quant_mlir::takesWords(FlatOperand &operand, ArrayRef<OpFoldResult> sizes,
                            unsigned channelLoop) {
  auto isWhole = [](OpFoldResult number) {
    std::optional<int64_t> known = getConstantIntValue(number);
    return known && *known % laneChannels == 0;
  };
  Builder builder(operand.element.getContext());
  bool takes = isWhole(sizes[channelLoop]) && isWhole(operand.start);
  for (auto [loop, stride] : llvm::enumerate(operand.strides)) {
    if (loop == channelLoop || getConstantIntValue(sizes[loop]) == 1)
      stride = builder.getIndexAttr(0);
    takes &= isWhole(stride);
  }
  return takes;
}

SmallVector<SmallVector<int64_t>>
quant_mlir::listSteps(ArrayRef<unsigned> order, ArrayRef<OpFoldResult> sizes) {
  SmallVector<SmallVector<int64_t>> all{SmallVector<int64_t>(sizes.size(), 0)};
  for (unsigned loop : order) {
    SmallVector<SmallVector<int64_t>> next;
    for (const SmallVector<int64_t> &steps : all)
      for (int64_t i = 0, e = *getConstantIntValue(sizes[loop]); i < e; ++i) {
        next.push_back(steps);
        next.back()[loop] = i;
      }
    all = std::move(next);
  }
  return all;
}

Value quant_mlir::buildExists(GPUKernel &kernel, Value number, int64_t pixel,
                              OpFoldResult size, int64_t pixels) {
  std::optional<int64_t> known = getConstantIntValue(size);
  if (pixel == 0 || (known && *known % pixels == 0))
    return Value();
  return kernel.body.isLess(number, kernel.import(size));
}

WindowLoads::WindowLoads(GPUKernel &kernel, Value buffer, AffineMap map,
                         ArrayRef<int64_t> padding, FlatOperand hostInput,
                         ArrayRef<OpFoldResult> sizes, unsigned channelLoop,
                         std::optional<unsigned> pixelLoop, int64_t pixels)
    : body(kernel.body) {
  KernelBuilder &host = kernel.host;
  channels = *getConstantIntValue(sizes[channelLoop]);
  std::optional<int64_t> numPixels =
      pixelLoop ? getConstantIntValue(sizes[*pixelLoop])
                : std::optional<int64_t>(1);
  bool hasRest = pixels > 1 && (!numPixels || *numPixels % pixels != 0);
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    exprs.push_back(*getLinearExpr(expr, map.getNumDims()));
    low.push_back(padding.empty() ? 0 : padding[2 * dim]);
    bool isPadded =
        !padding.empty() && (padding[2 * dim] || padding[2 * dim + 1]);
    if (isPadded || (hasRest && exprs.back().factors[*pixelLoop] != 0))
      checked.push_back({unsigned(dim),
                         kernel.import(memref::getMixedSize(
                             host.builder, host.loc, buffer, dim)),
                         Value(),
                         {}});
  }
  isWords = takesWords(hostInput, sizes, channelLoop);
  if (isWords)
    viewAs(host, hostInput, host.builder.getI32Type());
  input = kernel.import(hostInput, Access::Read);
}

void WindowLoads::place(ArrayRef<Value> ivs, Value word, Value code) {
  loads.clear();
  channelWord = word;
  padding = code;
  if (isWords && !checked.empty()) {
    paddingWord = arith::ExtUIOp::create(body.builder, body.loc,
                                         body.builder.getI32Type(), code);
    paddingWord = arith::MulIOp::create(body.builder, body.loc, paddingWord,
                                        body.constantI32(0x01010101));
  }
  base = body.address(input, ivs);
  if (isWords)
    base = body.sum(base, channelWord);
  for (CheckedDim &dim : checked) {
    dim.inside.clear();
    const LinearExpr &expr = exprs[dim.dim];
    OpFoldResult position = body.attr(expr.constant - low[dim.dim]);
    for (auto [factor, iv] : llvm::zip_equal(expr.factors, ivs))
      if (factor != 0 && iv)
        position = body.add(position, body.mul(iv, body.attr(factor)));
    dim.base = body.index(position);
  }
}

static int64_t getStep(const LinearExpr &expr,
                       const WindowLoads::Steps &steps) {
  int64_t sum = 0;
  for (auto [factor, step] : llvm::zip_equal(expr.factors, steps))
    sum += factor * step;
  return sum;
}

std::vector<int64_t> WindowLoads::getPlace(const Steps &steps) const {
  std::vector<int64_t> place;
  for (const LinearExpr &expr : exprs)
    place.push_back(getStep(expr, steps));
  return place;
}

Value WindowLoads::exists(const Steps &steps) {
  Value all;
  for (CheckedDim &dim : checked) {
    int64_t step = getStep(exprs[dim.dim], steps);
    Value &inside = dim.inside[step];
    if (!inside)
      inside = body.isLess(body.sum(dim.base, body.attr(step)), dim.size);
    all = body.both(all, inside);
  }
  return all;
}

Value WindowLoads::loadWord(Value at, Value exists) {
  Value word = memref::LoadOp::create(body.builder, body.loc, input.base,
                                      ValueRange(at));
  return exists ? body.select(exists, word, paddingWord) : word;
}

Value WindowLoads::loadBytes(Value at, Value exists) {
  OpBuilder &builder = body.builder;
  Location loc = body.loc;
  Values bytes;
  Value first = body.times(channelWord, laneChannels);
  for (int64_t i = 0; i < laneChannels; ++i) {
    Value channel = body.sum(first, body.attr(i));
    if (channels % laneChannels != 0)
      channel = arith::MinUIOp::create(builder, loc, channel,
                                       body.index(channels - 1));
    Value code = memref::LoadOp::create(builder, loc, input.base,
                                        ValueRange(body.sum(at, channel)));
    bytes.push_back(exists ? body.select(exists, code, padding) : code);
  }
  Value vector = vector::FromElementsOp::create(
      builder, loc, VectorType::get({laneChannels}, builder.getIntegerType(8)),
      bytes);
  Value word = vector::BitCastOp::create(
      builder, loc, VectorType::get({1}, builder.getI32Type()), vector);
  return vector::ExtractOp::create(builder, loc, word, 0);
}

Value WindowLoads::load(const Steps &steps) {
  Value &value = loads[getPlace(steps)];
  if (value)
    return value;
  OpFoldResult at = base;
  for (auto [stride, step] : llvm::zip_equal(input.strides, steps))
    if (step != 0)
      at = body.add(at, body.mul(stride, body.attr(step)));
  Value there = exists(steps), index = body.index(at);
  // Instead of a branch, the first element of the buffer.
  if (there)
    index = body.select(there, index, body.index(0));
  value = isWords ? loadWord(index, there) : loadBytes(index, there);
  return value;
}

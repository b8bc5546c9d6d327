//===- DepthwiseEpilogue.cpp - From sums of a depthwise kernel to results -===//
//
// docs/numerics.md section 6, operation by operation and in its order. Four
// registers of accumulators become codes together: x86 packs them. Values are
// stored four channels at a time, as they lie in the registers.
//
//===----------------------------------------------------------------------===//

#include "CodeRegisters.h"
#include "DepthwiseKernel.h"

#include "quant-mlir/Conversion/Utils/RequantizeArith.h"

using namespace mlir;
using namespace quant_mlir;

DepthwiseKernel::Values DepthwiseKernel::loadResidual(const Channels &channels,
                                                      Value index) {
  Values registers;
  bool isInOrder = channels.registers == 1;
  if (isInOrder || residual.getStride(channel) == 0 ||
      !residual.element.isInteger()) {
    for (int64_t j = 0; j < channels.registers; ++j)
      registers.push_back(loadElements(channels, residual, index, j));
    return registers;
  }
  // All codes at once: words of them are registers in another order.
  Value codes = loadPart(residual, index, channels.count(), channels.valid);
  for (int64_t j = 0; j < channels.registers; ++j) {
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < channels.dot.getLanes(); ++i)
      mask.push_back(i / 4 * 16 + 4 * j + i % 4);
    registers.push_back(shuffle(codes, codes, mask));
  }
  return registers;
}

Value DepthwiseKernel::finishRegister(const Channels &channels,
                                      const PixelSums &sums, Value residual,
                                      int64_t j) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Value sum = sums.products[j];
  ElementArith arith(builder, loc, sum);
  if (!channels.zeroPoints.empty())
    sum = arith.sub(sum, arith::MulIOp::create(builder, loc, sums.codes[j],
                                               channels.zeroPoints[j]));
  Value value = arith.mulf(arith.cast<arith::SIToFPOp>(arith.f32(), sum),
                           channels.multipliers[j]);
  if (minvals.type) {
    // sum(x - zx)
    Value zeros = arith::MulIOp::create(
        builder, loc, channels.zeroPoint,
        arith::ConstantIntOp::create(builder, loc, builder.getI32Type(),
                                     numTaps()));
    Value centred = arith.sub(sums.codes[j], splat(channels, zeros));
    value = arith.addf(
        value, arith.mulf(arith.cast<arith::SIToFPOp>(arith.f32(), centred),
                          channels.minvalMultipliers[j]));
  }
  if (op.getBias() && !bias.element.isInteger())
    value = arith.addf(value, channels.bias[j]);
  if (residual)
    value = arith.addf(value, buildResidualTerm(arith, residual, op));
  return value;
}

Value DepthwiseKernel::buildCodes(const Channels &channels,
                                  ArrayRef<Value> values) {
  AffineAttr params = *op.getInitParams();
  int32_t zeroPoint = getTensorZeroPoint(params);
  numerics::CodeRange range =
      getBoundedRange(params, op.getLow(), op.getHigh());
  if (channels.registers == 1)
    return buildRequantize(
        ElementArith(kernel.builder, kernel.loc, values.front()),
        values.front(), zeroPoint, range);
  Values numbers(values);
  // What is no number has the code of 0.0, and packing makes it the least one.
  // A sum of codes times a constant is a number.
  bool isNumber = !op.isDynamic() &&
                  (!op.getResidual() || op.getResidualParams()) &&
                  (!op.getBias() || bias.element.isInteger());
  if (!isNumber)
    for (Value &value : numbers) {
      ElementArith arith(kernel.builder, kernel.loc, value);
      value = arith.select(arith.cmp(arith::CmpFPredicate::UNO, value, value),
                           arith.floatConstant(0.0), value);
    }
  return buildInterleavedCodes(kernel, target, numbers, zeroPoint, range,
                               numerics::isSignedInteger(params.getStorage()));
}

void DepthwiseKernel::storeRegister(const Channels &channels, Value first,
                                    int64_t j, Value value) {
  if (channels.registers == 1)
    return storePart(init, first, value, channels.valid);
  for (int64_t lane = 0; lane < channels.dot.getLanes() / 4; ++lane) {
    int64_t from = 16 * lane + 4 * j;
    int64_t exist = std::min<int64_t>(channels.valid - from, 4);
    if (exist <= 0)
      continue;
    Value piece = vector::ExtractStridedSliceOp::create(
        kernel.builder, kernel.loc, value, ArrayRef<int64_t>(4 * lane),
        ArrayRef<int64_t>(4), ArrayRef<int64_t>(1));
    storePart(init, at(first, from), piece, exist);
  }
}

void DepthwiseKernel::finishPixel(const Channels &channels,
                                  const PixelSums &sums, Value index,
                                  Value residualIndex) {
  Values added(channels.registers), values;
  if (residual.base)
    added = loadResidual(channels, residualIndex);
  for (int64_t j = 0; j < channels.registers; ++j)
    values.push_back(finishRegister(channels, sums, added[j], j));
  if (op.getInitParams())
    return storePart(init, index, buildCodes(channels, values), channels.valid);
  for (auto [j, value] : llvm::enumerate(values))
    storeRegister(
        channels, index, j,
        buildContractResult(ElementArith(kernel.builder, kernel.loc, value),
                            value, op));
}

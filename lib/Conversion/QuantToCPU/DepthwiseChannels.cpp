//===- DepthwiseChannels.cpp - Numbers of a depthwise kernel's channels ---===//
//
// Weights, zero points, multipliers and bias: what is known before pixels, for
// all rows, and what a scale of lhs makes of it. In the order of registers
// (DepthwiseRegisters.cpp).
//
//===----------------------------------------------------------------------===//

#include "DepthwiseKernel.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

FlatOperand DepthwiseKernel::flattenRow(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> results(type.getRank(),
                                  getAffineConstantExpr(0, context));
  FlatOperand operand =
      kernel.flatten(buffer, AffineMap::get(1, 0, results, context));
  operand.strides.assign(1, attr(1));
  return operand;
}

DepthwiseKernel::ChannelNumbers
DepthwiseKernel::placeNumbers(StringRef name, Type type,
                              llvm::function_ref<float(int64_t)> get) {
  RhsUnits units(op);
  std::vector<float> values;
  for (int64_t unit : units.along(*op.getRhsMap().getResultPosition(
           getAffineDimExpr(channel, op.getContext()))))
    values.push_back(get(unit));
  ChannelNumbers numbers;
  numbers.type = type;
  if (llvm::all_equal(values)) {
    numbers.same = values.front();
    return numbers;
  }
  auto tensor = RankedTensorType::get({int64_t(values.size())}, type);
  DenseElementsAttr elements;
  if (type.isInteger())
    elements = DenseElementsAttr::get(
        tensor, ArrayRef(std::vector<int32_t>(values.begin(), values.end())));
  else
    elements = DenseElementsAttr::get(tensor, ArrayRef(values));
  numbers.global =
      flattenRow(kernel.constant(("depthwise_" + name).str(), elements));
  return numbers;
}

void DepthwiseKernel::placeConstants() {
  RhsUnits units(op);
  Type f32 = kernel.builder.getF32Type(), i32 = kernel.builder.getI32Type();
  scales = placeNumbers("multipliers", f32, [&](int64_t unit) {
    return units.getMultiplier(unit);
  });
  if (units.hasMinval())
    minvals = placeNumbers("minvals", f32,
                           [&](int64_t unit) { return units.getMinval(unit); });
  // Of codes as they are in the operation, and as they are stored.
  rhsZeros = placeNumbers("zero_points", i32, [&](int64_t unit) {
    return units.getZeroPoint(unit);
  });
  int64_t moved = op.getLayout()->getOffset();
  rhsOffsets = placeNumbers("offsets", i32, [&](int64_t unit) {
    return units.getZeroPoint(unit) + moved;
  });
  needsCodeSums = units.hasMinval() || rhsOffsets.same != 0.0f;
}

/// As many zero points as a row of the window reads from one place on: a
/// constant, or, where only the run time knows it, a place on the stack.
void DepthwiseKernel::placePadding() {
  if (window.paddedDims.empty())
    return;
  int64_t behind = 0;
  if (pixelStep) {
    int64_t steps = getNumSteps();
    behind = steps < 2 ? window.endWhole - 1
                       : std::max(window.firstWhole, stepPixels - 1);
    int64_t size = loops.sizes[*window.pixelLoop];
    behind = std::max(
        behind,
        size - 1 - (steps < 2 ? 0 : window.firstWhole + steps * stepPixels));
  }
  int64_t size = behind * pixelStep.value_or(0) +
                 (window.numColumns - 1) * columnStep +
                 getRegisters() * dot.getLanes();
  if (zeroPoint.base) {
    OpBuilder &builder = kernel.builder;
    padding = flattenRow(memref::AllocaOp::create(
        builder, kernel.loc, MemRefType::get({size}, lhs.element),
        builder.getI64IntegerAttr(64)));
    Value code = buildZeroCode();
    kernel.forPieces(
        attr(size), target.getVectorBytes(), [&](Value iv, int64_t count) {
          auto type = VectorType::get({count}, lhs.element);
          kernel.store(
              padding, iv,
              vector::BroadcastOp::create(builder, kernel.loc, type, code));
        });
    return;
  }
  auto type = RankedTensorType::get({size}, lhs.element);
  APInt zero(8, lhsZeroPoint, /*isSigned=*/true, /*implicitTrunc=*/true);
  padding = flattenRow(
      kernel.constant("padding", DenseElementsAttr::get(type, zero)));
}

Value DepthwiseKernel::buildZeroCode() {
  Value wide = memref::LoadOp::create(
      kernel.builder, kernel.loc, zeroPoint.base,
      ValueRange(kernel.address(zeroPoint, SmallVector<Value>(sizes.size()))));
  return arith::TruncIOp::create(kernel.builder, kernel.loc, lhs.element, wide);
}

//===----------------------------------------------------------------------===//
// Channels that are computed together
//===----------------------------------------------------------------------===//

DepthwiseKernel::Channels DepthwiseKernel::loadChannels(Value first,
                                                        Value panelAt,
                                                        int64_t inPanel,
                                                        int64_t left) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Channels channels(chooseDot(left), getRegisters());
  channels.valid = std::min(left, channels.count());
  channels.weights = loadWeights(channels, panelAt, inPanel);
  Value biasAt;
  if (op.getBias()) {
    SmallVector<Value> ivs(sizes.size());
    ivs[channel] = first;
    biasAt = kernel.address(bias, ivs);
  }
  bool hasLhsZero = zeroPoint.base || lhsZero != 0;
  for (int64_t j = 0; j < channels.registers; ++j) {
    if (hasLhsZero) {
      Value columns = loadRegister(channels, sums, first, j, 1, channels.valid);
      ElementArith arith(builder, loc, columns);
      // sum(w - zw)
      if (rhsZeros.same != 0.0f)
        columns = arith.sub(
            columns,
            arith::MulIOp::create(builder, loc,
                                  loadNumbers(channels, rhsZeros, first, j),
                                  arith.intConstant(numTaps())));
      channels.sums.push_back(columns);
    }
    if (op.getBias()) {
      Value added = loadElements(channels, bias, biasAt, j);
      ElementArith arith(builder, loc, added);
      channels.bias.push_back(
          bias.element.isInteger() ? added : buildResultBias(arith, added, op));
    }
    channels.scales.push_back(loadNumbers(channels, scales, first, j));
    if (minvals.type)
      channels.minvals.push_back(loadNumbers(channels, minvals, first, j));
    if (rhsOffsets.same != 0.0f)
      channels.zeroPoints.push_back(
          loadNumbers(channels, rhsOffsets, first, j));
  }
  if (window.columnDim) {
    auto type = VectorType::get({channels.count()}, builder.getI8Type());
    APInt zero(8, lhsZeroPoint, /*isSigned=*/true, /*implicitTrunc=*/true);
    Value codes = zeroPoint.base
                      ? Value(vector::BroadcastOp::create(builder, loc, type,
                                                          buildZeroCode()))
                      : Value(arith::ConstantOp::create(
                            builder, loc, DenseElementsAttr::get(type, zero)));
    channels.padding = interleave(channels, Values(tapsPerColumn, codes));
  }
  return channels;
}

/// Products of columns with what codes of lhs are moved by, and with its scale.
void DepthwiseKernel::addRowNumbers(Channels &channels, ArrayRef<Value> ivs) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  auto load = [&](const FlatOperand &operand) -> Value {
    return memref::LoadOp::create(builder, loc, operand.base,
                                  ValueRange(kernel.address(operand, ivs)));
  };
  Value lhsScale;
  if (scale.base) {
    lhsScale = load(scale);
    if (!scale.element.isF32())
      lhsScale =
          arith::ExtFOp::create(builder, loc, builder.getF32Type(), lhsScale);
    lhsScale = splat(channels, lhsScale);
  }
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantIntOp::create(builder, loc, builder.getI32Type(),
                                        value);
  };
  channels.zeroPoint =
      zeroPoint.base ? arith::AddIOp::create(builder, loc, load(zeroPoint),
                                             constant(dot.getLhsOffset()))
                     : constant(lhsZero);
  for (int64_t j = 0; j < channels.registers; ++j) {
    Value start = splat(channels, constant(0));
    ElementArith arith(builder, loc, start);
    if (!channels.sums.empty())
      start = arith.sub(
          start, arith::MulIOp::create(builder, loc, channels.sums[j],
                                       splat(channels, channels.zeroPoint)));
    if (op.getBias() && bias.element.isInteger())
      start = arith.add(start, channels.bias[j]);
    channels.starts.push_back(start);
    auto scaled = [&](Value factor) {
      return lhsScale ? buildRowMultiplier(arith, lhsScale, factor, op)
                      : factor;
    };
    channels.multipliers.push_back(scaled(channels.scales[j]));
    if (minvals.type)
      channels.minvalMultipliers.push_back(scaled(channels.minvals[j]));
  }
}

DepthwiseKernel::Values DepthwiseKernel::loadWeights(const Channels &channels,
                                                     Value panelAt,
                                                     int64_t inPanel) {
  Values weights;
  for (int64_t column = 0; column < window.numColumns; ++column)
    for (int64_t number = 0; number < groups; ++number)
      for (int64_t j = 0; j < channels.registers; ++j) {
        int64_t tuple = column * tuples + number / groupsPerTuple;
        Value bytes = loadRegister(
            channels, rhs, at(panelAt, (tuple * panel + inPanel) * group), j,
            group, std::min(panel - inPanel, channels.count()));
        weights.push_back(channels.dot.unpackRhs(kernel, bytes, width,
                                                 number % groupsPerTuple));
      }
  return weights;
}

Value DepthwiseKernel::buildOnes(const Channels &channels, int64_t number) {
  OpBuilder &builder = kernel.builder;
  SmallVector<APInt> ones;
  unsigned bits = group == 4 ? 8 : group == 2 ? 16 : 32;
  for (int64_t i = 0; i < channels.dot.getLanes() * group; ++i)
    ones.push_back(
        APInt(bits, number * group + i % group < tapsPerColumn ? 1 : 0));
  auto type =
      VectorType::get({int64_t(ones.size())}, builder.getIntegerType(bits));
  return arith::ConstantOp::create(builder, kernel.loc,
                                   DenseElementsAttr::get(type, ones));
}

Value DepthwiseKernel::loadNumbers(const Channels &channels,
                                   const ChannelNumbers &numbers, Value first,
                                   int64_t j) {
  if (!numbers.same)
    return loadRegister(channels, numbers.global, first, j, 1, channels.valid);
  auto type = VectorType::get({channels.dot.getLanes()}, numbers.type);
  Attribute value =
      numbers.type.isInteger()
          ? Attribute(kernel.builder.getI32IntegerAttr(int32_t(*numbers.same)))
          : Attribute(kernel.builder.getF32FloatAttr(*numbers.same));
  return arith::ConstantOp::create(kernel.builder, kernel.loc,
                                   DenseElementsAttr::get(type, value));
}

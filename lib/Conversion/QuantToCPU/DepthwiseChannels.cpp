//===- DepthwiseChannels.cpp - Vectors of a depthwise kernel's channels ---===//
//
// Where the dot instruction sums four codes, there are four registers of
// accumulators, and the codes of four rows of the window are interleaved within
// lanes of 16 bytes, by two steps of unpacking. What comes out has channels in
// another order: register j holds channels 16 * k + 4 * j of lane k. Weights,
// bias and multipliers are loaded in that order, once, and making codes undoes
// it. Where it sums fewer, codes are widened, and one register is enough.
//
//===----------------------------------------------------------------------===//

#include "CodeRegisters.h"
#include "DepthwiseKernel.h"

#include "quant-mlir/Numerics/IntegerCompute.h"

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

void DepthwiseKernel::placeMultipliers() {
  AffineAttr params = op.getRhsParamsAttr();
  float sx = getTensorScale(*op.getLhsParams());
  float sy = getTensorScale(*op.getInitParams());
  SmallVector<float> values;
  for (float sw : params.getTensorParams().scales)
    values.push_back(numerics::requantMultiplier(sx, sw, sy));
  if (llvm::all_equal(values)) {
    sameMultiplier = values.front();
    return;
  }
  auto type = RankedTensorType::get({int64_t(values.size())},
                                    kernel.builder.getF32Type());
  multiplier = flattenRow(
      kernel.constant("depthwise_multipliers",
                      DenseElementsAttr::get(type, ArrayRef<float>(values))));
}

/// As many zero points as a row of the window reads from one place on.
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
  auto type = RankedTensorType::get({size}, lhs.element);
  APInt zero(8, getTensorZeroPoint(*op.getLhsParams()), /*isSigned=*/true,
             /*implicitTrunc=*/true);
  padding = flattenRow(
      kernel.constant("padding", DenseElementsAttr::get(type, zero)));
}

DotProduct DepthwiseKernel::chooseDot(int64_t left) const {
  int64_t lanes = dot.getLanes();
  while (getRegisters() > 1 && lanes > 4 && left < getRegisters() * lanes)
    lanes /= 2;
  return dot.withLanes(lanes);
}

DepthwiseKernel::Channels DepthwiseKernel::loadChannels(Value first,
                                                        Value panelAt,
                                                        int64_t inPanel,
                                                        int64_t left) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Channels channels{chooseDot(left), getRegisters(), 0, {}, {}, {}, {}};
  channels.valid = std::min(left, channels.count());
  for (int64_t g = 0; g < window.numColumns * groups; ++g)
    for (int64_t j = 0; j < channels.registers; ++j) {
      Value codes = loadRegister(
          channels, rhs, at(panelAt, (g * panel + inPanel) * group), j, group,
          std::min(panel - inPanel, channels.count()));
      if (group < 4)
        codes = ElementArith(builder, loc, codes)
                    .cast<arith::ExtSIOp>(
                        builder.getIntegerType(group == 1 ? 32 : 16), codes);
      channels.weights.push_back(codes);
    }
  // Sums are of codes as they are stored here, and so is what is summed.
  AffineAttr params = op.getRhsParamsAttr();
  int32_t middle = numerics::isSignedInteger(params.getStorage()) ? 0 : 128;
  int32_t zeroPoint =
      getTensorZeroPoint(*op.getLhsParams()) + dot.getLhsOffset();
  for (int64_t j = 0; j < channels.registers; ++j) {
    auto load = [&](const FlatOperand &operand) {
      return loadRegister(channels, operand, first, j, 1, channels.valid);
    };
    Value columns = load(sums);
    ElementArith arith(builder, loc, columns);
    if (middle != 0)
      columns = arith.sub(columns, middle * window.numColumns * tapsPerColumn);
    Value start = arith::MulIOp::create(builder, loc, columns,
                                        arith.intConstant(-zeroPoint));
    if (op.getBias())
      start = arith.add(start, load(bias));
    channels.starts.push_back(start);
    channels.multipliers.push_back(sameMultiplier
                                       ? arith.floatConstant(*sameMultiplier)
                                       : load(multiplier));
  }
  if (window.columnDim) {
    auto type = VectorType::get({channels.count()}, builder.getI8Type());
    APInt zero(8, getTensorZeroPoint(*op.getLhsParams()), /*isSigned=*/true,
               /*implicitTrunc=*/true);
    Value codes = arith::ConstantOp::create(builder, loc,
                                            DenseElementsAttr::get(type, zero));
    channels.padding = interleave(channels, Values(tapsPerColumn, codes));
  }
  return channels;
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

Value DepthwiseKernel::recast(Value vector, int64_t count, unsigned width) {
  return vector::BitCastOp::create(
      kernel.builder, kernel.loc,
      VectorType::get({count}, kernel.builder.getIntegerType(width)), vector);
}

/// Calls `body` for powers of two that add up to `count`: place and size.
static void forPowers(int64_t count,
                      llvm::function_ref<void(int64_t, int64_t)> body) {
  for (int64_t done = 0; done < count;) {
    int64_t size = llvm::bit_floor(uint64_t(count - done));
    body(done, size);
    done += size;
  }
}

Value DepthwiseKernel::loadPart(const FlatOperand &operand, Value index,
                                int64_t count, int64_t valid) {
  if (valid >= count)
    return kernel.load(operand, index, count);
  OpBuilder &builder = kernel.builder;
  auto type = VectorType::get({count}, operand.element);
  Value result =
      arith::ConstantOp::create(builder, kernel.loc, builder.getZeroAttr(type));
  if (target.getDotKind() == DotKind::AVX512VNNI) {
    auto mask = vector::ConstantMaskOp::create(builder, kernel.loc,
                                               type.clone(builder.getI1Type()),
                                               ArrayRef<int64_t>(valid));
    return vector::MaskedLoadOp::create(builder, kernel.loc, type, operand.base,
                                        ValueRange(index), mask, result);
  }
  forPowers(valid, [&](int64_t place, int64_t size) {
    Value piece = kernel.load(operand, at(index, place), size);
    result = vector::InsertStridedSliceOp::create(
        builder, kernel.loc, piece, result, ArrayRef<int64_t>(place),
        ArrayRef<int64_t>(1));
  });
  return result;
}

void DepthwiseKernel::storePart(const FlatOperand &operand, Value index,
                                Value vector, int64_t valid) {
  auto type = cast<VectorType>(vector.getType());
  if (valid >= type.getNumElements())
    return kernel.store(operand, index, vector);
  OpBuilder &builder = kernel.builder;
  if (target.getDotKind() == DotKind::AVX512VNNI)
    return kernel.storeFirst(operand, index, vector, valid);
  forPowers(valid, [&](int64_t place, int64_t size) {
    Value piece = vector::ExtractStridedSliceOp::create(
        builder, kernel.loc, vector, ArrayRef<int64_t>(place),
        ArrayRef<int64_t>(size), ArrayRef<int64_t>(1));
    kernel.store(operand, at(index, place), piece);
  });
}

Value DepthwiseKernel::loadRegister(const Channels &channels,
                                    const FlatOperand &operand, Value first,
                                    int64_t j, int64_t unit, int64_t valid) {
  int64_t lanes = channels.dot.getLanes();
  if (channels.registers == 1)
    return loadPart(operand, first, lanes * unit, valid * unit);
  // Pieces of four channels, one of each lane of 16 bytes of codes.
  OpBuilder &builder = kernel.builder;
  auto type = VectorType::get({lanes * unit}, operand.element);
  Value result =
      arith::ConstantOp::create(builder, kernel.loc, builder.getZeroAttr(type));
  for (int64_t lane = 0; lane < lanes / 4; ++lane) {
    int64_t from = 16 * lane + 4 * j;
    int64_t exist = std::min<int64_t>(valid - from, 4);
    if (exist <= 0)
      continue;
    Value piece =
        loadPart(operand, at(first, from * unit), 4 * unit, exist * unit);
    result = vector::InsertStridedSliceOp::create(
        builder, kernel.loc, piece, result, ArrayRef<int64_t>(4 * unit * lane),
        ArrayRef<int64_t>(1));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

void DepthwiseKernel::interleaveGroup(const Channels &channels,
                                      ArrayRef<Value> taps, Values &result) {
  OpBuilder &builder = kernel.builder;
  int64_t count = channels.count();
  // Weights of taps that do not exist are 0: any codes will do.
  auto tap = [&](unsigned i) {
    return taps[std::min<size_t>(i, taps.size() - 1)];
  };
  if (group < 4) {
    // Widened: i32, or pairs of i16.
    Type wide = builder.getIntegerType(group == 1 ? 32 : 16);
    auto widen = [&](Value codes) {
      ElementArith arith(builder, kernel.loc, codes);
      return isSigned ? arith.cast<arith::ExtSIOp>(wide, codes)
                      : arith.cast<arith::ExtUIOp>(wide, codes);
    };
    if (group == 1) {
      result.push_back(widen(taps.front()));
      return;
    }
    SmallVector<int64_t> zip;
    for (int64_t i = 0; i < count; ++i)
      zip.append({i, count + i});
    result.push_back(shuffle(widen(tap(0)), widen(tap(1)), zip));
    return;
  }
  // The lower or upper half of every lane of 16 bytes, `width` elements.
  auto unpack = [&](Value a, Value b, int64_t size, int64_t width, int half) {
    SmallVector<int64_t> mask;
    for (int64_t base = 0; base < size; base += width)
      for (int64_t i = 0; i < width / 2; ++i) {
        int64_t from = base + half * width / 2 + i;
        mask.append({from, size + from});
      }
    return shuffle(a, b, mask);
  };
  for (int half : {0, 1}) {
    Value low = unpack(tap(0), tap(1), count, 16, half);
    Value high = unpack(tap(2), tap(3), count, 16, half);
    low = recast(low, count / 2, 16);
    high = recast(high, count / 2, 16);
    for (int part : {0, 1})
      result.push_back(recast(unpack(low, high, count / 2, 8, part), count, 8));
  }
}

DepthwiseKernel::Values DepthwiseKernel::interleave(const Channels &channels,
                                                    ArrayRef<Value> taps) {
  Values moved(taps);
  if (dot.getLhsOffset() != 0)
    for (Value &codes : moved) {
      Value flip = arith::ConstantOp::create(
          kernel.builder, kernel.loc,
          DenseElementsAttr::get(cast<VectorType>(codes.getType()),
                                 APInt(8, 128)));
      codes = arith::XOrIOp::create(kernel.builder, kernel.loc, codes, flip);
    }
  Values result;
  ArrayRef<Value> left = moved;
  for (; !left.empty();
       left = left.drop_front(std::min<size_t>(group, left.size())))
    interleaveGroup(channels, left.take_front(group), result);
  return result;
}

Value DepthwiseKernel::buildCodes(const Channels &channels,
                                  ArrayRef<Value> sums) {
  AffineAttr params = *op.getInitParams();
  int32_t zeroPoint = getTensorZeroPoint(params);
  numerics::CodeRange range =
      getBoundedRange(params, op.getLow(), op.getHigh());
  Values values;
  for (auto [sum, factor] : llvm::zip_equal(sums, channels.multipliers)) {
    ElementArith arith(kernel.builder, kernel.loc, sum);
    values.push_back(
        arith.mulf(arith.cast<arith::SIToFPOp>(arith.f32(), sum), factor));
  }
  if (channels.registers == 1)
    return buildRequantize(
        ElementArith(kernel.builder, kernel.loc, values.front()),
        values.front(), zeroPoint, range);
  return buildInterleavedCodes(kernel, target, values, zeroPoint, range,
                               numerics::isSignedInteger(params.getStorage()));
}

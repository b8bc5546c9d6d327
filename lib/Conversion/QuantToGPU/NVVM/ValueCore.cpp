//===- ValueCore.cpp - Products of values on NVIDIA's tensor cores --------===//
//
// mma.sync m16n8k16 on f16 or bf16, with sums in f32: sm_80 and later. What one
// side has of codes becomes such values in registers.
//
// Weights of codes are loaded by ldmatrix as they lie in shared memory: a lane
// gets four codes of a column that follow each other, k = 4t to 4t + 3 of a
// step of 16. A fragment of lhs has two values of each half of a step, so
// halves are chosen so that a lane has the same four values of a row, which it
// loads at once:
//
//   first half   k = 4t, 4t + 1 of every t        second half   4t + 2, 4t + 3
//
//===----------------------------------------------------------------------===//

#include "ValueCore.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

MatrixUnit::Values ValueCore::getZeros() {
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  return Values(4, zero);
}

/// A stage is of 32 values, or 64.
MatrixShape ValueCore::getShape(Type lhs, bool isLong) {
  MatrixShape shape = getWarpShape(isLong || lhs.isF32() ? 8 : 4);
  if (lhs.isF32())
    shape.stepPlanes = 4;
  return shape;
}

/// Pairs of the first halves of rows, and of rows 8 further, then of the second
/// ones: one or two fragments, or three that are added.
MatrixUnit::Values ValueCore::loadLhs(const GroupStage &stage, int64_t step,
                                      int64_t product) {
  if (!decodesRhs()) {
    Values words = TensorCore::loadLhs(stage, step, product), pairs;
    if (lhsType == value) {
      for (Value word : words)
        pairs.push_back(codes.toPair(word));
      return pairs;
    }
    for (int64_t plane = 0; plane < 2; ++plane) {
      Values low = codes.convertBytes(words[2 * plane], lhsType),
             high = codes.convertBytes(words[2 * plane + 1], lhsType);
      pairs.append({low[0], high[0], low[1], high[1]});
    }
    return pairs;
  }
  // Rows l / 4 and 8 more, four values of each.
  int64_t bytes = lhsType.getIntOrFloatBitWidth() / 8,
          ofChunk = chunkBytes / (4 * bytes);
  Value inRow = body.rem(stage.lane, 4);
  Value plane =
      body.sum(body.div(inRow, ofChunk), body.attr(shape.stepPlanes * step));
  Value at = stage.lhsChunk(plane, product, body.div(stage.lane, 4));
  at = body.sum(at, body.times(body.rem(inRow, ofChunk), 4));
  SmallVector<SmallVector<Values>> rows;
  for (int64_t row : {0, 8})
    rows.push_back(
        codes.split(load(VectorType::get({4}, lhsType), stage.shared,
                         body.sum(at, body.attr(row * chunkBytes / bytes)))));
  Values fragments;
  for (auto [low, high] : llvm::zip_equal(rows[0], rows[1]))
    fragments.append({low[0], high[0], low[1], high[1]});
  return fragments;
}

SmallVector<MatrixUnit::Values> ValueCore::loadRhs(const GroupStage &stage,
                                                   int64_t step) {
  SmallVector<Values> factors;
  if (!decodesRhs()) {
    for (Values &words : TensorCore::loadRhs(stage, step)) {
      Values pairs;
      for (Value word : words) {
        if (rhsType == value)
          pairs.push_back(codes.toPair(word));
        else
          pairs.append(codes.convertBytes(word, rhsType));
      }
      factors.push_back(pairs);
    }
    return factors;
  }
  // A plane has the codes of a step, or of two steps.
  bool isSecond = stage.isNibbles && step % 2 == 1;
  Value plane = body.index(stage.isNibbles ? step / 2 : step);
  int64_t atOnce = std::min<int64_t>(stage.columnProducts, 4);
  if (!isSecond) {
    nibbles.clear();
    for (int64_t j = 0; j < stage.columnProducts; j += atOnce) {
      Value ahead = body.rem(body.div(stage.lane, 8), atOnce);
      Value at = stage.rhsChunk(plane, body.sum(ahead, body.attr(j)),
                                body.rem(stage.lane, 8));
      nibbles.append(loadMatrices(stage.shared, at, atOnce));
    }
  }
  for (auto [j, word] : llvm::enumerate(nibbles)) {
    Value offset = stage.rhsOffsets.empty() ? Value() : stage.rhsOffsets[j];
    factors.push_back(codes.decode(word, isSecond, offset));
  }
  return factors;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void ValueCore::multiply(const GroupStage &, ArrayRef<Value> lhs,
                         ArrayRef<Value> rhs, MutableArrayRef<Value> sums) {
  if (!lhsType.isF32())
    return multiplyPairs(lhs, rhs, sums);
  for (; !lhs.empty(); lhs = lhs.drop_front(4))
    multiplyPairs(lhs.take_front(4), rhs, sums);
}

/// A product with ones: all of its columns are sums of rows.
void ValueCore::addCodes(const GroupStage &, ArrayRef<Value> lhs,
                         MutableArrayRef<Value> rowSums) {
  Values sums{rowSums[0], rowSums[0], rowSums[1], rowSums[1]};
  multiplyPairs(lhs, Values(lhs.size() / 2, codes.constantPair(1)), sums);
  rowSums[0] = sums[0];
  rowSums[1] = sums[2];
}

void ValueCore::multiplyPairs(ArrayRef<Value> lhs, ArrayRef<Value> rhs,
                              MutableArrayRef<Value> sums) {
  Type f32 = builder.getF32Type();
  auto resultType = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                                     {f32, f32, f32, f32});
  std::optional<std::array<NVVM::MMATypes, 2>> types;
  if (value.isBF16())
    types = {NVVM::MMATypes::bf16, NVVM::MMATypes::bf16};
  else
    types = {NVVM::MMATypes::f16, NVVM::MMATypes::f16};
  auto toOperands = [&](ArrayRef<Value> pairs) {
    Values operands(pairs);
    if (value.isBF16())
      for (Value &operand : operands)
        operand = codes.toWord(operand);
    return operands;
  };
  for (; !lhs.empty(); lhs = lhs.drop_front(4), rhs = rhs.drop_front(2)) {
    Value result = NVVM::MmaOp::create(
        builder, loc, resultType, toOperands(lhs.take_front(4)),
        toOperands(rhs.take_front(2)), ValueRange(ArrayRef<Value>(sums)),
        ArrayRef<int64_t>{16, 8, 16}, std::nullopt, std::nullopt, types,
        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                       NVVM::MMALayout::col});
    for (int64_t i = 0; i < 4; ++i)
      sums[i] = LLVM::ExtractValueOp::create(builder, loc, result, i);
  }
}

std::unique_ptr<MatrixUnit>
quant_mlir::createValueCore(GPUBuilder &body, Type lhs, Type rhs, bool isLong) {
  return std::make_unique<ValueCore>(body, lhs, rhs, isLong);
}

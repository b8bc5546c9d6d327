//===- TensorCoreProducts.cpp - Stages of products ------------------------===//

#include "TensorCoreKernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

TensorCoreKernel::Values TensorCoreKernel::loadMatrices(Value at,
                                                        int64_t count) {
  auto type = VectorType::get({count, 4}, builder.getIntegerType(8));
  Value matrices = nvgpu::LdMatrixOp::create(
      builder, loc, type, shared, ValueRange(at), /*transpose=*/false, count);
  Values words;
  for (int64_t i = 0; i < count; ++i) {
    Value bytes = vector::ExtractOp::create(builder, loc, matrices, i);
    Value word = vector::BitCastOp::create(
        builder, loc, VectorType::get({1}, builder.getI32Type()), bytes);
    words.push_back(vector::ExtractOp::create(builder, loc, word, 0));
  }
  return words;
}

/// Four bytes of nibbles u, which are codes and 8, to words of 16 * code: of
/// the low ones and of the high ones. A shift and two operations of three
/// operands.
static std::pair<Value, Value> unpackNibbles(OpBuilder &builder, Location loc,
                                             Value word) {
  auto constant = [&](uint32_t value) -> Value {
    return arith::ConstantIntOp::create(builder, loc, builder.getI32Type(),
                                        int32_t(value));
  };
  auto take = [&](Value nibbles) -> Value {
    Value high =
        arith::AndIOp::create(builder, loc, nibbles, constant(0xF0F0F0F0));
    // u - 8 is u with its top bit flipped, as a signed nibble.
    return arith::XOrIOp::create(builder, loc, high, constant(0x80808080));
  };
  Value low = arith::ShLIOp::create(builder, loc, word, constant(4));
  return {take(low), take(word)};
}

/// sums, by row product, column product and word; behind them, where rows are
/// summed, two for each row product.
void TensorCoreKernel::multiplyStage(Value stage, MutableArrayRef<Value> sums) {
  int64_t down = rowProducts(), across = columnProducts();
  Value warpRows = mul(warpRow, warpTileRows()),
        warpColumns = mul(warpColumn, warpTileColumns());
  Value rhsStage = add(stage, attr(lhsStageBytes()));
  for (int64_t step = 0; step < stepsPerStage; ++step) {
    // lhs: matrices of rows 0 and 8 of the first plane, then of the second.
    SmallVector<Values> a;
    Value plane = add(div(lane, 16), attr(2 * step));
    Value row = bitXor(rem(lane, 16), mul(plane, 2));
    Value inPlane = add(mul(plane, tileRows), add(warpRows, row));
    for (int64_t i = 0; i < down; ++i)
      a.push_back(loadMatrices(
          add(stage, mul(add(inPlane, attr(i * matrixRows)), chunk)), 4));

    // rhs: two words for each product.
    SmallVector<std::pair<Value, Value>> b;
    int64_t atOnce = isNibbles ? std::min<int64_t>(across, 4) : 2;
    for (int64_t j = 0; j < across; j += atOnce) {
      // Which of the products at once, and which plane, a lane has the address
      // of. Lanes beyond the matrices have any.
      Value ahead = isNibbles ? rem(div(lane, 8), atOnce) : div(lane, 16);
      Value rhsPlane = isNibbles ? index(attr(step))
                                 : add(rem(div(lane, 8), 2), attr(2 * step));
      Value product = add(ahead, attr(j));
      Value column = add(mul(product, matrixColumns),
                         bitXor(rem(lane, 8), getSwizzle(product)));
      Value at = add(mul(rhsPlane, tileColumns), add(warpColumns, column));
      Values words =
          loadMatrices(add(rhsStage, mul(at, chunk)), isNibbles ? atOnce : 4);
      if (isNibbles) {
        for (Value word : words)
          b.push_back(unpackNibbles(builder, loc, word));
      } else {
        b.push_back({words[0], words[1]});
        b.push_back({words[2], words[3]});
      }
    }

    auto lhsType = isLhsSigned ? NVVM::MMATypes::s8 : NVVM::MMATypes::u8;
    Type i32 = builder.getI32Type();
    auto resultType = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                                       {i32, i32, i32, i32});
    for (int64_t i = 0; i < down; ++i)
      for (int64_t j = 0; j < across; ++j) {
        MutableArrayRef<Value> c = sums.slice((i * across + j) * 4, 4);
        Value d = NVVM::MmaOp::create(
            builder, loc, resultType, a[i], ValueRange{b[j].first, b[j].second},
            ValueRange(ArrayRef<Value>(c)), ArrayRef<int64_t>{16, 8, 32},
            std::nullopt, NVVM::MMAIntOverflow::wrapped,
            std::array<NVVM::MMATypes, 2>{lhsType, NVVM::MMATypes::s8},
            std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                           NVVM::MMALayout::col});
        for (int64_t word = 0; word < 4; ++word)
          c[word] = LLVM::ExtractValueOp::create(builder, loc, d, word);
      }

    if (!needsRowSums)
      continue;
    auto bytes = VectorType::get({4}, builder.getIntegerType(8));
    auto toBytes = [&](Value word) -> Value {
      return LLVM::BitcastOp::create(builder, loc, bytes, word);
    };
    Value ones = toBytes(constantI32(0x01010101));
    auto type = isLhsSigned ? NVVM::DotAccumulateType::SIGNED
                            : NVVM::DotAccumulateType::UNSIGNED;
    for (int64_t i = 0; i < down; ++i)
      for (int64_t word = 0; word < 4; ++word) {
        Value &sum = sums[down * across * 4 + 2 * i + word % 2];
        sum = NVVM::DotAccumulate4WayOp::create(
            builder, loc, i32, toBytes(a[i][word]), type, ones, type, sum);
      }
  }
}

/// Stage s % numStages of shared memory holds stage s of the reduction. When a
/// warp is behind the barrier of a stage, all have finished the one before,
/// whose memory is filled again.
TensorCoreKernel::Values TensorCoreKernel::reduce() {
  int64_t bytes = stageBytes();
  for (int64_t i = 0; i + 1 < numStages; ++i) {
    if (i < numSteps)
      copyStage(index(attr(i)), index(attr(i * bytes)), /*mayBeBeyond=*/false);
    else
      NVVM::CpAsyncCommitGroupOp::create(builder, loc);
  }
  int64_t count = rowProducts() * columnProducts() * 4 +
                  (needsRowSums ? 2 * rowProducts() : 0);
  Values inits(count, constantI32(0));
  inits.push_back(index(attr(0)));
  inits.push_back(index(attr((numStages - 1) * bytes)));
  Values results = kernel.body.forCarry(
      attr(0), attr(numSteps), inits, [&](Value step, ValueRange carried) {
        Values values(carried);
        Value next = values.pop_back_val(), stage = values.pop_back_val();
        NVVM::CpAsyncWaitGroupOp::create(builder, loc, numStages - 2);
        gpu::BarrierOp::create(builder, loc);
        copyStage(add(step, attr(numStages - 1)), next, /*mayBeBeyond=*/true);
        multiplyStage(stage, values);
        auto advance = [&](Value at) -> Value {
          Value after = add(at, attr(bytes));
          return arith::SelectOp::create(builder, loc,
                                         isLess(after, attr(numStages * bytes)),
                                         after, index(attr(0)));
        };
        values.push_back(advance(stage));
        values.push_back(advance(next));
        return values;
      });
  results.truncate(count);
  return results;
}

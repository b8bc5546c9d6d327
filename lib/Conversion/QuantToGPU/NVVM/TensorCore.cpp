//===- TensorCore.cpp - Products of NVIDIA's tensor cores -----------------===//
//
// mma.sync m16n8k32 on bytes, m16n8k16 for blocks of 16, whose factors ldmatrix
// loads, and three stages of cp.async, or more of small tiles: sm_80 and later.
//
//===----------------------------------------------------------------------===//

#include "TensorCore.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

MatrixShape TensorCore::getWarpShape(int64_t stagePlanes) {
  MatrixShape shape;
  shape.stagePlanes = stagePlanes;
  shape.rows = 16;
  shape.columns = 8;
  shape.lanes = 32;
  shape.laneRows = 2;
  shape.laneColumns = 2;
  shape.rowStride = 8;
  shape.stepPlanes = 2;
  shape.groups = 4;
  // ldmatrix loads the columns of two products.
  shape.minGroupColumns = 16;
  return shape;
}

TensorCore::TensorCore(GPUBuilder &body, int64_t stagePlanes)
    : MatrixUnit(body, getWarpShape(stagePlanes)) {}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

MatrixUnit::Values TensorCore::loadMatrices(Value shared, Value at,
                                            int64_t count) {
  Type element = cast<MemRefType>(shared.getType()).getElementType();
  auto type =
      VectorType::get({count, 32 / element.getIntOrFloatBitWidth()}, element);
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

/// Matrices of rows 0 and 8 of the first plane, then of the second.
MatrixUnit::Values TensorCore::loadLhs(const GroupStage &stage, int64_t step,
                                       int64_t product) {
  Value plane = body.sum(body.div(stage.lane, 16), body.attr(2 * step));
  Value at = stage.lhsChunk(plane, product, body.rem(stage.lane, 16));
  return loadMatrices(stage.shared, at, 4);
}

/// Two words for each product.
SmallVector<MatrixUnit::Values> TensorCore::loadRhs(const GroupStage &stage,
                                                    int64_t step) {
  SmallVector<Values> factors;
  int64_t atOnce =
      stage.isNibbles ? std::min<int64_t>(stage.columnProducts, 4) : 2;
  for (int64_t j = 0; j < stage.columnProducts; j += atOnce) {
    // Which of the products at once, and which plane, a lane has the address
    // of. Lanes beyond the matrices have any.
    Value ahead = stage.isNibbles ? body.rem(body.div(stage.lane, 8), atOnce)
                                  : body.div(stage.lane, 16);
    Value plane = stage.isNibbles
                      ? body.index(step)
                      : body.sum(body.rem(body.div(stage.lane, 8), 2),
                                 body.attr(2 * step));
    Value at = stage.rhsChunk(plane, body.sum(ahead, body.attr(j)),
                              body.rem(stage.lane, 8));
    Values words = loadMatrices(stage.shared, at, stage.isNibbles ? atOnce : 4);
    if (stage.isNibbles) {
      for (Value word : words)
        factors.push_back(unpackNibbles(word));
    } else {
      factors.push_back({words[0], words[1]});
      factors.push_back({words[2], words[3]});
    }
  }
  return factors;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void TensorCore::multiply(const GroupStage &stage, ArrayRef<Value> lhs,
                          ArrayRef<Value> rhs, MutableArrayRef<Value> sums) {
  auto lhsType = stage.isLhsSigned ? NVVM::MMATypes::s8 : NVVM::MMATypes::u8;
  Type i32 = builder.getI32Type();
  auto resultType = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                                     {i32, i32, i32, i32});
  Value result = NVVM::MmaOp::create(
      builder, loc, resultType, ValueRange(lhs), ValueRange(rhs),
      ValueRange(ArrayRef<Value>(sums)),
      ArrayRef<int64_t>{16, 8, int64_t(16 * rhs.size())}, std::nullopt,
      NVVM::MMAIntOverflow::wrapped,
      std::array<NVVM::MMATypes, 2>{lhsType, NVVM::MMATypes::s8},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  for (int64_t word = 0; word < 4; ++word)
    sums[word] = LLVM::ExtractValueOp::create(builder, loc, result, word);
}

void TensorCore::addCodes(const GroupStage &stage, ArrayRef<Value> lhs,
                          MutableArrayRef<Value> rowSums) {
  auto bytes = VectorType::get({4}, builder.getIntegerType(8));
  auto toBytes = [&](Value word) -> Value {
    return LLVM::BitcastOp::create(builder, loc, bytes, word);
  };
  Value ones = toBytes(body.constantI32(0x01010101));
  auto type = stage.isLhsSigned ? NVVM::DotAccumulateType::SIGNED
                                : NVVM::DotAccumulateType::UNSIGNED;
  for (size_t word = 0; word < lhs.size(); ++word) {
    Value &sum = rowSums[word % 2];
    sum = NVVM::DotAccumulate4WayOp::create(builder, loc, builder.getI32Type(),
                                            toBytes(lhs[word]), type, ones,
                                            type, sum);
  }
}

Value TensorCore::addAcrossLanes(Value value) {
  for (int32_t distance : {1, 2}) {
    Value other = NVVM::ShflOp::create(
        builder, loc, builder.getI32Type(), body.constantI32(-1), value,
        body.constantI32(distance), body.constantI32(31), NVVM::ShflKind::bfly,
        UnitAttr());
    value = arith::AddIOp::create(builder, loc, value, other);
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void TensorCore::copyAsync(Value from, Value at, Value shared, Value to,
                           int64_t count, Value valid) {
  int64_t bits = cast<MemRefType>(shared.getType()).getElementTypeBitWidth();
  UnitAttr bypass =
      count * bits == 8 * chunkBytes ? builder.getUnitAttr() : UnitAttr();
  nvgpu::DeviceAsyncCopyOp::create(
      builder, loc, nvgpu::DeviceAsyncTokenType::get(builder.getContext()),
      shared, ValueRange(to), from, ValueRange(at), builder.getIndexAttr(count),
      valid, bypass);
}

int64_t TensorCore::getNumStages(int64_t stageBytes) const {
  int64_t stages = std::clamp<int64_t>((48 << 10) / stageBytes, 3, 12);
  // Of few rows a workgroup may be alone on its core, of which the smallest
  // have 99 KB for one.
  if (shape.stagePlanes > 4)
    stages = std::max(stages, std::min<int64_t>((96 << 10) / stageBytes, 8));
  return stages;
}

void TensorCore::commitCopies() {
  NVVM::CpAsyncCommitGroupOp::create(builder, loc);
}

void TensorCore::waitForCopies(int64_t stages) {
  NVVM::CpAsyncWaitGroupOp::create(builder, loc, stages);
}

std::unique_ptr<MatrixUnit>
quant_mlir::createTensorCore(GPUBuilder &body, const MatrixWork &work) {
  // Few rows have less to do for a barrier. Blocks are parts of a stage, or
  // whole ones.
  constexpr int64_t planes = 8, codes = planes * chunkBytes;
  int64_t block = work.blockCodes;
  bool fits =
      block == 0 || (block < codes ? codes % block : block % codes) == 0;
  return std::make_unique<TensorCore>(body,
                                      isFew(work.numRows) && fits ? planes : 4);
}

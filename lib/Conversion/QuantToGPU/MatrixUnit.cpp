//===- MatrixUnit.cpp - What a target gives to contractions ---------------===//

#include "MatrixUnit.h"

#include "NVVM/NVVM.h"
#include "ROCDL/ROCDL.h"
#include "SPIRV/SPIRV.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

MatrixUnit::~MatrixUnit() = default;

Value MatrixUnit::getSwizzle(Value, int64_t) { return Value(); }

void MatrixUnit::multiplyFromShared(const GroupStage &, int64_t, int64_t,
                                    MutableArrayRef<Value>) {
  llvm_unreachable("a unit that multiplies from registers");
}

Value MatrixUnit::dot(Value, Value, Value, bool) {
  llvm_unreachable("a unit that does not stream");
}

void MatrixUnit::copyAsync(Value, Value, Value, Value, int64_t, Value) {
  llvm_unreachable("a unit without asynchronous copies");
}

void MatrixUnit::commitCopies() {}

void MatrixUnit::waitForCopies(int64_t) {}

static llvm::MaybeAlign getAlignment(VectorType type) {
  int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  return llvm::MaybeAlign(std::min<int64_t>(
      16, llvm::bit_floor(uint64_t(type.getNumElements() * bytes))));
}

Value MatrixUnit::load(VectorType type, Value buffer, Value at) {
  return vector::LoadOp::create(builder, loc, type, buffer, ValueRange(at),
                                /*nontemporal=*/false, getAlignment(type));
}

void MatrixUnit::store(Value vector, Value buffer, Value at) {
  vector::StoreOp::create(builder, loc, vector, buffer, ValueRange(at),
                          /*nontemporal=*/false,
                          getAlignment(cast<VectorType>(vector.getType())));
}

MatrixUnit::Values MatrixUnit::unpackNibbles(ArrayRef<Value> words) {
  // A shift and two operations of three operands for two words.
  auto take = [&](Value nibbles) -> Value {
    Value high = arith::AndIOp::create(builder, loc, nibbles,
                                       body.constantI32(0xF0F0F0F0));
    // u - 8 is u with its top bit flipped, as a signed nibble.
    return arith::XOrIOp::create(builder, loc, high,
                                 body.constantI32(0x80808080));
  };
  Values low, high;
  for (Value word : words) {
    low.push_back(
        take(arith::ShLIOp::create(builder, loc, word, body.constantI32(4))));
    high.push_back(take(word));
  }
  low.append(high);
  return low;
}

std::unique_ptr<MatrixUnit>
quant_mlir::createMatrixUnit(GPUBuilder &body, const GPUTarget &target,
                             int64_t tileColumns,
                             std::optional<int64_t> numRows, bool isNibbles,
                             int64_t blockCodes, bool isPlain) {
  switch (target.getKind()) {
  case GPUKind::NVVM:
    // Of few rows four warps would have none.
    if (target.getArch() == "sm_90a" && isPlain && !isNibbles &&
        tileColumns == 128 && numRows.value_or(INT64_MAX) > 32)
      return createWarpGroup(body);
    return createTensorCore(body);
  case GPUKind::ROCDL:
    return createMatrixCore(body, target, tileColumns, numRows, isNibbles,
                            blockCodes);
  case GPUKind::SPIRV:
    return createWordProduct(body, isNibbles);
  }
  llvm_unreachable("unknown kind of GPU");
}

std::unique_ptr<MatrixUnit>
quant_mlir::createStreamUnit(GPUBuilder &body, const GPUTarget &target,
                             int64_t tileColumns, int64_t numRows,
                             int64_t chunks) {
  switch (target.getKind()) {
  case GPUKind::NVVM:
    return createDotProduct(body, numRows, chunks);
  case GPUKind::ROCDL:
    return createWaveProduct(body, target, tileColumns, numRows, chunks);
  case GPUKind::SPIRV:
    return createColumnProduct(body, target, numRows, chunks);
  }
  llvm_unreachable("unknown kind of GPU");
}

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

Value MatrixUnit::getLhsSwizzle(Value plane) { return body.times(plane, 2); }

Type MatrixUnit::getOffsetType(Type lhs) {
  // Codes are decoded as what they are multiplied with.
  return lhs.isF32() ? Type(builder.getBF16Type()) : lhs;
}

int64_t MatrixUnit::getRowOffset(int64_t row) const {
  return row * shape.rowStride;
}

std::pair<Value, Value> MatrixUnit::findColumn(Value inProduct) {
  return {body.div(inProduct, shape.laneColumns),
          body.rem(inProduct, shape.laneColumns)};
}

Value MatrixUnit::getRhsColumn(Value) {
  llvm_unreachable("a unit that does not decode codes of rhs");
}

void MatrixUnit::multiplyFromShared(const GroupStage &, int64_t, int64_t,
                                    MutableArrayRef<Value>) {
  llvm_unreachable("a unit that multiplies from registers");
}

void MatrixUnit::addFromShared(const GroupStage &, int64_t, int64_t,
                               MutableArrayRef<Value>) {
  llvm_unreachable("a unit that does not sum rows from shared memory");
}

Value MatrixUnit::dot(Value, Value, Value, bool) {
  llvm_unreachable("a unit that does not stream");
}

Value MatrixUnit::permute(Value a, Value b, ArrayRef<int64_t> bytes) {
  auto toBytes = [&](Value word) -> Value {
    Value one = vector::BroadcastOp::create(
        builder, loc, VectorType::get({1}, word.getType()), word);
    return vector::BitCastOp::create(
        builder, loc, VectorType::get({4}, builder.getIntegerType(8)), one);
  };
  Value four =
      vector::ShuffleOp::create(builder, loc, toBytes(a), toBytes(b), bytes);
  Value word = vector::BitCastOp::create(
      builder, loc, VectorType::get({1}, builder.getI32Type()), four);
  return vector::ExtractOp::create(builder, loc, word, 0);
}

MatrixUnit::Values MatrixUnit::transpose(Values words) {
  while (words.size() < 4)
    words.push_back(words.back());
  Value low[] = {permute(words[0], words[1], {0, 4, 1, 5}),
                 permute(words[0], words[1], {2, 6, 3, 7})};
  bool isLast = words[2] == words[3];
  Values high(2, words[2]);
  if (!isLast)
    high = {permute(words[2], words[3], {0, 4, 1, 5}),
            permute(words[2], words[3], {2, 6, 3, 7})};
  Values columns;
  for (int64_t column = 0; column < 4; ++column) {
    int64_t first = column % 2 * 2;
    SmallVector<int64_t> bytes{first, first + 1, first + 4, first + 5};
    if (isLast)
      bytes = {first, first + 1, column + 4, column + 4};
    columns.push_back(permute(low[column / 2], high[column / 2], bytes));
  }
  return columns;
}

void MatrixUnit::multiplyWords(ArrayRef<Value>, ArrayRef<Value>,
                               llvm::function_ref<Value(int64_t)>,
                               MutableArrayRef<Value>) {
  llvm_unreachable("a unit that does not stream values");
}

void MatrixUnit::copyAsync(Value, Value, Value, Value, int64_t, Value) {
  llvm_unreachable("a unit without asynchronous copies");
}

MatrixUnit::Values MatrixUnit::decodeLhs(Value) {
  llvm_unreachable("a unit that multiplies what lhs has");
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
                             const MatrixWork &work) {
  switch (target.getKind()) {
  case GPUKind::NVVM:
    if (hasWarpGroup(target, work))
      return createWarpGroup(body, target, work);
    return createTensorCore(body, work);
  case GPUKind::ROCDL:
    return createMatrixCore(body, target, work.tileColumns, work.numRows,
                            work.isNibbles, work.blockCodes);
  case GPUKind::SPIRV:
    return createWordProduct(body, work.isNibbles);
  }
  llvm_unreachable("unknown kind of GPU");
}

std::unique_ptr<MatrixUnit> quant_mlir::createValueUnit(GPUBuilder &body,
                                                        const GPUTarget &target,
                                                        const MatrixWork &work,
                                                        Type lhs, Type rhs) {
  switch (target.getKind()) {
  case GPUKind::NVVM:
    if (hasValueGroup(target, work))
      return createValueGroup(body, target, work, lhs, rhs);
    return createValueCore(body, lhs, rhs, isFew(work.numRows));
  case GPUKind::ROCDL:
    return createValueMatrix(body, target, work, lhs, rhs);
  case GPUKind::SPIRV:
    return createValueProduct(body, rhs.getIntOrFloatBitWidth(),
                              work.blockCodes != 0);
  }
  llvm_unreachable("unknown kind of GPU");
}

std::unique_ptr<MatrixUnit>
quant_mlir::createValueStream(GPUBuilder &body, const GPUTarget &target,
                              Type lhs, Type rhs, int64_t warps,
                              int64_t chunks) {
  assert(target.streamsOnMatrixUnits() && "no other target has such kernels");
  return createColumnCore(body, lhs, rhs, warps, chunks);
}

static std::unique_ptr<MatrixUnit>
createDot(GPUBuilder &body, const GPUTarget &target, const MatrixShape &shape) {
  switch (target.getKind()) {
  case GPUKind::NVVM:
    return createDotProduct(body, shape);
  case GPUKind::ROCDL:
    return createWaveProduct(body, target, shape);
  case GPUKind::SPIRV:
    return createColumnProduct(body, shape);
  }
  llvm_unreachable("unknown kind of GPU");
}

std::unique_ptr<MatrixUnit>
quant_mlir::createStreamUnit(GPUBuilder &body, const GPUTarget &target,
                             int64_t tileColumns, MatrixShape shape) {
  // A wave may be several groups.
  shape.lanes = std::min(target.getWaveSize(), tileColumns / shape.laneColumns);
  shape.groups = target.getGroupSize() / shape.lanes;
  shape.rows = shape.maxTileRows = shape.laneRows;
  shape.rowStride = 1;
  shape.columns = shape.minGroupColumns = shape.lanes * shape.laneColumns;
  shape.stagePlanes *= shape.groups;
  return createDot(body, target, shape);
}

std::unique_ptr<MatrixUnit>
quant_mlir::createWordUnit(GPUBuilder &body, const GPUTarget &target) {
  return createDot(body, target, MatrixShape());
}

std::unique_ptr<MatrixUnit> quant_mlir::createPixelUnit(GPUBuilder &body,
                                                        const GPUTarget &target,
                                                        int64_t pixels,
                                                        int64_t channels) {
  MatrixShape shape;
  shape.rows = shape.laneRows = shape.maxTileRows = pixels;
  shape.columns = shape.laneColumns = shape.minGroupColumns = channels;
  return createDot(body, target, shape);
}

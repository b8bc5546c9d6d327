//===- ColumnCore.cpp - Products of few rows of values --------------------===//
//
// Up to eight rows, which are the columns of mma.sync m16n8k16: see
// ContractValueStream.cpp.
//
//===----------------------------------------------------------------------===//

#include "ValueCore.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// Sixteen columns are the rows of an instruction, and up to eight rows its
/// columns. See ContractValueStream.cpp.
class ColumnCore : public ValueCore {
public:
  ColumnCore(GPUBuilder &body, Type lhs, Type rhs, int64_t warps,
             int64_t chunks)
      : ValueCore(body, getShape(lhs, rhs, warps, chunks), lhs, rhs) {}

  bool isStreaming() const override { return true; }
  void multiplyWords(ArrayRef<Value> words, ArrayRef<Value> offsets,
                     llvm::function_ref<Value(int64_t)> loadLhs,
                     MutableArrayRef<Value> sums) override;

  // When they are added up, a lane has a column, and rows `warps` apart.
  Value getSum(ArrayRef<Value> sums, int64_t row, int64_t) override {
    return sums[row];
  }
  Value getRow(Value lane) override { return body.div(lane, 32); }
  Value getColumnGroup(Value lane) override { return body.rem(lane, 32); }
  Value getColumn(Value columnGroup, Value) override { return columnGroup; }

private:
  static MatrixShape getShape(Type lhs, Type rhs, int64_t warps,
                              int64_t chunks) {
    MatrixShape shape;
    shape.rows = shape.maxTileRows = 8;
    shape.columns = shape.minGroupColumns = 32;
    shape.lanes = 32 * warps;
    shape.laneRows = 8 / warps;
    shape.rowStride = warps;
    shape.stagePlanes = warps * chunks * lhs.getIntOrFloatBitWidth() /
                        rhs.getIntOrFloatBitWidth();
    return shape;
  }
  /// Pairs of values whose sums are the four values: one of what is multiplied,
  /// and three of f32.
  SmallVector<Values> split(Value four);
};

} // namespace

/// f32 is three times eight bits, of which each is a bf16 by itself: what is
/// cut off from the others is exact.
SmallVector<MatrixUnit::Values> ColumnCore::split(Value four) {
  auto halves = [&](Value values, ArrayRef<int64_t> numbers) -> Value {
    return vector::ShuffleOp::create(builder, loc, values, values, numbers);
  };
  if (lhsType == value)
    return {{halves(four, {0, 1}), halves(four, {2, 3})}};
  auto floats = cast<VectorType>(four.getType());
  auto words = VectorType::get({4}, builder.getI32Type());
  auto constant = [&](Attribute number, VectorType type) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(type, number));
  };
  Value mask = constant(builder.getI32IntegerAttr(0xFFFF0000), words);
  Value zero = constant(builder.getF32FloatAttr(0), floats);
  SmallVector<Values> parts;
  for (int64_t part = 0; part < 3; ++part) {
    Value pieces = vector::BitCastOp::create(builder, loc,
                                             VectorType::get({8}, value), four);
    parts.push_back({halves(pieces, {1, 3}), halves(pieces, {5, 7})});
    if (part == 2)
      break;
    Value bits = vector::BitCastOp::create(builder, loc, words, four);
    Value high = vector::BitCastOp::create(
        builder, loc, floats, arith::AndIOp::create(builder, loc, bits, mask));
    Value rest = arith::SubFOp::create(builder, loc, four, high);
    // Of infinity nothing is left.
    Value isWhole = arith::CmpFOp::create(
        builder, loc, arith::CmpFPredicate::OEQ, four, high);
    four = arith::SelectOp::create(builder, loc, isWhole, zero, rest);
  }
  return parts;
}

void ColumnCore::multiplyWords(ArrayRef<Value> words, ArrayRef<Value> offsets,
                               llvm::function_ref<Value(int64_t)> loadLhs,
                               MutableArrayRef<Value> sums) {
  int64_t parts = rhsType.isInteger(4) ? 2 : 1;
  for (int64_t part = 0; part < parts; ++part) {
    SmallVector<Values> rows = split(loadLhs(part));
    // Columns 8 apart are the halves of an instruction's rows.
    for (size_t i = 0; i < words.size(); i += 2) {
      Values low = codes.decode(words[i], part,
                                offsets.empty() ? Value() : offsets[i]),
             high = codes.decode(words[i + 1], part,
                                 offsets.empty() ? Value() : offsets[i + 1]);
      for (const Values &pairs : rows)
        multiplyPairs({low[0], high[0], low[1], high[1]}, pairs,
                      sums.slice(2 * i, 4));
    }
  }
}

std::unique_ptr<MatrixUnit> quant_mlir::createColumnCore(GPUBuilder &body,
                                                         Type lhs, Type rhs,
                                                         int64_t warps,
                                                         int64_t chunks) {
  return std::make_unique<ColumnCore>(body, lhs, rhs, warps, chunks);
}

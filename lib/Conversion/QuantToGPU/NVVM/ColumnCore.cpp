//===- ColumnCore.cpp - Products of few rows of values --------------------===//
//
// Up to eight rows, which are the columns of mma.sync m16n8k16: see
// ContractValueStream.cpp.
//
//===----------------------------------------------------------------------===//

#include "ValueCore.h"

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
};

} // namespace

void ColumnCore::multiplyWords(ArrayRef<Value> words, ArrayRef<Value> offsets,
                               llvm::function_ref<Value(int64_t)> loadLhs,
                               MutableArrayRef<Value> sums) {
  int64_t parts = rhsType.isInteger(4) ? 2 : 1;
  for (int64_t part = 0; part < parts; ++part) {
    SmallVector<Values> rows = codes.split(loadLhs(part));
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

//===- NibbleGroup.cpp - Products of four warps, of codes of four bits ----===//
//
// wgmma takes one factor from registers, where nibbles become bytes: weights
// are that one, 64 columns of the result, and rows of lhs the columns of an
// instruction, read from shared memory.
//
//   D      sums 4 j + 2 c + e of lane (g, t) of warp w:
//          column 16 w + 8 c + g of the product, row 8 j + 2 t + e
//   A      words of columns g, g + 8 of the first 16 codes, then of the others:
//          the low nibbles of a chunk of a column, and its high ones
//
// ldmatrix loads what a lane has of 16 columns of two products. Registers of a
// step are written again when its products of the stage before have been waited
// for: until then they may be read. So every step is a group of its own.
//
//===----------------------------------------------------------------------===//

#include "WarpGroup.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

MatrixShape getShape(int64_t rows, int64_t groups) {
  MatrixShape shape;
  shape.rows = rows;
  shape.columns = 64;
  shape.lanes = 128;
  shape.laneRows = rows / 4;
  shape.laneColumns = 2;
  shape.stepPlanes = 2;
  shape.stagePlanes = 8;
  shape.groups = groups;
  shape.minGroupColumns = shape.maxGroupColumns = 128;
  shape.maxTileRows = groups * rows;
  return shape;
}

class NibbleGroup : public WarpGroup {
public:
  NibbleGroup(GPUBuilder &body, int64_t rows, int64_t groups)
      : WarpGroup(body, getShape(rows, groups)) {}

  bool readsRegisters() const override { return true; }
  void loadFactors(const GroupStage &stage, int64_t first,
                   int64_t count) override;
  void multiplyFromShared(const GroupStage &stage, int64_t step,
                          int64_t product,
                          MutableArrayRef<Value> sums) override;

  Values getZeros() override {
    return Values(shape.rows / 2, body.constantI32(0));
  }
  Value getSum(ArrayRef<Value> sums, int64_t row, int64_t column) override {
    return sums[row / 2 * 4 + 2 * column + row % 2];
  }
  Value getRow(Value lane) override { return body.times(body.rem(lane, 4), 2); }
  int64_t getRowOffset(int64_t row) const override {
    return row / 2 * 8 + row % 2;
  }
  Value getColumnGroup(Value lane) override { return body.div(lane, 4); }
  Value getColumn(Value columnGroup, Value column) override {
    Value ofWarp = body.times(body.div(columnGroup, 8), 16);
    return body.sum(body.sum(ofWarp, body.rem(columnGroup, 8)),
                    body.times(column, 8));
  }
  std::pair<Value, Value> findColumn(Value inProduct) override {
    Value ofWarp = body.times(body.div(inProduct, 16), 8);
    return {body.sum(ofWarp, body.rem(inProduct, 8)),
            body.rem(body.div(inProduct, 8), 2)};
  }

private:
  /// Words of weights by step and product of columns.
  SmallVector<SmallVector<Values>> factors;
};

} // namespace

void NibbleGroup::loadFactors(const GroupStage &stage, int64_t first,
                              int64_t count) {
  factors.resize(first + count);
  Value column = body.sum(body.times(body.div(stage.lane, 32), 16),
                          body.rem(stage.lane, 16));
  for (int64_t step = first; step < first + count; ++step) {
    factors[step].clear();
    for (int64_t j = 0; j < stage.columnProducts; j += 2) {
      Value product =
          body.sum(body.rem(body.div(stage.lane, 16), 2), body.attr(j));
      Value at = stage.rhsChunk(body.index(step), product, column);
      Values words = loadMatrices(stage.shared, at, 4);
      // Columns g and g + 8: words of low nibbles, then of high ones.
      for (int64_t i : {0, 2})
        factors[step].push_back(
            unpackNibbles(ArrayRef<Value>(words).slice(i, 2)));
    }
  }
}

void NibbleGroup::multiplyFromShared(const GroupStage &stage, int64_t step,
                                     int64_t product,
                                     MutableArrayRef<Value> sums) {
  Value zero = body.index(0), plane = body.index(step * shape.stepPlanes);
  Value rows = describe(stage.shared, stage.lhsChunk(plane, product, zero),
                        stage.lhsPlaneBytes);
  size_t count = shape.rows / 2;
  auto type = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), SmallVector<Type>(count, builder.getI32Type()));
  std::string results, outputs, inputs;
  for (size_t i = 0; i < count; ++i) {
    results += (i ? ", $" : "$") + std::to_string(i);
    outputs += "=r,";
    inputs += std::to_string(i) + ",";
  }
  auto operand = [&](size_t i) { return "$" + std::to_string(2 * count + i); };
  // The dialect's operation has both factors in shared memory.
  std::string text = "{\n.reg .pred p;\nsetp.ne.b32 p, 1, 0;\n"
                     "wgmma.mma_async.sync.aligned.m64n" +
                     std::to_string(shape.rows) + "k32.s32.s8." +
                     (stage.isLhsSigned ? "s8" : "u8") + " {" + results +
                     "}, {" + operand(0) + ", " + operand(1) + ", " +
                     operand(2) + ", " + operand(3) + "}, " + operand(4) +
                     ", p;\n}\n";
  for (auto [j, words] : llvm::enumerate(factors[step])) {
    MutableArrayRef<Value> part = sums.slice(j * count, count);
    Values operands(part);
    operands.append(words);
    operands.push_back(rows);
    Value all = LLVM::InlineAsmOp::create(
                    builder, loc, type, operands, text,
                    outputs + inputs + "r,r,r,r,l", /*has_side_effects=*/true,
                    /*is_align_stack=*/false, LLVM::TailCallKind::None,
                    LLVM::AsmDialectAttr(), ArrayAttr())
                    .getResult(0);
    for (auto [i, sum] : llvm::enumerate(part))
      sum = LLVM::ExtractValueOp::create(builder, loc, all, i);
  }
}

std::unique_ptr<MatrixUnit>
quant_mlir::createNibbleGroup(GPUBuilder &body, int64_t rows, int64_t groups) {
  return std::make_unique<NibbleGroup>(body, rows, groups);
}

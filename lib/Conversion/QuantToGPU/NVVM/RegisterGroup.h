//===- RegisterGroup.h - Weights in registers of four warps -----*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_REGISTERGROUP_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_REGISTERGROUP_H

#include "WarpGroup.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quant_mlir {

/// wgmma with weights in registers: see RegisterGroup.cpp.
class RegisterGroup : public WarpGroup {
public:
  using WarpGroup::WarpGroup;

  /// Of products of `rows` rows of lhs and 64 columns.
  static MatrixShape getShape(int64_t rows);
  /// Two groups side by side, of 64 columns each.
  static MatrixShape getShapeBeside(int64_t rows);
  /// A row of products is added to values while another one is multiplied. A
  /// stage has two blocks, or parts of one, so that factors of the first are
  /// loaded while the second is under way.
  static MatrixShape getShapeOfBlocks(const GPUTarget &target,
                                      const MatrixWork &work);

  int64_t getFactorSteps() const override { return 2; }
  void loadFactors(const GroupStage &stage, int64_t first,
                   int64_t count) override;
  void multiplyFromShared(const GroupStage &stage, int64_t step,
                          int64_t product,
                          llvm::MutableArrayRef<mlir::Value> sums) override;

  Values getZeros() override {
    mlir::Value zero = mlir::arith::ConstantOp::create(
        builder, loc, builder.getZeroAttr(getSumType()));
    return Values(shape.rows / 2, zero);
  }
  mlir::Value getSum(llvm::ArrayRef<mlir::Value> sums, int64_t row,
                     int64_t column) override {
    return sums[row / 2 * 4 + 2 * column + row % 2];
  }
  mlir::Value getRow(mlir::Value lane) override {
    return body.times(body.rem(lane, 4), 2);
  }
  int64_t getRowOffset(int64_t row) const override {
    return row / 2 * 8 + row % 2;
  }
  mlir::Value getColumnGroup(mlir::Value lane) override {
    return body.div(lane, 4);
  }
  mlir::Value getColumn(mlir::Value columnGroup, mlir::Value column) override {
    mlir::Value ofWarp = body.times(body.div(columnGroup, 8), 16);
    return body.sum(body.sum(ofWarp, body.rem(columnGroup, 8)),
                    body.times(column, 8));
  }
  std::pair<mlir::Value, mlir::Value>
  findColumn(mlir::Value inProduct) override {
    mlir::Value ofWarp = body.times(body.div(inProduct, 16), 8);
    return {body.sum(ofWarp, body.rem(inProduct, 8)),
            body.rem(body.div(inProduct, 8), 2)};
  }
  /// Codes of the columns of its sums.
  mlir::Value getRhsColumn(mlir::Value) override { return mlir::Value(); }

protected:
  virtual mlir::Type getSumType() { return builder.getI32Type(); }
  /// Of an instruction, and what follows the predicate.
  virtual std::string getTypes(const GroupStage &stage) {
    return std::string("k32.s32.s8.") + (stage.isLhsSigned ? "s8" : "u8");
  }
  virtual llvm::StringRef getScales() { return ""; }
  /// A of `count` steps of product `product` of columns.
  virtual llvm::SmallVector<Values> loadColumns(const GroupStage &stage,
                                                int64_t product, int64_t first,
                                                int64_t count) = 0;
  void multiplyPart(const GroupStage &stage, int64_t step, int64_t product,
                    int64_t part, llvm::MutableArrayRef<mlir::Value> sums);
  /// Words of columns g and g + 8 of each of `count` planes.
  Values loadPlanes(const GroupStage &stage, int64_t product, int64_t first,
                    int64_t count);
  /// Of column g, or g + 8, of a product; null for 0.
  static mlir::Value getOffset(const GroupStage &stage, int64_t product,
                               int64_t column) {
    return stage.rhsOffsets.empty() ? mlir::Value()
                                    : stage.rhsOffsets[2 * product + column];
  }

private:
  /// A by step and product of columns.
  llvm::SmallVector<llvm::SmallVector<Values>> factors;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_REGISTERGROUP_H

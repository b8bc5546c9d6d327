//===- ColumnNumbers.cpp - Numbers that columns have ----------------------===//

#include "ColumnNumbers.h"

#include "quant-mlir/Conversion/Utils/ContractArith.h"
#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace quant_mlir;

ContractColumnNumbers quant_mlir::computeColumnNumbers(ContractOp op,
                                                       int64_t subtracted,
                                                       int64_t numBlocks) {
  RhsUnits units(op);
  LayoutAttr layout = *op.getLayout();
  std::vector<int64_t> batches = units.along(layout.getBatch());
  std::vector<int64_t> columns = units.along(layout.getColumns());
  int64_t filled = llvm::alignTo(columns.size(), layout.getPanel());
  // Steps from block to block, and how many there are.
  int64_t step = 0, existing = 1;
  if (std::optional<std::pair<unsigned, int64_t>> block =
          op.getReductionBlock()) {
    step = units.getStride(block->first);
    existing = llvm::divideCeil(op.getRhsCodesType().getDimSize(block->first),
                                block->second);
  }
  int64_t rows = std::max<int64_t>(numBlocks, 1);
  auto collect = [&](bool isInteger, llvm::function_ref<float(int64_t)> get) {
    ColumnNumbers result;
    result.isInteger = isInteger;
    float first = get(0);
    // What is beyond the last block is not of it.
    bool isOne = rows == existing;
    for (int64_t batch : batches)
      for (int64_t block = 0; block < rows; ++block)
        for (int64_t column = 0; column < filled; ++column) {
          if (block >= existing || column >= int64_t(columns.size())) {
            result.values.push_back(0);
            continue;
          }
          result.values.push_back(get(batch + block * step + columns[column]));
          isOne &= result.values.back() == first;
        }
    if (isOne)
      result.values.assign(1, first);
    return result;
  };

  // Beside values, what a code is worth less than the minval is counted from
  // the code that is nearest to 0: codes of both signs do not cancel each other
  // and the minval, of which a part of one code is left.
  bool isCentred = units.hasMinval() && !op.hasIntegerSum();
  auto getZeroPoint = [&](int64_t unit) -> float {
    float least = units.getZeroPoint(unit);
    if (!isCentred)
      return least;
    double zero = std::nearbyint(double(-units.getMinval(unit)) /
                                 double(units.getMultiplier(unit)));
    int64_t width = op.getRhsCodesType().getElementTypeBitWidth();
    return least + float(std::clamp<double>(zero, 0, (1 << width) - 1));
  };
  auto getMinval = [&](int64_t unit) -> float {
    return float(double(units.getMinval(unit)) +
                 double(units.getMultiplier(unit)) *
                     double(getZeroPoint(unit) - units.getZeroPoint(unit)));
  };

  ContractColumnNumbers result;
  result.multiplier =
      collect(false, [&](int64_t unit) { return units.getMultiplier(unit); });
  if (units.hasMinval())
    result.minval = collect(false, getMinval);
  int64_t moved = layout.getOffset() - subtracted;
  result.rhsZero = collect(true, getZeroPoint);
  result.rhsOffset =
      collect(true, [&](int64_t unit) { return getZeroPoint(unit) + moved; });
  return result;
}

Value quant_mlir::buildColumnNumbers(const ColumnNumbers &numbers, Type element,
                                     OpBuilder &builder, Location loc) {
  int64_t size = numbers.values.size();
  auto tensor = RankedTensorType::get({size}, element);
  DenseElementsAttr data;
  if (element.isInteger()) {
    std::vector<int32_t> integers(numbers.values.begin(), numbers.values.end());
    data = DenseElementsAttr::get(tensor, ArrayRef(integers));
  } else if (element.isF32()) {
    data = DenseElementsAttr::get(tensor, ArrayRef(numbers.values));
  } else {
    SmallVector<Attribute> floats;
    for (float value : numbers.values)
      floats.push_back(builder.getFloatAttr(element, value));
    data = DenseElementsAttr::get(tensor, floats);
  }
  Value value = KernelBuilder(builder, loc).constant("columns", data);
  return memref::CastOp::create(
      builder, loc, MemRefType::get({ShapedType::kDynamic}, element), value);
}

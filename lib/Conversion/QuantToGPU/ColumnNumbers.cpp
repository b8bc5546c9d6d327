//===- ColumnNumbers.cpp - Numbers that columns have ----------------------===//

#include "ColumnNumbers.h"

#include "quant-mlir/Conversion/Utils/RequantizeArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

/// The unit of parameters that every index along `dims` belongs to: those of
/// all combinations, the last dimension running fastest.
static std::vector<int64_t> getUnits(ArrayRef<int64_t> dims,
                                     ArrayRef<int64_t> shape,
                                     ArrayRef<int64_t> blocks,
                                     ArrayRef<int64_t> strides) {
  std::vector<int64_t> units{0};
  for (int64_t dim : dims) {
    std::vector<int64_t> next;
    next.reserve(units.size() * shape[dim]);
    for (int64_t unit : units)
      for (int64_t i = 0; i < shape[dim]; ++i)
        next.push_back(unit + i / blocks[dim] * strides[dim]);
    units = std::move(next);
  }
  return units;
}

ContractColumnNumbers quant_mlir::computeColumnNumbers(ContractOp op,
                                                       int64_t subtracted) {
  AffineAttr params = op.getRhsParamsAttr();
  numerics::TensorParams units = params.getTensorParams();
  LayoutAttr layout = *op.getLayout();
  ArrayRef<int64_t> shape = layout.getCodesType().getShape();
  SmallVector<int64_t> blocks = *params.getGranularity().getBlockSizes(
      shape, [&] { return op.emitOpError(); });
  SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
    if (blocks[dim] == -1 || blocks[dim] > shape[dim])
      blocks[dim] = std::max<int64_t>(shape[dim], 1);
    strides[dim] = stride;
    stride *= llvm::divideCeil(shape[dim], blocks[dim]);
  }
  if (isa<PerTensorAttr>(params.getGranularity()))
    llvm::fill(strides, 0);

  std::vector<int64_t> batches =
      getUnits(layout.getBatch(), shape, blocks, strides);
  std::vector<int64_t> columns =
      getUnits(layout.getColumns(), shape, blocks, strides);
  int64_t filled = llvm::alignTo(columns.size(), layout.getPanel());
  auto collect = [&](bool isInteger, llvm::function_ref<float(int64_t)> get) {
    ColumnNumbers result;
    result.isInteger = isInteger;
    for (int64_t batch : batches)
      for (int64_t column = 0; column < filled; ++column)
        result.values.push_back(column < int64_t(columns.size())
                                    ? get(batch + columns[column])
                                    : 0);
    float first = get(0);
    bool isOne = llvm::all_of(batches, [&](int64_t batch) {
      return llvm::all_of(columns, [&](int64_t column) {
        return get(batch + column) == first;
      });
    });
    if (isOne)
      result.values.assign(1, first);
    return result;
  };

  ContractColumnNumbers result;
  float lhsScale = op.isDynamic() ? 1.0f : getTensorScale(*op.getLhsParams());
  if (std::optional<AffineAttr> init = op.getInitParams())
    result.resultScale = getTensorScale(*init);
  auto scaled = [&](float value) {
    if (op.isDynamic())
      return value;
    return result.resultScale ? numerics::requantMultiplier(lhsScale, value,
                                                            *result.resultScale)
                              : numerics::outputMultiplier(lhsScale, value);
  };
  auto zeroOf = [&](int64_t unit) -> float {
    if (!units.minvals.empty())
      return params.getQuantMin();
    return units.zeroPoints.empty() ? 0 : units.zeroPoints[unit];
  };
  result.multiplier =
      collect(false, [&](int64_t unit) { return scaled(units.scales[unit]); });
  if (!units.minvals.empty())
    result.minval = collect(
        false, [&](int64_t unit) { return scaled(units.minvals[unit]); });
  int64_t offset = layout.getOffset() - subtracted;
  result.rhsZero = collect(true, zeroOf);
  result.rhsOffset =
      collect(true, [&](int64_t unit) { return zeroOf(unit) + offset; });
  return result;
}

Value quant_mlir::buildColumnNumbers(const ColumnNumbers &numbers,
                                     OpBuilder &builder, Location loc) {
  int64_t size = numbers.values.size();
  Type element = numbers.isInteger ? Type(builder.getI32Type())
                                   : Type(builder.getF32Type());
  auto tensor = RankedTensorType::get({size}, element);
  DenseElementsAttr data;
  if (numbers.isInteger) {
    std::vector<int32_t> integers(numbers.values.begin(), numbers.values.end());
    data = DenseElementsAttr::get(tensor, ArrayRef(integers));
  } else {
    data = DenseElementsAttr::get(tensor, ArrayRef(numbers.values));
  }
  auto type = MemRefType::get({size}, element);
  auto module =
      builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  memref::GlobalOp global;
  unsigned number = 0;
  for (auto other : module.getOps<memref::GlobalOp>()) {
    number += other.getSymName().starts_with("columns_");
    if (other.getConstant() && other.getType() == type &&
        other.getInitialValue() == Attribute(data))
      global = other;
  }
  if (!global) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    global = memref::GlobalOp::create(
        builder, loc, ("columns_" + Twine(number)).str(),
        builder.getStringAttr("private"), type, data, /*constant=*/true,
        builder.getI64IntegerAttr(64));
  }
  Value value =
      memref::GetGlobalOp::create(builder, loc, type, global.getSymName());
  return memref::CastOp::create(
      builder, loc, MemRefType::get({ShapedType::kDynamic}, element), value);
}

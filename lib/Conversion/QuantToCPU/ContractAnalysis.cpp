//===- ContractAnalysis.cpp - What a kernel of a contraction needs --------===//
//
// Which contractions have a kernel, and what is known of one before any loop is
// made: numbers of columns, loops of rows that are one.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// What has a kernel
//===----------------------------------------------------------------------===//

/// Whether the columns, from the outermost loop in, are one row of elements in an
/// operand of these strides.
static bool areContiguous(const ContractLoops &loops, ArrayRef<unsigned> columns,
                          const LoopStrides &strides) {
  int64_t next = 1;
  for (unsigned loop : llvm::reverse(columns)) {
    if (loops.sizes[loop] == 1)
      continue;
    if (strides[loop] != next)
      return false;
    next *= loops.sizes[loop];
  }
  return true;
}

/// The loops of these dimensions of rhs.
static SmallVector<unsigned> getRhsLoops(ContractOp op, ArrayRef<int64_t> dims) {
  SmallVector<unsigned> loops;
  for (int64_t dim : dims)
    loops.push_back(op.getRhsMap().getDimPosition(dim));
  return loops;
}

static std::string findTypeReason(ContractOp op) {
  auto isBytes = [](AffineAttr params) {
    return params.getStorage() == numerics::StorageType::Int8 ||
           params.getStorage() == numerics::StorageType::UInt8;
  };
  if (op.hasFloatLhs())
    return "its left-hand side is of values, not codes";
  if (!isBytes(*op.getLhsParams()))
    return "codes of its left-hand side are not integers of 8 bits";
  if (!isBytes(op.getRhsParams()))
    return "codes of its right-hand side are not integers of 8 bits";
  if (op.getReductionBlock())
    return "its right-hand side has blocks along a reduction";
  if (op.getInitParams() && !isBytes(*op.getInitParams()))
    return "codes of its result are not integers of 8 bits";
  if (std::optional<AffineAttr> params = op.getResidualParams())
    if (!isBytes(*params))
      return "codes of its residual are not integers of 8 bits";
  return "";
}

std::string quant_mlir::findNoKernelReason(ContractOp op,
                                           const CPUTarget &target) {
  if (!hasDotProduct(target))
    return (getName(target.getDotKind()) + " is not known to kernels").str();
  if (std::string reason = findTypeReason(op); !reason.empty())
    return reason;
  ContractLoops loops = analyzeLoops(op);
  if (loops.isDepthwise)
    return "it is depthwise";
  for (ArrayRef<unsigned> known : {ArrayRef(loops.columns),
                                   ArrayRef(loops.reduction)})
    if (ShapedType::isDynamic(loops.getSize(known)))
      return "the size of a column or reduction is not known";
  SmallVector<unsigned> columns(loops.columns), run;
  if (std::optional<LayoutAttr> layout = op.getLayout()) {
    columns = getRhsLoops(op, layout->getColumns());
    run = getRhsLoops(op, layout->getReduction().take_back(layout->getRun()));
  } else {
    run.assign(ArrayRef(loops.reductionByStride).take_back(loops.lhsRun));
  }
  if (loops.getSize(run) != 1 &&
      (loops.lhsRun == 0 || !areContiguous(loops, run, loops.lhsStrides)))
    return "codes that are summed do not follow each other in the left-hand "
           "side";
  if (!areContiguous(loops, columns, loops.initStrides))
    return "columns do not follow each other in the result";
  for (const LoopStrides *strides : {&loops.biasStrides, &loops.residualStrides})
    if (!strides->empty() && !areContiguous(loops, columns, *strides))
      return "columns do not follow each other in the bias or the residual";
  for (unsigned loop : loops.rows)
    if (!loops.biasStrides.empty() && loops.biasStrides[loop] != 0 &&
        loops.sizes[loop] != 1)
      return "the bias is not the same for all rows";
  return "";
}

//===----------------------------------------------------------------------===//
// Numbers of columns
//===----------------------------------------------------------------------===//

void ContractKernel::analyzeColumns() {
  AffineAttr params = op.getRhsParams();
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

  // Units in the order of panels: batches, then columns, then what a panel has
  // beyond them.
  auto unitsOf = [&](ArrayRef<int64_t> dims) {
    std::vector<int64_t> result{0};
    for (int64_t dim : dims) {
      std::vector<int64_t> next;
      for (int64_t unit : result)
        for (int64_t i = 0; i < shape[dim]; ++i)
          next.push_back(unit + i / blocks[dim] * strides[dim]);
      result = std::move(next);
    }
    return result;
  };
  std::vector<int64_t> batches = unitsOf(layout.getBatch());
  std::vector<int64_t> inBatch = unitsOf(layout.getColumns());
  int64_t padded = llvm::alignTo(columns, panelColumns);
  auto collect = [&](llvm::function_ref<float(int64_t)> get, bool isInteger) {
    ColumnConstants constants;
    constants.isInteger = isInteger;
    for (int64_t batch : batches)
      for (int64_t column = 0; column < padded; ++column)
        constants.values.push_back(
            column < columns ? get(batch + inBatch[column]) : 0);
    float first = get(batches[0] + inBatch[0]);
    bool isOne = llvm::all_of(batches, [&](int64_t batch) {
      return llvm::all_of(inBatch, [&](int64_t column) {
        return get(batch + column) == first;
      });
    });
    if (isOne)
      constants.values.assign(1, first);
    return constants;
  };

  float lhsScale = op.isDynamic() ? 1.0f
                                  : getUnitParams(*op.getLhsParams()).scale;
  if (std::optional<AffineAttr> result = op.getInitParams())
    resultScale = getUnitParams(*result).scale;
  auto scaled = [&](float value) {
    if (op.isDynamic())
      return value;
    return resultScale
               ? numerics::requantMultiplier(lhsScale, value, *resultScale)
               : numerics::outputMultiplier(lhsScale, value);
  };
  auto zeroOf = [&](int64_t unit) -> float {
    if (!units.minvals.empty())
      return params.getQuantMin();
    return units.zeroPoints.empty() ? 0 : units.zeroPoints[unit];
  };
  multiplier = collect([&](int64_t unit) { return scaled(units.scales[unit]); },
                       false);
  if (!units.minvals.empty())
    minval = collect([&](int64_t unit) { return scaled(units.minvals[unit]); },
                     false);
  rhsZero = collect(zeroOf, true);
  rhsOffset = collect(
      [&](int64_t unit) { return zeroOf(unit) + rhsStorageOffset; }, true);
  needsRowSums = !rhsOffset.isZero() || !minval.values.empty();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void ContractKernel::mergeRows() {
  SmallVector<const FlatOperand *> operands{&lhs, &init};
  for (const FlatOperand *operand : {&residual, &scale, &zeroPoint})
    if (operand->base)
      operands.push_back(operand);
  auto goesOn = [&](unsigned loop, const MergedLoop &inner) {
    std::optional<int64_t> size = getConstantIntValue(inner.size);
    return size && llvm::all_of(operands, [&](const FlatOperand *operand) {
             std::optional<int64_t> a = operand->getStride(loop),
                                    b = operand->getStride(inner.loop);
             return a && b && *a == *b * *size;
           });
  };
  SmallVector<MergedLoop> merged;
  for (unsigned loop : llvm::reverse(orderLoops(init, loops.rows))) {
    if (getConstantIntValue(sizes[loop]) == 1)
      continue;
    if (!merged.empty() && goesOn(loop, merged.back()))
      merged.back().size = kernel.mul(sizes[loop], merged.back().size);
    else
      merged.push_back({loop, sizes[loop]});
  }
  rowLoops.assign(merged.rbegin(), merged.rend());
}

void ContractKernel::analyze() {
  sizes = cast<IntegerFormOpInterface>(op.getOperation())
              .getLoopSizes(kernel.builder, kernel.loc);
  lhs = kernel.flatten(op.getLhs(), op.getLhsMap(), op.getInputPadding());
  init = kernel.flatten(op.getInit(), op.getInitMap());
  if (op.getBias())
    bias = kernel.flatten(op.getBias(), op.getBiasMap());
  if (op.getResidual())
    residual = kernel.flatten(op.getResidual(), op.getResidualMap());
  rhs = op.getRhs();
  MLIRContext *context = op.getContext();
  sums = kernel.flatten(op.getSums(), AffineMap::getMultiDimIdentityMap(
                                          1, context));

  // One number for all, or one for each row: a dimension of 1 does not move.
  auto flattenRows = [&](Value value) {
    auto type = cast<MemRefType>(value.getType());
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      exprs.push_back(type.getDimSize(dim) == 1
                          ? getAffineConstantExpr(0, context)
                          : op.getLhsMap().getResult(dim));
    return kernel.flatten(
        value, AffineMap::get(op.getLhsMap().getNumDims(), 0, exprs, context));
  };
  if (op.getScale())
    scale = flattenRows(op.getScale());
  if (op.getZeroPoint())
    zeroPoint = flattenRows(op.getZeroPoint());

  LayoutAttr layout = *op.getLayout();
  columns = loops.getSize(getRhsLoops(op, layout.getColumns()));
  panelColumns = layout.getPanel();
  reductionSize = loops.getSize(loops.reduction);
  ArrayRef<int64_t> reduction = layout.getReduction();
  outer = getRhsLoops(op, reduction.drop_back(layout.getRun()));
  runSize = loops.getSize(getRhsLoops(op, reduction.take_back(layout.getRun())));
  rhsStorageOffset = layout.getOffset();
  analyzeColumns();
  lhsZero = dot.getLhsOffset();
  if (!op.isDynamic())
    lhsZero += getUnitParams(*op.getLhsParams()).zeroPoint;
  mergeRows();
}

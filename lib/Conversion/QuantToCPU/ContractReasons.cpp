//===- ContractReasons.cpp - Which contractions have a kernel -------------===//
//
// And why others have not: the answers stand in remarks.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"

using namespace mlir;
using namespace quant_mlir;

SmallVector<unsigned> quant_mlir::orderColumns(const ContractLoops &loops) {
  SmallVector<unsigned> columns(loops.columns);
  auto stride = [&](unsigned loop) {
    return loops.initStrides[loop].value_or(
        std::numeric_limits<int64_t>::max());
  };
  llvm::stable_sort(
      columns, [&](unsigned a, unsigned b) { return stride(a) > stride(b); });
  return columns;
}

/// What keeps sizes of columns and reductions that only the run time knows from
/// a kernel: those of more than one loop, and elements of lhs apart.
static std::string findUnknownSizeReason(const ContractLoops &loops) {
  for (ArrayRef<unsigned> from :
       {ArrayRef(loops.columns), ArrayRef(loops.reduction)}) {
    int64_t moving = llvm::count_if(
        from, [&](unsigned loop) { return loops.sizes[loop] != 1; });
    if (ShapedType::isDynamic(loops.getSize(from)) && moving > 1)
      return "the size of one of several columns or reductions is not known";
  }
  if (ShapedType::isDynamic(loops.getSize(loops.reduction)) &&
      loops.lhsRun != loops.reduction.size())
    return "the size of a reduction is not known, and its elements do not "
           "follow "
           "each other in the left-hand side";
  return "";
}

/// What keeps a kernel from packing panels of a rhs that is no constant.
static std::string findNoPanelReason(ContractOp op,
                                     const ContractLoops &loops) {
  if (std::string reason = findUnknownSizeReason(loops); !reason.empty())
    return reason;
  if (loops.isDepthwise)
    return "every element of its result has a right-hand side of its own, "
           "which is no constant";
  if (op.hasFloatRhs())
    return "";
  if (op.getRhsCodesType().getElementTypeBitWidth() != 8 ||
      !numerics::isInteger(op.getRhsParams()->getStorage()))
    return "codes of its right-hand side, which is no constant, are not "
           "integers of 8 bits";
  if (op.getReductionBlock())
    return "its right-hand side, which is no constant, has blocks along a "
           "reduction";
  if (!isa<PerTensorAttr>(op.getRhsParams()->getGranularity()) &&
      !op.isRhsDynamic())
    for (ArrayRef<unsigned> known :
         {ArrayRef(loops.batch), ArrayRef(loops.columns)})
      if (ShapedType::isDynamic(loops.getSize(known)))
        return "its right-hand side has scales along a dimension whose size "
               "is not known";
  return "";
}

/// Codes of a byte, however they are moved, whose sum an int32 holds.
static constexpr int64_t maxCodeSum = (int64_t(1) << 31) / 256;

static std::string findTypeReason(ContractOp op) {
  auto isBytes = [](AffineAttr params) {
    return params.getStorage() == numerics::StorageType::Int8 ||
           params.getStorage() == numerics::StorageType::UInt8;
  };
  if (op.hasIntegerSum() && !isBytes(*op.getLhsParams()))
    return "codes of its left-hand side are not integers of 8 bits";
  // Other codes are made behind a sum of values.
  bool isByteResult = op.getInitParams() && isBytes(*op.getInitParams());
  if (op.hasIntegerSum() && op.getInitParams() && !isByteResult)
    return "codes of its result are not integers of 8 bits";
  if (std::optional<AffineAttr> params = op.getResidualParams())
    if (!isBytes(*params) &&
        (op.hasIntegerSum() || isByteResult || !op.getInitParams()))
      return "codes of its residual are not integers of 8 bits";
  return "";
}

/// Whether `columns` have one number.
static bool isOne(ArrayRef<unsigned> columns, const LoopStrides &strides) {
  return llvm::all_of(columns,
                      [&](unsigned loop) { return strides[loop] == 0; });
}

static std::string findNoPiecesReason(ContractOp op,
                                      const ContractLoops &loops) {
  if (!op.getWide())
    return "";
  if (op.getReductionBlock())
    return "an int32 may not hold the sum of a block";
  if (op.getLayout() && op.getLayout()->getPanel() == 1)
    return "columns do not follow each other in the result, and an int32 may "
           "not hold its sum";
  if (ShapedType::isDynamic(loops.getSize(loops.reduction)))
    return "an int32 may not hold its sum, whose length only the run time "
           "knows";
  // Codes themselves are summed in i32.
  if (loops.getSize(loops.reduction) > maxCodeSum)
    return "an int32 may not hold the sum of its codes";
  return "";
}

std::string quant_mlir::findNoKernelReason(ContractOp op,
                                           const CPUTarget &target) {
  if (std::string reason = findTypeReason(op); !reason.empty())
    return reason;
  ContractLoops loops = analyzeLoops(op);
  if (loops.getSize(loops.reduction) == 0 || loops.getSize(loops.columns) == 0)
    return "it is empty";
  if (op.getLayout() && !op.getRhsCodesType().hasStaticShape())
    return "its right-hand side is packed, and of a size that is not known";
  if (std::string reason = findNoLayoutReason(op, loops, target);
      !reason.empty())
    return reason;
  if (std::string reason = findNoPiecesReason(op, loops); !reason.empty())
    return reason;
  if (op.hasIntegerSum() && op.getLayout() && op.getLayout()->getPanel() == 1)
    return findNoExchangeReason(op, loops);
  if (loops.isDepthwise && op.hasIntegerSum())
    return "it is depthwise";
  if (loops.isDepthwise)
    if (std::string reason = findNoDepthwiseValuesReason(op); !reason.empty())
      return reason;
  if (!op.getLayout())
    if (std::string reason = findNoPanelReason(op, loops); !reason.empty())
      return reason;
  SmallVector<unsigned> columns =
      op.getLayout() ? getRhsLoops(op, op.getLayout()->getColumns())
                     : orderColumns(loops);
  if (std::optional<std::pair<unsigned, int64_t>> block =
          op.getReductionBlock();
      block && op.getLayout()) {
    ArrayRef<int64_t> run =
        op.getLayout()->getReduction().take_back(op.getLayout()->getRun());
    if (run.empty() || run.front() != block->first)
      return "its layout does not begin runs with the dimension that blocks "
             "split";
  }
  if (!loops.areContiguous(columns, loops.initStrides))
    return "columns do not follow each other in the result";
  for (const LoopStrides *strides :
       {&loops.biasStrides, &loops.residualStrides})
    if (!strides->empty() && !loops.areContiguous(columns, *strides) &&
        !(strides == &loops.residualStrides && isOne(columns, *strides)))
      return "columns do not follow each other in the bias or the residual";
  for (const LoopStrides *strides :
       {&loops.rhsScaleStrides, &loops.rhsZeroPointStrides})
    if (!strides->empty() && !isOne(columns, *strides) &&
        !loops.areContiguous(columns, *strides))
      return "scales of columns do not follow each other";
  for (unsigned loop : loops.rows)
    if (!loops.biasStrides.empty() && loops.biasStrides[loop] != 0 &&
        loops.sizes[loop] != 1)
      return "the bias is not the same for all rows";
  return "";
}

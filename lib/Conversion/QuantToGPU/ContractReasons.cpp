//===- ContractReasons.cpp - Which contractions have a kernel -------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"

using namespace mlir;
using namespace quant_mlir;

std::string quant_mlir::findNoGPUTypesReason(ContractOp op,
                                             const GPUTarget &target) {
  auto isBytes = [](AffineAttr params) {
    return params.getStorage() == numerics::StorageType::Int8 ||
           params.getStorage() == numerics::StorageType::UInt8;
  };
  if (!op.hasIntegerSum()) {
    if (std::string reason = findNoValuesReason(op, target); !reason.empty())
      return reason;
  } else if (!isBytes(*op.getLhsParams())) {
    return "codes of its left-hand side are not integers of 8 bits";
  }
  // Other codes are made behind a sum of values.
  bool isOther = op.getInitParams() && !isBytes(*op.getInitParams());
  if (isOther && op.hasIntegerSum())
    return "codes of its result are not integers of 8 bits";
  if (std::optional<AffineAttr> params = op.getResidualParams())
    if (!isBytes(*params) && !isOther)
      return "codes of its residual are not integers of 8 bits";
  for (Value value : {op.getLhs(), op.getInit(), op.getBias(), op.getResidual(),
                      op.getScale(), op.getRhsScale()})
    if (value && !target.hasHalfBuffers() &&
        getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth() == 16)
      return "it has a buffer of floats of 16 bits";
  bool divides = op.getInitParams() &&
                 (op.getScale() || op.getRhsScale() ||
                  (op.getResidual() && !op.getResidualParams()) ||
                  (op.getBias() &&
                   !getElementTypeOrSelf(op.getBias().getType()).isInteger()));
  if (divides && !target.hasExactDoubles())
    return "scales, a bias or a residual in floats are divided by the "
           "result's scale in f64, which the target does not promise";
  if (op.getWide())
    return "an int32 may not hold its sum";
  if (!op.hasIntegerSum() && analyzeLoops(op).isDepthwise)
    return "it is depthwise, and no sum of integers";
  return "";
}

/// What keeps sizes that only the run time knows from a kernel; they are those
/// of a right-hand side that is computed.
static std::string findUnknownSizeReason(ContractOp op,
                                         const ContractLoops &loops) {
  auto isUnknown = [&](ArrayRef<unsigned> of) {
    return ShapedType::isDynamic(loops.getSize(of));
  };
  for (ArrayRef<unsigned> from :
       {ArrayRef(loops.columns), ArrayRef(loops.reduction)}) {
    int64_t moving = llvm::count_if(
        from, [&](unsigned loop) { return loops.sizes[loop] != 1; });
    if (isUnknown(from) && moving > 1)
      return "the size of one of several columns or reductions is not known";
  }
  for (unsigned loop : loops.reduction) {
    if (!ShapedType::isDynamic(loops.sizes[loop]))
      continue;
    std::optional<unsigned> dim = op.getLhsMap().getResultPosition(
        getAffineDimExpr(loop, op.getContext()));
    if (!dim || llvm::any_of(op.getInputPadding(),
                             [](int64_t size) { return size != 0; }))
      return "the size of a reduction is not known, and is none of the "
             "left-hand "
             "side's";
    // See below.
    if (op.getRhsCodesType().getElementTypeBitWidth() == 4)
      return "the size of a reduction is not known, and a sum of products of "
             "nibbles may have more than 27 bits";
  }
  bool isVarying = op.getRhsParams() && !op.isRhsDynamic() &&
                   !isa<PerTensorAttr>(op.getRhsParams()->getGranularity());
  if (isVarying && (isUnknown(loops.batch) || isUnknown(loops.columns)))
    return "its right-hand side has scales along a dimension, and the size of "
           "a "
           "batch or column is not known";
  return "";
}

bool quant_mlir::isOneOfRow(const ContractLoops &loops,
                            const LoopStrides &strides) {
  return llvm::all_of(loops.columns, [&](unsigned loop) {
    return loops.sizes[loop] == 1 || strides[loop] == 0;
  });
}

std::string quant_mlir::findNoGPUKernelReason(ContractOp op,
                                              const GPUTarget &target) {
  if (std::string reason = findNoGPUTypesReason(op, target); !reason.empty())
    return reason;
  ContractLoops loops = analyzeLoops(op);
  if (op.getRhsCodesType().getElementTypeBitWidth() < 4)
    return "codes of its right-hand side have two bits";
  std::optional<LayoutAttr> layout = op.getLayout();
  if (!layout)
    return "its right-hand side is not packed, as quant-pack-weights packs "
           "constants";
  if (std::string reason = findNoLayoutReason(op, loops, target);
      !reason.empty())
    return reason;
  if (loops.isDepthwise) {
    if (std::string reason = findNoDepthwiseReason(op, loops); !reason.empty())
      return reason;
    makeChannelsColumns(loops);
  }
  if (std::string reason = findUnknownSizeReason(op, loops); !reason.empty())
    return reason;
  if (loops.getSize(loops.reduction) == 0 || loops.getSize(loops.columns) == 0)
    return "it is empty";
  if (loops.getSize(loops.batch) > 65535)
    return "it has more than 65535 batches";
  // The narrowest workgroups have 32 columns.
  if (loops.getSize(loops.columns) > 65535 * 32)
    return "it has more than 2097120 columns, which are 65535 workgroups";
  if (std::string reason = findNoBlocksReason(op); !reason.empty())
    return reason;
  // Nibbles are multiplied by 16, with which sums have to fit into 32 bits.
  int64_t summed = loops.getSize(loops.reduction);
  if (std::optional<int64_t> block = countBlockCodes(op))
    summed = std::min(summed, *block);
  if (op.hasIntegerSum() &&
      op.getRhsCodesType().getElementTypeBitWidth() == 4 &&
      summed > (int64_t(1) << 31) / (256 * 128))
    return "a sum of products of nibbles may have more than 27 bits";
  SmallVector<unsigned> columns = getRhsLoops(op, layout->getColumns());
  if (!loops.areContiguous(columns, loops.initStrides))
    return "columns do not follow each other in the result";
  for (const LoopStrides *strides :
       {&loops.biasStrides, &loops.residualStrides, &loops.rhsScaleStrides,
        &loops.rhsZeroPointStrides})
    if (!strides->empty() && !loops.areContiguous(columns, *strides) &&
        !isOneOfRow(loops, *strides))
      return "columns do not follow each other in the bias, the residual or a "
             "scale";
  for (unsigned loop : loops.rows)
    if (!loops.biasStrides.empty() && loops.biasStrides[loop] != 0 &&
        loops.sizes[loop] != 1)
      return "the bias is not the same for all rows";
  return "";
}

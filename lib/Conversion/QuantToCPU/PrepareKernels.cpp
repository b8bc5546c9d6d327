//===- PrepareKernels.cpp - What has to happen before buffers are made ----===//
//
// Operations without a kernel become linalg, with a remark; padding of a
// contraction's input becomes a value of its own, in which what computes the
// input can write. Kernels of CPUs that sum in f32 read f32: what else their
// input is, becomes that first.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"
#include "quant-mlir/Conversion/Utils/ReductionCheck.h"
#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"
#include "quant-mlir/Target/CPU.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Rewrite/PatternApplicator.h"

namespace quant_mlir {
#define GEN_PASS_DEF_PREPAREKERNELSPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-prepare-kernels"

using namespace mlir;
using namespace quant_mlir;

/// What positions that are padding hold: the zero point, or 0.
static Value buildPaddingValue(OpBuilder &builder, ContractOp op) {
  Location loc = op.getLoc();
  Type element = getElementTypeOrSelf(op.getLhs().getType());
  if (op.hasFloatLhs() || !isa<IntegerType>(element))
    return arith::ConstantOp::create(builder, loc,
                                     builder.getZeroAttr(element));
  if (Value zeroPoint = op.getZeroPoint()) {
    auto rank = cast<RankedTensorType>(zeroPoint.getType()).getRank();
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value wide = tensor::ExtractOp::create(builder, loc, zeroPoint,
                                           SmallVector<Value>(rank, zero));
    return arith::TruncIOp::create(builder, loc, element, wide);
  }
  int64_t zeroPoint = 0;
  if (!op.isDynamic()) {
    numerics::TensorParams params = op.getLhsParams()->getTensorParams();
    if (!params.zeroPoints.empty())
      zeroPoint = params.zeroPoints.front();
  }
  return arith::ConstantOp::create(
      builder, loc,
      builder.getIntegerAttr(element, APInt(element.getIntOrFloatBitWidth(),
                                            zeroPoint, /*isSigned=*/true,
                                            /*implicitTrunc=*/true)));
}

/// %empty, filled with the zero points of rows, of which each has its own:
/// along dimensions of %zeroPoint that are 1 they do not vary, and others are
/// not padded. Null where there is one for all.
static Value fillByRow(OpBuilder &builder, ContractOp op, Value empty) {
  Value zeroPoint = op.getZeroPoint();
  if (!zeroPoint || op.hasFloatLhs())
    return Value();
  auto type = cast<RankedTensorType>(zeroPoint.getType());
  if (llvm::all_of(type.getShape(), [](int64_t size) { return size == 1; }))
    return Value();
  MLIRContext *context = builder.getContext();
  Location loc = op.getLoc();
  unsigned rank = type.getRank();
  SmallVector<AffineExpr> exprs;
  for (unsigned dim = 0; dim < rank; ++dim)
    exprs.push_back(type.getDimSize(dim) == 1
                        ? getAffineConstantExpr(0, context)
                        : getAffineDimExpr(dim, context));
  AffineMap maps[] = {AffineMap::get(rank, 0, exprs, context),
                      AffineMap::getMultiDimIdentityMap(rank, context)};
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  Type element = getElementTypeOrSelf(empty.getType());
  return linalg::GenericOp::create(
             builder, loc, TypeRange(empty.getType()), ValueRange(zeroPoint),
             ValueRange(empty), maps, loops,
             [&](OpBuilder &inner, Location loc, ValueRange arguments) {
               Value code =
                   arith::TruncIOp::create(inner, loc, element, arguments[0]);
               linalg::YieldOp::create(inner, loc, code);
             })
      .getResult(0);
}

/// The reshape whose source can have the padding of lhs, and `padding` as that
/// of the source; null where there is none, or rows have zero points of their
/// own.
static tensor::ExpandShapeOp findPaddedBefore(ContractOp op,
                                              SmallVector<int64_t> &padding) {
  auto expand = op.getLhs().getDefiningOp<tensor::ExpandShapeOp>();
  if (!expand || op.getZeroPoint())
    return {};
  SmallVector<int64_t> ofSource;
  for (const ReassociationIndices &group : expand.getReassociationIndices()) {
    ArrayRef<int64_t> ofGroup =
        ArrayRef(padding).slice(2 * group.front(), 2 * group.size());
    if (group.size() == 1)
      ofSource.append(ofGroup.begin(), ofGroup.end());
    else if (llvm::all_of(ofGroup, [](int64_t size) { return size == 0; }))
      ofSource.append(2, 0);
    else
      return {};
  }
  padding = ofSource;
  return expand;
}

/// quant.contract lhs(%x) … padding [1, 2]
///
///   %padded = linalg.fill(zero point) : tensor<13xi8>
///   %in = tensor.insert_slice %x into %padded[1] [10] [1]
///   quant.contract lhs(%in) …
///
/// The filled tensor stands before the one that %x is computed into, so that
/// the elimination of empty tensors can replace that by a part of it. For the
/// same reason, what is reshaped is padded before.
static void separatePadding(ContractOp op) {
  SmallVector<int64_t> padding(*op.getPadding());
  OpBuilder builder(op);
  Location loc = op.getLoc();
  if (llvm::all_of(padding, [](int64_t size) { return size == 0; })) {
    op.removePaddingAttr();
    return;
  }
  Value input = op.getLhs();
  tensor::ExpandShapeOp expand = findPaddedBefore(op, padding);
  if (expand)
    input = expand.getSrc();
  auto type = cast<RankedTensorType>(input.getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, input);
  if (type.hasStaticShape() && !op.getZeroPoint())
    if (auto producer = input.getDefiningOp<DestinationStyleOpInterface>()) {
      OpOperand *init = producer.getTiedOpOperand(cast<OpResult>(input));
      Operation *empty = init->get().getDefiningOp<tensor::EmptyOp>();
      if (empty && empty->getBlock() == op->getBlock())
        builder.setInsertionPoint(empty);
    }
  SmallVector<OpFoldResult> padded, low;
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    int64_t added = padding[2 * dim] + padding[2 * dim + 1];
    if (std::optional<int64_t> known = getConstantIntValue(size))
      padded.push_back(builder.getIndexAttr(*known + added));
    else
      padded.push_back(arith::AddIOp::create(
                           builder, loc, cast<Value>(size),
                           arith::ConstantIndexOp::create(builder, loc, added))
                           .getResult());
    low.push_back(builder.getIndexAttr(padding[2 * dim]));
  }
  Value empty =
      tensor::EmptyOp::create(builder, loc, padded, type.getElementType());
  Value filled = fillByRow(builder, op, empty);
  if (!filled)
    filled = linalg::FillOp::create(builder, loc,
                                    buildPaddingValue(builder, op), empty)
                 .getResult(0);
  builder.setInsertionPoint(op);
  SmallVector<OpFoldResult> ones(type.getRank(), builder.getIndexAttr(1));
  Value whole = tensor::InsertSliceOp::create(builder, loc, input, filled, low,
                                              sizes, ones);
  if (expand) {
    SmallVector<int64_t> shape(expand.getResultType().getShape());
    for (auto [group, size] :
         llvm::zip_equal(expand.getReassociationIndices(),
                         cast<RankedTensorType>(whole.getType()).getShape()))
      if (group.size() == 1)
        shape[group.front()] = size;
    whole = tensor::ExpandShapeOp::create(
        builder, loc, RankedTensorType::get(shape, type.getElementType()),
        whole, expand.getReassociationIndices());
  }
  op.getLhsMutable().assign(whole);
  op.removePaddingAttr();
}

/// A tensor of values as one of `element`.
static Value buildConverted(OpBuilder &builder, Location loc, Value value,
                            Type element) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == element)
    return value;
  return arith::ExtFOp::create(builder, loc, type.clone(element), value);
}

/// Codes of less than f32 that no register of a kernel holds: not integers of 8
/// bits.
static bool isOtherCode(std::optional<AffineAttr> params) {
  return params && (!numerics::isInteger(params->getStorage()) ||
                    numerics::bitWidth(params->getStorage()) != 8);
}

/// quant.contract lhs(%x as <f8E4M3FN, …>) …
///
///   %v = quant.dequantize %x <f8E4M3FN, …>
///   quant.contract lhs(%v) …
///
/// Where sums are not of integers only.
static void widenLhs(ContractOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Type f32 = builder.getF32Type();
  auto type = cast<RankedTensorType>(op.getLhs().getType());
  Value lhs = op.getLhs();
  if (!op.hasFloatLhs())
    lhs =
        DequantizeOp::create(builder, loc, type.clone(f32), lhs, op.getScale(),
                             op.getZeroPoint(), *op.getLhsParams());
  op.getLhsMutable().assign(buildConverted(builder, loc, lhs, f32));
  op.getScaleMutable().clear();
  op.getZeroPointMutable().clear();
  op.removeLhsParamsAttr();
}

/// quant.contract … outs(%o as <f8E4M3FN, …>)
///
///   %r = quant.contract … outs(%e) : tensor<…xf32>
///   quant.quantize %r <f8E4M3FN, …>
static void separateCodes(ContractOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  std::optional<AffineAttr> result = op.getInitParams();
  if (!isOtherCode(result))
    return;
  Type f32 = builder.getF32Type();
  if (Value residual = op.getResidual()) {
    auto type = cast<RankedTensorType>(residual.getType());
    if (std::optional<AffineAttr> params = op.getResidualParams())
      residual = DequantizeOp::create(builder, loc, type.clone(f32), residual,
                                      Value(), Value(), *params);
    op.getResidualMutable().assign(buildConverted(builder, loc, residual, f32));
    op.removeResidualParamsAttr();
  }
  auto codes = cast<RankedTensorType>(op.getInit().getType());
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, op.getInit()), f32);
  op.getInitMutable().assign(empty);
  op.removeInitParamsAttr();
  Value values = op->getResult(0);
  values.setType(empty.getType());
  builder.setInsertionPointAfter(op);
  auto quantize = QuantizeOp::create(builder, loc, codes, values, Value(),
                                     Value(), *result);
  values.replaceAllUsesExcept(quantize.getResult(), quantize);
}

namespace {
struct PrepareKernelsPass
    : public quant_mlir::impl::PrepareKernelsPassBase<PrepareKernelsPass> {
  using PrepareKernelsPassBase::PrepareKernelsPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    auto fail = [&](const llvm::Twine &message) {
      return emitError(UnknownLoc::get(context))
             << "quant-prepare-kernels: " << message;
    };
    if (gpu.empty()) {
      llvm::Expected<CPUTarget> found = CPUTarget::get({cpu, features, triple});
      if (!found)
        return fail(llvm::toString(found.takeError()));
      target = std::make_shared<CPUTarget>(std::move(*found));
    } else {
      llvm::Expected<GPUTarget> found = GPUTarget::get(gpu, gpuArch);
      if (!found)
        return fail(llvm::toString(found.takeError()));
      gpuTarget = std::make_shared<GPUTarget>(std::move(*found));
    }
    RewritePatternSet set(context);
    populateIntegerFormToLinalgPatterns(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    SmallVector<Operation *> without;
    SmallVector<ContractOp> padded, ofValues;
    getOperation()->walk([&](Operation *op) {
      if ((!isa<IntegerFormOpInterface>(op) && !isa<PackColumnsOp>(op)) ||
          op->getNumResults() == 0)
        return;
      // On GPUs, the others have kernels as linalg too.
      if (gpuTarget && !isa<ContractOp, PoolOp, PackColumnsOp>(op)) {
        without.push_back(op);
        return;
      }
      if (std::string reason = prepare(op); !reason.empty()) {
        op->emitRemark() << "'" << op->getName()
                         << "' has no kernel and is lowered to loops: "
                         << reason;
        without.push_back(op);
      } else if (auto contract = dyn_cast<ContractOp>(op)) {
        if (contract.getPadding() && !isPaddedHere(contract))
          padded.push_back(contract);
        if (!contract.hasIntegerSum())
          ofValues.push_back(contract);
        // Before all that runs on a device, which nobody has to wait for then.
        OpBuilder builder(contract);
        if (auto pack = contract.getRhs().getDefiningOp<PackColumnsOp>())
          builder.setInsertionPoint(pack);
        buildReductionCheck(builder, contract);
        buildSizeCheck(builder, contract);
      }
    });
    for (ContractOp op : ofValues) {
      // Kernels of GPUs multiply what lhs is.
      if (!gpuTarget)
        widenLhs(op);
      separateCodes(op);
    }
    for (ContractOp op : padded)
      separatePadding(op);
    numPadded += padded.size();
    numWithout += without.size();

    PatternApplicator applicator(patterns);
    applicator.applyDefaultCostModel();
    PatternRewriter rewriter(&getContext());
    for (Operation *op : without) {
      // Kernels of linalg walk codes by sums of loops, which panels are not.
      if (auto contract = dyn_cast<ContractOp>(op);
          contract && gpuTarget && contract.getLayout() &&
          contract.getRhsCodesType().hasStaticShape())
        unpackWeights(contract, rewriter);
      rewriter.setInsertionPoint(op);
      if (failed(applicator.matchAndRewrite(op, rewriter))) {
        op->emitOpError() << "was not lowered: expected a form that the "
                             "reference lowering knows";
        return signalPassFailure();
      }
    }
  }

private:
  /// Whether its kernel pads its input.
  bool isPaddedHere(ContractOp op) {
    return gpuTarget ? analyzeLoops(op).isDepthwise : isPaddedInKernel(op);
  }

  /// Packs what is computed, where kernels read it packed. The reason why `op`
  /// has no kernel; empty where it has one.
  std::string prepare(Operation *op) {
    if (auto pack = dyn_cast<PackColumnsOp>(op))
      return gpuTarget ? findNoGPUKernelReason(pack, *gpuTarget)
                       : "only GPUs pack what is computed";
    if (auto pool = dyn_cast<PoolOp>(op); pool && gpuTarget)
      return findNoGPUKernelReason(pool, *gpuTarget);
    if (gpuTarget) {
      auto contract = cast<ContractOp>(op);
      return contract.getLayout() ? findNoGPUKernelReason(contract, *gpuTarget)
                                  : packActivations(contract, *gpuTarget);
    }
    return findNoKernelReason(op, *target);
  }

  /// One of them.
  std::shared_ptr<const CPUTarget> target;
  std::shared_ptr<const GPUTarget> gpuTarget;
  FrozenRewritePatternSet patterns;
};
} // namespace

//===- PackWeights.cpp - Weights in the layout of a target ----------------===//
//
// Constant right-hand sides of quant.contract to panels, with the sums of their
// columns, and back. Which panels, ChoosePanels.cpp says. Right-hand sides that
// are computed are left to kernels, which pack them when they are there.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"

#include "ConstantCodes.h"
#include "FitWeights.h"

#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/Target/CPU.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

namespace quant_mlir {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;
using numerics::PanelLayout;

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

namespace {
/// What packing makes of a value.
struct PackedWeights {
  Value bytes, sums;
};
} // namespace

static PackedWeights packCodes(ContractOp op, const ConstantCodes &constant,
                               const PanelLayout &layout) {
  Value rhs = op.getRhs();
  Location loc = rhs.getLoc();
  OpBuilder builder(op.getContext());
  builder.setInsertionPointAfterValue(rhs);
  int64_t size = layout.size();
  ElementsAttr bytes = makeElements(
      RankedTensorType::get({size}, builder.getI8Type()), size,
      constant.name + ".panels", [&](MutableArrayRef<char> dest) {
        numerics::packPanels(layout, constant.codes.data(),
                             reinterpret_cast<uint8_t *>(dest.data()));
      });
  PackedWeights result;
  result.bytes = arith::ConstantOp::create(builder, loc, bytes);
  if (!op.hasIntegerSum())
    return result;
  std::optional<std::pair<unsigned, int64_t>> block = op.getReductionBlock();
  std::vector<int32_t> sums = numerics::sumColumns(
      layout, constant.codes.data(),
      numerics::isSignedInteger(op.getRhsParamsAttr().getStorage()),
      block ? int64_t(block->first) : -1, block ? block->second : 1);
  auto sumsType =
      RankedTensorType::get(op.getSumsShape(), builder.getI32Type());
  result.sums = arith::ConstantOp::create(
      builder, loc,
      makeElements(sumsType,
                   ArrayRef<char>(reinterpret_cast<const char *>(sums.data()),
                                  sums.size() * sizeof(int32_t)),
                   constant.name + ".sums"));
  return result;
}

/// The constant codes, or quant.unpack, of packed bytes.
static Value buildCodes(ContractOp op, OpBuilder &builder) {
  LayoutAttr layout = *op.getLayout();
  RankedTensorType type = layout.getCodesType();
  Location loc = op.getRhs().getLoc();
  ElementsAttr elements;
  bool isSplat;
  std::optional<ArrayRef<char>> bytes;
  if (matchPattern(op.getRhs(), m_Constant(&elements)))
    bytes = getRawBytes(elements, isSplat);
  if (!bytes)
    return UnpackOp::create(builder, loc, type, op.getRhs(), layout);
  std::vector<uint8_t> packed(bytes->begin(), bytes->end());
  if (isSplat)
    packed.assign(elements.getNumElements(), uint8_t(bytes->front()));
  std::string name = getResourceName(elements);
  StringRef baseName = StringRef(name).substr(0, name.rfind(".panels"));
  AffineAttr params = op.getRhsParamsAttr();
  std::vector<uint8_t> codes(type.getNumElements() *
                             layout.getPanelLayout().elementBytes());
  numerics::unpackPanels(
      layout.getPanelLayout(), packed.data(),
      params && numerics::isSignedInteger(params.getStorage()), codes.data());
  if (params)
    return makeCodes(builder, loc, type, codes, baseName);
  ArrayRef<char> values(reinterpret_cast<const char *>(codes.data()),
                        codes.size());
  return arith::ConstantOp::create(builder, loc,
                                   makeElements(type, values, baseName));
}

static void setWeights(ContractOp op, Value rhs, Value sums,
                       LayoutAttr layout) {
  op.getRhsMutable().assign(rhs);
  if (sums)
    op.getSumsMutable().assign(sums);
  else
    op.getSumsMutable().clear();
  if (layout)
    op.setLayoutAttr(layout);
  else
    op.removeLayoutAttr();
}

void quant_mlir::unpackWeights(ContractOp op, OpBuilder &builder) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  setWeights(op, buildCodes(op, builder), Value(), LayoutAttr());
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

///   %w = arith.constant dense<…> : tensor<70x24xi8>
///   quant.contract … rhs(%w as <…> : tensor<70x24xi8>)
/// becomes, and with `undo` comes from,
///   %p = arith.constant dense<…> : tensor<1728xi8>
///   %s = arith.constant dense<…> : tensor<24xi32>
///   quant.contract … rhs(%p as <…> in <panels, …> sums %s …)
namespace {
struct PackWeightsPass
    : public quant_mlir::impl::PackWeightsPassBase<PackWeightsPass> {
  using PackWeightsPassBase::PackWeightsPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    auto take = [&](auto result) -> LogicalResult {
      if (!result)
        return emitError(UnknownLoc::get(context))
               << "quant-pack-weights: " << llvm::toString(result.takeError());
      using Target = std::decay_t<decltype(*result)>;
      target = std::make_shared<Target>(std::move(*result));
      return success();
    };
    if (gpu.empty())
      return take(CPUTarget::get({targetCpu, targetFeatures, targetTriple}));
    return take(GPUTarget::get(gpu, gpuArch));
  }

  void runOnOperation() override {
    SmallVector<ContractOp> ops;
    getOperation()->walk([&](ContractOp op) { ops.push_back(op); });
    // Weights that several operations share are packed once for each layout.
    llvm::DenseMap<std::tuple<Value, Attribute, Attribute>, PackedWeights> done;
    WeightFitter fitter;
    llvm::SetVector<Operation *> replaced;
    for (ContractOp op : ops) {
      if (!undo && !gpu.empty())
        fitter.fit(op, replaced);
      Value rhs = op.getRhs(), sums = op.getSums();
      if (!(undo ? unpack(op, done) : pack(op, done)))
        continue;
      for (Value old : {rhs, sums})
        if (old && old.getDefiningOp())
          replaced.insert(old.getDefiningOp());
    }
    // Users come before what they use.
    for (unsigned i = 0; i < replaced.size(); ++i) {
      Operation *old = replaced[i];
      if (!isOpTriviallyDead(old))
        continue;
      for (Value operand : old->getOperands())
        if (operand.getDefiningOp())
          replaced.insert(operand.getDefiningOp());
      old->erase();
    }
  }

private:
  using Done =
      llvm::DenseMap<std::tuple<Value, Attribute, Attribute>, PackedWeights>;

  static InFlightDiagnostic remark(ContractOp op) {
    return emitRemark(op.getLoc())
           << "the weights of '" << getQuantName(op) << "' ";
  }

  bool pack(ContractOp op, Done &done) {
    if (!op.getRhsCodesType().hasStaticShape())
      return false; // They are no weights, and have no layout.
    std::string reason;
    ContractLoops loops = analyzeLoops(op);
    std::optional<PanelLayout> layout =
        choosePanels(op, loops, *target, reason);
    auto attr =
        layout ? LayoutAttr::get(op.getContext(), op.getRhsCodesType(), *layout)
               : LayoutAttr();
    if (op.getLayout()) {
      reason = findNoLayoutReason(op, loops, *target);
      if (!reason.empty())
        remark(op) << "are left as they are: " << reason;
      return false;
    }
    if (op.isRhsDynamic())
      return false; // They are no weights.
    if (!isa<TensorType>(op.getRhs().getType()))
      reason = "they are a buffer: pack them before bufferization";
    if (!reason.empty()) {
      remark(op) << "are not packed: " << reason;
      return false;
    }
    auto &packed = done[{op.getRhs(), attr, op.getRhsParamsAttr()}];
    if (!packed.bytes) {
      std::optional<ConstantCodes> constant = readCodes(op.getRhs(), reason);
      if (!constant) {
        if (!reason.empty())
          remark(op) << "are not packed: " << reason;
        return false;
      }
      // The shape of sums follows from the layout.
      op.setLayoutAttr(attr);
      packed = packCodes(op, *constant, *layout);
      ++numPacked;
    }
    setWeights(op, packed.bytes, packed.sums, attr);
    return true;
  }

  bool unpack(ContractOp op, Done &done) {
    if (!op.getLayout())
      return false;
    if (!isa<TensorType>(op.getRhs().getType())) {
      remark(op) << "stay packed: they are a buffer";
      return false;
    }
    if (!op.getRhsCodesType().hasStaticShape()) {
      remark(op) << "stay packed: they are computed, and of a size that only "
                    "the run time knows";
      return false;
    }
    auto &codes = done[{op.getRhs(), *op.getLayout(), op.getRhsParamsAttr()}];
    if (!codes.bytes) {
      OpBuilder builder(op.getContext());
      builder.setInsertionPointAfterValue(op.getRhs());
      codes.bytes = buildCodes(op, builder);
      ++numUnpacked;
    }
    setWeights(op, codes.bytes, Value(), LayoutAttr());
    return true;
  }

  std::shared_ptr<const PanelTarget> target;
};
} // namespace

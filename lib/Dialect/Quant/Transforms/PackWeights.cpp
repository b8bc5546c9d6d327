//===- PackWeights.cpp - Weights in the layout of a target ----------------===//
//
// Constant right-hand sides of quant.contract to panels, with the sums of their
// columns, and back. Which panels, ChoosePanels.cpp says. Right-hand sides that
// are computed are left to kernels, which pack them when they are there.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"

#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/Target/CPU.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/DialectResourceBlobManager.h"
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
/// Codes of a constant, one per byte, or values in their bytes.
struct ConstantCodes {
  ArrayRef<uint8_t> codes;
  std::vector<uint8_t> storage; ///< where they are not as they lie in the IR
  std::string name;             ///< of the resource
};

/// What packing makes of a value.
struct PackedWeights {
  Value bytes, sums;
};
} // namespace

static std::string getResourceName(ElementsAttr elements) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    return resource.getRawHandle().getKey().str();
  return "weights";
}

/// arith.constant, or quant.unpack <canonical> of one. Otherwise the reason, or
/// none where there is nothing to pack yet.
static std::optional<ConstantCodes> readCodes(Value rhs, std::string &reason) {
  auto type = cast<RankedTensorType>(rhs.getType());
  auto unpack = rhs.getDefiningOp<UnpackOp>();
  ElementsAttr elements;
  if (!matchPattern(unpack ? unpack.getInput() : rhs, m_Constant(&elements)))
    return std::nullopt;
  bool isSplat;
  std::optional<ArrayRef<char>> bytes = getRawBytes(elements, isSplat);
  if (!bytes) {
    reason =
        "their elements are not in memory: a resource is missing, or of the "
        "wrong size";
    return std::nullopt;
  }
  ArrayRef<uint8_t> data(reinterpret_cast<const uint8_t *>(bytes->data()),
                         bytes->size());
  ConstantCodes result;
  result.name = getResourceName(elements);
  if (isSplat) {
    for (int64_t i = 0, e = elements.getNumElements(); i < e; ++i)
      result.storage.insert(result.storage.end(), data.begin(), data.end());
    data = result.storage;
  }
  if (unpack) {
    LayoutAttr layout = unpack.getLayout();
    std::vector<uint8_t> codes(
        type.getNumElements() *
        llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    // Bits above the width are not looked at, so signs do not matter.
    if (layout.isCanonical())
      numerics::unpackCodes(data.data(), codes.size(),
                            type.getElementTypeBitWidth(), false, codes.data());
    else
      numerics::unpackPanels(layout.getPanelLayout(), data.data(), false,
                             codes.data());
    result.storage = std::move(codes);
    data = result.storage;
  }
  result.codes = data;
  return result;
}

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

/// The bits that codes of rhs have in kernels of GPUs: those unpack nibbles,
/// and nothing where every channel has a filter of its own.
static unsigned getWidthOnGPU(ContractOp op) {
  unsigned width = op.getRhsCodesType().getElementTypeBitWidth();
  if (!op.hasIntegerSum())
    return width == 2 ? 4 : width;
  return analyzeLoops(op).isDepthwise ? 8 : std::max(width, 4u);
}

/// %w as <int2, …> : tensor<…xi2>
///   -> %v as <int4 range [-2, 1], …> : tensor<…xi4>
///
/// The same codes in `width` bits, 4 or 8; null where they are no constant.
/// `params` becomes what they are.
static Value widenCodes(ContractOp op, unsigned width, AffineAttr &params) {
  std::string reason;
  Value rhs = op.getRhs();
  std::optional<ConstantCodes> constant = readCodes(rhs, reason);
  if (!constant)
    return Value();
  using numerics::StorageType;
  bool isSigned = numerics::isSignedInteger(params.getStorage());
  uint8_t mask = (1 << numerics::bitWidth(params.getStorage())) - 1,
          sign = isSigned ? (mask + 1) / 2 : 0;
  std::vector<uint8_t> codes;
  for (uint8_t code : constant->codes)
    codes.push_back(((code & mask) ^ sign) - sign);
  StorageType storage =
      width == 8 ? (isSigned ? StorageType::Int8 : StorageType::UInt8)
                 : (isSigned ? StorageType::Int4 : StorageType::UInt4);
  params = AffineAttr::get(op.getContext(), storage, params.getQuantMin(),
                           params.getQuantMax(), params.getGranularity(),
                           params.getScale(), params.getZeroPoint(),
                           params.getMinval());
  OpBuilder builder(op.getContext());
  builder.setInsertionPointAfterValue(rhs);
  return makeCodes(builder, rhs.getLoc(),
                   cast<RankedTensorType>(rhs.getType())
                       .clone(params.getStorageElementType()),
                   codes, constant->name);
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
    std::optional<GPUKind> kind = symbolizeGPUKind(gpu);
    if (!kind)
      return emitError(UnknownLoc::get(context))
             << "quant-pack-weights: expected spirv, nvvm or rocdl as gpu, "
                "found '"
             << gpu << "'";
    GPUTargetOptions options;
    options.kind = *kind;
    options.arch = gpuArch;
    return take(GPUTarget::get(options));
  }

  void runOnOperation() override {
    SmallVector<ContractOp> ops;
    getOperation()->walk([&](ContractOp op) { ops.push_back(op); });
    // Weights that several operations share are packed once for each layout.
    llvm::DenseMap<std::tuple<Value, Attribute, Attribute>, PackedWeights> done;
    llvm::DenseMap<std::tuple<Value, Attribute, unsigned>,
                   std::pair<Value, AffineAttr>>
        widened;
    llvm::SetVector<Operation *> replaced;
    for (ContractOp op : ops) {
      if (hasNarrowCodes(op)) {
        unsigned width = getWidthOnGPU(op);
        auto &[value, params] =
            widened[{op.getRhs(), op.getRhsParamsAttr(), width}];
        if (!value) {
          params = op.getRhsParamsAttr();
          value = widenCodes(op, width, params);
        }
        if (value) {
          replaced.insert(op.getRhs().getDefiningOp());
          op.getRhsMutable().assign(value);
          op.setRhsParamsAttr(params);
        }
      }
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

  /// Whether rhs is of codes that the target has no kernel for, and is to be
  /// packed.
  bool hasNarrowCodes(ContractOp op) {
    return !undo && !gpu.empty() && !op.getLayout() && op.getRhsParams() &&
           numerics::isInteger(op.getRhsParams()->getStorage()) &&
           op.getRhsCodesType().getElementTypeBitWidth() < getWidthOnGPU(op) &&
           isa<TensorType>(op.getRhs().getType());
  }

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

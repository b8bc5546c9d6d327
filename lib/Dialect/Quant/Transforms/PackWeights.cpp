//===- PackWeights.cpp - Weights in the layout of a target ----------------===//
//
// Constant right-hand sides of quant.contract to panels, with the sums of their
// columns, and back. What a panel is, numerics::PanelLayout says; what a CPU
// wants, CPUTarget. Right-hand sides that are computed are left to kernels,
// which pack them when they are there.
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
using numerics::StorageType;

//===----------------------------------------------------------------------===//
// Choosing a layout
//===----------------------------------------------------------------------===//

/// What moves codes of 8 bits to signed ones, and shorter ones to unsigned
/// ones: bytes are multiplied as they are, and nibbles become bytes by `and`
/// and a shift.
static int64_t getOffset(StorageType storage) {
  switch (storage) {
  case StorageType::UInt8:
    return -128;
  case StorageType::Int4:
    return 8;
  case StorageType::Int2:
    return 2;
  default:
    return 0;
  }
}

/// Elements of all runs, filled up to whole tuples.
static int64_t getFilledSize(const PanelLayout &layout) {
  return layout.numOuter() * layout.tuplesPerRun() * layout.tupleSize();
}

/// Chooses `run` and `block`. Blocks of scales begin a tuple, so that one step
/// of a kernel has one scale: along a run they are of equal size where the
/// dimension that is split is the outermost of the run, or a multiple of its
/// blocks.
static void chooseRun(PanelLayout &layout, int64_t run,
                      std::optional<std::pair<unsigned, int64_t>> block) {
  layout.run = run;
  layout.block = 0;
  if (!block)
    return;
  ArrayRef<int64_t> dims = ArrayRef<int64_t>(layout.reduction).take_back(run);
  const int64_t *split = llvm::find(dims, int64_t(block->first));
  if (split == dims.end())
    return;
  int64_t inner = 1;
  for (const int64_t *dim = split + 1; dim != dims.end(); ++dim)
    inner *= layout.shape[*dim];
  if (layout.shape[*split] % block->second != 0)
    layout.run = dims.end() - split;
  layout.block = block->second * inner;
  // Then tuples begin there anyway.
  if (layout.block % layout.tupleSize() == 0)
    layout.block = 0;
}

std::optional<PanelLayout> quant_mlir::choosePanels(ContractOp op,
                                                    const ContractLoops &loops,
                                                    const PanelTarget &target,
                                                    std::string &reason) {
  bool isByRows = loops.isResultByRows() && op.hasIntegerSum() &&
                  op.getRhsCodesType().getElementTypeBitWidth() == 8;
  bool isDepthwise = loops.isDepthwise && !isByRows;
  if (isDepthwise && !loops.channel) {
    reason = "every channel has weights of its own, and channels are not the "
             "innermost dimension of lhs and result";
    return std::nullopt;
  }
  RankedTensorType codes = op.getRhsCodesType();
  AffineMap map = op.getRhsMap();
  SmallVector<int64_t> dimOfLoop(map.getNumDims(), -1);
  for (unsigned dim = 0; dim < map.getNumResults(); ++dim)
    dimOfLoop[map.getDimPosition(dim)] = dim;
  auto addDims = [&](std::vector<int64_t> &dims, ArrayRef<unsigned> from) {
    for (unsigned loop : from)
      dims.push_back(dimOfLoop[loop]);
  };

  PanelLayout layout;
  layout.shape = codes.getShape().vec();
  layout.width = codes.getElementTypeBitWidth();
  if (AffineAttr params = op.getRhsParamsAttr())
    layout.offset = getOffset(params.getStorage());
  // A depthwise window of codes is packed column by column, as its kernel walks
  // it: the loop of the smallest stride around a run of the others.
  SmallVector<unsigned> reduction = loops.reductionByStride;
  SmallVector<unsigned> moving(llvm::make_filter_range(
      reduction, [&](unsigned loop) { return loops.sizes[loop] != 1; }));
  bool hasColumns = isDepthwise && op.hasIntegerSum() && moving.size() > 1;
  if (hasColumns) {
    llvm::erase(reduction, moving.back());
    reduction.insert(reduction.begin(), moving.back());
  }
  addDims(layout.reduction, reduction);
  // Columns that follow each other do so in the result.
  SmallVector<unsigned> columns = loops.columns;
  llvm::sort(columns, [&](unsigned a, unsigned b) {
    int64_t strideA = loops.initStrides[a].value_or(ShapedType::kDynamic),
            strideB = loops.initStrides[b].value_or(ShapedType::kDynamic);
    // Not known: of an outer dimension.
    if ((strideA == ShapedType::kDynamic) != (strideB == ShapedType::kDynamic))
      return strideA == ShapedType::kDynamic;
    return strideA != strideB ? strideA > strideB : a < b;
  });
  if (isDepthwise) {
    for (unsigned loop : loops.batch)
      if (loop != *loops.channel)
        layout.batch.push_back(dimOfLoop[loop]);
    addDims(layout.batch, columns);
    layout.columns.push_back(dimOfLoop[*loops.channel]);
  } else {
    addDims(layout.batch, loops.batch);
    addDims(layout.columns, columns);
  }
  layout.panel = target.getPanelColumns(layout.numColumns());
  layout.group = !op.hasIntegerSum() ? 1
                 : isDepthwise       ? target.getDepthwiseGroup()
                                     : target.getDotGroup();

  // Columns are the rows of the kernel: the codes of each follow each other.
  if (isByRows) {
    layout.panel = 1;
    chooseRun(layout, layout.reduction.size(), op.getReductionBlock());
    return layout;
  }

  // A run that is contiguous in lhs is read from there. All reductions as one
  // run need the fewest bytes; a kernel then gathers lhs, which it has to do
  // anyway where lhs has no run, and which is worth it where an eighth would be
  // zeros.
  std::optional<std::pair<unsigned, int64_t>> block = op.getReductionBlock();
  PanelLayout gathered = layout;
  chooseRun(gathered, layout.reduction.size() - hasColumns, block);
  chooseRun(layout, loops.lhsRun, block);
  if (loops.lhsRun == 0 || isDepthwise ||
      getFilledSize(layout) * 8 > getFilledSize(gathered) * 9)
    return gathered;
  return layout;
}

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
             << "quant-pack-weights: expected spirv or nvvm as gpu, found '"
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
    llvm::SetVector<Operation *> replaced;
    for (ContractOp op : ops) {
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
    std::string reason;
    ContractLoops loops = analyzeLoops(op);
    std::optional<PanelLayout> layout =
        choosePanels(op, loops, *target, reason);
    auto attr =
        layout ? LayoutAttr::get(op.getContext(), op.getRhsCodesType(), *layout)
               : LayoutAttr();
    if (op.getLayout()) {
      if (op.getLayout() != attr)
        remark(op) << "are packed already, in another layout than "
                   << target->getName()
                   << " reads: undo that first, with "
                      "quant-pack-weights{undo}";
      return false;
    }
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

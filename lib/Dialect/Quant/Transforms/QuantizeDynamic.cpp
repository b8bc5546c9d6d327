//===- QuantizeDynamic.cpp - Activations by ranges of run time ------------===//
//
// Every operation with a quantized weight, and a product of two activations
// where a rule asks for it, reads its data through
//
//   %s, %z = quant.dynamic_range %x <S>
//   %q = quant.quantize %x scale(%s) zero_point(%z)
//   %d = quant.dequantize %q scale(%s) zero_point(%z)
//
// placed where %x comes into being, once for all that ask the same of it. Which
// operands are data and which dimensions are rows is the interface's to say; of
// convolutions, whose data have no roles, the indexing maps'.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"
#include "quant-mlir/Dialect/Quant/Transforms/ActivationSettings.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

namespace quant_mlir {
#define GEN_PASS_DEF_QUANTIZEDYNAMICPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-quantize-dynamic"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Weights and values
//===----------------------------------------------------------------------===//

/// The values that the elements of `value` come from in one step; empty where
/// it is computed.
static SmallVector<Value> getSources(Value value) {
  Operation *def = value.getDefiningOp();
  if (auto op = dyn_cast_or_null<QuantizableOpInterface>(def);
      op && op.getValueEffect() != ValueEffect::Computes)
    return llvm::map_to_vector(
        op.getValueSources(),
        [](OpOperand *operand) -> Value { return operand->get(); });
  if (isa_and_nonnull<arith::ExtFOp, arith::TruncFOp>(def))
    return {def->getOperand(0)};
  if (auto linalgOp = dyn_cast_or_null<linalg::LinalgOp>(def))
    if (OpOperand *input = matchMove(linalgOp))
      return {input->get()};
  return {};
}

/// Whether one of the operands may be a weight.
static bool hasWeight(QuantizableOpInterface op) {
  return llvm::any_of(
      op.getQuantizableOperands(),
      [](const QuantizableOperand &operand) { return operand.canBeWeight(); });
}

/// Codes that are constant, behind a dequantize and moves.
static bool isQuantizedWeight(Value value) {
  while (true) {
    if (auto dequantize = value.getDefiningOp<DequantizeOp>())
      return isComputedFromConstants(dequantize.getInput());
    SmallVector<Value> sources = getSources(value);
    if (sources.size() != 1)
      return false;
    value = sources.front();
  }
}

/// Whether no element is negative for sure: behind a relu or a sigmoid.
static bool isNonNegative(Value value) {
  auto op = dyn_cast_or_null<QuantizableOpInterface>(value.getDefiningOp());
  if (op) {
    std::optional<Epilogue> epilogue = op.getEpilogue();
    if (epilogue && epilogue->kind == Epilogue::Kind::Clamp &&
        epilogue->bounds.lo == 0)
      return true;
    if (std::optional<FloatRange> range = op.getKnownOutputRange())
      return range->lo >= 0;
  }
  SmallVector<Value> sources = getSources(value);
  return !sources.empty() && llvm::all_of(sources, isNonNegative);
}

/// Whether all elements are quantized already, and only moved since.
static bool isDequantized(Value value) {
  if (value.getDefiningOp<DequantizeOp>())
    return true;
  SmallVector<Value> sources = getSources(value);
  return !sources.empty() && llvm::all_of(sources, isDequantized);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static bool hasPlainDim(AffineMap map, unsigned loop) {
  return llvm::any_of(map.getResults(), [&](AffineExpr expr) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    return dim && dim.getPosition() == loop;
  });
}

/// Dimensions of the data with parameters of their own per index: those that
/// index rows of the output. A batch that the weight has too counts, but for
/// groups and depthwise channels, which only operations with windows have.
/// nullopt where nobody says what the dimensions mean.
static std::optional<SmallVector<int64_t>>
getRowDims(Operation *op, const QuantizableOperand &data, OpOperand *weight) {
  SmallVector<int64_t> dims;
  if (!data.roles.empty()) {
    bool isWindowed = llvm::is_contained(data.roles, DimRole::Kernel);
    for (auto [dim, role] : llvm::enumerate(data.roles))
      // As a weight's would be: in data and output, not in the weight.
      if (role == DimRole::OutputChannel ||
          (role == DimRole::Batch && !isWindowed))
        dims.push_back(dim);
    return dims;
  }
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp.getNumDpsInits() != 1 ||
      !linalgOp.isDpsInput(data.operand) || !linalgOp.isDpsInput(weight))
    return std::nullopt;
  AffineMap map = linalgOp.getMatchingIndexingMap(data.operand);
  AffineMap weightMap = linalgOp.getMatchingIndexingMap(weight);
  AffineMap outMap =
      linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0));
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (loop && hasPlainDim(outMap, loop.getPosition()) &&
        !weightMap.isFunctionOfDim(loop.getPosition()))
      dims.push_back(dim);
  }
  return dims;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

class QuantizeDynamicPass
    : public quant_mlir::impl::QuantizeDynamicPassBase<QuantizeDynamicPass> {
public:
  using QuantizeDynamicPassBase::QuantizeDynamicPassBase;

  void runOnOperation() override {
    done.clear();
    rules.reset();
    if (failed(readOptions()))
      return signalPassFailure();
    assignQuantNames(getOperation(), [](Operation *) { return true; });
    SmallVector<QuantizableOpInterface> ops;
    getOperation()->walk([&](QuantizableOpInterface op) {
      if (!op.getQuantizableKind().empty())
        ops.push_back(op);
    });
    for (QuantizableOpInterface op : ops)
      if (failed(quantize(op)))
        return signalPassFailure();
    if (rules)
      if (llvm::Error error = rules->checkAllUsed()) {
        (void)fail(std::move(error));
        return signalPassFailure();
      }
  }

private:
  LogicalResult fail(llvm::Error error) {
    return emitError(getOperation().getLoc())
           << "quant-quantize-dynamic: " << llvm::toString(std::move(error));
  }

  LogicalResult readOptions() {
    if (granularity != "per_tensor" && granularity != "per_row")
      return fail(llvm::createStringError(
          "expected granularity per_tensor or per_row, found '" + granularity +
          "'"));
    defaults = {dtype, qscheme, /*calibrator=*/""};
    // What is wrong with the flags is wrong whatever the model holds.
    if (llvm::Expected<std::optional<ActivationSettings>> settings =
            resolveActivation(nullptr, defaults);
        !settings)
      return fail(settings.takeError());
    if (config.empty())
      return success();
    llvm::Expected<QuantConfig> loaded = QuantConfig::load(config);
    if (!loaded)
      return fail(loaded.takeError());
    rules = std::move(*loaded);
    return success();
  }

  void skip(Operation *op, const Twine &reason) {
    ++numSkipped;
    emitRemark(op->getLoc()) << "the input of '" << getQuantName(op)
                             << "' stays in floating point: " << reason;
  }

  /// What flags and rules ask of the data of `op`; nullopt where it is skipped.
  /// `isAsked`: by a rule for this operation, or operations like it.
  FailureOr<std::optional<ActivationSettings>>
  getSettings(QuantizableOpInterface op, std::string &where, bool &isAsked) {
    QuantConfig::Match match;
    where = "the flags";
    if (rules)
      match =
          rules->match(QuantConfig::Tensor::Input, getQuantName(op),
                       op->getName().getStringRef(), op.getQuantizableKind());
    if (match.rule)
      where = match.where;
    isAsked = match.rule && match.specificity > 1;
    llvm::Expected<std::optional<ActivationSettings>> settings =
        resolveActivation(match.rule, defaults);
    if (!settings)
      return emitError(op->getLoc())
             << "'" << getQuantName(op) << "', by " << where << ": "
             << llvm::toString(settings.takeError());
    if (*settings &&
        (*settings)->spec.formulation == numerics::Formulation::MinVal)
      return emitError(op->getLoc())
             << "'" << getQuantName(op) << "', by " << where
             << ": minval is for weights: expected the formulation zp";
    if (!*settings)
      where = match.rule && match.rule->disabled
                  ? "disabled by the rule " + where
                  : "no rule and no flag gives a storage type";
    return std::move(*settings);
  }

  LogicalResult quantize(QuantizableOpInterface op) {
    std::string where;
    bool isAsked = false;
    FailureOr<std::optional<ActivationSettings>> settings =
        getSettings(op, where, isAsked);
    if (failed(settings))
      return failure();
    SmallVector<QuantizableOperand> operands = op.getQuantizableOperands();
    // A lookup has no data, and what has no weight is no kernel of this kind.
    if (op.getQuantizableKind() == "embedding" || !hasWeight(op))
      return success();
    OpOperand *weight = nullptr;
    SmallVector<const QuantizableOperand *> data;
    for (const QuantizableOperand &operand : operands) {
      if (operand.canBeWeight() && isQuantizedWeight(operand.operand->get()))
        weight = operand.operand;
      else
        data.push_back(&operand);
    }
    // Of two activations both are quantized, or none: that gains speed and
    // costs accuracy, so it is asked for by name.
    bool isProduct = data.size() == 2 &&
                     llvm::none_of(data, [](const QuantizableOperand *operand) {
                       return isComputedFromConstants(operand->operand->get());
                     });
    if (!weight && !(isProduct && isAsked))
      return skip(op, isProduct
                          ? "it has no quantized weight beside it; a rule "
                            "of a configuration for this operation "
                            "quantizes both its operands"
                          : "it has no quantized weight beside it"),
             success();
    if (!*settings)
      return skip(op, where), success();
    if (data.empty())
      return skip(op, "QuantizableOpInterface names no operand beside the "
                      "quantized weight"),
             success();
    for (const QuantizableOperand *operand : data)
      if (failed(quantizeData(op, *operand,
                              weight               ? weight
                              : operand == data[0] ? data[1]->operand
                                                   : data[0]->operand,
                              **settings, where)))
        return failure();
    return success();
  }

  LogicalResult quantizeData(QuantizableOpInterface op,
                             const QuantizableOperand &data, OpOperand *weight,
                             const ActivationSettings &settings,
                             StringRef where) {
    Value value = data.operand->get();
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !getExpressedType(type.getElementType()))
      return skip(op, "it is not a ranked tensor of f32, f16 or bf16"),
             success();
    if (isDequantized(value))
      return skip(op, "it is quantized already"), success();
    if (isComputedFromConstants(value))
      return skip(op, "it is a constant"), success();

    FailureOr<SpecAttr> spec =
        getSpec(op, data, weight, settings, where, type.getShape());
    if (failed(spec))
      return failure();
    Value &quantized = done[{value, *spec}];
    if (!quantized) {
      quantized = build(value, *spec);
      ++numQuantized;
    }
    data.operand->set(quantized);
    if (explain)
      emitRemark(op->getLoc()) << "'" << getQuantName(op) << "': input by "
                               << where << ": " << *spec << " at run time";
    return success();
  }

  FailureOr<SpecAttr> getSpec(QuantizableOpInterface op,
                              const QuantizableOperand &data, OpOperand *weight,
                              ActivationSettings settings, StringRef where,
                              ArrayRef<int64_t> shape) {
    settings.calibrator = "static";
    // One side of a symmetric range would be empty.
    if (isNonNegative(data.operand->get()) &&
        numerics::isInteger(settings.spec.storage))
      settings.spec.scheme = numerics::Scheme::Asymmetric;
    llvm::Expected<SpecAttr> spec =
        settings.getSpecAttr(&getContext(), shape.size());
    if (!spec)
      return emitError(op->getLoc())
             << "'" << getQuantName(op) << "', by " << where << ": "
             << llvm::toString(spec.takeError());
    // A rule's axis is more specific than a flag for all.
    if (granularity != "per_row" || settings.axis)
      return *spec;
    std::optional<SmallVector<int64_t>> rows = getRowDims(op, data, weight);
    if (!rows) {
      emitRemark(op->getLoc())
          << "the input of '" << getQuantName(op)
          << "' is quantized per_tensor: which of its dimensions are rows is "
             "not known; give roles of its dimensions through "
             "QuantizableOpInterface";
      return *spec;
    }
    // What has one index has one unit anyway.
    llvm::erase_if(*rows, [&](int64_t dim) { return shape[dim] == 1; });
    GranularityAttrInterface granularity = PerTensorAttr::get(&getContext());
    if (!rows->empty())
      granularity = PerChannelAttr::get(&getContext(), *rows);
    return SpecAttr::get(&getContext(), spec->getStorage(), spec->getScheme(),
                         spec->getFormulation(), granularity,
                         spec->getScaleType(), spec->getFloatLo(),
                         spec->getFloatHi(), spec->getCalibrator());
  }

  /// `value` as its codes say it.
  static Value build(Value value, SpecAttr spec) {
    Location loc = value.getLoc();
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    auto range = DynamicRangeOp::create(builder, loc, value, spec);
    numerics::CodeRange codes = numerics::rangeInUse(spec.getQuantSpec());
    auto params = AffineAttr::get(
        value.getContext(), spec.getStorage(), int64_t(codes.min),
        int64_t(codes.max), spec.getGranularity(), /*scale=*/ElementsAttr(),
        /*zeroPoint=*/ElementsAttr(), /*minval=*/ElementsAttr());
    auto type = cast<RankedTensorType>(value.getType());
    Value quantized = QuantizeOp::create(
        builder, loc, type.clone(params.getStorageElementType()), value,
        range.getScale(), range.getZeroPoint(), params);
    return DequantizeOp::create(builder, loc, type, quantized, range.getScale(),
                                range.getZeroPoint(), params);
  }

  ActivationDefaults defaults;
  std::optional<QuantConfig> rules;
  DenseMap<std::pair<Value, SpecAttr>, Value> done;
};

} // namespace

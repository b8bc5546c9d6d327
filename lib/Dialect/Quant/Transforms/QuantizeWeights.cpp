//===- QuantizeWeights.cpp - Weights to storage-type constants ------------===//
//
// Collect the weights, decide for each what is asked of it and whether its
// consumers agree, quantize all of them, and only then rewrite. What becomes of
// one weight is in QuantizedWeight.cpp, finding weights in Weights.cpp,
// requests in WeightSettings.cpp and QuantConfig.cpp.
//
//===----------------------------------------------------------------------===//

#include "QuantizedWeight.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/Dialect/Quant/Transforms/QuantConfig.h"
#include "quant-mlir/Dialect/Quant/Transforms/QuantReport.h"
#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"

namespace quant_mlir {
#define GEN_PASS_DEF_QUANTIZEWEIGHTSPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-quantize-weights"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

static StringRef toStringRef(std::string_view text) {
  return {text.data(), text.size()};
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

static InFlightDiagnostic emitDisagreement(WeightUse &first, WeightUse &second,
                                           StringRef what) {
  InFlightDiagnostic diag = emitError(second.consumer->getLoc())
                            << "the consumers '" << getQuantName(first.consumer)
                            << "' and '" << getQuantName(second.consumer)
                            << "' of one weight disagree on " << what;
  diag.attachNote(first.consumer->getLoc()) << "the other consumer is here";
  return diag;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// Erases what the rewrite left without users, from the consumer's side to the
/// constant's.
static void eraseDeadPath(ArrayRef<Operation *> path,
                          llvm::SmallPtrSetImpl<Operation *> &erased) {
  for (Operation *op : path)
    if (!erased.contains(op) && isOpTriviallyDead(op)) {
      erased.insert(op);
      op->erase();
    }
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

class QuantizeWeightsPass
    : public quant_mlir::impl::QuantizeWeightsPassBase<QuantizeWeightsPass> {
public:
  using QuantizeWeightsPassBase::QuantizeWeightsPassBase;

  void runOnOperation() override {
    if (failed(readOptions()))
      return signalPassFailure();
    assignQuantNames(getOperation(), [](Operation *op) {
      return llvm::any_of(
          cast<QuantizableOpInterface>(op).getQuantizableOperands(),
          [](const QuantizableOperand &operand) {
            return operand.canBeWeight();
          });
    });
    WeightCollection collection = collectWeights(getOperation());
    for (UnreachedWeight &weight : collection.unreached)
      skip(weight.consumer, weight.reason);
    for (UnreachedWeight &weight : collection.quantized)
      keepQuantized(weight.consumer, weight.reason);

    SmallVector<WeightDecision> decisions;
    for (Weight &weight : collection.weights) {
      FailureOr<std::optional<WeightDecision>> decision = decide(weight);
      if (failed(decision))
        return signalPassFailure();
      if (*decision)
        decisions.push_back(std::move(**decision));
    }
    if (failed(checkRules()))
      return signalPassFailure();
    for (WeightDecision &decision : decisions)
      if (failed(quantize(decision)))
        return signalPassFailure();
    if (!report.empty()) {
      addActivations(getOperation(), result);
      if (failed(checkWritten(getOperation(), report, result.write(report))))
        return signalPassFailure();
    }
  }

private:
  LogicalResult fail(llvm::Error error) {
    return emitError(getOperation().getLoc())
           << "quant-quantize-weights: " << llvm::toString(std::move(error));
  }

  /// The options as a request, and the configuration.
  LogicalResult readOptions() {
    result = {};
    defaults = {};
    rules.reset();
    if (!dtype.empty())
      defaults.dtype = dtype;
    defaults.granularity = granularity;
    defaults.qscheme = qscheme;
    defaults.qformulation = qformulation;
    if (!scaleDtype.empty())
      defaults.scaleDtype = scaleDtype;
    if (!blockSize.empty())
      defaults.blockSizes = SmallVector<int64_t>(*blockSize);
    if (!axis.empty()) {
      int64_t value;
      if (StringRef(axis).getAsInteger(10, value))
        return fail(llvm::createStringError(
            "expected axis to be an integer, found '" + axis + "'"));
      defaults.axis = value;
    }
    // What is wrong with the flags is wrong whatever the model holds.
    if (defaults.dtype) {
      if (llvm::Expected<WeightSettings> settings = resolve(defaults);
          !settings)
        return fail(settings.takeError());
    } else if (llvm::Error error = checkValues(defaults)) {
      return fail(std::move(error));
    }
    if (weightThreshold < 0)
      return fail(llvm::createStringError(
          "expected weight-threshold to be at least 0, found " +
          llvm::Twine(weightThreshold)));
    if (config.empty())
      return success();
    llvm::Expected<QuantConfig> loaded = QuantConfig::load(config);
    if (!loaded)
      return fail(loaded.takeError());
    rules = std::move(*loaded);
    return success();
  }

  /// Marks the rules that match operations without weights too, then complains
  /// of those that match nothing.
  LogicalResult checkRules() {
    if (!rules)
      return success();
    getOperation()->walk([&](QuantizableOpInterface op) {
      if (!op.getQuantizableKind().empty())
        rules->match(QuantConfig::Tensor::Weight, getQuantName(op),
                     op->getName().getStringRef(), op.getQuantizableKind());
    });
    // A function's name stands for the model's inputs and outputs.
    for (auto function : getOperation().getOps<FunctionOpInterface>())
      rules->match(QuantConfig::Tensor::Weight, function.getName(),
                   function->getName().getStringRef(), "");
    if (llvm::Error error = rules->checkAllUsed())
      return fail(std::move(error));
    return success();
  }

  void skip(Operation *consumer, const Twine &reason) {
    ++numSkipped;
    std::string text = reason.str();
    emitRemark(consumer->getLoc())
        << "the weight of '" << getQuantName(consumer)
        << "' stays in floating point: " << text;
    result.skipped.push_back(
        {getQuantName(consumer).str(), describeLoc(consumer->getLoc()), text});
  }

  void keepQuantized(Operation *consumer, StringRef type) {
    emitRemark(consumer->getLoc())
        << "the weight of '" << getQuantName(consumer)
        << "' is quantized already, to " << type << ", and stays as it is";
    result.skipped.push_back({getQuantName(consumer).str(),
                              describeLoc(consumer->getLoc()),
                              "quantized already, to " + type.str()});
  }

  /// What flags and rules ask of one use: settings, or nullopt with the use
  /// reported as skipped.
  FailureOr<std::optional<WeightSettings>> getSettings(WeightUse &use,
                                                       std::string &where) {
    WeightRequest request = defaults;
    where = "the flags";
    if (rules) {
      auto op = cast<QuantizableOpInterface>(use.consumer);
      QuantConfig::Match match =
          rules->match(QuantConfig::Tensor::Weight, getQuantName(op),
                       op->getName().getStringRef(), op.getQuantizableKind());
      if (match.rule) {
        where = match.where;
        if (match.rule->disabled) {
          skip(use.consumer, "disabled by the rule " + where);
          return std::optional<WeightSettings>();
        }
        request = match.rule->request.over(defaults);
      }
    }
    if (!request.dtype) {
      skip(use.consumer, "no rule and no flag gives a storage type");
      return std::optional<WeightSettings>();
    }
    llvm::Expected<WeightSettings> settings = resolve(request);
    if (!settings)
      return emitError(use.consumer->getLoc())
             << "'" << getQuantName(use.consumer) << "', by " << where << ": "
             << llvm::toString(settings.takeError());
    return std::optional<WeightSettings>(std::move(*settings));
  }

  /// Decides for a weight from what its consumers ask; nullopt where it stays
  /// in floating point.
  FailureOr<std::optional<WeightDecision>> decide(Weight &weight) {
    RankedTensorType type = weight.getType();
    WeightDecision decision{&weight, {}, {}, {}};
    for (WeightUse &use : weight.uses) {
      std::string where;
      FailureOr<std::optional<WeightSettings>> settings =
          getSettings(use, where);
      if (failed(settings))
        return failure();
      if (!*settings)
        continue;
      if (isTooLarge(type)) {
        skip(use.consumer, "the weight has more elements than can be counted");
        continue;
      }
      if (type.getNumElements() < weightThreshold) {
        skip(use.consumer, Twine(type.getNumElements()) +
                               " elements, fewer than weight-threshold " +
                               Twine(weightThreshold));
        continue;
      }
      if (type.getNumElements() == 0) {
        skip(use.consumer, "the weight has no elements");
        continue;
      }
      llvm::Expected<ResolvedBlocks> blocks =
          resolveBlocks(**settings, type.getShape(), use.roles);
      if (!blocks)
        return emitError(use.consumer->getLoc())
               << "'" << getQuantName(use.consumer)
               << "': " << llvm::toString(blocks.takeError());
      if (blocks->fellBackToPerChannel) {
        if ((*settings)->spec.storage == numerics::StorageType::Float4E2M1FN) {
          skip(use.consumer,
               "float4_e2m1fn needs blocks along a reduction dimension, and "
               "this weight has none");
          continue;
        }
        emitRemark(use.consumer->getLoc())
            << "'" << getQuantName(use.consumer)
            << "' has no reduction dimension to split into blocks: its weight "
               "is quantized per_channel";
      }
      if (decision.uses.empty()) {
        decision.settings = **settings;
        decision.blockSizes = blocks->sizes;
      } else if (decision.settings != **settings) {
        return emitDisagreement(*decision.uses.front(), use, "its settings")
               << ": give them one rule";
      } else if (getEffectiveSizes(decision.blockSizes, type.getShape()) !=
                 getEffectiveSizes(blocks->sizes, type.getShape())) {
        std::string what;
        llvm::raw_string_ostream os(what);
        os << "its block sizes, [";
        llvm::interleaveComma(decision.blockSizes, os);
        os << "] and [";
        llvm::interleaveComma(blocks->sizes, os);
        os << "]";
        return emitDisagreement(*decision.uses.front(), use, what)
               << ": give an axis";
      }
      decision.uses.push_back(&use);
      if (explain)
        explainUse(use, **settings, where);
    }
    if (decision.uses.empty())
      return std::optional<WeightDecision>();
    return std::optional<WeightDecision>(std::move(decision));
  }

  void explainUse(WeightUse &use, const WeightSettings &settings,
                  StringRef where) {
    const numerics::QuantSpec &spec = settings.spec;
    emitRemark(use.consumer->getLoc())
        << "'" << getQuantName(use.consumer) << "' ("
        << cast<QuantizableOpInterface>(use.consumer).getQuantizableKind()
        << "): its weight becomes " << toStringRef(numerics::name(spec.storage))
        << " " << stringify(settings.granularity) << " "
        << toStringRef(numerics::name(spec.scheme)) << " "
        << toStringRef(numerics::name(spec.formulation)) << ", by " << where;
  }

  LogicalResult quantize(WeightDecision &decision) {
    arith::ConstantOp constant = decision.weight->constant;
    RankedTensorType type = decision.weight->getType();
    StringRef name = getQuantName(decision.uses.front()->consumer);
    FailureOr<QuantizedWeight> quantized = computeWeight(decision, name);
    if (failed(quantized))
      return failure();
    AffineAttr params = quantized->params;

    OpBuilder builder(constant);
    Value codes = makeCodes(
        builder, constant.getLoc(), type.clone(params.getStorageElementType()),
        quantized->codes,
        (name + "." + toStringRef(numerics::name(params.getStorage()))).str());
    Value dequantized = DequantizeOp::create(builder, constant.getLoc(), type,
                                             codes, /*scale=*/Value(),
                                             /*zero_point=*/Value(), params);
    result.weights.push_back(describeWeight(decision, *quantized, name));

    DenseMap<Operation *, Value> copies;
    llvm::SmallPtrSet<Operation *, 8> erased;
    for (WeightUse *use : decision.uses) {
      SmallVector<Operation *> passed;
      for (OpOperand *operand : llvm::drop_begin(use->path))
        passed.push_back(operand->getOwner());
      replaceUse(use->path, dequantized, copies);
      eraseDeadPath(passed, erased);
    }
    if (constant->use_empty())
      constant.erase();
    ++numQuantized;
    return success();
  }

  WeightRequest defaults;
  std::optional<QuantConfig> rules;
  QuantReport result;
};

} // namespace

//===- FoldRanges.cpp - Observers and their ranges become parameters ------===//
//
//   %o = quant.observe %x "id" <int8, asymmetric>
//   -> %q = quant.quantize %x <int8, per_tensor, scale = …, zero_point = …>
//      %o = quant.dequantize %q <…>
//
// with the range that the file has for the id, or the one that the spec fixes.
// Everything is checked before the first operation changes.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Calibration/RangesFile.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"
#include "quant-mlir/Dialect/Quant/Transforms/ActivationSettings.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

namespace quant_mlir {
#define GEN_PASS_DEF_FOLDRANGESPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-fold-ranges"

using namespace mlir;
using namespace quant_mlir;

static StringRef toStringRef(std::string_view text) {
  return StringRef(text.data(), text.size());
}

/// Parameters of one set of units, from their ranges.
static numerics::ParamError
computeParams(const numerics::QuantSpec &spec,
              ArrayRef<numerics::FloatRange> ranges,
              numerics::TensorParams &params) {
  params.format = {spec.storage, spec.formulation, numerics::rangeInUse(spec)};
  bool hasZeroPoint = spec.formulation == numerics::Formulation::ZeroPoint &&
                      numerics::isInteger(spec.storage) &&
                      (spec.scheme == numerics::Scheme::Asymmetric ||
                       !numerics::isSignedInteger(spec.storage));
  for (const numerics::FloatRange &range : ranges) {
    numerics::UnitParams unit;
    numerics::ParamError error =
        numerics::paramsFromRange(spec, range.min, range.max, unit);
    if (error != numerics::ParamError::None)
      return error;
    params.scales.push_back(unit.scale);
    if (hasZeroPoint)
      params.zeroPoints.push_back(unit.zeroPoint);
    if (spec.formulation == numerics::Formulation::MinVal)
      params.minvals.push_back(unit.minval);
  }
  return numerics::ParamError::None;
}

namespace {

class FoldRangesPass
    : public quant_mlir::impl::FoldRangesPassBase<FoldRangesPass> {
public:
  using FoldRangesPassBase::FoldRangesPassBase;

  void runOnOperation() override {
    if (failed(readOptions()))
      return signalPassFailure();
    SmallVector<ObserveOp> observers;
    getOperation()->walk([&](ObserveOp op) { observers.push_back(op); });
    if (failed(checkEntries(observers)))
      return signalPassFailure();
    SmallVector<AffineAttr> params;
    for (ObserveOp observer : observers) {
      FailureOr<AffineAttr> resolved = resolveParams(observer);
      if (failed(resolved))
        return signalPassFailure();
      params.push_back(*resolved);
    }
    for (auto [observer, attr] : llvm::zip(observers, params))
      fold(observer, attr);
    if (quantizeIo)
      for (auto function : getOperation().getOps<FunctionOpInterface>())
        if (function.isPublic() && !function.isExternal() &&
            failed(quantizeBoundary(function)))
          return signalPassFailure();
  }

private:
  InFlightDiagnostic fail(const Twine &message) {
    return emitError(getOperation().getLoc())
           << "quant-fold-ranges: " << message;
  }

  LogicalResult readOptions() {
    file = {};
    storage = std::nullopt;
    scheme = std::nullopt;
    if (!ranges.empty()) {
      llvm::Expected<RangesFile> read = readRanges(ranges);
      if (!read)
        return fail(llvm::toString(read.takeError()));
      file = std::move(*read);
    }
    if (dtype.empty() && qscheme.empty())
      return success();
    ActivationDefaults defaults{dtype.empty() ? "int8" : std::string(dtype),
                                qscheme.empty() ? "symmetric"
                                                : std::string(qscheme),
                                ""};
    auto settings = resolveActivation(/*rule=*/nullptr, defaults);
    if (!settings)
      return fail(llvm::toString(settings.takeError()));
    if (!dtype.empty())
      storage = (*settings)->spec.storage;
    if (!qscheme.empty())
      scheme = (*settings)->spec.scheme;
    return success();
  }

  /// Every entry has an observer; the other way round is checked where the range
  /// is needed.
  LogicalResult checkEntries(ArrayRef<ObserveOp> observers) {
    llvm::StringMap<ObserveOp> byId;
    for (ObserveOp observer : observers)
      byId.try_emplace(observer.getId(), observer);
    for (const RangeEntry &entry : file.observers)
      if (!byId.contains(entry.id))
        return fail("'" + ranges + "': the observer '" + entry.id +
                    "' is not in the model: expected ranges of this model; "
                    "calibrate it again");
    return success();
  }

  /// The request of an observer, with dtype and scheme of the options. The range
  /// of a relu stays asymmetric, whatever the scheme.
  numerics::QuantSpec getSpec(ObserveOp observer, bool isOneSided) {
    numerics::QuantSpec spec = observer.getSpec().getQuantSpec();
    if (storage)
      spec.storage = *storage;
    if (scheme && !(isOneSided && spec.scheme == numerics::Scheme::Asymmetric))
      spec.scheme = *scheme;
    if (numerics::isFloat(spec.storage))
      spec.scheme = numerics::Scheme::Symmetric;
    return spec;
  }

  FailureOr<AffineAttr> resolveParams(ObserveOp observer) {
    SpecAttr spec = observer.getSpec();
    auto type = cast<RankedTensorType>(observer.getInput().getType());
    SmallVector<numerics::FloatRange> found;
    bool isFixed = spec.getFloatLo() && spec.getFloatHi();
    FailureOr<SmallVector<int64_t>> sizes =
        spec.getGranularity().getBlockSizes(type.getShape(),
                                            [&] { return observer.emitError(); });
    if (failed(sizes))
      return failure();
    SmallVector<int64_t> shape;
    int64_t units = 1;
    if (!isa<PerTensorAttr>(spec.getGranularity()))
      for (auto [dim, size] : llvm::zip(type.getShape(), *sizes)) {
        if (size != -1 && ShapedType::isDynamic(dim))
          return observer.emitOpError()
                 << "'" << observer.getId() << "': expected a static number of "
                 << "channels, found " << type << ": use per_tensor";
        shape.push_back(size == -1 ? 1 : llvm::divideCeil(dim, size));
        units *= shape.back();
      }
    const RangeEntry *entry = file.find(observer.getId());
    if (isFixed) {
      found.assign(units, {static_cast<float>(
                               spec.getFloatLo().getValueAsDouble()),
                           static_cast<float>(
                               spec.getFloatHi().getValueAsDouble())});
    } else {
      if (failed(checkEntry(observer, entry, units)))
        return failure();
      found.assign(entry->ranges.begin(), entry->ranges.end());
    }
    bool isOneSided = llvm::all_of(
        found, [](const numerics::FloatRange &range) { return range.min >= 0; });
    numerics::QuantSpec request = getSpec(observer, isOneSided || isFixed);
    if (std::optional<std::string> reason = numerics::checkSpec(request))
      return observer.emitOpError() << "'" << observer.getId() << "': " << *reason;
    if (!isFixed && failed(checkRequest(observer, *entry, request)))
      return failure();
    numerics::TensorParams params;
    numerics::ParamError error = computeParams(request, found, params);
    if (error != numerics::ParamError::None)
      return observer.emitOpError()
             << "'" << observer.getId() << "': "
             << toStringRef(numerics::message(error))
             << ": calibrate again with finite data, or give it a float_range";
    return makeAffine(request, spec.getGranularity(), shape, params,
                      observer.getId());
  }

  LogicalResult checkEntry(ObserveOp observer, const RangeEntry *entry,
                           int64_t units) {
    auto fail = [&] {
      return observer.emitOpError() << "'" << observer.getId() << "': ";
    };
    if (ranges.empty())
      return fail() << "expected a file with its range, found none: give "
                       "ranges=ranges.json, which quant-calibrate writes";
    if (!entry)
      return fail() << "expected a range in '" << ranges
                    << "', found none: calibrate this model with the same rules and "
                       "storage type";
    if (int64_t(entry->ranges.size()) != units)
      return fail() << "expected " << units << " ranges in '" << ranges
                    << "', found " << entry->ranges.size()
                    << ": calibrate with the same granularity";
    for (const numerics::FloatRange &range : entry->ranges)
      if (range.isEmpty())
        return fail() << "its range in '" << ranges
                      << "' is empty: no finite value has passed in calibration; "
                         "calibrate with data that reach it, or give it a "
                         "float_range";
    return success();
  }

  /// Calibrators that optimise for codes are good for those codes only.
  LogicalResult checkRequest(ObserveOp observer, const RangeEntry &entry,
                             const numerics::QuantSpec &spec) {
    StringRef calibrator = entry.request.calibrator;
    if (calibrator != "mse" && calibrator != "entropy")
      return success();
    if (entry.request.dtype == spec.storage &&
        entry.request.scheme == spec.scheme)
      return success();
    return observer.emitOpError()
           << "'" << observer.getId() << "': the " << calibrator
           << " range in '" << ranges << "' is for "
           << toStringRef(numerics::name(entry.request.dtype)) << " "
           << toStringRef(numerics::name(entry.request.scheme)) << ", found "
           << toStringRef(numerics::name(spec.storage)) << " "
           << toStringRef(numerics::name(spec.scheme))
           << ": calibrate for what is asked";
  }

  void fold(ObserveOp observer, AffineAttr params) {
    if (observer.getBoundary() && !quantizeIo) {
      observer.replaceAllUsesWith(observer.getInput());
      observer.erase();
      return;
    }
    ++numFolded;
    OpBuilder builder(observer);
    auto type = cast<RankedTensorType>(observer.getInput().getType());
    auto quantized = QuantizeOp::create(
        builder, observer.getLoc(), type.clone(params.getStorageElementType()),
        observer.getInput(), /*scale=*/Value(), /*zero_point=*/Value(), params);
    setQuantName(quantized, observer.getId());
    auto dequantized = DequantizeOp::create(builder, observer.getLoc(), type,
                                            quantized, /*scale=*/Value(),
                                            /*zero_point=*/Value(), params);
    observer.replaceAllUsesWith(dequantized.getResult());
    observer.erase();
  }

  /// Arguments and results of a function become codes.
  LogicalResult quantizeBoundary(FunctionOpInterface function);

  RangesFile file;
  std::optional<numerics::StorageType> storage;
  std::optional<numerics::Scheme> scheme;
};

} // namespace

/// The dequantize whose values `result` is made of by moves alone, or one of
/// several that share its parameters; null where there is none. Behind a move a
/// channel may be in another dimension, or in none.
static DequantizeOp findDequantize(Value result) {
  DequantizeOp found;
  SetVector<Value> origins;
  origins.insert(result);
  for (unsigned i = 0; i < origins.size(); ++i) {
    Operation *def = origins[i].getDefiningOp();
    // An empty tensor has no values.
    if (isa_and_nonnull<tensor::EmptyOp>(def))
      continue;
    if (auto dequantize = dyn_cast_if_present<DequantizeOp>(def)) {
      bool isWhole =
          i == 0 ||
          isa<PerTensorAttr>(dequantize.getParams().getGranularity());
      if (dequantize.getScale() || !isWhole ||
          (found && found.getParams() != dequantize.getParams()))
        return {};
      if (!found)
        found = dequantize;
      continue;
    }
    auto move = dyn_cast_if_present<QuantizableOpInterface>(def);
    if (!move || move.getValueEffect() != ValueEffect::Moves)
      return {};
    for (OpOperand *source : move.getValueSources())
      origins.insert(source->get());
  }
  return found;
}

LogicalResult FoldRangesPass::quantizeBoundary(FunctionOpInterface function) {
  if (!SymbolTable::symbolKnownUseEmpty(function, getOperation()))
    return function.emitError()
           << "quantize-io changes the types of '" << function.getName()
           << "', which is called: expected no calls of it; make a private "
              "function of what is called";
  auto isFloat = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && getExpressedType(type.getElementType());
  };
  auto attrName = StringAttr::get(&getContext(), boundaryParamsAttrName);
  Block &entry = function.getFunctionBody().front();
  SmallVector<Type> inputs;
  for (BlockArgument argument : entry.getArguments()) {
    inputs.push_back(argument.getType());
    if (!isFloat(argument))
      continue;
    QuantizeOp quantize;
    for (Operation *user : argument.getUsers())
      if (auto candidate = dyn_cast<QuantizeOp>(user);
          candidate && !candidate.getScale())
        quantize = candidate;
    if (!quantize)
      return function.emitError()
             << "quantize-io: argument " << argument.getArgNumber() << " of '"
             << function.getName()
             << "' has no parameters: expected an observer on it; let a rule "
                "observe it";
    AffineAttr params = quantize.getParams();
    Type floatType = argument.getType();
    argument.setType(quantize.getType());
    inputs.back() = quantize.getType();
    OpBuilder builder = OpBuilder::atBlockBegin(&entry);
    auto dequantize = DequantizeOp::create(builder, argument.getLoc(), floatType,
                                           argument, /*scale=*/Value(),
                                           /*zero_point=*/Value(), params);
    argument.replaceAllUsesExcept(dequantize.getResult(), dequantize);
    // The codes are the argument itself, where that is exact.
    if (Value codes = dyn_cast_if_present<Value>(
            quantize.fold(QuantizeOp::FoldAdaptor(
                SmallVector<Attribute>(quantize->getNumOperands()), quantize)))) {
      quantize.replaceAllUsesWith(codes);
      quantize.erase();
    }
    if (dequantize->use_empty())
      dequantize->erase();
    function.setArgAttr(argument.getArgNumber(), attrName, params);
  }
  SmallVector<Type> results(function.getResultTypes());
  for (Block &block : function.getFunctionBody()) {
    if (!block.mightHaveTerminator() ||
        !block.getTerminator()->hasTrait<OpTrait::ReturnLike>())
      continue;
    for (OpOperand &operand : block.getTerminator()->getOpOperands()) {
      if (!isFloat(operand.get()))
        continue;
      unsigned index = operand.getOperandNumber();
      DequantizeOp source = findDequantize(operand.get());
      if (!source)
        return function.emitError()
               << "quantize-io: result " << index << " of '"
               << function.getName()
               << "' has no parameters: expected an observer on it; let a rule "
                  "observe it";
      AffineAttr params = source.getParams();
      OpBuilder builder(operand.getOwner());
      Value codes = source.getInput();
      if (operand.get() != source.getResult())
        codes = QuantizeOp::create(
            builder, operand.get().getLoc(),
            cast<RankedTensorType>(operand.get().getType())
                .clone(params.getStorageElementType()),
            operand.get(), /*scale=*/Value(), /*zero_point=*/Value(), params);
      operand.set(codes);
      if (function.getResultAttr(index, attrName) &&
          function.getResultAttr(index, attrName) != params)
        return function.emitError()
               << "quantize-io: result " << index << " of '"
               << function.getName()
               << "' is returned with different parameters: expected one set";
      function.setResultAttr(index, attrName, params);
      results[index] = codes.getType();
      if (source->use_empty())
        source->erase();
    }
  }
  function.setType(function.cloneTypeWith(inputs, results));
  return success();
}

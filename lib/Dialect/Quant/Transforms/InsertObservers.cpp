//===- InsertObservers.cpp - Mark the values that calibration looks at ----===//
//
// Places what ObserverPlan.cpp decides: an observer wherever values of an
// observed class come into being, all with one id, and at the model's inputs
// and outputs.
//
//===----------------------------------------------------------------------===//

#include "ObserverPlan.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

namespace quant_mlir {
#define GEN_PASS_DEF_INSERTOBSERVERSPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-insert-observers"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// An input or output of the model that is seen in floating point.
struct Boundary {
  Value value;
  OpOperand *use;       ///< null for an input
  ValueClass *observed; ///< the class of an output that others read quantized
  std::string id;
};

/// Places the observers of one function.
class FunctionObservers {
public:
  FunctionObservers(FunctionOpInterface function, ObserverPlan &plan)
      : function(function), plan(plan) {}

  LogicalResult run();
  unsigned getNumObservers() const { return numObservers; }

private:
  LogicalResult observe(ValueClass &valueClass);
  SmallVector<Boundary> collectBoundaries();
  LogicalResult observe(const Boundary &boundary);
  bool seesQuantized(OpOperand &use, const ValueClass &valueClass);
  ObserveOp createObserver(Value value, StringRef id, SpecAttr spec);

  FunctionOpInterface function;
  ObserverPlan &plan;
  llvm::DenseMap<Operation *, bool> moveSees;
  unsigned numObservers = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Observers
//===----------------------------------------------------------------------===//

/// Whether `use`, of a value of an observed class, is to see it quantized: a
/// reader that wants it, a move on the way to one, and everybody where a writer
/// wants it, but for readers that decline.
bool FunctionObservers::seesQuantized(OpOperand &use,
                                      const ValueClass &valueClass) {
  for (auto &[reader, operand] : valueClass.readers)
    if (operand == &use)
      return plan.getWishes(reader).input.settings.has_value();
  Operation *owner = use.getOwner();
  if (!isValueMove(owner))
    return valueClass.isWrittenQuantized;
  auto [it, isNew] = moveSees.try_emplace(owner, false);
  if (isNew) {
    bool sees = owner->use_empty() && valueClass.isWrittenQuantized;
    for (OpOperand &next : owner->getResult(0).getUses())
      sees |= seesQuantized(next, valueClass);
    moveSees[owner] = sees;
  }
  return moveSees[owner];
}

ObserveOp FunctionObservers::createObserver(Value value, StringRef id,
                                            SpecAttr spec) {
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  ++numObservers;
  return ObserveOp::create(builder, value.getLoc(), value.getType(), value,
                           builder.getStringAttr(id), /*follows=*/UnitAttr(),
                           /*boundary=*/UnitAttr(), spec);
}

LogicalResult FunctionObservers::observe(ValueClass &valueClass) {
  std::optional<int64_t> channels;
  auto place = [&](Value value, bool follows) -> LogicalResult {
    FailureOr<SpecAttr> spec = plan.getSpec(valueClass, value);
    if (failed(spec))
      return failure();
    if (auto axes = dyn_cast<PerChannelAttr>((*spec).getGranularity())) {
      int64_t size = cast<RankedTensorType>(value.getType())
                         .getDimSize(axes.getAxes().front());
      if (ShapedType::isDynamic(size) || (channels && *channels != size))
        return emitError(value.getLoc())
               << "'" << valueClass.id << "', by " << valueClass.wish->where
               << ": expected the same static number of channels in every "
                  "value "
                  "that shares its parameters, found "
               << value.getType() << ": use per_tensor";
      channels = size;
    }
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : value.getUses())
      if (seesQuantized(use, valueClass))
        uses.push_back(&use);
    ObserveOp observer = createObserver(value, valueClass.id, *spec);
    observer.setFollows(follows);
    for (OpOperand *use : uses)
      use->set(observer.getOutput());
    return success();
  };
  for (Value source : valueClass.sources)
    if (!isa_and_nonnull<tensor::EmptyOp>(source.getDefiningOp()))
      if (failed(place(source, /*follows=*/false)))
        return failure();
  for (Value follower : valueClass.followers)
    if (failed(place(follower, /*follows=*/true)))
      return failure();
  return success();
}

/// Inputs and outputs of the model that no quantized operation touches.
SmallVector<Boundary> FunctionObservers::collectBoundaries() {
  SmallVector<Boundary> boundaries;
  if (!function.isPublic())
    return boundaries;
  auto add = [&](Value value, OpOperand *use, const Twine &id) {
    ValueClass *observed = plan.getObservedClass(value);
    if (isActivation(value) &&
        !(observed && (!use || seesQuantized(*use, *observed))))
      boundaries.push_back({value, use, observed, id.str()});
  };
  for (BlockArgument argument : function.getArguments())
    add(argument, nullptr,
        function.getName() + ".in" + Twine(argument.getArgNumber()));
  for (Block &block : function.getFunctionBody())
    if (block.mightHaveTerminator() &&
        block.getTerminator()->hasTrait<OpTrait::ReturnLike>())
      for (OpOperand &operand : block.getTerminator()->getOpOperands())
        add(operand.get(), &operand,
            function.getName() + ".out" + Twine(operand.getOperandNumber()));
  return boundaries;
}

LogicalResult FunctionObservers::observe(const Boundary &boundary) {
  FailureOr<Wish> wish = plan.getWish(boundary.use ? QuantConfig::Tensor::Output
                                                   : QuantConfig::Tensor::Input,
                                      function.getName(), function, "");
  if (failed(wish))
    return failure();
  if (!wish->settings)
    return success();
  ValueClass own;
  const ValueClass *valueClass = boundary.observed;
  if (!valueClass) {
    own.sources = {boundary.value};
    own.wish = &*wish;
    own.id = plan.makeId(boundary.id);
    valueClass = &own;
  }
  FailureOr<SpecAttr> spec = plan.getSpec(*valueClass, boundary.value);
  if (failed(spec))
    return failure();
  SmallVector<OpOperand *> uses;
  if (boundary.use)
    uses.push_back(boundary.use);
  else
    for (OpOperand &use : boundary.value.getUses())
      uses.push_back(&use);
  ObserveOp observer = createObserver(boundary.value, valueClass->id, *spec);
  observer.setBoundary(true);
  observer.setFollows(boundary.observed != nullptr);
  for (OpOperand *use : uses)
    use->set(observer.getOutput());
  return success();
}

LogicalResult FunctionObservers::run() {
  // Asked before the first observer changes who uses what.
  SmallVector<Boundary> boundaries = collectBoundaries();
  for (auto &[leader, valueClass] : plan.getClasses())
    if (valueClass.wish && failed(observe(valueClass)))
      return failure();
  for (const Boundary &boundary : boundaries)
    if (failed(observe(boundary)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

class InsertObserversPass
    : public quant_mlir::impl::InsertObserversPassBase<InsertObserversPass> {
public:
  using InsertObserversPassBase::InsertObserversPassBase;

  void runOnOperation() override {
    ActivationDefaults defaults{dtype, qscheme, calibrator};
    std::optional<QuantConfig> rules;
    if (failed(checkOptions(defaults, rules)))
      return signalPassFailure();
    if (std::optional<LogicalResult> checked = checkExisting(defaults)) {
      if (failed(*checked))
        signalPassFailure();
      return;
    }
    llvm::StringSet<> ids;
    for (auto function : getOperation().getOps<FunctionOpInterface>()) {
      if (function.isExternal())
        continue;
      ObserverPlan plan(function, defaults, rules ? &*rules : nullptr, ids);
      if (failed(plan.compute()))
        return signalPassFailure();
      plan.remarkMasked();
      if (explain)
        plan.explain();
      FunctionObservers observers(function, plan);
      if (failed(observers.run()))
        return signalPassFailure();
      numInserted += observers.getNumObservers();
    }
    if (rules)
      if (llvm::Error error = rules->checkAllUsed())
        (void)fail(llvm::toString(std::move(error))), signalPassFailure();
  }

private:
  LogicalResult fail(const Twine &message) {
    return emitError(getOperation().getLoc())
           << "quant-insert-observers: " << message;
  }

  /// A module with observers keeps them, if they ask for what is asked here;
  /// nullopt for one without.
  std::optional<LogicalResult>
  checkExisting(const ActivationDefaults &defaults) {
    ObserveOp first, other;
    getOperation()->walk([&](ObserveOp op) {
      if (!first)
        first = op;
      StringRef storage = numerics::name(op.getSpec().getStorage());
      if (!other && config.empty() && storage != defaults.dtype)
        other = op;
    });
    if (!first)
      return std::nullopt;
    if (other)
      return LogicalResult(
          other.emitOpError()
          << "'" << other.getId() << "' asks for "
          << StringRef(numerics::name(other.getSpec().getStorage()))
          << ": expected " << defaults.dtype
          << ", or a module without observers");
    emitRemark(getOperation().getLoc())
        << "the module has observers: none are inserted";
    return success();
  }

  LogicalResult checkOptions(const ActivationDefaults &defaults,
                             std::optional<QuantConfig> &rules) {
    // What is wrong with the flags is wrong whatever the model holds.
    auto checked = resolveActivation(/*rule=*/nullptr, defaults);
    if (!checked)
      return fail(llvm::toString(checked.takeError()));
    if (!config.empty()) {
      llvm::Expected<QuantConfig> loaded = QuantConfig::load(config);
      if (!loaded)
        return fail(llvm::toString(loaded.takeError()));
      rules = std::move(*loaded);
    }
    return success();
  }
};

} // namespace

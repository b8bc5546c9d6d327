//===- InsertObservers.cpp - Mark the values that calibration looks at ----===//
//
// Values are taken class by class: a class is what moves, selects or averages
// each other's elements, so that one set of parameters serves it
// (ActivationGroups.h). A class is observed where an operation that will be
// quantized reads or writes one of its values. The observers stand where values
// of the class come into being; all have one id.
//
// Of the rules that speak of a class the most specific wins; of equally specific
// ones that of the operation that writes it, then that of the first reader.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"
#include "quant-mlir/Dialect/Quant/Transforms/ActivationSettings.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"
#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace quant_mlir {
#define GEN_PASS_DEF_INSERTOBSERVERSPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-insert-observers"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// What rules and flags ask of one tensor of an operation.
struct Wish {
  std::optional<ActivationSettings> settings; ///< nullopt: floating point
  unsigned specificity = 0; ///< op_name 3, op_type 2, global 1, flags 0
  std::string where;
};

/// A group with what is asked of its output and of each input.
struct GroupWishes {
  Wish output, input;
  bool isEnabled() const { return output.settings || input.settings; }
};

/// Values with one set of parameters.
struct ValueClass {
  SmallVector<Value> sources;   ///< in the order of the function
  SmallVector<Value> followers; ///< results of averages
  SmallVector<const ActivationGroup *> writers;
  SmallVector<std::pair<const ActivationGroup *, OpOperand *>> readers;
  /// The winning wish; null where nobody wants the class quantized.
  const Wish *wish = nullptr;
  /// A writer wants it, so that every reader sees the quantized value.
  bool isWrittenQuantized = false;
  std::string id;
};

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
  FunctionObservers(FunctionOpInterface function,
                    const ActivationDefaults &defaults, QuantConfig *rules,
                    bool explain, llvm::StringSet<> &ids)
      : function(function), defaults(defaults), rules(rules), explain(explain),
        ids(ids) {}

  LogicalResult run();
  unsigned getNumObservers() const { return numObservers; }

private:
  FailureOr<Wish> getWish(QuantConfig::Tensor tensor, StringRef name,
                          Operation *op, StringRef kind);
  LogicalResult collectWishes(const ActivationGroups &groups);
  void collectClasses(const ActivationGroups &groups);
  void decide(ValueClass &valueClass);
  LogicalResult observe(ValueClass &valueClass);
  SmallVector<Boundary> collectBoundaries();
  LogicalResult observe(const Boundary &boundary);
  FailureOr<SpecAttr> getSpec(const ValueClass &valueClass, Value value);
  bool seesQuantized(OpOperand &use, const ValueClass &valueClass);
  ObserveOp createObserver(Value value, StringRef id, SpecAttr spec);
  std::string makeId(StringRef id);
  std::string nameSource(const ValueClass &valueClass);
  void explainGroup(const ActivationGroup &group);

  FunctionOpInterface function;
  const ActivationDefaults &defaults;
  QuantConfig *rules;
  bool explain;
  llvm::StringSet<> &ids;
  const ActivationGroups *groups = nullptr;
  llvm::DenseMap<const ActivationGroup *, GroupWishes> wishes;
  llvm::MapVector<Value, ValueClass> classes;
  llvm::DenseMap<Operation *, bool> moveSees;
  unsigned numObservers = 0;
};

} // namespace

/// Whether observers and parameters know the element type.
static bool isActivation(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && getExpressedType(type.getElementType());
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

FailureOr<Wish> FunctionObservers::getWish(QuantConfig::Tensor tensor,
                                           StringRef name, Operation *op,
                                           StringRef kind) {
  Wish wish;
  wish.where = "the flags";
  const TensorRule *rule = nullptr;
  if (rules) {
    QuantConfig::Match match =
        rules->match(tensor, name, op->getName().getStringRef(), kind);
    rule = match.rule;
    if (rule) {
      wish.where = match.where;
      wish.specificity = match.specificity;
    }
  }
  llvm::Expected<std::optional<ActivationSettings>> settings =
      resolveActivation(rule, defaults);
  if (!settings)
    return emitError(op->getLoc())
           << "'" << name << "', by " << wish.where << ": "
           << llvm::toString(settings.takeError());
  wish.settings = std::move(*settings);
  return wish;
}

LogicalResult
FunctionObservers::collectWishes(const ActivationGroups &groups) {
  for (const ActivationGroup &group : groups.getGroups()) {
    GroupWishes wish;
    StringRef name = getQuantName(group.anchor);
    FailureOr<Wish> output =
        getWish(QuantConfig::Tensor::Output, name, group.anchor, group.getKind());
    FailureOr<Wish> input =
        getWish(QuantConfig::Tensor::Input, name, group.anchor, group.getKind());
    if (failed(output) || failed(input))
      return failure();
    wish.output = std::move(*output);
    wish.input = std::move(*input);
    wishes[&group] = std::move(wish);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

/// The values of `op` are elements of its operands.
static bool isMove(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  return quantizable && op->getNumResults() == 1 &&
         quantizable.getValueEffect() == ValueEffect::Moves;
}

void FunctionObservers::collectClasses(const ActivationGroups &groups) {
  auto addSource = [&](Value value) {
    if (isActivation(value))
      classes[groups.getClass(value)].sources.push_back(value);
  };
  for (BlockArgument argument : function.getArguments())
    addSource(argument);
  // In the order of the function, so that ids and observers are.
  function->walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Region &region : op->getRegions())
      if (op != function)
        for (Block &block : region)
          for (BlockArgument argument : block.getArguments())
            addSource(argument);
    const ActivationGroup *group = groups.getGroup(op);
    bool isInside = group && group->output.getDefiningOp() != op;
    bool isObserver = isa<ObserveOp, QuantizeOp, DequantizeOp>(op);
    for (Value result : op->getResults()) {
      if (isInside || isObserver || isMove(op) || !isActivation(result))
        continue;
      if (op->hasTrait<OpTrait::ConstantLike>() || isa<tensor::EmptyOp>(op)) {
        addSource(result);
        continue;
      }
      ValueClass &valueClass = classes[groups.getClass(result)];
      bool follows = group && group->effect == ValueEffect::Averages &&
                     wishes.lookup(group).isEnabled();
      (follows ? valueClass.followers : valueClass.sources).push_back(result);
      if (group && group->isQuantizable())
        valueClass.writers.push_back(group);
    }
    if (group && group->output.getDefiningOp() == op)
      for (OpOperand *input : group->inputs)
        if (isActivation(input->get()))
          classes[groups.getClass(input->get())].readers.push_back(
              {group, input});
  });
}

void FunctionObservers::decide(ValueClass &valueClass) {
  auto consider = [&](const Wish &wish, bool isWriter) {
    if (!wish.settings)
      return;
    valueClass.isWrittenQuantized |= isWriter;
    if (!valueClass.wish || valueClass.wish->specificity < wish.specificity)
      valueClass.wish = &wish;
  };
  for (const ActivationGroup *writer : valueClass.writers)
    consider(wishes.find(writer)->second.output, /*isWriter=*/true);
  for (auto &[reader, operand] : valueClass.readers)
    consider(wishes.find(reader)->second.input, /*isWriter=*/false);
  // What nobody writes (a class of constants) needs no parameters.
  if (valueClass.sources.empty())
    valueClass.wish = nullptr;
}

/// Whether no value is negative, as behind a relu.
static bool isOneSided(Value value, const ActivationGroup *producer) {
  if (producer && producer->bounds.lo == 0)
    return true;
  auto op = dyn_cast_or_null<QuantizableOpInterface>(value.getDefiningOp());
  std::optional<Epilogue> epilogue = op ? op.getEpilogue() : std::nullopt;
  return epilogue && epilogue->kind == Epilogue::Kind::Clamp &&
         epilogue->bounds.lo == 0;
}

FailureOr<SpecAttr> FunctionObservers::getSpec(const ValueClass &valueClass,
                                               Value value) {
  const Wish &wish = *valueClass.wish;
  ActivationSettings settings = *wish.settings;
  bool isInteger = numerics::isInteger(settings.spec.storage);
  // What is known or one-sided holds for the class where it holds for each of
  // its sources.
  std::optional<FloatRange> known;
  bool isKnown = true, isPositive = true;
  for (Value source : valueClass.sources) {
    const ActivationGroup *group = groups->getProducer(source);
    std::optional<FloatRange> range;
    if (group)
      range = group->knownRange;
    if (!range || (known && (known->lo != range->lo || known->hi != range->hi)))
      isKnown = false;
    known = range;
    isPositive &= isOneSided(source, group);
  }
  bool isPlain = isInteger && !settings.spec.floatLo && !settings.spec.floatHi &&
                 settings.spec.formulation == numerics::Formulation::ZeroPoint &&
                 numerics::bitWidth(settings.spec.storage) == 8 &&
                 settings.spec.scaleType == numerics::ScaleType::F32 &&
                 !settings.axis;
  if (isKnown && isPlain) {
    // 256 steps from lo to hi, the last of which is not reached: scale 1/256 of
    // [0, 1], 2/256 of [-1, 1].
    settings.spec.scheme = numerics::Scheme::Asymmetric;
    settings.spec.floatLo = static_cast<float>(known->lo);
    settings.spec.floatHi =
        static_cast<float>(known->hi - (known->hi - known->lo) / 256);
    settings.calibrator = "static";
  } else if (isPositive && isInteger) {
    settings.spec.scheme = numerics::Scheme::Asymmetric;
  }
  auto type = cast<RankedTensorType>(value.getType());
  llvm::Expected<SpecAttr> spec =
      settings.getSpecAttr(value.getContext(), type.getRank());
  if (!spec)
    return emitError(value.getLoc())
           << "'" << valueClass.id << "', by " << wish.where << ": "
           << llvm::toString(spec.takeError());
  return *spec;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// Ids are unique in the module: names are so in their function only.
std::string FunctionObservers::makeId(StringRef id) {
  std::string unique = id.str();
  if (!ids.insert(unique).second) {
    unique = (function.getName() + "/" + id).str();
    for (unsigned n = 1; !ids.insert(unique).second; ++n)
      unique = (function.getName() + "/" + id + "#" + Twine(n)).str();
  }
  return unique;
}

/// `<op>.out<n>` where the value is the result of a named operation,
/// `<function>.in<n>` for an argument, else the first reader's `<op>.in<n>`.
std::string FunctionObservers::nameSource(const ValueClass &valueClass) {
  for (Value value : valueClass.sources) {
    if (const ActivationGroup *group = groups->getProducer(value))
      return (getQuantName(group->anchor) + ".out0").str();
    if (auto argument = dyn_cast<BlockArgument>(value);
        argument && argument.getOwner()->getParentOp() == function)
      return (function.getName() + ".in" + Twine(argument.getArgNumber())).str();
  }
  if (valueClass.readers.empty())
    return (getQuantName(valueClass.writers.front()->anchor) + ".out0").str();
  auto [reader, operand] = valueClass.readers.front();
  unsigned index = operand->getOwner() == reader->anchor
                       ? operand->getOperandNumber()
                       : llvm::find(reader->inputs, operand) -
                             reader->inputs.begin();
  return (getQuantName(reader->anchor) + ".in" + Twine(index)).str();
}

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
      return wishes.find(reader)->second.input.settings.has_value();
  Operation *owner = use.getOwner();
  if (!isMove(owner))
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
    FailureOr<SpecAttr> spec = getSpec(valueClass, value);
    if (failed(spec))
      return failure();
    if (auto axes = dyn_cast<PerChannelAttr>((*spec).getGranularity())) {
      int64_t size = cast<RankedTensorType>(value.getType())
                         .getDimSize(axes.getAxes().front());
      if (ShapedType::isDynamic(size) || (channels && *channels != size))
        return emitError(value.getLoc())
               << "'" << valueClass.id << "', by " << valueClass.wish->where
               << ": expected the same static number of channels in every value "
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
    auto it = classes.find(groups->getClass(value));
    ValueClass *observed =
        it != classes.end() && it->second.wish ? &it->second : nullptr;
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
  FailureOr<Wish> wish = getWish(boundary.use ? QuantConfig::Tensor::Output
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
    own.id = makeId(boundary.id);
    valueClass = &own;
  }
  FailureOr<SpecAttr> spec = getSpec(*valueClass, boundary.value);
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

//===----------------------------------------------------------------------===//
// What was decided, and why
//===----------------------------------------------------------------------===//

void FunctionObservers::explainGroup(const ActivationGroup &group) {
  InFlightDiagnostic remark = emitRemark(group.anchor->getLoc());
  remark << "'" << getQuantName(group.anchor) << "' (" << group.getKind() << ")";
  if (group.ops.size() > 1)
    remark << ", one kernel of " << group.ops.size() << " operations";
  if (!group.isQuantizable()) {
    remark << ": computed in floating point";
    if (group.knownRange)
      remark << ", its result is in [" << group.knownRange->lo << ", "
             << group.knownRange->hi << "]";
  }
  auto describe = [&](StringRef what, Value value, const Wish &own) {
    remark << "; " << what << " ";
    if (!isActivation(value)) {
      remark << "stays " << value.getType();
      return;
    }
    auto it = classes.find(groups->getClass(value));
    const ValueClass *valueClass = it == classes.end() ? nullptr : &it->second;
    if (!valueClass || !valueClass->wish) {
      remark << "stays in floating point, by " << own.where;
      return;
    }
    const ActivationSettings &settings = *valueClass->wish->settings;
    remark << "'" << valueClass->id << "' "
           << StringRef(numerics::name(settings.spec.storage)) << " by "
           << valueClass->wish->where;
  };
  const GroupWishes &wish = wishes.find(&group)->second;
  for (OpOperand *input : group.inputs)
    describe("input", input->get(), wish.input);
  describe("output", group.output, wish.output);
}

LogicalResult FunctionObservers::run() {
  // Names first: rules speak of them.
  ActivationGroups unnamed(function);
  llvm::SmallPtrSet<Operation *, 16> anchors;
  for (const ActivationGroup &group : unnamed.getGroups())
    anchors.insert(group.anchor);
  assignQuantNames(function, [&](Operation *op) { return anchors.contains(op); });
  groups = &unnamed;
  if (failed(collectWishes(unnamed)))
    return failure();
  // An average pool that stays in floating point shares nothing.
  llvm::SmallPtrSet<Operation *, 4> apart;
  for (const ActivationGroup &group : unnamed.getGroups())
    if (!wishes.lookup(&group).isEnabled())
      apart.insert(group.anchor);
  ActivationGroups shared(function, [&](const ActivationGroup &group) {
    return !apart.contains(group.anchor);
  });
  groups = &shared;
  wishes.clear();
  if (failed(collectWishes(shared)))
    return failure();
  collectClasses(shared);
  for (auto &[leader, valueClass] : classes) {
    decide(valueClass);
    if (valueClass.wish)
      valueClass.id = makeId(nameSource(valueClass));
  }
  if (explain)
    for (const ActivationGroup &group : shared.getGroups())
      explainGroup(group);
  // Asked before the first observer changes who uses what.
  SmallVector<Boundary> boundaries = collectBoundaries();
  for (auto &[leader, valueClass] : classes)
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
      FunctionObservers observers(function, defaults, rules ? &*rules : nullptr,
                                  explain, ids);
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

//===- ObserverPlan.cpp - Which values are observed, and how --------------===//
//
// Values are taken class by class: a class is what moves, selects or averages
// each other's elements, so that one set of parameters serves it
// (ActivationGroups.h). A class is observed where an operation that will be
// quantized reads or writes one of its values.
//
// Of the rules that speak of a class the most specific wins; of equally
// specific ones that of the operation that writes it, then that of the first
// reader.
//
// Flags ask for contractions, and for what stands between them: a sum, product
// or average whose result is read in floating point only (the mean of a layer
// norm) stays there too, since codes would cost accuracy and save nothing. So
// does the sum of scores and a mask.
//
//===----------------------------------------------------------------------===//

#include "ObserverPlan.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;

bool quant_mlir::isActivation(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && getExpressedType(type.getElementType());
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

FailureOr<Wish> ObserverPlan::getWish(QuantConfig::Tensor tensor,
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

LogicalResult ObserverPlan::collectWishes() {
  wishes.clear();
  for (const ActivationGroup &group : groups->getGroups()) {
    GroupWishes wish;
    StringRef name = getQuantName(group.anchor);
    FailureOr<Wish> output = getWish(QuantConfig::Tensor::Output, name,
                                     group.anchor, group.getKind());
    FailureOr<Wish> input = getWish(QuantConfig::Tensor::Input, name,
                                    group.anchor, group.getKind());
    if (failed(output) || failed(input))
      return failure();
    wish.output = std::move(*output);
    wish.input = std::move(*input);
    if (floating.contains(group.anchor)) {
      wish.output.settings = wish.input.settings = std::nullopt;
      wish.output.where = wish.input.where =
          "default, since its result is read in floating point only";
    }
    if (masked.contains(group.anchor)) {
      wish.output.settings = std::nullopt;
      wish.output.where = "default, since a softmax reads it with a mask added";
    }
    wishes[&group] = std::move(wish);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// What is worth codes
//===----------------------------------------------------------------------===//

/// A sum, product or average: as cheap in floating point, but for conversions.
static bool isCheap(const ActivationGroup &group) {
  if (group.effect == ValueEffect::Averages)
    return true;
  auto op = dyn_cast<linalg::LinalgOp>(group.anchor);
  return op && op.getNumReductionLoops() == 0;
}

/// Whether something that computes with codes reads `value`, or somebody
/// outside of the function.
bool ObserverPlan::isReadAsCodes(Value value) const {
  return llvm::any_of(value.getUses(), [&](OpOperand &use) {
    Operation *owner = use.getOwner();
    const ActivationGroup *group = groups->getGroup(owner);
    if (group && llvm::is_contained(group->inputs, &use))
      return !floating.contains(group->anchor);
    if (isValueMove(owner))
      return isReadAsCodes(owner->getResult(0));
    return !group && !isa<linalg::LinalgOp, linalg::SoftmaxOp>(owner);
  });
}

void ObserverPlan::collectFloating() {
  // Readers first.
  for (const ActivationGroup &group : llvm::reverse(groups->getGroups())) {
    const GroupWishes &wish = getWishes(&group);
    bool isByRule = wish.output.specificity > 0 || wish.input.specificity > 0;
    if (group.isQuantizable() && isCheap(group) && !isByRule &&
        !isReadAsCodes(group.output))
      floating.insert(group.anchor);
  }
}

/// What is added to scores before a softmax hides some of them: -1e9 or less.
/// The range of the sum would leave all scores one code, so both stay values,
/// which the kernel of the scores adds; codes would be decoded for the softmax
/// anyway.
void ObserverPlan::collectMasked() {
  for (const ActivationGroup &group : groups->getGroups())
    if (group.isQuantizable() && group.residual &&
        getWishes(&group).output.specificity <= 1 &&
        getWishes(&group).output.settings && isReadBySoftmaxOnly(group.output))
      masked.insert(group.anchor);
}

void ObserverPlan::remarkMasked() {
  for (const ActivationGroup &group : groups->getGroups())
    if (masked.contains(group.anchor))
      emitRemark(group.anchor->getLoc())
          << "the result of '" << getQuantName(group.anchor)
          << "' and what is added to it stay in floating point: a softmax "
             "reads "
             "their sum, and the range of a mask would leave one code for all "
             "else; a rule for its output quantizes them";
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

bool quant_mlir::isValueMove(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  return quantizable && op->getNumResults() == 1 &&
         quantizable.getValueEffect() == ValueEffect::Moves;
}

void ObserverPlan::collectClasses() {
  auto addSource = [&](Value value) {
    if (isActivation(value))
      classes[groups->getClass(value)].sources.push_back(value);
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
    const ActivationGroup *group = groups->getGroup(op);
    bool isInside = group && group->output.getDefiningOp() != op;
    bool isObserver = isa<ObserveOp, QuantizeOp, DequantizeOp>(op);
    for (Value result : op->getResults()) {
      if (isInside || isObserver || isValueMove(op) || !isActivation(result))
        continue;
      if (op->hasTrait<OpTrait::ConstantLike>() || isa<tensor::EmptyOp>(op)) {
        addSource(result);
        continue;
      }
      ValueClass &valueClass = classes[groups->getClass(result)];
      bool follows = group && group->effect == ValueEffect::Averages &&
                     wishes.lookup(group).isEnabled();
      (follows ? valueClass.followers : valueClass.sources).push_back(result);
      if (group && group->isQuantizable())
        valueClass.writers.push_back(group);
    }
    // What computes in floating point by default sees what others see.
    if (group && group->output.getDefiningOp() == op &&
        !floating.contains(group->anchor))
      for (OpOperand *input : group->inputs)
        if (isActivation(input->get()) &&
            !(input == group->residual && masked.contains(group->anchor)))
          classes[groups->getClass(input->get())].readers.push_back(
              {group, input});
  });
}

void ObserverPlan::decide(ValueClass &valueClass) {
  auto consider = [&](const Wish &wish, bool isWriter) {
    if (!wish.settings)
      return;
    valueClass.isWrittenQuantized |= isWriter;
    if (!valueClass.wish || valueClass.wish->specificity < wish.specificity)
      valueClass.wish = &wish;
  };
  for (const ActivationGroup *writer : valueClass.writers)
    consider(getWishes(writer).output, /*isWriter=*/true);
  for (auto &[reader, operand] : valueClass.readers)
    consider(getWishes(reader).input, /*isWriter=*/false);
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

FailureOr<SpecAttr> ObserverPlan::getSpec(const ValueClass &valueClass,
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
  bool isPlain =
      isInteger && !settings.spec.floatLo && !settings.spec.floatHi &&
      settings.spec.formulation == numerics::Formulation::ZeroPoint &&
      numerics::bitWidth(settings.spec.storage) == 8 &&
      settings.spec.scaleType == numerics::ScaleType::F32 && !settings.axis;
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

std::string ObserverPlan::makeId(StringRef id) {
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
std::string ObserverPlan::nameSource(const ValueClass &valueClass) {
  for (Value value : valueClass.sources) {
    if (const ActivationGroup *group = groups->getProducer(value))
      return (getQuantName(group->anchor) + ".out0").str();
    if (auto argument = dyn_cast<BlockArgument>(value);
        argument && argument.getOwner()->getParentOp() == function)
      return (function.getName() + ".in" + Twine(argument.getArgNumber()))
          .str();
  }
  if (valueClass.readers.empty())
    return (getQuantName(valueClass.writers.front()->anchor) + ".out0").str();
  auto [reader, operand] = valueClass.readers.front();
  unsigned index =
      operand->getOwner() == reader->anchor
          ? operand->getOperandNumber()
          : llvm::find(reader->inputs, operand) - reader->inputs.begin();
  return (getQuantName(reader->anchor) + ".in" + Twine(index)).str();
}

//===----------------------------------------------------------------------===//
// What was decided, and why
//===----------------------------------------------------------------------===//

void ObserverPlan::explainGroup(const ActivationGroup &group) {
  InFlightDiagnostic remark = emitRemark(group.anchor->getLoc());
  remark << "'" << getQuantName(group.anchor) << "' (" << group.getKind()
         << ")";
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
    const ValueClass *valueClass = getObservedClass(value);
    if (!valueClass) {
      remark << "stays in floating point, by " << own.where;
      return;
    }
    const ActivationSettings &settings = *valueClass->wish->settings;
    remark << "'" << valueClass->id << "' "
           << StringRef(numerics::name(settings.spec.storage)) << " by "
           << valueClass->wish->where;
  };
  const GroupWishes &wish = getWishes(&group);
  for (OpOperand *input : group.inputs)
    describe("input", input->get(), wish.input);
  describe("output", group.output, wish.output);
}

void ObserverPlan::explain() {
  for (const ActivationGroup &group : groups->getGroups())
    explainGroup(group);
}

ValueClass *ObserverPlan::getObservedClass(Value value) {
  auto it = classes.find(groups->getClass(value));
  return it != classes.end() && it->second.wish ? &it->second : nullptr;
}

LogicalResult ObserverPlan::compute() {
  // Names first: rules speak of them.
  groups.emplace(function);
  llvm::SmallPtrSet<Operation *, 16> anchors;
  for (const ActivationGroup &group : groups->getGroups())
    anchors.insert(group.anchor);
  assignQuantNames(function,
                   [&](Operation *op) { return anchors.contains(op); });
  if (failed(collectWishes()))
    return failure();
  collectFloating();
  collectMasked();
  if (failed(collectWishes()))
    return failure();
  // An average pool that stays in floating point shares nothing.
  llvm::SmallPtrSet<Operation *, 4> apart;
  for (const ActivationGroup &group : groups->getGroups())
    if (!getWishes(&group).isEnabled())
      apart.insert(group.anchor);
  groups.emplace(function, [&](const ActivationGroup &group) {
    return !apart.contains(group.anchor);
  });
  if (failed(collectWishes()))
    return failure();
  collectClasses();
  for (auto &[leader, valueClass] : classes) {
    decide(valueClass);
    if (valueClass.wish)
      valueClass.id = makeId(nameSource(valueClass));
  }
  return success();
}

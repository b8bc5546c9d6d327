//===- PairModels.cpp - Which values two models share ---------------------===//
//
// Order matters where a value could be paired twice, the first pair stays: by
// names that an earlier pass has fixed; from the results backwards; by names
// that follow from locations or from counting, which are the least certain.
//
//===----------------------------------------------------------------------===//

#include "PairModels.h"

#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"
#include "quant-mlir/Support/Errors.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace quant_mlir;

static constexpr llvm::StringLiteral nameAttr = "quant.name";

llvm::StringSet<> quant_mlir::nameOperations(ModuleOp module) {
  llvm::StringSet<> named;
  module->walk([&](QuantizableOpInterface op) {
    if (auto name = op->getAttrOfType<StringAttr>(nameAttr))
      named.insert(name.getValue());
  });
  assignQuantNames(module, [](Operation *) { return true; });
  return named;
}

AffineAttr quant_mlir::getArgumentParams(func::FuncOp function,
                                         unsigned index) {
  if (auto params = function.getArgAttrOfType<AffineAttr>(
          index, boundaryParamsAttrName))
    return params;
  for (Operation *user : function.getArgument(index).getUsers())
    if (auto dequantize = dyn_cast<DequantizeOp>(user);
        dequantize && !dequantize.getParams().isDynamic())
      return dequantize.getParams();
  return {};
}

llvm::DenseSet<Value> quant_mlir::getActivations(func::FuncOp function) {
  llvm::DenseSet<Value> activations(function.getArguments().begin(),
                                    function.getArguments().end());
  for (Operation &op : function.front()) {
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op.getRegions(), captured);
    auto isActivation = [&](Value value) {
      return activations.contains(value);
    };
    if (llvm::any_of(op.getOperands(), isActivation) ||
        llvm::any_of(captured, isActivation))
      activations.insert_range(op.getResults());
  }
  return activations;
}

static bool isFloatTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && getExpressedType(tensor.getElementType());
}

//===----------------------------------------------------------------------===//
// By structure
//===----------------------------------------------------------------------===//

/// What the other model need not have: quantize, dequantize, observers.
static bool isTransparent(Operation *op) {
  return isa_and_nonnull<QuantizeOp, DequantizeOp, ObserveOp>(op);
}

/// Attributes but for the name and what codes have other than values.
static bool haveSameAttributes(Operation *a, Operation *b) {
  auto get = [](Operation *op) {
    NamedAttrList attributes(op->getAttrDictionary());
    attributes.erase(nameAttr);
    return attributes.getDictionary(op->getContext());
  };
  return get(a) == get(b);
}

/// Whether two operations take their operands in the same way. Structured ones
/// may differ in name: those on codes compare as signed or unsigned.
static bool isSameOperation(Operation *a, Operation *b) {
  if (a->getNumOperands() != b->getNumOperands() ||
      a->getNumResults() != b->getNumResults())
    return false;
  auto first = dyn_cast<linalg::LinalgOp>(a);
  auto second = dyn_cast<linalg::LinalgOp>(b);
  if (first && second)
    return first.getNumDpsInits() == second.getNumDpsInits() &&
           first.getIndexingMapsArray() == second.getIndexingMapsArray() &&
           first.getIteratorTypesArray() == second.getIteratorTypesArray();
  return a->getName() == b->getName() && haveSameAttributes(a, b);
}

namespace {
class Alignment {
public:
  explicit Alignment(llvm::DenseMap<Value, Value> &counterparts)
      : counterparts(counterparts) {}

  /// Two values correspond, and with them what they are made of.
  void align(Value quantized, Value reference);
  /// Whether an operation of the quantized model has been met in both.
  bool isFound(Operation *op) const { return found.contains(op); }

private:
  llvm::DenseSet<Operation *> found;
  llvm::DenseMap<Value, Value> &counterparts;
};
} // namespace

void Alignment::align(Value quantized, Value reference) {
  SmallVector<std::pair<Value, Value>> worklist = {{quantized, reference}};
  while (!worklist.empty()) {
    auto [q, f] = worklist.pop_back_val();
    if (!counterparts.try_emplace(q, f).second)
      continue;
    Operation *qOp = q.getDefiningOp();
    if (isTransparent(qOp)) {
      worklist.push_back({qOp->getOperand(0), f});
      continue;
    }
    // The reference may be quantized too, in another way.
    while (isTransparent(f.getDefiningOp()))
      f = f.getDefiningOp()->getOperand(0);
    Operation *fOp = f.getDefiningOp();
    if (!qOp || !fOp || !isSameOperation(qOp, fOp) ||
        cast<OpResult>(q).getResultNumber() !=
            cast<OpResult>(f).getResultNumber())
      continue;
    found.insert(qOp);
    for (auto [a, b] : llvm::zip(qOp->getOperands(), fOp->getOperands()))
      worklist.push_back({a, b});
  }
}

//===----------------------------------------------------------------------===//
// By name
//===----------------------------------------------------------------------===//

namespace {
/// Pairs the values of two functions.
class Pairing {
public:
  Pairing(func::FuncOp quantized, func::FuncOp reference, ModelPairs &pairs)
      : quantized(quantized), reference(reference),
        quantizedGroups(cast<FunctionOpInterface>(quantized.getOperation())),
        referenceGroups(cast<FunctionOpInterface>(reference.getOperation())),
        activations(getActivations(quantized)), pairs(pairs),
        alignment(pairs.counterparts) {}

  void run(const llvm::StringSet<> &named);
  /// The first operation with a certain name that the reference lacks.
  const ActivationGroup *findMissing(const llvm::StringSet<> &named);
  unsigned countFound() const;
  unsigned countGroups() const {
    return static_cast<unsigned>(quantizedGroups.getGroups().size());
  }

private:
  void collectNames();
  void alignByName(llvm::function_ref<bool(StringRef)> isWanted);
  void alignGroups(const ActivationGroup &q, const ActivationGroup &f);
  void addValue(Value value, QuantizeOp quantize);
  void addWeights(const ActivationGroup &group, ValuePair &pair);
  std::string nameByReader(QuantizeOp quantize);
  std::string describeMissing(Value value, const ActivationGroup *group) const;
  void skip(const ValuePair &pair, const Twine &reason) {
    pairs.notCompared.push_back({pair.op, pair.loc, reason.str()});
  }

  func::FuncOp quantized, reference;
  ActivationGroups quantizedGroups, referenceGroups;
  /// By name, in order: an inlined function may give a name twice.
  llvm::StringMap<SmallVector<const ActivationGroup *, 1>> byName;
  llvm::DenseSet<Value> activations;
  ModelPairs &pairs;
  Alignment alignment;
};
} // namespace

void Pairing::collectNames() {
  for (const ActivationGroup &group : referenceGroups.getGroups())
    byName[getQuantName(group.anchor)].push_back(&group);
}

/// Whether both grow alike, so that their outputs are the same value.
static bool haveSameForm(const ActivationGroup &a, const ActivationGroup &b) {
  return a.ops.size() == b.ops.size() &&
         llvm::all_of(llvm::zip(a.ops, b.ops), [](auto ops) {
           return isSameOperation(std::get<0>(ops), std::get<1>(ops));
         });
}

void Pairing::alignGroups(const ActivationGroup &q, const ActivationGroup &f) {
  if (haveSameForm(q, f))
    alignment.align(q.output, f.output);
  else if (isSameOperation(q.anchor, f.anchor))
    alignment.align(q.anchor->getResult(0), f.anchor->getResult(0));
}

void Pairing::alignByName(llvm::function_ref<bool(StringRef)> isWanted) {
  llvm::StringMap<unsigned> seen;
  for (const ActivationGroup &group : quantizedGroups.getGroups()) {
    StringRef name = getQuantName(group.anchor);
    unsigned occurrence = seen[name]++;
    auto it = byName.find(name);
    if (isWanted(name) && group.anchor->getParentOp() == quantized &&
        it != byName.end() && occurrence < it->second.size())
      alignGroups(group, *it->second[occurrence]);
  }
}

const ActivationGroup *Pairing::findMissing(const llvm::StringSet<> &named) {
  for (const ActivationGroup &group : quantizedGroups.getGroups())
    if (named.contains(getQuantName(group.anchor)) &&
        !byName.contains(getQuantName(group.anchor)) &&
        !alignment.isFound(group.anchor))
      return &group;
  return nullptr;
}

unsigned Pairing::countFound() const {
  return llvm::count_if(quantizedGroups.getGroups(),
                        [&](const ActivationGroup &group) {
                          return alignment.isFound(group.anchor);
                        });
}

//===----------------------------------------------------------------------===//
// Values to compare
//===----------------------------------------------------------------------===//

/// The dequantize that a weight comes from, through what only moves it.
static DequantizeOp findDequantize(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto dequantize = dyn_cast<DequantizeOp>(op))
      return dequantize;
    auto quantizable = dyn_cast<QuantizableOpInterface>(op);
    bool isConversion = isa<arith::ExtFOp, arith::TruncFOp>(op);
    if (!isConversion &&
        (!quantizable || quantizable.getValueEffect() != ValueEffect::Moves ||
         quantizable.getValueSources().size() != 1))
      return nullptr;
    value = isConversion ? op->getOperand(0)
                         : quantizable.getValueSources()[0]->get();
  }
  return nullptr;
}

void Pairing::addWeights(const ActivationGroup &group, ValuePair &pair) {
  for (OpOperand *weight : group.weights) {
    DequantizeOp dequantize = findDequantize(weight->get());
    Value other = pairs.counterparts.lookup(weight->get());
    if (dequantize && other && other.getType() == weight->get().getType() &&
        isFloatTensor(other.getType()))
      pair.weights.push_back({weight->get(), other, dequantize});
  }
}

std::string Pairing::describeMissing(Value value,
                                     const ActivationGroup *group) const {
  if (!group)
    return "no value of the reference corresponds to it";
  auto it = byName.find(getQuantName(group->anchor));
  if (it == byName.end())
    return "the reference has no operation of that name";
  return "the reference computes it in another way: " +
         std::to_string(it->second.front()->ops.size()) +
         " operations there, " + std::to_string(group->ops.size()) + " here";
}

/// The first kernel that reads codes, through dequantize and moves, or the
/// result they become: what is quantized for its readers has their name.
std::string Pairing::nameByReader(QuantizeOp quantize) {
  SmallVector<Value> worklist = {quantize.getOutput()};
  for (unsigned i = 0; i < worklist.size(); ++i)
    for (OpOperand &use : worklist[i].getUses()) {
      Operation *user = use.getOwner();
      const ActivationGroup *group = quantizedGroups.getGroup(user);
      if (group && llvm::is_contained(group->inputs, &use))
        return (getQuantName(group->anchor) + ".in" +
                Twine(use.getOperandNumber()))
            .str();
      if (user->hasTrait<OpTrait::ReturnLike>() &&
          user->getParentOp() == quantized)
        return (quantized.getName() + ".out" + Twine(use.getOperandNumber()))
            .str();
      if (isTransparent(user) || isElementwiseMove(user))
        llvm::append_range(worklist, user->getResults());
    }
  return quantize->getName().getStringRef().str();
}

static std::string getTypeName(Value value) {
  std::string text;
  llvm::raw_string_ostream(text) << getElementTypeOrSelf(value.getType());
  return text;
}

void Pairing::addValue(Value value, QuantizeOp quantize) {
  ValuePair pair;
  pair.quantized = value;
  pair.quantize = quantize;
  Operation *def = value.getDefiningOp();
  const ActivationGroup *group = quantizedGroups.getProducer(value);
  auto id = quantize ? quantize->getAttrOfType<StringAttr>(nameAttr) : nullptr;
  if (group) {
    pair.op = getQuantName(group->anchor).str();
    pair.kind = group->getKind().str();
    pair.id = id ? id.str() : pair.op + ".out0";
  } else {
    auto argument = dyn_cast<BlockArgument>(value);
    pair.kind = argument ? "input" : def->getName().getStringRef().str();
    if (id)
      pair.id = id.str();
    else if (argument)
      pair.id =
          (quantized.getName() + ".in" + Twine(argument.getArgNumber())).str();
    else
      pair.id = nameByReader(quantize);
    pair.op = pair.id;
  }
  pair.loc = describeLoc(value.getLoc());
  pair.dtype =
      quantize ? std::string(numerics::name(quantize.getParams().getStorage()))
               : getTypeName(value);
  pair.reference = pairs.counterparts.lookup(value);
  if (!pair.reference)
    return skip(pair, describeMissing(value, group));
  if (!isFloatTensor(value.getType()))
    return skip(pair, "its elements are " + getTypeName(value) +
                          "; expected a tensor of f32, f16 or bf16");
  if (!isFloatTensor(pair.reference.getType()) ||
      failed(verifyCompatibleShape(value.getType(), pair.reference.getType())))
    return skip(pair, "the reference has another type there");
  if (group)
    addWeights(*group, pair);
  pairs.values.push_back(std::move(pair));
}

void Pairing::run(const llvm::StringSet<> &named) {
  collectNames();
  // Arguments correspond whatever is made of them.
  for (auto [q, f] :
       llvm::zip(quantized.getArguments(), reference.getArguments()))
    pairs.counterparts[q] = f;
  alignByName([&](StringRef name) { return named.contains(name); });
  for (auto [q, f] :
       llvm::zip(quantized.front().getTerminator()->getOperands(),
                 reference.front().getTerminator()->getOperands()))
    alignment.align(q, f);
  alignByName([](StringRef) { return true; });

  auto addAll = [&](Value value) {
    bool isQuantized = false;
    for (Operation *user : value.getUsers())
      if (auto quantize = dyn_cast<QuantizeOp>(user);
          quantize && quantize.getInput() == value &&
          quantize->getParentOp() == quantized) {
        isQuantized = true;
        addValue(value, quantize);
      }
    if (!isQuantized && quantizedGroups.getProducer(value))
      addValue(value, nullptr);
  };
  for (BlockArgument argument : quantized.getArguments())
    addAll(argument);
  for (Operation &op : quantized.front())
    for (Value result : op.getResults())
      if (activations.contains(result) && !isTransparent(&op))
        addAll(result);
  for (const ActivationGroup &group : quantizedGroups.getGroups())
    if (group.anchor->getParentOp() != quantized)
      pairs.notCompared.push_back(
          {getQuantName(group.anchor).str(),
           describeLoc(group.anchor->getLoc()),
           ("it is inside '" +
            group.anchor->getParentOp()->getName().getStringRef() +
            "'; only what stands in the function itself is compared")
               .str()});
  pairs.floatOps = findFloatOps(quantized, activations);
}

llvm::Expected<ModelPairs>
quant_mlir::pairModels(func::FuncOp quantized, func::FuncOp reference,
                       const llvm::StringSet<> &named, StringRef quantizedPath,
                       StringRef referencePath) {
  ModelPairs pairs;
  Pairing pairing(quantized, reference, pairs);
  pairing.run(named);
  if (const ActivationGroup *missing = pairing.findMissing(named))
    return makeFileError(
        referencePath,
        "has no operation " + quoteForMessage(getQuantName(missing->anchor)) +
            " (" + missing->getKind() + ", " +
            describeLoc(missing->anchor->getLoc()) +
            "); expected the float model that '" + quantizedPath +
            "' was made from, found " + Twine(pairing.countFound()) + " of " +
            Twine(pairing.countGroups()) + " operations");
  return pairs;
}

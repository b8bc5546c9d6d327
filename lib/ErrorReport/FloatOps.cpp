//===- FloatOps.cpp - Operations that compute in floating point -----------===//
//
// What can be seen in the model: which operands of a kernel are quantized. Why
// an operand is not (a rule, a threshold) is not recorded there; the report of
// the pass that decided it says so.
//
//===----------------------------------------------------------------------===//

#include "PairModels.h"

#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace quant_mlir;

/// The storage type of a value behind dequantize, through what only moves it;
/// nullopt where it is in floating point, or one of several sources is.
static std::optional<numerics::StorageType> getStorage(Value value) {
  SmallVector<Value> worklist = {value};
  llvm::DenseSet<Value> seen;
  std::optional<numerics::StorageType> storage;
  while (!worklist.empty()) {
    Value current = worklist.pop_back_val();
    if (!seen.insert(current).second)
      continue;
    Operation *op = current.getDefiningOp();
    if (auto dequantize = dyn_cast_or_null<DequantizeOp>(op)) {
      storage = dequantize.getParams().getStorage();
      continue;
    }
    if (isa_and_nonnull<arith::ExtFOp, arith::TruncFOp>(op)) {
      worklist.push_back(op->getOperand(0));
      continue;
    }
    auto quantizable = dyn_cast_or_null<QuantizableOpInterface>(op);
    if (!quantizable || quantizable.getValueEffect() != ValueEffect::Moves ||
        quantizable.getValueSources().empty())
      return std::nullopt;
    for (OpOperand *source : quantizable.getValueSources())
      worklist.push_back(source->get());
  }
  return storage;
}

namespace {
/// Operands of one kernel: "weight is int8, input 1 is f32".
struct OperandSummary {
  std::string text;
  bool anyFloat = false;
  bool anyQuantized = false;
  bool isWeightFloat = false;

  void add(StringRef what, ArrayRef<OpOperand *> operands) {
    for (auto [index, operand] : llvm::enumerate(operands)) {
      std::optional<numerics::StorageType> storage = getStorage(operand->get());
      llvm::raw_string_ostream os(text);
      os << (text.empty() ? "" : ", ") << what;
      if (operands.size() > 1)
        os << ' ' << index;
      os << " is ";
      if (storage)
        os << StringRef(numerics::name(*storage));
      else
        os << getElementTypeOrSelf(operand->get().getType());
      (storage ? anyQuantized : anyFloat) = true;
      isWeightFloat |= !storage && what == "weight";
    }
  }
};
} // namespace

static StringRef getCause(const OperandSummary &operands) {
  if (operands.isWeightFloat)
    return ": the weight was left alone (a rule, its type or its size)";
  return operands.anyQuantized ? ": nothing quantizes that input"
                               : ": activations are not quantized";
}

/// Operations that only prepare what one group in floating point takes, such as
/// the exponentials of a softmax, are counted with it.
static llvm::DenseMap<Operation *, const ActivationGroup *>
findPreparations(func::FuncOp function, const ActivationGroups &groups) {
  llvm::DenseMap<Operation *, const ActivationGroup *> owners;
  for (Operation &op : llvm::reverse(function.front())) {
    if (const ActivationGroup *group = groups.getGroup(&op)) {
      if (group->inputs.empty() && group->weights.empty())
        owners[&op] = group;
      continue;
    }
    const ActivationGroup *owner = nullptr;
    bool isAlone = !op.use_empty();
    for (Operation *user : op.getUsers()) {
      const ActivationGroup *other = owners.lookup(user);
      isAlone &= other && (!owner || owner == other);
      owner = other;
    }
    if (isAlone)
      owners[&op] = owner;
  }
  return owners;
}

/// Whether an operation without a kind computes on tensors of activations.
static bool computes(Operation *op, const llvm::DenseSet<Value> &activations) {
  if (op->getNumResults() == 0 || !activations.contains(op->getResult(0)) ||
      isa<QuantizeOp, DequantizeOp, ObserveOp, linalg::FillOp>(op))
    return false;
  auto tensor = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!tensor || !isa<FloatType>(tensor.getElementType()))
    return false;
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  if (quantizable)
    return quantizable.getValueEffect() == ValueEffect::Computes;
  return isa<linalg::LinalgOp>(op) || OpTrait::hasElementwiseMappableTraits(op);
}

std::vector<OpRemark>
quant_mlir::findFloatOps(func::FuncOp function,
                         const llvm::DenseSet<Value> &activations) {
  ActivationGroups groups(cast<FunctionOpInterface>(function.getOperation()));
  bool quantizesActivations = false;
  function.walk([&](QuantizeOp op) {
    quantizesActivations |= activations.contains(op.getInput());
  });
  llvm::DenseMap<Operation *, const ActivationGroup *> preparations =
      findPreparations(function, groups);
  llvm::DenseMap<const ActivationGroup *, unsigned> numPreparations;
  for (auto [op, group] : preparations)
    numPreparations[group] += !groups.getGroup(op) && computes(op, activations);

  std::vector<OpRemark> remarks;
  auto add = [&](Operation *op, StringRef name, const Twine &reason) {
    remarks.push_back({name.str(), describeLoc(op->getLoc()), reason.str()});
  };
  for (Operation &op : function.front()) {
    const ActivationGroup *group = groups.getGroup(&op);
    if (!group) {
      if (computes(&op, activations) && !preparations.contains(&op))
        add(&op, op.getName().getStringRef(),
            "of no kind that can be quantized");
      continue;
    }
    if (group->anchor != &op)
      continue;
    OperandSummary operands;
    operands.add("weight", group->weights);
    operands.add("input", group->inputs);
    StringRef name = getQuantName(&op);
    if (operands.text.empty()) {
      std::string reason = (group->getKind() + " has no integer kernel").str();
      if (unsigned count = numPreparations.lookup(group))
        reason += "; with " + std::to_string(count) +
                  (count == 1 ? " operation that prepares its operands"
                              : " operations that prepare its operands");
      add(&op, name, reason);
    } else if (operands.anyFloat &&
               (quantizesActivations || !operands.anyQuantized)) {
      add(&op, name, operands.text + getCause(operands));
    }
  }
  return remarks;
}

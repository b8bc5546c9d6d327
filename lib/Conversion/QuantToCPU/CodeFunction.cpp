//===- CodeFunction.cpp - What a body computes from one code --------------===//
//
// Operations are folded one by one, on numbers. Folding is that of IEEE 754,
// each operation rounded by itself, as code is generated without contraction;
// functions of math that are left are those of this machine's C library, as at
// run time.
//
//===----------------------------------------------------------------------===//

#include "CodeFunction.h"

#include "GenericLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace quant_mlir;

static constexpr unsigned numCodes = 256;

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

bool CodeFunction::hasCall() const { return llvm::any_of(ops, isFunctionCall); }

int64_t CodeFunction::countInstructions(bool onVectors) const {
  // A division keeps its unit busy as long as four other operations.
  constexpr int64_t division = 4, call = 1000;
  int64_t count = 0;
  for (Operation *op : ops) {
    if (isa<arith::ConstantOp>(op))
      continue;
    int64_t bytes = 1;
    auto look = [&](Type type) {
      if (onVectors && type.isIntOrFloat())
        bytes = std::max<int64_t>(
            bytes, llvm::divideCeil(type.getIntOrFloatBitWidth(), 8));
    };
    llvm::for_each(op->getOperandTypes(), look);
    llvm::for_each(op->getResultTypes(), look);
    count += bytes * (isFunctionCall(op) ? call
                      : isa<arith::DivFOp, arith::RemFOp, arith::DivSIOp,
                            arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(op)
                          ? division
                          : 1);
  }
  return count;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

std::optional<CodeFunction> quant_mlir::matchCodeFunction(linalg::GenericOp op,
                                                          Value result) {
  Block *body = op.getBody();
  CodeFunction function;
  function.result = result;
  llvm::SmallPtrSet<Operation *, 16> needed;
  SmallVector<Value> left{result};
  while (!left.empty()) {
    Value value = left.pop_back_val();
    if (value.getParentBlock() != body) {
      if (!matchPattern(value, m_Constant()))
        return std::nullopt;
      continue;
    }
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      bool isInput = argument.getArgNumber() < op.getNumDpsInputs();
      if (!isInput || !argument.getType().isInteger(8) ||
          (function.code && function.code != argument))
        return std::nullopt;
      function.code = argument;
      continue;
    }
    Operation *inner = value.getDefiningOp();
    if (!isa<arith::ConstantOp>(inner) &&
        (!OpTrait::hasElementwiseMappableTraits(inner) ||
         !isMemoryEffectFree(inner)))
      return std::nullopt;
    if (needed.insert(inner).second)
      llvm::append_range(left, inner->getOperands());
  }
  for (Operation &inner : *body)
    if (needed.contains(&inner))
      function.ops.push_back(&inner);
  if (!function.code || function.ops.empty())
    return std::nullopt;
  return function;
}

namespace {
/// Folds an operation as if its operands were constants. Folds look at what
/// defines operands, and may change the operation: so it is a copy whose
/// operands are arguments.
class Folding {
public:
  explicit Folding(Operation *op) {
    IRMapping mapping;
    for (Value operand : op->getOperands())
      if (!mapping.contains(operand))
        mapping.map(operand,
                    block.addArgument(operand.getType(), op->getLoc()));
    copy = op->clone(mapping);
  }
  Folding(const Folding &) = delete;
  ~Folding() { copy->destroy(); }

  LogicalResult fold(ArrayRef<Attribute> operands,
                     SmallVectorImpl<Attribute> &results) {
    SmallVector<OpFoldResult> folded;
    if (failed(copy->fold(operands, folded)) ||
        folded.size() != copy->getNumResults())
      return failure();
    for (OpFoldResult result : folded) {
      auto attribute = dyn_cast<Attribute>(result);
      if (!attribute) {
        auto operand = llvm::find(copy->getOperands(), cast<Value>(result));
        if (operand == copy->operand_end())
          return failure();
        attribute = operands[operand.getIndex()];
      }
      if (!isa<IntegerAttr, FloatAttr>(attribute))
        return failure();
      results.push_back(attribute);
    }
    return success();
  }

private:
  Block block;
  Operation *copy;
};
} // namespace

static bool hasFastMath(Operation *op) {
  auto fast = dyn_cast<arith::ArithFastMathInterface>(op);
  return fast && fast.getFastMathFlagsAttr() &&
         fast.getFastMathFlagsAttr().getValue() != arith::FastMathFlags::none;
}

DenseElementsAttr quant_mlir::evaluate(const CodeFunction &function,
                                       std::string &reason) {
  Builder builder(function.result.getContext());
  for (Operation *op : function.ops)
    if (hasFastMath(op)) {
      reason = ("'" + op->getName().getStringRef() +
                "' has fast-math flags, "
                "so that its results depend on the code around it")
                   .str();
      return {};
    }
  SmallVector<std::unique_ptr<Folding>> foldings;
  for (Operation *op : function.ops)
    foldings.push_back(std::make_unique<Folding>(op));

  SmallVector<Attribute> table;
  for (unsigned code = 0; code < numCodes; ++code) {
    DenseMap<Value, Attribute> known;
    known[function.code] =
        builder.getIntegerAttr(function.code.getType(), APInt(8, code));
    for (auto [op, folding] : llvm::zip_equal(function.ops, foldings)) {
      SmallVector<Attribute> operands, results;
      for (Value operand : op->getOperands()) {
        Attribute &value = known[operand];
        if (!value)
          matchPattern(operand, m_Constant(&value));
        operands.push_back(value);
      }
      if (failed(folding->fold(operands, results))) {
        reason = ("'" + op->getName().getStringRef() +
                  "' does not fold for code " + Twine(code))
                     .str();
        return {};
      }
      for (auto [result, value] : llvm::zip_equal(op->getResults(), results))
        known[result] = value;
    }
    table.push_back(known[function.result]);
  }
  return DenseElementsAttr::get(
      RankedTensorType::get({numCodes}, function.result.getType()), table);
}

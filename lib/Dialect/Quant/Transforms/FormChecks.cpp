//===- FormChecks.cpp - What belongs in a form ----------------------------===//
//
// Two passes over the module: each operation on its own, and the codes. Codes
// are followed from where they are made or read, through operations that move
// them. They are not followed through calls, branches and region arguments:
// there, only elements of less than a byte and small floats are seen to be
// codes, by their type.
//
//===----------------------------------------------------------------------===//

#include "FormChecks.h"

#include "MoveOnCodes.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

//===----------------------------------------------------------------------===//
// Kinds of operations and types
//===----------------------------------------------------------------------===//

/// A type that occurs in those of an operation and for which `predicate` holds.
static Type findType(Operation *op, function_ref<bool(Type)> predicate) {
  auto find = [&](Type type) {
    Type found;
    type.walk([&](Type nested) {
      if (!predicate(nested))
        return WalkResult::advance();
      found = nested;
      return WalkResult::interrupt();
    });
    return found;
  };
  for (TypeRange types :
       {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (Type found = find(type))
        return found;
  if (auto function = dyn_cast<FunctionOpInterface>(op))
    return find(function.getFunctionType());
  return {};
}

/// A tensor whose elements can only be codes, or scales.
static bool isTensorOfCodes(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  if (!tensor)
    return false;
  Type element = tensor.getElementType();
  if (auto integer = dyn_cast<IntegerType>(element))
    return integer.getWidth() > 1 && integer.getWidth() < 8;
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() <= 8;
}

static bool movesValues(Operation *op) {
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  return quantizable && quantizable.getValueEffect() == ValueEffect::Moves;
}

/// Operations that hand whole values on, or ask for no more than a size.
static bool passesValues(Operation *op) {
  return op->hasTrait<OpTrait::ConstantLike>() ||
         op->hasTrait<OpTrait::IsTerminator>() ||
         isa<FunctionOpInterface, CallOpInterface, RegionBranchOpInterface,
             arith::SelectOp, tensor::EmptyOp, tensor::DimOp, tensor::RankOp,
             linalg::FillOp>(op);
}

/// Whether `op` stands in the body of an operation that moves values.
static bool isInMove(Operation *op) {
  for (Operation *parent = op->getParentOp(); parent;
       parent = parent->getParentOp())
    if (movesValues(parent))
      return true;
  return false;
}

bool FormChecks::isQuantOp(Operation *op) const {
  return isa<QuantizeOp, DequantizeOp, DynamicRangeOp, PackOp, UnpackOp>(op) ||
         (level == 2 && isa<IntegerFormOpInterface>(op));
}

/// Operands and results of an operation of the integer form that are codes.
static void insertCodes(Operation *op, SetVector<Value> &codes) {
  bool hasCodes = isa<AddOp, MulOp, PoolOp>(op);
  if (auto contract = dyn_cast<ContractOp>(op)) {
    if (!contract.hasFloatLhs())
      codes.insert(contract.getLhs());
    if (!contract.getLayout() && !contract.hasFloatRhs())
      codes.insert(contract.getRhs());
    if (contract.getResidualParams())
      codes.insert(contract.getResidual());
    hasCodes = contract.getInitParams().has_value();
  } else if (hasCodes) {
    for (OpOperand *operand :
         cast<IntegerFormOpInterface>(op).getMappedOperands())
      codes.insert(operand->get());
  }
  if (hasCodes)
    codes.insert(op->result_begin(), op->result_end());
}

void FormChecks::check() {
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isInMove(op))
      checkOp(op);
  });
  checkCodes();
}

unsigned FormChecks::emitErrors() {
  // In the order of the module, whichever check found them.
  unsigned count = 0;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto it = complaints.find(op);
    if (it == complaints.end())
      return;
    op->emitOpError("does not belong in the ")
        << (level == 1 ? "quantized" : "integer") << " form: " << it->second;
    ++count;
  });
  return count;
}

static std::string toString(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

void FormChecks::checkOp(Operation *op) {
  if (isa<ObserveOp>(op))
    return complain(op, "expected every observer to be folded, found one: "
                        "calibrate and run quant-fold-ranges first");
  if (isa_and_nonnull<tosa::TosaDialect>(op->getDialect()))
    return complain(op, "expected linalg on tensors, found tosa: run "
                        "quant-lower-tosa first");
  if (isa<mlir::quant::QuantizeCastOp, mlir::quant::DequantizeCastOp,
          mlir::quant::StorageCastOp>(op))
    return complain(op, "expected quant.quantize and quant.dequantize, found "
                        "a cast of upstream's quant dialect: convert it");
  if (Type type = findType(op, llvm::IsaPred<mlir::quant::QuantizedType>))
    return complain(op, "expected codes with their parameters in operations, "
                        "found the type " +
                            toString(type));
  if (Type type = findType(op, llvm::IsaPred<BaseMemRefType>))
    return complain(op, "expected tensors, found the buffer " + toString(type) +
                            ": check before bufferization");
  if (auto quantize = dyn_cast<QuantizeOp>(op))
    return checkQuantize(quantize);
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return checkDequantize(dequantize);
  if (level == 1 && isa<IntegerFormOpInterface>(op))
    return complain(op, "expected computation in floating point, found an "
                        "operation of the integer form: check before "
                        "quant-fuse");
  if (isQuantOp(op) || passesValues(op) || movesValues(op))
    return;
  if (Type type = findType(op, isTensorOfCodes))
    complain(op, "expected computation in f32, f16, bf16 or integers of whole "
                 "bytes, found " +
                     toString(type) + ": dequantize it first");
}

void FormChecks::checkQuantize(QuantizeOp op) {
  if (op.getParams().getStorage() == numerics::StorageType::Int32)
    return complain(op, "expected int32 for constant biases only, found it "
                        "for an activation: use a storage type of 8 bits or "
                        "less");
  if (!op.getScale() && op.getInput().getDefiningOp<arith::ConstantOp>())
    return complain(op, "expected a constant of codes, found a constant that "
                        "is quantized at run time: run "
                        "quant-simplify-quantized-form first");
  SmallVector<OpFoldResult> results;
  if (succeeded(op->fold(results)) && !results.empty())
    complain(op, "expected no quantize of what was dequantized with equal "
                 "parameters, found one: run quant-simplify-quantized-form "
                 "first");
}

void FormChecks::checkDequantize(DequantizeOp op) {
  if (op.getParams().getStorage() == numerics::StorageType::Int32 &&
      !quant_mlir::detail::areConstantCodes(op.getInput()))
    complain(op,
             "expected int32 for constant biases only, found it for a "
             "value that is computed: use a storage type of 8 bits or less");
}

/// Codes come from quantize, unpack, constants and arguments, and go to
/// dequantize, pack and the function's caller; on the way they only move.
void FormChecks::checkCodes() {
  SetVector<Value> codes;
  root->walk([&](Operation *op) {
    if (isa<QuantizeOp, UnpackOp>(op))
      codes.insert(op->getResult(0));
    if (isa<DequantizeOp, PackOp>(op))
      codes.insert(op->getOperand(0));
    insertCodes(op, codes);
  });
  for (unsigned i = 0; i < codes.size(); ++i) {
    Operation *producer = codes[i].getDefiningOp();
    if (producer && movesValues(producer)) {
      for (OpOperand *source :
           cast<QuantizableOpInterface>(producer).getValueSources())
        codes.insert(source->get());
    } else if (producer && !isQuantOp(producer) && !passesValues(producer)) {
      complain(producer,
               "expected codes from quantize, constants and moves, found an "
               "operation that is not known to leave them as they are: "
               "quantize its result");
    }
    for (Operation *user : codes[i].getUsers()) {
      if (movesValues(user)) {
        codes.insert(user->result_begin(), user->result_end());
        continue;
      }
      // Arithmetic on the scalars in a region is that of the region's owner.
      if (isQuantOp(user) || passesValues(user) || isInMove(user))
        continue;
      complain(user, "expected codes to be moved or dequantized, found an "
                     "operation that is not known to leave them as they are: "
                     "dequantize its operand");
    }
  }
}

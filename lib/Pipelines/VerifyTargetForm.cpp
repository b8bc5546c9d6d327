//===- VerifyTargetForm.cpp - What belongs in level 3 ---------------------===//
//
// One walk: each operation on its own, by the target's rules. Operations come
// before casts between dialects, since those are what an operation that was not
// lowered leaves behind.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Utils/ModuleSymbols.h"
#include "quant-mlir/Pipelines/Pipelines.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSet.h"

namespace quant_mlir {
#define GEN_PASS_DEF_VERIFYTARGETFORMPASS
#include "quant-mlir/Pipelines/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-verify-target-form"

using namespace mlir;

//===----------------------------------------------------------------------===//
// reference
//===----------------------------------------------------------------------===//

/// A type with elements that only codes have, or a buffer; null for none.
static Type findForeignType(Type type) {
  Type found;
  type.walk([&](Type nested) {
    bool isForeign = isa<BaseMemRefType>(nested);
    if (auto tensor = dyn_cast<TensorType>(nested)) {
      Type element = tensor.getElementType();
      if (element.isIntOrFloat())
        isForeign =
            element.getIntOrFloatBitWidth() < 8 && !element.isInteger(1);
      if (isa<FloatType>(element))
        isForeign = element.getIntOrFloatBitWidth() <= 8;
    }
    if (!isForeign)
      return WalkResult::advance();
    found = nested;
    return WalkResult::interrupt();
  });
  return found;
}

static std::string findReferenceReason(Operation *op) {
  Dialect *dialect = op->getDialect();
  if (isa_and_nonnull<mlir::quant::QuantDialect>(dialect))
    return "expected it to be lowered, found one of 'quant': run "
           "quant-to-linalg, and name what that leaves";
  if (isa_and_nonnull<tosa::TosaDialect>(dialect))
    return "expected linalg on tensors, found tosa: run quant-lower-tosa first";
  if (isa_and_nonnull<memref::MemRefDialect,
                      bufferization::BufferizationDialect>(dialect))
    return "expected tensors, found an operation on buffers: bufferize behind "
           "the reference lowering, not before it";
  auto describe = [](Type type) {
    std::string text;
    llvm::raw_string_ostream(text)
        << "expected tensors with elements of whole bytes, and floats of more "
           "than 8 bits, found '"
        << type << "': run quant-widen-storage first";
    return text;
  };
  for (TypeRange types :
       {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (Type found = findForeignType(type))
        return describe(found);
  if (auto function = dyn_cast<FunctionOpInterface>(op))
    if (Type found = findForeignType(function.getFunctionType()))
      return describe(found);
  return "";
}

//===----------------------------------------------------------------------===//
// cpu
//===----------------------------------------------------------------------===//

/// Functions of the C library that lowerings call.
static bool isOfC(StringRef name) {
  static const llvm::StringSet<> functions = {
      "aligned_alloc", "malloc", "free", "abort", "puts", "fflush"};
  static const llvm::StringSet<> math = {
      "acos",  "acosh", "asin", "asinh", "atan", "atan2", "atanh",
      "cbrt",  "ceil",  "cos",  "cosh",  "erf",  "erfc",  "exp",
      "exp2",  "expm1", "fabs", "floor", "fma",  "fmod",  "log",
      "log10", "log1p", "log2", "pow",   "rint", "round", "roundeven",
      "sin",   "sinh",  "sqrt", "tan",   "tanh", "trunc"};
  if (functions.contains(name) || math.contains(name))
    return true;
  return name.consume_back("f") && math.contains(name);
}

static bool isAllocation(StringRef name) {
  return name == "aligned_alloc" || name == "malloc" ||
         name.ends_with("_alloc");
}

/// Whether a number of bytes depends on nothing that is known at run time only.
static bool isConstant(Value value) {
  SmallVector<Value> worklist{value};
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val().getDefiningOp();
    if (!op || !isPure(op))
      return false;
    llvm::append_range(worklist, op->getOperands());
  }
  return true;
}

namespace {

class VerifyTargetFormPass
    : public quant_mlir::impl::VerifyTargetFormPassBase<VerifyTargetFormPass> {
public:
  using VerifyTargetFormPassBase::VerifyTargetFormPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    auto check = [&](StringRef name, StringRef value,
                     ArrayRef<StringRef> expected) -> LogicalResult {
      if (llvm::is_contained(expected, value))
        return success();
      return emitError(UnknownLoc::get(context))
             << "quant-verify-target-form: expected " << name << " to be "
             << llvm::join(expected, " or ") << ", found '" << value << "'";
    };
    if (failed(check("target", target, {"reference", "cpu"})))
      return failure();
    return check("allocations", allocations, {"any", "remark", "error"});
  }

  void runOnOperation() override {
    SmallVector<std::pair<Operation *, std::string>> complaints;
    SmallVector<Operation *> casts;
    bool isReference = target == "reference";
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<ModuleOp>(op))
        return;
      if (isa<UnrealizedConversionCastOp>(op))
        return casts.push_back(op);
      std::string reason =
          isReference ? findReferenceReason(op) : findTargetReason(op);
      if (!reason.empty())
        complaints.emplace_back(op, std::move(reason));
    });
    if (complaints.empty())
      for (Operation *cast : casts)
        complaints.emplace_back(cast,
                                "expected values of one dialect's types, found "
                                "a cast that no conversion took away");
    for (auto &[op, reason] : complaints)
      op->emitOpError("does not belong in the form of the target: ") << reason;
    numRejected += complaints.size();
    if (!complaints.empty())
      signalPassFailure();
  }

private:
  std::string findTargetReason(Operation *op) {
    if (!isa_and_nonnull<LLVM::LLVMDialect, omp::OpenMPDialect>(
            op->getDialect()))
      return "no lowering to LLVM is known for it";
    if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op)) {
      StringRef name = function.getName();
      bool isOfRuntime = llvm::any_of(
          calls, [&](StringRef prefix) { return name.starts_with(prefix); });
      if (function.isExternal() && !isOfC(name) && !isOfRuntime)
        return ("expected a body, or a function of the C library" +
                (calls.empty() ? Twine()
                               : " or of a name that begins with " +
                                     Twine(llvm::join(calls, " or "))) +
                ", found '" + name + "': define it")
            .str();
    }
    if (auto call = dyn_cast<LLVM::CallOp>(op))
      return findAllocationReason(call);
    return "";
  }

  std::string findAllocationReason(LLVM::CallOp call) {
    std::optional<StringRef> callee = call.getCallee();
    if (!callee || !isAllocation(*callee) || allocations == "any" ||
        call->getParentOfType<LLVM::LLVMFuncOp>().getName() ==
            quant_mlir::takeArenaName)
      return "";
    ++numAllocations;
    bool isKnown = isConstant(call.getArgOperands().back());
    std::string reason =
        isKnown ? "quant-plan-buffers has no place for it in the arena"
                : "its size is known at run time only";
    if (allocations == "error")
      return "expected memory of the arena only, found some that is allocated "
             "at every call: " +
             reason;
    emitRemark(call.getLoc())
        << "memory is allocated at every call: " << reason;
    return "";
  }
};

} // namespace

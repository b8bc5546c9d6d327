//===- LoweringPasses.cpp -------------------------------------------------===//

#include "LoweringPasses.h"

#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"
#include "quant-mlir/Pipelines/LowerToLLVM.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace {
//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// Types that LLVM computes with: no 8-bit and smaller floats. In memory each
/// element takes whole bytes: narrower integers, which have no consistent
/// layout upstream, are for scalars only.
bool isRunnable(Type type) {
  unsigned narrowest = 1;
  if (auto shaped = dyn_cast<ShapedType>(type)) {
    type = shaped.getElementType();
    narrowest = 8;
  }
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() &&
           (integer.getWidth() == 1 || integer.getWidth() >= narrowest);
  if (isa<FloatType>(type))
    return type.isF16() || type.isBF16() || type.isF32() || type.isF64();
  return true;
}

/// Whether a function can reach itself through calls.
bool isRecursive(func::FuncOp function) {
  SymbolTableCollection symbols;
  llvm::SmallPtrSet<Operation *, 8> seen;
  SmallVector<Operation *> worklist = {function};
  while (!worklist.empty()) {
    Operation *caller = worklist.pop_back_val();
    bool found = false;
    caller->walk([&](CallOpInterface call) {
      Operation *callee = call.resolveCallableInTable(&symbols);
      found |= callee == function;
      if (callee && seen.insert(callee).second)
        worklist.push_back(callee);
    });
    if (found)
      return true;
  }
  return false;
}

LogicalResult checkFunction(func::FuncOp function) {
  StringRef name = function.getName();
  bool isRenamed = name.consume_back(quant_mlir::renamedSuffix);
  if (function.isDeclaration() && isRenamed)
    return function.emitError("function '")
           << name << "' is called but has no body";
  if (isRecursive(function))
    return function.emitError("function '")
           << name << "' is recursive, which is not supported";
  return success();
}

/// Whether the bytes of a tensor, as far as its sizes are static, can be
/// counted.
bool hasCountableSize(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank())
    return true;
  int64_t bytes = 8;
  for (int64_t size : shaped.getShape())
    if (size > 0 && llvm::MulOverflow(bytes, size, bytes))
      return false;
  return true;
}

LogicalResult checkTypes(Operation *op) {
  for (Type type : op->getResultTypes()) {
    if (!isRunnable(type))
      return op->emitOpError("cannot be run: values of type ")
             << type << " are not supported; expected elements of i1, i8 or "
             << "wider integers, index, f16, bf16, f32 or f64";
    if (!hasCountableSize(type))
      return op->emitOpError("cannot be run: the size of ")
             << type << " overflows 63 bits";
  }
  return success();
}

class CheckRunnablePass
    : public PassWrapper<CheckRunnablePass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CheckRunnablePass)

  StringRef getArgument() const override { return "check-runnable"; }

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      if (!isa_and_present<affine::AffineDialect, arith::ArithDialect,
                           bufferization::BufferizationDialect, BuiltinDialect,
                           cf::ControlFlowDialect, func::FuncDialect,
                           index::IndexDialect, linalg::LinalgDialect,
                           math::MathDialect, memref::MemRefDialect,
                           scf::SCFDialect, tensor::TensorDialect,
                           ub::UBDialect, vector::VectorDialect>(
              op->getDialect()) &&
          !isa<quant_mlir::IntegerFormOpInterface, quant_mlir::PackColumnsOp>(
              op)) {
        op->emitOpError("cannot be run: no lowering to linalg, arith, math, "
                        "tensor or scf is known for it");
        return WalkResult::interrupt();
      }
      if (auto function = dyn_cast<func::FuncOp>(op))
        return WalkResult(checkFunction(function));
      return WalkResult(checkTypes(op));
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

class PrepareFunctionsPass
    : public PassWrapper<PrepareFunctionsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PrepareFunctionsPass)

  StringRef getArgument() const override { return "prepare-functions"; }

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    Builder builder(&getContext());
    for (auto function :
         llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (function.isPrivate() || function.getName() == "main") {
        std::string name =
            function.isPrivate()
                ? (function.getName() + quant_mlir::renamedSuffix).str()
                : "model_main";
        if (failed(symbols.rename(function, name))) {
          function.emitError() << "cannot be renamed to '" << name
                               << "': expected no other function of that name";
          return signalPassFailure();
        }
      }
      for (unsigned i = 0, e = function.getNumArguments(); i != e; ++i)
        function.setArgAttr(
            i, bufferization::BufferizationDialect::kWritableAttrName,
            builder.getBoolAttr(false));
    }
  }
};

class SetTargetPass
    : public PassWrapper<SetTargetPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SetTargetPass)

  SetTargetPass(const quant_mlir::CPUTargetOptions &machine, bool setsTriple)
      : machine(machine), setsTriple(setsTriple) {}

  StringRef getArgument() const override { return "set-target"; }

  void runOnOperation() override {
    llvm::Expected<quant_mlir::CPUTarget> target =
        quant_mlir::CPUTarget::get(machine);
    if (!target) {
      getOperation().emitError() << llvm::toString(target.takeError());
      return signalPassFailure();
    }
    Builder builder(&getContext());
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      function.setTargetCpuAttr(builder.getStringAttr(target->getCPU()));
      if (!target->getFeatures().empty())
        function.setTargetFeaturesAttr(LLVM::TargetFeaturesAttr::get(
            &getContext(), target->getFeatures()));
      // LLVM avoids its widest vectors on processors that once slowed down.
      if (target->getVectorBytes() == 64)
        function.setPreferVectorWidthAttr(builder.getStringAttr("512"));
    }
    if (setsTriple)
      getOperation()->setAttr(LLVM::LLVMDialect::getTargetTripleAttrName(),
                              builder.getStringAttr(target->getTriple().str()));
  }

private:
  quant_mlir::CPUTargetOptions machine;
  bool setsTriple;
};

class CheckReshapePass
    : public PassWrapper<CheckReshapePass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CheckReshapePass)

  StringRef getArgument() const override { return "check-reshape"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, cf::ControlFlowDialect>();
  }

  void runOnOperation() override {
    getOperation()->walk([](memref::ReshapeOp reshape) {
      OpBuilder builder(reshape->getContext());
      builder.setInsertionPointAfter(reshape);
      Location loc = reshape.getLoc();
      auto count = [&](Value memref) {
        Value product = arith::ConstantIndexOp::create(builder, loc, 1);
        auto type = cast<MemRefType>(memref.getType());
        for (int64_t i = 0, e = type.getRank(); i != e; ++i) {
          Value size = memref::DimOp::create(builder, loc, memref, i);
          product = arith::MulIOp::create(builder, loc, product, size);
        }
        return product;
      };
      if (!isa<MemRefType>(reshape.getSource().getType()) ||
          !isa<MemRefType>(reshape.getType()))
        return;
      Value equal = arith::CmpIOp::create(
          builder, loc, arith::CmpIPredicate::eq, count(reshape.getSource()),
          count(reshape.getResult()));
      cf::AssertOp::create(builder, loc, equal,
                           "reshape changes the number of elements");
    });
  }
};

//===----------------------------------------------------------------------===//
// Rewrites
//===----------------------------------------------------------------------===//

class DecomposePass
    : public PassWrapper<DecomposePass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DecomposePass)

  StringRef getArgument() const override { return "decompose"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, linalg::LinalgDialect,
                    math::MathDialect, tensor::TensorDialect>();
  }

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    WalkResult result = getOperation()->walk([&](Operation *op) {
      rewriter.setInsertionPoint(op);
      LogicalResult decomposed = success();
      if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op)) {
        FailureOr<SmallVector<Value>> values =
            softmax.decomposeOperation(rewriter);
        decomposed = values;
        if (succeeded(values))
          rewriter.replaceOp(op, *values);
      } else if (auto pack = dyn_cast<linalg::PackOp>(op)) {
        decomposed = linalg::lowerPack(rewriter, pack);
      } else if (auto unpack = dyn_cast<linalg::UnPackOp>(op)) {
        decomposed = linalg::lowerUnPack(rewriter, unpack);
      } else {
        return WalkResult::advance();
      }
      if (succeeded(decomposed))
        return WalkResult::skip();
      op->emitOpError("cannot be run: it does not decompose");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

class SeparateResultsPass
    : public PassWrapper<SeparateResultsPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(SeparateResultsPass)

  StringRef getArgument() const override { return "separate-results"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<bufferization::BufferizationDialect>();
  }

  void runOnOperation() override {
    getOperation()->walk([](func::ReturnOp returned) {
      OpBuilder builder(returned);
      llvm::SmallPtrSet<Value, 4> seen;
      for (OpOperand &operand : returned->getOpOperands()) {
        Value value = operand.get();
        auto type = dyn_cast<RankedTensorType>(value.getType());
        if (type && !seen.insert(value).second)
          operand.set(bufferization::AllocTensorOp::create(
              builder, returned.getLoc(), type, ValueRange(), value));
      }
    });
  }
};

class ExactMathPass
    : public PassWrapper<ExactMathPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExactMathPass)

  StringRef getArgument() const override { return "exact-math"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect, func::FuncDialect,
                    vector::VectorDialect>();
  }

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathToLibmConversionPatterns(patterns);
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalOp<math::ExpM1Op, math::Log1pOp>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};

class ExpandBFloat16Pass
    : public PassWrapper<ExpandBFloat16Pass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandBFloat16Pass)

  StringRef getArgument() const override { return "expand-bfloat16"; }

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    arith::populateExpandBFloat16Patterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

class StridedCopyPass
    : public PassWrapper<StridedCopyPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(StridedCopyPass)

  StringRef getArgument() const override { return "strided-copy"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<linalg::LinalgDialect>();
  }

  void runOnOperation() override {
    auto isContiguous = [](Value value) {
      auto type = dyn_cast<MemRefType>(value.getType());
      return !type || type.getLayout().isIdentity();
    };
    getOperation()->walk([&](memref::CopyOp copy) {
      if (isContiguous(copy.getSource()) && isContiguous(copy.getTarget()))
        return;
      OpBuilder builder(copy);
      linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      copy->erase();
    });
  }
};
} // namespace

std::unique_ptr<Pass> quant_mlir::createCheckRunnablePass() {
  return std::make_unique<CheckRunnablePass>();
}
std::unique_ptr<Pass> quant_mlir::createPrepareFunctionsPass() {
  return std::make_unique<PrepareFunctionsPass>();
}
std::unique_ptr<Pass>
quant_mlir::createSetTargetPass(const CPUTargetOptions &machine,
                                bool setsTriple) {
  return std::make_unique<SetTargetPass>(machine, setsTriple);
}
std::unique_ptr<Pass> quant_mlir::createDecomposePass() {
  return std::make_unique<DecomposePass>();
}
std::unique_ptr<Pass> quant_mlir::createSeparateResultsPass() {
  return std::make_unique<SeparateResultsPass>();
}
std::unique_ptr<Pass> quant_mlir::createCheckReshapePass() {
  return std::make_unique<CheckReshapePass>();
}
std::unique_ptr<Pass> quant_mlir::createExactMathPass() {
  return std::make_unique<ExactMathPass>();
}
std::unique_ptr<Pass> quant_mlir::createExpandBFloat16Pass() {
  return std::make_unique<ExpandBFloat16Pass>();
}
std::unique_ptr<Pass> quant_mlir::createStridedCopyPass() {
  return std::make_unique<StridedCopyPass>();
}

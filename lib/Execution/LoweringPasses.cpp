//===- LoweringPasses.cpp -------------------------------------------------===//

#include "LoweringPasses.h"

#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;

namespace {
//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// Element types that keep one element in whole bytes and that LLVM computes
/// with. Narrower integers have no consistent layout in memory upstream, and
/// 8-bit and smaller floats no arithmetic.
bool isRunnable(Type type) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    type = shaped.getElementType();
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() &&
           (integer.getWidth() == 1 || integer.getWidth() >= 8);
  if (isa<FloatType>(type))
    return type.isF16() || type.isBF16() || type.isF32() || type.isF64();
  return true;
}

class CheckRunnablePass
    : public PassWrapper<CheckRunnablePass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CheckRunnablePass)

  StringRef getArgument() const override { return "check-runnable"; }

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      if (!isa_and_present<
              affine::AffineDialect, arith::ArithDialect,
              bufferization::BufferizationDialect, BuiltinDialect,
              cf::ControlFlowDialect, func::FuncDialect, index::IndexDialect,
              linalg::LinalgDialect, math::MathDialect, memref::MemRefDialect,
              scf::SCFDialect, tensor::TensorDialect, ub::UBDialect,
              vector::VectorDialect>(op->getDialect())) {
        op->emitOpError("cannot be run: no lowering to linalg, arith, math, "
                        "tensor or scf is known for it");
        return WalkResult::interrupt();
      }
      if (auto function = dyn_cast<func::FuncOp>(op)) {
        if (function.isDeclaration()) {
          op->emitOpError("cannot be run: '")
              << function.getName() << "' is called but has no body";
          return WalkResult::interrupt();
        }
        return WalkResult::advance();
      }
      for (Type type : op->getResultTypes())
        if (!isRunnable(type)) {
          op->emitOpError("cannot be run: values of type ")
              << type << " are not supported; expected elements of i1, i8 or "
              << "wider integers, index, f16, bf16, f32 or f64";
          return WalkResult::interrupt();
        }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

class CheckLoweredPass
    : public PassWrapper<CheckLoweredPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CheckLoweredPass)

  StringRef getArgument() const override { return "check-lowered"; }

  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      if (isa<ModuleOp, UnrealizedConversionCastOp>(op) ||
          isa_and_present<LLVM::LLVMDialect, omp::OpenMPDialect>(
              op->getDialect()))
        return WalkResult::advance();
      op->emitOpError("cannot be run: no lowering to LLVM is known for it");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

//===----------------------------------------------------------------------===//
// Math and copies
//===----------------------------------------------------------------------===//

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
std::unique_ptr<Pass> quant_mlir::createCheckLoweredPass() {
  return std::make_unique<CheckLoweredPass>();
}
std::unique_ptr<Pass> quant_mlir::createExactMathPass() {
  return std::make_unique<ExactMathPass>();
}
std::unique_ptr<Pass> quant_mlir::createStridedCopyPass() {
  return std::make_unique<StridedCopyPass>();
}

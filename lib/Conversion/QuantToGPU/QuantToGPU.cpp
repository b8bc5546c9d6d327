//===- QuantToGPU.cpp - Operations on buffers as kernels of a GPU ---------===//
//
// The pass; kernels are in a file for each family of operations.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"

#include "NVVM/NVVM.h"
#include "ROCDL/ROCDL.h"
#include "SPIRV/SPIRV.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/AMDGPU/IR/AMDGPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/ROCDL/ROCDLToLLVMIRTranslation.h"

namespace quant_mlir {
#define GEN_PASS_DEF_QUANTTOGPUPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

void quant_mlir::registerGPUTranslations(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  registerROCDLDialectTranslation(registry);
}

void quant_mlir::addGPUModulePasses(OpPassManager &pm,
                                    const GPUTargetOptions &options) {
  switch (options.kind) {
  case GPUKind::SPIRV:
    return addSPIRVModulePasses(pm);
  case GPUKind::NVVM:
    return addNVVMModulePasses(pm, options);
  case GPUKind::ROCDL:
    return addROCDLModulePasses(pm, options);
  }
}

/// %n = arith.trunci %x : i8 to i4; %y = arith.extsi %n : i4 to i32
///
/// %s = arith.shli %x, 4; %n = arith.shrsi %s, 4; %y = arith.extsi %n
static void widenNarrowIntegers(Operation *root) {
  SmallVector<Operation *> extensions;
  root->walk([&](Operation *op) {
    if (isa<arith::ExtSIOp, arith::ExtUIOp>(op))
      extensions.push_back(op);
  });
  for (Operation *op : extensions) {
    auto truncation = op->getOperand(0).getDefiningOp<arith::TruncIOp>();
    if (!truncation || !isa<linalg::GenericOp>(op->getParentOp()))
      continue;
    auto wide = dyn_cast<IntegerType>(truncation.getIn().getType());
    auto narrow = dyn_cast<IntegerType>(truncation.getType());
    if (!wide || !narrow || narrow.getWidth() >= 8 || narrow.getWidth() == 1)
      continue;
    OpBuilder builder(op);
    ElementArith arith(builder, op->getLoc(), truncation.getIn());
    Value code = truncation.getIn();
    if (isa<arith::ExtUIOp>(op)) {
      code = arith.bitAnd(code, (int64_t(1) << narrow.getWidth()) - 1);
    } else {
      int64_t unused = wide.getWidth() - narrow.getWidth();
      Value shift = arith.intConstant(unused, wide.getWidth());
      code = arith::ShRSIOp::create(builder, op->getLoc(),
                                    arith.shl(code, unused), shift);
    }
    Type type = op->getResult(0).getType();
    if (type.getIntOrFloatBitWidth() > wide.getWidth()) {
      op->setOperand(0, code);
    } else {
      if (type != wide)
        code = arith::TruncIOp::create(builder, op->getLoc(), type, code);
      op->getResult(0).replaceAllUsesWith(code);
      op->erase();
    }
    if (truncation.use_empty())
      truncation.erase();
  }
}

namespace {
struct QuantToGPUPass
    : public quant_mlir::impl::QuantToGPUPassBase<QuantToGPUPass> {
  using QuantToGPUPassBase::QuantToGPUPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    GPUTargetOptions options;
    options.arch = arch;
    std::optional<GPUKind> kind = symbolizeGPUKind(targetName);
    if (!kind)
      return emitError(UnknownLoc::get(context))
             << "quant-to-gpu: expected spirv, nvvm or rocdl as target, found '"
             << targetName << "'";
    options.kind = *kind;
    llvm::Expected<GPUTarget> found = GPUTarget::get(options);
    if (!found)
      return emitError(UnknownLoc::get(context))
             << "quant-to-gpu: " << llvm::toString(found.takeError());
    target = std::make_shared<GPUTarget>(std::move(*found));
    return success();
  }

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // Whether sums are needed, those say who read them.
    if (failed(makeKernels<PackColumnsOp>(rewriter, buildPackKernel)) ||
        failed(makeKernels<ContractOp>(rewriter, buildContractKernel)) ||
        failed(makeKernels<PoolOp>(rewriter, buildPoolKernel)))
      return signalPassFailure();
    makeGeneric(rewriter);
    SmallVector<linalg::GenericOp> generics;
    getOperation()->walk([&](linalg::GenericOp op) {
      if (op.hasPureBufferSemantics())
        generics.push_back(op);
    });
    for (linalg::GenericOp op : generics) {
      if (std::string reason = findNoGPUKernelReason(op, *target);
          !reason.empty()) {
        op->emitRemark() << "'" << op->getName()
                         << "' is computed by the host: " << reason;
        ++numHost;
        continue;
      }
      rewriter.setInsertionPoint(op);
      buildGenericKernel(op, *target, rewriter);
      rewriter.eraseOp(op);
      ++numKernels;
    }
  }

private:
  /// Of each Op on buffers, which quant-prepare-kernels has left.
  template <typename Op>
  LogicalResult makeKernels(IRRewriter &rewriter,
                            void (*build)(Op, const GPUTarget &, OpBuilder &)) {
    SmallVector<Op> ops;
    getOperation()->walk([&](Op op) {
      if (op->getNumResults() == 0)
        ops.push_back(op);
    });
    for (Op op : ops) {
      if (std::string reason = findNoGPUKernelReason(op, *target);
          !reason.empty())
        return op.emitOpError()
               << "has no kernel on this target, since " << reason
               << ": lower it before buffers are made, by "
                  "quant-prepare-kernels";
      rewriter.setInsertionPoint(op);
      build(op, *target, rewriter);
      rewriter.eraseOp(op);
      ++numKernels;
    }
    return success();
  }

  /// Copies and named operations on buffers become linalg.generic, and bodies
  /// do without integers of less than a byte.
  void makeGeneric(IRRewriter &rewriter) {
    widenNarrowIntegers(getOperation());
    SmallVector<Operation *> named;
    getOperation()->walk([&](Operation *op) {
      auto structured = dyn_cast<linalg::LinalgOp>(op);
      if (isa<memref::CopyOp>(op) ||
          (structured && structured.hasPureBufferSemantics() &&
           !isa<linalg::GenericOp>(op)))
        named.push_back(op);
    });
    for (Operation *op : named) {
      rewriter.setInsertionPoint(op);
      if (auto copy = dyn_cast<memref::CopyOp>(op)) {
        if (!isa<MemRefType>(copy.getSource().getType()) ||
            !isa<MemRefType>(copy.getTarget().getType()))
          continue;
        linalg::makeMemRefCopyOp(rewriter, op->getLoc(), copy.getSource(),
                                 copy.getTarget());
        rewriter.eraseOp(op);
      } else {
        (void)linalg::generalizeNamedOp(rewriter, cast<linalg::LinalgOp>(op));
      }
    }
  }

  std::shared_ptr<const GPUTarget> target;
};
} // namespace

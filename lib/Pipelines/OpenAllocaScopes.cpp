//===- OpenAllocaScopes.cpp - Stack of an iteration without a region ------===//
//
// An iteration of a loop that OpenMP shares gets a memref.alloca_scope around
// it. Its region holds one block, so that no loop or branch inside can become
// control flow. What it means does not need the region: the stack as it was
// before is restored behind it.
//
//===----------------------------------------------------------------------===//

#include "LoweringPasses.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace {

class OpenAllocaScopesPass
    : public PassWrapper<OpenAllocaScopesPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(OpenAllocaScopesPass)

  StringRef getArgument() const override { return "open-alloca-scopes"; }

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<LLVM::LLVMDialect>();
  }

  void runOnOperation() override {
    SmallVector<memref::AllocaScopeOp> scopes;
    getOperation()->walk(
        [&](memref::AllocaScopeOp scope) { scopes.push_back(scope); });
    IRRewriter rewriter(&getContext());
    for (memref::AllocaScopeOp scope : scopes) {
      rewriter.setInsertionPoint(scope);
      Location loc = scope.getLoc();
      Value stack = LLVM::StackSaveOp::create(
          rewriter, loc, LLVM::LLVMPointerType::get(&getContext()));
      Block &body = scope.getBodyRegion().front();
      Operation *end = body.getTerminator();
      rewriter.setInsertionPoint(end);
      LLVM::StackRestoreOp::create(rewriter, loc, stack);
      rewriter.inlineBlockBefore(&body, scope);
      rewriter.replaceOp(scope, end->getOperands());
      rewriter.eraseOp(end);
    }
  }
};

} // namespace

std::unique_ptr<Pass> quant_mlir::createOpenAllocaScopesPass() {
  return std::make_unique<OpenAllocaScopesPass>();
}

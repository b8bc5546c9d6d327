//===- CInterface.cpp - Functions on buffers as functions of C ------------===//

#include "quant-mlir/Pipelines/Pipelines.h"

#include "quant-mlir/Conversion/Utils/PointerToBuffer.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace quant_mlir {
#define GEN_PASS_DEF_CINTERFACEPASS
#include "quant-mlir/Pipelines/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;

/// Whether a pointer says everything about the buffer, or the value is no
/// buffer.
static bool isPlain(Type type) {
  auto buffer = dyn_cast<MemRefType>(type);
  return !isa<BaseMemRefType>(type) ||
         (buffer && buffer.hasStaticShape() && buffer.getLayout().isIdentity());
}

namespace {
struct CInterfacePass
    : public quant_mlir::impl::CInterfacePassBase<CInterfacePass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function.isPrivate() || function.isDeclaration())
        continue;
      bool isCalled = !SymbolTable::symbolKnownUseEmpty(function, module);
      if (isCalled || function.getNumResults() != 0 ||
          !llvm::all_of(function.getArgumentTypes(), isPlain)) {
        function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                          UnitAttr::get(&getContext()));
        continue;
      }
      takePointers(function);
      ++numPlain;
    }
  }

private:
  static void takePointers(func::FuncOp function) {
    Block &body = function.getBody().front();
    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    auto pointer = LLVM::LLVMPointerType::get(function.getContext());
    for (BlockArgument argument : body.getArguments()) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (!type)
        continue;
      argument.setType(pointer);
      Value buffer =
          quant_mlir::buildBufferAt(builder, argument.getLoc(), argument, type);
      argument.replaceUsesWithIf(buffer, [&](OpOperand &use) {
        return use.getOwner()->getDialect() !=
               builder.getContext()->getLoadedDialect<LLVM::LLVMDialect>();
      });
    }
    function.setType(
        builder.getFunctionType(body.getArgumentTypes(), TypeRange()));
  }
};
} // namespace

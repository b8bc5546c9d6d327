//===- RequestTiles.cpp - Tile registers in an object of its own ----------===//
//
// Linux lets a process use the tile registers of AMX once it has asked. An
// object file asks when it is loaded, by the system call itself, so that it
// needs no library and its functions no check. Where the system denies it, the
// first kernel ends with an illegal instruction: such systems need code without
// (`--target-features=-amx-int8`).
//
//   llvm.func internal @quant_request_tiles() {
//     %0 = llvm.inline_asm "syscall" 158, 0x1023, 18   // arch_prctl
//     llvm.return
//   }
//   llvm.mlir.global_ctors ctors = [@quant_request_tiles], …
//
//===----------------------------------------------------------------------===//

#include "LoweringPasses.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace {
class RequestTilesPass
    : public PassWrapper<RequestTilesPass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RequestTilesPass)

  StringRef getArgument() const override { return "request-tiles"; }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    bool usesTiles = module
                         .walk([](LLVM::CallIntrinsicOp op) {
                           return op.getIntrin() == "llvm.x86.ldtilecfg"
                                      ? WalkResult::interrupt()
                                      : WalkResult::advance();
                         })
                         .wasInterrupted();
    if (!usesTiles)
      return;
    MLIRContext *context = &getContext();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    Location loc = module.getLoc();
    auto function = LLVM::LLVMFuncOp::create(
        builder, loc, "quant_request_tiles",
        LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), {}),
        LLVM::Linkage::Internal);
    auto ctor = SymbolRefAttr::get(context, function.getSymName());
    LLVM::GlobalCtorsOp::create(
        builder, loc, builder.getArrayAttr(ctor), builder.getI32ArrayAttr(0),
        builder.getArrayAttr(LLVM::ZeroAttr::get(context)));
    builder.setInsertionPointToStart(function.addEntryBlock(builder));
    Type i64 = builder.getI64Type();
    SmallVector<Value> operands;
    for (int64_t number : {158, 0x1023, 18})
      operands.push_back(LLVM::ConstantOp::create(
          builder, loc, i64, builder.getI64IntegerAttr(number)));
    LLVM::InlineAsmOp::create(
        builder, loc, i64, operands, "syscall",
        "={rax},{rax},{rdi},{rsi},~{rcx},~{r11},~{memory}",
        /*has_side_effects=*/true, /*is_align_stack=*/false,
        LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
    LLVM::ReturnOp::create(builder, loc, ValueRange());
  }
};
} // namespace

std::unique_ptr<Pass> quant_mlir::createRequestTilesPass() {
  return std::make_unique<RequestTilesPass>();
}

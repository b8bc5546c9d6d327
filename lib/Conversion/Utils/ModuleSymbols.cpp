//===- ModuleSymbols.cpp - What passes add to a module --------------------===//

#include "quant-mlir/Conversion/Utils/ModuleSymbols.h"

using namespace mlir;
using namespace quant_mlir;

LLVM::LLVMFuncOp ModuleSymbols::declare(StringRef name, Type result,
                                        ArrayRef<Type> types) {
  if (auto function = table.lookup<LLVM::LLVMFuncOp>(name))
    return function;
  auto builder = OpBuilder::atBlockBegin(module.getBody());
  auto function =
      LLVM::LLVMFuncOp::create(builder, module.getLoc(), name,
                               LLVM::LLVMFunctionType::get(result, types));
  table.insert(function);
  return function;
}

LLVM::LLVMFuncOp ModuleSymbols::define(StringRef name, Type result,
                                       ArrayRef<Type> types) {
  LLVM::LLVMFuncOp function = declare(name, result, types);
  function.setLinkage(LLVM::Linkage::Internal);
  return function;
}

LLVM::GlobalOp ModuleSymbols::addSlot(const Twine &name, int64_t count) {
  auto builder = OpBuilder::atBlockBegin(module.getBody());
  Type type = LLVM::LLVMPointerType::get(module.getContext());
  if (count != 1)
    type = LLVM::LLVMArrayType::get(type, count);
  Location loc = module.getLoc();
  auto slot = LLVM::GlobalOp::create(
      builder, loc, type,
      /*isConstant=*/false, LLVM::Linkage::Internal, name.str(), Attribute());
  builder.createBlock(&slot.getInitializerRegion());
  Value null = LLVM::ZeroOp::create(builder, loc, type);
  LLVM::ReturnOp::create(builder, loc, null);
  table.insert(slot);
  return slot;
}

void ModuleSymbols::addDestructor(
    StringRef name, function_ref<void(OpBuilder &, Location)> body) {
  LLVM::LLVMFuncOp destructor =
      define(name, LLVM::LLVMVoidType::get(module.getContext()), {});
  Location loc = destructor.getLoc();
  OpBuilder builder(module.getContext());
  builder.setInsertionPointToEnd(destructor.addEntryBlock(builder));
  body(builder, loc);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  builder.setInsertionPointToEnd(module.getBody());
  LLVM::GlobalDtorsOp::create(
      builder, loc, builder.getArrayAttr(FlatSymbolRefAttr::get(destructor)),
      builder.getI32ArrayAttr({65535}),
      builder.getArrayAttr(LLVM::ZeroAttr::get(module.getContext())));
}

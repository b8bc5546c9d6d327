//===- ModuleSymbols.h - What passes add to a module ------------*- C++ -*-===//
//
// Functions and globals of the LLVM dialect, for what a module keeps from one
// call to the next: pointers that begin as null, and what frees them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_MODULESYMBOLS_H
#define QUANT_MLIR_CONVERSION_UTILS_MODULESYMBOLS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace quant_mlir {

/// The function that gives a call its arena: the only one that allocates.
inline constexpr llvm::StringLiteral takeArenaName = "quant.take_arena";

class ModuleSymbols {
public:
  explicit ModuleSymbols(mlir::ModuleOp module)
      : module(module), table(module) {}

  mlir::SymbolTable &getTable() { return table; }

  /// The function of that name, declared where there is none.
  mlir::LLVM::LLVMFuncOp declare(llvm::StringRef name, mlir::Type result,
                                 llvm::ArrayRef<mlir::Type> types);
  /// The same, visible in this module only; its body is the caller's.
  mlir::LLVM::LLVMFuncOp define(llvm::StringRef name, mlir::Type result,
                                llvm::ArrayRef<mlir::Type> types);

  /// A pointer of the module that begins as null; an array of `count`.
  mlir::LLVM::GlobalOp addSlot(const llvm::Twine &name, int64_t count = 1);

  /// A function that runs when the module is unloaded.
  void addDestructor(
      llvm::StringRef name,
      llvm::function_ref<void(mlir::OpBuilder &, mlir::Location)> body);

private:
  mlir::ModuleOp module;
  mlir::SymbolTable table;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_MODULESYMBOLS_H

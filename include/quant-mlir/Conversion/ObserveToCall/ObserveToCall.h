//===- ObserveToCall.h - Observers become calls -----------------*- C++ -*-===//
//
// `quant-observe-to-call`, and the list of observers that says which number in
// a call stands for which id. Both sides of the run time derive it from here.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_OBSERVETOCALL_OBSERVETOCALL_H
#define QUANT_MLIR_CONVERSION_OBSERVETOCALL_OBSERVETOCALL_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/IR/BuiltinOps.h"

namespace quant_mlir {

/// All `quant.observe` of one id that need data.
struct ObserverInfo {
  mlir::StringAttr id;
  SpecAttr spec;
  mlir::Location loc; ///< of the first
};

/// The observers of a module that need data, in order of their first
/// occurrence: the number in a call is an index into this list. Fails, with an
/// error at the operation, where those of one id ask for different things, and
/// where one asks for blocks, for which there are no statistics.
llvm::FailureOr<llvm::SmallVector<ObserverInfo>>
collectObservers(mlir::ModuleOp module);

/// Name of the module's attribute with the ids of its observers, in order.
inline constexpr llvm::StringLiteral observersAttrName = "quant.observers";

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_OBSERVETOCALL_OBSERVETOCALL_H

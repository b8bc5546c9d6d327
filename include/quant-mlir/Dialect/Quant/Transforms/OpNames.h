//===- OpNames.h - Stable names of operations -------------------*- C++ -*-===//
//
// Configuration rules, reports and ranges speak of operations by name. A name
// is fixed when it is first needed and stored as the attribute `quant.name`, so
// that printing without locations, or a rewrite elsewhere, changes nothing.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_OPNAMES_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_OPNAMES_H

#include "mlir/IR/Operation.h"

namespace quant_mlir {

/// Gives the operations below `root` that are `needed` their names: the NameLoc
/// where that is unique among the function's quantizable operations, else
/// `<NameLoc, or function/op>#<n>`, n counted among equals in function order.
/// Every quantizable operation counts, whether its name is needed or not, so that
/// a name does not depend on which pass asks first. Names that are already there
/// stay.
void assignQuantNames(mlir::Operation *root,
                      llvm::function_ref<bool(mlir::Operation *)> needed);

/// The name that assignQuantNames or setQuantName gave, else that of the kind of
/// operation.
llvm::StringRef getQuantName(mlir::Operation *op);

/// Gives an operation that was made for a named value (`conv1.out0`) its name.
void setQuantName(mlir::Operation *op, llvm::StringRef name);

/// A location as text for reports: `file:line:column`, or the name of a NameLoc.
std::string describeLoc(mlir::Location loc);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_OPNAMES_H

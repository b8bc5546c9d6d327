//===- Diagnostics.h - MLIR diagnostics as one error ------------*- C++ -*-===//

#ifndef QUANT_MLIR_EXECUTION_DIAGNOSTICS_H
#define QUANT_MLIR_EXECUTION_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <string>

namespace quant_mlir {

/// Keeps the first error that is emitted while it lives, with the notes on it,
/// passes remarks on, and swallows everything else: what follows a first error
/// is its consequence.
class DiagnosticCollector {
public:
  /// `path` is the file that locations without a file of their own belong to.
  /// `remark` is called with each remark as "model.mlir:3:5: <message>".
  DiagnosticCollector(mlir::MLIRContext *context, llvm::StringRef path,
                      std::function<void(llvm::StringRef)> remark = {});

  /// The first error as "model.mlir:3:5: <message>"; `fallback` where something
  /// failed without saying why.
  llvm::Error takeError(const llvm::Twine &fallback);

private:
  std::string path;
  std::function<void(llvm::StringRef)> remark;
  std::string first;
  mlir::ScopedDiagnosticHandler handler;
};

/// Where `location` is, for people: "model.mlir:3:5", preceded by its name
/// where it has one; empty if unknown.
std::string describeLocation(mlir::Location location);

/// An error at a location of the file `path`.
llvm::Error makeErrorAt(mlir::Location location, llvm::StringRef path,
                        const llvm::Twine &message);

} // namespace quant_mlir

#endif // QUANT_MLIR_EXECUTION_DIAGNOSTICS_H

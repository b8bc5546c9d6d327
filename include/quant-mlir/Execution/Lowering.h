//===- Lowering.h - From tensors to the LLVM dialect ------------*- C++ -*-===//

#ifndef QUANT_MLIR_EXECUTION_LOWERING_H
#define QUANT_MLIR_EXECUTION_LOWERING_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <string>

namespace quant_mlir {

struct LoweringOptions {
  /// More than one: parallel loops run on OpenMP's threads.
  unsigned threads = 1;
  /// Appends the passes that turn everything above linalg, other than TOSA, into
  /// linalg, arith, math, tensor and scf. They run on tensors, after TOSA.
  std::function<void(mlir::OpPassManager &)> addReferenceLowering;
};

/// TOSA to linalg, tensor, arith and scf on tensors: upstream's passes.
void addTosaLowering(mlir::OpPassManager &pm);

/// Lowers a module of linalg on tensors, TOSA, and what `addReferenceLowering`
/// takes, to the LLVM dialect. Every step keeps each floating point operation as
/// it is written: nothing is contracted, reassociated or approximated.
///
/// `entry` is the only function that stays visible. Its buffers are contiguous,
/// its arguments are not written to, and its results belong to the caller.
/// Returns its new name. `path` names the module in errors.
llvm::Expected<std::string> lowerToLLVM(mlir::ModuleOp module,
                                        llvm::StringRef entry,
                                        const LoweringOptions &options,
                                        llvm::StringRef path);

} // namespace quant_mlir

#endif // QUANT_MLIR_EXECUTION_LOWERING_H

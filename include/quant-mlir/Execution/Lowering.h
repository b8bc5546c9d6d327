//===- Lowering.h - From tensors to the LLVM dialect ------------*- C++ -*-===//

#ifndef QUANT_MLIR_EXECUTION_LOWERING_H
#define QUANT_MLIR_EXECUTION_LOWERING_H

#include "quant-mlir/Pipelines/LowerToLLVM.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace quant_mlir {

/// How a model is lowered and compiled.
struct CompileOptions {
  /// More than one: parallel loops run on OpenMP's threads.
  unsigned threads = 1;
  /// Whether the integer form becomes kernels or linalg.
  LoweringTarget target = LoweringTarget::CPU;
  /// Of this processor, to use or not: comma-separated, each with + or -.
  std::string features;
  /// Of the GPU, where there is one. Empty: that of this machine's device, or
  /// the target's plainest.
  std::string gpuArch;
  /// Whether functions of one code are read from tables.
  bool hasTables = true;
  /// Appends the passes that turn operations of an embedder's own into linalg,
  /// arith, math, tensor and scf. They run on tensors, before everything else.
  std::function<void(mlir::OpPassManager &)> addOwnLowering;
  /// Functions that the model may declare and call, beside those of the C
  /// library that the lowering itself needs. One with `llvm.emit_c_interface`
  /// is called, and given here, as `_mlir_ciface_<name>`.
  std::vector<std::pair<std::string, void *>> symbols;
  /// Called with each remark of the lowering, such as what has no kernel, as
  /// "model.mlir:3:5: <message>".
  std::function<void(llvm::StringRef)> remark;
};

/// Lowers a module of levels 0 to 2 (linalg on tensors, TOSA, our operations,
/// and what `addOwnLowering` takes) to the LLVM dialect. Every step keeps each
/// floating point operation as it is written: nothing is contracted, but a
/// product and its sum in kernels of contractions, where the processor rounds
/// once; nothing is reassociated or approximated.
///
/// `entry` is the only function that stays visible. Its buffers are contiguous,
/// its arguments are not written to, and its results belong to the caller.
/// Returns its new name. `path` names the module in errors.
llvm::Expected<std::string> lowerToLLVM(mlir::ModuleOp module,
                                        llvm::StringRef entry,
                                        const CompileOptions &options,
                                        llvm::StringRef path);

} // namespace quant_mlir

#endif // QUANT_MLIR_EXECUTION_LOWERING_H

//===- LoweringPasses.h - Small passes on the way to LLVM -*- C++ -*-====//

#ifndef QUANT_MLIR_LIB_PIPELINES_LOWERINGPASSES_H
#define QUANT_MLIR_LIB_PIPELINES_LOWERINGPASSES_H

#include "quant-mlir/Target/CPU.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace quant_mlir {

/// Fails at the first op or type that the passes after it would not lower.
std::unique_ptr<mlir::Pass> createCheckRunnablePass();

/// Arguments of functions are not written to, and what is not public cannot
/// stand in for a function of C. @main, which is C's, becomes @model_main.
std::unique_ptr<mlir::Pass> createPrepareFunctionsPass();

/// Says of every function what processor it is compiled for, and of the module
/// what system.
std::unique_ptr<mlir::Pass> createSetTargetPass(const CPUTargetOptions &machine,
                                                bool setsTriple);

/// What uses tile registers asks the system for them when it is loaded.
std::unique_ptr<mlir::Pass> createRequestTilesPass();

/// linalg ops that are not loops of their own (softmax, pack, unpack) become
/// ops that are.
std::unique_ptr<mlir::Pass> createDecomposePass();

/// What a function returns twice is copied: each result is written to a place
/// of its own, and upstream's pass for that expects as many buffers as places.
std::unique_ptr<mlir::Pass> createSeparateResultsPass();

/// Loops for linalg ops on buffers. With `parallel`, what is large enough to be
/// worth waking threads for gets parallel ones.
std::unique_ptr<mlir::Pass> createLinalgToLoopsPass(bool parallel);

/// memref.alloca_scope becomes marks of the stack before and behind what is
/// inside, which may then become control flow.
std::unique_ptr<mlir::Pass> createOpenAllocaScopesPass();

/// memref.reshape gets the check at run time that upstream has not: as many
/// elements after as before.
std::unique_ptr<mlir::Pass> createCheckReshapePass();

/// math.expm1 and math.log1p become libm calls: the conversion to LLVM computes
/// them as exp(x) - 1 and log(1 + x), which is wrong near 0.
std::unique_ptr<mlir::Pass> createExactMathPass();

/// Casts to and from bf16 in integer arithmetic, and nothing else of what
/// arith-expand expands.
std::unique_ptr<mlir::Pass> createExpandBFloat16Pass();

/// Copies of buffers that are not contiguous become linalg ops: as memref.copy
/// they would call a library function.
std::unique_ptr<mlir::Pass> createStridedCopyPass();

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_PIPELINES_LOWERINGPASSES_H

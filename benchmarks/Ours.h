//===- Ours.h - This project as the subject ---------------------*- C++ -*-===//
//
// A problem becomes MLIR text of level 0 or 1 with its constants as resources,
// goes through the pipeline of quant-opt and the compiler of quant-run, in this
// process, and a prepared call is timed.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_BENCHMARKS_OURS_H
#define QUANT_MLIR_BENCHMARKS_OURS_H

#include "Measure.h"
#include "OursText.h"
#include "Problem.h"

#include "quant-mlir/Execution/CompiledFunction.h"
#include "quant-mlir/Pipelines/Pipelines.h"

namespace quant_mlir::bench {

/// A compiled module.
struct Compiled {
  std::shared_ptr<CompiledFunction> function;
  /// What was compiled: "9 quant.contract, 1 linalg.softmax".
  std::string operations;
};

/// From a module to machine code for this processor. `path` names the module in
/// errors.
llvm::Expected<Compiled> compileOurs(const ModuleText &module,
                                     const QuantPipelineOptions &options,
                                     const CompileOptions &compile,
                                     llvm::StringRef path);

/// `copies` compiled functions, each with its own weights, take turns.
llvm::Expected<Subject> makeOurs(const Int8Problem &problem,
                                 const CompileOptions &compile,
                                 unsigned copies);
llvm::Expected<Subject> makeOurs(const FloatProblem &problem,
                                 const CompileOptions &compile,
                                 unsigned copies);
llvm::Expected<Subject> makeOurs(const BlockProblem &problem,
                                 const CompileOptions &compile,
                                 unsigned copies);
llvm::Expected<Subject> makeOurs(const AttentionProblem &problem,
                                 const CompileOptions &compile);
llvm::Expected<Subject> makeOurs(const ActivationProblem &problem,
                                 const CompileOptions &compile);
llvm::Expected<Subject> makeOurs(const DynamicProblem &problem,
                                 const CompileOptions &compile,
                                 unsigned copies);

/// A whole float model (level 0): as it is, or in static int8 with the ranges
/// of the file `ranges`. The difference is from `expected`, relative to its
/// largest value.
llvm::Expected<Subject> makeOursModel(const std::string &path,
                                      const std::string &ranges,
                                      const NdArray &input,
                                      const NdArray &expected,
                                      const CompileOptions &compile);

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_OURS_H

//===- OursText.h - Problems as MLIR ----------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_BENCHMARKS_OURSTEXT_H
#define QUANT_MLIR_BENCHMARKS_OURSTEXT_H

#include "Problem.h"

#include "llvm/ADT/ArrayRef.h"

namespace quant_mlir::bench {

/// A module with `@main` whose large constants are `dense_resource<name>`.
struct ModuleText {
  std::string text;
  struct Resource {
    std::string name;
    std::vector<char> bytes;
    size_t alignment;
  };
  std::vector<Resource> resources;
};

/// Level 1: codes in, codes out, an int32 bias.
ModuleText makeText(const Int8Problem &problem);
/// Level 0.
ModuleText makeText(const FloatProblem &problem);
/// Level 1 for the weights; activations are still float.
ModuleText makeText(const BlockProblem &problem);
ModuleText makeText(const DynamicProblem &problem);
ModuleText makeText(const ActivationProblem &problem);
/// Of two arguments.
ModuleText makeText(const AttentionProblem &problem);

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_OURSTEXT_H

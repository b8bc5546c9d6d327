//===- Ggml.h - ggml as a peer ----------------------------------*- C++ -*-===//
//
// The library of llama.cpp, on the CPU: products of f32 activations, which it
// quantizes to blocks of 32 int8 codes at run time, with int4 weights in blocks
// of 32 (Q4_0, and with zero points Q4_1, whose scales are f16). Graphs and
// tensors are made beforehand; a call computes one graph.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_BENCHMARKS_GGML_H
#define QUANT_MLIR_BENCHMARKS_GGML_H

#include "Measure.h"
#include "Problem.h"

#include "llvm/Support/Error.h"

#include <memory>

namespace quant_mlir::bench {

class Ggml {
public:
  /// Loads libggml-base.so of `folder`, and of its libggml-cpu-*.so the one
  /// that suits this processor best.
  static llvm::Expected<std::unique_ptr<Ggml>> load(const std::string &folder);
  ~Ggml();

  std::string getVersion() const;

  /// `copies` weights take turns, so that they come from memory. The faster of
  /// plain weights and those that the library lays out for the processor.
  llvm::Expected<Subject> make(const BlockProblem &problem, unsigned threads,
                               unsigned copies);

private:
  struct Impl;
  explicit Ggml(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl;
};

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_GGML_H

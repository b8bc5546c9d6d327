//===- OnnxRuntime.h - ONNX Runtime as a peer -------------------*- C++ -*-===//
//
// Through its C interface, on the CPU, with all graph optimizations. Sessions,
// inputs and outputs are made beforehand; a call is one `Run`, with what the
// library does around its kernels. Models are made by make-onnx.py, from data
// that the problem has written.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_BENCHMARKS_ONNXRUNTIME_H
#define QUANT_MLIR_BENCHMARKS_ONNXRUNTIME_H

#include "Measure.h"
#include "Problem.h"

#include "quant-mlir/Support/Npy.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace quant_mlir::bench {

class OnnxRuntime {
public:
  /// Loads the library. `folder` is for models; `python` has the package onnx,
  /// `script` is make-onnx.py.
  static llvm::Expected<std::unique_ptr<OnnxRuntime>>
  load(const std::string &library, std::string folder, std::string python,
       std::string script);
  ~OnnxRuntime();

  std::string getVersion() const;

  /// `copies` sessions take turns, so that weights come from memory.
  llvm::Expected<Subject> make(const Int8Problem &problem, unsigned threads,
                               unsigned copies);
  llvm::Expected<Subject> make(const FloatProblem &problem, unsigned threads,
                               unsigned copies);
  /// MatMulNBits with accuracy level 4: int8 products.
  llvm::Expected<Subject> make(const BlockProblem &problem, unsigned threads,
                               unsigned copies);
  llvm::Expected<Subject> make(const DynamicProblem &problem, unsigned threads,
                               unsigned copies);
  /// QLinearSigmoid, which has a table; others between DequantizeLinear and
  /// QuantizeLinear.
  llvm::Expected<Subject> make(const ActivationProblem &problem,
                               unsigned threads);
  /// A whole model of one float input and one float output.
  llvm::Expected<Subject> makeModel(const std::string &path,
                                    const NdArray &input, unsigned threads);

private:
  struct Impl;
  explicit OnnxRuntime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_ONNXRUNTIME_H

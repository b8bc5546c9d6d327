//===- CompiledFunction.h - A function of a model, compiled here -*- C++ -*-==//
//
// Compiles once for this processor and runs on arrays as often as asked.
//
// Element types of arguments and results, and the arrays they take and give:
//
//   f32, f64, f16: float32, float64, float16
//
//   bf16: float32, rounded half to even going in, exact coming out
//
//   i1: bool
//
//   i8, i16, i32, i64: arguments signed or unsigned, results signed
//
//   index: int64, arguments also uint64
//
// Arguments and results are ranked tensors of them, static or dynamic, or
// single values, which are arrays of rank 0.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_EXECUTION_COMPILEDFUNCTION_H
#define QUANT_MLIR_EXECUTION_COMPILEDFUNCTION_H

#include "quant-mlir/Execution/Lowering.h"
#include "quant-mlir/Support/Npy.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace quant_mlir {

/// One argument or result.
struct ValueSignature {
  DType dtype = DType::Float32;        ///< of the array
  bool isBF16 = false;                 ///< the array is float32, the value bf16
  bool isTensor = true;                ///< false: a single value
  bool isCodes = false;                ///< `quant.params` says what they mean
  llvm::SmallVector<int64_t, 4> shape; ///< -1 where dynamic
  std::string type;                    ///< as MLIR prints it

  bool isDynamic(unsigned dimension) const { return shape[dimension] < 0; }
};

class CompiledFunction {
public:
  /// Compiles the function `entry` of `module`, which is left as it is. `path`
  /// names the module in errors.
  static llvm::Expected<std::unique_ptr<CompiledFunction>>
  compile(mlir::ModuleOp module, llvm::StringRef entry,
          const CompileOptions &options, llvm::StringRef path);

  ~CompiledFunction();

  llvm::ArrayRef<ValueSignature> getArguments() const;
  llvm::ArrayRef<ValueSignature> getResults() const;

  /// Runs the function. The arrays must fit the arguments: same type, same
  /// rank, and equal sizes where those are static.
  llvm::Error invoke(llvm::ArrayRef<NdArray> inputs,
                     llvm::SmallVectorImpl<NdArray> &outputs);

  /// Time of each of `runs` calls, in order, after one that is not counted.
  /// Arguments are prepared once and results freed between calls: only the call
  /// itself is timed.
  llvm::Expected<std::vector<std::chrono::nanoseconds>>
  bench(llvm::ArrayRef<NdArray> inputs, unsigned runs);

  /// The same call to be made again and again, by who measures it beside
  /// something else: arguments are prepared once, results are freed by the next
  /// call. The arrays must outlive the function object; this must, too.
  llvm::Expected<std::function<llvm::Error()>>
  prepare(llvm::ArrayRef<NdArray> inputs);

private:
  class Call;
  struct Impl;
  explicit CompiledFunction(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

/// Buffers that compiled code has allocated and nobody has freed, in this
/// process. For tests: 0 when nothing runs.
int64_t getNumLiveBuffers();

} // namespace quant_mlir

#endif // QUANT_MLIR_EXECUTION_COMPILEDFUNCTION_H

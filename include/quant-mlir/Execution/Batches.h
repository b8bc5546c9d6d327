//===- Batches.h - Running a function over more than one batch --*- C++ -*-===//
//
// The rule: an array with more leading entries than the argument's static
// leading dimension is run batch by batch; a dynamic leading dimension takes
// the whole array, or `batch` entries at a time where that is given. Arrays
// that are exactly one batch are used again for every batch of the others. What
// is cut must come out even, into the same number of batches for every array.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_EXECUTION_BATCHES_H
#define QUANT_MLIR_EXECUTION_BATCHES_H

#include "quant-mlir/Execution/CompiledFunction.h"

#include <optional>

namespace quant_mlir {

/// How arrays are cut into the batches that a function takes.
struct BatchPlan {
  /// Entries per batch of each array; 0 where it is used whole.
  llvm::SmallVector<int64_t> entries;
  int64_t count = 1;

  /// From the arrays' types alone. `names` are their files, for messages.
  static llvm::Expected<BatchPlan>
  create(llvm::ArrayRef<ValueSignature> arguments,
         llvm::ArrayRef<ArrayType> types, llvm::ArrayRef<std::string> names,
         std::optional<int64_t> batch);
};

/// Arrays in memory, batch by batch.
class Batches {
public:
  /// The arrays must outlive this.
  static llvm::Expected<Batches>
  create(llvm::ArrayRef<ValueSignature> arguments,
         llvm::ArrayRef<NdArray> arrays, llvm::ArrayRef<std::string> names,
         std::optional<int64_t> batch);

  int64_t size() const { return plan.count; }
  /// The arguments of one batch; valid until the next call.
  llvm::ArrayRef<NdArray> get(int64_t index);

private:
  llvm::ArrayRef<NdArray> arrays;
  BatchPlan plan;
  llvm::SmallVector<NdArray> current;
};

/// Runs every batch and stacks each result along its leading dimension; results
/// of rank 0 become the entries of a vector where there is more than one batch.
/// Shows a progress bar.
llvm::Error runBatches(CompiledFunction &function, Batches &batches,
                       llvm::SmallVectorImpl<NdArray> &outputs);

} // namespace quant_mlir

#endif // QUANT_MLIR_EXECUTION_BATCHES_H

//===- GenericKernel.h - One linalg.generic over vectors --------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_GENERICKERNEL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_GENERICKERNEL_H

#include "GenericLoops.h"

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

#include "mlir/IR/IRMapping.h"

namespace quant_mlir {

class CPUTarget;

/// Makes the loops of one operation before it.
class GenericKernel {
public:
  GenericKernel(mlir::linalg::GenericOp op, const GenericLoops &loops,
                const CPUTarget &target, bool isParallel,
                mlir::OpBuilder &builder);

  void build();

private:
  using Values = llvm::SmallVector<mlir::Value>;

  /// Loops of one kind that continue each other in every operand become the
  /// inner one of them, with both sizes.
  void mergeLoops();
  /// The loops of `outer` from `depth` on, then the vectors'.
  void buildOuter(unsigned depth);
  void buildVectorLoop();
  /// The only loop, in pieces that threads take.
  void buildParallelRuns();
  void buildParallel(mlir::Value end, int64_t step,
                     KernelBuilder::LoopBody body);
  /// Vectors from `first` on, all in the same blocks.
  void buildRun(mlir::OpFoldResult first, mlir::OpFoldResult size);
  void buildReduction(mlir::OpFoldResult first, mlir::OpFoldResult size);

  mlir::Value getAddress(mlir::OpOperand &operand);
  bool moves(mlir::OpOperand &operand) const;
  bool isParallelLoop(unsigned loop) {
    return op.getIteratorTypesArray()[loop] ==
           mlir::utils::IteratorType::parallel;
  }
  /// What is the same for all of a run: operands and what is computed of them.
  void buildInvariants();
  /// The body on `count` elements from `at` on; what has been seen is `seen`
  /// where the loop is a reduction. Gives what is yielded.
  Values buildBody(mlir::Value at, int64_t count, mlir::ValueRange seen);
  mlir::Value asVector(mlir::Value value, int64_t count);
  mlir::Value combine(unsigned result, mlir::Value a, mlir::Value b);
  /// All lanes of a vector combined.
  mlir::Value combineLanes(unsigned result, mlir::Value vector);

  mlir::linalg::GenericOp op;
  const GenericLoops &loops;
  const CPUTarget &target;
  KernelBuilder kernel;
  int64_t lanes;
  bool isParallel;

  llvm::SmallVector<unsigned> outer;
  llvm::SmallVector<mlir::OpFoldResult> sizes; ///< by loop
  llvm::SmallVector<FlatOperand> operands;     ///< no base where it is a number
  Values ivs;                                  ///< by loop and block
  mlir::IRMapping invariants;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_GENERICKERNEL_H

//===- ContractLoops.h - What the loops of a contraction are ----*- C++ -*-===//
//
// The loops of quant.contract by role, and how addresses move with them. What
// packing and kernels decide on: no IR is built here.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_IR_CONTRACTLOOPS_H
#define QUANT_MLIR_DIALECT_QUANT_IR_CONTRACTLOOPS_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

namespace quant_mlir {

/// Which operands have a loop.
enum class LoopRole {
  Batch,     ///< lhs, rhs and result: batches, groups, channels of a depthwise
  Row,       ///< lhs and result
  Column,    ///< rhs and result
  Reduction, ///< lhs and rhs
};

/// By how many elements an address moves when a loop goes up by one, by loop: 0
/// where the operand does not have the loop, nullopt where it is not known at
/// compile time.
using LoopStrides = llvm::SmallVector<std::optional<int64_t>>;

struct ContractLoops {
  /// By loop.
  llvm::SmallVector<LoopRole> roles;
  /// By loop; kDynamic where types do not say.
  llvm::SmallVector<int64_t> sizes;

  /// Loops of each role, in loop order.
  llvm::SmallVector<unsigned> batch, rows, columns, reduction;

  /// Buffers have their own strides, tensors those of row-major order. Those of
  /// lhs as a tensor count its padding: they hold in a buffer that is as large
  /// as lhs with its padding. Those of packed rhs are of its codes.
  LoopStrides lhsStrides, rhsStrides, initStrides;
  /// Null (empty) where there is no such operand.
  LoopStrides biasStrides, residualStrides, rhsScaleStrides,
      rhsZeroPointStrides;

  /// The reduction loops from the largest stride in lhs to the smallest; loops
  /// of strides that are not known first.
  llvm::SmallVector<unsigned> reductionByStride;
  /// How many of them, from the last one on, walk one contiguous piece of lhs:
  /// kernel column and channel of an NHWC convolution that is not dilated are
  /// 2, with dilation the channel alone is 1, so is K of a matmul, and 0 says
  /// that neighbours in lhs are not summed (NCHW, transposed). Loops of size 1
  /// do not end a piece.
  unsigned lhsRun = 0;

  /// Whether every column is a batch of its own, as in a depthwise convolution:
  /// no column loop is larger than 1, and a batch loop is.
  bool isDepthwise = false;
  /// Of a depthwise contraction, the batch loop that is contiguous in lhs and
  /// in the result; nullopt where there is none (NCHW).
  std::optional<unsigned> channel;

  /// Whether elements of the result follow each other along a row, where they
  /// do not along a column (NCHW): rhs then gives the rows of a kernel, and lhs
  /// its columns.
  bool isResultByRows() const;
  /// Whether `inOrder`, from the outermost loop in, walk one row of elements in
  /// an operand of these strides.
  bool areContiguous(llvm::ArrayRef<unsigned> inOrder,
                     const LoopStrides &strides) const;
  llvm::ArrayRef<unsigned> getLoops(LoopRole role) const;
  /// The product of the sizes of `loops`; kDynamic where one is.
  int64_t getSize(llvm::ArrayRef<unsigned> loops) const;
  /// Whether `outer` and `inner` may run as one loop of `inner`'s strides and
  /// both sizes: in every operand the outer one goes on where the inner one
  /// ends.
  bool areMergeable(unsigned outer, unsigned inner) const;
};

/// The analysis of `op`, on tensors or buffers.
ContractLoops analyzeLoops(ContractOp op);

/// The loops of these dimensions of rhs.
llvm::SmallVector<unsigned> getRhsLoops(ContractOp op,
                                        llvm::ArrayRef<int64_t> dims);

/// Where loops read `value`, the scale or zero point of lhs on buffers: one
/// number for all, or one for each row; a dimension of 1 does not move.
mlir::AffineMap getRowsMap(ContractOp op, mlir::Value value);
/// The same of rhs: one number for all, or one for each column or batch.
mlir::AffineMap getColumnsMap(ContractOp op, mlir::Value value);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_IR_CONTRACTLOOPS_H

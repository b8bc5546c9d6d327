//===- KernelBuilder.h - What kernels are written with ----------*- C++ -*-===//
//
// Buffers as one row of elements, so that every access of a kernel is a sum of
// strides times loops; loops over pieces of a vector's size; requantization.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_KERNELBUILDER_H
#define QUANT_MLIR_CONVERSION_UTILS_KERNELBUILDER_H

#include "quant-mlir/Conversion/Utils/RequantizeArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace quant_mlir {

/// An operand of an operation on buffers, as a kernel walks it.
struct FlatOperand {
  mlir::Value base; ///< memref<?xT, strided<[1], offset: ?>>
  mlir::Type element;
  /// By loop: elements from one iteration to the next.
  llvm::SmallVector<mlir::OpFoldResult> strides;
  /// Index of what loops of 0 reach: less than 0 for low padding.
  mlir::OpFoldResult start;
  /// By loop, of buffers as a whole: what a stride that is not known is a
  /// multiple of.
  llvm::SmallVector<int64_t> multiples = {};

  /// The stride, where it is known.
  std::optional<int64_t> getStride(unsigned loop) const {
    return mlir::getConstantIntValue(strides[loop]);
  }
  /// What the stride is a multiple of, as far as is known.
  int64_t getMultiple(unsigned loop) const {
    return getStride(loop).value_or(multiples[loop]);
  }
};

/// A loop, or several that are one in every operand: the loop whose strides
/// count, and the product of their sizes.
struct MergedLoop {
  unsigned loop;
  mlir::OpFoldResult size;
};

/// Makes IR of one kernel. Index arithmetic on constants is folded.
class KernelBuilder {
public:
  KernelBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;

  mlir::Value index(int64_t value);
  mlir::Value index(mlir::OpFoldResult value);
  mlir::OpFoldResult add(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult mul(mlir::OpFoldResult a, mlir::OpFoldResult b);

  /// A constant buffer of `data` in the module; one for equal data, whoever
  /// gave it a name.
  mlir::Value constant(llvm::StringRef name, mlir::DenseElementsAttr data);

  /// `padding`: low and high by dimension, or empty.
  FlatOperand flatten(mlir::Value buffer, mlir::AffineMap map,
                      llvm::ArrayRef<int64_t> padding = {});
  /// The same, from where the buffer that `buffer` is a part of begins: the
  /// base is memref<?xT>, and `start` has the offset. `multiples`, by loop:
  /// what its size is a multiple of, where that is not known.
  FlatOperand flattenWhole(mlir::Value buffer, mlir::AffineMap map,
                           llvm::ArrayRef<int64_t> padding = {},
                           llvm::ArrayRef<int64_t> multiples = {});
  /// Index of an element; `ivs` by loop, null where the loop is at 0.
  mlir::Value address(const FlatOperand &operand,
                      llvm::ArrayRef<mlir::Value> ivs);

  /// The loops of `order`, from the outermost in, without those of size 1, and
  /// with those as one that continue each other in all of `operands`. `sizes`
  /// by loop.
  llvm::SmallVector<MergedLoop>
  mergeLoops(llvm::ArrayRef<unsigned> order,
             llvm::ArrayRef<mlir::OpFoldResult> sizes,
             llvm::ArrayRef<const FlatOperand *> operands);

  /// `lanes` elements from `index` on; one element, `lanes` times, where
  /// `stride` is 0.
  mlir::Value load(const FlatOperand &operand, mlir::Value index, int64_t lanes,
                   int64_t stride = 1);
  void store(const FlatOperand &operand, mlir::Value index, mlir::Value vector);
  /// Which of `lanes` elements are the first `count`: vector of i1.
  mlir::Value maskFirst(int64_t lanes, mlir::OpFoldResult count);
  /// The first `count` of `lanes` elements, the others zero, and of a vector's
  /// elements: nothing behind them is read or written. On targets that have
  /// masks.
  mlir::Value loadFirst(const FlatOperand &operand, mlir::Value index,
                        int64_t lanes, mlir::OpFoldResult count);
  void storeFirst(const FlatOperand &operand, mlir::Value index,
                  mlir::Value vector, mlir::OpFoldResult count);

  using LoopBody = llvm::function_ref<void(mlir::Value iv)>;
  void forLoop(mlir::OpFoldResult size, LoopBody body);
  /// Loops over all of `sizes`, outermost first, one after the other inside.
  void forNest(llvm::ArrayRef<mlir::OpFoldResult> sizes,
               llvm::function_ref<void(mlir::ValueRange)> body);
  /// A loop from `from` to `to` that carries values.
  llvm::SmallVector<mlir::Value>
  forCarry(mlir::OpFoldResult from, mlir::OpFoldResult to,
           mlir::ValueRange inits,
           llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                             mlir::ValueRange)>
               body);
  /// Covers [0, size) by pieces: as many of `lanes` as fit, then ever smaller
  /// powers of two; of a size that is not known, single elements.
  void forPieces(mlir::OpFoldResult size, int64_t lanes,
                 llvm::function_ref<void(mlir::Value, int64_t)> body);

private:
  FlatOperand flatten(mlir::Value buffer, mlir::AffineMap map,
                      llvm::ArrayRef<int64_t> padding, bool isWhole);
};

/// clamp(R(value) + z, range) as i8.
mlir::Value buildRequantize(const ElementArith &arith, mlir::Value value,
                            int32_t zeroPoint, numerics::CodeRange range);

/// Loops in the order in which a kernel nests them: from the largest stride in
/// the result to the smallest, those of strides that are not known first.
llvm::SmallVector<unsigned> orderLoops(const FlatOperand &result,
                                       llvm::ArrayRef<unsigned> loops);

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_KERNELBUILDER_H

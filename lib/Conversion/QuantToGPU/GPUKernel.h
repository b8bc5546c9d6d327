//===- GPUKernel.h - A kernel and its launch, side by side ------*- C++ -*-===//
//
// Builds a gpu.func in a module of its own and the gpu.launch_func that calls
// it. What the kernel needs of the host it imports: buffers become memref<?xT>,
// numbers that are not constant become arguments, so that every target is
// handed one form: flat buffers, and numbers of 32 bits (or index).
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_GPUKERNEL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_GPUKERNEL_H

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/ADT/MapVector.h"

namespace quant_mlir {

/// What a kernel does with a buffer; a launch has them as `quant.access`, by
/// operand, 0 for numbers.
enum class Access : int32_t { Read = 1, Write = 2, ReadWrite = 3 };

/// What indices of lanes, warps and tiles are computed with.
class GPUBuilder : public KernelBuilder {
public:
  using KernelBuilder::KernelBuilder;

  mlir::OpFoldResult attr(int64_t value) { return builder.getIndexAttr(value); }
  /// `add` and `mul` as values.
  mlir::Value sum(mlir::OpFoldResult a, mlir::OpFoldResult b) {
    return index(add(a, b));
  }
  mlir::Value times(mlir::Value a, int64_t b) { return index(mul(a, attr(b))); }
  mlir::Value div(mlir::Value a, int64_t b);
  mlir::Value rem(mlir::Value a, int64_t b);
  mlir::Value bitXor(mlir::Value a, mlir::Value b);
  mlir::Value isLess(mlir::Value a, mlir::OpFoldResult b);
  /// Of conditions, of which null is true.
  mlir::Value both(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value constantI32(int64_t value);
  /// Four bytes as a word, the first in its low bits.
  mlir::Value joinBytes(llvm::ArrayRef<mlir::Value> bytes);
  /// Builds what `body` does where `condition` holds; always, where it is null.
  void inBranch(mlir::Value condition, llvm::function_ref<void()> body);
};

class GPUKernel {
public:
  /// `hostBuilder` stands where the launch goes. Kernels of one name are
  /// numbered.
  GPUKernel(mlir::OpBuilder &hostBuilder, mlir::Location loc,
            llvm::StringRef name, const GPUTarget &target);

  /// What runs before the launch, and what is the kernel.
  KernelBuilder host;

private:
  mlir::OpBuilder bodyBuilder;

public:
  GPUBuilder body;

  /// A host's flat buffer (memref<?xT>) as an argument of the kernel.
  mlir::Value import(mlir::Value buffer, Access access);
  /// A number of the host's: a constant stays one.
  mlir::OpFoldResult import(mlir::OpFoldResult number);
  /// The same as i32.
  mlir::Value importI32(mlir::OpFoldResult number);
  /// The host's operand, made by `host.flattenWhole`, for the kernel.
  FlatOperand import(const FlatOperand &operand, Access access);
  /// Any value that the host knows, of a type that numbers of kernels have.
  mlir::Value importValue(mlir::Value value);

  /// Calls `element` for every position of a space of `sizes` (of the host's),
  /// one invocation each, and launches. Nothing else may be in the kernel.
  void forEach(llvm::ArrayRef<mlir::OpFoldResult> sizes,
               llvm::function_ref<void(mlir::ValueRange)> element);
  /// Positions of `number` in a space of `sizes`, row-major.
  llvm::SmallVector<mlir::Value>
  delinearize(mlir::Value number, llvm::ArrayRef<mlir::OpFoldResult> sizes);

  /// Invocations of a workgroup, where they are not the target's usual number.
  void setGroupSize(int64_t size);

  /// What the invocations of a workgroup share: memref<sizexelement>. Once for
  /// a kernel where it is more than every launch may have.
  mlir::Value allocateShared(int64_t size, mlir::Type element,
                             int64_t alignment);

  /// Ends the kernel and launches `groups` (up to three) workgroups.
  void launch(llvm::ArrayRef<mlir::OpFoldResult> groups);

private:
  const GPUTarget &target;
  int64_t groupSize;
  int64_t dynamicSharedBytes = 0;
  mlir::gpu::GPUModuleOp module;
  mlir::gpu::GPUFuncOp function;
  llvm::MapVector<mlir::Value, mlir::Value> arguments;
  llvm::SmallVector<int32_t> access;
};

/// What a size is taken for where nothing but speed depends on it.
inline int64_t guessSize(mlir::OpFoldResult size, int64_t unknown = 1024) {
  return mlir::getConstantIntValue(size).value_or(unknown);
}
/// Of batches.
inline int64_t guessBatches(mlir::OpFoldResult size) {
  return guessSize(size, /*unknown=*/8);
}
/// Whether `number` is surely a multiple of `by`.
bool isWhole(mlir::OpFoldResult number, int64_t by);
/// ceil(number / by).
mlir::OpFoldResult ceilDiv(KernelBuilder &host, mlir::OpFoldResult number,
                           int64_t by);
/// Calls `build` with a builder and 1; where some of `sizes` are not known,
/// twice, for a branch of the host: with what all of them are a multiple of, as
/// much as a lane moves at once, and with 1.
void buildVersions(KernelBuilder host, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                   llvm::function_ref<void(mlir::OpBuilder &, int64_t)> build);
/// `operand`, of i8, as elements of `element`, of whose bytes every address is
/// a multiple.
void viewAs(KernelBuilder &host, FlatOperand &operand, mlir::Type element);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_GPUKERNEL_H

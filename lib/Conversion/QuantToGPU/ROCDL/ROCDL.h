//===- ROCDL.h - Kernels of AMD's GPUs --------------------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_ROCDL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_ROCDL_H

#include "llvm/ADT/ArrayRef.h"

#include <memory>
#include <optional>

namespace mlir {
class Location;
class OpBuilder;
class OpPassManager;
class Type;
class Value;
} // namespace mlir

namespace quant_mlir {

class GPUBuilder;
class GPUTarget;
class MatrixUnit;
struct MatrixShape;
struct MatrixWork;
struct GPUTargetOptions;

/// MFMA or WMMA, whichever the architecture has.
std::unique_ptr<MatrixUnit>
createMatrixCore(GPUBuilder &body, const GPUTarget &target, int64_t tileColumns,
                 std::optional<int64_t> numRows, bool isNibbles,
                 int64_t blockCodes);
/// Of values and codes: see createValueUnit.
std::unique_ptr<MatrixUnit> createValueMatrix(GPUBuilder &body,
                                              const GPUTarget &target,
                                              const MatrixWork &work,
                                              mlir::Type lhs, mlir::Type rhs);
/// A StreamUnit.
std::unique_ptr<MatrixUnit>
createWaveProduct(GPUBuilder &body, const GPUTarget &target, MatrixShape shape);

/// Four products of codes, added to `sum`: by v_dot4_i32_iu8, whose factors
/// have signs or not, or by v_dot4_i32_i8. rhs has signs.
mlir::Value buildDot(mlir::OpBuilder &builder, mlir::Location loc,
                     bool mixesSigns, mlir::Value lhs, mlir::Value rhs,
                     mlir::Value sum, bool isLhsSigned);

/// See MatrixUnit::permute.
mlir::Value buildPermute(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value a, mlir::Value b,
                         llvm::ArrayRef<int64_t> bytes);

/// gpu.module to gpu.binary: a code object, or LLVM IR for the emulator.
void addROCDLModulePasses(mlir::OpPassManager &pm,
                          const GPUTargetOptions &options);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_ROCDL_ROCDL_H

//===- SPIRV.h - From gpu.module to SPIR-V for Vulkan -----------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_SPIRV_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_SPIRV_H

#include <memory>

namespace mlir {
class Location;
class OpBuilder;
class OpPassManager;
class Value;
} // namespace mlir

namespace quant_mlir {

class GPUBuilder;
class MatrixUnit;
struct MatrixShape;

std::unique_ptr<MatrixUnit> createWordProduct(GPUBuilder &body, bool isNibbles);
/// A StreamUnit.
std::unique_ptr<MatrixUnit> createColumnProduct(GPUBuilder &body,
                                                const MatrixShape &shape);

/// Interface of Vulkan, upstream's conversion, serialization. For a pass
/// manager on modules.
void addSPIRVModulePasses(mlir::OpPassManager &pm);

/// a / b of binary32 scalars, rounded as IEEE 754 says on every device.
mlir::Value buildExactDivision(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value a, mlir::Value b);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_SPIRV_H

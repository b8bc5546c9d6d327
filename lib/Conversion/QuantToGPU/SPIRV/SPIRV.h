//===- SPIRV.h - From gpu.module to SPIR-V for Vulkan -----------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_SPIRV_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_SPIRV_H

#include <memory>

namespace mlir {
class Location;
class OpBuilder;
class OpPassManager;
class Value;
class VectorType;
} // namespace mlir

namespace quant_mlir {

class GPUBuilder;
class MatrixUnit;
struct MatrixShape;

std::unique_ptr<MatrixUnit> createWordProduct(GPUBuilder &body, bool isNibbles);
/// The same of f32 beside codes of `width` bits, or f32: see ValueProduct.cpp.
std::unique_ptr<MatrixUnit> createValueProduct(GPUBuilder &body, int64_t width,
                                               bool hasBlocks);
/// A StreamUnit.
std::unique_ptr<MatrixUnit> createColumnProduct(GPUBuilder &body,
                                                const MatrixShape &shape);

/// A vector's elements, one by one.
mlir::Value loadElements(GPUBuilder &body, mlir::VectorType type,
                         mlir::Value buffer, mlir::Value at);
void storeElements(GPUBuilder &body, mlir::Value vector, mlir::Value buffer,
                   mlir::Value at);

/// Interface of Vulkan, upstream's conversion, serialization. For a pass
/// manager on modules.
void addSPIRVModulePasses(mlir::OpPassManager &pm);

/// a / b of binary32 scalars, rounded as IEEE 754 says on every device.
mlir::Value buildExactDivision(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::Value a, mlir::Value b);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_SPIRV_SPIRV_H

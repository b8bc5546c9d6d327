//===- WarpGroup.h - What products of four warps share ----------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_WARPGROUP_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_WARPGROUP_H

#include "TensorCore.h"

namespace quant_mlir {

/// wgmma, with stages of shared memory and products that overlap: see
/// WarpGroup.cpp.
class WarpGroup : public TensorCore {
public:
  WarpGroup(GPUBuilder &body, const MatrixShape &shape)
      : TensorCore(body, shape) {}

  bool multipliesFromShared() const override { return true; }
  void beginProducts() override;
  void endProducts() override;
  bool overlapsProducts() const override { return true; }
  void waitForProducts(int64_t groups) override;
  int64_t getNumStages(int64_t stageBytes) const override {
    return std::min<int64_t>(4, ((227 << 10) - getOnesBytes()) / stageBytes);
  }
  /// What was copied is seen by products behind the barrier.
  void waitForCopies(int64_t stages) override;

  // Rows and columns lie in order.
  mlir::Value getSwizzle(mlir::Value, int64_t) override {
    return mlir::Value();
  }
  mlir::Value getLhsSwizzle(mlir::Value) override { return mlir::Value(); }

protected:
  /// What an instruction reads at index `at`, with `planeBytes` from plane to
  /// plane.
  mlir::Value describe(mlir::Value shared, mlir::Value at, int64_t planeBytes);
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_NVVM_WARPGROUP_H

//===- ContractionFuser.h - From a group to quant.contract ------*- C++ -*-===//
//
// The class that fuses one contraction: what it multiplies is in
// FuseContraction.cpp, what it adds and where it ends in FuseSteps.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CONTRACTIONFUSER_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CONTRACTIONFUSER_H

#include "FuseGroup.h"

namespace quant_mlir::detail {

/// Fuses one group, or says why not.
class ContractionFuser {
public:
  ContractionFuser(const ActivationGroup &group, bool onValues)
      : group(group), onValues(onValues),
        anchor(llvm::dyn_cast<mlir::linalg::LinalgOp>(group.anchor)),
        builder(group.anchor), loc(group.anchor->getLoc()) {}

  FuseResult run();

private:
  bool decline(const llvm::Twine &why) {
    reason = why.str();
    return false;
  }
  bool findOperands();
  bool readLhs();
  bool readRhs();
  bool readDequantizedRhs();
  bool readDynamicRhs(DequantizeOp dequantize,
                      llvm::ArrayRef<mlir::Operation *> moves);
  bool findEnd();
  bool addStep(const GroupStep &step);
  bool readBias(mlir::OpOperand *operand);
  bool readResidual(mlir::OpOperand *operand,
                    llvm::ArrayRef<mlir::Operation *> movesBefore);
  mlir::Operation *build();

  mlir::AffineMap mapOf(mlir::OpOperand *operand) {
    return anchor.getMatchingIndexingMap(operand);
  }
  mlir::AffineMap initMap() { return mapOf(anchor.getDpsInitOperand(0)); }

  const ActivationGroup &group;
  bool onValues;
  mlir::linalg::LinalgOp anchor;
  mlir::OpBuilder builder;
  mlir::Location loc;
  std::string reason;

  mlir::OpOperand *lhsOperand = nullptr, *rhsOperand = nullptr;
  mlir::Value lhs, scale, zeroPoint, rhs, rhsScale, rhsZeroPoint, bias,
      residual;
  AffineAttr lhsParams, rhsParams, residualParams;
  mlir::AffineMap lhsMap, rhsMap, biasMap, residualMap;
  llvm::SmallVector<int64_t> padding;
  FloatRange bounds{-std::numeric_limits<double>::infinity(),
                    std::numeric_limits<double>::infinity()};

  /// Moves between the anchor and the end.
  llvm::SmallVector<mlir::Operation *> moves;
  mlir::Value output;              ///< where the group ends
  mlir::Operation *left = nullptr; ///< the step behind that
  QuantizedUsers users;
};

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CONTRACTIONFUSER_H

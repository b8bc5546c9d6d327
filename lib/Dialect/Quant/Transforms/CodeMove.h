//===- CodeMove.h - One move, planned and built on codes --------*- C++ -*-===//
//
// MoveOnCodes.cpp plans, BuildOnCodes.cpp builds.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CODEMOVE_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CODEMOVE_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

namespace quant_mlir::detail {

enum class Order { None, Maximum, Minimum };

/// The order by which an operation chooses one of its two operands.
Order getOrder(mlir::Operation *op);

/// One code for all elements: a constant, or the zero point that is an operand
/// of the dequantize.
struct Code {
  mlir::TypedAttr constant;
};

/// What becomes of an operand.
struct OperandPlan {
  enum Kind { Keep, Codes, Empty, Splat } kind = Keep;
  mlir::Value codes; ///< Codes
  Code splat;        ///< Splat
};

class CodeMove {
public:
  CodeMove(QuantizableOpInterface op, mlir::RewriterBase &rewriter,
           std::string &reason)
      : op(op), rewriter(rewriter), reason(reason) {}

  mlir::LogicalResult plan();
  mlir::LogicalResult build();

private:
  mlir::LogicalResult decline(const llvm::Twine &why) {
    reason = why.str();
    return mlir::failure();
  }
  bool isExpressed(mlir::Type type) const {
    return mlir::getElementTypeOrSelf(type) == expressed;
  }
  /// Whether the values of an operand play a part in the body, if it has one.
  bool isUsed(mlir::OpOperand &operand) {
    auto linalgOp = mlir::dyn_cast<mlir::linalg::LinalgOp>(op.getOperation());
    return !linalgOp || linalgOp.payloadUsesValueFromOperand(&operand);
  }

  mlir::LogicalResult planSources();
  mlir::LogicalResult planOperand(mlir::OpOperand &operand);
  mlir::LogicalResult planBody(mlir::Block &body);
  std::optional<Code> encode(double value, Order order);
  mlir::TypedAttr makeCode(int32_t code);
  Order getOrderOfPadding();

  mlir::Value buildCode(Code code);
  mlir::Value buildOperand(mlir::OpOperand &operand);
  mlir::Value buildChoice(mlir::OpBuilder &builder, mlir::Operation *choice,
                          mlir::Value a, mlir::Value b);
  void buildBody(mlir::Block &body, mlir::Region &region,
                 llvm::ArrayRef<mlir::Type> argumentTypes);
  mlir::Operation *buildStructured(mlir::ValueRange operands,
                                   mlir::RankedTensorType type);
  mlir::LogicalResult checkOpaque(mlir::RankedTensorType type);

  QuantizableOpInterface op;
  mlir::RewriterBase &rewriter;
  std::string &reason;

  DequantizeOp dequantize;       ///< of the first source
  AffineAttr params;             ///< of the result
  mlir::Type expressed, storage; ///< of elements
  llvm::DenseMap<mlir::OpOperand *, OperandPlan> operandPlans;
  llvm::DenseMap<mlir::OpOperand *, Code>
      yieldedCodes;     ///< operands of terminators
  bool chooses = false; ///< the body compares elements
};

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_CODEMOVE_H

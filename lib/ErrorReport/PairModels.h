//===- PairModels.h - Which values two models share -------------*- C++ -*-===//
//
// A quantized model and its original, both as one block of linalg on tensors.
// Operations are found by name (OpNames.h) and from there by structure: walking
// backwards from two values that correspond, operations of the same kind have
// operands that correspond, where quantize and dequantize, which the original
// lacks, are the identity.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_ERRORREPORT_PAIRMODELS_H
#define QUANT_MLIR_LIB_ERRORREPORT_PAIRMODELS_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/ErrorReport/ErrorReport.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"

namespace quant_mlir {

/// A weight of a quantized operation and of its original.
struct WeightPair {
  mlir::Value quantized; ///< the operand, in floating point
  mlir::Value reference;
  DequantizeOp dequantize; ///< where `quantized` comes from
};

/// A value to compare.
struct ValuePair {
  std::string op, id, kind, loc, dtype;
  /// In floating point, before it is quantized.
  mlir::Value quantized;
  /// How it is quantized, or null.
  QuantizeOp quantize;
  mlir::Value reference;
  llvm::SmallVector<WeightPair> weights;
};

struct ModelPairs {
  /// In the order of the quantized model.
  std::vector<ValuePair> values;
  /// From values of the quantized model to those of the reference.
  llvm::DenseMap<mlir::Value, mlir::Value> counterparts;
  std::vector<OpRemark> floatOps;
  std::vector<OpRemark> notCompared;
};

/// Gives every operation of a kind its name; returns those that were there.
llvm::StringSet<> nameOperations(mlir::ModuleOp module);

/// What the codes of an argument mean: by its attribute, or by the
/// quant.dequantize that reads it; null for one that is not codes.
AffineAttr getArgumentParams(mlir::func::FuncOp function, unsigned index);

/// Values that depend on the arguments of the function.
llvm::DenseSet<mlir::Value> getActivations(mlir::func::FuncOp function);

/// `named` are the names in `quantized` that an earlier pass has fixed: they
/// must be there in `reference`, by name or by structure, or the models do not
/// belong together, which is the error.
llvm::Expected<ModelPairs> pairModels(mlir::func::FuncOp quantized,
                                      mlir::func::FuncOp reference,
                                      const llvm::StringSet<> &named,
                                      llvm::StringRef quantizedPath,
                                      llvm::StringRef referencePath);

/// Why operations of `function` compute in floating point.
std::vector<OpRemark>
findFloatOps(mlir::func::FuncOp function,
             const llvm::DenseSet<mlir::Value> &activations);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_ERRORREPORT_PAIRMODELS_H

//===- Constants.h - Constants of codes and parameters ----------*- C++ -*-===//
//
// Small constants are `dense`. Large ones are `dense_resource`: a blob that is
// neither hashed nor copied when attributes are built, printed or parsed.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_CONSTANTS_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_CONSTANTS_H

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace quant_mlir {

/// From this many bytes on, a constant is a resource.
inline constexpr int64_t resourceThreshold = 64 * 1024;

/// Whether sizes of `type` overflow: a splat in IR can be of any type.
bool isTooLarge(mlir::ShapedType type);

/// Elements of `type` from bytes as builtin attributes store them (one element
/// at least a byte wide), or from those of one element that all are equal to.
/// `nameHint` names the resource. The functions below take a single element for
/// all in the same way.
mlir::ElementsAttr makeElements(mlir::ShapedType type,
                                llvm::ArrayRef<char> bytes,
                                llvm::StringRef nameHint);

/// Like makeElements, for data that are written into memory of their own:
/// `write` fills `size` bytes once.
mlir::ElementsAttr
makeElements(mlir::ShapedType type, int64_t size, llvm::StringRef nameHint,
             llvm::function_ref<void(llvm::MutableArrayRef<char>)> write);

/// The same elements in another shape; null where there are none, or where they
/// are neither dense nor a resource.
mlir::ElementsAttr reshapeElements(mlir::ElementsAttr elements,
                                   llvm::ArrayRef<int64_t> shape);

/// Parameters as elements: `type` decides how the numbers are stored.
mlir::ElementsAttr makeFloatElements(mlir::ShapedType type,
                                     llvm::ArrayRef<float> values,
                                     llvm::StringRef nameHint);
mlir::ElementsAttr makeZeroPointElements(mlir::ShapedType type,
                                         llvm::ArrayRef<int32_t> values,
                                         llvm::StringRef nameHint);

/// Parameters as an attribute. `shape` is the one that the granularity gives;
/// per_tensor parameters are scalars whatever it is.
AffineAttr makeAffine(const numerics::QuantSpec &spec,
                      GranularityAttrInterface granularity,
                      llvm::ArrayRef<int64_t> shape,
                      const numerics::TensorParams &params,
                      llvm::StringRef nameHint);

/// A value of `type` (a tensor of storage-type elements) that holds `codes`, one
/// per byte: a constant, or for a large sub-byte one a packed constant with its
/// quant.unpack.
mlir::Value makeCodes(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::RankedTensorType type,
                      llvm::MutableArrayRef<uint8_t> codes,
                      llvm::StringRef nameHint);

/// The packed constant and quant.unpack for `codes` of less than 8 bits; those
/// of one byte stand for all bytes.
mlir::Value makePackedCodes(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::RankedTensorType type,
                            llvm::ArrayRef<uint8_t> codes,
                            llvm::StringRef nameHint);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_CONSTANTS_H

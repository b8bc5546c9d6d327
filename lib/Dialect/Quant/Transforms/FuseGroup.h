//===- FuseGroup.h - From a group to one operation --------------*- C++ -*-===//
//
// What the fusions of Fuse*.cpp have in common: the steps behind an anchor, the
// codes that a group ends with, and moves between steps, which go behind the
// operation on codes, or in front of it on what is added.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FUSEGROUP_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FUSEGROUP_H

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace quant_mlir::detail {

/// Why quant-fuse left an operation at level 1: an attribute of the anchor.
inline constexpr llvm::StringLiteral notFusedAttrName = "quant.not_fused";
/// Whether level 2 has an operation for groups of this kind.
bool hasIntegerKernel(const ActivationGroup &group);
/// Whether an operand of the anchor is dequantized, so that there is something
/// to fuse.
bool readsCodes(const ActivationGroup &group);

/// One operation of a group behind its anchor.
struct GroupStep {
  enum Kind { Move, Bias, Residual, Clamp } kind;
  mlir::Operation *op;
  mlir::OpOperand *data;            ///< what comes from the anchor
  mlir::OpOperand *other = nullptr; ///< what is added
};
/// In order, from the anchor to the output.
llvm::SmallVector<GroupStep> getSteps(const ActivationGroup &group);

/// The codes that all users of a value ask for; none where a user needs the
/// value itself, or they ask for different ones.
struct QuantizedUsers {
  AffineAttr params; ///< null where there is no one set
  llvm::SmallVector<QuantizeOp> quantizes;
};
QuantizedUsers findQuantizedUsers(mlir::Value value);

/// Constant parameters of one scale, and no minval.
bool isStaticPerTensor(AffineAttr params);
/// The dequantize of a value with such parameters; null where there is none.
DequantizeOp getStaticDequantize(mlir::Value value);

/// A move of a group on a value of another element type: reshapes and casts as
/// they are, permutations as linalg.transpose.
mlir::Value applyMove(mlir::OpBuilder &builder, mlir::Operation *move,
                      mlir::Value value);

/// Something that is indexed by dimensions of a tensor: dimension i of `value`
/// is that of number dims[i].
struct IndexedValue {
  mlir::Value value;
  llvm::SmallVector<int64_t> dims;
};
/// `added`, indexed by dimensions of the result of `move`, as indexed by those
/// of its source; false where a reshape takes apart what it indexes.
bool undoMove(mlir::OpBuilder &builder, mlir::Operation *move,
              IndexedValue &added);

/// Drops dimensions that `map` indexes by a constant, which have size one;
/// parameters follow. Null, and nothing done, where they cannot.
mlir::Value dropUnitDims(mlir::OpBuilder &builder, mlir::Value value,
                         mlir::AffineMap &map, AffineAttr &params);

/// A tensor.pad that adds `zeroPoint` only (0.0 to values), taken into the
/// operation that reads its result: its source, and low and high padding of
/// each dimension. nullopt where it adds anything else, or sizes are dynamic.
struct Padding {
  mlir::Value source;
  llvm::SmallVector<int64_t> sizes;
};
std::optional<Padding> takePadding(mlir::Value value, int64_t code);

/// The zero point of parameters with one scale, 0 where they have none.
int32_t getZeroPoint(AffineAttr params);
float getScale(AffineAttr params);

/// A finite bound as an attribute, null for none.
mlir::FloatAttr getBound(mlir::OpBuilder &builder, double bound);

/// Lets whoever used what `users` quantize, or `output`, use `result`.
void replaceOutput(mlir::Value output, const QuantizedUsers &users,
                   mlir::Value result);

/// Checks an operation that was just made; where its verifier rejects it, it is
/// erased, and the reason is what the verifier says.
bool keepIfValid(mlir::Operation *op, std::string &reason);

/// Erases what has become dead inside `root`, users before what they use.
void eraseDeadOps(mlir::Operation *root);

//===----------------------------------------------------------------------===//
// The fusions: each replaces the group's uses and leaves dead operations, or
// changes nothing but dead operations and says why.
//===----------------------------------------------------------------------===//

struct FuseResult {
  mlir::Operation *fused = nullptr;
  /// Why nothing was fused; or, beside `fused`, what stays behind it and why.
  std::string reason;
  /// Beside `fused`, the first operation that stays behind it.
  mlir::Operation *left = nullptr;
};
/// A remark on what was left, if anything was: what stays behind the operation
/// that was fused, or that `op` as a whole `stays`.
void remarkLeft(mlir::Operation *op, const FuseResult &result,
                llvm::StringRef stays);
/// `onValues`: what is read and made stays values; a weight may be codes or
/// not.
FuseResult fuseContraction(const ActivationGroup &group, bool onValues = false);
FuseResult fuseElementwise(const ActivationGroup &group);
FuseResult fuseAverage(const ActivationGroup &group);
/// What a maximum over windows of 8-bit codes reads; null for anything else.
mlir::OpOperand *findMaximumInput(mlir::linalg::LinalgOp op);
/// Neither an operation nor a reason: it is no such thing.
FuseResult fuseMaximum(mlir::linalg::LinalgOp op);

} // namespace quant_mlir::detail

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_FUSEGROUP_H

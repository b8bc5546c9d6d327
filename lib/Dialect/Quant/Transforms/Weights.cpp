//===- Weights.cpp - Finding the weights of a model -----------------------===//
//
// A weight is followed from its consumer towards the constant through
// operations that rearrange or convert values, carrying what each dimension
// means to the consumer:
//
//   permutation, broadcast   a structured op whose body yields its only input
//   conversion               arith.extf / truncf, on tensors or in such a body
//   reshape                  tensor.expand_shape, collapse_shape, cast
//   slice                    tensor.extract_slice along channels
//
// Where such an operation mixes dimensions of different roles, or another one
// moves the elements of a constant, the moves are folded into a constant of
// their own (FoldConstantMoves.cpp).
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/Weights.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/FoldConstantMoves.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quant_mlir;

using Roles = SmallVector<DimRole>;

//===----------------------------------------------------------------------===//
// One step towards the constant
//===----------------------------------------------------------------------===//

OpOperand *quant_mlir::matchMove(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || !op.getBlock())
    return nullptr;
  Block *body = op.getBlock();
  if (body->empty() || body->getTerminator()->getNumOperands() != 1)
    return nullptr;
  Value yielded = body->getTerminator()->getOperand(0);
  while (Operation *cast = yielded.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::TruncFOp>(cast))
      return nullptr;
    yielded = cast->getOperand(0);
  }
  OpOperand *input = op.getDpsInputOperand(0);
  return yielded == op.getMatchingBlockArgument(input) ? input : nullptr;
}

/// Roles of the input's dimensions of a move, from those of its result.
static std::optional<Roles> mapMove(linalg::LinalgOp op, OpOperand *input,
                                    ArrayRef<DimRole> roles) {
  AffineMap inMap = op.getMatchingIndexingMap(input);
  AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  Roles result;
  for (AffineExpr expr : inMap.getResults()) {
    // A dimension of size one that is broadcast.
    if (isa<AffineConstantExpr>(expr)) {
      result.push_back(DimRole::Kernel);
      continue;
    }
    std::optional<unsigned> position = outMap.getResultPosition(expr);
    if (!isa<AffineDimExpr>(expr) || !position)
      return std::nullopt;
    result.push_back(roles[*position]);
  }
  return result;
}

/// The one role of a group of dimensions, those of size one left aside.
static std::optional<DimRole> getCommonRole(ArrayRef<int64_t> group,
                                            ArrayRef<int64_t> shape,
                                            ArrayRef<DimRole> roles) {
  std::optional<DimRole> common;
  for (int64_t dim : group) {
    if (shape[dim] == 1)
      continue;
    if (common && *common != roles[dim])
      return std::nullopt;
    common = roles[dim];
  }
  if (!common)
    common = group.empty() ? DimRole::Kernel : roles[group.front()];
  return common;
}

/// Roles before a reshape; nullopt where a dimension of the source mixes roles,
/// or where one reduction dimension is made of several, so that blocks along it
/// are not blocks of the source.
static std::optional<Roles> mapReshape(Operation *op, ArrayRef<DimRole> roles) {
  if (isa<tensor::CastOp>(op)) {
    // Through an unranked type a cast may even change the rank.
    auto source = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
    if (!source || source.getRank() != int64_t(roles.size()))
      return std::nullopt;
    return Roles(roles);
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    Roles result;
    for (const ReassociationIndices &group : expand.getReassociationIndices()) {
      std::optional<DimRole> role =
          getCommonRole(group, expand.getResultType().getShape(), roles);
      if (!role)
        return std::nullopt;
      result.push_back(*role);
    }
    return result;
  }
  auto collapse = cast<tensor::CollapseShapeOp>(op);
  Roles result(collapse.getSrcType().getRank(), DimRole::Kernel);
  for (auto [index, group] :
       llvm::enumerate(collapse.getReassociationIndices())) {
    int64_t parts = llvm::count_if(group, [&](int64_t dim) {
      return collapse.getSrcType().getDimSize(dim) != 1;
    });
    if (roles[index] == DimRole::Reduction && parts > 1)
      return std::nullopt;
    for (int64_t dim : group)
      if (collapse.getSrcType().getDimSize(dim) != 1 || parts == 0)
        result[dim] = roles[index];
  }
  return result;
}

/// Roles before a slice: each sliced dimension must be one with parameters of
/// its own per index, or the parameters would reach past the slice.
static std::optional<Roles> mapSlice(tensor::ExtractSliceOp op,
                                     ArrayRef<DimRole> roles) {
  RankedTensorType source = op.getSourceType();
  if (source.getRank() != op.getType().getRank() || !op.hasUnitStride())
    return std::nullopt;
  for (int64_t dim = 0; dim < source.getRank(); ++dim)
    if (source.getDimSize(dim) != op.getType().getDimSize(dim) &&
        roles[dim] != DimRole::OutputChannel && roles[dim] != DimRole::Batch)
      return std::nullopt;
  return Roles(roles);
}

static bool isReshape(Operation *op) {
  return isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

bool quant_mlir::isComputedFromConstants(Value value) {
  SetVector<Value> slice;
  slice.insert(value);
  bool hasTensor = false;
  for (unsigned i = 0; i < slice.size(); ++i) {
    Operation *def = slice[i].getDefiningOp();
    if (!def || slice.size() > 1000)
      return false;
    // The buffers that results are written to are no inputs.
    if (isa<tensor::EmptyOp>(def))
      continue;
    if (def->hasTrait<OpTrait::ConstantLike>()) {
      hasTensor |= isa<TensorType>(slice[i].getType());
      continue;
    }
    // What regions take from outside is an operand in all but name.
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(def->getRegions(), captured);
    if (def->getNumOperands() == 0 && captured.empty())
      return false;
    slice.insert_range(def->getOperands());
    slice.insert_range(captured);
  }
  return hasTensor;
}

//===----------------------------------------------------------------------===//
// Collection
//===----------------------------------------------------------------------===//

namespace {
/// Where following one operand ended: at a constant, or with a reason; neither
/// for a value that is no weight.
struct Trace {
  arith::ConstantOp constant;
  WeightUse use;
  std::string reason;
  /// The value behind the reason: moves of a constant can be folded there.
  Value stoppedAt;
  /// What gives a weight that is quantized already.
  DequantizeOp quantized;
};
} // namespace

static Trace trace(Operation *consumer, const QuantizableOperand &operand) {
  Trace result;
  result.use = {consumer, {operand.operand}, operand.roles};
  Roles &roles = result.use.roles;
  auto stop = [&](Operation *op, StringRef why) {
    // Data that pass the same operations are no weights and need no reason.
    result.stoppedAt = result.use.path.back()->get();
    if (isComputedFromConstants(result.stoppedAt))
      result.reason = ("the weight is reached through '" +
                       op->getName().getStringRef() + "', " + why)
                          .str();
    return result;
  };
  while (true) {
    Operation *def = result.use.path.back()->get().getDefiningOp();
    if (!def)
      return result;
    if (auto constant = dyn_cast<arith::ConstantOp>(def)) {
      if (!isa<RankedTensorType>(constant.getType()))
        return result;
      Type element = cast<RankedTensorType>(constant.getType()).getElementType();
      if (!element.isF32() && !element.isF16() && !element.isBF16()) {
        std::string typeText;
        llvm::raw_string_ostream(typeText) << element;
        result.reason = "the weight has element type " + typeText +
                        ": expected f32, f16 or bf16";
        return result;
      }
      result.constant = constant;
      return result;
    }
    if (isa<arith::ExtFOp, arith::TruncFOp>(def)) {
      result.use.path.push_back(&def->getOpOperand(0));
      continue;
    }
    if (isReshape(def)) {
      std::optional<Roles> mapped = mapReshape(def, roles);
      if (!mapped)
        return stop(def, "which mixes dimensions of different roles: fold it "
                         "into the constant first");
      roles = std::move(*mapped);
      result.use.path.push_back(&def->getOpOperand(0));
      continue;
    }
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(def)) {
      std::optional<Roles> mapped = mapSlice(slice, roles);
      if (!mapped)
        return stop(def, "which slices more than channels: fold it into the "
                         "constant first");
      roles = std::move(*mapped);
      result.use.path.push_back(&slice.getSourceMutable());
      continue;
    }
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(def)) {
      if (OpOperand *input = matchMove(linalgOp))
        if (std::optional<Roles> mapped = mapMove(linalgOp, input, roles)) {
          roles = std::move(*mapped);
          result.use.path.push_back(input);
          continue;
        }
    }
    if (auto dequantize = dyn_cast<DequantizeOp>(def)) {
      if (isComputedFromConstants(dequantize.getOutput()))
        result.quantized = dequantize;
      return result;
    }
    return stop(def, "which computes it from constants: fold it into one first");
  }
}

WeightCollection quant_mlir::collectWeights(Operation *root) {
  // Folding erases operations, so they are not walked meanwhile.
  SmallVector<std::pair<Operation *, QuantizableOperand>> operands;
  root->walk([&](QuantizableOpInterface op) {
    for (QuantizableOperand &operand : op.getQuantizableOperands())
      if (operand.canBeWeight())
        operands.emplace_back(op, std::move(operand));
  });
  // All folding comes first: it changes the paths of other operands.
  for (auto &[op, operand] : operands)
    while (true) {
      Trace found = trace(op, operand);
      if (found.reason.empty() || !found.stoppedAt ||
          !foldConstantMoves(found.stoppedAt))
        break;
    }

  WeightCollection result;
  llvm::MapVector<Operation *, unsigned> indices;
  for (auto &[op, operand] : operands) {
    Trace found = trace(op, operand);
    if (found.constant) {
      auto [it, inserted] =
          indices.try_emplace(found.constant, result.weights.size());
      if (inserted)
        result.weights.push_back({found.constant, {}});
      result.weights[it->second].uses.push_back(std::move(found.use));
    } else if (found.quantized) {
      std::string_view name =
          numerics::name(found.quantized.getParams().getStorage());
      std::string type(name);
      result.quantized.push_back({op, operand.operand, std::move(type)});
    } else if (!found.reason.empty()) {
      result.unreached.push_back({op, operand.operand, std::move(found.reason)});
    }
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Replacement
//===----------------------------------------------------------------------===//

void quant_mlir::replaceUse(ArrayRef<OpOperand *> path, Value weight,
                            DenseMap<Operation *, Value> &copies) {
  Value value = weight;
  for (OpOperand *operand : llvm::reverse(llvm::drop_begin(path))) {
    Operation *op = operand->getOwner();
    Value &copy = copies[op];
    if (!copy) {
      IRMapping mapping;
      mapping.map(operand->get(), value);
      OpBuilder builder(op);
      copy = builder.clone(*op, mapping)->getResult(0);
    }
    value = copy;
  }
  path.front()->set(value);
}

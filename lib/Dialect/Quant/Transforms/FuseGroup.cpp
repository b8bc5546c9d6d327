//===- FuseGroup.cpp - From a group to one operation ----------------------===//
//
// See FuseGroup.h.
//
//===----------------------------------------------------------------------===//

#include "FuseGroup.h"

#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"

#include "MoveOnCodes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <cmath>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

//===----------------------------------------------------------------------===//
// Steps and users
//===----------------------------------------------------------------------===//

SmallVector<GroupStep>
quant_mlir::detail::getSteps(const ActivationGroup &group) {
  SmallVector<GroupStep> steps;
  Value value = group.anchor->getResult(0);
  while (value != group.output) {
    OpOperand *data = &*value.use_begin();
    Operation *op = data->getOwner();
    GroupStep step{GroupStep::Move, op, data};
    std::optional<Epilogue> epilogue =
        cast<QuantizableOpInterface>(op).getEpilogue();
    if (epilogue && !isElementwiseMove(op)) {
      switch (epilogue->kind) {
      case Epilogue::Kind::Bias:
        step.kind = GroupStep::Bias;
        step.other = epilogue->bias;
        break;
      case Epilogue::Kind::Add:
        step.kind = GroupStep::Residual;
        step.other = group.residual;
        break;
      case Epilogue::Kind::Clamp:
        step.kind = GroupStep::Clamp;
        break;
      }
    }
    steps.push_back(step);
    value = op->getResult(0);
  }
  return steps;
}

bool quant_mlir::detail::isStaticPerTensor(AffineAttr params) {
  return isa<PerTensorAttr>(params.getGranularity()) && !params.isDynamic() &&
         !params.getMinval() &&
         params.getStorage() != numerics::StorageType::Int32;
}

DequantizeOp quant_mlir::detail::getStaticDequantize(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  return dequantize && isStaticPerTensor(dequantize.getParams())
             ? dequantize
             : DequantizeOp();
}

QuantizedUsers quant_mlir::detail::findQuantizedUsers(Value value) {
  QuantizedUsers result;
  for (Operation *user : value.getUsers()) {
    auto quantize = dyn_cast<QuantizeOp>(user);
    if (!quantize || !isStaticPerTensor(quantize.getParams()) ||
        (result.params &&
         !haveEqualContents(result.params, quantize.getParams())))
      return {};
    result.params = quantize.getParams();
    result.quantizes.push_back(quantize);
  }
  return result;
}

void quant_mlir::detail::replaceOutput(Value output,
                                       const QuantizedUsers &users,
                                       Value result) {
  if (!users.params) {
    output.replaceAllUsesWith(result);
    return;
  }
  for (QuantizeOp quantize : users.quantizes)
    quantize.getResult().replaceAllUsesWith(result);
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

/// For each dimension of the result that of the source, of a permutation.
static SmallVector<int64_t> getPermutation(linalg::LinalgOp move) {
  AffineMap in = move.getMatchingIndexingMap(move.getDpsInputOperand(0));
  AffineMap out = move.getMatchingIndexingMap(move.getDpsInitOperand(0));
  SmallVector<int64_t> permutation;
  for (AffineExpr expr : out.getResults())
    permutation.push_back(*in.getResultPosition(expr));
  return permutation;
}

Value quant_mlir::detail::applyMove(OpBuilder &builder, Operation *move,
                                    Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  auto type = cast<RankedTensorType>(move->getResult(0).getType());
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(move)) {
    SmallVector<int64_t> permutation = getPermutation(linalgOp);
    SmallVector<OpFoldResult> from =
        tensor::getMixedSizes(builder, move->getLoc(), value);
    SmallVector<OpFoldResult> sizes;
    for (int64_t dim : permutation)
      sizes.push_back(from[dim]);
    Value empty =
        tensor::EmptyOp::create(builder, move->getLoc(), sizes, element);
    return linalg::TransposeOp::create(builder, move->getLoc(), value, empty,
                                       permutation)
        ->getResult(0);
  }
  Operation *moved = builder.insert(move->cloneWithoutRegions());
  moved->setOperand(0, value);
  moved->getResult(0).setType(type.clone(element));
  return moved->getResult(0);
}

/// Where `parts` stand in `dims`, one after the other; nullopt where they do
/// not.
static std::optional<unsigned> findRun(ArrayRef<int64_t> dims,
                                       ArrayRef<int64_t> parts) {
  auto it = llvm::find(dims, parts.front());
  unsigned begin = it - dims.begin();
  if (dims.drop_front(begin).take_front(parts.size()) != parts)
    return std::nullopt;
  return begin;
}

/// Dimensions parts[d] of the moved tensor are dimension d of its source.
static bool undoExpand(OpBuilder &builder, tensor::ExpandShapeOp move,
                       IndexedValue &added) {
  SmallVector<ReassociationIndices> groups;
  SmallVector<int64_t> dims;
  SmallVector<int64_t> owner(move.getResultType().getRank());
  SmallVector<ReassociationIndices> parts = move.getReassociationIndices();
  for (auto [dim, group] : llvm::enumerate(parts))
    for (int64_t part : group)
      owner[part] = dim;
  for (unsigned i = 0; i < added.dims.size();) {
    int64_t source = owner[added.dims[i]];
    std::optional<unsigned> begin = findRun(added.dims, parts[source]);
    if (!begin || *begin != i)
      return false;
    ReassociationIndices group;
    for (unsigned end = i + parts[source].size(); i < end; ++i)
      group.push_back(i);
    groups.push_back(group);
    dims.push_back(source);
  }
  if (groups.size() != added.dims.size())
    added.value = tensor::CollapseShapeOp::create(builder, move.getLoc(),
                                                  added.value, groups);
  added.dims = std::move(dims);
  return true;
}

static bool undoCollapse(OpBuilder &builder, tensor::CollapseShapeOp move,
                         IndexedValue &added) {
  SmallVector<ReassociationIndices> groups;
  SmallVector<int64_t> dims, shape;
  SmallVector<ReassociationIndices> parts = move.getReassociationIndices();
  for (int64_t dim : added.dims) {
    ReassociationIndices group;
    unsigned numDynamic = 0;
    for (int64_t part : parts[dim]) {
      group.push_back(dims.size());
      dims.push_back(part);
      shape.push_back(move.getSrcType().getDimSize(part));
      numDynamic += ShapedType::isDynamic(shape.back());
    }
    // Which size is which is known only where one of them is dynamic.
    if (numDynamic > 1)
      return false;
    groups.push_back(group);
  }
  if (dims.size() != added.dims.size()) {
    auto type = cast<RankedTensorType>(added.value.getType());
    added.value = tensor::ExpandShapeOp::create(
        builder, move.getLoc(),
        RankedTensorType::get(shape, type.getElementType()), added.value,
        groups);
  }
  added.dims = std::move(dims);
  return true;
}

bool quant_mlir::detail::undoMove(OpBuilder &builder, Operation *move,
                                  IndexedValue &added) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(move)) {
    SmallVector<int64_t> permutation = getPermutation(linalgOp);
    for (int64_t &dim : added.dims)
      dim = permutation[dim];
    return true;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(move))
    return undoExpand(builder, expand, added);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(move))
    return undoCollapse(builder, collapse, added);
  return isa<tensor::CastOp>(move);
}

Value quant_mlir::detail::dropUnitDims(OpBuilder &builder, Value value,
                                       AffineMap &map, AffineAttr &params) {
  auto isUnit = [](AffineExpr expr) { return isa<AffineConstantExpr>(expr); };
  if (llvm::none_of(map.getResults(), isUnit))
    return value;
  SmallVector<AffineExpr> kept;
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices leading;
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    if (!isUnit(expr)) {
      kept.push_back(expr);
      groups.push_back(leading);
      leading.clear();
      groups.back().push_back(dim);
    } else if (groups.empty()) {
      leading.push_back(dim);
    } else {
      groups.back().push_back(dim);
    }
  }
  auto collapse =
      tensor::CollapseShapeOp::create(builder, value.getLoc(), value, groups);
  if (params) {
    AffineAttr moved = moveParams(params, collapse.getSrcMutable());
    if (!moved)
      return {};
    params = moved;
  }
  map = AffineMap::get(map.getNumDims(), 0, kept, map.getContext());
  return collapse;
}

//===----------------------------------------------------------------------===//
// Padding, parameters, results
//===----------------------------------------------------------------------===//

std::optional<Padding> quant_mlir::detail::takePadding(Value value,
                                                       int64_t code) {
  auto pad = value.getDefiningOp<tensor::PadOp>();
  if (!pad || pad.getNofold())
    return std::nullopt;
  Attribute padded;
  Value constant = pad.getConstantPaddingValue();
  if (!constant || !matchPattern(constant, m_Constant(&padded)))
    return std::nullopt;
  if (auto integer = dyn_cast<IntegerAttr>(padded)) {
    APInt bits(integer.getValue().getBitWidth(), uint64_t(code),
               /*isSigned=*/false, /*implicitTrunc=*/true);
    if (integer.getValue() != bits)
      return std::nullopt;
  } else if (!cast<FloatAttr>(padded).getValue().isZero()) {
    return std::nullopt;
  }
  Padding result{pad.getSource(), {}};
  for (auto [low, high] :
       llvm::zip_equal(pad.getStaticLow(), pad.getStaticHigh())) {
    if (ShapedType::isDynamic(low) || ShapedType::isDynamic(high) || low < 0 ||
        high < 0)
      return std::nullopt;
    result.sizes.append({low, high});
  }
  return result;
}

int32_t quant_mlir::detail::getZeroPoint(AffineAttr params) {
  numerics::TensorParams values = params.getTensorParams();
  return values.zeroPoints.empty() ? 0 : values.zeroPoints.front();
}

float quant_mlir::detail::getScale(AffineAttr params) {
  return params.getTensorParams().scales.front();
}

FloatAttr quant_mlir::detail::getBound(OpBuilder &builder, double bound) {
  return std::isinf(bound) ? FloatAttr()
                           : builder.getF32FloatAttr(float(bound));
}

bool quant_mlir::detail::keepIfValid(Operation *op, std::string &reason) {
  std::string message;
  ScopedDiagnosticHandler handler(op->getContext(),
                                  [&](Diagnostic &diagnostic) {
                                    message += diagnostic.str();
                                    return success();
                                  });
  if (succeeded(verify(op)))
    return true;
  op->erase();
  reason = "it has no integer form: " + message;
  return false;
}

void quant_mlir::detail::eraseDeadOps(Operation *root) {
  SmallVector<Operation *> ops;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op != root && isPure(op))
      ops.push_back(op);
  });
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op))
      op->erase();
}

void quant_mlir::detail::remarkLeft(Operation *op, const FuseResult &result,
                                    StringRef stays) {
  if (result.reason.empty())
    return;
  StringRef name = getQuantName(op);
  InFlightDiagnostic remark = emitRemark(op->getLoc());
  if (result.fused)
    remark << "what follows '" << name << "' stays outside its kernel: ";
  else
    remark << "'" << name << "' " << stays << ": ";
  remark << result.reason;
}

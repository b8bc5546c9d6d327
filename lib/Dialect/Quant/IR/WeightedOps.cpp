//===- WeightedOps.cpp - Contractions, convolutions and lookups -----------===//
//
// A structured operation is classified from its indexing maps and its body, never
// from its name, so that a named op, linalg.contract and the same thing written
// as linalg.generic are one case.
//
// With W an operand of a multiply-accumulate, X the other one and Y the result,
// the iterator of a dimension of W is
//
//   in W, Y and X    batch            (batch, group, depthwise channel)
//   in W and Y only  output channel
//   in W and X only  reduction, or kernel where X (or, for a transposed
//                    convolution, Y) uses it inside a sum such as 2*oh + kh
//
//===----------------------------------------------------------------------===//

#include "OpClass.h"

#include "quant-mlir/Dialect/Quant/IR/ElementwiseBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Multiply-accumulate bodies
//===----------------------------------------------------------------------===//

/// The two inputs of `op` that its body multiplies and accumulates into the
/// result: yield(out + a * b), in either order, through float casts.
static std::optional<std::pair<OpOperand *, OpOperand *>>
matchMultiplyAccumulate(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || op->getNumRegions() != 1)
    return std::nullopt;
  Block *body = op.getBlock();
  if (!body || body->empty() || body->getTerminator()->getNumOperands() != 1)
    return std::nullopt;
  auto add = stripCasts(body->getTerminator()->getOperand(0))
                 .getDefiningOp<arith::AddFOp>();
  if (!add)
    return std::nullopt;
  BlockArgument out = op.getMatchingBlockArgument(op.getDpsInitOperand(0));
  Value lhs = stripCasts(add.getLhs()), rhs = stripCasts(add.getRhs());
  if (rhs != out)
    std::swap(lhs, rhs);
  if (rhs != out)
    return std::nullopt;
  auto mul = lhs.getDefiningOp<arith::MulFOp>();
  if (!mul)
    return std::nullopt;
  auto a = dyn_cast<BlockArgument>(stripCasts(mul.getLhs()));
  auto b = dyn_cast<BlockArgument>(stripCasts(mul.getRhs()));
  if (!a || !b || a == b || a == out || b == out || a.getOwner() != body ||
      b.getOwner() != body)
    return std::nullopt;
  return std::make_pair(op.getMatchingOpOperand(a), op.getMatchingOpOperand(b));
}

//===----------------------------------------------------------------------===//
// Roles of dimensions
//===----------------------------------------------------------------------===//

namespace {
/// How an indexing map uses an iterator.
enum class IteratorUse { None, Plain, InSum };
} // namespace

static IteratorUse usesIterator(AffineMap map, unsigned iterator) {
  IteratorUse use = IteratorUse::None;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      if (dim.getPosition() == iterator)
        use = use == IteratorUse::InSum ? use : IteratorUse::Plain;
    } else if (expr.isFunctionOfDim(iterator)) {
      use = IteratorUse::InSum;
    }
  }
  return use;
}

/// Roles of the dimensions of `w`, one of two multiplied operands; empty where
/// the access of `w` itself is not one iterator per dimension.
static SmallVector<DimRole> getRoles(linalg::LinalgOp op, OpOperand *w,
                                     OpOperand *x) {
  AffineMap wMap = op.getMatchingIndexingMap(w);
  AffineMap xMap = op.getMatchingIndexingMap(x);
  AffineMap yMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  SmallVector<DimRole> roles;
  for (AffineExpr expr : wMap.getResults()) {
    // A dimension of size one may be indexed by a constant.
    if (isa<AffineConstantExpr>(expr)) {
      roles.push_back(DimRole::Kernel);
      continue;
    }
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return {};
    IteratorUse inX = usesIterator(xMap, dim.getPosition());
    IteratorUse inY = usesIterator(yMap, dim.getPosition());
    if (inX == IteratorUse::InSum || inY == IteratorUse::InSum)
      roles.push_back(DimRole::Kernel);
    else if (inY == IteratorUse::None)
      roles.push_back(DimRole::Reduction);
    else if (inX == IteratorUse::None)
      roles.push_back(DimRole::OutputChannel);
    else
      roles.push_back(DimRole::Batch);
  }
  return roles;
}

static bool hasSum(AffineMap map) {
  return llvm::any_of(map.getResults(), [](AffineExpr expr) {
    return !isa<AffineDimExpr, AffineConstantExpr>(expr);
  });
}

/// The table of a lookup written as a body that yields
///   tensor.extract %table[%row, %column]
/// with at least one index that depends on the op's inputs.
static std::optional<QuantizableOperand> matchLookup(linalg::LinalgOp op) {
  if (op->getNumRegions() != 1 || !op.getBlock() || op.getBlock()->empty())
    return std::nullopt;
  Block *body = op.getBlock();
  if (body->getTerminator()->getNumOperands() != 1)
    return std::nullopt;
  auto extract = stripCasts(body->getTerminator()->getOperand(0))
                     .getDefiningOp<tensor::ExtractOp>();
  if (!extract || extract->getBlock() != body)
    return std::nullopt;
  SmallVector<DimRole> roles;
  bool isLookup = false;
  for (Value index : extract.getIndices()) {
    bool isLoopIndex = index.getDefiningOp<linalg::IndexOp>() != nullptr;
    Operation *def = index.getDefiningOp();
    bool isConstant = def && def->hasTrait<OpTrait::ConstantLike>();
    isLookup |= !isLoopIndex && !isConstant;
    roles.push_back(isLoopIndex || isConstant ? DimRole::Reduction
                                              : DimRole::OutputChannel);
  }
  // An index computed from loop indices alone is a copy (a reverse, a slice).
  if (!isLookup || !llvm::any_of(extract.getIndices(), [&](Value index) {
        SetVector<Value> slice;
        slice.insert(index);
        for (unsigned i = 0; i < slice.size(); ++i) {
          if (auto arg = dyn_cast<BlockArgument>(slice[i])) {
            if (arg.getOwner() == body)
              return true;
          } else if (slice[i].getDefiningOp()->getBlock() == body) {
            slice.insert_range(slice[i].getDefiningOp()->getOperands());
          }
        }
        return false;
      }))
    return std::nullopt;
  return QuantizableOperand{&extract.getTensorMutable(), std::move(roles)};
}

OpClass quant_mlir::classifyWeighted(linalg::LinalgOp op) {
  OpClass result;
  if (auto operands = matchMultiplyAccumulate(op)) {
    auto [a, b] = *operands;
    bool reduces = llvm::is_contained(op.getIteratorTypesArray(),
                                      utils::IteratorType::reduction);
    if (!reduces)
      return result;
    AffineMap aMap = op.getMatchingIndexingMap(a);
    AffineMap bMap = op.getMatchingIndexingMap(b);
    AffineMap yMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    result.operands.push_back({a, getRoles(op, a, b)});
    result.operands.push_back({b, getRoles(op, b, a)});
    bool windowed = hasSum(aMap) || hasSum(bMap);
    if (!windowed && !hasSum(yMap)) {
      result.kind = "matmul";
      return result;
    }
    // The filter is the operand without sums; the data are never a weight.
    QuantizableOperand &data = result.operands[hasSum(aMap) ? 0 : 1];
    QuantizableOperand &filter = result.operands[hasSum(aMap) ? 1 : 0];
    if (hasSum(yMap) && !windowed) {
      result.kind = "conv_transpose";
      return result;
    }
    data.roles.clear();
    bool hasReduction = llvm::is_contained(filter.roles, DimRole::Reduction);
    bool hasBatch = llvm::is_contained(filter.roles, DimRole::Batch);
    result.kind = !hasReduction && hasBatch ? "depthwise_conv" : "conv";
    return result;
  }
  if (std::optional<QuantizableOperand> table = matchLookup(op)) {
    result.kind = "embedding";
    result.operands.push_back(std::move(*table));
  }
  return result;
}

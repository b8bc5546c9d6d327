//===- SoftmaxReaders.cpp - Whether a softmax reads a value ---------------===//
//
//   softmax(x)
//   e = exp(x - max(x)); e / sum(e)     one or two operations for e
//
// What follows e does not matter here: an exponential of what is less its
// maximum is taken for the beginning of a softmax.
//
//===----------------------------------------------------------------------===//

#include "ObserverPlan.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;

template <typename OpTy> static bool hasInBody(linalg::LinalgOp op) {
  return op.getNumReductionLoops() == 0 && op->getNumRegions() == 1 &&
         llvm::any_of(*op.getBlock(),
                      [](Operation &inner) { return isa<OpTy>(inner); });
}

/// Adds up what the users of `value` are; false where one is no part of a
/// softmax.
static bool collectReaders(Value value, bool &hasMaximum, bool &hasExp) {
  for (Operation *user : value.getUsers()) {
    if (isa<tensor::DimOp>(user))
      continue;
    if (isa<linalg::SoftmaxOp>(user)) {
      hasMaximum = hasExp = true;
      continue;
    }
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(
            user)) {
      if (!collectReaders(user->getResult(0), hasMaximum, hasExp))
        return false;
      continue;
    }
    auto op = dyn_cast<linalg::LinalgOp>(user);
    if (!op || op->getNumResults() != 1)
      return false;
    if (op.getNumReductionLoops() != 0) {
      if (!isValueMove(op))
        return false;
      hasMaximum = true;
    } else if (hasInBody<math::ExpOp>(op)) {
      hasExp = true;
    } else if (hasInBody<arith::SubFOp>(op)) {
      for (Operation *next : op->getResult(0).getUsers())
        if (auto exp = dyn_cast<linalg::LinalgOp>(next);
            !exp || !hasInBody<math::ExpOp>(exp))
          return false;
      hasExp |= !op->getResult(0).use_empty();
    } else if (!isValueMove(op) ||
               !collectReaders(op->getResult(0), hasMaximum, hasExp)) {
      return false;
    }
  }
  return true;
}

bool quant_mlir::isReadBySoftmaxOnly(Value value) {
  bool hasMaximum = false, hasExp = false;
  return collectReaders(value, hasMaximum, hasExp) && hasMaximum && hasExp;
}

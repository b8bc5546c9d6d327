//===- StridedCopy.cpp - Elements moved by linear indices -----------------===//

#include "StridedCopy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <cstring>

using namespace mlir;
using namespace quant_mlir::detail;

/// A longer chain of arithmetic is no index of a move.
static constexpr unsigned maxIndexDepth = 16;

//===----------------------------------------------------------------------===//
// Strided copies
//===----------------------------------------------------------------------===//

SmallVector<int64_t> quant_mlir::detail::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t d = int64_t(shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

void quant_mlir::detail::copy(const StridedCopy &move, int64_t width,
                              const char *source, char *dest) {
  if (llvm::is_contained(move.sizes, 0))
    return;
  SmallVector<int64_t> index(move.sizes.size(), 0);
  int64_t from = move.source.base, to = move.dest.base;
  while (true) {
    std::memcpy(dest + to * width, source + from * width, width);
    // The next index, as an odometer counts.
    int64_t d = int64_t(index.size()) - 1;
    for (; d >= 0; --d) {
      from += move.source.factors[d];
      to += move.dest.factors[d];
      if (++index[d] < move.sizes[d])
        break;
      from -= move.source.factors[d] * move.sizes[d];
      to -= move.dest.factors[d] * move.sizes[d];
      index[d] = 0;
    }
    if (d < 0)
      return;
  }
}

std::optional<Linear>
quant_mlir::detail::linearize(ArrayRef<Linear> indices, ArrayRef<int64_t> shape,
                              ArrayRef<int64_t> sizes) {
  Linear result;
  result.factors.assign(sizes.size(), 0);
  SmallVector<int64_t> strides = rowMajorStrides(shape);
  for (auto [index, dim, stride] : llvm::zip_equal(indices, shape, strides)) {
    int64_t low = index.base, high = index.base;
    for (auto [factor, size] : llvm::zip_equal(index.factors, sizes))
      (factor < 0 ? low : high) += factor * (size - 1);
    if (low < 0 || high >= dim)
      return std::nullopt;
    result.base += index.base * stride;
    for (auto [total, factor] : llvm::zip_equal(result.factors, index.factors))
      total += factor * stride;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Linear quant_mlir::detail::makeConstant(int64_t value, unsigned loops) {
  return {SmallVector<int64_t>(loops, 0), value};
}

std::optional<Linear> quant_mlir::detail::checked(Linear value) {
  auto isSmall = [](int64_t number) {
    return number >= -(int64_t(1) << 31) && number <= (int64_t(1) << 31);
  };
  if (!isSmall(value.base) || !llvm::all_of(value.factors, isSmall))
    return std::nullopt;
  return value;
}

/// a + factorOfB * b.
static std::optional<Linear> combine(Linear a, const Linear &b,
                                     int64_t factorOfB) {
  a.base += factorOfB * b.base;
  for (auto [total, factor] : llvm::zip_equal(a.factors, b.factors))
    total += factorOfB * factor;
  return checked(std::move(a));
}

static std::optional<Linear> multiply(const Linear &a, const Linear &b) {
  auto isConstant = [](const Linear &value) {
    return llvm::all_of(value.factors, [](int64_t f) { return f == 0; });
  };
  Linear zero = makeConstant(0, a.factors.size());
  if (isConstant(b))
    return combine(std::move(zero), a, b.base);
  if (isConstant(a))
    return combine(std::move(zero), b, a.base);
  return std::nullopt;
}

static std::optional<Linear> getLinear(Value value, unsigned loops,
                                       unsigned depth) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return checked(makeConstant(*constant, loops));
  Operation *op = value.getDefiningOp();
  if (!op || depth > maxIndexDepth)
    return std::nullopt;
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    Linear result = makeConstant(0, loops);
    result.factors[index.getDim()] = 1;
    return result;
  }
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op))
    return std::nullopt;
  std::optional<Linear> lhs = ::getLinear(op->getOperand(0), loops, depth + 1);
  std::optional<Linear> rhs = ::getLinear(op->getOperand(1), loops, depth + 1);
  if (!lhs || !rhs)
    return std::nullopt;
  if (isa<arith::MulIOp>(op))
    return multiply(*lhs, *rhs);
  return combine(*lhs, *rhs, isa<arith::AddIOp>(op) ? 1 : -1);
}

std::optional<Linear> quant_mlir::detail::getLinear(Value value,
                                                    unsigned loops) {
  return ::getLinear(value, loops, /*depth=*/0);
}

std::optional<Linear> quant_mlir::detail::getLinear(AffineExpr expr,
                                                    unsigned loops) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return checked(makeConstant(constant.getValue(), loops));
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    Linear result = makeConstant(0, loops);
    result.factors[dim.getPosition()] = 1;
    return result;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary || (expr.getKind() != AffineExprKind::Add &&
                  expr.getKind() != AffineExprKind::Mul))
    return std::nullopt;
  std::optional<Linear> lhs = getLinear(binary.getLHS(), loops);
  std::optional<Linear> rhs = getLinear(binary.getRHS(), loops);
  if (!lhs || !rhs)
    return std::nullopt;
  return expr.getKind() == AffineExprKind::Add ? combine(*lhs, *rhs, 1)
                                               : multiply(*lhs, *rhs);
}

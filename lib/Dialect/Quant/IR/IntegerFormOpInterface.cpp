//===- IntegerFormOpInterface.cpp - Loops of the integer form -------------===//
//
// Sizes of loops, and the checks of maps against operands that all operations
// of the integer form share.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/IntegerFormOpInterface.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// Adds up an expression that is linear in its dimensions.
struct LinearVisitor {
  LinearExpr result;

  bool add(AffineExpr expr, int64_t factor) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      result.factors[dim.getPosition()] += factor;
      return true;
    }
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      result.constant += factor * constant.getValue();
      return true;
    }
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!binary)
      return false;
    if (binary.getKind() == AffineExprKind::Add)
      return add(binary.getLHS(), factor) && add(binary.getRHS(), factor);
    if (binary.getKind() != AffineExprKind::Mul)
      return false;
    // A constant factor stands on the right in simplified expressions.
    auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
    return constant && add(binary.getLHS(), factor * constant.getValue());
  }
};

} // namespace

std::optional<LinearExpr> quant_mlir::getLinearExpr(AffineExpr expr,
                                                    unsigned numLoops) {
  LinearVisitor visitor;
  visitor.result.factors.assign(numLoops, 0);
  if (!visitor.add(expr, 1))
    return std::nullopt;
  return visitor.result;
}

/// The loop whose size dimension `dim` of mapped operand `index` gives, if any:
/// a padded dimension is smaller than the loop that walks it.
static std::optional<unsigned> getLoopOfDim(IntegerFormOpInterface form,
                                            AffineMap map, unsigned index,
                                            unsigned dim) {
  auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
  if (!loop)
    return std::nullopt;
  ArrayRef<int64_t> padding = form.getInputPadding();
  if (index == 0 && !padding.empty() &&
      (padding[2 * dim] != 0 || padding[2 * dim + 1] != 0))
    return std::nullopt;
  return loop.getPosition();
}

SmallVector<int64_t> quant_mlir::detail::getStaticLoopSizes(Operation *op) {
  auto form = cast<IntegerFormOpInterface>(op);
  SmallVector<int64_t> sizes = form.getKnownLoopSizes();
  for (auto [index, type, map] :
       llvm::enumerate(form.getMappedTypes(), form.getOperandMaps()))
    for (unsigned dim = 0, e = map.getNumResults(); dim != e; ++dim)
      if (std::optional<unsigned> loop = getLoopOfDim(form, map, index, dim))
        if (ShapedType::isDynamic(sizes[*loop]))
          sizes[*loop] = type.getDimSize(dim);
  return sizes;
}

SmallVector<OpFoldResult> quant_mlir::detail::getLoopSizes(Operation *op,
                                                           OpBuilder &builder,
                                                           Location loc) {
  auto form = cast<IntegerFormOpInterface>(op);
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : form.getStaticLoopSizes())
    sizes.push_back(ShapedType::isDynamic(size)
                        ? OpFoldResult()
                        : OpFoldResult(builder.getIndexAttr(size)));
  for (auto [index, operand, map] :
       llvm::enumerate(form.getMappedOperands(), form.getOperandMaps()))
    for (unsigned dim = 0, e = map.getNumResults(); dim != e; ++dim) {
      std::optional<unsigned> loop = getLoopOfDim(form, map, index, dim);
      if (!loop || sizes[*loop])
        continue;
      // Bytes in panels do not say what sizes their codes had.
      auto contract = dyn_cast<ContractOp>(op);
      if (contract && contract.getLayout() &&
          operand == &contract.getRhsMutable())
        continue;
      Value source = operand->get();
      sizes[*loop] = isa<TensorType>(source.getType())
                         ? tensor::getMixedSize(builder, loc, source, dim)
                         : memref::getMixedSize(builder, loc, source, dim);
    }
  return sizes;
}

LogicalResult quant_mlir::detail::verifyIntegerForm(Operation *op) {
  auto form = cast<IntegerFormOpInterface>(op);
  SmallVector<OpOperand *> operands = form.getMappedOperands();
  SmallVector<AffineMap> maps = form.getOperandMaps();
  if (maps.size() != operands.size())
    return op->emitOpError()
           << "expected one map for each of its " << operands.size()
           << " mapped operands, the result last, found " << maps.size();
  unsigned numLoops = maps.back().getNumDims();
  for (AffineMap map : maps)
    if (map.getNumDims() != numLoops || map.getNumSymbols() != 0)
      return op->emitOpError() << "expected maps over the same loops, without "
                                  "symbols, found "
                               << AffineMapAttr::get(maps.back()) << " and "
                               << AffineMapAttr::get(map);
  if (!maps.back().isProjectedPermutation())
    return op->emitOpError() << "expected each dimension of the result to be a "
                                "loop of its own, found "
                             << AffineMapAttr::get(maps.back());

  bool hasTensors = op->getNumResults() != 0;
  if (op->getNumResults() > 1 ||
      (hasTensors &&
       op->getResult(0).getType() != operands.back()->get().getType()))
    return op->emitOpError() << "expected a result of the type of outs, "
                             << operands.back()->get().getType() << ", found "
                             << op->getResultTypes();
  for (Value operand : op->getOperands())
    if (isa<TensorType>(operand.getType()) != hasTensors)
      return op->emitOpError()
             << "expected all operands to be tensors, and a "
                "result, or all to be buffers, and none; found "
             << operand.getType() << " and " << op->getNumResults()
             << " results";

  ArrayRef<int64_t> padding = form.getInputPadding();
  SmallVector<ShapedType> types = form.getMappedTypes();
  ShapedType inputType = types.front();
  if (!padding.empty() && int64_t(padding.size()) != 2 * inputType.getRank())
    return op->emitOpError() << "expected low and high padding for each of "
                             << inputType.getRank() << " dimensions, found "
                             << padding.size() << " numbers";
  if (llvm::any_of(padding, [](int64_t size) { return size < 0; }))
    return op->emitOpError()
           << "expected padding of at least 0, found " << padding;

  SmallVector<int64_t> sizes = form.getKnownLoopSizes();
  if (sizes.size() != numLoops)
    return op->emitOpError() << "expected sizes for its " << numLoops
                             << " loops, found " << sizes.size();
  SmallVector<bool> hasSource(numLoops, false);
  for (auto [index, type, map] : llvm::enumerate(types, maps)) {
    if (type.getRank() != map.getNumResults())
      return op->emitOpError()
             << "expected a map with " << type.getRank() << " results for "
             << type << ", found " << AffineMapAttr::get(map);
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      std::optional<LinearExpr> linear = getLinearExpr(expr, numLoops);
      if (!linear || (!isa<AffineDimExpr>(expr) && index != 0) ||
          llvm::any_of(linear->factors, [](int64_t f) { return f < 0; }))
        return op->emitOpError()
               << "expected "
               << (index == 0 ? "a sum of loops times constants" : "a loop")
               << " in each dimension of " << type << ", found "
               << AffineMapAttr::get(map);
      std::optional<unsigned> loop = getLoopOfDim(form, map, index, dim);
      if (!loop)
        continue;
      hasSource[*loop] = true;
      int64_t size = type.getDimSize(dim);
      if (ShapedType::isDynamic(sizes[*loop]))
        sizes[*loop] = size;
      else if (!ShapedType::isDynamic(size) && size != sizes[*loop])
        return op->emitOpError()
               << "expected loop " << *loop << " to be of one size, found "
               << sizes[*loop] << " and " << size << ", that of dimension "
               << dim << " of " << type;
    }
  }
  for (unsigned loop = 0; loop < numLoops; ++loop)
    if (!hasSource[loop] && ShapedType::isDynamic(sizes[loop]))
      return op->emitOpError()
             << "expected a dimension that is loop " << loop
             << " alone, found none: nothing says how often it runs";

  // What the input's windows touch lies within it.
  for (auto [dim, expr] : llvm::enumerate(maps.front().getResults())) {
    LinearExpr linear = *getLinearExpr(expr, numLoops);
    int64_t last = linear.constant;
    bool isStatic = !inputType.isDynamicDim(dim) && linear.constant >= 0;
    for (auto [factor, size] : llvm::zip_equal(linear.factors, sizes)) {
      if (factor == 0)
        continue;
      isStatic &= !ShapedType::isDynamic(size);
      int64_t reach;
      if (isStatic && (llvm::MulOverflow(factor, size - 1, reach) ||
                       llvm::AddOverflow(last, reach, last)))
        return op->emitOpError()
               << "expected windows within dimension " << dim << " of "
               << inputType << ", found positions beyond 64 bits";
    }
    if (!isStatic)
      continue;
    int64_t available = inputType.getDimSize(dim);
    if (!padding.empty())
      available += padding[2 * dim] + padding[2 * dim + 1];
    if (last >= available)
      return op->emitOpError()
             << "expected windows within dimension " << dim << " of "
             << inputType << " and its padding, " << available
             << " elements, found position " << last;
  }
  return success();
}

#include "quant-mlir/Dialect/Quant/IR/IntegerFormOpInterface.cpp.inc"

//===- ChannelArith.cpp - Arithmetic on per-channel constants -------------===//
//
// Scalars are folded by the operations themselves (Operation::fold), so that
// any operation with a folder can be part of a constant. Of the roots one has
// none, the other none for f16 and bf16: math.rsqrt is 1 / sqrt(x) as it is
// lowered.
//
//===----------------------------------------------------------------------===//

#include "ChannelArith.h"

#include "DimPieces.h"
#include "StridedCopy.h"

#include "quant-mlir/Dialect/Quant/IR/QParams.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// Beyond this it is no vector of parameters.
static constexpr int64_t maxElements = 1 << 22;
static constexpr unsigned maxDepth = 64;

double quant_mlir::detail::roundTo(double value, Type type) {
  APFloat result(value);
  bool losesInfo;
  const llvm::fltSemantics &semantics =
      cast<FloatType>(type).getFloatSemantics();
  result.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  result.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return result.convertToDouble();
}

//===----------------------------------------------------------------------===//
// One operation
//===----------------------------------------------------------------------===//

/// The result of `op` on numbers of its element types.
static std::optional<double> foldScalar(Operation *op,
                                        ArrayRef<double> operands) {
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return roundTo(operands.front(), element);
  // Rounded twice each, which for types of less than half of binary64's
  // precision is rounding once.
  if (isa<math::SqrtOp, math::RsqrtOp>(op)) {
    double root = roundTo(std::sqrt(operands.front()), element);
    return isa<math::SqrtOp>(op) ? root : roundTo(1.0 / root, element);
  }
  SmallVector<Attribute> attributes;
  for (auto [operand, number] : llvm::zip_equal(op->getOperands(), operands))
    attributes.push_back(
        FloatAttr::get(getElementTypeOrSelf(operand.getType()), number));
  SmallVector<OpFoldResult> results;
  if (failed(op->fold(attributes, results)) || results.size() != 1)
    return std::nullopt;
  if (auto value = dyn_cast<Value>(results.front())) {
    // Such as x + 0, which folds to the operand.
    for (auto [operand, number] : llvm::zip_equal(op->getOperands(), operands))
      if (operand == value)
        return number;
    return std::nullopt;
  }
  auto result = dyn_cast<FloatAttr>(cast<Attribute>(results.front()));
  if (!result)
    return std::nullopt;
  return result.getValueAsDouble();
}

static double at(const Channels &values, size_t i) {
  return values[values.size() == 1 ? 0 : i];
}

/// fn for every channel, or once where operands are the same for all.
template <typename Fn, typename... Operands>
static Channels map(size_t count, Fn fn, const Operands &...operands) {
  bool isUniform = ((operands.size() == 1) && ...);
  Channels result(isUniform ? 1 : count);
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = fn(at(operands, i)...);
  return result;
}

/// An affine value scaled by constants.
template <typename Fn>
static AffineValue scale(size_t count, const AffineValue &value,
                         const Channels &by, Fn fn) {
  return {map(count, fn, value.factor, by), map(count, fn, value.offset, by),
          /*isScaled=*/true};
}

static std::optional<AffineValue> addAffine(const AffineValue &a,
                                            const AffineValue &b, bool isSub,
                                            size_t count) {
  // Of two that depend on x there is no single rounding to speak of.
  if (!a.isConstant() && !b.isConstant())
    return std::nullopt;
  double sign = isSub ? -1.0 : 1.0;
  AffineValue result;
  result.offset = map(
      count, [&](double x, double y) { return x + sign * y; }, a.offset,
      b.offset);
  result.factor = a.factor;
  result.isScaled = a.isScaled || b.isScaled || (a.isConstant() && isSub);
  if (a.isConstant())
    result.factor = map(
        count, [&](double x) { return sign * x; }, b.factor);
  return result;
}

std::optional<AffineValue> quant_mlir::detail::evaluateElementwise(
    Operation *op, ArrayRef<const AffineValue *> operands, size_t count) {
  if (op->getNumResults() != 1 || operands.empty() ||
      !isa<FloatType>(getElementTypeOrSelf(op->getResult(0).getType())))
    return std::nullopt;
  if (llvm::all_of(operands, [](auto *value) { return value->isConstant(); })) {
    bool isUniform = llvm::all_of(
        operands, [](auto *value) { return value->offset.size() == 1; });
    AffineValue result;
    SmallVector<double> numbers(operands.size());
    for (size_t i = 0, e = isUniform ? 1 : count; i < e; ++i) {
      for (auto [number, operand] : llvm::zip_equal(numbers, operands))
        number = at(operand->offset, i);
      std::optional<double> folded = foldScalar(op, numbers);
      if (!folded)
        return std::nullopt;
      result.offset.push_back(*folded);
    }
    return result;
  }
  const AffineValue &a = *operands.front(), &b = *operands.back();
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return a;
  if (isa<arith::NegFOp>(op))
    return scale(count, a, {-1.0}, std::multiplies<double>());
  if (isa<arith::AddFOp, arith::SubFOp>(op))
    return addAffine(a, b, isa<arith::SubFOp>(op), count);
  if (isa<arith::MulFOp>(op) && a.isConstant())
    return scale(count, b, a.offset, std::multiplies<double>());
  if (isa<arith::MulFOp>(op) && b.isConstant())
    return scale(count, a, b.offset, std::multiplies<double>());
  if (isa<arith::DivFOp>(op) && b.isConstant())
    return scale(count, a, b.offset, std::divides<double>());
  return std::nullopt;
}

/// A scalar constant that a body uses, its own or from outside.
static std::optional<AffineValue> getScalarConstant(Value value) {
  FloatAttr attribute;
  if (!isa<FloatType>(value.getType()) ||
      !matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  return AffineValue{{}, {attribute.getValueAsDouble()}};
}

std::optional<AffineValue> quant_mlir::detail::evaluateBody(
    Block &body, DenseMap<Value, AffineValue> values, size_t count) {
  auto find = [&](Value value) -> const AffineValue * {
    if (auto it = values.find(value); it != values.end())
      return &it->second;
    std::optional<AffineValue> constant = getScalarConstant(value);
    return constant ? &(values[value] = *constant) : nullptr;
  };
  for (Operation &op : body.without_terminator()) {
    if (op.hasTrait<OpTrait::ConstantLike>())
      continue;
    // All first: the map moves what it holds when it grows.
    if (!llvm::all_of(op.getOperands(), find))
      return std::nullopt;
    SmallVector<const AffineValue *> operands =
        llvm::map_to_vector(op.getOperands(), find);
    std::optional<AffineValue> result =
        evaluateElementwise(&op, operands, count);
    if (!result)
      return std::nullopt;
    values[op.getResult(0)] = std::move(*result);
  }
  const AffineValue *yielded = find(body.getTerminator()->getOperand(0));
  if (!yielded)
    return std::nullopt;
  return *yielded;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

std::optional<std::vector<double>>
quant_mlir::detail::readFloats(ElementsAttr elements) {
  bool isSplat;
  auto type = dyn_cast<FloatType>(elements.getElementType());
  std::optional<ArrayRef<char>> bytes = getRawBytes(elements, isSplat);
  unsigned width = type ? type.getWidth() : 0;
  if (!bytes || (width != 16 && width != 32 && width != 64))
    return std::nullopt;
  std::vector<double> result(bytes->size() / (width / 8));
  for (size_t i = 0; i < result.size(); ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes->data() + i * (width / 8), width / 8);
    APFloat number(type.getFloatSemantics(), APInt(width, bits));
    bool losesInfo;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    result[i] = number.convertToDouble();
  }
  return result;
}

/// Strides of a constant under another shape; nullopt where a dimension joins
/// what is not evenly strided.
static std::optional<BroadcastConstant> reshape(const BroadcastConstant &source,
                                                Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type)
    return std::nullopt;
  BroadcastConstant result{llvm::to_vector(type.getShape()), {}, source.data};
  result.strides.assign(type.getRank(), 0);
  if (isa<tensor::CastOp>(op)) {
    if (source.shape.size() != result.shape.size())
      return std::nullopt;
    result.strides = source.strides;
    return result;
  }
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
    for (auto [index, group] :
         llvm::enumerate(expand.getReassociationIndices())) {
      int64_t stride = source.strides[index];
      for (int64_t dim : llvm::reverse(group)) {
        result.strides[dim] = stride;
        if (stride && ShapedType::isDynamic(result.shape[dim]))
          return std::nullopt;
        stride *= stride ? result.shape[dim] : 0;
      }
    }
    return result;
  }
  auto collapse = cast<tensor::CollapseShapeOp>(op);
  for (auto [index, group] :
       llvm::enumerate(collapse.getReassociationIndices())) {
    std::optional<int64_t> next;
    for (int64_t dim : llvm::reverse(group)) {
      int64_t size = source.shape[dim], stride = source.strides[dim];
      if (size == 1)
        continue;
      if (!next)
        result.strides[index] = stride;
      else if (stride != *next)
        return std::nullopt;
      next = stride ? stride * size : 0;
    }
  }
  return result;
}

std::optional<BroadcastConstant>
ConstantEvaluator::computeLinalg(linalg::LinalgOp op, unsigned depth) {
  if (op->getNumResults() != 1 || op.getNumDpsInits() != 1 || !op.getBlock() ||
      op.getNumParallelLoops() != op.getNumLoops() || op.hasIndexSemantics())
    return std::nullopt;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!type || !outMap.isPermutation())
    return std::nullopt;
  SmallVector<const BroadcastConstant *> inputs;
  // Loops that no input varies along are those of a broadcast.
  SmallVector<int64_t> extents(op.getNumLoops(), 1);
  SmallVector<SmallVector<int64_t>> strides;
  for (OpOperand *input : op.getDpsInputOperands()) {
    const BroadcastConstant *constant = evaluate(input->get(), depth + 1);
    if (!constant)
      return std::nullopt;
    inputs.push_back(constant);
    SmallVector<int64_t> &loopStrides =
        strides.emplace_back(op.getNumLoops(), 0);
    for (auto [expr, size, stride] :
         llvm::zip_equal(op.getMatchingIndexingMap(input).getResults(),
                         constant->shape, constant->strides)) {
      if (!stride || size == 1)
        continue;
      auto loop = dyn_cast<AffineDimExpr>(expr);
      if (!loop)
        return std::nullopt;
      loopStrides[loop.getPosition()] += stride;
      extents[loop.getPosition()] = size;
    }
  }
  int64_t count = 1;
  for (int64_t extent : extents)
    if (llvm::MulOverflow(count, extent, count) || count > maxElements)
      return std::nullopt;

  SmallVector<int64_t> order = rowMajorStrides(extents);
  DenseMap<Value, AffineValue> values;
  for (auto [index, operand] : llvm::enumerate(op.getDpsInputOperands())) {
    const std::vector<double> &data = inputs[index]->data;
    Channels numbers(data.size() == 1 ? 1 : count);
    SmallVector<OffsetLoop> loops;
    if (numbers.size() > 1)
      for (auto [extent, from, to] :
           llvm::zip_equal(extents, strides[index], order))
        loops.push_back({extent, from, to});
    forEachOffset(loops,
                  [&](int64_t from, int64_t to) { numbers[to] = data[from]; });
    values[op.getMatchingBlockArgument(operand)] = {{}, std::move(numbers)};
  }
  std::optional<AffineValue> computed =
      evaluateBody(*op.getBlock(), std::move(values), count);
  if (!computed || !computed->isConstant())
    return std::nullopt;
  BroadcastConstant result{
      llvm::to_vector(type.getShape()), {}, std::move(computed->offset)};
  for (AffineExpr expr : outMap.getResults()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    bool isUniform = result.data.size() == 1 || extents[loop] == 1;
    result.strides.push_back(isUniform ? 0 : order[loop]);
  }
  return result;
}

/// arith and math on whole tensors. Operands that are broadcast in different
/// ways are left alone: nothing makes such constants.
std::optional<BroadcastConstant>
ConstantEvaluator::computeTensorOp(Operation *op, unsigned depth) {
  if (!op->hasTrait<OpTrait::Elementwise>() || op->getNumResults() != 1 ||
      op->getNumOperands() == 0)
    return std::nullopt;
  const BroadcastConstant *shaped = nullptr;
  std::vector<AffineValue> values;
  for (Value operand : op->getOperands()) {
    const BroadcastConstant *constant = evaluate(operand, depth + 1);
    if (!constant)
      return std::nullopt;
    if (constant->data.size() != 1) {
      if (shaped && shaped->strides != constant->strides)
        return std::nullopt;
      shaped = constant;
    }
    values.push_back({{}, constant->data});
  }
  size_t count = shaped ? shaped->data.size() : 1;
  SmallVector<const AffineValue *> operands;
  for (const AffineValue &value : values)
    operands.push_back(&value);
  std::optional<AffineValue> result = evaluateElementwise(op, operands, count);
  if (!result)
    return std::nullopt;
  BroadcastConstant constant{{}, {}, std::move(result->offset)};
  if (auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType())) {
    constant.shape = llvm::to_vector(type.getShape());
    constant.strides.assign(type.getRank(), 0);
    if (shaped)
      constant.strides = shaped->strides;
  }
  return constant;
}

std::optional<BroadcastConstant> ConstantEvaluator::compute(Operation *op,
                                                            unsigned depth) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
      return BroadcastConstant{{}, {}, {number.getValueAsDouble()}};
    auto elements = dyn_cast<ElementsAttr>(constant.getValue());
    auto type = dyn_cast<RankedTensorType>(constant.getType());
    // A splat of any size is one number.
    if (!elements || !type ||
        (!elements.isSplat() && type.getNumElements() > maxElements))
      return std::nullopt;
    std::optional<std::vector<double>> data = readFloats(elements);
    if (!data || data->empty())
      return std::nullopt;
    BroadcastConstant result{
        llvm::to_vector(type.getShape()), {}, std::move(*data)};
    if (result.data.size() == 1)
      result.strides.assign(type.getRank(), 0);
    else
      result.strides = rowMajorStrides(type.getShape());
    return result;
  }
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op)) {
    const BroadcastConstant *source = evaluate(op->getOperand(0), depth + 1);
    return source ? reshape(*source, op) : std::nullopt;
  }
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return read ? read(dequantize) : std::nullopt;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return computeLinalg(linalgOp, depth);
  return computeTensorOp(op, depth);
}

const BroadcastConstant *ConstantEvaluator::evaluate(Value value,
                                                     unsigned depth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > maxDepth ||
      !isa<FloatType>(getElementTypeOrSelf(value.getType())))
    return nullptr;
  if (auto it = known.find(value); it != known.end())
    return it->second.get();
  std::optional<BroadcastConstant> result = compute(op, depth);
  return (known[value] =
              result ? std::make_unique<BroadcastConstant>(std::move(*result))
                     : nullptr)
      .get();
}

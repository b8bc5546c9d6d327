//===- FoldConstantMoves.cpp - Rearranged constants as constants ----------===//
//
// Importers and upstream's lowerings prepare weights with operations: the
// decomposition of a transposed convolution pads, transposes, reshapes and
// reverses its constant kernel. Such a chain is evaluated here, so that the
// weight is one constant again.
//
// Every move is a strided copy: element i of the result is element
// base + sum(stride_d * i_d) of the source, over a box of the result. An
// operation is recognized by its structure and turned into such copies; one
// that computes, or whose indices are not linear, is declined.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/FoldConstantMoves.h"

#include "StridedCopy.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Numerics/Tensor.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir;
using namespace quant_mlir;
using namespace quant_mlir::detail;

/// Padding and broadcasts make a value larger than its constants; beyond this
/// factor, and beyond what is small anyway, it stays computed.
static constexpr int64_t maxGrowth = 16;
static constexpr int64_t smallBytes = 1 << 20;
/// A longer chain is no preparation of a weight.
static constexpr unsigned maxDepth = 64;

namespace {

/// Elements of a tensor in memory, row-major.
struct Elements {
  SmallVector<int64_t> shape;
  std::vector<char> bytes;
};

class Evaluator {
public:
  /// The elements of `value`; nullptr where it is not made of constants by
  /// moves alone.
  const Elements *evaluate(Value value, unsigned depth = 0);

private:
  std::optional<Elements> evaluateConstant(arith::ConstantOp op);
  std::optional<Elements> evaluateUnpack(UnpackOp op);
  std::optional<Elements> evaluateReshape(Operation *op, unsigned depth);
  std::optional<Elements> evaluateSlice(tensor::ExtractSliceOp op,
                                        unsigned depth);
  std::optional<Elements> evaluatePad(tensor::PadOp op, unsigned depth);
  std::optional<Elements> evaluateConcat(tensor::ConcatOp op, unsigned depth);
  std::optional<Elements> evaluateLinalg(linalg::LinalgOp op, unsigned depth);

  /// Elements of `type` with nothing in them; nullopt where they are too many.
  std::optional<Elements> allocate(RankedTensorType type);

  /// By pointer: elements stay where they are while others are added.
  DenseMap<Value, std::unique_ptr<Elements>> known;
  /// Size of all constants that were read.
  int64_t constantBytes = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// One operation each
//===----------------------------------------------------------------------===//

/// Bytes of an element: narrow ones have one each.
static int64_t getWidth(RankedTensorType type) {
  return llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

std::optional<Elements> Evaluator::allocate(RankedTensorType type) {
  int64_t bytes = getWidth(type);
  for (int64_t dim : type.getShape())
    if (llvm::MulOverflow(bytes, dim, bytes))
      return std::nullopt;
  if (bytes > std::max(smallBytes, maxGrowth * constantBytes))
    return std::nullopt;
  return Elements{llvm::to_vector(type.getShape()), std::vector<char>(bytes)};
}

std::optional<Elements> Evaluator::evaluateConstant(arith::ConstantOp op) {
  bool isSplat;
  auto value = dyn_cast<ElementsAttr>(op.getValue());
  std::optional<ArrayRef<char>> bytes;
  if (value)
    bytes = getRawBytes(value, isSplat);
  if (!bytes)
    return std::nullopt;
  constantBytes += bytes->size();
  std::optional<Elements> result =
      allocate(cast<RankedTensorType>(op.getType()));
  if (!result)
    return std::nullopt;
  for (size_t i = 0; i < result->bytes.size(); i += bytes->size())
    std::memcpy(result->bytes.data() + i, bytes->data(), bytes->size());
  return result;
}

/// Large constants of codes of less than a byte are stored packed.
std::optional<Elements> Evaluator::evaluateUnpack(UnpackOp op) {
  auto constant = op.getInput().getDefiningOp<arith::ConstantOp>();
  auto value =
      constant ? dyn_cast<ElementsAttr>(constant.getValue()) : ElementsAttr();
  bool isSplat = false;
  std::optional<ArrayRef<char>> bytes;
  if (value && op.getLayout().isCanonical())
    bytes = getRawBytes(value, isSplat);
  if (!bytes || isSplat)
    return std::nullopt;
  auto type = cast<RankedTensorType>(op.getType());
  constantBytes += type.getNumElements();
  std::optional<Elements> result = allocate(type);
  if (result)
    numerics::unpackCodes(reinterpret_cast<const uint8_t *>(bytes->data()),
                          type.getNumElements(), type.getElementTypeBitWidth(),
                          /*isSigned=*/false,
                          reinterpret_cast<uint8_t *>(result->bytes.data()));
  return result;
}

/// The same elements in the same order under another shape.
std::optional<Elements> Evaluator::evaluateReshape(Operation *op,
                                                   unsigned depth) {
  const Elements *source = evaluate(op->getOperand(0), depth);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!source ||
      int64_t(source->bytes.size()) != type.getNumElements() * getWidth(type))
    return std::nullopt;
  return Elements{llvm::to_vector(type.getShape()), source->bytes};
}

std::optional<Elements> Evaluator::evaluateSlice(tensor::ExtractSliceOp op,
                                                 unsigned depth) {
  const Elements *source = evaluate(op.getSource(), depth);
  if (!source || ShapedType::isDynamicShape(op.getStaticOffsets()) ||
      ShapedType::isDynamicShape(op.getStaticSizes()) ||
      ShapedType::isDynamicShape(op.getStaticStrides()))
    return std::nullopt;
  ArrayRef<int64_t> sizes = op.getStaticSizes();
  SmallVector<Linear> indices;
  for (auto [d, offset, stride] :
       llvm::enumerate(op.getStaticOffsets(), op.getStaticStrides())) {
    Linear index = makeConstant(offset, sizes.size());
    index.factors[d] = stride;
    if (!checked(index))
      return std::nullopt;
    indices.push_back(std::move(index));
  }
  std::optional<Elements> result = allocate(op.getType());
  if (!result)
    return std::nullopt;
  // A dropped dimension has size one, so the order of elements is the same.
  std::optional<Linear> from = linearize(indices, source->shape, sizes);
  if (!from)
    return std::nullopt;
  copy({sizes, *from, {rowMajorStrides(sizes), 0}}, getWidth(op.getType()),
       source->bytes.data(), result->bytes.data());
  return result;
}

std::optional<Elements> Evaluator::evaluatePad(tensor::PadOp op,
                                               unsigned depth) {
  Value padding = op.getConstantPaddingValue();
  auto constant =
      padding ? padding.getDefiningOp<arith::ConstantOp>() : nullptr;
  const Elements *source = constant ? evaluate(op.getSource(), depth) : nullptr;
  std::optional<Elements> result =
      source ? allocate(op.getResultType()) : std::nullopt;
  if (!result)
    return std::nullopt;
  // The bytes of one element, as builtin attributes store it.
  auto element = DenseElementsAttr::get(
      RankedTensorType::get({}, padding.getType()), constant.getValue());
  ArrayRef<char> fill = element.getRawData();
  for (size_t i = 0; i < result->bytes.size(); i += fill.size())
    std::memcpy(result->bytes.data() + i, fill.data(), fill.size());

  SmallVector<Linear> indices;
  for (auto [d, low] : llvm::enumerate(op.getMixedLowPad())) {
    std::optional<int64_t> offset = getConstantIntValue(low);
    if (!offset)
      return std::nullopt;
    Linear index = makeConstant(*offset, source->shape.size());
    index.factors[d] = 1;
    if (!checked(index))
      return std::nullopt;
    indices.push_back(std::move(index));
  }
  std::optional<Linear> to = linearize(indices, result->shape, source->shape);
  if (!to)
    return std::nullopt;
  copy({source->shape, {rowMajorStrides(source->shape), 0}, *to},
       getWidth(op.getResultType()), source->bytes.data(),
       result->bytes.data());
  return result;
}

std::optional<Elements> Evaluator::evaluateConcat(tensor::ConcatOp op,
                                                  unsigned depth) {
  SmallVector<const Elements *> sources;
  for (Value input : op.getInputs()) {
    sources.push_back(evaluate(input, depth));
    if (!sources.back())
      return std::nullopt;
  }
  std::optional<Elements> result = allocate(op.getResultType());
  if (!result)
    return std::nullopt;
  SmallVector<int64_t> strides = rowMajorStrides(result->shape);
  int64_t base = 0;
  for (const Elements *source : sources) {
    copy({source->shape, {rowMajorStrides(source->shape), 0}, {strides, base}},
         getWidth(op.getResultType()), source->bytes.data(),
         result->bytes.data());
    base += source->shape[op.getDim()] * strides[op.getDim()];
  }
  return result;
}

/// A body that yields its only input (a transpose, a broadcast), or an element
/// of a tensor from outside at indices linear in the loops (a reverse).
std::optional<Elements> Evaluator::evaluateLinalg(linalg::LinalgOp op,
                                                  unsigned depth) {
  Block *body = op.getBlock();
  if (op.getNumDpsInits() != 1 || op->getNumResults() != 1 || !body ||
      body->empty() || body->getTerminator()->getNumOperands() != 1)
    return std::nullopt;
  Value yielded = body->getTerminator()->getOperand(0);
  unsigned loops = op.getNumLoops();
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  AffineMap outMap = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  // Every element of the result is written once.
  if (!outMap.isPermutation() || !type.hasStaticShape())
    return std::nullopt;
  SmallVector<int64_t> sizes(loops);
  for (auto [dim, expr] : llvm::zip_equal(type.getShape(), outMap.getResults()))
    sizes[cast<AffineDimExpr>(expr).getPosition()] = dim;

  Value sourceValue;
  SmallVector<Linear> indices;
  auto addIndex = [&](std::optional<Linear> index) {
    if (index)
      indices.push_back(std::move(*index));
    return index.has_value();
  };
  if (auto argument = dyn_cast<BlockArgument>(yielded)) {
    OpOperand *input = argument.getOwner() == body
                           ? op.getMatchingOpOperand(argument)
                           : nullptr;
    if (!input || !op.isDpsInput(input))
      return std::nullopt;
    sourceValue = input->get();
    for (AffineExpr expr : op.getMatchingIndexingMap(input).getResults())
      if (!addIndex(getLinear(expr, loops)))
        return std::nullopt;
  } else if (auto extract = yielded.getDefiningOp<tensor::ExtractOp>()) {
    sourceValue = extract.getTensor();
    for (Value index : extract.getIndices())
      if (!addIndex(getLinear(index, loops)))
        return std::nullopt;
  } else {
    return std::nullopt;
  }
  const Elements *source = isa<RankedTensorType>(sourceValue.getType())
                               ? evaluate(sourceValue, depth)
                               : nullptr;
  if (!source)
    return std::nullopt;
  std::optional<Elements> result = allocate(type);
  if (!result || result->bytes.empty())
    return result;
  std::optional<Linear> from = linearize(indices, source->shape, sizes);
  if (!from)
    return std::nullopt;
  Linear to = makeConstant(0, loops);
  SmallVector<int64_t> strides = rowMajorStrides(type.getShape());
  for (auto [stride, expr] : llvm::zip_equal(strides, outMap.getResults()))
    to.factors[cast<AffineDimExpr>(expr).getPosition()] = stride;
  copy({sizes, *from, to}, getWidth(type), source->bytes.data(),
       result->bytes.data());
  return result;
}

const Elements *Evaluator::evaluate(Value value, unsigned depth) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Operation *op = value.getDefiningOp();
  if (!op || !type || !type.hasStaticShape() || depth > maxDepth ||
      !type.getElementType().isIntOrFloat() ||
      type.getElementTypeBitWidth() == 1)
    return nullptr;
  if (auto it = known.find(value); it != known.end())
    return it->second.get();
  std::optional<Elements> result =
      TypeSwitch<Operation *, std::optional<Elements>>(op)
          .Case([&](arith::ConstantOp constant) {
            return evaluateConstant(constant);
          })
          .Case([&](UnpackOp unpack) { return evaluateUnpack(unpack); })
          .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp,
                tensor::ReshapeOp>([&](Operation *reshape) {
            return evaluateReshape(reshape, depth + 1);
          })
          .Case([&](tensor::ExtractSliceOp slice) {
            return evaluateSlice(slice, depth + 1);
          })
          .Case([&](tensor::PadOp pad) { return evaluatePad(pad, depth + 1); })
          .Case([&](tensor::ConcatOp concat) {
            return evaluateConcat(concat, depth + 1);
          })
          .Case([&](linalg::LinalgOp linalgOp) {
            return evaluateLinalg(linalgOp, depth + 1);
          })
          .Default([](Operation *) { return std::nullopt; });
  return (known[value] =
              result ? std::make_unique<Elements>(std::move(*result)) : nullptr)
      .get();
}

//===----------------------------------------------------------------------===//
// Replacement
//===----------------------------------------------------------------------===//

void quant_mlir::eraseDead(Operation *op,
                           SmallPtrSetImpl<Operation *> *erased) {
  llvm::SetVector<Operation *> candidates;
  candidates.insert(op);
  while (!candidates.empty()) {
    Operation *dead = candidates.pop_back_val();
    if (!isOpTriviallyDead(dead))
      continue;
    // An op that is used twice becomes a candidate again with the second use.
    dead->walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        if (Operation *def = operand.getDefiningOp();
            def && !dead->isAncestor(def))
          candidates.insert(def);
    });
    if (erased)
      erased->insert(dead);
    dead->erase();
  }
}

Value quant_mlir::foldConstantMoves(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<arith::ConstantOp, UnpackOp>(op))
    return {};
  Evaluator evaluator;
  const Elements *elements = evaluator.evaluate(value);
  if (!elements)
    return {};
  auto type = cast<RankedTensorType>(value.getType());
  OpBuilder builder(op);
  Value folded;
  if (type.getElementTypeBitWidth() < 8) {
    std::vector<uint8_t> codes(elements->bytes.begin(), elements->bytes.end());
    folded = makeCodes(builder, op->getLoc(), type, codes, "weight");
  } else {
    folded = arith::ConstantOp::create(
        builder, op->getLoc(), makeElements(type, elements->bytes, "weight"));
  }
  value.replaceAllUsesWith(folded);
  eraseDead(op);
  return folded;
}

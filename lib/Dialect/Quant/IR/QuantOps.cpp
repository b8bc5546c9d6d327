//===- QuantOps.cpp - Verifiers and folders of our quant ops --------------===//

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Quantize and dequantize
//===----------------------------------------------------------------------===//

/// Shape that operands with parameters must have; -1 sizes give 1, a split
/// dynamic dimension gives a dynamic one.
static SmallVector<int64_t> operandShape(GranularityAttrInterface granularity,
                                         ArrayRef<int64_t> shape,
                                         ArrayRef<int64_t> sizes) {
  if (isa<PerTensorAttr>(granularity))
    return {};
  SmallVector<int64_t> result;
  for (auto [dim, size] : llvm::zip_equal(shape, sizes)) {
    if (size == -1)
      result.push_back(1);
    else if (ShapedType::isDynamic(dim))
      result.push_back(size == 1 ? dim : ShapedType::kDynamic);
    else
      result.push_back(llvm::divideCeil(dim, size));
  }
  return result;
}

/// What quantize and dequantize have in common: `expressed` and `stored` are
/// the types of the two sides.
template <typename OpTy>
static LogicalResult verifyConversion(OpTy op, RankedTensorType expressed,
                                      RankedTensorType stored) {
  AffineAttr params = op.getParams();
  auto emitError = [&] { return op.emitOpError(); };
  if (stored.getElementType() != params.getStorageElementType())
    return op.emitOpError()
           << "expected codes of type " << params.getStorageElementType()
           << ", the storage type of the parameters, found "
           << stored.getElementType();
  if (expressed.getShape() != stored.getShape())
    return op.emitOpError() << "expected values and codes of one shape, found "
                            << expressed << " and " << stored;
  if (failed(params.verifyForShape(expressed.getShape(), emitError)))
    return failure();

  Value scale = op.getScale();
  Value zeroPoint = op.getZeroPoint();
  if (!scale && !params.getScale())
    return op.emitOpError() << "expected a scale, found none: give it in the "
                               "parameters or as an operand";
  if (scale && params.getScale())
    return op.emitOpError()
           << "expected one scale, found one in the parameters "
              "and one as an operand: drop either";
  if (zeroPoint && !scale)
    return op.emitOpError() << "expected a scale operand beside the zero point "
                               "operand, found none: give both as operands or "
                               "both in the parameters";
  if (!scale)
    return success();
  auto scaleType = cast<RankedTensorType>(scale.getType());
  bool isInteger = numerics::isInteger(params.getStorage());
  if (zeroPoint && !isInteger)
    return op.emitOpError()
           << "floating-point storage is symmetric: expected a "
              "scale only, found a zero point";
  if (zeroPoint && params.getStorage() == numerics::StorageType::Int32)
    return op.emitOpError() << "int32 storage is for biases: expected a scale "
                               "only, found a zero point";
  bool isE8M0 = isa<Float8E8M0FNUType>(scaleType.getElementType());
  if (isInteger && isE8M0)
    return op.emitOpError()
           << "f8E8M0FNU scales are for floating-point storage: "
              "expected f32, f16 or bf16 scales";
  if (params.getStorage() == numerics::StorageType::Float4E2M1FN && !isE8M0)
    return op.emitOpError() << "float4_e2m1fn expects f8E8M0FNU scales, found "
                            << scaleType.getElementType();
  FailureOr<SmallVector<int64_t>> sizes =
      params.getGranularity().getBlockSizes(expressed.getShape(), emitError);
  if (failed(sizes))
    return failure();
  SmallVector<int64_t> expected =
      operandShape(params.getGranularity(), expressed.getShape(), *sizes);
  auto verifyOperand = [&](Value operand, StringRef what) -> LogicalResult {
    auto type = cast<RankedTensorType>(operand.getType());
    if (succeeded(verifyCompatibleShape(type.getShape(), expected)))
      return success();
    return op.emitOpError()
           << "expected a " << what << " operand of type "
           << RankedTensorType::get(expected, type.getElementType())
           << " for granularity " << params.getGranularity() << ", found "
           << type;
  };
  if (failed(verifyOperand(scale, "scale")))
    return failure();
  return zeroPoint ? verifyOperand(zeroPoint, "zero point") : success();
}

LogicalResult QuantizeOp::verify() {
  return verifyConversion(*this, cast<RankedTensorType>(getInput().getType()),
                          cast<RankedTensorType>(getOutput().getType()));
}

LogicalResult DequantizeOp::verify() {
  return verifyConversion(*this, cast<RankedTensorType>(getOutput().getType()),
                          cast<RankedTensorType>(getInput().getType()));
}

/// Whether a scalar, or every element of a constant tensor, is a code in the
/// range in use.
static bool isInRange(Attribute attr, AffineAttr params) {
  numerics::CodeRange range = params.getRange();
  auto contains = [&](double code) {
    return code >= range.min && code <= range.max;
  };
  if (auto integer = dyn_cast<IntegerAttr>(attr)) {
    const APInt &code = integer.getValue();
    return contains(numerics::isSignedInteger(params.getStorage())
                        ? double(code.getSExtValue())
                        : double(code.getZExtValue()));
  }
  if (auto floating = dyn_cast<FloatAttr>(attr))
    return contains(floating.getValueAsDouble());
  auto elements = dyn_cast<DenseElementsAttr>(attr);
  if (!elements)
    return false;
  if (elements.isSplat())
    return isInRange(elements.getSplatValue<Attribute>(), params);
  return llvm::all_of(elements.getValues<Attribute>(), [&](Attribute element) {
    return isInRange(element, params);
  });
}

/// Whether every code of `codes` is surely in the range in use: every bit
/// pattern of an integer type with its full range is, and so is what a quantize
/// of the same range gives, moved or not. The 8-bit floats have NaN, and one of
/// them Inf.
static bool areCodesInRange(Value codes, AffineAttr params) {
  numerics::StorageType storage = params.getStorage();
  bool hasOnlyFiniteCodes = numerics::isInteger(storage) ||
                            storage == numerics::StorageType::Float4E2M1FN;
  if (hasOnlyFiniteCodes && params.getRange() == numerics::fullRange(storage))
    return true;
  llvm::SetVector<Value> origins;
  origins.insert(codes);
  for (unsigned i = 0; i < origins.size(); ++i) {
    Operation *op = origins[i].getDefiningOp();
    if (!op)
      return false;
    Attribute constant;
    if (auto producer = dyn_cast<QuantizeOp>(op)) {
      if (producer.getParams().getStorage() != storage ||
          producer.getParams().getRange() != params.getRange())
        return false;
    } else if (matchPattern(op, m_Constant(&constant))) {
      if (!isInRange(constant, params))
        return false;
    } else if (auto fill = dyn_cast<linalg::FillOp>(op)) {
      origins.insert(fill.getInputs().front());
    } else {
      auto move = dyn_cast<QuantizableOpInterface>(op);
      if (!move || move.getValueEffect() != ValueEffect::Moves)
        return false;
      for (OpOperand *source : move.getValueSources())
        origins.insert(source->get());
      if (auto pad = dyn_cast<tensor::PadOp>(op)) {
        Value padding = pad.getConstantPaddingValue();
        if (!padding)
          return false;
        origins.insert(padding);
      }
    }
  }
  return true;
}

/// Whether quantize(dequantize(q)) is q for every code in the range in use, as
/// far as it can be told: a scale that is an operand is taken for one that
/// suits the expressed type.
static bool isRoundTripIdentity(QuantizeOp op) {
  AffineAttr params = op.getParams();
  // binary32 does not hold every int32.
  if (params.getStorage() == numerics::StorageType::Int32)
    return false;
  numerics::ExpressedType expressed =
      *getExpressedType(op.getInput().getType().getElementType());
  if (!op.getScale()) {
    numerics::TensorParams values = params.getTensorParams();
    return values.scales.empty() ? false
                                 : roundTripIsIdentity(values, expressed);
  }
  int32_t lo = 0, hi = 0;
  if (op.getZeroPoint()) {
    lo = static_cast<int32_t>(params.getQuantMin());
    hi = static_cast<int32_t>(params.getQuantMax());
  }
  return roundTripIsIdentity(params.getCodeFormat(), expressed, lo, hi);
}

/// quantize(dequantize(q)) with equal parameters
///   -> q
/// where every code comes back as itself, and none would be clamped.
OpFoldResult QuantizeOp::fold(FoldAdaptor) {
  auto dequantize = getInput().getDefiningOp<DequantizeOp>();
  if (!dequantize || dequantize.getScale() != getScale() ||
      dequantize.getZeroPoint() != getZeroPoint() ||
      !haveEqualContents(dequantize.getParams(), getParams()) ||
      dequantize.getInput().getType() != getType() ||
      !areCodesInRange(dequantize.getInput(), getParams()) ||
      !isRoundTripIdentity(*this))
    return {};
  return dequantize.getInput();
}

//===----------------------------------------------------------------------===//
// Dynamic range
//===----------------------------------------------------------------------===//

void DynamicRangeOp::build(OpBuilder &builder, OperationState &state,
                           Value input, SpecAttr spec) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(input.getType()).getShape();
  SmallVector<int64_t> sizes = *spec.getGranularity().getBlockSizes(
      shape, [&] { return mlir::emitError(state.location); });
  SmallVector<int64_t> params =
      operandShape(spec.getGranularity(), shape, sizes);
  Type scale = RankedTensorType::get(
      params, getFloatType(builder.getContext(), spec.getScaleType()));
  Type zeroPoint;
  if (numerics::hasZeroPoint(spec.getQuantSpec()))
    zeroPoint = RankedTensorType::get(params, builder.getI32Type());
  build(builder, state, scale, zeroPoint, input, spec);
}

/// The size of the blocks that `granularity` asks for: of several the largest,
/// the others being those of channels.
static std::optional<int64_t>
getBlockSize(GranularityAttrInterface granularity) {
  auto blocks = dyn_cast<PerBlockAttr>(granularity);
  if (!blocks || blocks.getSizes().empty())
    return std::nullopt;
  return *llvm::max_element(blocks.getSizes());
}

LogicalResult DynamicRangeOp::verify() {
  SpecAttr spec = getSpec();
  if (spec.getFormulation() == numerics::Formulation::MinVal)
    return emitOpError()
           << "minval is for weights: expected the formulation zp";
  if (spec.getCalibrator() != "static")
    return emitOpError()
           << "the range is that of the input at run time: expected "
              "no calibrator, found '"
           << spec.getCalibrator() << "'";
  if (std::optional<std::string> reason = numerics::checkBlockSize(
          spec.getQuantSpec(), getBlockSize(spec.getGranularity())))
    return emitOpError() << *reason;

  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(getInput().getType()).getShape();
  FailureOr<SmallVector<int64_t>> sizes =
      spec.getGranularity().getBlockSizes(shape, [&] { return emitOpError(); });
  if (failed(sizes))
    return failure();
  SmallVector<int64_t> expected =
      operandShape(spec.getGranularity(), shape, *sizes);
  auto verifyResult = [&](Value result, StringRef what,
                          Type element) -> LogicalResult {
    auto type = cast<RankedTensorType>(result.getType());
    if (type.getElementType() == element &&
        succeeded(verifyCompatibleShape(type.getShape(), expected)))
      return success();
    return emitOpError() << "expected a " << what << " of type "
                         << RankedTensorType::get(expected, element)
                         << " for its input and spec, found " << type;
  };
  if (failed(verifyResult(getScale(), "scale",
                          getFloatType(getContext(), spec.getScaleType()))))
    return failure();
  if (numerics::hasZeroPoint(spec.getQuantSpec()) != bool(getZeroPoint()))
    return emitOpError()
           << (getZeroPoint() ? "the zero point is always 0 here: expected a "
                                "scale only, found a zero point"
                              : "expected a zero point beside the scale, found "
                                "none: this storage and scheme need one");
  if (!getZeroPoint())
    return success();
  return verifyResult(getZeroPoint(), "zero point",
                      IntegerType::get(getContext(), 32));
}

//===----------------------------------------------------------------------===//
// Observe
//===----------------------------------------------------------------------===//

LogicalResult ObserveOp::verify() {
  SpecAttr spec = getSpec();
  if (getId().empty())
    return emitOpError()
           << "expected an id, found an empty one: name the value, "
              "such as \"conv1.out0\"";
  if (spec.getFormulation() == numerics::Formulation::MinVal)
    return emitOpError()
           << "minval is for weights: expected the formulation zp";
  auto type = cast<RankedTensorType>(getInput().getType());
  return success(succeeded(spec.getGranularity().getBlockSizes(
      type.getShape(), [&] { return emitOpError(); })));
}

//===----------------------------------------------------------------------===//
// Pack and unpack
//===----------------------------------------------------------------------===//

static LogicalResult verifyPacked(Operation *op, RankedTensorType codes,
                                  RankedTensorType packed, LayoutAttr layout) {
  unsigned width = codes.getElementTypeBitWidth();
  if (width > 8 && !layout.isPanels())
    return op->emitOpError() << "expected codes of at most 8 bits, found "
                             << codes.getElementType();
  if (!codes.hasStaticShape() || !packed.hasStaticShape())
    return op->emitOpError()
           << "expected static shapes, found " << codes << " and " << packed;
  if (layout.isPanels() && layout.getCodesType() != codes)
    return op->emitOpError() << "expected codes of the type that the layout "
                                "names, "
                             << layout.getCodesType() << ", found " << codes;
  int64_t size = layout.getPackedSize(codes);
  if (packed.getNumElements() != size)
    return op->emitOpError() << "expected " << size << " bytes for " << codes
                             << ", found " << packed;
  return success();
}

LogicalResult PackOp::verify() {
  return verifyPacked(*this, cast<RankedTensorType>(getInput().getType()),
                      cast<RankedTensorType>(getOutput().getType()),
                      getLayout());
}

LogicalResult UnpackOp::verify() {
  return verifyPacked(*this, cast<RankedTensorType>(getOutput().getType()),
                      cast<RankedTensorType>(getInput().getType()),
                      getLayout());
}

/// pack(unpack(p)) -> p with one layout, where every bit of p is part of a
/// code: packing makes all other bits 0, and those of p may be anything.
OpFoldResult PackOp::fold(FoldAdaptor) {
  auto unpack = getInput().getDefiningOp<UnpackOp>();
  auto codes = cast<RankedTensorType>(getInput().getType());
  if (!unpack || unpack.getLayout() != getLayout() ||
      unpack.getInput().getType() != getType() ||
      codes.getNumElements() * codes.getElementTypeBitWidth() !=
          8 * getType().getNumElements())
    return {};
  return unpack.getInput();
}

/// unpack(pack(q)) -> q with one layout.
OpFoldResult UnpackOp::fold(FoldAdaptor) {
  auto pack = getInput().getDefiningOp<PackOp>();
  if (!pack || pack.getLayout() != getLayout() ||
      pack.getInput().getType() != getType())
    return {};
  return pack.getInput();
}

#define GET_OP_CLASSES
#include "quant-mlir/Dialect/Quant/IR/QuantOps.cpp.inc"

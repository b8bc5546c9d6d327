//===- ElementArith.cpp - arith on one element or a vector of them --------===//

#include "quant-mlir/Conversion/Utils/ElementArith.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quant_mlir;

ElementArith::ElementArith(OpBuilder &builder, Location loc, Value like)
    : builder(builder), loc(loc), shape(dyn_cast<VectorType>(like.getType())) {}

Type ElementArith::typeOf(Type element) const {
  if (!shape)
    return element;
  return VectorType::get(shape.getShape(), element, shape.getScalableDims());
}

/// A constant of `type`, a splat where that is a vector.
static Value buildConstant(OpBuilder &builder, Location loc, Type type,
                           TypedAttr value) {
  if (auto vector = dyn_cast<VectorType>(type))
    value = DenseElementsAttr::get(vector, Attribute(value));
  return arith::ConstantOp::create(builder, loc, type, value);
}

Value ElementArith::intConstant(int64_t value, unsigned width) const {
  Type type = intType(width);
  APInt bits = APInt(64, value, /*isSigned=*/true).trunc(width);
  return buildConstant(builder, loc, typeOf(type),
                       IntegerAttr::get(type, bits));
}

Value ElementArith::floatConstant(double value, Type element) const {
  return buildConstant(builder, loc, typeOf(element),
                       FloatAttr::get(element, value));
}

Value ElementArith::extend(Value value, Type element) const {
  return value.getType() == typeOf(element)
             ? value
             : cast<arith::ExtSIOp>(element, value);
}

Value ElementArith::bitcast(Type element, Value value) const {
  Type type = typeOf(element);
  if (type == value.getType())
    return value;
  return arith::BitcastOp::create(builder, loc, type, value);
}

Value ElementArith::constantLike(int64_t value, Value like) const {
  return intConstant(
      value, getElementTypeOrSelf(like.getType()).getIntOrFloatBitWidth());
}

//===- ElementArith.h - arith on one element or a vector of them -*- C++
//-*-===//
//
// A thin builder in which the lowerings write their arithmetic once: every
// value is a scalar or a vector, and constants take the shape of the value they
// meet. No operation it makes carries fast-math flags, so each rounds on its
// own and none is contracted.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_UTILS_ELEMENTARITH_H
#define QUANT_MLIR_CONVERSION_UTILS_ELEMENTARITH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace quant_mlir {

class ElementArith {
public:
  /// `like` is a scalar or vector whose shape every value made here has.
  ElementArith(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value like);

  mlir::OpBuilder &getBuilder() const { return builder; }
  mlir::Location getLoc() const { return loc; }

  /// `element`, or a vector of it where the values are vectors.
  mlir::Type typeOf(mlir::Type element) const;
  mlir::Type f32() const { return builder.getF32Type(); }
  mlir::Type intType(unsigned width) const {
    return builder.getIntegerType(width);
  }

  /// Bits beyond the element's width must be 0 or copies of its sign.
  mlir::Value intConstant(int64_t value, unsigned width = 32) const;
  mlir::Value floatConstant(double value, mlir::Type element) const;
  mlir::Value floatConstant(double value) const {
    return floatConstant(value, f32());
  }

  /// A cast or bitcast `OpTy` to `element` in the values' shape.
  template <typename OpTy>
  mlir::Value cast(mlir::Type element, mlir::Value value) const {
    return OpTy::create(builder, loc, typeOf(element), value);
  }
  /// Extends by the sign; nothing where the type is already `element`'s.
  mlir::Value extend(mlir::Value value, mlir::Type element) const;
  /// Reinterprets; nothing where the type is already `element`'s.
  mlir::Value bitcast(mlir::Type element, mlir::Value value) const;

  mlir::Value add(mlir::Value a, mlir::Value b) const {
    return mlir::arith::AddIOp::create(builder, loc, a, b);
  }
  mlir::Value add(mlir::Value a, int64_t b) const {
    return add(a, constantLike(b, a));
  }
  mlir::Value sub(mlir::Value a, mlir::Value b) const {
    return mlir::arith::SubIOp::create(builder, loc, a, b);
  }
  mlir::Value sub(mlir::Value a, int64_t b) const {
    return sub(a, constantLike(b, a));
  }
  mlir::Value bitAnd(mlir::Value a, int64_t b) const {
    return mlir::arith::AndIOp::create(builder, loc, a, constantLike(b, a));
  }
  mlir::Value bitOr(mlir::Value a, mlir::Value b) const {
    return mlir::arith::OrIOp::create(builder, loc, a, b);
  }
  mlir::Value shl(mlir::Value a, int64_t b) const {
    return mlir::arith::ShLIOp::create(builder, loc, a, constantLike(b, a));
  }
  mlir::Value shr(mlir::Value a, int64_t b) const {
    return shr(a, constantLike(b, a));
  }
  mlir::Value shr(mlir::Value a, mlir::Value b) const {
    return mlir::arith::ShRUIOp::create(builder, loc, a, b);
  }
  mlir::Value addf(mlir::Value a, mlir::Value b) const {
    return mlir::arith::AddFOp::create(builder, loc, a, b);
  }
  mlir::Value subf(mlir::Value a, mlir::Value b) const {
    return mlir::arith::SubFOp::create(builder, loc, a, b);
  }
  mlir::Value mulf(mlir::Value a, mlir::Value b) const {
    return mlir::arith::MulFOp::create(builder, loc, a, b);
  }
  mlir::Value divf(mlir::Value a, mlir::Value b) const {
    return mlir::arith::DivFOp::create(builder, loc, a, b);
  }
  mlir::Value cmp(mlir::arith::CmpIPredicate predicate, mlir::Value a,
                  int64_t b) const {
    return mlir::arith::CmpIOp::create(builder, loc, predicate, a,
                                       constantLike(b, a));
  }
  mlir::Value cmp(mlir::arith::CmpFPredicate predicate, mlir::Value a,
                  mlir::Value b) const {
    return mlir::arith::CmpFOp::create(builder, loc, predicate, a, b);
  }
  mlir::Value select(mlir::Value condition, mlir::Value a,
                     mlir::Value b) const {
    return mlir::arith::SelectOp::create(builder, loc, condition, a, b);
  }

private:
  mlir::Value constantLike(int64_t value, mlir::Value like) const;

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::VectorType shape; ///< null for scalars
};

} // namespace quant_mlir

#endif // QUANT_MLIR_CONVERSION_UTILS_ELEMENTARITH_H

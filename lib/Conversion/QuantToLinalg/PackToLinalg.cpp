//===- PackToLinalg.cpp - Lower pack and unpack ---------------------------===//
//
// The canonical layout: element i of width w lies in bits (i*w) mod 8 upwards
// of byte floor(i*w/8). Widths divide 8, so no element crosses a byte.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"
#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;
using utils::IteratorType;

namespace {

/// The index of an element in row-major order, over the dimensions of `shape`.
AffineExpr getLinearIndex(OpBuilder &builder, ArrayRef<int64_t> shape) {
  AffineExpr index = builder.getAffineConstantExpr(0);
  for (auto [dim, size] : llvm::enumerate(shape))
    index = index * size + builder.getAffineDimExpr(dim);
  return index;
}

/// The same in the body of a linalg.generic.
Value buildLinearIndex(OpBuilder &builder, Location loc,
                       ArrayRef<int64_t> shape) {
  Value index;
  for (auto [dim, size] : llvm::enumerate(shape)) {
    Value position = linalg::IndexOp::create(builder, loc, dim);
    if (!index) {
      index = position;
      continue;
    }
    Value stride = arith::ConstantIndexOp::create(builder, loc, size);
    index = arith::MulIOp::create(builder, loc, index, stride);
    index = arith::AddIOp::create(builder, loc, index, position);
  }
  return index;
}

/// %q = quant.unpack %p <canonical> : tensor<?xi8> -> tensor<AxBxiW>
///   -> linalg.generic ins(%p at ((d0 * B + d1) floordiv (8 / W))) {
///        trunci (%byte >> (index mod (8 / W)) * W)
///      }
struct LowerUnpack : public OpRewritePattern<UnpackOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(UnpackOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getLayout().getKind() != "canonical")
      return rewriter.notifyMatchFailure(op, "layout is not canonical");
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getOutput().getType());
    Value init = tensor::EmptyOp::create(rewriter, loc, type, ValueRange());
    if (type.getNumElements() == 0) {
      rewriter.replaceOp(op, init);
      return success();
    }
    unsigned width = type.getElementTypeBitWidth();
    unsigned perByte = 8 / width;
    AffineExpr byte =
        getLinearIndex(rewriter, type.getShape()).floorDiv(perByte);
    SmallVector<AffineMap> maps{
        AffineMap::get(type.getRank(), 0, byte),
        rewriter.getMultiDimIdentityMap(type.getRank())};
    auto generic = linalg::GenericOp::create(
        rewriter, loc, type, op.getInput(), init, maps,
        SmallVector<IteratorType>(type.getRank(), IteratorType::parallel),
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          Value code = extract(builder, loc, args[0], type);
          linalg::YieldOp::create(builder, loc, code);
        });
    rewriter.replaceOp(op, generic);
    return success();
  }

private:
  /// The element of `byte` at the position of the current iteration.
  static Value extract(OpBuilder &builder, Location loc, Value byte,
                       RankedTensorType type) {
    ElementArith arith(builder, loc, byte);
    unsigned width = type.getElementTypeBitWidth();
    if (width < 8) {
      if (type.getNumElements() > 1) {
        Value index = buildLinearIndex(builder, loc, type.getShape());
        Value place =
            arith::IndexCastOp::create(builder, loc, arith.intType(8), index);
        // 8 / width is a power of two, and the low bits survive the cast.
        Value position = arith.bitAnd(place, 8 / width - 1);
        byte = arith.shr(byte, arith.shl(position, width == 4 ? 2 : 1));
      }
      byte = arith.cast<arith::TruncIOp>(arith.intType(width), byte);
    }
    return arith.bitcast(type.getElementType(), byte);
  }
};

/// %p = quant.pack %q <canonical> : tensor<AxBxiW> -> tensor<?xi8>
///   -> %flat = tensor.collapse_shape %q
///      linalg.generic outs(bytes) {
///        or over j < 8 / W of extui(%flat[index * 8 / W + j]) << j * W
///      }
struct LowerPack : public OpRewritePattern<PackOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getLayout().getKind() != "canonical")
      return rewriter.notifyMatchFailure(op, "layout is not canonical");
    Location loc = op.getLoc();
    auto codesType = cast<RankedTensorType>(op.getInput().getType());
    auto type = cast<RankedTensorType>(op.getOutput().getType());
    int64_t count = codesType.getNumElements();
    Value init = tensor::EmptyOp::create(rewriter, loc, type, ValueRange());
    if (count == 0) {
      rewriter.replaceOp(op, init);
      return success();
    }
    Value codes = flatten(rewriter, loc, op.getInput(), codesType);
    auto generic = linalg::GenericOp::create(
        rewriter, loc, type, ValueRange(), init,
        rewriter.getMultiDimIdentityMap(1), IteratorType::parallel,
        [&](OpBuilder &builder, Location loc, ValueRange) {
          Value byte = gather(builder, loc, codes, count,
                              codesType.getElementTypeBitWidth());
          linalg::YieldOp::create(builder, loc, byte);
        });
    rewriter.replaceOp(op, generic);
    return success();
  }

private:
  static Value flatten(OpBuilder &builder, Location loc, Value codes,
                       RankedTensorType type) {
    if (type.getRank() == 1)
      return codes;
    auto flat =
        RankedTensorType::get({type.getNumElements()}, type.getElementType());
    SmallVector<ReassociationIndices> groups;
    if (type.getRank() == 0)
      return tensor::ExpandShapeOp::create(builder, loc, flat, codes, groups);
    groups.emplace_back(llvm::to_vector(llvm::seq<int64_t>(type.getRank())));
    return tensor::CollapseShapeOp::create(builder, loc, flat, codes, groups);
  }

  /// The byte at the current iteration. Past the end of a last byte that is not
  /// full, the last code is read again, and its bits are dropped.
  static Value gather(OpBuilder &builder, Location loc, Value codes,
                      int64_t count, unsigned width) {
    int64_t perByte = 8 / width;
    bool isRagged = count % perByte != 0;
    Value index = linalg::IndexOp::create(builder, loc, 0);
    auto indexConstant = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(builder, loc, value);
    };
    if (perByte > 1)
      index =
          arith::MulIOp::create(builder, loc, index, indexConstant(perByte));
    Value byte;
    for (int64_t place = 0; place < perByte; ++place) {
      Value position = index;
      if (place)
        position =
            arith::AddIOp::create(builder, loc, index, indexConstant(place));
      Value last = isRagged && place ? indexConstant(count - 1) : Value();
      Value inside;
      if (last) {
        inside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule,
                                       position, last);
        position = arith::MinUIOp::create(builder, loc, position, last);
      }
      Value code = tensor::ExtractOp::create(builder, loc, codes, position);
      ElementArith arith(builder, loc, code);
      code = arith.bitcast(arith.intType(width), code);
      if (width < 8)
        code = arith.cast<arith::ExtUIOp>(arith.intType(8), code);
      if (inside)
        code = arith.select(inside, code, arith.intConstant(0, 8));
      if (place)
        code = arith.shl(code, place * width);
      byte = byte ? arith.bitOr(byte, code) : code;
    }
    return byte;
  }
};

} // namespace

void quant_mlir::populatePackToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerPack, LowerUnpack>(patterns.getContext());
}

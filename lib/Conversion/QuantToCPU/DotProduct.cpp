//===- DotProduct.cpp - The dot instruction of a target -------------------===//

#include "DotProduct.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

/// Instructions for one signedness of lhs get the other by a flipped top bit,
/// which moves codes by 128; widened codes are as they are.
static int32_t chooseLhsOffset(DotKind kind, bool isLhsSigned, bool isSwapped) {
  switch (kind) {
  case DotKind::AVX512VNNI:
  case DotKind::AVXVNNI:
    if (!isSwapped)
      return isLhsSigned ? 128 : 0;
    return isLhsSigned ? 0 : -128;
  case DotKind::NeonI8MM:
  case DotKind::NeonDotProd:
    return isLhsSigned ? 0 : -128;
  case DotKind::AVX2:
  case DotKind::Generic:
    return 0;
  }
  llvm_unreachable("a dot instruction");
}

bool quant_mlir::hasDotProduct(const CPUTarget &target) {
  return target.getDotKind() != DotKind::NeonI8MM;
}

DotProduct::DotProduct(const CPUTarget &target, bool isLhsSigned,
                       bool isRhsUnsigned)
    : kind(target.getDotKind()), isLhsSigned(isLhsSigned),
      isSwapped(isRhsUnsigned && target.isDotLhsUnsigned()),
      lanes(target.getLanes()), group(target.getDotGroup()),
      lhsOffset(chooseLhsOffset(kind, isLhsSigned, isSwapped)) {}

VectorType DotProduct::getSumType(Builder &builder) const {
  return VectorType::get({lanes}, builder.getI32Type());
}

/// A splat of `type`.
static Value buildSplat(KernelBuilder &kernel, VectorType type, int64_t value) {
  unsigned width = type.getElementTypeBitWidth();
  return arith::ConstantOp::create(
      kernel.builder, kernel.loc,
      DenseElementsAttr::get(type, APInt(width, value, false, true)));
}

/// Codes that are widened first: one or two, as one i32.
static Value loadWidened(KernelBuilder &kernel, const FlatOperand &lhs,
                         Value index, int64_t count, int64_t group,
                         bool isSigned) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Type i32 = builder.getI32Type();
  auto widen = [&](Type type, Value value) -> Value {
    if (isSigned)
      return arith::ExtSIOp::create(builder, loc, type, value);
    return arith::ExtUIOp::create(builder, loc, type, value);
  };
  if (group == 2 && count == 2) {
    Value pair = kernel.load(lhs, index, 2);
    Value wide = widen(VectorType::get({2}, builder.getIntegerType(16)), pair);
    Value word = vector::BitCastOp::create(builder, loc,
                                           VectorType::get({1}, i32), wide);
    return vector::ExtractOp::create(builder, loc, word, 0);
  }
  assert(count == 1 && "one code, or a pair");
  Value code = memref::LoadOp::create(builder, loc, lhs.base, index);
  if (group == 1)
    return widen(i32, code);
  Value wide = widen(builder.getIntegerType(16), code);
  return arith::ExtUIOp::create(builder, loc, i32, wide);
}

Value DotProduct::loadLhs(KernelBuilder &kernel, const FlatOperand &lhs,
                          Value index, int64_t count, int64_t before) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Type i32 = builder.getI32Type();
  auto words = VectorType::get({lanes}, i32);
  auto broadcast = [&](Value word) -> Value {
    return vector::BroadcastOp::create(builder, loc, words, word);
  };
  if (group < 4) {
    Value word =
        broadcast(loadWidened(kernel, lhs, index, count, group, isLhsSigned));
    if (group == 1)
      return word;
    return vector::BitCastOp::create(
        builder, loc, VectorType::get({lanes * 2}, builder.getIntegerType(16)),
        word);
  }

  auto loadWord = [&](Value from) -> Value {
    Value bytes = kernel.load(lhs, from, 4);
    Value word = vector::BitCastOp::create(builder, loc,
                                           VectorType::get({1}, i32), bytes);
    return vector::ExtractOp::create(builder, loc, word, 0);
  };
  Value word;
  if (count == 4) {
    word = broadcast(loadWord(index));
  } else if (before >= 4 - count) {
    // The four bytes that end where the run ends; those before it are shifted
    // out. Nothing is read beyond the buffer, and a shift can load and
    // broadcast.
    Value from =
        kernel.index(kernel.add(index, builder.getIndexAttr(count - 4)));
    word = arith::ShRUIOp::create(builder, loc, broadcast(loadWord(from)),
                                  buildSplat(kernel, words, 8 * (4 - count)));
  } else {
    Value sum;
    for (int64_t i = 0; i < count; ++i) {
      Value at = kernel.index(kernel.add(index, builder.getIndexAttr(i)));
      Value byte = arith::ExtUIOp::create(
          builder, loc, i32,
          memref::LoadOp::create(builder, loc, lhs.base, at));
      if (i > 0)
        byte = arith::ShLIOp::create(
            builder, loc, byte,
            arith::ConstantIntOp::create(builder, loc, i32, 8 * i));
      sum =
          i == 0 ? byte : Value(arith::OrIOp::create(builder, loc, sum, byte));
    }
    word = broadcast(sum);
  }
  if (lhsOffset != 0)
    word = arith::XOrIOp::create(
        builder, loc, word,
        buildSplat(kernel, words, int32_t(0x80808080u >> (8 * (4 - count)))));
  return vector::BitCastOp::create(
      builder, loc, VectorType::get({lanes * 4}, builder.getI8Type()), word);
}

Value DotProduct::loadRhs(KernelBuilder &kernel, Value rhs, Value index) const {
  OpBuilder &builder = kernel.builder;
  return vector::LoadOp::create(
      builder, kernel.loc,
      VectorType::get({lanes * group}, builder.getI8Type()), rhs,
      ValueRange(index));
}

Value DotProduct::unpackRhs(KernelBuilder &kernel, Value bytes, unsigned width,
                            int64_t number) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  auto type = cast<VectorType>(bytes.getType());
  if (number > 0)
    bytes = arith::ShRUIOp::create(builder, loc, bytes,
                                   buildSplat(kernel, type, number * width));
  if (width * (number + 1) < 8)
    bytes = arith::AndIOp::create(builder, loc, bytes,
                                  buildSplat(kernel, type, (1 << width) - 1));
  if (group >= 4)
    return bytes;
  return arith::ExtSIOp::create(
      builder, loc, type.clone(builder.getIntegerType(group == 2 ? 16 : 32)),
      bytes);
}

Value DotProduct::sumLhs(KernelBuilder &kernel, const FlatOperand &lhs,
                         Value index, int64_t count) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  int64_t width = lanes * group;
  auto bytes = VectorType::get({width}, builder.getI8Type());
  unsigned bits = group >= 4 ? 8 : group == 2 ? 16 : 32;
  Value ones = buildSplat(kernel, bytes.clone(builder.getIntegerType(bits)), 1);
  // Codes beyond the last are 0, and stay so where the others are moved.
  auto add = [&](Value sum, Value codes, int64_t count) -> Value {
    if (lhsOffset != 0) {
      SmallVector<int8_t> flips(width, 0);
      std::fill_n(flips.begin(), count, int8_t(-128));
      Value flip = arith::ConstantOp::create(
          builder, loc, DenseElementsAttr::get(bytes, ArrayRef(flips)));
      codes = arith::XOrIOp::create(builder, loc, codes, flip);
    }
    if (group < 4) {
      auto wide = cast<VectorType>(ones.getType());
      codes = isLhsSigned
                  ? Value(arith::ExtSIOp::create(builder, loc, wide, codes))
                  : Value(arith::ExtUIOp::create(builder, loc, wide, codes));
    }
    return build(kernel, sum, codes, ones);
  };
  Value sum = arith::ConstantOp::create(
      builder, loc, builder.getZeroAttr(getSumType(builder)));
  if (int64_t whole = count / width)
    sum = kernel.forCarry(
        builder.getIndexAttr(0), builder.getIndexAttr(whole), sum,
        [&](Value iv, ValueRange inits) {
          Value at = kernel.index(
              kernel.add(index, kernel.mul(iv, builder.getIndexAttr(width))));
          return SmallVector<Value>{
              add(inits[0], kernel.load(lhs, at, width), width)};
        })[0];
  if (int64_t rest = count % width) {
    Value at =
        kernel.index(kernel.add(index, builder.getIndexAttr(count - rest)));
    auto mask = vector::ConstantMaskOp::create(builder, loc,
                                               bytes.clone(builder.getI1Type()),
                                               ArrayRef<int64_t>(rest));
    Value codes = vector::MaskedLoadOp::create(builder, loc, bytes, lhs.base,
                                               ValueRange(at), mask,
                                               buildSplat(kernel, bytes, 0));
    sum = add(sum, codes, rest);
  }
  return vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD,
                                     sum);
}

Value DotProduct::build(KernelBuilder &kernel, Value sum, Value lhs,
                        Value rhs) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  auto call = [&](StringRef name, ValueRange operands) -> Value {
    return LLVM::CallIntrinsicOp::create(builder, loc, sum.getType(),
                                         builder.getStringAttr(name), operands)
        .getResult(0);
  };
  switch (kind) {
  case DotKind::AVX512VNNI:
    return call("llvm.x86.avx512.vpdpbusd.512",
                {sum, isSwapped ? rhs : lhs, isSwapped ? lhs : rhs});
  case DotKind::AVXVNNI:
    return call("llvm.x86.avx512.vpdpbusd.256",
                {sum, isSwapped ? rhs : lhs, isSwapped ? lhs : rhs});
  case DotKind::AVX2:
    return arith::AddIOp::create(builder, loc, sum,
                                 call("llvm.x86.avx2.pmadd.wd", {lhs, rhs}));
  case DotKind::NeonDotProd:
    return call("llvm.aarch64.neon.sdot.v4i32.v16i8", {sum, rhs, lhs});
  case DotKind::NeonI8MM:
  case DotKind::Generic:
    return arith::AddIOp::create(builder, loc, sum,
                                 arith::MulIOp::create(builder, loc, lhs, rhs));
  }
  llvm_unreachable("a dot instruction");
}

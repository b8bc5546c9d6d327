//===- CodeRegisters.cpp - Four registers of values as one of codes -------===//
//
// x86 packs two registers into one with saturation, lane of 16 bytes by lane:
// first to i16, where the zero point is added, then to bytes. Saturation does
// most of the clamping: only what is too large is clamped before it is rounded,
// because the conversion to integers makes the least one of it; what is too
// small, or no number, is made the least code either way.
//
// Elsewhere every register becomes codes of its own, which are then put
// together.
//
//===----------------------------------------------------------------------===//

#include "CodeRegisters.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

namespace {
/// Instructions of x86 on registers of `lanes` f32.
class X86Packing {
public:
  X86Packing(KernelBuilder &kernel, int64_t lanes)
      : kernel(kernel), lanes(lanes) {}

  /// Half to even, as the processor is set to.
  Value round(Value value) const {
    OpBuilder &builder = kernel.builder;
    VectorType type = getType(32);
    if (lanes == 4)
      return call("sse2.cvtps2dq", type, value);
    if (lanes == 8)
      return call("avx.cvt.ps2dq.256", type, value);
    Value none = arith::ConstantOp::create(builder, kernel.loc,
                                           builder.getZeroAttr(type));
    Value all = LLVM::ConstantOp::create(builder, kernel.loc,
                                         builder.getI16IntegerAttr(-1));
    Value current = LLVM::ConstantOp::create(builder, kernel.loc,
                                             builder.getI32IntegerAttr(4));
    return call("avx512.mask.cvtps2dq.512", type, {value, none, all, current});
  }
  /// From elements of `width` bits, signed, to half of them.
  Value pack(Value a, Value b, unsigned width, bool isSigned) const {
    std::string name = lanes == 4 ? "sse2." : lanes == 8 ? "avx2." : "avx512.";
    name += width == 32 ? "packssdw" : isSigned ? "packsswb" : "packuswb";
    if (lanes != 8)
      name += lanes == 4 ? ".128" : ".512";
    return call(name, getType(width / 2), {a, b});
  }

private:
  /// A register of integers.
  VectorType getType(unsigned width) const {
    return VectorType::get({lanes * 32 / width},
                           kernel.builder.getIntegerType(width));
  }
  Value call(StringRef name, VectorType type, ValueRange operands) const {
    return LLVM::CallIntrinsicOp::create(
               kernel.builder, kernel.loc, type,
               kernel.builder.getStringAttr("llvm.x86." + name), operands)
        .getResult(0);
  }

  KernelBuilder &kernel;
  int64_t lanes;
};
} // namespace

static Value buildPacked(KernelBuilder &kernel, ArrayRef<Value> values,
                         int32_t zeroPoint, numerics::CodeRange range,
                         bool isSigned, bool areSmall) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  int64_t lanes = cast<VectorType>(values[0].getType()).getNumElements();
  X86Packing packing(kernel, lanes);
  SmallVector<Value> rounded;
  for (Value value : values) {
    if (areSmall) {
      rounded.push_back(packing.round(value));
      continue;
    }
    ElementArith arith(builder, loc, value);
    Value high = arith.floatConstant(range.max - zeroPoint);
    Value isLarge = arith::CmpFOp::create(
        builder, loc, arith::CmpFPredicate::OLT, high, value);
    rounded.push_back(packing.round(
        arith::SelectOp::create(builder, loc, isLarge, high, value)));
  }
  SmallVector<Value> halves;
  for (int i : {0, 2}) {
    Value half = packing.pack(rounded[i], rounded[i + 1], 32, true);
    auto type = cast<VectorType>(half.getType());
    if (zeroPoint != 0) {
      Value zeros = arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(type,
                                 APInt(16, zeroPoint, /*isSigned=*/true)));
      half = LLVM::SAddSat::create(builder, loc, half, zeros);
    }
    halves.push_back(half);
  }
  Value codes = packing.pack(halves[0], halves[1], 16, isSigned);
  // What packing saturates to is the range of the type.
  auto bound = [&](double code) {
    return ElementArith(builder, loc, codes)
        .intConstant(int8_t(int32_t(code)), 8);
  };
  if (areSmall && range.max < (isSigned ? 127 : 255))
    codes = isSigned ? Value(arith::MinSIOp::create(builder, loc, codes,
                                                    bound(range.max)))
                     : Value(arith::MinUIOp::create(builder, loc, codes,
                                                    bound(range.max)));
  if (range.min > (isSigned ? -128 : 0))
    codes = isSigned ? Value(arith::MaxSIOp::create(builder, loc, codes,
                                                    bound(range.min)))
                     : Value(arith::MaxUIOp::create(builder, loc, codes,
                                                    bound(range.min)));
  return codes;
}

Value quant_mlir::buildInterleavedCodes(KernelBuilder &kernel,
                                        const CPUTarget &target,
                                        ArrayRef<Value> values,
                                        int32_t zeroPoint,
                                        numerics::CodeRange range,
                                        bool isSigned, bool areSmall) {
  assert(values.size() == 4 && "four registers");
  if (target.hasFeature("avx2"))
    return buildPacked(kernel, values, zeroPoint, range, isSigned, areSmall);
  SmallVector<Value> codes;
  for (Value value : values)
    codes.push_back(
        buildRequantize(ElementArith(kernel.builder, kernel.loc, value), value,
                        zeroPoint, range));
  int64_t lanes = cast<VectorType>(codes[0].getType()).getNumElements();
  auto shuffle = [&](Value a, Value b, ArrayRef<int64_t> mask) -> Value {
    return vector::ShuffleOp::create(kernel.builder, kernel.loc, a, b, mask);
  };
  SmallVector<int64_t> pair, all;
  for (int64_t i = 0; i < 2 * lanes; ++i)
    pair.push_back(i);
  // Place c has element 4 * k + e of register j.
  for (int64_t c = 0; c < 4 * lanes; ++c) {
    int64_t k = c / 16, j = c % 16 / 4, e = c % 4;
    all.push_back(j * lanes + 4 * k + e);
  }
  return shuffle(shuffle(codes[0], codes[1], pair),
                 shuffle(codes[2], codes[3], pair), all);
}

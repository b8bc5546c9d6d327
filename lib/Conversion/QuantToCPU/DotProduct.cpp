//===- DotProduct.cpp - The dot instruction of a target -------------------===//
//
// The instruction, and registers of accumulators. Its operands come from
// DotOperands.cpp.
//
//===----------------------------------------------------------------------===//

#include "DotProduct.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
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
  case DotKind::NeonDotProd:
    return isLhsSigned ? 0 : -128;
  case DotKind::NeonI8MM: // has an instruction for either
  case DotKind::AVX2:
  case DotKind::Generic:
    return 0;
  }
  llvm_unreachable("a dot instruction");
}

DotProduct::DotProduct(const CPUTarget &target, bool isLhsSigned,
                       bool isRhsUnsigned, bool isLhsShared)
    : kind(target.getDotKind()), hasFMA(target.hasFMA()),
      isLhsSigned(isLhsSigned),
      isSwapped(isRhsUnsigned && target.isDotLhsUnsigned()),
      lanes(target.getLanes()),
      group(isLhsShared ? target.getDotGroup() : target.getDepthwiseGroup()),
      rows(isLhsShared ? target.getDotRows() : 1),
      lhsOffset(chooseLhsOffset(kind, isLhsSigned, isSwapped)) {}

DotProduct::DotProduct(const CPUTarget &target)
    : kind(target.getDotKind()), isOfValues(true), hasFMA(target.hasFMA()),
      isLhsSigned(true), isSwapped(false), lanes(target.getLanes()), group(1),
      rows(1), lhsOffset(0) {}

VectorType DotProduct::getSumType(Builder &builder) const {
  return VectorType::get({lanes}, isOfValues ? Type(builder.getF32Type())
                                             : builder.getI32Type());
}

Value DotProduct::multiplyAdd(KernelBuilder &kernel, Value a, Value b,
                              Value sum) const {
  // Not vector.fma, which compilers may take apart, and quant-run's does.
  if (hasFMA)
    return math::FmaOp::create(kernel.builder, kernel.loc, a, b, sum);
  return arith::AddFOp::create(
      kernel.builder, kernel.loc, sum,
      arith::MulFOp::create(kernel.builder, kernel.loc, a, b));
}

Value DotProduct::build(KernelBuilder &kernel, Value sum, Value lhs,
                        Value rhs) const {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  if (isOfValues)
    return multiplyAdd(kernel, lhs, rhs, sum);
  auto call = [&](StringRef name, ValueRange operands) -> Value {
    return LLVM::CallIntrinsicOp::create(builder, loc, sum.getType(),
                                         builder.getStringAttr(name), operands)
        .getResult(0);
  };
  switch (kind) {
  case DotKind::AVX512VNNI:
  case DotKind::AVXVNNI: {
    std::string name = ("llvm.x86.avx512.vpdpbusd." + Twine(32 * lanes)).str();
    return call(name, {sum, isSwapped ? rhs : lhs, isSwapped ? lhs : rhs});
  }
  case DotKind::AVX2:
    return arith::AddIOp::create(builder, loc, sum,
                                 call("llvm.x86.avx2.pmadd.wd", {lhs, rhs}));
  case DotKind::NeonDotProd:
    return call("llvm.aarch64.neon.sdot.v4i32.v16i8", {sum, rhs, lhs});
  case DotKind::NeonI8MM:
    if (rows == 1)
      return isLhsSigned
                 ? call("llvm.aarch64.neon.sdot.v4i32.v16i8", {sum, lhs, rhs})
                 : call("llvm.aarch64.neon.usdot.v4i32.v16i8", {sum, lhs, rhs});
    return isLhsSigned
               ? call("llvm.aarch64.neon.smmla.v4i32.v16i8", {sum, lhs, rhs})
               : call("llvm.aarch64.neon.usmmla.v4i32.v16i8", {sum, lhs, rhs});
  case DotKind::Generic:
    return arith::AddIOp::create(builder, loc, sum,
                                 arith::MulIOp::create(builder, loc, lhs, rhs));
  }
  llvm_unreachable("a dot instruction");
}

/// Two registers of two rows of four columns, or of two columns of each row:
/// the halves of one are beside each other in the other.
///
///   [a0 a1 a2 a3] [b0 b1 b2 b3] <-> [a0 a1 b0 b1] [a2 a3 b2 b3]
static std::pair<Value, Value> exchangeHalves(KernelBuilder &kernel, Value a,
                                              Value b) {
  auto shuffle = [&](ArrayRef<int64_t> mask) -> Value {
    return vector::ShuffleOp::create(kernel.builder, kernel.loc, a, b, mask);
  };
  return {shuffle({0, 1, 4, 5}), shuffle({2, 3, 6, 7})};
}

Value DotProduct::addRhs(KernelBuilder &kernel, Value sum, Value rhs) const {
  OpBuilder &builder = kernel.builder;
  auto buildOnes = [&](Type type) -> Value {
    return arith::ConstantOp::create(builder, kernel.loc,
                                     builder.getOneAttr(type));
  };
  if (rows == 1)
    return build(kernel, sum, buildOnes(rhs.getType()), rhs);
  // An accumulator has fewer columns than a row, and each of them twice.
  int64_t size = getColumns() * group;
  Value zero = arith::ConstantOp::create(
      builder, kernel.loc, builder.getZeroAttr(getSumType(builder)));
  SmallVector<Value> parts;
  for (int64_t i = 0; i < rows; ++i) {
    Value part = vector::ExtractStridedSliceOp::create(
        builder, kernel.loc, rhs, ArrayRef<int64_t>(i * size),
        ArrayRef<int64_t>(size), ArrayRef<int64_t>(1));
    parts.push_back(build(kernel, zero, buildOnes(part.getType()), part));
  }
  return arith::AddIOp::create(
      builder, kernel.loc, sum,
      exchangeHalves(kernel, parts[0], parts[1]).first);
}

SmallVector<Value> DotProduct::toAccumulators(KernelBuilder &kernel,
                                              ValueRange registers,
                                              int64_t count) const {
  if (rows == 1)
    return SmallVector<Value>(registers);
  SmallVector<Value> accumulators;
  int64_t perRow = registers.size() / count;
  for (int64_t row = 0; row < count; row += rows)
    for (int64_t reg = 0; reg < perRow; ++reg) {
      // The sums of a row alone are those of both.
      int64_t second = std::min(row + 1, count - 1);
      auto [low, high] = exchangeHalves(kernel, registers[row * perRow + reg],
                                        registers[second * perRow + reg]);
      accumulators.append({low, high});
    }
  return accumulators;
}

SmallVector<Value> DotProduct::toRows(KernelBuilder &kernel,
                                      ValueRange accumulators,
                                      int64_t count) const {
  if (rows == 1)
    return SmallVector<Value>(accumulators);
  int64_t perRow = accumulators.size() / (rows * llvm::divideCeil(count, rows));
  SmallVector<Value> registers(count * perRow);
  for (int64_t row = 0; row < count; row += rows)
    for (int64_t reg = 0; reg < perRow; ++reg) {
      int64_t first = row * perRow + 2 * reg;
      auto [one, other] =
          exchangeHalves(kernel, accumulators[first], accumulators[first + 1]);
      registers[row * perRow + reg] = one;
      if (row + 1 < count)
        registers[(row + 1) * perRow + reg] = other;
    }
  return registers;
}

bool DotProduct::hasPairs() const {
  return !isOfValues && (kind == DotKind::AVX512VNNI ||
                         kind == DotKind::AVXVNNI || kind == DotKind::AVX2);
}

Value DotProduct::multiplyPairs(KernelBuilder &kernel, Value x, Value y) const {
  OpBuilder &builder = kernel.builder;
  auto type = VectorType::get({2 * lanes}, builder.getIntegerType(16));
  auto toPairs = [&](Value words) -> Value {
    return vector::BitCastOp::create(builder, kernel.loc, type, words);
  };
  StringRef name =
      lanes == 16 ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd";
  return LLVM::CallIntrinsicOp::create(builder, kernel.loc, x.getType(),
                                       builder.getStringAttr(name),
                                       ValueRange{toPairs(x), toPairs(y)})
      .getResult(0);
}

Value DotProduct::addSums(KernelBuilder &kernel, Value a, Value b) const {
  if (isOfValues)
    return arith::AddFOp::create(kernel.builder, kernel.loc, a, b);
  return arith::AddIOp::create(kernel.builder, kernel.loc, a, b);
}

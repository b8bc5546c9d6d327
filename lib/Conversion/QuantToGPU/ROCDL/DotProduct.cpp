//===- DotProduct.cpp - Products of words of four codes -------------------===//
//
// v_dot4 of both architectures.
//
//===----------------------------------------------------------------------===//

#include "../StreamUnit.h"
#include "ROCDL.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"

using namespace mlir;
using namespace quant_mlir;

Value quant_mlir::buildDot(OpBuilder &builder, Location loc, bool mixesSigns,
                           Value lhs, Value rhs, Value sum, bool isLhsSigned) {
  assert((isLhsSigned || mixesSigns) && "a factor without signs");
  auto constant = [&](bool value) -> Value {
    return arith::ConstantIntOp::create(builder, loc, value, 1);
  };
  SmallVector<Value> arguments{lhs, rhs, sum, constant(false)};
  if (mixesSigns)
    arguments = {constant(isLhsSigned), lhs, constant(true), rhs, sum,
                 constant(false)};
  StringRef name = mixesSigns ? "llvm.amdgcn.sudot4" : "llvm.amdgcn.sdot4";
  return LLVM::CallIntrinsicOp::create(builder, loc, builder.getI32Type(),
                                       builder.getStringAttr(name),
                                       ValueRange(arguments))
      .getResult(0);
}

/// v_perm_b32, which LLVM does not make of shuffles of bytes; its first factor
/// has bytes 4 to 7.
Value quant_mlir::buildPermute(OpBuilder &builder, Location loc, Value a,
                               Value b, ArrayRef<int64_t> bytes) {
  int64_t selector = 0;
  for (int64_t byte : llvm::reverse(bytes))
    selector = selector << 8 | byte;
  Value which =
      arith::ConstantIntOp::create(builder, loc, int32_t(selector), 32);
  return LLVM::CallIntrinsicOp::create(
             builder, loc, builder.getI32Type(),
             builder.getStringAttr("llvm.amdgcn.perm"),
             ValueRange({b, a, which}))
      .getResult(0);
}

namespace {
class DotProduct : public StreamUnit {
public:
  using StreamUnit::StreamUnit;

  Value dot(Value lhs, Value rhs, Value sum, bool isLhsSigned) override {
    return buildDot(builder, loc, shape.mixesSigns, lhs, rhs, sum, isLhsSigned);
  }
  /// Addresses of a wave are in scalar registers, and what lies there is loaded
  /// into such.
  Value shareInWave(Value number) override {
    Type i32 = builder.getI32Type();
    Value word = arith::IndexCastOp::create(builder, loc, i32, number);
    return arith::IndexCastOp::create(
        builder, loc, builder.getIndexType(),
        ROCDL::ReadfirstlaneOp::create(builder, loc, i32, word));
  }
  Value permute(Value a, Value b, ArrayRef<int64_t> bytes) override {
    return buildPermute(builder, loc, a, b, bytes);
  }
};
} // namespace

std::unique_ptr<MatrixUnit>
quant_mlir::createWaveProduct(GPUBuilder &body, const GPUTarget &target,
                              MatrixShape shape) {
  shape.mixesSigns = target.isRDNA();
  return std::make_unique<DotProduct>(body, shape);
}

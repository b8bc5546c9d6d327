//===- DotProduct.cpp - Products of words of four codes -------------------===//
//
// v_dot4 of both architectures, for sums of codes and for few rows.
//
//===----------------------------------------------------------------------===//

#include "../StreamUnit.h"
#include "ROCDL.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

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

namespace {
class DotProduct : public StreamUnit {
public:
  using StreamUnit::StreamUnit;

  Value dot(Value lhs, Value rhs, Value sum, bool isLhsSigned) override {
    return buildDot(builder, loc, shape.mixesSigns, lhs, rhs, sum, isLhsSigned);
  }
};
} // namespace

std::unique_ptr<MatrixUnit>
quant_mlir::createWaveProduct(GPUBuilder &body, const GPUTarget &target,
                              int64_t tileColumns, int64_t rows,
                              int64_t chunks) {
  bool isRDNA = target.getArch().starts_with("gfx11");
  // A wave of 64 may be two groups.
  int64_t lanes = isRDNA ? 32 : std::min<int64_t>(64, tileColumns);
  return std::make_unique<DotProduct>(body, rows, lanes,
                                      target.getGroupSize() / lanes, chunks,
                                      /*mixesSigns=*/isRDNA);
}

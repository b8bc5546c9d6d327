//===- DotProduct.cpp - Products of words of four codes -------------------===//
//
// dp4a.
//
//===----------------------------------------------------------------------===//

#include "../StreamUnit.h"
#include "NVVM.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace quant_mlir;

namespace {
class DotProduct : public StreamUnit {
public:
  using StreamUnit::StreamUnit;

  Value dot(Value lhs, Value rhs, Value sum, bool isLhsSigned) override {
    auto bytes = VectorType::get({4}, builder.getIntegerType(8));
    auto toBytes = [&](Value word) -> Value {
      return LLVM::BitcastOp::create(builder, loc, bytes, word);
    };
    auto type = isLhsSigned ? NVVM::DotAccumulateType::SIGNED
                            : NVVM::DotAccumulateType::UNSIGNED;
    return NVVM::DotAccumulate4WayOp::create(
        builder, loc, builder.getI32Type(), toBytes(lhs), type, toBytes(rhs),
        NVVM::DotAccumulateType::SIGNED, sum);
  }
};
} // namespace

std::unique_ptr<MatrixUnit>
quant_mlir::createDotProduct(GPUBuilder &body, const MatrixShape &shape) {
  return std::make_unique<DotProduct>(body, shape);
}

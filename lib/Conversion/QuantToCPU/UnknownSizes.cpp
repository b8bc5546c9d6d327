//===- UnknownSizes.cpp - Numbers that are known, or are not --------------===//

#include "UnknownSizes.h"

using namespace mlir;
using namespace quant_mlir;

OpFoldResult quant_mlir::floorDivide(KernelBuilder &kernel, OpFoldResult size,
                                     int64_t step) {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return kernel.builder.getIndexAttr(*known / step);
  if (step == 1)
    return size;
  return arith::DivUIOp::create(kernel.builder, kernel.loc, kernel.index(size),
                                kernel.index(step))
      .getResult();
}

OpFoldResult quant_mlir::getRest(KernelBuilder &kernel, OpFoldResult size,
                                 int64_t step) {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return kernel.builder.getIndexAttr(*known % step);
  return arith::RemUIOp::create(kernel.builder, kernel.loc, kernel.index(size),
                                kernel.index(step))
      .getResult();
}

OpFoldResult quant_mlir::ceilDivide(KernelBuilder &kernel, OpFoldResult size,
                                    int64_t step) {
  if (step == 1)
    return size;
  return floorDivide(
      kernel, kernel.add(size, kernel.builder.getIndexAttr(step - 1)), step);
}

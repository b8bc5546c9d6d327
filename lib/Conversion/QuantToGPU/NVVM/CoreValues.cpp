//===- CoreValues.cpp - Values that tensor cores take ---------------------===//

#include "CoreValues.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

CodeValues::Values CoreValues::convertBytes(Value word, Type from) {
  auto bytes = VectorType::get({4}, builder.getIntegerType(8));
  Value all = LLVM::BitcastOp::create(builder, loc, bytes, word);
  Values pairs;
  for (int64_t first : {0, 2}) {
    Value two = vector::ShuffleOp::create(builder, loc, all, all,
                                          ArrayRef<int64_t>{first, first + 1});
    pairs.push_back(NVVM::ConvertF8x2ToF16x2Op::create(
        builder, loc, getPair(), two, builder.getBoolAttr(false),
        TypeAttr::get(from)));
  }
  return pairs;
}

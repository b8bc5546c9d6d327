//===- ParameterTensor.cpp - Constant parameters as inputs ----------------===//

#include "ParameterTensor.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;
using namespace quant_mlir;

/// Constants of more bytes than this become resources: the context keeps every
/// dense attribute to its end, and hashes all of it.
static constexpr size_t maxDenseBytes = 4096;

template <typename ResourceTy, typename T>
static Parameter<T> build(OpBuilder &builder, Location loc, StringRef name,
                          ArrayRef<int64_t> shape, Type element,
                          ArrayRef<T> values) {
  Parameter<T> result;
  if (values.empty())
    return result;
  result.present = true;
  bool isUniform = llvm::all_of(values, [&](const T &value) {
    return std::memcmp(&value, &values.front(), sizeof(T)) == 0;
  });
  if (isUniform) {
    result.constant = values.front();
    return result;
  }
  auto type = RankedTensorType::get(shape, element);
  TypedAttr attr;
  if (values.size() * sizeof(T) <= maxDenseBytes)
    attr = DenseElementsAttr::get(type, values);
  else
    attr = cast<TypedAttr>(Attribute(ResourceTy::get(
        type, name, HeapAsmResourceBlob::allocateAndCopyInferAlign(values))));
  result.input = arith::ConstantOp::create(builder, loc, type, attr);
  return result;
}

Parameter<float> quant_mlir::buildParameter(OpBuilder &builder, Location loc,
                                            StringRef name,
                                            ArrayRef<int64_t> shape,
                                            ArrayRef<float> values) {
  return build<DenseF32ResourceElementsAttr>(builder, loc, name, shape,
                                             builder.getF32Type(), values);
}

Parameter<int32_t> quant_mlir::buildParameter(OpBuilder &builder, Location loc,
                                              StringRef name,
                                              ArrayRef<int64_t> shape,
                                              ArrayRef<int32_t> values) {
  return build<DenseI32ResourceElementsAttr>(builder, loc, name, shape,
                                             builder.getI32Type(), values);
}

//===- WidenConstants.cpp - Constants of codes as bytes -------------------===//
//
// Builtin elements attributes hold an element narrower than a byte in a byte of
// its own, sign- or zero-extended by whoever made it; the bits above the width
// are cleared here.
//
//===----------------------------------------------------------------------===//

#include "WidenConstants.h"

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace quant_mlir;

ElementsAttr quant_mlir::widenElements(ElementsAttr elements,
                                       RankedTensorType type) {
  bool isSplat;
  std::optional<ArrayRef<char>> bytes = getRawBytes(elements, isSplat);
  if (!bytes)
    return {};
  unsigned width = elements.getElementType().getIntOrFloatBitWidth();
  uint8_t mask = 0xff >> (8 - width);
  auto resource = dyn_cast<DenseResourceElementsAttr>(elements);
  bool isClean =
      llvm::none_of(*bytes, [&](char byte) { return uint8_t(byte) & ~mask; });
  if (isClean && resource)
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (resource) {
    AsmResourceBlob blob =
        HeapAsmResourceBlob::allocateAndCopyInferAlign(*bytes);
    for (char &byte : blob.getMutableData())
      byte &= mask;
    DenseResourceElementsAttr cleared = DenseI8ResourceElementsAttr::get(
        type, resource.getRawHandle().getKey(), std::move(blob));
    return cleared;
  }
  if (isClean)
    return DenseElementsAttr::getFromRawBuffer(type, *bytes);
  SmallVector<char> cleared(*bytes);
  for (char &byte : cleared)
    byte &= mask;
  return DenseElementsAttr::getFromRawBuffer(type, cleared);
}

//===- ConstantCodes.cpp - The codes of constant weights ------------------===//

#include "ConstantCodes.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

std::string quant_mlir::getResourceName(ElementsAttr elements) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    return resource.getRawHandle().getKey().str();
  return "weights";
}

std::optional<ConstantCodes> quant_mlir::readCodes(Value rhs,
                                                   std::string &reason) {
  auto type = cast<RankedTensorType>(rhs.getType());
  auto unpack = rhs.getDefiningOp<UnpackOp>();
  ElementsAttr elements;
  if (!matchPattern(unpack ? unpack.getInput() : rhs, m_Constant(&elements)))
    return std::nullopt;
  bool isSplat;
  std::optional<ArrayRef<char>> bytes = getRawBytes(elements, isSplat);
  if (!bytes) {
    reason =
        "their elements are not in memory: a resource is missing, or of the "
        "wrong size";
    return std::nullopt;
  }
  ArrayRef<uint8_t> data(reinterpret_cast<const uint8_t *>(bytes->data()),
                         bytes->size());
  ConstantCodes result;
  result.name = getResourceName(elements);
  if (isSplat) {
    for (int64_t i = 0, e = elements.getNumElements(); i < e; ++i)
      result.storage.insert(result.storage.end(), data.begin(), data.end());
    data = result.storage;
  }
  if (unpack) {
    LayoutAttr layout = unpack.getLayout();
    std::vector<uint8_t> codes(
        type.getNumElements() *
        llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    // Bits above the width are not looked at, so signs do not matter.
    if (layout.isCanonical())
      numerics::unpackCodes(data.data(), codes.size(),
                            type.getElementTypeBitWidth(), false, codes.data());
    else
      numerics::unpackPanels(layout.getPanelLayout(), data.data(), false,
                             codes.data());
    result.storage = std::move(codes);
    data = result.storage;
  }
  result.codes = data;
  return result;
}

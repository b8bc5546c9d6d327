//===- PackConstants.cpp - Store sub-byte constants packed ----------------===//
//
// Constants of 2- and 4-bit codes to the canonical layout. Elements in memory
// take a byte each, whatever their width, so this is where a model becomes
// small on disk.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/Constants.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

namespace quant_mlir {
#define GEN_PASS_DEF_PACKCONSTANTSPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

/// Whether `type` holds codes of 2 or 4 bits.
static bool isSubByteCodes(RankedTensorType type) {
  Type element = type.getElementType();
  return element.isInteger(4) || element.isInteger(2) ||
         isa<Float4E2M1FNType>(element);
}

///   %c = arith.constant dense<…> : tensor<…xi4>
/// becomes
///   %p = arith.constant dense<…> : tensor<…xi8>
///   %c = quant.unpack %p <canonical>
static LogicalResult packConstant(arith::ConstantOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  bool isSplat;
  std::optional<ArrayRef<char>> bytes =
      getRawBytes(cast<ElementsAttr>(op.getValue()), isSplat);
  if (!bytes)
    return emitError(op.getLoc()) << "expected a constant whose elements are in memory, "
                             "found a resource that is missing or has the wrong "
                             "size: print the module with its resources";
  OpBuilder builder(op);
  unsigned width = type.getElementTypeBitWidth();
  std::vector<uint8_t> codes;
  if (!isSplat)
    codes.assign(bytes->begin(), bytes->end());
  else if (type.getNumElements() * width % 8 == 0)
    // Every byte is the same: those of one stand for all.
    codes.assign(8 / width, static_cast<uint8_t>(bytes->front()));
  else
    codes.assign(type.getNumElements(), static_cast<uint8_t>(bytes->front()));
  Value unpacked = makePackedCodes(builder, op.getLoc(), type, codes, "packed");
  op.getResult().replaceAllUsesWith(unpacked);
  op.erase();
  return success();
}

namespace {
struct PackConstantsPass
    : public quant_mlir::impl::PackConstantsPassBase<PackConstantsPass> {
  void runOnOperation() override {
    SmallVector<arith::ConstantOp> constants;
    getOperation()->walk([&](arith::ConstantOp op) {
      auto type = dyn_cast<RankedTensorType>(op.getType());
      if (type && isSubByteCodes(type) && !isTooLarge(type) &&
          type.getNumElements() > 0)
        constants.push_back(op);
    });
    for (arith::ConstantOp op : constants) {
      if (failed(packConstant(op)))
        return signalPassFailure();
      ++numPacked;
    }
  }
};
} // namespace

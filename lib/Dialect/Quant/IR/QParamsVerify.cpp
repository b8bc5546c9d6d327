//===- QParamsVerify.cpp - Which qparams attributes there are -------------===//
//
// What holds for an attribute alone, and its form as a structure of the
// numerics library, which knows what specifications and layouts there can be.
// What depends on the tensor behind it is in QParamsShape.cpp.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;
using numerics::StorageType;

LogicalResult
PerChannelAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                       ArrayRef<int64_t> axes) {
  if (axes.empty())
    return emitError() << "per_channel expects at least one axis, found none: "
                          "use per_tensor";
  for (auto [index, axis] : llvm::enumerate(axes)) {
    if (axis < 0)
      return emitError() << "per_channel expects axes counted from the front, "
                            "found "
                         << axis;
    if (index && axes[index - 1] >= axis)
      return emitError()
             << "per_channel expects axes in ascending order, found " << axis
             << " after " << axes[index - 1];
  }
  return success();
}

LogicalResult PerBlockAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   ArrayRef<int64_t> sizes) {
  if (sizes.empty())
    return emitError()
           << "per_block expects one block size per dimension, found none: use "
              "per_tensor for a scalar";
  for (int64_t size : sizes)
    if (size < 1 && size != -1)
      return emitError() << "per_block expects positive block sizes, or -1 for "
                            "the whole dimension, found "
                         << size;
  return success();
}

numerics::QuantSpec SpecAttr::getQuantSpec() const {
  numerics::QuantSpec spec;
  spec.storage = getStorage();
  spec.scheme = getScheme();
  spec.formulation = getFormulation();
  spec.scaleType = getScaleType();
  if (getFloatLo())
    spec.floatLo = static_cast<float>(getFloatLo().getValueAsDouble());
  if (getFloatHi())
    spec.floatHi = static_cast<float>(getFloatHi().getValueAsDouble());
  return spec;
}

LogicalResult SpecAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               StorageType storage, numerics::Scheme scheme,
                               numerics::Formulation formulation,
                               GranularityAttrInterface granularity,
                               numerics::ScaleType scaleType, FloatAttr floatLo,
                               FloatAttr floatHi, StringRef calibrator) {
  numerics::QuantSpec spec{storage, scheme, formulation, scaleType, {}, {}};
  if (floatLo)
    spec.floatLo = static_cast<float>(floatLo.getValueAsDouble());
  if (floatHi)
    spec.floatHi = static_cast<float>(floatHi.getValueAsDouble());
  if (std::optional<std::string> reason = numerics::checkSpec(spec))
    return emitError() << *reason;
  // Only a keyword can be printed and read again.
  if (calibrator.empty() || !llvm::all_of(calibrator, [](char c) {
        return llvm::isAlnum(c) || c == '_';
      }))
    return emitError() << "expected the name of a calibrator, found '"
                       << calibrator << "': use letters, digits and '_'";
  return success();
}

/// No register file is as large as this; sizes of packed tensors do not
/// overflow.
static constexpr int64_t maxPanelBytes = 1 << 16;

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef kind, RankedTensorType codes,
                                 ArrayRef<int64_t> batch,
                                 ArrayRef<int64_t> columns,
                                 ArrayRef<int64_t> reduction, int64_t run,
                                 int64_t panel, int64_t group, int64_t block,
                                 int64_t offset) {
  if (kind != "canonical" && kind != "panels")
    return emitError() << "expected a layout, found '" << kind
                       << "': use canonical or panels";
  if (kind == "canonical") {
    if (codes || !batch.empty() || !columns.empty() || !reduction.empty() ||
        run || panel || group || block || offset)
      return emitError() << "canonical is the same for every tensor: expected "
                            "nothing behind it";
    return success();
  }
  if (!codes)
    return emitError() << "expected the type of the codes behind panels, found "
                          "none";
  bool isOfValues =
      isa<Float32Type, Float16Type, BFloat16Type>(codes.getElementType());
  if (!codes.getElementType().isIntOrFloat() ||
      (codes.getElementTypeBitWidth() > 8 && !isOfValues))
    return emitError() << "expected codes of elements of at most 8 bits, or "
                          "values of f32, f16 or bf16, found "
                       << codes;
  SmallVector<int64_t> roles(codes.getRank(), 0);
  for (ArrayRef<int64_t> list : {batch, columns, reduction})
    for (int64_t dim : list) {
      if (dim < 0 || dim >= codes.getRank())
        return emitError() << "expected dimensions in [0, "
                           << codes.getRank() - 1 << "], found " << dim;
      ++roles[dim];
    }
  for (auto [dim, count] : llvm::enumerate(roles))
    if (count != 1)
      return emitError() << "expected dimension " << dim
                         << " once in batch, columns and reduction, found it "
                         << count << " times";
  if (run < 0 || run > int64_t(reduction.size()))
    return emitError() << "expected a run of at most " << reduction.size()
                       << " reduction dimensions, found " << run;
  if (panel < 1 || group < 1)
    return emitError() << "expected a panel and a group of at least 1, found "
                       << panel << " and " << group;
  if (block < 0)
    return emitError()
           << "expected a block of at least 1, or 0 for none, found " << block;
  int64_t bytes;
  if (llvm::MulOverflow(panel, group, bytes) || bytes > maxPanelBytes)
    return emitError() << "expected a panel times a group of at most "
                       << maxPanelBytes << " bytes, found " << panel << " and "
                       << group;
  // Positions without a code at most fill up panels and tuples.
  for (int64_t size : codes.getShape())
    if (llvm::MulOverflow(bytes, std::max<int64_t>(size, 1), bytes))
      return emitError() << "expected codes that fit in memory, found "
                         << codes;
  if (isOfValues && offset != 0)
    return emitError() << "expected no offset of values, found " << offset;
  if (offset < -128 || offset > 127)
    return emitError() << "expected an offset in [-128, 127], found " << offset;
  return success();
}

numerics::PanelLayout LayoutAttr::getPanelLayout() const {
  numerics::PanelLayout layout;
  layout.shape = getCodesType().getShape().vec();
  layout.batch = getBatch().vec();
  layout.columns = getColumns().vec();
  layout.reduction = getReduction().vec();
  layout.run = getRun();
  layout.panel = getPanel();
  layout.group = getGroup();
  layout.block = getBlock();
  layout.offset = getOffset();
  layout.width = getCodesType().getElementTypeBitWidth();
  return layout;
}

int64_t LayoutAttr::getPackedSize(RankedTensorType codes) const {
  if (isPanels())
    return getCodesType().hasStaticShape() ? getPanelLayout().size()
                                           : ShapedType::kDynamic;
  return numerics::packedSize(codes.getNumElements(),
                              codes.getElementTypeBitWidth());
}

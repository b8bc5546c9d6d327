//===- QParamsDialect.cpp - The qparams dialect and its bytecode ----------===//
//
// Registration, and the bytecode form of the attributes. Parameters of a large
// weight are themselves large; through the textual fallback they would be
// stored as decimal text, so `affine` writes its elements as attributes.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/Bytecode/BytecodeImplementation.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quant_mlir;

#include "quant-mlir/Dialect/Quant/IR/QParamsDialect.cpp.inc"

namespace {

/// First number of each attribute's encoding. Never renumber: files outlive us.
enum class AttrCode : uint64_t {
  PerTensor = 0,
  PerChannel = 1,
  PerBlock = 2,
  Affine = 3,
  Layout = 4,
};

/// Attributes that are not listed here (`spec`) are written as text.
struct QParamsBytecodeInterface : public BytecodeDialectInterface {
  QParamsBytecodeInterface(Dialect *dialect)
      : BytecodeDialectInterface(dialect) {}

  LogicalResult writeAttribute(Attribute attr,
                               DialectBytecodeWriter &writer) const override {
    return TypeSwitch<Attribute, LogicalResult>(attr)
        .Case([&](PerTensorAttr) {
          writeCode(writer, AttrCode::PerTensor);
          return success();
        })
        .Case([&](PerChannelAttr channel) {
          writeCode(writer, AttrCode::PerChannel);
          writer.writeSignedVarInts(channel.getAxes());
          return success();
        })
        .Case([&](PerBlockAttr block) {
          writeCode(writer, AttrCode::PerBlock);
          writer.writeSignedVarInts(block.getSizes());
          return success();
        })
        .Case([&](AffineAttr affine) {
          writeCode(writer, AttrCode::Affine);
          // By name: the order of the enumeration is not part of the format.
          writer.writeOwnedString(toStringRef(numerics::name(affine.getStorage())));
          writer.writeSignedVarInt(affine.getQuantMin());
          writer.writeSignedVarInt(affine.getQuantMax());
          writer.writeAttribute(affine.getGranularity());
          writer.writeOptionalAttribute(affine.getScale());
          writer.writeOptionalAttribute(affine.getZeroPoint());
          writer.writeOptionalAttribute(affine.getMinval());
          return success();
        })
        .Case([&](LayoutAttr layout) {
          writeCode(writer, AttrCode::Layout);
          writer.writeOwnedString(layout.getKind());
          if (layout.isCanonical())
            return success();
          writer.writeType(layout.getCodesType());
          writer.writeSignedVarInts(layout.getBatch());
          writer.writeSignedVarInts(layout.getColumns());
          writer.writeSignedVarInts(layout.getReduction());
          writer.writeSignedVarInts(ArrayRef<int64_t>{
              layout.getRun(), layout.getPanel(), layout.getGroup(),
              layout.getBlock(), layout.getOffset()});
          return success();
        })
        .Default([](Attribute) { return failure(); });
  }

  Attribute readAttribute(DialectBytecodeReader &reader) const override {
    uint64_t code;
    if (failed(reader.readVarInt(code)))
      return {};
    MLIRContext *context = getContext();
    auto emitError = [&] { return reader.emitError(); };
    SmallVector<int64_t> numbers;
    switch (static_cast<AttrCode>(code)) {
    case AttrCode::PerTensor:
      return PerTensorAttr::get(context);
    case AttrCode::PerChannel:
      if (failed(reader.readSignedVarInts(numbers)))
        return {};
      return getVerified<PerChannelAttr>(emitError, context, numbers);
    case AttrCode::PerBlock:
      if (failed(reader.readSignedVarInts(numbers)))
        return {};
      return getVerified<PerBlockAttr>(emitError, context, numbers);
    case AttrCode::Affine:
      return readAffine(reader, context);
    case AttrCode::Layout:
      return readLayout(reader, context);
    }
    reader.emitError() << "qparams: unknown attribute code " << code
                       << ": the file was written by a newer version";
    return {};
  }

private:
  /// getChecked of these attributes needs their storage, which is private to
  /// another file.
  template <typename AttrTy, typename... Args>
  static Attribute getVerified(function_ref<InFlightDiagnostic()> emitError,
                               MLIRContext *context, Args... args) {
    if (failed(AttrTy::verifyInvariants(emitError, args...)))
      return {};
    return AttrTy::get(context, args...);
  }

  static StringRef toStringRef(std::string_view text) {
    return StringRef(text.data(), text.size());
  }

  static void writeCode(DialectBytecodeWriter &writer, AttrCode code) {
    writer.writeVarInt(static_cast<uint64_t>(code));
  }

  static Attribute readLayout(DialectBytecodeReader &reader,
                              MLIRContext *context) {
    StringRef kind;
    RankedTensorType codes;
    SmallVector<int64_t> batch, columns, reduction, sizes;
    if (failed(reader.readString(kind)))
      return {};
    if (kind != "canonical") {
      if (failed(reader.readType(codes)) ||
          failed(reader.readSignedVarInts(batch)) ||
          failed(reader.readSignedVarInts(columns)) ||
          failed(reader.readSignedVarInts(reduction)) ||
          failed(reader.readSignedVarInts(sizes)))
        return {};
    } else {
      sizes.assign(5, 0);
    }
    if (sizes.size() != 5) {
      reader.emitError() << "qparams: expected five sizes in a layout, found "
                         << sizes.size();
      return {};
    }
    return getVerified<LayoutAttr>(
        [&] { return reader.emitError(); }, context, kind, codes,
        ArrayRef<int64_t>(batch), ArrayRef<int64_t>(columns),
        ArrayRef<int64_t>(reduction), sizes[0], sizes[1], sizes[2], sizes[3],
        sizes[4]);
  }

  static Attribute readAffine(DialectBytecodeReader &reader,
                              MLIRContext *context) {
    StringRef storageName;
    int64_t quantMin, quantMax;
    GranularityAttrInterface granularity;
    ElementsAttr scale, zeroPoint, minval;
    if (failed(reader.readString(storageName)) ||
        failed(reader.readSignedVarInt(quantMin)) ||
        failed(reader.readSignedVarInt(quantMax)) ||
        failed(reader.readAttribute(granularity)) ||
        failed(reader.readOptionalAttribute(scale)) ||
        failed(reader.readOptionalAttribute(zeroPoint)) ||
        failed(reader.readOptionalAttribute(minval)))
      return {};
    std::optional<numerics::StorageType> storage =
        numerics::parseStorageType({storageName.data(), storageName.size()});
    if (!storage) {
      reader.emitError() << "qparams: unknown storage type '" << storageName
                         << "'";
      return {};
    }
    return getVerified<AffineAttr>([&] { return reader.emitError(); }, context,
                                   *storage, quantMin, quantMax, granularity,
                                   scale, zeroPoint, minval);
  }
};

} // namespace

void QParamsDialect::initialize() {
  registerAttributes();
  addInterfaces<QParamsBytecodeInterface>();
}

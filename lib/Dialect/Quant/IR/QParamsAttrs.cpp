//===- QParamsAttrs.cpp - Assembly of qparams attributes ------------------===//
//
// Parsing, printing and registration; layouts are in QParamsLayout.cpp. The
// verifiers are in QParamsVerify.cpp, and what needs the shape of a tensor in
// QParamsShape.cpp.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quant_mlir;
using numerics::StorageType;

static StringRef toStringRef(std::string_view text) {
  return StringRef(text.data(), text.size());
}
static std::string_view toView(StringRef text) {
  return {text.data(), text.size()};
}

//===----------------------------------------------------------------------===//
// Enumerations of the numerics library, spelled as in flags
//===----------------------------------------------------------------------===//

template <typename T>
static ParseResult parseSpelling(AsmParser &parser, T &result, StringRef what,
                                 std::optional<T> (*parse)(std::string_view),
                                 std::string (*names)()) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<T> value = parse(toView(keyword));
  if (!value)
    return parser.emitError(loc) << "expected a " << what << ", found '"
                                 << keyword << "': use one of " << names();
  result = *value;
  return success();
}

static ParseResult parseStorage(AsmParser &parser, StorageType &storage) {
  return parseSpelling<StorageType>(parser, storage, "storage type",
                                    numerics::parseStorageType,
                                    numerics::storageTypeNames);
}

//===----------------------------------------------------------------------===//
// Granularity
//===----------------------------------------------------------------------===//

/// A list that may be empty, so that the verifier can say why it must not be.
static ParseResult parseIntegerList(AsmParser &parser,
                                    SmallVector<int64_t> &values) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    return parser.parseInteger(values.emplace_back());
  });
}

static void printIntegerList(AsmPrinter &printer, ArrayRef<int64_t> values) {
  printer << "[";
  llvm::interleaveComma(values, printer);
  printer << "]";
}

static void printGranularity(AsmPrinter &printer,
                             GranularityAttrInterface granularity) {
  TypeSwitch<Attribute>(granularity)
      .Case([&](PerTensorAttr) { printer << PerTensorAttr::getMnemonic(); })
      .Case([&](PerChannelAttr attr) {
        printer << PerChannelAttr::getMnemonic();
        attr.print(printer);
      })
      .Case([&](PerBlockAttr attr) {
        printer << PerBlockAttr::getMnemonic();
        attr.print(printer);
      })
      .Default([&](Attribute attr) { printer << attr; });
}

/// Parses what follows the keyword of a granularity; nullopt for a keyword that
/// names none.
static std::optional<ParseResult>
parseGranularityBody(AsmParser &parser, StringRef keyword,
                     GranularityAttrInterface &granularity) {
  Attribute attr;
  if (keyword == PerTensorAttr::getMnemonic())
    attr = PerTensorAttr::get(parser.getContext());
  else if (keyword == PerChannelAttr::getMnemonic())
    attr = PerChannelAttr::parse(parser, {});
  else if (keyword == PerBlockAttr::getMnemonic())
    attr = PerBlockAttr::parse(parser, {});
  else
    return std::nullopt;
  if (!attr)
    return ParseResult(failure());
  granularity = cast<GranularityAttrInterface>(attr);
  return ParseResult(success());
}

static ParseResult parseGranularity(AsmParser &parser,
                                    GranularityAttrInterface &granularity) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef keyword;
  if (failed(parser.parseOptionalKeyword(&keyword)))
    keyword = "";
  if (std::optional<ParseResult> parsed =
          parseGranularityBody(parser, keyword, granularity))
    return *parsed;
  return parser.emitError(loc)
         << "expected a granularity, found '" << keyword
         << "': use per_tensor, per_channel<[axes]> or per_block<[sizes]>";
}

//===----------------------------------------------------------------------===//
// Spec
//===----------------------------------------------------------------------===//

/// An end of a float range: a number, or `none` where it comes from the data.
static ParseResult parseRangeEnd(AsmParser &parser, FloatAttr &end) {
  if (succeeded(parser.parseOptionalKeyword("none")))
    return success();
  double value;
  if (parser.parseFloat(value))
    return failure();
  end = FloatAttr::get(Float32Type::get(parser.getContext()), value);
  return success();
}

Attribute SpecAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  numerics::QuantSpec spec;
  GranularityAttrInterface granularity =
      PerTensorAttr::get(parser.getContext());
  FloatAttr lo, hi;
  StringRef calibrator = "static";
  if (parser.parseLess() || parseStorage(parser, spec.storage) ||
      parser.parseComma() ||
      parseSpelling<numerics::Scheme>(parser, spec.scheme, "scheme",
                                      numerics::parseScheme,
                                      numerics::schemeNames))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    StringRef keyword;
    if (parser.parseKeyword(&keyword))
      return {};
    if (std::optional<ParseResult> parsed =
            parseGranularityBody(parser, keyword, granularity)) {
      if (*parsed)
        return {};
    } else if (std::optional<numerics::Formulation> formulation =
                   numerics::parseFormulation(toView(keyword))) {
      spec.formulation = *formulation;
    } else if (keyword == "scale_type") {
      if (parser.parseEqual() ||
          parseSpelling<numerics::ScaleType>(
              parser, spec.scaleType, "scale type", numerics::parseScaleType,
              numerics::scaleTypeNames))
        return {};
    } else if (keyword == "float_range") {
      if (parser.parseEqual() || parser.parseLSquare() ||
          parseRangeEnd(parser, lo) || parser.parseComma() ||
          parseRangeEnd(parser, hi) || parser.parseRSquare())
        return {};
    } else {
      // Calibrators are registered by name, so any other keyword is one; it
      // comes last.
      calibrator = keyword;
      break;
    }
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<SpecAttr>(loc, parser.getContext(), spec.storage,
                                     spec.scheme, spec.formulation, granularity,
                                     spec.scaleType, lo, hi, calibrator);
}

void SpecAttr::print(AsmPrinter &printer) const {
  printer << "<" << toStringRef(numerics::name(getStorage())) << ", "
          << toStringRef(numerics::name(getScheme()));
  if (getFormulation() != numerics::Formulation::ZeroPoint)
    printer << ", " << toStringRef(numerics::name(getFormulation()));
  if (!isa<PerTensorAttr>(getGranularity())) {
    printer << ", ";
    printGranularity(printer, getGranularity());
  }
  if (getScaleType() != numerics::ScaleType::F32)
    printer << ", scale_type = " << toStringRef(numerics::name(getScaleType()));
  if (getFloatLo() || getFloatHi()) {
    auto printEnd = [&](FloatAttr end) {
      if (end)
        printer.printFloat(end.getValue());
      else
        printer << "none";
    };
    printer << ", float_range = [";
    printEnd(getFloatLo());
    printer << ", ";
    printEnd(getFloatHi());
    printer << "]";
  }
  if (getCalibrator() != "static")
    printer << ", " << getCalibrator();
  printer << ">";
}

//===----------------------------------------------------------------------===//
// Affine
//===----------------------------------------------------------------------===//

/// Parses `0.05`, `0.05 : f16`, `-3` or an elements attribute; a scalar becomes
/// elements of rank 0, of type `scalarType` where none is written.
static ParseResult parseParameter(AsmParser &parser, StringRef what,
                                  Type scalarType, ElementsAttr &result) {
  SMLoc loc = parser.getCurrentLocation();
  Attribute attr;
  if (parser.parseAttribute(attr))
    return failure();
  if (auto elements = dyn_cast<ElementsAttr>(attr)) {
    result = elements;
    return success();
  }
  bool wantsFloat = isa<FloatType>(scalarType);
  if (auto number = dyn_cast<FloatAttr>(attr); number && wantsFloat) {
    // A bare literal has the type f64; no parameter is stored as one.
    Type type = number.getType().isF64() ? scalarType : number.getType();
    APFloat value = number.getValue();
    bool losesInfo;
    value.convert(cast<FloatType>(type).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &losesInfo);
    result = DenseElementsAttr::get(RankedTensorType::get({}, type), value);
    return success();
  }
  if (auto number = dyn_cast<IntegerAttr>(attr); number && !wantsFloat) {
    // A typed literal counts by its value: `-3 : i4` is -3, `200 : ui8` is 200.
    APInt bits = number.getValue();
    bool isBool = bits.getBitWidth() == 1;
    unsigned width = scalarType.getIntOrFloatBitWidth();
    unsigned wide = std::max(bits.getBitWidth(), width) + 1;
    bool isUnsigned = number.getType().isUnsignedInteger() || isBool;
    APInt value = isUnsigned ? bits.zext(wide) : bits.sext(wide);
    bool fits = scalarType.isUnsignedInteger() ? value.isIntN(width)
                                               : value.isSignedIntN(width);
    if (!fits || isBool)
      return parser.emitError(loc) << "expected a " << what << " of type "
                                   << scalarType << ", found " << attr;
    result = DenseElementsAttr::get(RankedTensorType::get({}, scalarType),
                                    value.trunc(width));
    return success();
  }
  return parser.emitError(loc)
         << "expected " << what << " as "
         << (wantsFloat ? "a floating-point" : "an integer")
         << " number, dense or dense_resource elements, found " << attr;
}

static void printParameter(AsmPrinter &printer, ElementsAttr elements) {
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense || elements.getShapedType().getRank() != 0) {
    printer << elements;
    return;
  }
  Type type = dense.getElementType();
  if (isa<FloatType>(type)) {
    printer.printFloat(dense.getSplatValue<APFloat>());
    if (!type.isF32())
      printer << " : " << type;
    return;
  }
  APInt value = dense.getSplatValue<APInt>();
  printer << (type.isUnsignedInteger() ? int64_t(value.getZExtValue())
                                       : value.getSExtValue());
}

Attribute AffineAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  MLIRContext *context = parser.getContext();
  StorageType storage;
  if (parser.parseLess() || parseStorage(parser, storage))
    return {};

  numerics::CodeRange range = numerics::fullRange(storage);
  int64_t quantMin = static_cast<int64_t>(range.min);
  int64_t quantMax = static_cast<int64_t>(range.max);
  if (succeeded(parser.parseOptionalKeyword("narrow"))) {
    quantMin = -quantMax;
  } else if (succeeded(parser.parseOptionalKeyword("range"))) {
    if (parser.parseLess() || parser.parseLSquare() ||
        parser.parseInteger(quantMin) || parser.parseComma() ||
        parser.parseInteger(quantMax) || parser.parseRSquare() ||
        parser.parseGreater())
      return {};
  }

  GranularityAttrInterface granularity;
  if (parser.parseComma() || parseGranularity(parser, granularity))
    return {};

  ElementsAttr scale, zeroPoint, minval;
  Type f32 = Float32Type::get(context);
  while (succeeded(parser.parseOptionalComma())) {
    SMLoc keyLoc = parser.getCurrentLocation();
    StringRef key;
    if (parser.parseKeyword(&key) || parser.parseEqual())
      return {};
    bool isZeroPoint = key == "zero_point";
    ElementsAttr *target = key == "scale"    ? &scale
                           : isZeroPoint     ? &zeroPoint
                           : key == "minval" ? &minval
                                             : nullptr;
    if (!target)
      return parser.emitError(keyLoc)
                 << "expected scale, zero_point or minval, "
                    "found '"
                 << key << "'",
             Attribute();
    if (*target)
      return parser.emitError(keyLoc) << "'" << key << "' is given twice",
             Attribute();
    if (parseParameter(parser, key,
                       isZeroPoint ? Type(getZeroPointType(context, storage))
                                   : f32,
                       *target))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<AffineAttr>(loc, context, storage, quantMin,
                                       quantMax, granularity, scale, zeroPoint,
                                       minval);
}

void AffineAttr::print(AsmPrinter &printer) const {
  printer << "<" << toStringRef(numerics::name(getStorage()));
  numerics::CodeRange full = numerics::fullRange(getStorage());
  if (getRange() != full) {
    if (getQuantMin() == -getQuantMax() && getQuantMax() == full.max)
      printer << " narrow";
    else
      printer << " range<[" << getQuantMin() << ", " << getQuantMax() << "]>";
  }
  printer << ", ";
  printGranularity(printer, getGranularity());
  auto printNamed = [&](StringRef name, ElementsAttr elements) {
    if (!elements)
      return;
    printer << ", " << name << " = ";
    printParameter(printer, elements);
  };
  printNamed("scale", getScale());
  printNamed("zero_point", getZeroPoint());
  printNamed("minval", getMinval());
  printer << ">";
}

#include "quant-mlir/Dialect/Quant/IR/QParamsAttrInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "quant-mlir/Dialect/Quant/IR/QParamsAttrs.cpp.inc"

void QParamsDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "quant-mlir/Dialect/Quant/IR/QParamsAttrs.cpp.inc"
      >();
}

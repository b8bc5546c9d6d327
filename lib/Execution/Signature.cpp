//===- Signature.cpp ------------------------------------------------------===//

#include "Signature.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Execution/Diagnostics.h"
#include "quant-mlir/Support/Errors.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quant_mlir;

llvm::Expected<func::FuncOp>
quant_mlir::findEntry(ModuleOp module, StringRef entry, StringRef path) {
  auto function = dyn_cast_or_null<func::FuncOp>(SymbolTable::lookupSymbolIn(
      module, StringAttr::get(module.getContext(), entry)));
  if (!function) {
    std::string found;
    llvm::raw_string_ostream os(found);
    llvm::ListSeparator separator;
    for (auto candidate : module.getOps<func::FuncOp>())
      if (!candidate.isDeclaration())
        os << separator << quoteForMessage(candidate.getName());
    return makeFileError(
        path,
        "has no function " + quoteForMessage(entry) +
            (found.empty() ? "; it has no function to run at all"
                           : "; it has " + found + ": choose with --entry"));
  }
  if (function.isDeclaration())
    return makeErrorAt(function.getLoc(), path,
                       "function " + quoteForMessage(entry) +
                           " is only declared; expected one with a body");
  return function;
}

static std::optional<DType> getDType(Type element, bool &isBF16) {
  isBF16 = element.isBF16();
  if (element.isF32() || isBF16)
    return DType::Float32;
  if (element.isF64())
    return DType::Float64;
  if (element.isF16())
    return DType::Float16;
  if (element.isIndex() || element.isSignlessInteger(64))
    return DType::Int64;
  if (element.isSignlessInteger(1))
    return DType::Bool;
  if (element.isSignlessInteger(8))
    return DType::Int8;
  if (element.isSignlessInteger(16))
    return DType::Int16;
  if (element.isSignlessInteger(32))
    return DType::Int32;
  return std::nullopt;
}

static llvm::Expected<ValueSignature> getValue(Type type, func::FuncOp function,
                                               const llvm::Twine &what,
                                               StringRef path) {
  ValueSignature value;
  llvm::raw_string_ostream(value.type) << type;
  Type element = type;
  auto tensor = dyn_cast<RankedTensorType>(type);
  value.isTensor = static_cast<bool>(tensor);
  bool plain = true;
  if (tensor) {
    element = tensor.getElementType();
    plain = !tensor.getEncoding();
    for (int64_t size : tensor.getShape())
      value.shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
  }
  std::optional<DType> dtype = getDType(element, value.isBF16);
  if (!dtype || !plain)
    return makeErrorAt(function.getLoc(), path,
                       what + " of " + quoteForMessage(function.getName()) +
                           " is " + value.type +
                           "; expected a ranked tensor, or a single value, of "
                           "f32, f64, f16, bf16, i1, i8, i16, i32, i64 or "
                           "index");
  value.dtype = *dtype;
  return value;
}

llvm::Expected<Signature> quant_mlir::getSignature(func::FuncOp function,
                                                   StringRef path) {
  Signature signature;
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto value =
        getValue(type, function, "argument " + llvm::Twine(index), path);
    if (!value)
      return value.takeError();
    value->isCodes = static_cast<bool>(function.getArgAttr(index, boundaryParamsAttrName));
    signature.arguments.push_back(std::move(*value));
  }
  for (auto [index, type] : llvm::enumerate(function.getResultTypes())) {
    auto value = getValue(type, function, "result " + llvm::Twine(index), path);
    if (!value)
      return value.takeError();
    signature.results.push_back(std::move(*value));
  }
  return signature;
}

static bool acceptsType(DType expected, DType found) {
  if (expected == found)
    return true;
  // Signless integers take both readings of their bits.
  return byteWidth(expected) == byteWidth(found) && !isFloat(expected) &&
         !isFloat(found) && expected != DType::Bool && found != DType::Bool;
}

llvm::Error quant_mlir::checkArgument(const ValueSignature &value,
                                      const ArrayType &array,
                                      const llvm::Twine &what) {
  if (!acceptsType(value.dtype, array.dtype)) {
    // Casting real values to codes would drop their scale.
    std::string wayOut =
        value.isCodes && isFloat(array.dtype)
            ? "its values are codes: quantize the data by the "
              "argument's attribute " +
                  boundaryParamsAttrName.str()
            : ("convert it with .astype('" + name(value.dtype) + "')").str();
    return makeError(what + " is " + value.type + ", which takes " +
                     name(value.dtype) + ", found " + array.describe() + "; " +
                     wayOut);
  }
  bool fits = value.shape.size() == array.shape.size();
  for (size_t i = 0; fits && i < value.shape.size(); ++i)
    fits = value.shape[i] < 0 || value.shape[i] == array.shape[i];
  if (!fits)
    return makeError(what + " is " + value.type + ", found " +
                     array.describe());
  return llvm::Error::success();
}

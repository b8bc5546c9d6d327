//===- Types.cpp - Names and ranges of storage types ----------------------===//

#include "quant-mlir/Numerics/Types.h"

#include <type_traits>

using namespace quant_mlir::numerics;

namespace {
struct StorageInfo {
  StorageType type;
  std::string_view name;
  unsigned bits;
  bool integer;
  bool isSigned;
  CodeRange range;
};

constexpr StorageInfo storageTable[] = {
    {StorageType::Int8, "int8", 8, true, true, {-128, 127}},
    {StorageType::UInt8, "uint8", 8, true, false, {0, 255}},
    {StorageType::Int4, "int4", 4, true, true, {-8, 7}},
    {StorageType::UInt4, "uint4", 4, true, false, {0, 15}},
    {StorageType::Int2, "int2", 2, true, true, {-2, 1}},
    {StorageType::UInt2, "uint2", 2, true, false, {0, 3}},
    {StorageType::Float8E4M3FN, "float8_e4m3fn", 8, false, true, {-448, 448}},
    {StorageType::Float8E5M2, "float8_e5m2", 8, false, true, {-57344, 57344}},
    {StorageType::Float4E2M1FN, "float4_e2m1fn", 4, false, true, {-6, 6}},
    {StorageType::Int32, "int32", 32, true, true, {-2147483648.0, 2147483647.0}},
};

const StorageInfo &info(StorageType type) {
  return storageTable[static_cast<unsigned>(type)];
}

template <typename T>
struct Spelling {
  T value;
  std::string_view name;
};

constexpr Spelling<ExpressedType> expressedTable[] = {
    {ExpressedType::F32, "f32"},
    {ExpressedType::F16, "f16"},
    {ExpressedType::BF16, "bf16"},
};
constexpr Spelling<ScaleType> scaleTable[] = {
    {ScaleType::F32, "f32"},
    {ScaleType::F16, "f16"},
    {ScaleType::BF16, "bf16"},
    {ScaleType::F8E8M0FNU, "f8E8M0FNU"},
};
constexpr Spelling<Scheme> schemeTable[] = {
    {Scheme::Symmetric, "symmetric"},
    {Scheme::SymmetricWithClipping, "symmetric_with_clipping"},
    {Scheme::Asymmetric, "asymmetric"},
};
constexpr Spelling<Formulation> formulationTable[] = {
    {Formulation::ZeroPoint, "zp"},
    {Formulation::MinVal, "minval"},
};

template <typename Table>
auto parse(const Table &table, std::string_view text)
    -> std::optional<std::remove_const_t<decltype(table[0].value)>> {
  for (const auto &entry : table)
    if (entry.name == text)
      return entry.value;
  return std::nullopt;
}

template <typename Table>
std::string join(const Table &table) {
  std::string result;
  for (const auto &entry : table) {
    if (!result.empty())
      result += ", ";
    result += entry.name;
  }
  return result;
}
} // namespace

namespace quant_mlir::numerics {

unsigned bitWidth(StorageType type) { return info(type).bits; }
bool isInteger(StorageType type) { return info(type).integer; }
bool isSignedInteger(StorageType type) {
  return info(type).integer && info(type).isSigned;
}
CodeRange fullRange(StorageType type) { return info(type).range; }

CodeRange narrowRange(StorageType type) {
  CodeRange range = fullRange(type);
  if (isSignedInteger(type))
    range.min = -range.max;
  return range;
}

int maxExponent(StorageType type) {
  switch (type) {
  case StorageType::Float8E4M3FN:
    return 8;
  case StorageType::Float8E5M2:
    return 15;
  case StorageType::Float4E2M1FN:
    return 2;
  default:
    return 0;
  }
}

std::string_view name(StorageType type) { return info(type).name; }
std::string_view name(ExpressedType type) {
  return expressedTable[static_cast<unsigned>(type)].name;
}
std::string_view name(ScaleType type) {
  return scaleTable[static_cast<unsigned>(type)].name;
}
std::string_view name(Scheme scheme) {
  return schemeTable[static_cast<unsigned>(scheme)].name;
}
std::string_view name(Formulation formulation) {
  return formulationTable[static_cast<unsigned>(formulation)].name;
}

std::optional<StorageType> parseStorageType(std::string_view text) {
  for (const StorageInfo &entry : storageTable)
    if (entry.name == text)
      return entry.type;
  return std::nullopt;
}
std::optional<ExpressedType> parseExpressedType(std::string_view text) {
  return parse(expressedTable, text);
}
std::optional<ScaleType> parseScaleType(std::string_view text) {
  return parse(scaleTable, text);
}
std::optional<Scheme> parseScheme(std::string_view text) {
  return parse(schemeTable, text);
}
std::optional<Formulation> parseFormulation(std::string_view text) {
  return parse(formulationTable, text);
}

std::string storageTypeNames() { return join(storageTable); }
std::string weightTypeNames() {
  std::string names = storageTypeNames();
  return names.substr(0, names.rfind(", int32"));
}
std::string scaleTypeNames() { return join(scaleTable); }
std::string schemeNames() { return join(schemeTable); }
std::string formulationNames() { return join(formulationTable); }

} // namespace quant_mlir::numerics

//===- Types.h - Names and ranges of storage types --------------*- C++ -*-===//
//
// The vocabulary of the numerics contract (docs/numerics.md, section 1): the
// storage, expressed and scale types, the schemes and the formulations, with
// their spelling on the command line and in IR. Plain C++17: no MLIR, no LLVM,
// so that passes, run-time libraries and tests share one definition.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_TYPES_H
#define QUANT_MLIR_NUMERICS_TYPES_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quant_mlir::numerics {

/// What a quantized element is stored as. Integer codes are signless in IR;
/// whether they are signed is part of the storage type.
enum class StorageType : uint8_t {
  Int8,
  UInt8,
  Int4,
  UInt4,
  Int2,
  UInt2,
  Float8E4M3FN,
  Float8E5M2,
  Float4E2M1FN,
  Int32, ///< biases only: scale sx*sw, zero point 0
};

/// The floating-point type that a quantized value stands for.
enum class ExpressedType : uint8_t { F32, F16, BF16 };

/// The type in which a scale is stored. E8M0 is a bare exponent: 2^(code-127),
/// code 255 is NaN.
enum class ScaleType : uint8_t { F32, F16, BF16, F8E8M0FNU };

enum class Scheme : uint8_t { Symmetric, SymmetricWithClipping, Asymmetric };

/// `ZeroPoint` is spelled `zp` and covers the scale-only form (zero point 0).
enum class Formulation : uint8_t { ZeroPoint, MinVal };

/// Closed interval of codes (integer storage) or values (float storage).
struct CodeRange {
  double min;
  double max;
  bool operator==(const CodeRange &o) const {
    return min == o.min && max == o.max;
  }
  bool operator!=(const CodeRange &o) const { return !(*this == o); }
};

/// Width of one element in bits: 2, 4, 8 or 32.
unsigned bitWidth(StorageType type);
bool isInteger(StorageType type);
bool isSignedInteger(StorageType type);
inline bool isFloat(StorageType type) { return !isInteger(type); }

/// The type's full range, e.g. [-8, 7] for int4 and [-448, 448] for
/// float8_e4m3fn.
CodeRange fullRange(StorageType type);

/// `quant_min = -quant_max`: the range of symmetric_with_clipping. Only for
/// signed integers; every other type gives its full range.
CodeRange narrowRange(StorageType type);

/// Largest exponent of a float storage type's finite values, `emax` of
/// section 3: 8 (e4m3fn), 15 (e5m2), 2 (e2m1fn).
int maxExponent(StorageType type);

/// Flag and IR spellings: `int8`, `float8_e4m3fn`, `f8E8M0FNU`,
/// `symmetric_with_clipping`, `zp`, … `parse…` gives nullopt for any other.
std::string_view name(StorageType type);
std::string_view name(ExpressedType type);
std::string_view name(ScaleType type);
std::string_view name(Scheme scheme);
std::string_view name(Formulation formulation);
std::optional<StorageType> parseStorageType(std::string_view text);
std::optional<ExpressedType> parseExpressedType(std::string_view text);
std::optional<ScaleType> parseScaleType(std::string_view text);
std::optional<Scheme> parseScheme(std::string_view text);
std::optional<Formulation> parseFormulation(std::string_view text);

/// All spellings of a kind, comma separated, for error messages.
std::string storageTypeNames();
/// The storage types that a weight or an activation can have: all but int32.
std::string weightTypeNames();
std::string scaleTypeNames();
std::string schemeNames();
std::string formulationNames();

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_TYPES_H

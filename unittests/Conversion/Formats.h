//===- Formats.h - Every storage type and formulation -----------*- C++ -*-===//
//
// What the numerical tests run over, and the IR of one function for each.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_CONVERSION_FORMATS_H
#define QUANT_MLIR_UNITTESTS_CONVERSION_FORMATS_H

#include "quant-mlir/Numerics/SmallFloat.h"
#include "quant-mlir/Numerics/Tensor.h"

#include "JitModule.h"

#include <random>

namespace quant_mlir::test {

/// A storage type, how it is used, and how its scale is stored.
struct Format {
  numerics::StorageType storage;
  bool hasZeroPoint = false;
  bool hasMinval = false;
  bool isNarrow = false;
  numerics::ScaleType scaleType = numerics::ScaleType::F32;
  /// Scale, and zero point if any, are operands.
  bool isDynamic = false;

  numerics::CodeFormat codeFormat() const;
  std::string name() const;
  unsigned codeWidth() const; ///< bytes of a code in memory
};

/// All storage types x formulations x ranges, with attribute parameters where
/// the contract allows them and as operands.
const std::vector<Format> &allFormats();

/// Parameters of `count` units.
struct Params {
  std::vector<numerics::UnitParams> units;

  /// Bytes of the scales as `type` stores them, for an operand.
  Buffer scales(numerics::ScaleType type, std::vector<int64_t> shape) const;
  Buffer zeroPoints(std::vector<int64_t> shape) const;
};

/// Random parameters, the exponents of the scales in [minExponent,
/// maxExponent].
Params randomParams(const Format &format, size_t count, int minExponent,
                    int maxExponent, std::mt19937 &random);

/// MLIR type of a code, a scale and an expressed value.
std::string codeType(numerics::StorageType type);
std::string scaleType(numerics::ScaleType type);
/// `tensor<4x?xf32>`; -1 is dynamic.
std::string tensorType(llvm::ArrayRef<int64_t> shape, llvm::StringRef element);

/// A function `name` that quantizes or dequantizes tensors of `shape` under
/// `granularity`, with parameters of `paramShape`.
struct FunctionSpec {
  std::string name;
  bool isQuantize;
  numerics::ExpressedType expressed;
  std::vector<int64_t> shape;
  std::string granularity;
  std::vector<int64_t> paramShape;
};
std::string makeFunction(const FunctionSpec &spec, const Format &format,
                         const Params &params);

/// Widens and narrows by the numerics library.
float decode(numerics::ExpressedType type, const uint8_t *bytes);
unsigned byteWidth(numerics::ExpressedType type);
/// Bits of `value` rounded to `type`.
uint32_t encode(numerics::ExpressedType type, float value);
bool isNaN(numerics::ExpressedType type, uint32_t bits);

} // namespace quant_mlir::test

#endif // QUANT_MLIR_UNITTESTS_CONVERSION_FORMATS_H

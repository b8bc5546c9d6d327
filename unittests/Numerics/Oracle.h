//===- Oracle.h - The numerics contract, naively ----------------*- C++ -*-===//
//
// What docs/numerics.md says, written a second time in the plainest way: tables
// of all values, searches, binary64 arithmetic rounded to binary32 after each
// operation (which is correctly rounded for + - * /, since 53 >= 2 * 24 + 2),
// one element at a time by its full index. It takes only the names of types
// from the library, none of its functions. Slow, and meant to be.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_NUMERICS_ORACLE_H
#define QUANT_MLIR_UNITTESTS_NUMERICS_ORACLE_H

#include "quant-mlir/Numerics/Types.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace oracle {

using quant_mlir::numerics::ExpressedType;
using quant_mlir::numerics::Formulation;
using quant_mlir::numerics::ScaleType;
using quant_mlir::numerics::Scheme;
using quant_mlir::numerics::StorageType;

inline float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline uint32_t toBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

/// Round half to even.
inline double R(double v) {
  if (std::isinf(v) || std::fabs(v) >= 0x1p52)
    return v;
  double below = std::floor(v), rest = v - below;
  if (rest < 0.5)
    return below;
  if (rest > 0.5)
    return below + 1;
  return std::fmod(below, 2) == 0 ? below : below + 1;
}

inline float add(float a, float b) { return float(double(a) + double(b)); }
inline float sub(float a, float b) { return float(double(a) - double(b)); }
inline float mul(float a, float b) { return float(double(a) * double(b)); }
inline float div(float a, float b) { return float(double(a) / double(b)); }

/// A narrow float format by its table of non-negative finite values.
struct Format {
  int exponentBits, mantissaBits, bias;
  uint32_t lastFinite;   ///< code of the largest finite value
  uint32_t overflowCode; ///< code of anything that rounds beyond it
  uint32_t nanCode;
  bool overflowIsNaN;
  std::vector<double> values; ///< of codes 0 … lastFinite + 1, unbounded

  Format(int exponentBits, int mantissaBits, int bias, uint32_t lastFinite,
         uint32_t overflowCode, uint32_t nanCode, bool overflowIsNaN)
      : exponentBits(exponentBits), mantissaBits(mantissaBits), bias(bias),
        lastFinite(lastFinite), overflowCode(overflowCode), nanCode(nanCode),
        overflowIsNaN(overflowIsNaN) {
    for (uint32_t code = 0; code <= lastFinite + 1; ++code) {
      int field = int(code >> mantissaBits);
      double mantissa =
          double(code & ((1u << mantissaBits) - 1)) / double(1 << mantissaBits);
      values.push_back(field ? std::ldexp(1 + mantissa, field - bias)
                             : std::ldexp(mantissa, 1 - bias));
    }
  }
  uint32_t signBit() const { return 1u << (exponentBits + mantissaBits); }

  double decode(uint32_t code) const {
    uint32_t magnitude = code & (signBit() - 1);
    double value = magnitude <= lastFinite ? values[magnitude]
                   : magnitude == overflowCode && !overflowIsNaN
                       ? std::numeric_limits<double>::infinity()
                       : std::numeric_limits<double>::quiet_NaN();
    return code & signBit() ? -value : value;
  }

  uint32_t encode(double x) const {
    if (std::isnan(x))
      return nanCode;
    uint32_t sign = std::signbit(x) ? signBit() : 0;
    uint32_t code = nearest(std::fabs(x));
    if (code > lastFinite)
      return overflowIsNaN ? nanCode : sign | overflowCode;
    return sign | code;
  }

  /// The code whose value, exponents unbounded, is nearest; ties to the even
  /// code. lastFinite + 1 for all that is beyond.
  uint32_t nearest(double magnitude) const {
    if (magnitude >= values.back())
      return lastFinite + 1;
    uint32_t above =
        uint32_t(std::upper_bound(values.begin(), values.end(), magnitude) -
                 values.begin());
    uint32_t below = above - 1;
    double down = magnitude - values[below], up = values[above] - magnitude;
    if (down != up)
      return down < up ? below : above;
    return below % 2 == 0 ? below : above;
  }
};

inline const Format &f16() {
  static const Format format(5, 10, 15, 0x7bff, 0x7c00, 0x7e00, false);
  return format;
}
inline const Format &bf16() {
  static const Format format(8, 7, 127, 0x7f7f, 0x7f80, 0x7fc0, false);
  return format;
}
inline const Format &e4m3() {
  static const Format format(4, 3, 7, 0x7e, 0x7f, 0x7f, true);
  return format;
}
inline const Format &e5m2() {
  static const Format format(5, 2, 15, 0x7b, 0x7c, 0x7e, false);
  return format;
}
/// No infinity and no NaN: overflow saturates, NaN is 0.
inline const Format &e2m1() {
  static const Format format(2, 1, 1, 7, 7, 0, false);
  return format;
}

inline float roundTo(float x, ExpressedType type) {
  if (type == ExpressedType::F16)
    return float(f16().decode(f16().encode(x)));
  if (type == ExpressedType::BF16)
    return float(bf16().decode(bf16().encode(x)));
  return x;
}

struct Storage {
  bool integer, isSigned;
  double min, max;
  int emax;
  const Format *format;
};
inline Storage storage(StorageType type) {
  switch (type) {
  case StorageType::Int8:
    return {true, true, -128, 127, 0, nullptr};
  case StorageType::UInt8:
    return {true, false, 0, 255, 0, nullptr};
  case StorageType::Int4:
    return {true, true, -8, 7, 0, nullptr};
  case StorageType::UInt4:
    return {true, false, 0, 15, 0, nullptr};
  case StorageType::Int2:
    return {true, true, -2, 1, 0, nullptr};
  case StorageType::UInt2:
    return {true, false, 0, 3, 0, nullptr};
  case StorageType::Float8E4M3FN:
    return {false, true, -448, 448, 8, &e4m3()};
  case StorageType::Float8E5M2:
    return {false, true, -57344, 57344, 15, &e5m2()};
  case StorageType::Float4E2M1FN:
    return {false, true, -6, 6, 2, &e2m1()};
  case StorageType::Int32:
    return {true, true, -2147483648.0, 2147483647.0, 0, nullptr};
  }
  return {};
}

/// Everything that codes of one unit depend on.
struct Unit {
  StorageType type = StorageType::Int8;
  bool minvalForm = false;
  double min = -128, max = 127;
  float scale = 1;
  int zero = 0;
  float minval = 0;
};

/// The code as an integer, or as a bit pattern. `clipped`: the clamp changed
/// what rounding gives.
inline int quantize(const Unit &u, float x, bool *clipped = nullptr) {
  if (clipped)
    *clipped = false;
  if (std::isnan(x))
    x = 0;
  if (const Format *format = storage(u.type).format) {
    float v = div(x, u.scale);
    if (clipped)
      *clipped = format->nearest(std::fabs(double(v))) > format->lastFinite;
    double inside = double(v) < u.min ? u.min : double(v) > u.max ? u.max : v;
    return int(format->encode(inside));
  }
  double base = u.minvalForm ? u.min : u.zero;
  float v = u.minvalForm ? div(sub(x, u.minval), u.scale) : div(x, u.scale);
  double code = R(v) + base;
  if (clipped)
    *clipped = code < u.min || code > u.max;
  return int(code < u.min ? u.min : code > u.max ? u.max : code);
}

inline float dequantize(const Unit &u, int code) {
  if (const Format *format = storage(u.type).format)
    return mul(
        float(format->decode(uint32_t(code) & (2 * format->signBit() - 1))),
        u.scale);
  if (u.minvalForm)
    return add(mul(float(code - int(u.min)), u.scale), u.minval);
  return mul(float(double(code) - u.zero), u.scale);
}

struct Request {
  StorageType type;
  Scheme scheme;
  bool minvalForm;
  ScaleType scaleType;
  bool fixedLo = false, fixedHi = false;
  float lo = 0, hi = 0;
};

enum class Failure { None, Range, Scale, Minval };

inline float roundToScale(float x, ScaleType type) {
  if (type == ScaleType::F16)
    return roundTo(x, ExpressedType::F16);
  if (type == ScaleType::BF16)
    return roundTo(x, ExpressedType::BF16);
  return x;
}

/// Section 3. Wide arithmetic is not used where the contract rounds.
inline Failure params(const Request &q, float dataMin, float dataMax, Unit &u) {
  if (!std::isfinite(dataMin) || !std::isfinite(dataMax))
    return Failure::Range;
  Storage s = storage(q.type);
  u = Unit();
  u.type = q.type;
  u.minvalForm = q.minvalForm;
  u.min = s.min;
  u.max = s.max;
  float lo = q.fixedLo ? q.lo : std::fmin(dataMin, 0.0f);
  float hi = q.fixedHi ? q.hi : std::fmax(dataMax, 0.0f);
  float amax = std::fmax(std::fabs(lo), std::fabs(hi));

  float scale;
  if (q.scaleType == ScaleType::F8E8M0FNU) {
    int exponent = amax == 0 ? -1000 : std::ilogb(double(amax)) - s.emax;
    if (exponent < -126)
      exponent = -126;
    u.scale = float(std::ldexp(1.0, exponent));
    return Failure::None;
  }
  if (!s.integer) {
    scale = div(amax, float(s.max));
  } else if (q.scheme == Scheme::Asymmetric) {
    scale = div(sub(hi, lo), float(s.max - s.min));
  } else if (q.scheme == Scheme::SymmetricWithClipping && s.isSigned) {
    u.min = -s.max;
    scale = div(amax, float(s.max));
  } else {
    scale = div(amax, float((s.max - s.min) / 2));
  }
  if (scale < 1.1920929e-7f)
    scale = 1.1920929e-7f;
  u.scale = roundToScale(scale, q.scaleType);
  if (!std::isfinite(u.scale))
    return Failure::Scale;
  if (!s.integer)
    return Failure::None;
  if (q.minvalForm) {
    u.minval =
        roundToScale(q.scheme == Scheme::Asymmetric ? lo : -amax, q.scaleType);
    return std::isfinite(u.minval) ? Failure::None : Failure::Minval;
  }
  if (q.scheme == Scheme::Asymmetric) {
    double zero = u.min - R(div(lo, u.scale));
    u.zero = int(zero < u.min ? u.min : zero > u.max ? u.max : zero);
  } else if (!s.isSigned) {
    u.zero = int((s.max + 1) / 2);
  }
  return Failure::None;
}

/// Linear index of the unit that holds the element of linear index `element`.
inline int64_t unitOf(const std::vector<int64_t> &shape,
                      const std::vector<int64_t> &blocks, int64_t element) {
  int64_t unit = 0, stride = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    int64_t index = element % shape[d];
    element /= shape[d];
    int64_t block =
        blocks[d] == -1 || blocks[d] > shape[d] ? shape[d] : blocks[d];
    unit += index / block * stride;
    stride *= shape[d] / block + (shape[d] % block ? 1 : 0);
  }
  return unit;
}

} // namespace oracle

#endif // QUANT_MLIR_UNITTESTS_NUMERICS_ORACLE_H

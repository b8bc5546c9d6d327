//===- ParamsTest.cpp - Requests, and ranges to parameters ----------------===//

#include "quant-mlir/Numerics/Params.h"

#include "Support.h"

#include <random>

using namespace support;
using oracle::toBits;

namespace {
const float maxFloat = std::numeric_limits<float>::max();

//===----------------------------------------------------------------------===//
// Requests
//===----------------------------------------------------------------------===//

TEST(CheckSpec, AcceptsExactlyWhatIsAllowed) {
  std::vector<QuantSpec> allowed = allowedSpecs();
  auto isAllowed = [&](const QuantSpec &spec) {
    return std::any_of(allowed.begin(), allowed.end(), [&](const QuantSpec &a) {
      return a.storage == spec.storage && a.scheme == spec.scheme &&
             a.formulation == spec.formulation && a.scaleType == spec.scaleType;
    });
  };
  std::vector<StorageType> types(std::begin(integerTypes),
                                 std::end(integerTypes));
  types.insert(types.end(), std::begin(floatTypes), std::end(floatTypes));
  types.push_back(StorageType::Int32);
  for (StorageType type : types)
    for (Scheme scheme : schemes)
      for (Formulation form : {Formulation::ZeroPoint, Formulation::MinVal})
        for (ScaleType scale : scaleTypes) {
          QuantSpec spec = {type, scheme, form, scale, {}, {}};
          EXPECT_EQ(!checkSpec(spec), isAllowed(spec)) << describe(spec);
        }
}

QuantSpec floatSpec(StorageType type, ScaleType scale) {
  return {type, Scheme::Symmetric, Formulation::ZeroPoint, scale, {}, {}};
}

TEST(CheckSpec, RejectsInt32) {
  QuantSpec spec;
  spec.storage = StorageType::Int32;
  EXPECT_EQ(checkSpec(spec), "expected a storage type of 2, 4 or 8 bits, found "
                             "int32: int32 is for biases only; use int8");
}

TEST(CheckSpec, RejectsE8M0ScaleWithIntegers) {
  QuantSpec spec;
  spec.storage = StorageType::UInt4;
  spec.scaleType = ScaleType::F8E8M0FNU;
  EXPECT_EQ(checkSpec(spec),
            "expected scale type f32, f16 or bf16 for uint4, found f8E8M0FNU: "
            "use one of these, or a floating-point storage type");
}

TEST(CheckSpec, RejectsOtherSchemesWithFloats) {
  QuantSpec spec = floatSpec(StorageType::Float8E4M3FN, ScaleType::F32);
  spec.scheme = Scheme::Asymmetric;
  EXPECT_EQ(checkSpec(spec),
            "expected scheme symmetric for float8_e4m3fn, found asymmetric: "
            "use symmetric, or an integer storage type");
  spec.scheme = Scheme::SymmetricWithClipping;
  EXPECT_EQ(checkSpec(spec),
            "expected scheme symmetric for float8_e4m3fn, found "
            "symmetric_with_clipping: use symmetric, or an integer storage "
            "type");
}

TEST(CheckSpec, RejectsMinvalWithFloats) {
  QuantSpec spec = floatSpec(StorageType::Float8E5M2, ScaleType::F16);
  spec.formulation = Formulation::MinVal;
  EXPECT_EQ(checkSpec(spec),
            "expected formulation zp for float8_e5m2, found minval: use zp, or "
            "an integer storage type");
}

TEST(CheckSpec, RejectsFp4WithoutE8M0) {
  EXPECT_EQ(checkSpec(floatSpec(StorageType::Float4E2M1FN, ScaleType::BF16)),
            "expected scale type f8E8M0FNU for float4_e2m1fn, found bf16: use "
            "f8E8M0FNU (MXFP4), or another storage type");
}

TEST(CheckSpec, RejectsImpossibleFloatRanges) {
  auto check = [](std::optional<float> lo, std::optional<float> hi) {
    QuantSpec spec;
    spec.floatLo = lo;
    spec.floatHi = hi;
    return checkSpec(spec);
  };
  EXPECT_EQ(check(0.5f, {}),
            "expected float_range with lo <= 0, found [0.5, none]: zero is "
            "always inside a range; use 0 as its lower end");
  EXPECT_EQ(check({}, -0.5f),
            "expected float_range with hi >= 0, found [none, -0.5]: zero is "
            "always inside a range; use 0 as its upper end");
  EXPECT_EQ(check(0.0f, 0.0f),
            "expected float_range with lo < hi, found [0, 0]: move an end away "
            "from 0, or use none to take it from the data");
  const std::string way =
      ": give numbers, or none to take an end from the data";
  EXPECT_EQ(check(-INFINITY, 1.0f),
            "expected finite float_range ends, found [-inf, 1]" + way);
  EXPECT_EQ(check(-1.0f, INFINITY),
            "expected finite float_range ends, found [-1, inf]" + way);
  EXPECT_EQ(check({}, NAN),
            "expected finite float_range ends, found [none, nan]" + way);
  for (auto [lo, hi] : {std::pair(-1.0f, 0.0f), std::pair(-0.0f, 1.0f),
                        std::pair(-maxFloat, maxFloat)})
    EXPECT_EQ(check(lo, hi), std::nullopt) << lo << " " << hi;
  EXPECT_EQ(check(-1.0f, {}), std::nullopt);
  EXPECT_EQ(check({}, 0.0f), std::nullopt);
}

TEST(CheckSpec, RejectsImpossibleFloatRangesOfFloatStorage) {
  QuantSpec spec = floatSpec(StorageType::Float8E5M2, ScaleType::F16);
  spec.floatLo = 1.0f;
  EXPECT_TRUE(checkSpec(spec).has_value());
}

TEST(CheckBlockSize, Fp4TakesBlocksOf32Only) {
  QuantSpec spec = floatSpec(StorageType::Float4E2M1FN, ScaleType::F8E8M0FNU);
  EXPECT_EQ(checkBlockSize(spec, 32), std::nullopt);
  const std::string start = "expected per_block with block size 32 for "
                            "float4_e2m1fn, found ",
                    end = ": use per_block with block size 32 (MXFP4), or "
                          "another storage type";
  EXPECT_EQ(checkBlockSize(spec, {}), start + "no block size" + end);
  EXPECT_EQ(checkBlockSize(spec, 16), start + "block size 16" + end);
  EXPECT_EQ(checkBlockSize(spec, -1), start + "block size -1" + end);
}

TEST(CheckBlockSize, OtherTypesTakeAnySize) {
  for (QuantSpec spec : allowedSpecs()) {
    if (spec.storage == StorageType::Float4E2M1FN)
      continue;
    for (int64_t size : {-1, 1, 3, 32, 100000})
      EXPECT_EQ(checkBlockSize(spec, size), std::nullopt);
    EXPECT_EQ(checkBlockSize(spec, {}), std::nullopt);
    EXPECT_EQ(checkBlockSize(spec, 0),
              "expected a positive block size, or -1, found 0: use 32, or -1 "
              "for the whole dimension");
    EXPECT_TRUE(checkBlockSize(spec, -2).has_value());
  }
}

TEST(RangeInUse, IsNarrowOnlyForSignedIntegersWithClipping) {
  for (const QuantSpec &spec : allowedSpecs()) {
    CodeRange range = rangeInUse(spec);
    oracle::Storage storage = oracle::storage(spec.storage);
    bool narrow = spec.scheme == Scheme::SymmetricWithClipping &&
                  storage.integer && storage.isSigned;
    EXPECT_EQ(range.min, narrow ? -storage.max : storage.min);
    EXPECT_EQ(range.max, storage.max);
  }
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

void checkParams(const QuantSpec &spec, float min, float max) {
  oracle::Unit unit;
  oracle::Failure failure = oracle::params(toOracle(spec), min, max, unit);
  UnitParams params;
  ParamError error = paramsFromRange(spec, min, max, params);
  ASSERT_EQ(error, toError(failure))
      << describe(spec) << " [" << min << ", " << max << "]";
  if (error != ParamError::None)
    return;
  ASSERT_EQ(toBits(params.scale), toBits(unit.scale))
      << describe(spec) << " [" << min << ", " << max << "]";
  ASSERT_GT(params.scale, 0.0f);
  ASSERT_EQ(params.zeroPoint, unit.zero)
      << describe(spec) << " [" << min << ", " << max << "]";
  ASSERT_EQ(params.minval, unit.minval)
      << describe(spec) << " [" << min << ", " << max << "]";
}

TEST(ParamsFromRange, AgreesOnEdges) {
  std::vector<float> ends = {0.0f,
                             1.0f,
                             0x1p-23f,
                             1.1920929e-7f * 127.5f,
                             1e-10f,
                             1e-40f,
                             std::numeric_limits<float>::denorm_min(),
                             std::numeric_limits<float>::min(),
                             3.0f,
                             127.0f,
                             127.5f,
                             255.0f,
                             6.0f,
                             448.0f,
                             65504.0f,
                             65520.0f,
                             65504.0f * 127.5f,
                             65520.0f * 127.5f,
                             1e10f,
                             1e38f,
                             3.38e38f,
                             3.396e38f,
                             maxFloat};
  for (float end : std::vector<float>(ends))
    ends.insert(ends.end(), {std::nextafter(end, INFINITY),
                             std::nextafter(end, -INFINITY), -end});
  for (const QuantSpec &spec : allowedSpecs())
    for (float a : ends)
      for (float b : ends)
        checkParams(spec, std::fmin(a, b), std::fmax(a, b));
}

TEST(ParamsFromRange, AgreesOnRandomRanges) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> exponent(-150, 128);
  for (const QuantSpec &spec : allowedSpecs())
    for (int i = 0; i < 20000; ++i) {
      float a = float(std::exp2(exponent(random)));
      // Ends of like magnitude, and of any.
      float b = i % 2 ? float(std::exp2(exponent(random)))
                      : float(std::ldexp(double(a), int(random() % 5) - 2));
      float min = -a, max = b;
      if (i % 5 == 0)
        min = std::fmin(a, b), max = std::fmax(a, b);
      else if (i % 5 == 1)
        min = -std::fmax(a, b), max = -std::fmin(a, b);
      if (std::isfinite(min) && std::isfinite(max))
        checkParams(spec, min, max);
    }
}

TEST(ParamsFromRange, TakesFixedEnds) {
  std::mt19937 random(4);
  std::uniform_real_distribution<float> end(-3, 3);
  for (QuantSpec spec : allowedSpecs())
    for (int i = 0; i < 300; ++i) {
      spec.floatLo.reset();
      spec.floatHi.reset();
      if (i % 3 != 0)
        spec.floatLo = -std::fabs(end(random));
      if (i % 3 != 1)
        spec.floatHi = std::fabs(end(random));
      float a = end(random), b = end(random);
      checkParams(spec, std::fmin(a, b), std::fmax(a, b));
    }
}

TEST(ParamsFromRange, AgreesOnEveryE8M0Exponent) {
  for (StorageType type : floatTypes) {
    QuantSpec spec = floatSpec(type, ScaleType::F8E8M0FNU);
    for (int exponent = -149; exponent <= 127; ++exponent) {
      float power = float(std::ldexp(1.0, exponent));
      for (float amax : {power, std::nextafter(power, 0.0f),
                         std::nextafter(power, INFINITY)}) {
        checkParams(spec, -amax, 0);
        checkParams(spec, 0, amax);
      }
    }
  }
}

TEST(ParamsFromRange, RefusesWhatIsNotFinite) {
  UnitParams params;
  QuantSpec spec;
  for (auto [lo, hi] : {std::pair(-INFINITY, 1.0f), std::pair(-1.0f, INFINITY),
                        std::pair(NAN, 1.0f), std::pair(-1.0f, NAN)})
    EXPECT_EQ(paramsFromRange(spec, lo, hi, params),
              ParamError::NonFiniteRange);
  spec.scheme = Scheme::Asymmetric;
  EXPECT_EQ(paramsFromRange(spec, -maxFloat, maxFloat, params),
            ParamError::NonFiniteScale);
  spec.scheme = Scheme::Symmetric;
  spec.scaleType = ScaleType::F16;
  EXPECT_EQ(paramsFromRange(spec, 0, 65520.0f * 127.5f, params),
            ParamError::NonFiniteScale);
  EXPECT_EQ(paramsFromRange(spec, 0, 65519.0f * 127.5f, params),
            ParamError::None);
  spec.formulation = Formulation::MinVal;
  EXPECT_EQ(paramsFromRange(spec, 0, 65520.0f, params),
            ParamError::NonFiniteMinval);
  EXPECT_EQ(paramsFromRange(spec, 0, 65519.0f, params), ParamError::None);
  for (ParamError error :
       {ParamError::NonFiniteRange, ParamError::NonFiniteScale,
        ParamError::NonFiniteMinval}) {
    EXPECT_EQ(message(error).substr(0, 8), "expected");
    EXPECT_NE(message(error).find(", found "), std::string_view::npos);
    EXPECT_NE(message(error).find(": "), std::string_view::npos);
  }
}

TEST(ParamsFromRange, LeavesParamsAloneOnError) {
  UnitParams params;
  params.scale = 42;
  EXPECT_NE(paramsFromRange({}, NAN, 1, params), ParamError::None);
  EXPECT_EQ(params.scale, 42);
}

TEST(ParamsFromRange, NeverGivesAScaleOfZero) {
  for (const QuantSpec &spec : allowedSpecs()) {
    UnitParams params;
    ASSERT_EQ(paramsFromRange(spec, 0, 0, params), ParamError::None);
    EXPECT_EQ(params.scale,
              spec.scaleType == ScaleType::F8E8M0FNU ? 0x1p-126f : 0x1p-23f)
        << describe(spec);
  }
}

TEST(ParamsFromRange, KnownValues) {
  auto params = [](StorageType type, Scheme scheme, float min, float max) {
    UnitParams result;
    EXPECT_EQ(
        paramsFromRange(
            {type, scheme, Formulation::ZeroPoint, ScaleType::F32, {}, {}}, min,
            max, result),
        ParamError::None);
    return result;
  };
  EXPECT_EQ(params(StorageType::Int8, Scheme::Symmetric, -1, 2).scale,
            2.0f / 127.5f);
  EXPECT_EQ(params(StorageType::Int4, Scheme::Symmetric, -1, 2).scale,
            2.0f / 7.5f);
  EXPECT_EQ(
      params(StorageType::Int8, Scheme::SymmetricWithClipping, -1, 2).scale,
      2.0f / 127);
  EXPECT_EQ(params(StorageType::UInt8, Scheme::Symmetric, -1, 2).zeroPoint,
            128);
  EXPECT_EQ(params(StorageType::UInt4, Scheme::SymmetricWithClipping, -1, 2)
                .zeroPoint,
            8);
  EXPECT_EQ(params(StorageType::UInt2, Scheme::Symmetric, -1, 2).zeroPoint, 2);
  EXPECT_EQ(params(StorageType::Int8, Scheme::Asymmetric, -1, 3).zeroPoint,
            -64);
  EXPECT_EQ(params(StorageType::UInt8, Scheme::Asymmetric, 1, 3).zeroPoint, 0);
  EXPECT_EQ(params(StorageType::UInt8, Scheme::Asymmetric, -3, -1).zeroPoint,
            255);
}

// The order matters: a zero point from the scale before rounding differs.
TEST(ParamsFromRange, ZeroPointComesFromTheStoredScale) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> end(0.1f, 3);
  QuantSpec exact = {StorageType::UInt8,
                     Scheme::Asymmetric,
                     Formulation::ZeroPoint,
                     ScaleType::F32,
                     {},
                     {}};
  QuantSpec rounded = exact;
  rounded.scaleType = ScaleType::BF16;
  int different = 0;
  for (int i = 0; i < 1000; ++i) {
    float min = -end(random), max = end(random);
    UnitParams a, b;
    ASSERT_EQ(paramsFromRange(exact, min, max, a), ParamError::None);
    ASSERT_EQ(paramsFromRange(rounded, min, max, b), ParamError::None);
    different += a.zeroPoint != b.zeroPoint;
  }
  EXPECT_GT(different, 100);
}

TEST(Types, SpellingsAreParsedBack) {
  for (StorageType type : integerTypes)
    EXPECT_EQ(parseStorageType(name(type)), type);
  for (StorageType type : floatTypes)
    EXPECT_EQ(parseStorageType(name(type)), type);
  EXPECT_EQ(parseStorageType("int32"), StorageType::Int32);
  for (ScaleType type : scaleTypes)
    EXPECT_EQ(parseScaleType(name(type)), type);
  for (Scheme scheme : schemes)
    EXPECT_EQ(parseScheme(name(scheme)), scheme);
  for (ExpressedType type : expressedTypes)
    EXPECT_EQ(parseExpressedType(name(type)), type);
  for (Formulation form : {Formulation::ZeroPoint, Formulation::MinVal})
    EXPECT_EQ(parseFormulation(name(form)), form);
  EXPECT_EQ(parseStorageType("int16"), std::nullopt);
  EXPECT_EQ(parseScheme("Symmetric"), std::nullopt);
  EXPECT_EQ(scaleTypeNames(), "f32, f16, bf16, f8E8M0FNU");
}

TEST(Types, RangesAreThoseOfTheContract) {
  for (StorageType type : integerTypes) {
    oracle::Storage storage = oracle::storage(type);
    EXPECT_EQ(fullRange(type), (CodeRange{storage.min, storage.max}));
    EXPECT_EQ(isSignedInteger(type), storage.isSigned);
    EXPECT_TRUE(isInteger(type));
    EXPECT_EQ(std::ldexp(1.0, int(bitWidth(type))),
              storage.max - storage.min + 1);
  }
  for (StorageType type : floatTypes) {
    oracle::Storage storage = oracle::storage(type);
    EXPECT_EQ(fullRange(type), (CodeRange{storage.min, storage.max}));
    EXPECT_EQ(narrowRange(type), fullRange(type));
    EXPECT_EQ(maxExponent(type), storage.emax);
    EXPECT_EQ(storage.format->values[storage.format->lastFinite], storage.max);
    EXPECT_TRUE(isFloat(type));
  }
}
} // namespace

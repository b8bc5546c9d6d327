//===- NarrowFloats.cpp - Conversions that compilers call -----------------===//

#include "quant-mlir/Support/NarrowFloats.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

#include <cstdint>

using llvm::APFloat;

namespace {
/// A narrow float in the register where the calling conventions of x86-64 and
/// AArch64 put it, the low bits of that of a float. The compiler's own types
/// for them would in turn call the functions defined here.
struct NarrowBits {
  static float inRegister(uint16_t bits) {
    return llvm::bit_cast<float>(uint32_t(bits));
  }
  static uint16_t of(float carrier) {
    return static_cast<uint16_t>(llvm::bit_cast<uint32_t>(carrier));
  }
};

template <typename From>
float truncate(From value, const llvm::fltSemantics &semantics) {
  APFloat number(value);
  bool losesInfo;
  number.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  return NarrowBits::inRegister(
      static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue()));
}

float floatToBF16(float value) { return truncate(value, APFloat::BFloat()); }
float doubleToBF16(double value) { return truncate(value, APFloat::BFloat()); }
float floatToF16(float value) { return truncate(value, APFloat::IEEEhalf()); }
float doubleToF16(double value) { return truncate(value, APFloat::IEEEhalf()); }
float f16ToFloat(float carrier) {
  return APFloat(APFloat::IEEEhalf(), llvm::APInt(16, NarrowBits::of(carrier)))
      .convertToFloat();
}

template <typename Function> void *address(Function *function) {
  return reinterpret_cast<void *>(function);
}
} // namespace

llvm::ArrayRef<std::pair<const char *, void *>>
quant_mlir::getNarrowFloatSymbols() {
  static const std::pair<const char *, void *> symbols[] = {
      {"__truncsfbf2", address(floatToBF16)},
      {"__truncdfbf2", address(doubleToBF16)},
      {"__truncsfhf2", address(floatToF16)},
      {"__truncdfhf2", address(doubleToF16)},
      {"__extendhfsf2", address(f16ToFloat)},
  };
  return symbols;
}

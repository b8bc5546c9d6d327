//===- Packing.cpp - The canonical packed layout --------------------------===//
//
// Codes of 1, 2, 4 or 8 bits, row-major over the whole tensor: element i of
// width w lies in bits (i*w) mod 8 upwards of byte floor(i*w/8). A width
// divides 8, so no element crosses a byte and bytes are independent of each
// other.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Numerics/Tensor.h"

#include "FloatFormat.h"
#include "Kernels.h"

#include <cassert>

using namespace quant_mlir::numerics;

namespace {
template <unsigned width>
QUANT_ALWAYS_INLINE void packWidth(const uint8_t *__restrict codes,
                                   int64_t count, uint8_t *__restrict packed) {
  constexpr unsigned perByte = 8 / width, mask = (1u << width) - 1;
  const int64_t full = count / perByte;
  for (int64_t byte = 0; byte < full; ++byte) {
    unsigned bits = 0;
    for (unsigned k = 0; k < perByte; ++k)
      bits |= (codes[byte * perByte + k] & mask) << (k * width);
    packed[byte] = static_cast<uint8_t>(bits);
  }
  unsigned tail = 0;
  for (int64_t i = full * perByte; i < count; ++i)
    tail |= (codes[i] & mask) << ((i % perByte) * width);
  if (count % perByte)
    packed[full] = static_cast<uint8_t>(tail);
}

template <unsigned width>
QUANT_ALWAYS_INLINE void unpackWidth(const uint8_t *__restrict packed,
                                     int64_t count, unsigned signBit,
                                     uint8_t *__restrict codes) {
  constexpr unsigned perByte = 8 / width, mask = (1u << width) - 1;
  // (bits ^ sign) - sign extends the sign, and does nothing where it is 0.
  auto code = [=](unsigned byte, unsigned k) {
    return static_cast<uint8_t>((((byte >> (k * width)) & mask) ^ signBit) -
                                signBit);
  };
  const int64_t full = count / perByte;
  for (int64_t byte = 0; byte < full; ++byte)
    for (unsigned k = 0; k < perByte; ++k)
      codes[byte * perByte + k] = code(packed[byte], k);
  for (int64_t i = full * perByte; i < count; ++i)
    codes[i] = code(packed[full], i % perByte);
}
} // namespace

namespace quant_mlir::numerics {

int64_t packedSize(int64_t numElements, unsigned width) {
  assert((width == 1 || width == 2 || width == 4 || width == 8) &&
         "a packed width divides 8");
  const int64_t perByte = 8 / width;
  return numElements / perByte + (numElements % perByte != 0);
}

QUANT_HOT void packCodes(const uint8_t *codes, int64_t numElements,
                         unsigned width, uint8_t *packed) {
  switch (width) {
  case 1:
    return packWidth<1>(codes, numElements, packed);
  case 2:
    return packWidth<2>(codes, numElements, packed);
  case 4:
    return packWidth<4>(codes, numElements, packed);
  case 8:
    return packWidth<8>(codes, numElements, packed);
  }
  assert(false && "a packed width divides 8");
}

QUANT_HOT void unpackCodes(const uint8_t *packed, int64_t numElements,
                           unsigned width, bool isSigned, uint8_t *codes) {
  const unsigned signBit = isSigned ? 1u << (width - 1) : 0;
  switch (width) {
  case 1:
    return unpackWidth<1>(packed, numElements, signBit, codes);
  case 2:
    return unpackWidth<2>(packed, numElements, signBit, codes);
  case 4:
    return unpackWidth<4>(packed, numElements, signBit, codes);
  case 8:
    return unpackWidth<8>(packed, numElements, signBit, codes);
  }
  assert(false && "a packed width divides 8");
}

} // namespace quant_mlir::numerics

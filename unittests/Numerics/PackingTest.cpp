//===- PackingTest.cpp - The canonical packed layout ----------------------===//

#include "quant-mlir/Numerics/Tensor.h"

#include "gtest/gtest.h"

#include <random>

using namespace quant_mlir::numerics;

namespace {
std::vector<uint8_t> randomBytes(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t &byte : bytes)
    byte = uint8_t(random());
  return bytes;
}

class Packing : public testing::TestWithParam<unsigned> {
protected:
  unsigned width = GetParam();
  uint8_t mask = uint8_t((1u << width) - 1);
  std::vector<int64_t> sizes() const {
    std::vector<int64_t> result;
    for (int64_t size = 0; size <= 70; ++size)
      result.push_back(size);
    for (int64_t size : {127, 255, 1000, 1001, 1023, 4096, 4099})
      result.push_back(size);
    return result;
  }
};

TEST_P(Packing, SizeIsRoundedUpToBytes) {
  for (int64_t size : sizes())
    EXPECT_EQ(packedSize(size, width), (size * width + 7) / 8);
}

TEST_P(Packing, PutsEachElementIntoItsBits) {
  for (int64_t size : sizes()) {
    // Bits above the width are noise that must not come through.
    std::vector<uint8_t> codes = randomBytes(size, 11);
    std::vector<uint8_t> packed(packedSize(size, width) + 1, 0xa5);
    packCodes(codes.data(), size, width, packed.data());
    std::vector<uint8_t> expected(packed.size(), 0);
    for (int64_t i = 0; i < size; ++i)
      for (unsigned bit = 0; bit < width; ++bit) {
        int64_t position = i * width + bit;
        if (codes[i] >> bit & 1)
          expected[position / 8] |= uint8_t(1u << position % 8);
      }
    expected.back() = 0xa5; // nothing is written past the end
    EXPECT_EQ(packed, expected) << size;
  }
}

TEST_P(Packing, UnpackInvertsPack) {
  for (int64_t size : sizes())
    for (bool isSigned : {false, true}) {
      std::vector<uint8_t> codes = randomBytes(size, 12);
      for (uint8_t &code : codes) {
        code &= mask;
        if (isSigned && code >> (width - 1))
          code |= uint8_t(~mask);
      }
      std::vector<uint8_t> packed(packedSize(size, width));
      packCodes(codes.data(), size, width, packed.data());
      std::vector<uint8_t> back(size + 1, 0x5a);
      unpackCodes(packed.data(), size, width, isSigned, back.data());
      EXPECT_EQ(back.back(), 0x5a);
      back.pop_back();
      EXPECT_EQ(back, codes) << size << " " << isSigned;
    }
}

INSTANTIATE_TEST_SUITE_P(Widths, Packing, testing::Values(1u, 2u, 4u, 8u));

TEST(PackingLayout, Examples) {
  const uint8_t codes[] = {0x1, 0x2, 0xf, 0x8, 0x7};
  uint8_t packed[3];
  packCodes(codes, 5, 4, packed);
  EXPECT_EQ(packed[0], 0x21);
  EXPECT_EQ(packed[1], 0x8f);
  EXPECT_EQ(packed[2], 0x07);
  uint8_t back[5];
  unpackCodes(packed, 5, 4, /*isSigned=*/true, back);
  EXPECT_EQ(int8_t(back[2]), -1);
  EXPECT_EQ(int8_t(back[3]), -8);
  EXPECT_EQ(int8_t(back[4]), 7);
}
} // namespace

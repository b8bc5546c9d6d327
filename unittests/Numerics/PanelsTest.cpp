//===- PanelsTest.cpp - Weights laid out for micro-kernels ----------------===//

#include "quant-mlir/Numerics/Panels.h"

#include "gtest/gtest.h"

#include <random>

using namespace quant_mlir::numerics;

namespace {

std::vector<uint8_t> randomCodes(int64_t count, unsigned width, bool isSigned,
                                 uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> codes(count);
  for (uint8_t &code : codes) {
    unsigned bits = random() & ((1u << width) - 1);
    // One code per byte, with its sign.
    code =
        uint8_t(isSigned && bits >> (width - 1) ? bits | ~0u << width : bits);
  }
  return codes;
}

int64_t numElements(const PanelLayout &layout) {
  int64_t count = 1;
  for (int64_t size : layout.shape)
    count *= size;
  return count;
}

/// The index of an element in the list `dims`, row-major over them, of the
/// element whose position in all dimensions is `position`.
int64_t indexIn(const PanelLayout &layout, const std::vector<int64_t> &dims,
                const std::vector<int64_t> &position) {
  int64_t index = 0;
  for (int64_t dim : dims)
    index = index * layout.shape[dim] + position[dim];
  return index;
}

/// The definition, one code at a time and without strides: first bit of the
/// code that stands at `position`.
int64_t firstBit(const PanelLayout &layout,
                 const std::vector<int64_t> &position) {
  std::vector<int64_t> outerDims(layout.reduction.begin(),
                                 layout.reduction.end() - layout.run),
      runDims(layout.reduction.end() - layout.run, layout.reduction.end());
  int64_t batch = indexIn(layout, layout.batch, position);
  int64_t column = indexIn(layout, layout.columns, position);
  int64_t outer = indexIn(layout, outerDims, position);
  int64_t element = indexIn(layout, runDims, position);
  int64_t runSize = 1, numOuter = 1, numColumns = 1;
  for (int64_t dim : runDims)
    runSize *= layout.shape[dim];
  for (int64_t dim : outerDims)
    numOuter *= layout.shape[dim];
  for (int64_t dim : layout.columns)
    numColumns *= layout.shape[dim];
  // Tuples are counted, block by block.
  int64_t perTuple = layout.group * (8 / layout.width);
  int64_t tuples = 0, tuple = 0, inTuple = 0;
  int64_t block = layout.block ? layout.block : runSize;
  for (int64_t begin = 0; begin < runSize; begin += block)
    for (int64_t i = begin; i < std::min(begin + block, runSize); ++i) {
      if ((i - begin) % perTuple == 0)
        ++tuples;
      if (i == element) {
        tuple = tuples - 1;
        inTuple = (i - begin) % perTuple;
      }
    }
  int64_t numPanels = 0;
  while (numPanels * layout.panel < numColumns)
    ++numPanels;
  int64_t byte = batch;
  byte = byte * numPanels + column / layout.panel;
  byte = byte * numOuter + outer;
  byte = byte * tuples + tuple;
  byte = byte * layout.panel + column % layout.panel;
  byte = byte * layout.group + inTuple % layout.group;
  return byte * 8 + inTuple / layout.group * layout.width;
}

/// Calls `visit(linear index, position)` for every element.
template <typename Visit>
void forEachPosition(const PanelLayout &layout, Visit visit) {
  std::vector<int64_t> position(layout.shape.size(), 0);
  for (int64_t i = 0, e = numElements(layout); i != e; ++i) {
    visit(i, position);
    for (size_t dim = position.size(); dim-- > 0;) {
      if (++position[dim] < layout.shape[dim])
        break;
      position[dim] = 0;
    }
  }
}

void check(const PanelLayout &layout) {
  SCOPED_TRACE(testing::Message()
               << "width " << layout.width << " run " << layout.run << " panel "
               << layout.panel << " group " << layout.group << " block "
               << layout.block << " offset " << layout.offset << " shape "
               << testing::PrintToString(layout.shape));
  int64_t count = numElements(layout);
  unsigned mask = (1u << layout.width) - 1;
  for (bool isSigned : {false, true}) {
    std::vector<uint8_t> codes =
        randomCodes(count, layout.width, isSigned, uint32_t(count));
    std::vector<uint8_t> packed(layout.size() + 1, 0xa5);
    packPanels(layout, codes.data(), packed.data());
    std::vector<uint8_t> expected(packed.size(), 0);
    expected.back() = 0xa5;
    int64_t last = 0;
    forEachPosition(layout, [&](int64_t i, const std::vector<int64_t> &p) {
      int64_t bit = firstBit(layout, p);
      ASSERT_LT(bit / 8, layout.size());
      last = std::max(last, bit / 8);
      expected[bit / 8] |=
          uint8_t(((codes[i] + layout.offset) & mask) << bit % 8);
    });
    EXPECT_EQ(packed, expected);
    // Nothing behind the last tuple.
    EXPECT_LT(layout.size() - 1 - last, layout.panel * layout.group);
    std::vector<uint8_t> unpacked(count, 0x5a);
    unpackPanels(layout, packed.data(), isSigned, unpacked.data());
    EXPECT_EQ(unpacked, codes);
  }
}

TEST(Panels, AMatmulOfVNNI) {
  PanelLayout layout;
  layout.shape = {8, 3};
  layout.columns = {1};
  layout.reduction = {0};
  layout.run = 1;
  layout.panel = 4;
  layout.group = 4;
  std::vector<uint8_t> codes(24), packed(layout.size());
  for (int i = 0; i < 24; ++i)
    codes[i] = uint8_t(i);
  packPanels(layout, codes.data(), packed.data());
  EXPECT_EQ(packed,
            (std::vector<uint8_t>{0,  3,  6,  9,  1,  4,  7,  10, 2,  5,  8,
                                  11, 0,  0,  0,  0,  12, 15, 18, 21, 13, 16,
                                  19, 22, 14, 17, 20, 23, 0,  0,  0,  0}));
}

TEST(Panels, TwoGroupsOfNibblesShareTheirBytes) {
  PanelLayout layout;
  layout.shape = {4, 2};
  layout.columns = {1};
  layout.reduction = {0};
  layout.run = 1;
  layout.panel = 2;
  layout.group = 2;
  layout.width = 4;
  layout.offset = 8;
  // Rows of two columns: 0 1, 2 3, -1 -2, -3 -4.
  std::vector<uint8_t> codes{0, 1, 2, 3, 255, 254, 253, 252},
      packed(layout.size());
  packPanels(layout, codes.data(), packed.data());
  EXPECT_EQ(packed, (std::vector<uint8_t>{0x78, 0x5a, 0x69, 0x4b}));
}

TEST(Panels, RaggedMatmuls) {
  for (unsigned width : {2u, 4u, 8u})
    for (auto [panel, group] : {std::pair<int64_t, int64_t>{64, 4},
                                {16, 4},
                                {16, 2},
                                {16, 8},
                                {16, 1},
                                {48, 4},
                                {3, 5}})
      for (int64_t k : {1, 3, 4, 8, 31, 33, 70})
        for (int64_t n : {1, 12, 16, 17, 65})
          for (bool isTransposed : {false, true}) {
            PanelLayout layout;
            layout.shape = isTransposed ? std::vector<int64_t>{n, k}
                                        : std::vector<int64_t>{k, n};
            layout.columns = {isTransposed ? 0 : 1};
            layout.reduction = {isTransposed ? 1 : 0};
            layout.run = 1;
            layout.panel = panel;
            layout.group = group;
            layout.width = width;
            layout.offset = width == 8 ? -128 : 1 << (width - 1);
            check(layout);
          }
}

TEST(Panels, BlocksBeginATuple) {
  for (unsigned width : {2u, 4u, 8u})
    for (int64_t group : {1, 2, 4, 8})
      for (int64_t block : {1, 3, 6, 16, 32, 100})
        for (int64_t k : {1, 6, 16, 70, 96}) {
          PanelLayout layout;
          layout.shape = {k, 5};
          layout.columns = {1};
          layout.reduction = {0};
          layout.run = 1;
          layout.panel = 8;
          layout.group = group;
          layout.width = width;
          layout.block = block;
          check(layout);
          // Blocks of whole tuples are what there is without them.
          if (block % layout.tupleSize() == 0) {
            PanelLayout plain = layout;
            plain.block = 0;
            EXPECT_EQ(plain.size(), layout.size());
            forEachPosition(layout, [&](int64_t, const auto &position) {
              EXPECT_EQ(firstBit(plain, position), firstBit(layout, position));
            });
          }
        }
}

TEST(Panels, Convolutions) {
  for (unsigned width : {2u, 4u, 8u})
    for (int64_t run = 0; run <= 3; ++run)
      for (int64_t group : {1, 4, 8}) {
        PanelLayout layout;
        layout.width = width;
        layout.group = group;
        layout.panel = 16;
        layout.run = run;
        layout.shape = {3, 2, 5, 20}; // HWCF
        layout.columns = {3};
        layout.reduction = {0, 1, 2};
        check(layout);
        layout.shape = {20, 5, 3, 2}; // FCHW, summed as HWC
        layout.columns = {0};
        layout.reduction = {2, 3, 1};
        check(layout);
        layout.shape = {2, 10, 3, 2, 5}; // groups
        layout.batch = {0};
        layout.columns = {1};
        layout.reduction = {2, 3, 4};
        check(layout);
      }
}

TEST(Panels, DepthwiseAndSeveralColumns) {
  PanelLayout layout;
  layout.shape = {3, 3, 20, 1};
  layout.batch = {3};
  layout.columns = {2};
  layout.reduction = {0, 1};
  layout.run = 2;
  layout.panel = 16;
  layout.group = 4;
  EXPECT_EQ(layout.size(), 2 * 3 * 16 * 4);
  check(layout);
  layout.batch = {};
  layout.columns = {3, 2};
  check(layout);
  layout.shape = {3, 3, 7, 3};
  layout.columns = {2, 3};
  check(layout);
}

TEST(Panels, NothingToPack) {
  for (std::vector<int64_t> shape :
       {std::vector<int64_t>{0, 5}, std::vector<int64_t>{5, 0}}) {
    PanelLayout layout;
    layout.shape = shape;
    layout.columns = {1};
    layout.reduction = {0};
    layout.run = 1;
    layout.panel = 16;
    layout.group = 4;
    EXPECT_EQ(layout.size(), 0);
    packPanels(layout, nullptr, nullptr);
  }
}

TEST(Panels, SumsOfColumnsAndBlocks) {
  for (unsigned width : {2u, 4u, 8u})
    for (bool isSigned : {false, true}) {
      PanelLayout layout;
      layout.shape = {2, 7, 3, 10};
      layout.batch = {0};
      layout.columns = {3};
      layout.reduction = {2, 1};
      layout.width = width;
      std::vector<uint8_t> codes =
          randomCodes(numElements(layout), width, isSigned, 3);
      for (int64_t block : {1, 3, 4, 7}) {
        int64_t numBlocks = (7 + block - 1) / block;
        std::vector<int32_t> expected(numBlocks * 20, 0);
        forEachPosition(layout, [&](int64_t i, const auto &position) {
          int32_t code = isSigned ? int8_t(codes[i]) : codes[i];
          expected[(position[1] / block * 2 + position[0]) * 10 +
                   position[3]] += code;
        });
        EXPECT_EQ(sumColumns(layout, codes.data(), isSigned, 1, block),
                  expected);
        if (numBlocks == 1)
          EXPECT_EQ(sumColumns(layout, codes.data(), isSigned), expected);
      }
    }
}

/// Wide elements lie where narrow ones do, counted in elements.
TEST(Panels, ElementsOfSeveralBytes) {
  for (unsigned width : {16u, 32u})
    for (int64_t run : {0, 1, 2})
      for (int64_t group : {1, 2}) {
        PanelLayout narrow;
        narrow.shape = {3, 5, 7};
        narrow.columns = {2};
        narrow.reduction = {1, 0};
        narrow.run = run;
        narrow.panel = 4;
        narrow.group = group;
        PanelLayout wide = narrow;
        wide.width = width;
        int64_t count = numElements(narrow), bytes = width / 8;
        std::vector<uint8_t> ids(count), values(count * bytes);
        for (int64_t i = 0; i < count; ++i) {
          ids[i] = uint8_t(i + 1);
          for (int64_t byte = 0; byte < bytes; ++byte)
            values[i * bytes + byte] = uint8_t(i + 1 + 50 * byte);
        }
        ASSERT_EQ(wide.size(), narrow.size() * bytes);
        std::vector<uint8_t> places(narrow.size()), packed(wide.size(), 0xa5);
        packPanels(narrow, ids.data(), places.data());
        packPanels(wide, values.data(), packed.data());
        for (size_t i = 0; i < places.size(); ++i)
          for (int64_t byte = 0; byte < bytes; ++byte)
            EXPECT_EQ(packed[i * bytes + byte],
                      places[i] ? uint8_t(places[i] + 50 * byte) : 0);
        std::vector<uint8_t> unpacked(values.size(), 0x5a);
        unpackPanels(wide, packed.data(), false, unpacked.data());
        EXPECT_EQ(unpacked, values);
      }
}

} // namespace

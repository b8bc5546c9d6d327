//===- PackTest.cpp - Packing and unpacking in machine code ---------------===//
//
// All widths, sizes that fill the last byte and sizes that do not, rank 0 to 3,
// against the library's canonical layout.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"

#include "quant-mlir/Numerics/Panels.h"

#include <numeric>

using namespace quant_mlir;
using namespace quant_mlir::test;
using numerics::StorageType;

namespace {

TEST(PackTest, AgreesWithNumericsBothWays) {
  std::mt19937 random(5);
  const std::vector<int64_t> shapes[] = {
      {},  {0}, {1},    {2},    {3},    {4},       {5},     {7},
      {8}, {9}, {3, 3}, {2, 5}, {1, 1}, {2, 3, 5}, {5, 16}, {3, 0},
  };
  struct Function {
    StorageType storage;
    std::vector<int64_t> shape;
    int64_t count, size;
    std::string name;
  };
  std::vector<Function> functions;
  std::string source;
  for (StorageType storage :
       {StorageType::Int2, StorageType::Int4, StorageType::Int8,
        StorageType::Float4E2M1FN, StorageType::Float8E4M3FN})
    for (const std::vector<int64_t> &shape : shapes) {
      int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t(1),
                                      std::multiplies<int64_t>());
      int64_t size = numerics::packedSize(count, numerics::bitWidth(storage));
      std::string name = std::to_string(functions.size());
      std::string codes = tensorType(shape, codeType(storage));
      std::string packed = tensorType({size}, "i8");
      for (const char *op : {"pack", "unpack"}) {
        bool isPack = op == std::string("pack");
        std::string from = isPack ? codes : packed;
        std::string to = isPack ? packed : codes;
        source += "func.func @" + (op + name) + "(%x: " + from + ") -> " + to +
                  " {\n  %r = quant." + op + " %x <canonical> : " + from +
                  " -> " + to + "\n  return %r : " + to + "\n}\n";
      }
      functions.push_back({storage, shape, count, size, name});
    }
  auto jit = JitModule::compile(source, {/*optLevel=*/0});
  ASSERT_TRUE(jit);
  for (const Function &function : functions) {
    unsigned width = numerics::bitWidth(function.storage);
    SCOPED_TRACE(codeType(function.storage) + " x " +
                 std::to_string(function.count) + " " + function.name);
    std::vector<uint8_t> codes(function.count), packed(function.size);
    for (uint8_t &code : codes)
      code = random() & (0xff >> (8 - width));
    numerics::packCodes(codes.data(), function.count, width, packed.data());
    EXPECT_EQ(jit->call("pack" + function.name,
                        Buffer::of<uint8_t>(codes, function.shape), 1, 1)
                  .bytes,
              packed);
    Buffer unpacked = jit->call("unpack" + function.name,
                                Buffer::of<uint8_t>(packed, {function.size}),
                                function.shape.size(), 1);
    EXPECT_EQ(unpacked.shape, function.shape);
    EXPECT_EQ(unpacked.bytes, codes);
  }
}

TEST(PackTest, PanelsAgreeWithNumericsBothWays) {
  std::mt19937 random(6);
  struct Case {
    std::vector<int64_t> shape;
    std::string roles; ///< as the attribute is written
    numerics::PanelLayout layout;
  };
  std::vector<Case> cases;
  auto add = [&](std::vector<int64_t> shape, std::vector<int64_t> batch,
                 std::vector<int64_t> columns, std::vector<int64_t> reduction,
                 int64_t run, int64_t panel, int64_t group, int64_t block = 0) {
    Case &added = cases.emplace_back();
    added.shape = added.layout.shape = shape;
    added.layout.batch = batch;
    added.layout.columns = columns;
    added.layout.reduction = reduction;
    added.layout.run = run;
    added.layout.panel = panel;
    added.layout.group = group;
    added.layout.block = block;
    auto list = [](const char *name, const std::vector<int64_t> &dims) {
      std::string text;
      for (int64_t dim : dims)
        text += (text.empty() ? "" : ", ") + std::to_string(dim);
      return dims.empty() ? "" : ", " + (name + (" = [" + text + "]"));
    };
    added.roles = list("batch", batch) + list("columns", columns) +
                  list("reduction", reduction) +
                  ", run = " + std::to_string(run) +
                  ", panel = " + std::to_string(panel) +
                  ", group = " + std::to_string(group) +
                  ", block = " + std::to_string(block);
  };
  add({8, 4}, {}, {1}, {0}, 1, 4, 4);
  add({7, 5}, {}, {1}, {0}, 1, 4, 4);
  add({5, 7}, {}, {0}, {1}, 1, 4, 2);
  add({13, 3}, {}, {1}, {0}, 1, 4, 1, 5);
  add({13, 9}, {}, {1}, {0}, 1, 8, 2, 6);
  add({2, 3, 3, 5}, {}, {0}, {2, 3, 1}, 2, 4, 4);
  add({2, 3, 3, 5}, {}, {3}, {0, 1, 2}, 3, 4, 8);
  add({3, 3, 6, 1}, {3}, {2}, {0, 1}, 2, 4, 4);
  add({2, 5, 3, 3}, {0}, {1}, {2, 3}, 1, 4, 4);
  add({2, 5, 3}, {}, {2, 0}, {1}, 0, 4, 2);
  add({0, 5}, {}, {1}, {0}, 1, 4, 4);

  struct Function {
    StorageType storage;
    Case test;
    std::string name;
  };
  std::vector<Function> functions;
  std::string source;
  for (StorageType storage :
       {StorageType::Int2, StorageType::Int4, StorageType::Int8,
        StorageType::Float4E2M1FN, StorageType::Float8E4M3FN})
    for (Case test : cases) {
      unsigned width = numerics::bitWidth(storage);
      test.layout.width = width;
      if (numerics::isInteger(storage))
        test.layout.offset = width == 8 ? -128 : 1 << (width - 1);
      std::string name = "panels" + std::to_string(functions.size());
      std::string codes = tensorType(test.shape, codeType(storage));
      std::string packed = tensorType({test.layout.size()}, "i8");
      for (const char *op : {"pack", "unpack"}) {
        bool isPack = op == std::string("pack");
        std::string from = isPack ? codes : packed;
        std::string to = isPack ? packed : codes;
        source +=
            "func.func @" + (op + name) + "(%x: " + from + ") -> " + to +
            " {\n  %r = quant." + op + " %x <panels, " + codes + test.roles +
            ", offset = " + std::to_string(test.layout.offset) + "> : " + from +
            " -> " + to + "\n  return %r : " + to + "\n}\n";
      }
      functions.push_back({storage, test, name});
    }
  auto jit = JitModule::compile(source, {/*optLevel=*/0});
  ASSERT_TRUE(jit);
  for (const Function &function : functions) {
    const numerics::PanelLayout &layout = function.test.layout;
    SCOPED_TRACE(codeType(function.storage) + function.test.roles);
    int64_t count =
        std::accumulate(function.test.shape.begin(), function.test.shape.end(),
                        int64_t(1), std::multiplies<int64_t>());
    std::vector<uint8_t> codes(count), packed(layout.size());
    for (uint8_t &code : codes)
      code = random() & (0xff >> (8 - layout.width));
    numerics::packPanels(layout, codes.data(), packed.data());
    EXPECT_EQ(jit->call("pack" + function.name,
                        Buffer::of<uint8_t>(codes, function.test.shape), 1, 1)
                  .bytes,
              packed);
    Buffer unpacked = jit->call("unpack" + function.name,
                                Buffer::of<uint8_t>(packed, {layout.size()}),
                                function.test.shape.size(), 1);
    EXPECT_EQ(unpacked.shape, function.test.shape);
    EXPECT_EQ(unpacked.bytes, codes);
  }
}

} // namespace

//===- PackTest.cpp - Packing and unpacking in machine code ---------------===//
//
// All widths, sizes that fill the last byte and sizes that do not, rank 0 to 3,
// against the library's canonical layout.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"

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
  auto jit = JitModule::compile(source, /*optLevel=*/0);
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

} // namespace

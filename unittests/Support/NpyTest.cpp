//===- NpyTest.cpp --------------------------------------------------------===//

#include "quant-mlir/Support/Npy.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace quant_mlir;
using llvm::StringRef;

static std::string preamble(unsigned major, uint32_t length) {
  std::string result("\x93NUMPY", 6);
  result += static_cast<char>(major);
  result += '\0';
  for (unsigned i = 0; i < (major == 1 ? 2 : 4); ++i)
    result += static_cast<char>(length >> (8 * i));
  return result;
}

/// A file of version `major` with `header` as its dictionary.
static std::string file(StringRef header, size_t dataBytes,
                        unsigned major = 1) {
  return preamble(major, header.size()) + header.str() +
         std::string(dataBytes, 'x');
}

static std::string fileOf(StringRef descr, StringRef shape, size_t dataBytes) {
  return file(("{'descr': " + descr +
               ", 'fortran_order': False, 'shape': " + shape + ", }")
                  .str(),
              dataBytes);
}

static llvm::Expected<NdArray> parse(StringRef content) {
  return parseNpy(llvm::MemoryBufferRef(content, "x.npy"));
}

TEST(NpyTest, readsEveryVersion) {
  StringRef header =
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), } \n";
  for (unsigned major : {1u, 2u, 3u}) {
    auto array = parse(file(header, 12, major));
    ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
    EXPECT_EQ(array->dtype, DType::Int16);
    EXPECT_EQ(llvm::ArrayRef<int64_t>(array->shape),
              llvm::ArrayRef<int64_t>({2, 3}));
    EXPECT_EQ(array->numElements(), 6);
    EXPECT_EQ(array->bytes, std::vector<char>(12, 'x'));
    EXPECT_EQ(array->describe(), "2x3 int16");
  }
}

TEST(NpyTest, readsHeadersInAnyForm) {
  for (StringRef header :
       {"{\"shape\": (1, 2L), \"descr\": \"<f4\", \"fortran_order\": False}",
        "{'fortran_order':False,'descr':'<f4','shape':(2,)}  \n",
        " { 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , 1 ) }"})
    EXPECT_TRUE(bool(parse(file(header, 8)))) << header.str();
  auto scalar = parse(fileOf("'<f8'", "()", 8));
  ASSERT_TRUE(bool(scalar));
  EXPECT_EQ(scalar->describe(), "scalar float64");
  auto empty = parse(fileOf("'|b1'", "(0, 3)", 0));
  ASSERT_TRUE(bool(empty));
  EXPECT_EQ(empty->numElements(), 0);
}

TEST(NpyTest, readsEveryType) {
  for (unsigned i = 0; i <= static_cast<unsigned>(DType::Float64); ++i) {
    DType type = static_cast<DType>(i);
    auto array = parse(
        fileOf(("'" + descr(type) + "'").str(), "(3,)", 3 * byteWidth(type)));
    ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
    EXPECT_EQ(array->dtype, type);
  }
  // One byte has no order.
  EXPECT_TRUE(bool(parse(fileOf("'<i1'", "(3,)", 3))));
  EXPECT_TRUE(bool(parse(fileOf("'>u1'", "(3,)", 3))));
}

TEST(NpyTest, namesWhatIsMalformed) {
  struct Case {
    std::string content;
    StringRef message;
  };
  std::string good = fileOf("'<f4'", "(2,)", 8);
  const Case cases[] = {
      {"", "is not a .npy file"},
      {"\x93NUMP", "is not a .npy file"},
      {"PK\3\4 a zip archive", "is not a .npy file"},
      {good.substr(0, 7), "is cut off within its header"},
      {good.substr(0, 9), "is cut off within its header"},
      {good.substr(0, 20), "is cut off within its header: expected"},
      {preamble(2, 0xffffffff) + "{}", "expected 4294967295 bytes of it"},
      {preamble(4, 2) + "{}", "has version 4.0"},
      {preamble(0, 2) + "{}", "has version 0.0"},
      {good.substr(0, good.size() - 1), "is cut off: expected 8 bytes"},
      {good + "y", "has bytes left over: expected 8 bytes"},
      {file("", 0), "expected '{', found the end of the header"},
      {file("{'descr': '<f4'", 0), "expected ',' or '}'"},
      {file("{descr: '<f4'}", 0), "expected a string"},
      {file("{'descr", 0), "expected a closed string"},
      {file("{'descr' '<f4'}", 0), "expected ':'"},
      {file("{'descr': '<f4', 'shape': (1,)}", 4),
       "'fortran_order' is missing"},
      {file("{'descr': '<f4', 'descr': '<f4'}", 0), "'descr' is there twice"},
      {file("{'order': 1}", 0), "found 'order'"},
      {file("{'a\n\x01\xff': 1}", 0), "found 'a\\0A\\01\\FF'"},
      {file("{'fortran_order': 0}", 0), "expected True or False"},
      {file("{'fortran_order': True}", 0), "is in Fortran order"},
      {file("{'descr': [('a', '<f4')]}", 0), "holds a structured array"},
      {file("{'descr': 4}", 0), "expected a string"},
      {fileOf("'|O'", "(1,)", 8), "holds Python objects"},
      {fileOf("'>f4'", "(2,)", 8), "is big-endian"},
      {fileOf("'<c8'", "(1,)", 8), "has the unsupported dtype '<c8'"},
      {fileOf("'<f16'", "(1,)", 16), "has the unsupported dtype '<f16'"},
      {fileOf("'<U3'", "(1,)", 12), "has the unsupported dtype '<U3'"},
      {fileOf("'|f4'", "(2,)", 8), "has the unsupported dtype '|f4'"},
      {fileOf("'f4'", "(2,)", 8), "has the unsupported dtype 'f4'"},
      {fileOf("''", "(2,)", 8), "has the unsupported dtype ''"},
      {fileOf("'<f4'", "2", 8), "expected the shape, a tuple of sizes"},
      {fileOf("'<f4'", "(2)", 8), "found a number in parentheses"},
      {fileOf("'<f4'", "(2", 8), "expected a size or ')'"},
      {fileOf("'<f4'", "(2 2)", 16), "expected ',' or ')'"},
      {fileOf("'<f4'", "(,)", 4), "expected a size or ')'"},
      {fileOf("'<f4'", "(-1,)", 4), "expected sizes that are not negative"},
      {fileOf("'<f4'", "(2.0,)", 8), "expected ',' or ')'"},
      {fileOf("'<f4'", "(9223372036854775808,)", 8), "fits in 63 bits"},
      {fileOf("'<f4'", "(4294967296, 4294967296)", 8), "overflows 63 bits"},
      {fileOf("'<f8'", "(4611686018427387904,)", 8), "overflows 63 bits"},
      {fileOf("'<f4'", "(0, 4294967296, 4294967296)", 0), "overflows 63 bits"},
      {fileOf("'<f4'", "(2,)} {", 8), "expected nothing after the dictionary"},
      {file("{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", 4),
       "expected nothing after the dictionary"},
  };
  for (const Case &test : cases) {
    auto array = parse(test.content);
    ASSERT_FALSE(bool(array)) << test.message.str();
    std::string message = llvm::toString(array.takeError());
    EXPECT_NE(message.find(test.message), std::string::npos)
        << "expected: " << test.message.str() << "\nfound:    " << message;
    EXPECT_EQ(message.find("'x.npy': "), 0u) << message;
  }
}

TEST(NpyTest, namesAMissingFile) {
  auto array = readNpy("no/such/file.npy");
  ASSERT_FALSE(bool(array));
  EXPECT_EQ(llvm::toString(array.takeError()),
            "'no/such/file.npy': cannot be read: No such file or directory");
}

static std::string write(const NdArray &array) {
  std::string content;
  llvm::raw_string_ostream os(content);
  writeNpy(os, array);
  return content;
}

TEST(NpyTest, writesWhatItReads) {
  for (unsigned i = 0; i <= static_cast<unsigned>(DType::Float64); ++i)
    for (const std::vector<int64_t> &shape :
         std::vector<std::vector<int64_t>>{{}, {3}, {2, 0}, {2, 3, 4}}) {
      NdArray array(static_cast<DType>(i), shape);
      for (size_t k = 0; k < array.bytes.size(); ++k)
        array.bytes[k] = static_cast<char>(k);
      std::string content = write(array);
      EXPECT_EQ((content.size() - array.bytes.size()) % 64, 0u);
      auto read = parse(content);
      ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
      EXPECT_EQ(read->dtype, array.dtype);
      EXPECT_EQ(read->shape, array.shape);
      EXPECT_EQ(read->bytes, array.bytes);
    }
}

TEST(NpyTest, writesVersion2ForLongHeaders) {
  std::vector<int64_t> shape(30000, 1);
  NdArray array(DType::Int8, shape);
  std::string content = write(array);
  EXPECT_EQ(content[6], 2);
  auto read = parse(content);
  ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(read->shape, array.shape);
}

TEST(NpyTest, convertsElements) {
  NdArray array(DType::Float16, {4});
  const uint16_t bits[] = {0x3c00, 0x8001, 0x7c00, 0x7e00};
  std::memcpy(array.bytes.data(), bits, sizeof(bits));
  EXPECT_EQ(array.asDouble(0), 1.0);
  EXPECT_EQ(array.asDouble(1), -0x1p-24);
  EXPECT_EQ(array.asDouble(2), HUGE_VAL);
  EXPECT_NE(array.asDouble(3), array.asDouble(3));
  NdArray bytes(DType::UInt8, {1});
  bytes.bytes[0] = static_cast<char>(200);
  EXPECT_EQ(bytes.asInt64(0), 200);
  bytes.dtype = DType::Int8;
  EXPECT_EQ(bytes.asDouble(0), -56.0);
  bytes.dtype = DType::Bool;
  EXPECT_EQ(bytes.asInt64(0), 1);
  NdArray large(DType::UInt64, {1});
  std::memset(large.bytes.data(), 0xff, 8);
  EXPECT_EQ(large.asDouble(0), 0x1p64);
}

/// A file on disk with that content, while it lives.
static std::unique_ptr<llvm::FileRemover> store(StringRef content,
                                                std::string &path) {
  llvm::SmallString<128> name;
  int fd;
  if (llvm::sys::fs::createTemporaryFile("npy-test", "npy", fd, name))
    return nullptr;
  llvm::raw_fd_ostream(fd, /*shouldClose=*/true) << content;
  path = name.str().str();
  return std::make_unique<llvm::FileRemover>(name);
}

TEST(NpyTest, readsByParts) {
  for (size_t padding : {0, 70000}) {
    std::string header = "{'descr': '<i2', 'fortran_order': False, 'shape': "
                         "(5, 2), }" +
                         std::string(padding, ' ');
    std::string path;
    auto remover = store(
        preamble(3, header.size()) + header + "aabbccddeeffgghhiijj", path);
    ASSERT_TRUE(remover);
    auto opened = NpyFile::open(path);
    ASSERT_TRUE(bool(opened)) << llvm::toString(opened.takeError());
    EXPECT_EQ(opened->getType().describe(), "5x2 int16");
    NdArray array;
    ASSERT_FALSE(opened->read(1, 2, array));
    EXPECT_EQ(array.describe(), "2x2 int16");
    EXPECT_EQ(StringRef(array.bytes.data(), array.bytes.size()), "ccddeeff");
    ASSERT_FALSE(opened->read(4, 1, array));
    EXPECT_EQ(StringRef(array.bytes.data(), array.bytes.size()), "iijj");
    ASSERT_FALSE(opened->read(array));
    EXPECT_EQ(array.describe(), "5x2 int16");
    EXPECT_EQ(array.bytes.size(), 20u);
  }
}

TEST(NpyTest, namesWhatIsMalformedByParts) {
  for (StringRef content :
       {StringRef(""), StringRef("\x93NUMPY"), StringRef("\x93NUMPY\1\0", 8),
        StringRef("\x93NUMPY\2\0\xff\xff\xff\xff", 12),
        StringRef("text that is longer than a preamble")}) {
    std::string path;
    auto remover = store(content, path);
    ASSERT_TRUE(remover);
    auto opened = NpyFile::open(path);
    ASSERT_FALSE(bool(opened));
    std::string byParts = llvm::toString(opened.takeError());
    auto whole = readNpy(path);
    ASSERT_FALSE(bool(whole));
    EXPECT_EQ(byParts, llvm::toString(whole.takeError()));
  }
}

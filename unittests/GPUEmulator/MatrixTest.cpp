//===- MatrixTest.cpp - Products of matrices in the emulator --------------===//
//
// Each instruction against a scalar loop over whole matrices. Fragments are
// made here from the formulas of the PTX ISA and of AMD's calculator, element
// by element, not as the emulator reads them.
//
//===----------------------------------------------------------------------===//

#include "Emulated.h"

#include <cstring>

using namespace quant_mlir;
using namespace quant_mlir::test;

/// A kernel in which lane l reads `words` words of each factor at l * words.
static std::string getMMA(const std::string &types, unsigned a, unsigned b,
                          const std::string &operand, const std::string &sum) {
  auto repeat = [](const std::string &what, unsigned count) {
    std::string text;
    for (unsigned i = 0; i < count; ++i)
      text += (i ? ", " : "") + what;
    return text;
  };
  std::string text = "declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n";
  std::string type = "{" + repeat(sum, 4) + "}";
  text += "declare " + type + " @llvm.nvvm.mma." + types + "(" +
          repeat(operand, a + b) + ", " + repeat(sum, 4) + ")\n";
  text += "define ptx_kernel void @k(ptr %a, ptr %b, ptr %c, ptr %d) {\n"
          "%l = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n";
  std::string arguments;
  auto load = [&](const std::string &base, unsigned count,
                  const std::string &element) {
    for (unsigned i = 0; i < count; ++i) {
      std::string n = base + std::to_string(i);
      text += "%o" + n + " = mul i32 %l, " + std::to_string(count) + "\n%q" +
              n + " = add i32 %o" + n + ", " + std::to_string(i) + "\n%p" + n +
              " = getelementptr i32, ptr %" + base + ", i32 %q" + n + "\n%v" +
              n + " = load " + element + ", ptr %p" + n + ", align 4\n";
      arguments += (arguments.empty() ? "" : ", ") + element + " %v" + n;
    }
  };
  load("a", a, operand);
  load("b", b, operand);
  load("c", 4, sum);
  text += "%r = call " + type + " @llvm.nvvm.mma." + types + "(" + arguments +
          ")\n%to = getelementptr [4 x i32], ptr %d, i32 %l\n"
          "store " +
          type + " %r, ptr %to, align 4\nret void\n}\n";
  return text;
}

/// Integers of `bits` bits: factors [16][depth] and [8][depth], of one or two
/// halves.
static void checkIntegers(const std::string &types, unsigned bits,
                          bool isLhsSigned, bool isRhsSigned, bool saturates,
                          unsigned halves = 2) {
  SCOPED_TRACE(types);
  unsigned depth = halves * 128 / bits, perWord = 32 / bits;
  auto limits = [&](bool isSigned) {
    return isSigned
               ? std::pair<int, int>(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
               : std::pair<int, int>(0, (1 << bits) - 1);
  };
  auto [aLow, aHigh] = limits(isLhsSigned);
  auto [bLow, bHigh] = limits(isRhsSigned);
  auto A = getRandom<int>(16 * depth, aLow, aHigh, 2);
  auto B = getRandom<int>(8 * depth, bLow, bHigh, 3);
  auto C = getRandom<int32_t>(16 * 8, -1000, 1000, 4);
  C[0] = INT32_MAX - 1;
  C[1] = INT32_MIN + 1;
  std::vector<uint32_t> a(32 * 2 * halves), b(32 * halves);
  std::vector<int32_t> c(32 * 4), d(32 * 4);
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned group = lane >> 2, inGroup = lane & 3;
    // "row = groupID for a_i, 0 <= i < n or 2n <= i < 3n; groupID + 8
    // otherwise; col = threadID_in_group * n + (i & (n - 1)), + depth / 2 for i
    // >= 2n"
    for (unsigned i = 0; i < 2 * halves * perWord; ++i) {
      bool isUpper = i < perWord || (i >= 2 * perWord && i < 3 * perWord);
      unsigned row = isUpper ? group : group + 8;
      unsigned col =
          inGroup * perWord + i % perWord + (i >= 2 * perWord ? depth / 2 : 0);
      uint32_t bitsOf = A[row * depth + col] & ((1u << bits) - 1);
      a[lane * 2 * halves + i / perWord] |= bitsOf << (i % perWord * bits);
    }
    for (unsigned i = 0; i < halves * perWord; ++i) {
      unsigned row =
          inGroup * perWord + i % perWord + (i >= perWord ? depth / 2 : 0);
      uint32_t bitsOf = B[group * depth + row] & ((1u << bits) - 1);
      b[lane * halves + i / perWord] |= bitsOf << (i % perWord * bits);
    }
    for (unsigned i = 0; i < 4; ++i)
      c[lane * 4 + i] =
          C[(group + (i < 2 ? 0 : 8)) * 8 + inGroup * 2 + (i & 1)];
  }
  Emulated kernel(getMMA(types, 2 * halves, halves, "i32", "i32"));
  ASSERT_EQ(kernel.add(a).add(b).add(c).add(d).run({}, {32}), "");
  EXPECT_EQ(kernel.getCounts().instructions.lookup("llvm.nvvm.mma." + types),
            1u);
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned column = 0; column < 8; ++column) {
      int64_t sum = C[row * 8 + column];
      for (unsigned k = 0; k < depth; ++k)
        sum += int64_t(A[row * depth + k]) * B[column * depth + k];
      if (saturates)
        sum = std::min<int64_t>(std::max<int64_t>(sum, INT32_MIN), INT32_MAX);
      unsigned lane = row % 8 * 4 + column / 2;
      EXPECT_EQ(d[lane * 4 + (row >= 8 ? 2 : 0) + column % 2], int32_t(sum))
          << row << ", " << column;
    }
}

TEST(GPUEmulatorMatrix, MMAOfBytes) {
  checkIntegers("m16n8k32.row.col.s8", 8, true, true, false);
  checkIntegers("m16n8k32.row.col.s8.u8", 8, true, false, false);
  checkIntegers("m16n8k32.row.col.u8.s8", 8, false, true, false);
  checkIntegers("m16n8k32.row.col.u8", 8, false, false, false);
  checkIntegers("m16n8k32.row.col.satfinite.s8", 8, true, true, true);
  checkIntegers("m16n8k16.row.col.s8", 8, true, true, false, /*halves=*/1);
  checkIntegers("m16n8k16.row.col.u8.s8", 8, false, true, false, /*halves=*/1);
}

TEST(GPUEmulatorMatrix, MMAOfNibbles) {
  checkIntegers("m16n8k64.row.col.s4", 4, true, true, false);
  checkIntegers("m16n8k64.row.col.u4.s4", 4, false, true, false);
}

/// Of f16 or bf16.
static uint16_t getBits(float value, bool isBFloat) {
  if (isBFloat) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return bits >> 16;
  }
  auto half = _Float16(value);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}

/// f16 and bf16; small integers, whose sums are exact.
static void checkFloats(const std::string &types, const std::string &operand,
                        bool isBFloat) {
  SCOPED_TRACE(types);
  auto A = getRandom<int>(16 * 16, -64, 64, 5);
  auto B = getRandom<int>(8 * 16, -64, 64, 6);
  auto bitsOf = [&](int value) -> uint32_t {
    return getBits(float(value), isBFloat);
  };
  std::vector<uint32_t> a(32 * 4), b(32 * 2);
  std::vector<float> c(32 * 4, 0.5f), d(32 * 4);
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned group = lane >> 2, inGroup = lane & 3;
    for (unsigned i = 0; i < 8; ++i) {
      unsigned row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
      unsigned col = inGroup * 2 + (i & 1) + (i >= 4 ? 8 : 0);
      a[lane * 4 + i / 2] |= bitsOf(A[row * 16 + col]) << (i % 2 * 16);
    }
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = inGroup * 2 + (i & 1) + (i >= 2 ? 8 : 0);
      b[lane * 2 + i / 2] |= bitsOf(B[group * 16 + row]) << (i % 2 * 16);
    }
  }
  Emulated kernel(getMMA(types, 4, 2, operand, "float"));
  ASSERT_EQ(kernel.add(a).add(b).add(c).add(d).run({}, {32}), "");
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned column = 0; column < 8; ++column) {
      float sum = 0.5f;
      for (unsigned k = 0; k < 16; ++k)
        sum += float(A[row * 16 + k] * B[column * 16 + k]);
      unsigned lane = row % 8 * 4 + column / 2;
      EXPECT_EQ(d[lane * 4 + (row >= 8 ? 2 : 0) + column % 2], sum);
    }
}

TEST(GPUEmulatorMatrix, MMAOfHalves) {
  checkFloats("m16n8k16.row.col.f32.f32", "<2 x half>", false);
  checkFloats("m16n8k16.row.col.bf16", "i32", true);
}

TEST(GPUEmulatorMatrix, ShapesThatDoNotExistAreRefused) {
  Emulated kernel(replaced(getMMA("m16n8k32.row.col.s8", 4, 2, "i32", "i32"),
                           "@llvm.nvvm.mma.m16n8k32.row.col.s8",
                           "@some.mma.of.no.gpu"));
  std::vector<int32_t> any(128);
  EXPECT_NE(kernel.add(any).add(any).add(any).add(any).run({}, {32}).find(
                "expected instructions that the emulator knows"),
            std::string::npos);
}

//===----------------------------------------------------------------------===//
// ldmatrix
//===----------------------------------------------------------------------===//

/// Reads `count` matrices of rows `stride` bytes apart from shared memory,
/// which lanes fill first.
static std::string getMatrixLoad(unsigned count, bool isTransposed,
                                 unsigned stride) {
  std::string type = "i32";
  if (count == 2)
    type = "{i32, i32}";
  if (count == 4)
    type = "{i32, i32, i32, i32}";
  std::string name = "@llvm.nvvm.ldmatrix.sync.aligned.m8n8.x" +
                     std::to_string(count) + (isTransposed ? ".trans" : "") +
                     ".b16.p3";
  std::string bytes = std::to_string(32 * stride);
  return "@s = internal addrspace(3) global [" + bytes +
         " x i8] undef, align 16\n"
         "declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n"
         "declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)\n"
         "declare " +
         type + " " + name +
         "(ptr addrspace(3))\n"
         "define ptx_kernel void @k(ptr %a, ptr %d) {\n"
         "%l = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n"
         "%o = mul i32 %l, " +
         std::to_string(stride) +
         "\n%p = getelementptr i8, ptr addrspace(3) @s, i32 %o\n"
         "%q = getelementptr [16 x i8], ptr %a, i32 %l\n"
         "%v = load <4 x i32>, ptr %q, align 16\n"
         "store <4 x i32> %v, ptr addrspace(3) %p, align 16\n"
         "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)\n"
         "%r = call " +
         type + " " + name +
         "(ptr addrspace(3) %p)\n"
         "%to = getelementptr [4 x i32], ptr %d, i32 %l\n"
         "store " +
         type + " %r, ptr %to, align 4\nret void\n}\n";
}

TEST(GPUEmulatorMatrix, LoadMatrix) {
  for (unsigned count : {1, 2, 4})
    for (bool isTransposed : {false, true}) {
      SCOPED_TRACE(count);
      auto rows = getRandom<uint16_t>(32 * 8, 0, 65535, 7);
      std::vector<uint32_t> d(32 * 4);
      Emulated kernel(getMatrixLoad(count, isTransposed, 16));
      ASSERT_EQ(kernel.add(rows).add(d).run({}, {32}), "");
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned matrix = 0; matrix < count; ++matrix) {
          auto at = [&](unsigned row, unsigned column) {
            return uint32_t(rows[(8 * matrix + row) * 8 + column]);
          };
          unsigned line = lane / 4, pair = lane % 4 * 2;
          uint32_t expected = isTransposed
                                  ? at(pair, line) | at(pair + 1, line) << 16
                                  : at(line, pair) | at(line, pair + 1) << 16;
          EXPECT_EQ(d[4 * lane + matrix], expected);
        }
    }
}

TEST(GPUEmulatorMatrix, LoadMatrixCountsConflictsOfBanks) {
  auto rows = getRandom<uint16_t>(32 * 8, 0, 65535, 8);
  std::vector<uint32_t> d(32 * 4);
  auto count = [&](unsigned stride) {
    Emulated kernel(getMatrixLoad(4, false, stride));
    EXPECT_EQ(kernel.add(rows).add(d).run({}, {32}), "");
    return kernel.getCounts().bankConflicts;
  };
  // 8 rows of 16 bytes are asked for at once: stores of lanes and loads, four
  // each. Rows 64 bytes apart share banks by four, 80 and 16 bytes do not.
  EXPECT_EQ(count(16), 0u);
  EXPECT_EQ(count(80), 0u);
  EXPECT_EQ(count(64), 8u * 3);
  EXPECT_EQ(count(128), 8u * 7);
}

TEST(GPUEmulatorMatrix, LoadMatrixNeedsAlignedRows) {
  auto rows = getRandom<uint16_t>(32 * 8, 0, 65535, 9);
  std::vector<uint32_t> d(32 * 4);
  std::string text =
      replaced(getMatrixLoad(1, false, 24), "ptr addrspace(3) %p, align 16",
               "ptr addrspace(3) %p, align 8");
  Emulated kernel(text);
  EXPECT_NE(
      kernel.add(rows).add(d).run({}, {32}).find("8 beyond a multiple of 16"),
      std::string::npos);
}

//===----------------------------------------------------------------------===//
// AMD
//===----------------------------------------------------------------------===//

static const char *const amdHeader =
    "target triple = \"amdgcn-amd-amdhsa\"\n"
    "declare i32 @llvm.amdgcn.workitem.id.x()\n";

static void checkMFMA(unsigned size, unsigned depth) {
  SCOPED_TRACE(size);
  unsigned sums = size * size / 64;
  std::string shape = std::to_string(size) + "x" + std::to_string(size) + "x" +
                      std::to_string(depth);
  std::string vector = "<" + std::to_string(sums) + " x i32>";
  std::string name = "@llvm.amdgcn.mfma.i32." + shape + ".i8";
  std::string text =
      std::string(amdHeader) + "declare " + vector + " " + name +
      "(i64, i64, " + vector +
      ", i32, i32, i32)\n"
      "define amdgpu_kernel void @k(ptr %a, ptr %b, ptr %c, ptr %d) {\n"
      "%l = call i32 @llvm.amdgcn.workitem.id.x()\n"
      "%pa = getelementptr i64, ptr %a, i32 %l\n"
      "%pb = getelementptr i64, ptr %b, i32 %l\n"
      "%n = mul i32 %l, " +
      std::to_string(sums) +
      "\n%pc = getelementptr i32, ptr %c, i32 %n\n"
      "%pd = getelementptr i32, ptr %d, i32 %n\n"
      "%va = load i64, ptr %pa\n%vb = load i64, ptr %pb\n"
      "%vc = load " +
      vector + ", ptr %pc, align 4\n%r = call " + vector + " " + name +
      "(i64 %va, i64 %vb, " + vector + " %vc, i32 0, i32 0, i32 0)\nstore " +
      vector + " %r, ptr %pd, align 4\nret void\n}\n";
  auto A = getRandom<int8_t>(size * depth, -128, 127, 10);
  auto B = getRandom<int8_t>(size * depth, -128, 127, 11);
  std::vector<int8_t> a(64 * 8), b(64 * 8);
  std::vector<int32_t> c(64 * sums), d(64 * sums);
  auto C = getRandom<int32_t>(size * size, -9999, 9999, 12);
  auto rowOf = [&](unsigned lane, unsigned i) {
    return size == 32 ? 8 * (i / 4) + 4 * (lane / 32) + i % 4
                      : 4 * (lane / 16) + i;
  };
  for (unsigned lane = 0; lane < 64; ++lane) {
    for (unsigned i = 0; i < 8; ++i) {
      a[lane * 8 + i] = A[lane % size * depth + 8 * (lane / size) + i];
      b[lane * 8 + i] = B[lane % size * depth + 8 * (lane / size) + i];
    }
    for (unsigned i = 0; i < sums; ++i)
      c[lane * sums + i] = C[rowOf(lane, i) * size + lane % size];
  }
  Emulated kernel(text);
  ASSERT_EQ(kernel.add(a).add(b).add(c).add(d).run({}, {64}), "");
  for (unsigned lane = 0; lane < 64; ++lane)
    for (unsigned i = 0; i < sums; ++i) {
      unsigned row = rowOf(lane, i), column = lane % size;
      int32_t sum = C[row * size + column];
      for (unsigned k = 0; k < depth; ++k)
        sum += A[row * depth + k] * B[column * depth + k];
      EXPECT_EQ(d[lane * sums + i], sum);
    }
}

TEST(GPUEmulatorMatrix, MFMA) {
  checkMFMA(32, 16);
  checkMFMA(16, 32);
}

TEST(GPUEmulatorMatrix, WMMA) {
  for (bool isSigned : {false, true}) {
    std::string name = "@llvm.amdgcn.wmma.i32.16x16x16.iu8.v8i32.v4i32";
    std::string flag = isSigned ? "true" : "false";
    std::string text =
        std::string(amdHeader) + "declare <8 x i32> " + name +
        "(i1, <4 x i32>, i1, <4 x i32>, <8 x i32>, i1)\n"
        "define amdgpu_kernel void @k(ptr %a, ptr %b, ptr %d) {\n"
        "%l = call i32 @llvm.amdgcn.workitem.id.x()\n"
        "%pa = getelementptr <4 x i32>, ptr %a, i32 %l\n"
        "%pb = getelementptr <4 x i32>, ptr %b, i32 %l\n"
        "%pd = getelementptr <8 x i32>, ptr %d, i32 %l\n"
        "%va = load <4 x i32>, ptr %pa, align 4\n"
        "%vb = load <4 x i32>, ptr %pb, align 4\n"
        "%r = call <8 x i32> " +
        name + "(i1 " + flag +
        ", <4 x i32> %va, i1 true, <4 x i32> %vb, <8 x i32> "
        "splat (i32 7), i1 false)\n"
        "store <8 x i32> %r, ptr %pd, align 4\nret void\n}\n";
    auto A = getRandom<uint8_t>(256, 0, 255, 13);
    auto B = getRandom<int8_t>(256, -128, 127, 14);
    std::vector<uint8_t> a(32 * 16);
    std::vector<int8_t> b(32 * 16);
    std::vector<int32_t> d(32 * 8);
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned k = 0; k < 16; ++k) {
        a[lane * 16 + k] = A[lane % 16 * 16 + k];
        b[lane * 16 + k] = B[lane % 16 * 16 + k];
      }
    Emulated kernel(text, 32);
    ASSERT_EQ(kernel.add(a).add(b).add(d).run({}, {32}), "");
    for (unsigned row = 0; row < 16; ++row)
      for (unsigned column = 0; column < 16; ++column) {
        int32_t sum = 7;
        for (unsigned k = 0; k < 16; ++k)
          sum +=
              (isSigned ? int(int8_t(A[row * 16 + k])) : int(A[row * 16 + k])) *
              B[column * 16 + k];
        EXPECT_EQ(d[(column + row % 2 * 16) * 8 + row / 2], sum);
      }
    // Both halves of a wave have the same factors.
    a[17 * 16] ^= 1;
    EXPECT_NE(kernel.run({}, {32}).find("different factors"),
              std::string::npos);
  }
}

/// A kernel of factors of `operand` and f32 sums; `name` is called with them
/// and `rest`.
static std::string getProduct(const std::string &name,
                              const std::string &operand, unsigned sums,
                              const std::string &rest) {
  std::string result = "<" + std::to_string(sums) + " x float>";
  std::string types = rest;
  for (size_t at; (at = types.find(" 0")) != std::string::npos;)
    types.erase(at, 2);
  return std::string(amdHeader) + "declare " + result + " @llvm.amdgcn." +
         name + "(" + operand + ", " + operand + ", " + result + types +
         ")\n"
         "define amdgpu_kernel void @k(ptr %a, ptr %b, ptr %c, ptr %d) {\n"
         "%l = call i32 @llvm.amdgcn.workitem.id.x()\n"
         "%pa = getelementptr " +
         operand + ", ptr %a, i32 %l\n%pb = getelementptr " + operand +
         ", ptr %b, i32 %l\n%pc = getelementptr " + result +
         ", ptr %c, i32 %l\n%pd = getelementptr " + result +
         ", ptr %d, i32 %l\n%va = load " + operand +
         ", ptr %pa, align 4\n%vb = load " + operand +
         ", ptr %pb, align 4\n%vc = load " + result +
         ", ptr %pc, align 4\n%r = call " + result + " @llvm.amdgcn." + name +
         "(" + operand + " %va, " + operand + " %vb, " + result + " %vc" +
         rest + ")\nstore " + result + " %r, ptr %pd, align 4\nret void\n}\n";
}

/// Small integers, halves and denormal numbers, whose sums are exact.
static std::vector<float> getExactValues(size_t count, unsigned seed) {
  std::vector<float> values;
  for (int value : getRandom<int>(count, -64, 64, seed))
    values.push_back(value == 63 ? 0x1p-20f : float(value) / 2);
  return values;
}

static void checkFloatMFMA(unsigned size, bool isBFloat) {
  SCOPED_TRACE(size);
  unsigned depth = 256 / size, sums = size * size / 64;
  std::string name = "mfma.f32." + std::to_string(size) + "x" +
                     std::to_string(size) + "x" + std::to_string(depth) +
                     (isBFloat ? "bf16.1k" : "f16");
  auto A = getExactValues(size * depth, 20),
       B = getExactValues(size * depth, 21);
  std::vector<uint16_t> a(64 * 4), b(64 * 4);
  std::vector<float> c(64 * sums), d(64 * sums);
  for (unsigned lane = 0; lane < 64; ++lane) {
    for (unsigned i = 0; i < 4; ++i) {
      unsigned at = lane % size * depth + 4 * (lane / size) + i;
      a[lane * 4 + i] = getBits(A[at], isBFloat);
      b[lane * 4 + i] = getBits(B[at], isBFloat);
    }
    for (unsigned i = 0; i < sums; ++i)
      c[lane * sums + i] = lane + i;
  }
  Emulated kernel(getProduct(name, isBFloat ? "<4 x i16>" : "<4 x half>", sums,
                             ", i32 0, i32 0, i32 0"));
  ASSERT_EQ(kernel.add(a).add(b).add(c).add(d).run({}, {64}), "");
  for (unsigned lane = 0; lane < 64; ++lane)
    for (unsigned i = 0; i < sums; ++i) {
      unsigned row = size == 32 ? 8 * (i / 4) + 4 * (lane / 32) + i % 4
                                : 4 * (lane / 16) + i;
      double sum = lane + i;
      for (unsigned k = 0; k < depth; ++k)
        sum += double(A[row * depth + k]) * B[lane % size * depth + k];
      EXPECT_EQ(d[lane * sums + i], float(sum));
    }
}

TEST(GPUEmulatorMatrix, MFMAOfValues) {
  for (unsigned size : {16, 32})
    for (bool isBFloat : {false, true})
      checkFloatMFMA(size, isBFloat);
}

TEST(GPUEmulatorMatrix, WMMAOfValues) {
  for (bool isBFloat : {false, true}) {
    std::string name = isBFloat ? "wmma.f32.16x16x16.bf16.v8f32.v16i16"
                                : "wmma.f32.16x16x16.f16.v8f32.v16f16";
    auto A = getExactValues(256, 22), B = getExactValues(256, 23);
    std::vector<uint16_t> a(32 * 16), b(32 * 16);
    std::vector<float> c(32 * 8), d(32 * 8);
    for (unsigned lane = 0; lane < 32; ++lane) {
      for (unsigned k = 0; k < 16; ++k) {
        a[lane * 16 + k] = getBits(A[lane % 16 * 16 + k], isBFloat);
        b[lane * 16 + k] = getBits(B[lane % 16 * 16 + k], isBFloat);
      }
      for (unsigned i = 0; i < 8; ++i)
        c[lane * 8 + i] = lane + i;
    }
    Emulated kernel(
        getProduct(name, isBFloat ? "<16 x i16>" : "<16 x half>", 8, ""), 32);
    ASSERT_EQ(kernel.add(a).add(b).add(c).add(d).run({}, {32}), "");
    for (unsigned row = 0; row < 16; ++row)
      for (unsigned column = 0; column < 16; ++column) {
        unsigned lane = column + row % 2 * 16, i = row / 2;
        double sum = lane + i;
        for (unsigned k = 0; k < 16; ++k)
          sum += double(A[row * 16 + k]) * B[column * 16 + k];
        EXPECT_EQ(d[lane * 8 + i], float(sum));
      }
    // Both halves of a wave have the same factors.
    a[17 * 16] ^= 1;
    EXPECT_NE(kernel.run({}, {32}).find("different factors"),
              std::string::npos);
  }
}

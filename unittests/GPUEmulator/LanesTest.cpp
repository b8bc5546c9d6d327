//===- LanesTest.cpp - Lanes, barriers and memory in the emulator ---------===//
//
// Every check has a kernel that is right and one that lacks what it needs: a
// barrier, a wait, an alignment.
//
//===----------------------------------------------------------------------===//

#include "Emulated.h"

#include <numeric>

using namespace quant_mlir;
using namespace quant_mlir::test;

static const char *const declarations = R"(
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.tid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.z()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.y()
declare i32 @llvm.nvvm.read.ptx.sreg.nctaid.z()
declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.nvvm.bar.warp.sync(i32)
declare void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3), ptr addrspace(1))
declare void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3), ptr addrspace(1), i32)
declare void @llvm.nvvm.cp.async.commit.group()
declare void @llvm.nvvm.cp.async.wait.group(i32)
declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32)
declare {i32, i1} @llvm.nvvm.shfl.sync.up.i32p(i32, i32, i32, i32)
declare i32 @llvm.nvvm.shfl.sync.down.i32(i32, i32, i32, i32)
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32)
declare i32 @llvm.nvvm.redux.sync.max(i32, i32)
declare i32 @llvm.nvvm.idp4a.s.u(i32, i32, i32)
)";

static bool has(const std::string &text, const std::string &part) {
  bool isFound = text.find(part) != std::string::npos;
  if (!isFound)
    ADD_FAILURE() << "expected '" << part << "' in '" << text << "'";
  return isFound;
}

TEST(GPUEmulatorLanes, Positions) {
  std::string text = std::string(declarations) + R"(
define ptx_kernel void @k(ptr %d) {
  %x = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %y = call i32 @llvm.nvvm.read.ptx.sreg.tid.y()
  %bx = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %bz = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.z()
  %ny = call i32 @llvm.nvvm.read.ptx.sreg.ntid.y()
  %nz = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.z()
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %n0 = mul i32 %bz, 2
  %n1 = add i32 %n0, %bx
  %n2 = mul i32 %n1, %ny
  %n3 = add i32 %n2, %y
  %n4 = mul i32 %n3, 20
  %n5 = add i32 %n4, %x
  %p = getelementptr i32, ptr %d, i32 %n5
  %n6 = mul i32 %nz, 1000
  %n7 = add i32 %n6, %lane
  store i32 %n7, ptr %p
  ret void
}
)";
  std::vector<int32_t> d(2 * 3 * 60);
  Emulated kernel(text);
  ASSERT_EQ(kernel.add(d).run({2, 1, 3}, {20, 3}), "");
  for (size_t i = 0; i < d.size(); ++i)
    EXPECT_EQ(d[i], int32_t(3000 + i % 60 % 32));
}

/// A processor without an instruction for it calls a function.
TEST(GPUEmulatorLanes, NarrowFloats) {
  Emulated kernel(std::string(declarations) + R"(
define ptx_kernel void @k(ptr %d) {
  %x = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr %d, i32 %x
  %w = load i32, ptr %p
  %f = bitcast i32 %w to float
  %b = fptrunc float %f to bfloat
  %u = bitcast bfloat %b to i16
  %r = zext i16 %u to i32
  store i32 %r, ptr %p
  ret void
}
)");
  // One, ties to even below and above, and a little more than a tie.
  std::vector<int32_t> d{0x3F800000, 0x3F808000, 0x3F818000, 0x3F808001};
  ASSERT_EQ(kernel.add(d).run({}, {4}), "");
  EXPECT_EQ(d, (std::vector<int32_t>{0x3F80, 0x3F80, 0x3F82, 0x3F81}));
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

/// Each lane writes its number and reads that of lane ^ %flip.
static std::string getExchange() {
  return std::string(
             "@s = external addrspace(3) global [0 x i32], align 16\n") +
         declarations + R"(
define ptx_kernel void @k(ptr %d, ptr %flip) {
  %l = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %f = load i32, ptr %flip
  %p = getelementptr i32, ptr addrspace(3) @s, i32 %l
  store i32 %l, ptr addrspace(3) %p
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %o = xor i32 %l, %f
  %q = getelementptr i32, ptr addrspace(3) @s, i32 %o
  %v = load i32, ptr addrspace(3) %q
  %r = getelementptr i32, ptr %d, i32 %l
  store i32 %v, ptr %r
  ret void
}
)";
}

static const std::string barrier =
    "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)";

TEST(GPUEmulatorLanes, BarriersOrderSharedMemory) {
  for (uint64_t seed : {0, 1, 2})
    for (int flip : {1, 32}) {
      std::vector<int32_t> d(64), flips{flip};
      Emulated kernel(getExchange());
      ASSERT_EQ(kernel.add(d).add(flips).run({}, {64}, seed, 256), "");
      for (int i = 0; i < 64; ++i)
        EXPECT_EQ(d[i], i ^ flip);
    }
}

TEST(GPUEmulatorLanes, AMissingBarrierIsFound) {
  for (uint64_t seed : {0, 1, 2})
    for (int flip : {1, 32}) {
      std::vector<int32_t> d(64), flips{flip};
      Emulated kernel(replaced(getExchange(), barrier, ""));
      // Which side of the race comes first depends on the order of lanes.
      has(kernel.add(d).add(flips).run({}, {64}, seed, 256),
          "of shared memory, which lane");
    }
}

TEST(GPUEmulatorLanes, WarpsAreInStepOnlyWithThemselves) {
  std::string text = replaced(getExchange(), barrier,
                              "call void @llvm.nvvm.bar.warp.sync(i32 -1)");
  std::vector<int32_t> d(64), inside{1}, across{32};
  Emulated kernel(text), other(text);
  EXPECT_EQ(kernel.add(d).add(inside).run({}, {64}, 0, 256), "");
  has(other.add(d).add(across).run({}, {64}, 0, 256), "no barrier between");
}

TEST(GPUEmulatorLanes, AReadThatIsOverwrittenIsFound) {
  // The barrier is behind the first store; a second one overwrites what others
  // may not have read yet.
  std::string text = replaced(getExchange(), "  ret void",
                              "  store i32 0, ptr addrspace(3) %p\n  ret void");
  std::vector<int32_t> d(64), flips{1};
  Emulated kernel(text);
  has(kernel.add(d).add(flips).run({}, {64}, 0, 256),
      "reads byte 0 of shared memory, which lane 0 wrote with no barrier");
  Emulated right(
      replaced(text, "  store i32 0,", barrier + "\n  store i32 0,"));
  EXPECT_EQ(right.add(d).add(flips).run({}, {64}, 0, 256), "");
}

TEST(GPUEmulatorLanes, ABarrierThatNotAllReachIsFound) {
  std::string text = replaced(
      getExchange(), barrier,
      "%c = icmp ult i32 %l, 63\n  br i1 %c, label %yes, label %no\nyes:\n  " +
          barrier + "\n  br label %no\nno:");
  std::vector<int32_t> d(64), flips{0};
  Emulated kernel(text);
  has(kernel.add(d).add(flips).run({}, {64}, 0, 256),
      "lanes wait for each other for ever: 63 (lane 0 first) at "
      "llvm.nvvm.barrier.cta.sync.aligned.all");
}

TEST(GPUEmulatorLanes, SharedMemoryHasAnEnd) {
  std::vector<int32_t> d(64), flips{0};
  Emulated kernel(getExchange());
  has(kernel.add(d).add(flips).run({}, {64}, 0, 252),
      "lane 63: writes byte 255 of shared memory, of which there are 252");
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

/// Two groups of copies; the first one is read while the second one may still
/// be on its way.
static std::string getCopies() {
  return std::string("@s = internal addrspace(3) global [1024 x i8] undef, "
                     "align 16\n") +
         declarations + R"(
define ptx_kernel void @k(ptr addrspace(1) %a, ptr %d) {
  %l = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %from = getelementptr [16 x i8], ptr addrspace(1) %a, i32 %l
  %to = getelementptr [16 x i8], ptr addrspace(3) @s, i32 %l
  call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %to, ptr addrspace(1) %from)
  call void @llvm.nvvm.cp.async.commit.group()
  %from2 = getelementptr i8, ptr addrspace(1) %from, i32 512
  %to2 = getelementptr i8, ptr addrspace(3) %to, i32 512
  call void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3) %to2, ptr addrspace(1) %from2, i32 7)
  call void @llvm.nvvm.cp.async.commit.group()
  call void @llvm.nvvm.cp.async.wait.group(i32 1)
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %o = xor i32 %l, 1
  %q = getelementptr [16 x i8], ptr addrspace(3) @s, i32 %o
  %v = load <4 x i32>, ptr addrspace(3) %q, align 16
  %r = getelementptr <4 x i32>, ptr %d, i32 %o
  store <4 x i32> %v, ptr %r, align 4
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  %v2 = load <4 x i32>, ptr addrspace(3) %to2, align 16
  %r2 = getelementptr <4 x i32>, ptr %d, i32 %l
  %r3 = getelementptr i8, ptr %r2, i32 512
  store <4 x i32> %v2, ptr %r3, align 4
  ret void
}
)";
}

/// Bytes at a multiple of 16.
static std::vector<__int128> getAligned(size_t bytes) {
  std::vector<__int128> values(bytes / 16);
  auto *data = reinterpret_cast<uint8_t *>(values.data());
  std::iota(data, data + bytes, uint8_t(3));
  return values;
}

TEST(GPUEmulatorLanes, CopiesArriveWhenTheyAreWaitedFor) {
  auto a = getAligned(1024);
  std::vector<uint8_t> d(1024);
  Emulated kernel(getCopies());
  ASSERT_EQ(kernel.add(a).add(d).run({}, {32}), "");
  for (int i = 0; i < 1024; ++i)
    EXPECT_EQ(d[i], i < 512 || i % 16 < 7 ? uint8_t(3 + i) : 0) << i;
}

TEST(GPUEmulatorLanes, CopiesThatAreNotWaitedForAreFound) {
  auto a = getAligned(1024);
  std::vector<uint8_t> d(1024);
  auto run = [&](const std::string &from, const std::string &to) {
    Emulated kernel(replaced(getCopies(), from, to));
    return kernel.add(a).add(d).run({}, {32});
  };
  has(run("wait.group(i32 1)\n  call", "wait.group(i32 2)\n  call"),
      "lane 31: reads byte 480 of shared memory, which lane 30 copies to and "
      "has not waited for");
  has(run("wait.group(i32 0)", "wait.group(i32 1)"),
      "lane 31: reads byte 1008 of shared memory, which lane 31 copies to");
  has(run(barrier, ""), "with no barrier between");
}

TEST(GPUEmulatorLanes, CopiesAreAligned) {
  auto a = getAligned(1024);
  std::vector<uint8_t> d(1024);
  Emulated kernel(
      replaced(getCopies(), "(ptr addrspace(3) %to, ptr addrspace(1) %from)",
               "(ptr addrspace(3) %to, ptr addrspace(1) getelementptr (i8, ptr "
               "addrspace(1) null, i64 8))"));
  has(kernel.add(a).add(d).run({}, {32}), "8 beyond a multiple of 16");
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

TEST(GPUEmulatorLanes, BuffersHaveAnEndAndAnAlignment) {
  std::string text = std::string(declarations) + R"(
define ptx_kernel void @k(ptr %a, ptr %d) {
  %l = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr i32, ptr %a, i32 %l
  %v = load i32, ptr %p, align 4
  %q = getelementptr i32, ptr %d, i32 %l
  store i32 %v, ptr %q, align 4
  ret void
}
)";
  std::vector<int32_t> a(31), d(32);
  Emulated kernel(text);
  has(kernel.add(a).add(d).run({}, {32}),
      "lane 31: reads 4 bytes that belong to no buffer: buffer 0 has 124 "
      "bytes, and this is byte 124");
  // The nearest is named, not the last one that is near: parts of one array.
  std::vector<int32_t> both(96);
  Emulated near(text);
  has(near.add(both.data() + 40, 31).add(both.data(), 32).run({}, {32}),
      "buffer 0 has 124 bytes, and this is byte 124");
  std::vector<int32_t> b(32), e(31);
  Emulated other(text);
  has(other.add(b).add(e).run({}, {32}),
      "lane 31: writes 4 bytes that belong to no buffer");
  Emulated wide(
      replaced(text, "load i32, ptr %p, align 4", "load i32, ptr %p, align 8"));
  std::vector<int64_t> c(16);
  has(wide.add(c).add(d).run({}, {32}),
      "lane 1: accesses 4 bytes at an address that is 4 beyond a multiple of "
      "8");
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

/// %v of each lane, which has its number and 100.
static std::string getWarpKernel(const std::string &compute) {
  return std::string(declarations) +
         "define ptx_kernel void @k(ptr %d) {\n"
         "%l = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n"
         "%x = add i32 %l, 100\n" +
         compute +
         "\n%p = getelementptr i32, ptr %d, i32 %l\n"
         "store i32 %v, ptr %p\nret void\n}\n";
}

static std::vector<int32_t> runWarp(const std::string &compute) {
  std::vector<int32_t> d(64);
  Emulated kernel(getWarpKernel(compute));
  EXPECT_EQ(kernel.add(d).run({}, {64}), "");
  return d;
}

TEST(GPUEmulatorLanes, Shuffles) {
  auto call = [](const std::string &mode, int which, int clamp) {
    return "%v = call i32 @llvm.nvvm.shfl.sync." + mode +
           ".i32(i32 -1, i32 %x, i32 " + std::to_string(which) + ", i32 " +
           std::to_string(clamp) + ")";
  };
  auto butterfly = runWarp(call("bfly", 5, 31));
  auto down = runWarp(call("down", 3, 31));
  auto index = runWarp(call("idx", 9, 31));
  // Segments of eight lanes: bits 8 to 12 are those that lanes keep.
  auto inEights = runWarp(call("idx", 9, 0x1800 | 31));
  auto up = runWarp("%s = call {i32, i1} @llvm.nvvm.shfl.sync.up.i32p(i32 -1, "
                    "i32 %x, i32 2, i32 0)\n%w = extractvalue {i32, i1} %s, 0\n"
                    "%i = extractvalue {i32, i1} %s, 1\n"
                    "%v = select i1 %i, i32 %w, i32 -1");
  for (int i = 0; i < 64; ++i) {
    int first = i / 32 * 32, lane = i % 32;
    EXPECT_EQ(butterfly[i], 100 + first + (lane ^ 5));
    EXPECT_EQ(down[i], 100 + first + (lane + 3 < 32 ? lane + 3 : lane));
    EXPECT_EQ(index[i], 100 + first + 9);
    EXPECT_EQ(inEights[i], 100 + first + lane / 8 * 8 + 1);
    EXPECT_EQ(up[i], lane < 2 ? -1 : 100 + first + lane - 2);
  }
}

TEST(GPUEmulatorLanes, Reductions) {
  auto most =
      runWarp("%v = call i32 @llvm.nvvm.redux.sync.max(i32 %x, i32 -1)");
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(most[i], 100 + i / 32 * 32 + 31);
}

TEST(GPUEmulatorLanes, DotProducts) {
  auto dot = runWarp("%v = call i32 @llvm.nvvm.idp4a.s.u(i32 -16776961, "
                     "i32 67305985, i32 %x)");
  // 0xFF0000FF: -1, 0, 0, -1 times 1, 2, 3, 4.
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(dot[i], 100 + i - 5);
}

TEST(GPUEmulatorLanes, ALaneThatIsElsewhereIsFound) {
  std::string shuffle =
      "call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %x, "
      "i32 1, i32 31)";
  std::vector<int32_t> d(32);
  Emulated kernel(getWarpKernel(
      "%c = icmp eq i32 %l, 5\nbr i1 %c, label %a, label %b\na:\n%va = " +
      shuffle + "\nbr label %e\nb:\n%vb = " + shuffle +
      "\nbr label %e\ne:\n%v = phi i32 [%va, %a], [%vb, %b]"));
  has(kernel.add(d).run({}, {32}), "lanes wait for each other for ever: ");
  Emulated partial(getWarpKernel("%v = " + shuffle));
  EXPECT_EQ(partial.add(d).run({}, {20}), "");
}

TEST(GPUEmulatorLanes, LaunchesAreChecked) {
  std::vector<int32_t> d(32);
  Emulated kernel(getWarpKernel("%v = add i32 %x, 0"));
  has(kernel.run({}, {32}), "kernel k has 1 parameters, found 0");
  has(kernel.add(d).run({}, {2048}), "expected blocks of 1 to 1024 lanes");
  has(kernel.run({}, {32}, 0, 1 << 20), "bytes of shared memory");
  has(Emulated("define void @f() { ret void }").run({}, {32}),
      "expected a kernel, found none");
  has(Emulated("not IR").run({}, {32}), "expected LLVM IR");
}

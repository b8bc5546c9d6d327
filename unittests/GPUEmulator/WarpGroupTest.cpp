//===- WarpGroupTest.cpp - wgmma in the emulator --------------------------===//
//
// A product of four warps against a scalar loop, and kernels that lack one of
// what it has to have around it.
//
//===----------------------------------------------------------------------===//

#include "Emulated.h"

using namespace quant_mlir;
using namespace quant_mlir::test;

namespace {

/// Of 64 rows and 8 columns: lane l copies bytes 16 l and the next ones of both
/// factors, which lie as shared memory has them: planes of 16 bytes of the
/// reduction, rows in order.
std::string getKernel(const std::string &types, bool isOfRegisters) {
  std::string lhs = isOfRegisters ? "{$8, $9, $10, $11}, $12" : "$8, $9",
              sum = types.find(".s32") != std::string::npos ? "i32" : "float",
              constraint = sum == "i32" ? "r" : "f", four, tied;
  for (unsigned i = 0; i < 4; ++i) {
    four += (i ? ", " : "") + sum;
    tied += "=" + constraint + ",";
  }
  std::string type = "{" + four + "}";
  std::string values;
  for (unsigned i = 0; i < 4; ++i)
    values += sum + " %c" + std::to_string(i) + ", ";
  std::string text =
      "@s = internal addrspace(3) global [4096 x i8] undef, align 1024\n"
      "declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n"
      "declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)\n"
      "declare void @llvm.nvvm.fence.proxy.async.shared_cta()\n"
      "declare void @llvm.nvvm.wgmma.fence.sync.aligned()\n"
      "declare void @llvm.nvvm.wgmma.commit_group.sync.aligned()\n"
      "declare void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64)\n"
      "define ptx_kernel void @k(ptr %a, ptr %b, ptr %r, ptr %c, ptr %d) {\n"
      "%l = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()\n"
      "%n = mul i32 %l, 16\n"
      "%pa = getelementptr i8, ptr %a, i32 %n\n"
      "%pb = getelementptr i8, ptr %b, i32 %n\n"
      "%pr = getelementptr i8, ptr %r, i32 %n\n"
      "%pc = getelementptr i8, ptr %c, i32 %n\n"
      "%pd = getelementptr i8, ptr %d, i32 %n\n"
      "%va = load <4 x i32>, ptr %pa, align 16\n"
      "%vb = load <4 x i32>, ptr %pb, align 16\n"
      "%vr = load <4 x i32>, ptr %pr, align 16\n"
      "%vc = load " +
      type +
      ", ptr %pc, align 16\n"
      "%sa = getelementptr i8, ptr addrspace(3) @s, i32 %n\n"
      "%m = add i32 %n, 2048\n"
      "%sb = getelementptr i8, ptr addrspace(3) @s, i32 %m\n"
      "store <4 x i32> %va, ptr addrspace(3) %sa, align 16\n"
      "store <4 x i32> %vb, ptr addrspace(3) %sb, align 16\n"
      "call void @llvm.nvvm.fence.proxy.async.shared_cta()\n"
      "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)\n"
      "%base = ptrtoint ptr addrspace(3) @s to i64\n"
      "%low = and i64 %base, 262143\n"
      "%start = lshr i64 %low, 4\n"
      // 1024 bytes from plane to plane, 128 from eight rows to the next.
      "%da = or i64 %start, " +
      std::to_string(uint64_t(64) << 16 | uint64_t(8) << 32) +
      "\n%next = add i64 %start, 128\n"
      "%db = or i64 %next, " +
      std::to_string(uint64_t(8) << 16 | uint64_t(8) << 32) + "\n";
  for (unsigned i = 0; i < 4; ++i)
    text += "%c" + std::to_string(i) + " = extractvalue " + type + " %vc, " +
            std::to_string(i) + "\n%r" + std::to_string(i) +
            " = extractelement <4 x i32> %vr, i32 " + std::to_string(i) + "\n";
  text += "call void @llvm.nvvm.wgmma.fence.sync.aligned()\n"
          "%y = call " +
          type +
          " asm sideeffect \"{ setp.ne.b32 p, 1, 0; "
          "wgmma.mma_async.sync.aligned.m64n8k" +
          types + " {$0, $1, $2, $3}, " + lhs + ", p; }\", \"" + tied +
          "0,1,2,3," + (isOfRegisters ? "r,r,r,r,l" : "l,l") + "\"(" + values +
          (isOfRegisters ? "i32 %r0, i32 %r1, i32 %r2, i32 %r3" : "i64 %da") +
          ", i64 %db)\n"
          "call void @llvm.nvvm.wgmma.commit_group.sync.aligned()\n"
          "call void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 0)\n"
          "; later\n";
  // An addition, which is a use as a store is.
  for (unsigned i = 0; i < 4; ++i) {
    std::string n = std::to_string(i);
    text += "%y" + n + " = extractvalue " + type + " %y, " + n + "\n%z" + n +
            " = " + (sum == "i32" ? "add i32 %y" : "fadd float %y") + n + ", " +
            (sum == "i32" ? "0" : "0.0") + "\n%pd" + n +
            " = getelementptr i32, ptr %pd, i32 " + n + "\nstore " + sum +
            " %z" + n + ", ptr %pd" + n + ", align 4\n";
  }
  return text + "ret void\n}\n";
}

template <typename Code, typename Sum> struct WarpGroup {
  static constexpr unsigned depth = 32 / sizeof(Code), half = depth / 2;
  std::vector<Code> rows = getRandom<Code>(64 * depth, -8, 8, 1),
                    columns = getRandom<Code>(8 * depth, -8, 8, 2);
  std::vector<Code> a = std::vector<Code>(2048 / sizeof(Code)), b = a, r = a;
  std::vector<Sum> c = getRandom<Sum>(512, -999, 999, 3), d = c;

  WarpGroup() {
    for (unsigned k = 0; k < depth; ++k) {
      for (unsigned row = 0; row < 64; ++row)
        a[k / half * 64 * half + row * half + k % half] = rows[row * depth + k];
      for (unsigned column = 0; column < 8; ++column)
        b[k / half * 8 * half + column * half + k % half] =
            columns[column * depth + k];
    }
    // Of lane (g, t) of warp w words of rows 16 w + g and 8 more, of both
    // halves.
    unsigned perWord = 4 / sizeof(Code);
    for (unsigned lane = 0; lane < 128; ++lane)
      for (unsigned i = 0; i < 4; ++i)
        for (unsigned e = 0; e < perWord; ++e) {
          unsigned row = lane / 32 * 16 + lane % 32 / 4 + i % 2 * 8;
          unsigned k = i / 2 * half + lane % 4 * perWord + e;
          r[(lane * 4 + i) * perWord + e] = rows[row * depth + k];
        }
  }
  std::string run(const std::string &text) {
    Emulated kernel(text);
    return kernel.add(a).add(b).add(r).add(c).add(d).run({}, {128});
  }
  void check() {
    for (unsigned lane = 0; lane < 128; ++lane)
      for (unsigned i = 0; i < 4; ++i) {
        unsigned row = lane / 32 * 16 + lane % 32 / 4 + i / 2 * 8;
        unsigned column = lane % 4 * 2 + i % 2;
        Sum sum = c[lane * 4 + i];
        for (unsigned k = 0; k < depth; ++k)
          sum += Sum(rows[row * depth + k]) * Sum(columns[column * depth + k]);
        EXPECT_EQ(d[lane * 4 + i], sum);
      }
  }
};

} // namespace

TEST(GPUEmulatorWarpGroup, Multiplies) {
  for (bool isOfRegisters : {false, true}) {
    WarpGroup<int8_t, int32_t> bytes;
    ASSERT_EQ(bytes.run(getKernel("32.s32.s8.s8", isOfRegisters)), "");
    bytes.check();
    WarpGroup<_Float16, float> halves;
    ASSERT_EQ(halves.run(getKernel("16.f32.f16.f16", isOfRegisters)), "");
    halves.check();
  }
}

TEST(GPUEmulatorWarpGroup, NeedsEveryOrder) {
  std::string text = getKernel("32.s32.s8.s8", false);
  auto call = [](const std::string &name) {
    return "call void @llvm.nvvm." + name;
  };
  auto expect = [&](const std::string &from, const std::string &to,
                    const std::string &part) {
    WarpGroup<int8_t, int32_t> product;
    std::string message = product.run(replaced(text, from, to));
    EXPECT_NE(message.find(part), std::string::npos)
        << "expected '" << part << "', found '" << message << "'";
  };
  std::string wait = call("wgmma.wait_group.sync.aligned(i64 0)"),
              commit = call("wgmma.commit_group.sync.aligned()"),
              barrier = call("barrier.cta.sync.aligned.all(i32 0)");
  const char *tooEarly = "uses results of wgmma.mma_async (call ";
  expect(wait, "", tooEarly);
  expect(wait, call("wgmma.wait_group.sync.aligned(i64 1)"), tooEarly);
  expect(commit, "", tooEarly);
  expect(call("wgmma.fence.sync.aligned()"), "", "without wgmma.fence");
  expect(call("fence.proxy.async.shared_cta()"), "",
         "wrote with no fence.proxy.async behind it");
  // The factors are written over: before the wait, behind it without a barrier,
  // and as may be done.
  std::string store = "store <4 x i32> %va, ptr addrspace(3) %sb, align 16\n";
  expect(commit, commit + "\n" + store, "multiplies and has not waited for");
  expect("; later", store, "read with no barrier between");
  WarpGroup<int8_t, int32_t> product;
  EXPECT_EQ(product.run(replaced(text, "; later", barrier + "\n" + store)), "");
}

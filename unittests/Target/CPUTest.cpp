//===- CPUTest.cpp - What a CPU offers to quantized kernels ---------------===//

#include "quant-mlir/Target/CPU.h"

#include "llvm/TargetParser/Host.h"
#include "gtest/gtest.h"

using namespace quant_mlir;

namespace {

CPUTarget get(std::string cpu, std::string features = "",
              std::string triple = "") {
  return llvm::cantFail(CPUTarget::get({cpu, features, triple}));
}

std::string getError(std::string cpu, std::string features = "",
                     std::string triple = "") {
  llvm::Expected<CPUTarget> target = CPUTarget::get({cpu, features, triple});
  return target ? "" : llvm::toString(target.takeError());
}

const char *const arm = "aarch64-unknown-linux-gnu";

TEST(CPUTest, TheHostIsTheDefault) {
  CPUTarget host = get("");
  EXPECT_EQ(host.getCPU(), llvm::sys::getHostCPUName());
  EXPECT_EQ(host.getTriple().str(), llvm::sys::getProcessTriple());
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    EXPECT_EQ(host.hasFeature(feature.first()), feature.second)
        << feature.first().str();
  EXPECT_EQ(get("native").getFeatures(), host.getFeatures());
  EXPECT_GE(host.getL1Size(), 8 << 10);
  EXPECT_GT(host.getL2Size(), host.getL1Size());
}

TEST(CPUTest, OtherCPUsAreKnownWithoutTheMachine) {
  std::string x86 = "x86_64-unknown-linux-gnu";
  EXPECT_EQ(get("znver5", "", x86).getDotKind(), DotKind::AVX512VNNI);
  EXPECT_EQ(get("sapphirerapids", "", x86).getDotKind(), DotKind::AVX512VNNI);
  EXPECT_EQ(get("alderlake", "", x86).getDotKind(), DotKind::AVXVNNI);
  EXPECT_EQ(get("haswell", "", x86).getDotKind(), DotKind::AVX2);
  EXPECT_EQ(get("skylake-avx512", "", x86).getDotKind(), DotKind::AVX2);
  EXPECT_EQ(get("x86-64", "", x86).getDotKind(), DotKind::Generic);
  EXPECT_EQ(get("", "", arm).getDotKind(),
            llvm::Triple(llvm::sys::getProcessTriple()).isAArch64()
                ? get("").getDotKind()
                : DotKind::Generic);
  EXPECT_EQ(get("cortex-a53", "", arm).getDotKind(), DotKind::Generic);
  EXPECT_EQ(get("neoverse-n1", "", arm).getDotKind(), DotKind::NeonDotProd);
  EXPECT_EQ(get("neoverse-v1", "", arm).getDotKind(), DotKind::NeonI8MM);
  // Aliases too.
  EXPECT_EQ(get("grace", "", arm).getDotKind(), DotKind::NeonI8MM);
}

TEST(CPUTest, ACPUSaysItsArchitecture) {
  EXPECT_TRUE(get("neoverse-n1").isAArch64());
  EXPECT_TRUE(get("znver4").isX86());
  EXPECT_EQ(get("generic").getTriple().getArch(),
            llvm::Triple(llvm::sys::getProcessTriple()).getArch());
}

TEST(CPUTest, FeaturesAreAdded) {
  EXPECT_EQ(get("znver4", "-avx512vnni").getDotKind(), DotKind::AVX2);
  // What implies a feature goes with it.
  EXPECT_EQ(get("znver4", "-avx512f").getDotKind(), DotKind::AVX2);
  EXPECT_EQ(get("znver4", "-avx512f,+avxvnni").getDotKind(), DotKind::AVXVNNI);
  EXPECT_EQ(get("znver4", "-avx").getDotKind(), DotKind::Generic);
  EXPECT_EQ(get("cortex-a53", "+dotprod").getDotKind(), DotKind::NeonDotProd);
  EXPECT_EQ(get("generic", "+dotprod,+i8mm", arm).getDotKind(),
            DotKind::NeonI8MM);
  // Kernels for i8mm have use for sdot too.
  EXPECT_EQ(get("generic", "+i8mm", arm).getDotKind(), DotKind::Generic);
  EXPECT_EQ(get("znver4", "-avx512vnni").getFeatures(), "-avx512vnni");
}

TEST(CPUTest, ErrorsSayTheWayOut) {
  EXPECT_EQ(getError("znver44"),
            "expected a CPU of x86_64 that LLVM knows, found 'znver44': use "
            "znver4, znver1 or znver2, or see them all with 'llc "
            "-mtriple=x86_64 -mcpu=help'");
  EXPECT_EQ(getError("there-is-no-such-cpu", "", arm),
            "expected a CPU of aarch64 that LLVM knows, found "
            "'there-is-no-such-cpu': see them all with 'llc -mtriple=aarch64 "
            "-mcpu=help'");
  EXPECT_EQ(getError("znver4", "avx2"),
            "expected features with + or - before each, such as "
            "+avx512vnni,-avx512f, found 'avx2'");
  EXPECT_EQ(getError("znver4", "+avx512vnn"),
            "expected a feature of x86_64 that LLVM knows, found 'avx512vnn': "
            "use avx512vnni, avx512vl or avx512bw, or see them all with 'llc "
            "-mtriple=x86_64 "
            "-mattr=help'");
  EXPECT_EQ(getError("", "", "riscv64-linux"),
            "expected a target triple of x86_64 or aarch64, such as "
            "aarch64-unknown-linux-gnu, found 'riscv64-linux'");
  EXPECT_NE(getError("neoverse-n1", "", "x86_64-linux-gnu"), "");
  if (!llvm::Triple(llvm::sys::getProcessTriple()).isAArch64())
    EXPECT_EQ(
        getError("native", "", arm),
        "expected the name of a CPU of aarch64, found 'native' on " +
            llvm::Triple(llvm::sys::getProcessTriple()).getArchName().str() +
            ": pass --target-cpu=generic or one of its CPUs");
}

TEST(CPUTest, Shapes) {
  CPUTarget vnni = get("znver4");
  EXPECT_EQ(vnni.getLanes(), 16);
  EXPECT_EQ(vnni.getNumVectorRegisters(), 32);
  EXPECT_EQ(vnni.getDotGroup(), 4);
  EXPECT_EQ(vnni.getTileColumns(), 64);
  EXPECT_EQ(vnni.getTileRows(), 6);
  EXPECT_TRUE(vnni.isDotLhsUnsigned());
  CPUTarget avx2 = get("haswell");
  EXPECT_EQ(avx2.getLanes(), 8);
  EXPECT_EQ(avx2.getDotGroup(), 2);
  EXPECT_EQ(avx2.getTileRows(), 6);
  EXPECT_FALSE(avx2.isDotLhsUnsigned());
  CPUTarget i8mm = get("neoverse-v1");
  EXPECT_EQ(i8mm.getDotGroup(), 8);
  EXPECT_EQ(i8mm.getDepthwiseGroup(), 4);
  EXPECT_EQ(i8mm.getDotRows(), 2);
  EXPECT_EQ(i8mm.getTileRows(), 6);
  EXPECT_EQ(i8mm.getTileRows(12), 8);
  EXPECT_EQ(get("neoverse-n1").getTileRows(), 6);
  EXPECT_EQ(get("x86-64").getTileRows(), 2);
  EXPECT_EQ(get("x86-64").getDotGroup(), 1);
}

TEST(CPUTest, AccumulatorsAndOperandsFitTheRegisters) {
  for (CPUTarget target :
       {get("znver4"), get("alderlake"), get("haswell"), get("x86-64"),
        get("neoverse-v1"), get("neoverse-n1"), get("cortex-a53")})
    for (int64_t columns = 1; columns <= target.getTileColumns(); ++columns) {
      int64_t perRow = target.getPanelColumns(columns) / target.getLanes();
      EXPECT_LE(target.getTileRows(columns) * perRow + perRow + 1,
                target.getNumVectorRegisters())
          << getName(target.getDotKind()).str() << " " << columns;
    }
}

TEST(CPUTest, PanelsAreRead) {
  for (CPUTarget target :
       {get("sapphirerapids"), get("znver4"), get("alderlake"), get("haswell"),
        get("x86-64"), get("neoverse-v1"), get("neoverse-n1"),
        get("cortex-a53")}) {
    for (int64_t columns = 1; columns <= 300; ++columns) {
      EXPECT_TRUE(target.readsPanels(target.getPanelColumns(columns)));
      for (unsigned width : {2, 4, 8})
        for (int64_t rows : {-1, 1, 1000})
          EXPECT_TRUE(target.readsPanels(
              target.getCodePanelColumns(columns, rows, width)))
              << getName(target.getDotKind()).str() << " " << columns;
    }
    EXPECT_FALSE(target.readsPanels(1));
    EXPECT_FALSE(target.readsPanels(128));
  }
}

TEST(CPUTest, PanelsAreEqualAndFew) {
  CPUTarget vnni = get("znver4");
  EXPECT_EQ(vnni.getPanelColumns(1), 16);
  EXPECT_EQ(vnni.getPanelColumns(12), 16);
  EXPECT_EQ(vnni.getPanelColumns(17), 32);
  EXPECT_EQ(vnni.getPanelColumns(64), 64);
  EXPECT_EQ(vnni.getPanelColumns(65), 48);
  EXPECT_EQ(vnni.getPanelColumns(96), 48);
  EXPECT_EQ(vnni.getPanelColumns(517), 64);
  EXPECT_EQ(vnni.getPanelColumns(4096), 64);
  EXPECT_EQ(get("haswell").getPanelColumns(12), 16);
  EXPECT_EQ(get("haswell").getPanelColumns(8), 8);
}

TEST(CPUTest, TilesWantNarrowPanels) {
  CPUTarget amx = get("sapphirerapids");
  EXPECT_TRUE(amx.hasTiles());
  EXPECT_EQ(amx.getPanelColumns(4096), 64);
  EXPECT_EQ(amx.getCodePanelColumns(4096, 128, 8), 32);
  EXPECT_EQ(amx.getCodePanelColumns(40, 128, 8), 32);
  EXPECT_EQ(amx.getCodePanelColumns(12, 128, 8), 16);
  // Few rows are left to other instructions, rows of an unknown number are not.
  EXPECT_EQ(amx.getCodePanelColumns(4096, 3, 8), 64);
  EXPECT_EQ(amx.getCodePanelColumns(4096, 4, 8), 32);
  EXPECT_EQ(amx.getCodePanelColumns(4096, 7, 8), 32);
  EXPECT_EQ(amx.getCodePanelColumns(4096, -1, 4), 32);
  EXPECT_EQ(get("znver4").getCodePanelColumns(4096, 128, 8), 64);
  // Codes that are unpacked take two registers for more rows.
  EXPECT_EQ(amx.getCodePanelColumns(4096, 7, 4), 32);
  EXPECT_EQ(get("znver4").getCodePanelColumns(4096, 128, 4), 32);
  EXPECT_EQ(get("haswell").getCodePanelColumns(4096, 128, 4), 16);
}

} // namespace

//===- TensorCoreTest.cpp - Contractions on tensor cores, emulated --------===//
//
// Kernels that quant-to-gpu makes for NVIDIA's GPUs, launched in the emulator:
// numbers against a loop, no conflict of banks, and that nothing in them may be
// left out: without a barrier, or with a shorter wait, the emulator finds a
// race.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Dialect/Quant/IR/QuantExtension.h"
#include "quant-mlir/GPUEmulator/GPUEmulator.h"
#include "quant-mlir/Numerics/Panels.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "gtest/gtest.h"

#include <random>
#include <regex>

using namespace quant_mlir;

namespace {

/// Memory at a multiple of 16 bytes.
template <typename T> struct Aligned {
  explicit Aligned(size_t count) : words(count * sizeof(T) / 16 + 1) {}
  T *data() { return reinterpret_cast<T *>(words.data()); }
  T &operator[](size_t i) { return data()[i]; }
  std::vector<__int128> words;
};

/// [rows][depth], codes of int8 or small integers in f16, times constants
/// [depth][columns], of int8 or int4, as f32.
class Product {
public:
  Product(int64_t rows, int64_t columns, int64_t depth, unsigned width,
          std::string arch = "sm_80", bool isOfValues = false)
      : rows(rows), columns(columns), depth(depth), width(width),
        isOfValues(isOfValues), x(rows * depth), values(rows * depth),
        y(rows * columns), w(depth * columns) {
    std::mt19937 random(rows + columns + depth);
    for (int64_t i = 0; i < rows * depth; ++i) {
      x[i] = int8_t(random());
      if (isOfValues)
        x[i] %= 16;
      values[i] = x[i];
    }
    for (int8_t &code : w)
      code = int8_t(int(random() % (1u << width)) - (1 << (width - 1)));
    options.kind = GPUKind::NVVM;
    options.isEmulated = true;
    options.arch = std::move(arch);
    layout.shape = {depth, columns};
    layout.columns = {1};
    layout.reduction = {0};
    layout.run = 1;
    layout.panel = cantFail(GPUTarget::get(options)).getPanelColumns(columns);
    layout.group = 16;
    layout.width = width;
    layout.offset = width == 4 ? 8 : 0;
  }

  /// The kernel as LLVM IR.
  std::string compile();
  /// Runs the kernel; what went wrong, or an empty string.
  std::string run(const std::string &code);
  /// Elements that are not those of a loop.
  int64_t countWrong();

  uint64_t conflicts = 0;
  /// Instructions that multiply: of a warp, of few rows, of four warps.
  uint64_t products = 0, dots = 0, groupProducts = 0, valueProducts = 0;

private:
  std::string getModule() const;

  int64_t rows, columns, depth;
  unsigned width;
  bool isOfValues;
  Aligned<int8_t> x;
  Aligned<_Float16> values;
  Aligned<float> y;
  /// Row-major. Not packed: codes of less than a byte have one each.
  std::vector<int8_t> w;
  GPUTargetOptions options;
  numerics::PanelLayout layout;
  EmulatedSize grid, block;
  size_t sharedBytes = 0;
};

} // namespace

std::string Product::getModule() const {
  auto number = [](int64_t value) { return std::to_string(value); };
  std::string codes =
      number(depth) + "x" + number(columns) + "xi" + std::to_string(width);
  std::string x = "memref<" + number(rows) + "x" + number(depth) +
                  (isOfValues ? "xf16>" : "xi8>"),
              w = "memref<" + number(layout.size()) + "xi8>",
              s = "memref<" + number(columns) + "xi32>",
              y = "memref<" + number(rows) + "x" + number(columns) + "xf32>";
  std::string offset =
      layout.offset ? ", offset = " + number(layout.offset) : "";
  return "#x = affine_map<(m, n, k) -> (m, k)>\n"
         "#w = affine_map<(m, n, k) -> (k, n)>\n"
         "#y = affine_map<(m, n, k) -> (m, n)>\n"
         "func.func @f(%x: " +
         x + ", %w: " + w + ", %s: " + s + ", %y: " + y +
         ") {\nquant.contract lhs(%x " +
         (isOfValues ? ""
                     : "as <int8, per_tensor, scale = 1.0, zero_point = 3> ") +
         ": " + x + ") rhs(%w as <int" + std::to_string(width) +
         ", per_tensor, scale = 1.0> in <panels, tensor<" + codes +
         ">, columns = [1], reduction = [0], run = 1, panel = " +
         number(layout.panel) + ", group = 16" + offset + ">" +
         (isOfValues ? "" : " sums %s : " + s + ",") + " : " + w +
         ") outs(%y : " + y + ") maps [#x, #w, #y]\nreturn\n}\n";
}

std::string Product::compile() {
  // gpu-module-to-binary asks LLVM for the target even for LLVM IR.
  llvm::InitializeAllTargetInfos();
  llvm::InitializeAllTargets();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllAsmPrinters();
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registerQuantExtension(registry);
  registerGPUTranslations(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(getModule(), &context);
  if (!module)
    return "";
  mlir::PassManager pm(&context);
  QuantToGPUPassOptions kernels;
  kernels.targetName = "nvvm";
  kernels.arch = options.arch;
  pm.addPass(createQuantToGPUPass(kernels));
  addGPUModulePasses(pm, options);
  if (failed(pm.run(*module)))
    return "";
  module->walk([&](mlir::gpu::LaunchFuncOp launch) {
    auto size = [](mlir::Value value) {
      return uint32_t(*mlir::getConstantIntValue(value));
    };
    mlir::gpu::KernelDim3 blocks = launch.getGridSizeOperandValues();
    grid = {size(blocks.x), size(blocks.y), size(blocks.z)};
    block = {size(launch.getBlockSizeOperandValues().x)};
    if (mlir::Value bytes = launch.getDynamicSharedMemorySize())
      sharedBytes = size(bytes);
  });
  std::string text;
  module->walk([&](mlir::gpu::BinaryOp binary) {
    auto object = llvm::cast<mlir::gpu::ObjectAttr>(binary.getObjects()[0]);
    llvm::LLVMContext llvmContext;
    llvm::SMDiagnostic error;
    auto code = llvm::parseIR(
        llvm::MemoryBufferRef(object.getObject().getValue(), "kernel"), error,
        llvmContext);
    llvm::raw_string_ostream(text) << *code;
  });
  return text;
}

std::string Product::run(const std::string &code) {
  auto emulator = GPUEmulator::create(code);
  if (!emulator)
    return llvm::toString(emulator.takeError());
  Aligned<uint8_t> packed(layout.size());
  auto *codes = reinterpret_cast<const uint8_t *>(w.data());
  numerics::packPanels(layout, codes, packed.data());
  std::vector<int32_t> sums = numerics::sumColumns(layout, codes, true);
  Aligned<int32_t> alignedSums(sums.size());
  std::copy(sums.begin(), sums.end(), alignedSums.data());
  std::vector<EmulatedBuffer> buffers{
      {x.data(), size_t(rows * depth), false},
      {packed.data(), size_t(layout.size()), false},
      {alignedSums.data(), sums.size() * 4, false},
      {y.data(), size_t(rows * columns * 4), true}};
  if (isOfValues) {
    buffers[0] = {values.data(), size_t(rows * depth * 2), false};
    buffers.erase(buffers.begin() + 2);
  }
  std::vector<void *> parameters;
  for (EmulatedBuffer &buffer : buffers)
    parameters.push_back(&buffer.data);
  EmulatedLaunch launch;
  launch.buffers = buffers;
  launch.parameters = parameters;
  launch.block = block;
  launch.grid = grid;
  launch.dynamicSharedBytes = sharedBytes;
  std::smatch match;
  std::regex name("define (?:dso_local )?ptx_kernel void @(\\w+)");
  if (!std::regex_search(code, match, name))
    return "no kernel";
  std::string message =
      llvm::toString((*emulator)->launch(match[1].str(), launch));
  conflicts = (*emulator)->getCounts().bankConflicts;
  const auto &instructions = (*emulator)->getCounts().instructions;
  products = instructions.lookup("llvm.nvvm.mma.m16n8k32.row.col.s8");
  valueProducts = instructions.lookup("llvm.nvvm.mma.m16n8k16.row.col.f32.f32");
  dots = instructions.lookup("llvm.nvvm.idp4a.s.s");
  for (const auto &[name, count] : instructions)
    if (name.starts_with("wgmma.mma_async."))
      groupProducts += count;
  return message;
}

int64_t Product::countWrong() {
  int64_t wrong = 0;
  for (int64_t m = 0; m < rows; ++m)
    for (int64_t n = 0; n < columns; ++n) {
      int32_t sum = 0;
      for (int64_t k = 0; k < depth; ++k)
        sum += (x[m * depth + k] - (isOfValues ? 0 : 3)) * w[k * columns + n];
      wrong += y[m * columns + n] != float(sum);
    }
  return wrong;
}

TEST(TensorCores, ComputeProducts) {
  struct {
    int64_t rows, columns, depth;
  } sizes[] = {{32, 32, 64},   {16, 128, 256}, {48, 64, 320},  {1, 40, 32},
               {130, 200, 96}, {33, 17, 16},   {5, 70, 70},    {64, 33, 100},
               {8, 100, 1024}, {3, 32, 500},   {16, 200, 2100}};
  for (unsigned width : {8, 4})
    for (auto size : sizes) {
      SCOPED_TRACE(
          std::to_string(width) + " bits, " + std::to_string(size.rows) + "x" +
          std::to_string(size.columns) + "x" + std::to_string(size.depth));
      Product product(size.rows, size.columns, size.depth, width);
      std::string code = product.compile();
      ASSERT_NE(code, "");
      ASSERT_EQ(product.run(code), "");
      EXPECT_EQ(product.countWrong(), 0);
      // Few rows, of whole words, stream.
      bool streams = size.rows <= 8 && size.depth % 4 == 0;
      EXPECT_EQ(product.products != 0, !streams);
      EXPECT_EQ(product.dots != 0, streams);
      if (size.depth % 16 == 0)
        EXPECT_EQ(product.conflicts, 0u);
    }
}

TEST(TensorCores, ComputeProductsOfValues) {
  struct {
    int64_t rows, columns, depth;
  } sizes[] = {{32, 32, 64}, {16, 128, 256}, {130, 200, 96}, {33, 17, 16},
               {20, 70, 70}, {1, 40, 32},    {8, 100, 1024}, {3, 32, 500},
               {5, 70, 70},  {16, 200, 1050}};
  for (unsigned width : {8, 4})
    for (auto size : sizes) {
      SCOPED_TRACE(
          std::to_string(width) + " bits, " + std::to_string(size.rows) + "x" +
          std::to_string(size.columns) + "x" + std::to_string(size.depth));
      Product product(size.rows, size.columns, size.depth, width, "sm_80",
                      /*isOfValues=*/true);
      std::string code = product.compile();
      ASSERT_NE(code, "");
      ASSERT_EQ(product.run(code), "");
      EXPECT_EQ(product.countWrong(), 0);
      EXPECT_GT(product.valueProducts, 0u);
      if (size.depth % 8 == 0)
        EXPECT_EQ(product.conflicts, 0u);
    }
}

TEST(TensorCores, MultiplyByFourWarps) {
  struct {
    int64_t rows, columns, depth;
  } sizes[] = {{72, 128, 64},
               {130, 200, 96},
               {200, 256, 1300},
               {70, 70, 100},
               // Enough of tiles of 128 rows, for two groups of four warps.
               {300, 4300, 100}};
  for (unsigned width : {8, 4})
    for (auto size : sizes) {
      SCOPED_TRACE(
          std::to_string(width) + " bits, " + std::to_string(size.rows) + "x" +
          std::to_string(size.columns) + "x" + std::to_string(size.depth));
      Product product(size.rows, size.columns, size.depth, width, "sm_90a");
      std::string code = product.compile();
      ASSERT_NE(code, "");
      ASSERT_EQ(product.run(code), "");
      EXPECT_EQ(product.countWrong(), 0);
      EXPECT_GT(product.groupProducts, 0u);
      EXPECT_EQ(product.products, 0u);
      if (size.depth % 16 == 0)
        EXPECT_EQ(product.conflicts, 0u);
    }
  // Few rows leave warps idle.
  Product few(32, 128, 64, 8, "sm_90a");
  ASSERT_EQ(few.run(few.compile()), "");
  EXPECT_EQ(few.countWrong(), 0);
  EXPECT_GT(few.products, 0u);
}

TEST(TensorCores, NeedEveryBarrierAndWait) {
  Product product(32, 64, 2048, 8);
  std::string code = product.compile();
  ASSERT_EQ(product.run(code), "");
  auto without = [&](const char *what, const char *instead) {
    std::string changed = std::regex_replace(code, std::regex(what), instead);
    EXPECT_TRUE(changed != code);
    return product.run(changed);
  };
  EXPECT_NE(without("(?:tail )?call void "
                    "@llvm.nvvm.barrier.cta.sync.aligned.all\\(i32 0\\).*\\n",
                    "")
                .find("no barrier between"),
            std::string::npos);
  // Eight stages, of which seven are on their way.
  EXPECT_NE(without("(call void @llvm.nvvm.cp.async.wait.group)\\(i32 6\\)",
                    "$1(i32 7)")
                .find("has not waited for"),
            std::string::npos);
}

TEST(TensorCores, FourWarpsNeedEveryFenceAndWait) {
  Product product(72, 128, 1024, 8, "sm_90a");
  std::string code = product.compile();
  ASSERT_EQ(product.run(code), "");
  auto without = [&](const std::string &name, const char *part) {
    std::regex call("(?:tail )?call void @llvm\\.nvvm\\." + name + ".*\\n");
    std::string changed = std::regex_replace(code, call, "");
    EXPECT_TRUE(changed != code);
    std::string message = product.run(changed);
    EXPECT_NE(message.find(part), std::string::npos) << name << ": " << message;
  };
  without("wgmma.wait_group.sync.aligned\\(i64 0", "uses results of wgmma");
  without("wgmma.wait_group.sync.aligned\\(i64 1",
          "multiplies and has not waited for");
  without("wgmma.commit_group.sync.aligned", "has not waited for");
  without("cp.async.wait.group", "copies to and has not waited for");
  without("wgmma.fence.sync.aligned", "without wgmma.fence");
  without("fence.proxy.async.shared_cta", "no fence.proxy.async");
  without("barrier.cta.sync.aligned.all", "no barrier between");
}

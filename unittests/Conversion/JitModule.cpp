//===- JitModule.cpp - Runs lowered IR in the test process ----------------===//

#include "JitModule.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"
#include "quant-mlir/Dialect/Quant/IR/QuantExtension.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/BufferizationToMemRef/BufferizationToMemRef.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace quant_mlir::test;

static void addLoweringPasses(OpPassManager &manager, bool vectors) {
  quant_mlir::addReferenceLoweringPasses(manager);

  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  manager.addPass(bufferization::createOneShotBufferizePass(options));
  bufferization::buildBufferDeallocationPipeline(manager);
  manager.addPass(createConvertBufferizationToMemRefPass());

  if (vectors)
    manager.addPass(quant_mlir::createVectorizeGenericsPass());
  manager.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createLowerAffinePass());
  manager.addPass(createSCFToControlFlowPass());
  if (vectors)
    manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(createFinalizeMemRefToLLVMConversionPass());
  manager.addPass(createConvertFuncToLLVMPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertIndexToLLVMPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

JitModule::JitModule() : context(MLIRContext::Threading::DISABLED) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  quant_mlir::registerQuantExtension(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);
}

std::string
quant_mlir::test::getName(const testing::TestParamInfo<JitOptions> &info) {
  return "O" + std::to_string(info.param.optLevel) +
         (info.param.vectors ? "Vectors" : "");
}

std::unique_ptr<JitModule> JitModule::compile(StringRef source,
                                              JitOptions jitOptions) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  std::unique_ptr<JitModule> jit(new JitModule());
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(source, &jit->context);
  EXPECT_TRUE(module) << source.str();
  if (!module)
    return nullptr;
  module->walk([&](func::FuncOp function) {
    function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                      UnitAttr::get(&jit->context));
  });

  PassManager manager(&jit->context);
  addLoweringPasses(manager, jitOptions.vectors);
  if (failed(manager.run(*module))) {
    ADD_FAILURE() << "lowering failed";
    return nullptr;
  }

  // The machine at hand with all its features, so that a contraction to FMA or
  // a flushing conversion would show.
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  EXPECT_TRUE(bool(builder));
  auto machine = builder->createTargetMachine();
  EXPECT_TRUE(bool(machine));
  auto transformer = makeOptimizingTransformer(jitOptions.optLevel,
                                               /*sizeLevel=*/0, machine->get());
  ExecutionEngineOptions options;
  options.transformer = transformer;
  options.jitCodeGenOptLevel = jitOptions.optLevel
                                   ? llvm::CodeGenOptLevel::Default
                                   : llvm::CodeGenOptLevel::None;
  options.enableGDBNotificationListener = false;
  options.enablePerfNotificationListener = false;
  auto engine = ExecutionEngine::create(*module, options, std::move(*machine));
  if (!engine) {
    ADD_FAILURE() << llvm::toString(engine.takeError());
    return nullptr;
  }
  jit->engine = std::move(*engine);
  return jit;
}

/// A memref descriptor is nothing but 64-bit words: two pointers, the offset,
/// sizes and strides.
static std::vector<int64_t> getDescriptor(const Buffer &buffer) {
  auto address = reinterpret_cast<int64_t>(buffer.bytes.data());
  std::vector<int64_t> words = {address, address, 0};
  words.insert(words.end(), buffer.shape.begin(), buffer.shape.end());
  size_t rank = buffer.shape.size();
  words.resize(3 + 2 * rank);
  int64_t stride = 1;
  for (size_t dim = rank; dim-- > 0;) {
    words[3 + rank + dim] = stride;
    stride *= buffer.shape[dim];
  }
  return words;
}

Buffer JitModule::call(StringRef name, ArrayRef<Buffer> arguments,
                       unsigned resultRank, unsigned resultWidth) {
  auto function = engine->lookupPacked(("_mlir_ciface_" + name).str());
  if (!function) {
    ADD_FAILURE() << llvm::toString(function.takeError());
    return {};
  }
  std::vector<int64_t> result(3 + 2 * resultRank);
  std::vector<std::vector<int64_t>> descriptors;
  for (const Buffer &argument : arguments)
    descriptors.push_back(getDescriptor(argument));
  // The packed form takes the address of every argument, which is itself the
  // address of a descriptor.
  std::vector<int64_t *> addresses = {result.data()};
  for (auto &descriptor : descriptors)
    addresses.push_back(descriptor.data());
  std::vector<void *> packed;
  for (int64_t *&address : addresses)
    packed.push_back(&address);
  (*function)(packed.data());

  Buffer buffer;
  buffer.shape.assign(result.begin() + 3, result.begin() + 3 + resultRank);
  size_t size = resultWidth;
  for (int64_t dim : buffer.shape)
    size *= dim;
  auto *data = reinterpret_cast<uint8_t *>(result[1]) + result[2] * resultWidth;
  buffer.bytes.assign(data, data + size);
  std::free(reinterpret_cast<void *>(result[0]));
  return buffer;
}

//===- GPUEmulator.cpp - Kernels of a GPU on this processor ---------------===//
//
// Compiles device code in memory and launches it.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/GPUEmulator/GPUEmulator.h"

#include "Block.h"
#include "PrepareModule.h"

#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/NarrowFloats.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"

using namespace llvm;
using namespace quant_mlir;
using namespace quant_mlir::emulator;

struct GPUEmulator::State {
  SharedMemory shared;
  Memory memory{shared};
  PreparedModule prepared;
  std::unique_ptr<orc::LLJIT> jit;
  unsigned warpSize = 32;
  EmulatedCounts counts;
};

/// The stacks of lanes. All emulators of a thread have the same: two mappings
/// for each of up to 1024 lanes are many, of which a process has 65530.
static thread_local Stacks laneStacks;

/// The module whose code runs on this thread.
static thread_local const PreparedModule *currentModule = nullptr;

//===----------------------------------------------------------------------===//
// What compiled code calls
//===----------------------------------------------------------------------===//

static void callInstruction(uint32_t site, char *scratch) {
  Block::getCurrent().call(currentModule->sites[site], scratch);
}

static void announceAccess(uint64_t address, uint64_t size, uint32_t alignment,
                           uint32_t kind, uint32_t site) {
  Block::getCurrent().access(address, size, alignment, kind & 1, kind & 2,
                             site);
}

static void announceResult(uint32_t set) {
  Block::getCurrent().checkResults(currentModule->resultSets[set]);
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

GPUEmulator::GPUEmulator(std::unique_ptr<State> state)
    : state(std::move(state)) {}
GPUEmulator::~GPUEmulator() = default;

const EmulatedCounts &GPUEmulator::getCounts() const { return state->counts; }

Expected<std::unique_ptr<GPUEmulator>> GPUEmulator::create(StringRef text,
                                                           unsigned warpSize) {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  auto context = std::make_unique<LLVMContext>();
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module =
      parseIR(MemoryBufferRef(text, "device code"), diagnostic, *context);
  if (!module)
    return makeError("expected LLVM IR: " + diagnostic.getMessage());

  auto state = std::make_unique<State>();
  auto host = orc::JITTargetMachineBuilder::detectHost();
  if (!host)
    return host.takeError();
  // Kernels run on few numbers: what takes time is their compilation.
  host->setCodeGenOptLevel(CodeGenOptLevel::None);
  Expected<std::unique_ptr<orc::LLJIT>> jit =
      orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(*host)).create();
  if (!jit)
    return jit.takeError();
  state->jit = std::move(*jit);
  Expected<PreparedModule> prepared = prepareModule(
      *module, state->jit->getDataLayout(), state->shared.getBase());
  if (!prepared)
    return prepared.takeError();
  state->prepared = std::move(*prepared);
  state->warpSize = warpSize ? warpSize : state->prepared.warpSize;

  orc::JITDylib &library = state->jit->getMainJITDylib();
  orc::SymbolMap symbols;
  auto define = [&](const char *name, auto *function) {
    symbols[state->jit->mangleAndIntern(name)] = {
        orc::ExecutorAddr::fromPtr(function), JITSymbolFlags::Exported};
  };
  define(callName, &callInstruction);
  define(accessName, &announceAccess);
  define(resultName, &announceResult);
  for (auto [name, function] : getNarrowFloatSymbols())
    symbols[state->jit->mangleAndIntern(name)] = {
        orc::ExecutorAddr::fromPtr(function), JITSymbolFlags::Exported};
  if (Error error = library.define(orc::absoluteSymbols(std::move(symbols))))
    return error;
  // memcpy and its like.
  auto process = orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      state->jit->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  library.addGenerator(std::move(*process));
  module->setTargetTriple(state->jit->getTargetTriple());
  if (Error error = state->jit->addIRModule(
          orc::ThreadSafeModule(std::move(module), std::move(context))))
    return error;
  return std::unique_ptr<GPUEmulator>(new GPUEmulator(std::move(state)));
}

Error GPUEmulator::launch(StringRef kernel, const EmulatedLaunch &launch) {
  auto parameters = state->prepared.kernels.find(kernel);
  if (parameters == state->prepared.kernels.end())
    return makeError("no kernel of the name " + quoteForMessage(kernel));
  if (launch.parameters.size() != parameters->second)
    return makeError("kernel " + kernel + " has " + Twine(parameters->second) +
                     " parameters, found " + Twine(launch.parameters.size()));
  size_t sharedBytes = state->prepared.sharedBytes + launch.dynamicSharedBytes;
  if (sharedBytes > SharedMemory::capacity)
    return makeError("kernel " + kernel + " asks for " + Twine(sharedBytes) +
                     " bytes of shared memory");
  uint64_t lanes = launch.block.getCount();
  if (lanes == 0 || lanes > 1024)
    return makeError("expected blocks of 1 to 1024 lanes, found " +
                     Twine(lanes));
  Expected<orc::ExecutorAddr> address =
      state->jit->lookup(getEntryName(kernel));
  if (!address)
    return address.takeError();

  currentModule = &state->prepared;
  state->memory.beginLaunch(launch.buffers, sharedBytes);
  Block block(state->memory, laneStacks, state->counts, launch, state->warpSize,
              /*isLockstep=*/state->prepared.isAMD);
  uint64_t number = 0;
  for (uint32_t z = 0; z < launch.grid.z; ++z)
    for (uint32_t y = 0; y < launch.grid.y; ++y)
      for (uint32_t x = 0; x < launch.grid.x; ++x) {
        state->memory.beginBlock(number++);
        std::string message =
            block.run(address->toPtr<Block::Kernel>(), {x, y, z});
        if (!message.empty())
          return makeError("kernel " + kernel + ", block (" + Twine(x) + ", " +
                           Twine(y) + ", " + Twine(z) + "), " + message);
      }
  return Error::success();
}

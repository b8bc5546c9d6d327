//===- CompiledFunction.cpp - A function of a model, compiled here --------===//
//
// Calls go through the function that MLIR's C interface makes: a memref passes
// as a pointer to its descriptor, and results come back through one pointer to
// a struct of all of them, or, for one single value, as the value.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Execution/CompiledFunction.h"

#include "HostRuntime.h"
#include "SectionMemory.h"
#include "Signature.h"

#include "quant-mlir/Execution/Diagnostics.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/NarrowFloats.h"

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <cstring>

using namespace quant_mlir;

struct CompiledFunction::Impl {
  Signature signature;
  std::string path;
  std::unique_ptr<mlir::ExecutionEngine> engine;
  void (*function)(void **) = nullptr;
};

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine() {
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  builder->setCodeGenOptLevel(llvm::CodeGenOptLevel::Aggressive);
  // A product and a sum round twice, as they are written.
  builder->getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return builder->createTargetMachine();
}

/// What is around a function of the model hands a struct of all its results on.
/// The time to compile that well grows with the square of their number: thirty
/// times as long as the function itself takes where it has 56.
static void leaveWrappers(llvm::Module &module) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration() && function.getName().starts_with("_mlir_")) {
      function.addFnAttr(llvm::Attribute::NoInline);
      function.addFnAttr(llvm::Attribute::OptimizeNone);
    }
}

static llvm::Expected<std::unique_ptr<mlir::ExecutionEngine>>
createEngine(mlir::ModuleOp module, const CompileOptions &options) {
  static const bool initialized = !llvm::InitializeNativeTarget() &&
                                  !llvm::InitializeNativeTargetAsmPrinter();
  if (!initialized)
    return makeError("LLVM has no code generator for this processor");
  auto optimizerTarget = createTargetMachine();
  if (!optimizerTarget)
    return optimizerTarget.takeError();
  auto codegenTarget = createTargetMachine();
  if (!codegenTarget)
    return codegenTarget.takeError();

  auto optimize = mlir::makeOptimizingTransformer(
      /*optLevel=*/3, /*sizeLevel=*/0, optimizerTarget->get());
  // The options refer to it.
  auto transform = [&](llvm::Module *module) {
    leaveWrappers(*module);
    return optimize(module);
  };
  mlir::ExecutionEngineOptions engineOptions;
  engineOptions.transformer = transform;
  engineOptions.sectionMemoryMapper = &getSectionMemory();
  engineOptions.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Aggressive;
  engineOptions.enableGDBNotificationListener = false;
  engineOptions.enablePerfNotificationListener = false;
  auto engine = mlir::ExecutionEngine::create(module, engineOptions,
                                              std::move(*codegenTarget));
  if (!engine)
    return engine.takeError();
  (*engine)->registerSymbols([&](llvm::orc::MangleAndInterner intern) {
    llvm::orc::SymbolMap map;
    auto add = [&](llvm::StringRef name, void *address) {
      map[intern(name)] = {llvm::orc::ExecutorAddr::fromPtr(address),
                           llvm::JITSymbolFlags::Exported};
    };
    for (auto [name, address] : getHostSymbols())
      add(name, address);
    for (auto [name, address] : getNarrowFloatSymbols())
      add(name, address);
    for (const auto &[name, address] : options.symbols)
      add(name, address);
    return map;
  });
  // What the module holds between calls is freed with the engine.
  (*engine)->initialize();
  return engine;
}

CompiledFunction::CompiledFunction(std::unique_ptr<Impl> impl)
    : impl(std::move(impl)) {}
CompiledFunction::~CompiledFunction() = default;

llvm::Expected<std::unique_ptr<CompiledFunction>>
CompiledFunction::compile(mlir::ModuleOp module, llvm::StringRef entry,
                          const CompileOptions &options, llvm::StringRef path) {
  auto function = findEntry(module, entry, path);
  if (!function)
    return function.takeError();
  auto signature = getSignature(*function, path);
  if (!signature)
    return signature.takeError();
  if (options.target == LoweringTarget::SPIRV)
    if (llvm::Error error = checkVulkan())
      return error;
  CompileOptions lowering = options;
  if (options.target == LoweringTarget::NVVM ||
      options.target == LoweringTarget::ROCDL) {
    auto arch = findGPUArch(options.target);
    if (!arch)
      return arch.takeError();
    if (lowering.gpuArch.empty())
      lowering.gpuArch = *arch;
  }

  mlir::OwningOpRef<mlir::ModuleOp> lowered(module.clone());
  auto name = lowerToLLVM(*lowered, entry, lowering, path);
  if (!name)
    return name.takeError();

  CrashScope scope(("compiling '" + path + "'").str());
  DiagnosticCollector diagnostics(module.getContext(), path);
  auto engine = createEngine(*lowered, options);
  if (!engine)
    return diagnostics.takeError("could not be compiled: " +
                                 llvm::toString(engine.takeError()));
  auto packed = (*engine)->lookupPacked("_mlir_ciface_" + *name);
  if (!packed)
    return diagnostics.takeError("could not be compiled: " +
                                 llvm::toString(packed.takeError()));
  auto impl = std::make_unique<Impl>();
  impl->signature = std::move(*signature);
  impl->path = path.str();
  impl->engine = std::move(*engine);
  impl->function = *packed;
  return std::unique_ptr<CompiledFunction>(
      new CompiledFunction(std::move(impl)));
}

llvm::ArrayRef<ValueSignature> CompiledFunction::getArguments() const {
  return impl->signature.arguments;
}
llvm::ArrayRef<ValueSignature> CompiledFunction::getResults() const {
  return impl->signature.results;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Bytes of one element in memory.
static unsigned elementSize(const ValueSignature &value) {
  return value.isBF16 ? 2 : byteWidth(value.dtype);
}

/// Words of a memref's descriptor: allocated, aligned, offset, sizes, strides.
static size_t descriptorWords(const ValueSignature &value) {
  return 3 + 2 * value.shape.size();
}

/// One call with its arguments in place. May run more than once.
class CompiledFunction::Call {
public:
  Call(const Impl &impl, llvm::ArrayRef<NdArray> inputs);
  ~Call() { release(); }

  llvm::Error run();
  void takeResults(llvm::SmallVectorImpl<NdArray> &outputs);
  /// Frees the results of the last run.
  void release();

private:
  const void *convertInput(const ValueSignature &value, const NdArray &array);
  NdArray copyResult(const ValueSignature &value, const char *storage);

  const Impl &impl;
  std::vector<std::vector<char>> converted;
  std::vector<std::vector<int64_t>> descriptors;
  std::vector<void *> pointers;
  std::vector<int64_t> results;
  llvm::SmallVector<size_t> offsets;
  void *resultPointer = nullptr;
  std::vector<void *> packed;
  bool hasResults = false;
};

const void *CompiledFunction::Call::convertInput(const ValueSignature &value,
                                                 const NdArray &array) {
  bool isBool = value.dtype == DType::Bool;
  if (!value.isBF16 && !isBool)
    return array.bytes.data();
  int64_t count = array.numElements();
  std::vector<char> &bytes = converted.emplace_back(count * elementSize(value));
  if (isBool) {
    // Files may hold any byte, an i1 is 0 or 1.
    for (int64_t i = 0; i < count; ++i)
      bytes[i] = array.bytes[i] != 0;
    return bytes.data();
  }
  for (int64_t i = 0; i < count; ++i) {
    llvm::APFloat number(array.data<float>()[i]);
    bool losesInfo;
    number.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven,
                   &losesInfo);
    uint16_t bits =
        static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
    std::memcpy(bytes.data() + 2 * i, &bits, 2);
  }
  return bytes.data();
}

CompiledFunction::Call::Call(const Impl &impl, llvm::ArrayRef<NdArray> inputs)
    : impl(impl) {
  const Signature &signature = impl.signature;
  // Where each result lies in the struct of all.
  size_t size = 0;
  for (const ValueSignature &value : signature.results) {
    size_t bytes =
        value.isTensor ? 8 * descriptorWords(value) : elementSize(value);
    size = llvm::alignTo(size, value.isTensor ? 8 : bytes);
    offsets.push_back(size);
    size += bytes;
  }
  results.resize(llvm::divideCeil(size, 8));
  resultPointer = results.data();

  size_t count = signature.arguments.size();
  converted.reserve(count);
  descriptors.reserve(count);
  pointers.reserve(count);
  bool isSingleValue =
      signature.results.size() == 1 && !signature.results[0].isTensor;
  if (!signature.results.empty() && !isSingleValue)
    packed.push_back(&resultPointer);
  for (auto [value, array] : llvm::zip(signature.arguments, inputs)) {
    // Never written to: the lowering says so of every argument.
    void *data = const_cast<void *>(convertInput(value, array));
    if (!value.isTensor) {
      packed.push_back(data);
      continue;
    }
    std::vector<int64_t> &descriptor =
        descriptors.emplace_back(descriptorWords(value));
    descriptor[0] = descriptor[1] = reinterpret_cast<int64_t>(data);
    size_t rank = value.shape.size();
    uint64_t stride = 1;
    for (size_t i = rank; i-- > 0;) {
      descriptor[3 + i] = array.shape[i];
      descriptor[3 + rank + i] = static_cast<int64_t>(stride);
      stride *= static_cast<uint64_t>(array.shape[i]);
    }
    pointers.push_back(descriptor.data());
    packed.push_back(&pointers.back());
  }
  if (isSingleValue)
    packed.push_back(resultPointer);
}

llvm::Error CompiledFunction::Call::run() {
  release();
  if (llvm::Error error = callGuarded(impl.function, packed.data()))
    return makeFileError(impl.path, llvm::toString(std::move(error)));
  hasResults = true;
  return llvm::Error::success();
}

void CompiledFunction::Call::release() {
  if (!hasResults)
    return;
  hasResults = false;
  // Two results may be one buffer.
  llvm::SmallPtrSet<void *, 4> freed;
  for (auto [value, offset] : llvm::zip(impl.signature.results, offsets)) {
    if (!value.isTensor)
      continue;
    void *allocated;
    std::memcpy(&allocated,
                reinterpret_cast<const char *>(results.data()) + offset,
                sizeof(allocated));
    if (freed.insert(allocated).second)
      freeBuffer(allocated);
  }
}

NdArray CompiledFunction::Call::copyResult(const ValueSignature &value,
                                           const char *storage) {
  NdArray array;
  array.dtype = value.dtype;
  const char *data = storage;
  if (value.isTensor) {
    std::vector<int64_t> descriptor(descriptorWords(value));
    std::memcpy(descriptor.data(), storage, 8 * descriptor.size());
    data = reinterpret_cast<const char *>(descriptor[1]) +
           descriptor[2] * elementSize(value);
    array.shape.assign(descriptor.begin() + 3,
                       descriptor.begin() + 3 + value.shape.size());
  }
  int64_t count = array.numElements();
  if (!value.isBF16) {
    array.bytes.assign(data, data + count * elementSize(value));
    return array;
  }
  array.bytes.resize(count * 4);
  for (int64_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, data + 2 * i, 2);
    uint32_t wide = static_cast<uint32_t>(bits) << 16;
    std::memcpy(array.bytes.data() + 4 * i, &wide, 4);
  }
  return array;
}

void CompiledFunction::Call::takeResults(
    llvm::SmallVectorImpl<NdArray> &outputs) {
  outputs.clear();
  for (auto [value, offset] : llvm::zip(impl.signature.results, offsets))
    outputs.push_back(copyResult(
        value, reinterpret_cast<const char *>(results.data()) + offset));
  release();
}

static llvm::Error checkArguments(const Signature &signature,
                                  llvm::ArrayRef<NdArray> inputs) {
  if (inputs.size() != signature.arguments.size())
    return makeError("the function takes " +
                     llvm::Twine(signature.arguments.size()) +
                     " arguments, found " + llvm::Twine(inputs.size()));
  for (auto [index, value] : llvm::enumerate(signature.arguments))
    if (llvm::Error error = checkArgument(value, inputs[index],
                                          "argument " + llvm::Twine(index)))
      return error;
  return llvm::Error::success();
}

llvm::Error CompiledFunction::invoke(llvm::ArrayRef<NdArray> inputs,
                                     llvm::SmallVectorImpl<NdArray> &outputs) {
  if (llvm::Error error = checkArguments(impl->signature, inputs))
    return error;
  CrashScope scope("running '" + impl->path + "'");
  Call call(*impl, inputs);
  if (llvm::Error error = call.run())
    return error;
  call.takeResults(outputs);
  return llvm::Error::success();
}

llvm::Expected<std::vector<std::chrono::nanoseconds>>
CompiledFunction::bench(llvm::ArrayRef<NdArray> inputs, unsigned runs) {
  if (llvm::Error error = checkArguments(impl->signature, inputs))
    return error;
  CrashScope scope("running '" + impl->path + "'");
  Call call(*impl, inputs);
  if (llvm::Error error = call.run())
    return error;
  std::vector<std::chrono::nanoseconds> times;
  times.reserve(runs);
  for (unsigned i = 0; i < runs; ++i) {
    call.release();
    auto start = std::chrono::steady_clock::now();
    if (llvm::Error error = call.run())
      return error;
    times.push_back(std::chrono::steady_clock::now() - start);
  }
  return times;
}

llvm::Expected<std::function<llvm::Error()>>
CompiledFunction::prepare(llvm::ArrayRef<NdArray> inputs) {
  if (llvm::Error error = checkArguments(impl->signature, inputs))
    return error;
  auto call = std::make_shared<Call>(*impl, inputs);
  return [call] { return call->run(); };
}

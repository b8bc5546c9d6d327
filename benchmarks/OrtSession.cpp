//===- OrtSession.cpp - ONNX Runtime's sessions and tensors ---------------===//

#include "OrtSession.h"

#include "quant-mlir/Support/Errors.h"

#include <dlfcn.h>

using namespace quant_mlir;
using namespace quant_mlir::bench;
using ort::Library;
using ort::Sessions;
using ort::Tensor;

//===----------------------------------------------------------------------===//
// The library
//===----------------------------------------------------------------------===//

llvm::Expected<std::shared_ptr<Library>>
Library::load(const std::string &path) {
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return makeError(dlerror());
  auto getBase = reinterpret_cast<const ort::ApiBase *(*)()>(
      dlsym(handle, "OrtGetApiBase"));
  if (!getBase)
    return makeFileError(path, "expected the library of ONNX Runtime, found "
                               "no OrtGetApiBase in it");
  auto result = std::make_shared<Library>();
  Library &library = *result;
  const ort::ApiBase *base = getBase();
  library.version = base->getVersion();
  library.api.table = base->getApi(/*version=*/1);
  if (!library.api.table)
    return makeFileError(path, "expected version 1 of the interface");
  // Level 3: errors only.
  if (llvm::Error error =
          library.check(library.api.createEnv(3, "quant-bench", &library.env)))
    return error;
  if (llvm::Error error =
          library.check(library.api.createCpuMemoryInfo(0, 0, &library.memory)))
    return error;
  if (llvm::Error error =
          library.check(library.api.getDefaultAllocator(&library.allocator)))
    return error;
  return result;
}

Library::~Library() {
  if (memory)
    api.releaseMemoryInfo(memory);
  if (env)
    api.releaseEnv(env);
}

llvm::Error Library::check(ort::Status *status) const {
  if (!status)
    return llvm::Error::success();
  std::string message = api.getErrorMessage(status);
  api.releaseStatus(status);
  return makeError("ONNX Runtime: " + message);
}

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

/// Element type and shape of a session's only input or output; sizes that are
/// not static become 1.
static llvm::Error describe(const Library &library, ort::TypeInfo *info,
                            Tensor &tensor) {
  const ort::TensorInfo *tensorInfo = nullptr;
  size_t rank = 0;
  auto check = [&](ort::Status *status) { return library.check(status); };
  llvm::Error error = check(library.api.toTensorInfo(info, &tensorInfo));
  if (!error)
    error = check(library.api.getElementType(tensorInfo, &tensor.type));
  if (!error)
    error = check(library.api.getRank(tensorInfo, &rank));
  tensor.shape.resize(rank);
  if (!error)
    error = check(library.api.getShape(tensorInfo, tensor.shape.data(), rank));
  library.api.releaseTypeInfo(info);
  for (int64_t &size : tensor.shape)
    size = size < 0 ? 1 : size;
  return error;
}

llvm::Expected<std::shared_ptr<Sessions>>
Sessions::open(std::shared_ptr<Library> library, const std::string &path,
               Tensor input, unsigned threads, unsigned copies) {
  auto result = std::make_shared<Sessions>();
  result->library = library;
  result->input = std::move(input);
  const ort::Functions &api = library->api;
  auto check = [&](ort::Status *status) { return library->check(status); };
  for (unsigned i = 0; i < copies; ++i) {
    ort::SessionOptions *options = nullptr;
    if (llvm::Error error = check(api.createSessionOptions(&options)))
      return error;
    ort::Session *session = nullptr;
    llvm::Error error = check(api.setIntraOpThreads(options, int(threads)));
    if (!error)
      error = check(api.setInterOpThreads(options, 1));
    if (!error)
      error = check(api.setOptimizationLevel(options, 99));
    if (!error)
      error = check(
          api.createSession(library->env, path.c_str(), options, &session));
    api.releaseSessionOptions(options);
    if (error)
      return error;
    result->sessions.push_back(session);
  }

  ort::Session *session = result->sessions[0];
  for (bool isInput : {true, false}) {
    size_t count = 0;
    if (llvm::Error error =
            check(isInput ? api.getInputCount(session, &count)
                          : api.getOutputCount(session, &count)))
      return error;
    if (count != 1)
      return makeFileError(path, "expected one " +
                                     llvm::Twine(isInput ? "input" : "output") +
                                     ", found " + llvm::Twine(count));
    char *name = nullptr;
    if (llvm::Error error = check(
            isInput ? api.getInputName(session, 0, library->allocator, &name)
                    : api.getOutputName(session, 0, library->allocator, &name)))
      return error;
    (isInput ? result->inputName : result->outputName) = name;
    if (llvm::Error error = check(api.allocatorFree(library->allocator, name)))
      return error;
  }
  ort::TypeInfo *info = nullptr;
  if (llvm::Error error = check(api.getOutputType(session, 0, &info)))
    return error;
  if (llvm::Error error = describe(*library, info, result->output))
    return error;
  size_t bytes = result->output.type == ort::Float ? 4 : 1;
  for (int64_t size : result->output.shape)
    bytes *= size_t(size);
  result->output.bytes.resize(bytes);

  auto makeValue = [&](Tensor &tensor, ort::Value **value) {
    return check(api.createTensor(library->memory, tensor.bytes.data(),
                                  tensor.bytes.size(), tensor.shape.data(),
                                  tensor.shape.size(), tensor.type, value));
  };
  if (llvm::Error error = makeValue(result->input, &result->inputValue))
    return error;
  if (llvm::Error error = makeValue(result->output, &result->outputValue))
    return error;
  if (llvm::Error error = result->run())
    return error;
  return result;
}

Sessions::~Sessions() {
  for (ort::Session *session : sessions)
    library->api.releaseSession(session);
  if (inputValue)
    library->api.releaseValue(inputValue);
  if (outputValue)
    library->api.releaseValue(outputValue);
}

llvm::Error Sessions::run() {
  const char *inputs[] = {inputName.c_str()};
  const char *outputs[] = {outputName.c_str()};
  const ort::Value *values[] = {inputValue};
  ort::Session *session = sessions[next];
  next = (next + 1) % sessions.size();
  return library->check(library->api.run(session, nullptr, inputs, values, 1,
                                         outputs, 1, &outputValue));
}

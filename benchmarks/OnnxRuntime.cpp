//===- OnnxRuntime.cpp - ONNX Runtime as a peer ---------------------------===//

#include "OnnxRuntime.h"
#include "OrtApi.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <dlfcn.h>

using namespace quant_mlir;
using namespace quant_mlir::bench;

//===----------------------------------------------------------------------===//
// The library
//===----------------------------------------------------------------------===//

namespace {
/// What is kept for as long as the library is used.
struct Library {
  ort::Functions api;
  std::string version;
  ort::Env *env = nullptr;
  ort::MemoryInfo *memory = nullptr;
  ort::Allocator *allocator = nullptr;

  ~Library() {
    if (memory)
      api.releaseMemoryInfo(memory);
    if (env)
      api.releaseEnv(env);
  }

  llvm::Error check(ort::Status *status) const {
    if (!status)
      return llvm::Error::success();
    std::string message = api.getErrorMessage(status);
    api.releaseStatus(status);
    return makeError("ONNX Runtime: " + message);
  }
};

/// A tensor that a session reads or writes.
struct Tensor {
  int type;
  std::vector<int64_t> shape;
  std::vector<char> bytes;
};

/// Sessions of one model with their tensors.
struct Sessions {
  std::shared_ptr<Library> library;
  std::vector<ort::Session *> sessions;
  std::string inputName, outputName;
  Tensor input, output;
  ort::Value *inputValue = nullptr, *outputValue = nullptr;
  size_t next = 0;
  bool failed = false;

  ~Sessions() {
    for (ort::Session *session : sessions)
      library->api.releaseSession(session);
    if (inputValue)
      library->api.releaseValue(inputValue);
    if (outputValue)
      library->api.releaseValue(outputValue);
  }

  llvm::Error run() {
    const char *inputs[] = {inputName.c_str()};
    const char *outputs[] = {outputName.c_str()};
    const ort::Value *values[] = {inputValue};
    ort::Session *session = sessions[next];
    next = (next + 1) % sessions.size();
    return library->check(library->api.run(session, nullptr, inputs, values, 1,
                                           outputs, 1, &outputValue));
  }
};
} // namespace

struct OnnxRuntime::Impl {
  std::shared_ptr<Library> library = std::make_shared<Library>();
  std::string folder, python, script;

  llvm::Expected<std::string>
  makeModel(llvm::json::Object spec,
            llvm::ArrayRef<std::pair<const char *, NdArray>> constants);
  llvm::Expected<std::shared_ptr<Sessions>> open(const std::string &path,
                                                 Tensor input, unsigned threads,
                                                 unsigned copies);
  llvm::Expected<Subject> makeSubject(std::shared_ptr<Sessions> sessions,
                                      std::string detail, unsigned threads);
};

OnnxRuntime::OnnxRuntime(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
OnnxRuntime::~OnnxRuntime() = default;

llvm::Expected<std::unique_ptr<OnnxRuntime>>
OnnxRuntime::load(const std::string &path, std::string folder,
                  std::string python, std::string script) {
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return makeError(dlerror());
  auto getBase = reinterpret_cast<const ort::ApiBase *(*)()>(
      dlsym(handle, "OrtGetApiBase"));
  if (!getBase)
    return makeFileError(path, "expected the library of ONNX Runtime, found "
                               "no OrtGetApiBase in it");
  auto impl = std::make_unique<Impl>();
  impl->folder = std::move(folder);
  impl->python = std::move(python);
  impl->script = std::move(script);
  Library &library = *impl->library;
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
  return std::unique_ptr<OnnxRuntime>(new OnnxRuntime(std::move(impl)));
}

std::string OnnxRuntime::getVersion() const { return impl->library->version; }

//===----------------------------------------------------------------------===//
// Models and sessions
//===----------------------------------------------------------------------===//

template <typename T>
static NdArray makeArray(DType dtype, llvm::ArrayRef<int64_t> shape,
                         const std::vector<T> &values) {
  NdArray array(dtype, shape);
  std::memcpy(array.bytes.data(), values.data(), values.size() * sizeof(T));
  return array;
}

template <typename T>
static Tensor makeTensor(int type, std::vector<int64_t> shape,
                         const std::vector<T> &values) {
  Tensor tensor{type, std::move(shape), {}};
  tensor.bytes.resize(values.size() * sizeof(T));
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

llvm::Expected<std::string> OnnxRuntime::Impl::makeModel(
    llvm::json::Object spec,
    llvm::ArrayRef<std::pair<const char *, NdArray>> constants) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return makeFileError(folder, code.message());
  for (const auto &[name, array] : constants)
    if (llvm::Error error = writeNpy(folder + "/" + name + ".npy", array))
      return error;
  {
    std::error_code code;
    llvm::raw_fd_ostream file(folder + "/spec.json", code);
    if (code)
      return makeFileError(folder + "/spec.json", code.message());
    file << llvm::json::Value(std::move(spec));
  }
  std::string message;
  int result = llvm::sys::ExecuteAndWait(python, {python, script, folder},
                                         std::nullopt, {}, 0, 0, &message);
  if (result != 0)
    return makeError("expected a model from '" + script + "' with '" + python +
                     "', found exit code " + llvm::Twine(result) + " " +
                     message + "; install python3-onnx or pass --python=");
  return folder + "/model.onnx";
}

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
OnnxRuntime::Impl::open(const std::string &path, Tensor input, unsigned threads,
                        unsigned copies) {
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

llvm::Expected<Subject>
OnnxRuntime::Impl::makeSubject(std::shared_ptr<Sessions> sessions,
                               std::string detail, unsigned threads) {
  Subject subject;
  subject.name = "ONNX Runtime";
  subject.detail = std::move(detail);
  subject.threads = threads;
  // It has run: what could fail has not.
  subject.run = [sessions] { llvm::cantFail(sessions->run()); };
  return subject;
}

//===----------------------------------------------------------------------===//
// Problems
//===----------------------------------------------------------------------===//

using Dims = std::vector<int64_t>;

static Dims convWeightDims(const ConvShape &shape) {
  if (shape.depthwise)
    return {shape.kernel, shape.kernel, shape.in};
  return {shape.kernel, shape.kernel, shape.in, shape.out};
}

static void addConv(llvm::json::Object &spec, const ConvShape &shape) {
  spec["depthwise"] = shape.depthwise;
  spec["in"] = shape.in;
  spec["kernel"] = shape.kernel;
  spec["stride"] = shape.stride;
  spec["pad_before"] = shape.padBefore;
  spec["pad_after"] = shape.padAfter;
}

static llvm::json::Object makeSpec(const char *kind, const Dims &input,
                                   const Dims &output) {
  return llvm::json::Object{{"kind", kind},
                            {"input_shape", llvm::json::Array(input)},
                            {"output_shape", llvm::json::Array(output)}};
}

llvm::Expected<Subject> OnnxRuntime::make(const Int8Problem &problem,
                                          unsigned threads, unsigned copies) {
  const ConvShape &conv = problem.conv;
  const MatmulShape &matmul = problem.matmul;
  // Its kernels for x86-64 are for uint8 activations; int8 ones take a path
  // that is many times slower. The same problem in uint8 is every code plus
  // 128.
  uint8_t flip = problem.activations == Activations::Signed ? 0x80 : 0;
  std::vector<uint8_t> codes = problem.a;
  for (uint8_t &code : codes)
    code ^= flip;
  Dims input = problem.isConv ? Dims{1, conv.height, conv.width, conv.in}
                              : Dims{matmul.m, matmul.k};
  Dims output = problem.isConv
                    ? Dims{1, conv.outHeight(), conv.outWidth(), conv.out}
                    : Dims{matmul.m, matmul.n};
  llvm::json::Object spec =
      makeSpec(problem.isConv ? "int8_conv" : "int8_matmul", input, output);
  spec["scale_a"] = problem.scaleA;
  spec["scale_out"] = problem.scaleOut;
  spec["zp_a"] = problem.zpA + flip;
  spec["zp_out"] = problem.zpOut + flip;
  if (problem.isConv)
    addConv(spec, conv);
  Dims weights =
      problem.isConv ? convWeightDims(conv) : Dims{matmul.k, matmul.n};
  auto path = impl->makeModel(
      std::move(spec),
      {{"w", makeArray(DType::Int8, weights, problem.w)},
       {"bias", makeArray(DType::Int32, {problem.channels()}, problem.bias)},
       {"scale_w",
        makeArray(DType::Float32, {problem.channels()}, problem.scaleW)}});
  if (!path)
    return path.takeError();
  auto sessions =
      impl->open(*path, makeTensor(ort::UInt8, input, codes), threads, copies);
  if (!sessions)
    return sessions.takeError();
  std::vector<char> found = (*sessions)->output.bytes;
  for (char &code : found)
    code = char(uint8_t(code) ^ flip);
  double difference =
      problem.difference(found.data(), /*withBias=*/problem.isConv);
  auto subject = impl->makeSubject(
      *sessions,
      problem.isConv ? "QLinearConv, channels last" : "QLinearMatMul", threads);
  if (subject)
    subject->difference = difference;
  return subject;
}

/// From channels last to channels first, or back.
static std::vector<float> transposeChannels(const float *data, int64_t pixels,
                                            int64_t channels, bool toFirst) {
  std::vector<float> result(size_t(pixels * channels));
  for (int64_t p = 0; p < pixels; ++p)
    for (int64_t c = 0; c < channels; ++c) {
      if (toFirst)
        result[c * pixels + p] = data[p * channels + c];
      else
        result[p * channels + c] = data[c * pixels + p];
    }
  return result;
}

llvm::Expected<Subject> OnnxRuntime::make(const FloatProblem &problem,
                                          unsigned threads, unsigned copies) {
  const ConvShape &conv = problem.conv;
  const MatmulShape &matmul = problem.matmul;
  Dims input = problem.isConv ? Dims{1, conv.in, conv.height, conv.width}
                              : Dims{matmul.m, matmul.k};
  Dims output = problem.isConv
                    ? Dims{1, conv.out, conv.outHeight(), conv.outWidth()}
                    : Dims{matmul.m, matmul.n};
  llvm::json::Object spec =
      makeSpec(problem.isConv ? "float_conv" : "float_matmul", input, output);
  if (problem.isConv)
    addConv(spec, conv);
  Dims weights =
      problem.isConv ? convWeightDims(conv) : Dims{matmul.k, matmul.n};
  auto path = impl->makeModel(
      std::move(spec), {{"w", makeArray(DType::Float32, weights, problem.w)},
                        {"bias", makeArray(DType::Float32, {problem.channels()},
                                           problem.bias)}});
  if (!path)
    return path.takeError();
  std::vector<float> data =
      problem.isConv
          ? transposeChannels(problem.a.data(), conv.height * conv.width,
                              conv.in, true)
          : problem.a;
  auto sessions =
      impl->open(*path, makeTensor(ort::Float, input, data), threads, copies);
  if (!sessions)
    return sessions.takeError();
  const float *found =
      reinterpret_cast<const float *>((*sessions)->output.bytes.data());
  std::vector<float> plain(found, found + problem.numOutputs());
  if (problem.isConv)
    plain = transposeChannels(found, conv.outHeight() * conv.outWidth(),
                              conv.out, false);
  double difference =
      problem.difference(plain.data(), /*withBias=*/problem.isConv);
  auto subject = impl->makeSubject(
      *sessions, problem.isConv ? "Conv, channels first" : "MatMul", threads);
  if (subject)
    subject->difference = difference;
  return subject;
}

llvm::Expected<Subject> OnnxRuntime::make(const BlockProblem &problem,
                                          unsigned threads, unsigned copies) {
  const MatmulShape &shape = problem.shape;
  Dims input = {shape.m, shape.k}, output = {shape.m, shape.n};
  llvm::json::Object spec = makeSpec("blocks", input, output);
  spec["block"] = problem.block;
  spec["zero_points"] = problem.hasZeroPoints;
  Dims blocks = {problem.numBlocks(), shape.n};
  std::vector<std::pair<const char *, NdArray>> constants = {
      {"codes", makeArray(DType::Int8, {shape.k, shape.n}, problem.codes)},
      {"scales", makeArray(DType::Float32, blocks, problem.scales)}};
  if (problem.hasZeroPoints)
    constants.push_back(
        {"zero_points", makeArray(DType::Int8, blocks, problem.zeroPoints)});
  auto path = impl->makeModel(std::move(spec), constants);
  if (!path)
    return path.takeError();
  auto sessions = impl->open(*path, makeTensor(ort::Float, input, problem.a),
                             threads, copies);
  if (!sessions)
    return sessions.takeError();
  auto subject =
      impl->makeSubject(*sessions, "MatMulNBits, accuracy level 4", threads);
  if (subject)
    subject->difference = problem.difference(
        reinterpret_cast<const float *>((*sessions)->output.bytes.data()));
  return subject;
}

llvm::Expected<Subject> OnnxRuntime::make(const DynamicProblem &problem,
                                          unsigned threads, unsigned copies) {
  const MatmulShape &shape = problem.shape;
  Dims input = {shape.m, shape.k}, output = {shape.m, shape.n};
  auto path = impl->makeModel(
      makeSpec("dynamic", input, output),
      {{"w", makeArray(DType::Int8, {shape.k, shape.n}, problem.w)},
       {"scale_w", makeArray(DType::Float32, {shape.n}, problem.scaleW)}});
  if (!path)
    return path.takeError();
  auto sessions = impl->open(*path, makeTensor(ort::Float, input, problem.a),
                             threads, copies);
  if (!sessions)
    return sessions.takeError();
  auto subject = impl->makeSubject(*sessions, "DynamicQuantizeMatMul", threads);
  if (subject)
    subject->difference = problem.difference(
        reinterpret_cast<const float *>((*sessions)->output.bytes.data()));
  return subject;
}

llvm::Expected<Subject> OnnxRuntime::makeModel(const std::string &path,
                                               const NdArray &input,
                                               unsigned threads) {
  Tensor tensor{ort::Float,
                std::vector<int64_t>(input.shape.begin(), input.shape.end()),
                input.bytes};
  auto sessions = impl->open(path, std::move(tensor), threads, 1);
  if (!sessions)
    return sessions.takeError();
  return impl->makeSubject(*sessions, path.substr(path.rfind('/') + 1),
                           threads);
}

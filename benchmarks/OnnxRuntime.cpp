//===- OnnxRuntime.cpp - ONNX Runtime as a peer ---------------------------===//

#include "OnnxRuntime.h"
#include "OrtSession.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace quant_mlir;
using namespace quant_mlir::bench;

using ort::Sessions;
using ort::Tensor;

struct OnnxRuntime::Impl {
  std::shared_ptr<ort::Library> library;
  std::string folder, python, script;

  llvm::Expected<std::string>
  makeModel(llvm::json::Object spec,
            llvm::ArrayRef<std::pair<const char *, NdArray>> constants);
  llvm::Expected<Subject> makeSubject(std::shared_ptr<Sessions> sessions,
                                      std::string detail, unsigned threads);
};

OnnxRuntime::OnnxRuntime(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
OnnxRuntime::~OnnxRuntime() = default;

llvm::Expected<std::unique_ptr<OnnxRuntime>>
OnnxRuntime::load(const std::string &path, std::string folder,
                  std::string python, std::string script) {
  auto library = ort::Library::load(path);
  if (!library)
    return library.takeError();
  auto impl = std::make_unique<Impl>();
  impl->library = std::move(*library);
  impl->folder = std::move(folder);
  impl->python = std::move(python);
  impl->script = std::move(script);
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
      Sessions::open(impl->library, *path, makeTensor(ort::UInt8, input, codes),
                     threads, copies);
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
      Sessions::open(impl->library, *path, makeTensor(ort::Float, input, data),
                     threads, copies);
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
  auto sessions =
      Sessions::open(impl->library, *path,
                     makeTensor(ort::Float, input, problem.a), threads, copies);
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
  auto sessions =
      Sessions::open(impl->library, *path,
                     makeTensor(ort::Float, input, problem.a), threads, copies);
  if (!sessions)
    return sessions.takeError();
  auto subject = impl->makeSubject(*sessions, "DynamicQuantizeMatMul", threads);
  if (subject)
    subject->difference = problem.difference(
        reinterpret_cast<const float *>((*sessions)->output.bytes.data()));
  return subject;
}

llvm::Expected<Subject> OnnxRuntime::make(const ActivationProblem &problem,
                                          unsigned threads) {
  const char *operation =
      problem.activation == Activation::Sigmoid ? "QLinearSigmoid"
      : problem.activation == Activation::Gelu  ? "Gelu"
                                                : "HardSwish";
  llvm::json::Object spec =
      makeSpec("activation", problem.shape, problem.shape);
  spec["operation"] = operation;
  spec["scale_a"] = problem.scaleA;
  spec["scale_out"] = problem.scaleOut;
  spec["zp_a"] = problem.zpA;
  spec["zp_out"] = problem.zpOut;
  auto path = impl->makeModel(std::move(spec), {});
  if (!path)
    return path.takeError();
  auto sessions = Sessions::open(
      impl->library, *path, makeTensor(ort::Int8, problem.shape, problem.a),
      threads, 1);
  if (!sessions)
    return sessions.takeError();
  std::string detail = operation;
  if (problem.activation != Activation::Sigmoid)
    detail += " between DequantizeLinear and QuantizeLinear";
  auto subject = impl->makeSubject(*sessions, detail, threads);
  if (subject)
    subject->difference = problem.difference(
        reinterpret_cast<const int8_t *>((*sessions)->output.bytes.data()));
  return subject;
}

llvm::Expected<Subject> OnnxRuntime::makeModel(const std::string &path,
                                               const NdArray &input,
                                               unsigned threads) {
  Tensor tensor{ort::Float,
                std::vector<int64_t>(input.shape.begin(), input.shape.end()),
                input.bytes};
  auto sessions =
      Sessions::open(impl->library, path, std::move(tensor), threads, 1);
  if (!sessions)
    return sessions.takeError();
  return impl->makeSubject(*sessions, path.substr(path.rfind('/') + 1),
                           threads);
}

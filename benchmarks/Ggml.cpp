//===- Ggml.cpp - ggml as a peer ------------------------------------------===//
//
// The library is loaded at run time, without headers: the few functions that
// are called are declared here, as its public interface has them.
//
//===----------------------------------------------------------------------===//

#include "Ggml.h"

#include "Report.h"

#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Target/CPU.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstring>
#include <dlfcn.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

using namespace quant_mlir;
using namespace quant_mlir::bench;

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

namespace {
/// A function of a library, by its name.
template <typename Type> struct Function;
template <typename Result, typename... Arguments>
struct Function<Result(Arguments...)> {
  const char *name;
  Result (*address)(Arguments...) = nullptr;

  Result operator()(Arguments... arguments) const {
    return address(arguments...);
  }
  llvm::Error find(void *library, llvm::StringRef path) {
    address = reinterpret_cast<Result (*)(Arguments...)>(dlsym(library, name));
    if (address)
      return llvm::Error::success();
    return makeFileError(path, llvm::Twine("expected the function ") + name +
                                   ", found none; take a release of "
                                   "node-llama-cpp that run.sh names");
  }
};

struct InitParams {
  size_t memorySize;
  void *memory;
  bool isWithoutData;
};
/// Larger than the library's, which sets it.
struct ThreadPoolParams {
  alignas(16) char bytes[1024];
};
// Known by their addresses only.
struct Context;
struct Tensor;
struct Graph;
struct Backend;
struct Buffer;
struct BufferType;
struct Device;
struct Registry;

enum TensorType : int { F32 = 0, Q4_0 = 2, Q4_1 = 3 };
} // namespace

namespace {
struct Library {
  std::string path;

  // Of libggml-base.so.
  Function<const char *()> version{"ggml_version"};
  Function<void(void (*)(int, const char *, void *), void *)> setLog{
      "ggml_log_set"};
  Function<Context *(InitParams)> init{"ggml_init"};
  Function<void(Context *)> free{"ggml_free"};
  Function<Tensor *(Context *, int type, int64_t, int64_t)> newTensor{
      "ggml_new_tensor_2d"};
  Function<Tensor *(Context *, Tensor *, Tensor *)> mulMat{"ggml_mul_mat"};
  Function<Graph *(Context *)> newGraph{"ggml_new_graph"};
  Function<void(Graph *, Tensor *)> expand{"ggml_build_forward_expand"};
  Function<void *(Registry *, const char *)> getProcAddress{
      "ggml_backend_reg_get_proc_address"};
  Function<Device *(Registry *, size_t)> getDevice{"ggml_backend_reg_dev_get"};
  Function<BufferType *(Device *)> deviceBuffers{
      "ggml_backend_dev_buffer_type"};
  Function<Backend *(Device *, const char *)> initDevice{
      "ggml_backend_dev_init"};
  Function<bool(Device *, const Tensor *)> supports{
      "ggml_backend_dev_supports_op"};
  Function<const char *(BufferType *)> bufferName{"ggml_backend_buft_name"};
  Function<Buffer *(Context *, BufferType *)> allocate{
      "ggml_backend_alloc_ctx_tensors_from_buft"};
  Function<void(Buffer *)> freeBuffer{"ggml_backend_buffer_free"};
  Function<void(Tensor *, const void *, size_t, size_t)> set{
      "ggml_backend_tensor_set"};
  Function<void(const Tensor *, void *, size_t, size_t)> get{
      "ggml_backend_tensor_get"};
  Function<int(Backend *, Graph *)> compute{"ggml_backend_graph_compute"};
  Function<void(Backend *)> freeBackend{"ggml_backend_free"};
  Function<void(ThreadPoolParams *, int)> initThreadPoolParams{
      "ggml_threadpool_params_init"};

  // Of the processor's library.
  Function<int()> score{"ggml_backend_score"};
  Function<Registry *()> initRegistry{"ggml_backend_init"};
  Function<void(Backend *, int)> setThreads{"ggml_backend_cpu_set_n_threads"};
  Function<void(Backend *, void *)> setThreadPool{
      "ggml_backend_cpu_set_threadpool"};
  Function<void *(ThreadPoolParams *)> newThreadPool{"ggml_threadpool_new"};
  Function<void(void *)> freeThreadPool{"ggml_threadpool_free"};

  Registry *registry = nullptr;
  Device *device = nullptr;

  llvm::Error load(const std::string &folder);
  /// Layouts for weights: plain, then what the processor has beside it, which
  /// takes Q4_0 and fails on Q4_1.
  std::vector<BufferType *> getWeightBuffers(TensorType weights) const;

private:
  llvm::Error loadBase();
  llvm::Error loadCPU();
  template <typename... Functions>
  llvm::Error find(void *library, Functions &...functions) {
    llvm::Error error = llvm::Error::success();
    ((error =
          llvm::joinErrors(std::move(error), functions.find(library, path))),
     ...);
    return error;
  }
};
} // namespace

struct Ggml::Impl {
  Library library;
};

// Never closed: threads of the library may outlive whoever opened it.
static llvm::Expected<void *> openLibrary(const std::string &path) {
  if (void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
    return library;
  return makeFileError(path, llvm::Twine("cannot be loaded: ") + dlerror());
}

llvm::Error Library::loadBase() {
  auto base = openLibrary(path);
  if (!base)
    return base.takeError();
  return find(*base, version, setLog, init, free, newTensor, mulMat, newGraph,
              expand, getProcAddress, getDevice, deviceBuffers, initDevice,
              supports, bufferName, allocate, freeBuffer, set, get, compute,
              freeBackend, initThreadPoolParams);
}

llvm::Error Library::loadCPU() {
  auto library = openLibrary(path);
  if (!library)
    return library.takeError();
  return find(*library, score, initRegistry, setThreads, setThreadPool,
              newThreadPool, freeThreadPool);
}

llvm::Error Library::load(const std::string &folder) {
  path = folder + "/libggml-base.so";
  if (llvm::Error error = loadBase())
    return error;
  // Every library says how well it suits this processor; 0: not at all.
  int greatest = 0;
  std::string best;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator file(folder, code), end;
       file != end && !code; file.increment(code)) {
    llvm::StringRef name = llvm::sys::path::filename(file->path());
    if (!name.starts_with("libggml-cpu") || !name.ends_with(".so"))
      continue;
    path = file->path();
    if (llvm::Error error = loadCPU())
      return error;
    if (int value = score(); value > greatest) {
      greatest = value;
      best = path;
    }
  }
  if (best.empty())
    return makeFileError(folder, "expected a libggml-cpu-*.so for this "
                                 "processor, found none");
  path = best;
  if (llvm::Error error = loadCPU())
    return error;
  setLog([](int, const char *, void *) {}, nullptr);
  registry = initRegistry();
  device = getDevice(registry, 0);
  return llvm::Error::success();
}

std::vector<BufferType *> Library::getWeightBuffers(TensorType weights) const {
  std::vector<BufferType *> result = {deviceBuffers(device)};
  if (weights != Q4_0)
    return result;
  using GetExtra = BufferType **(Device *);
  auto getExtra = reinterpret_cast<GetExtra *>(
      getProcAddress(registry, "ggml_backend_dev_get_extra_bufts"));
  for (BufferType **type = getExtra ? getExtra(device) : nullptr; type && *type;
       ++type)
    result.push_back(*type);
  return result;
}

Ggml::Ggml(std::shared_ptr<Impl> impl) : impl(std::move(impl)) {}
Ggml::~Ggml() = default;

std::string Ggml::getVersion() const {
  return std::string(impl->library.version()) + " (" +
         llvm::sys::path::filename(impl->library.path).str() + ")";
}

llvm::Expected<std::unique_ptr<Ggml>> Ggml::load(const std::string &folder) {
  auto impl = std::make_shared<Impl>();
  if (llvm::Error error = impl->library.load(folder))
    return std::move(error);
  return std::unique_ptr<Ggml>(new Ggml(std::move(impl)));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static constexpr int64_t blockSize = 32;

static TensorType getWeightType(const BlockProblem &problem) {
  return problem.hasZeroPoints ? Q4_1 : Q4_0;
}

static void appendHalf(std::vector<char> &bytes, float value) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
                 &losesInfo);
  uint16_t bits = uint16_t(number.bitcastToAPInt().getZExtValue());
  const char *from = reinterpret_cast<const char *>(&bits);
  bytes.insert(bytes.end(), from, from + sizeof(bits));
}

/// Column by column, blocks of a scale, with zero points the value of code 0,
/// and 16 bytes: the first half of the codes low, the second high.
static std::vector<char> packBlocks(const BlockProblem &problem) {
  const MatmulShape &shape = problem.shape;
  std::vector<char> bytes;
  for (int64_t column = 0; column < shape.n; ++column)
    for (int64_t block = 0; block < problem.numBlocks(); ++block) {
      int64_t at = block * shape.n + column;
      float scale = problem.scales[at];
      appendHalf(bytes, scale);
      if (problem.hasZeroPoints)
        appendHalf(bytes, -scale * float(problem.zeroPoints[at]));
      auto code = [&](int64_t i) {
        int32_t value =
            problem.codes[(block * blockSize + i) * shape.n + column];
        return unsigned(value + (problem.hasZeroPoints ? 0 : 8));
      };
      for (int64_t i = 0; i < blockSize / 2; ++i)
        bytes.push_back(char(code(i) | code(i + blockSize / 2) << 4));
    }
  return bytes;
}

#ifdef __x86_64__
/// Tile registers as ggml set them: it does so once in a thread, and takes it
/// to last, while a function may leave them as it likes (System V ABI), as ours
/// do.
alignas(64) static thread_local char tileConfig[64];

__attribute__((target("amx-tile"))) static void loadTileConfig() {
  _tile_loadconfig(tileConfig);
}
__attribute__((target("amx-tile"))) static void storeTileConfig() {
  _tile_storeconfig(tileConfig);
}
#else
static void loadTileConfig() {}
static void storeTileConfig() {}
#endif

namespace {
/// Graphs of one product, each with weights of its own.
struct Product {
  const Library &library;
  Backend *backend = nullptr;
  void *threadPool = nullptr;
  std::vector<Context *> contexts;
  std::vector<Buffer *> buffers;
  std::vector<Graph *> graphs;
  Tensor *result = nullptr; ///< of the first graph
  size_t next = 0;

  explicit Product(const Library &library, unsigned threads);
  ~Product();

  /// False: the library has no such product.
  bool addGraph(const BlockProblem &problem, const std::vector<char> &weights,
                BufferType *type);
  bool run() {
    Graph *graph = graphs[next++ % graphs.size()];
    bool hasTiles = requestTiles();
    if (hasTiles)
      loadTileConfig();
    bool isDone = library.compute(backend, graph) == 0;
    if (hasTiles)
      storeTileConfig();
    return isDone;
  }

private:
  Context *newContext();
  bool allocate(Context *context, BufferType *type);
};
} // namespace

Product::Product(const Library &library, unsigned threads)
    : library(library), backend(library.initDevice(library.device, nullptr)) {
  library.setThreads(backend, int(threads));
  if (threads == 1)
    return;
  // Threads that wait for the next call, as in llama.cpp: without them they are
  // made anew in each.
  ThreadPoolParams params;
  library.initThreadPoolParams(&params, int(threads));
  threadPool = library.newThreadPool(&params);
  library.setThreadPool(backend, threadPool);
}

Product::~Product() {
  for (Buffer *buffer : buffers)
    library.freeBuffer(buffer);
  for (Context *context : contexts)
    library.free(context);
  library.freeBackend(backend);
  if (threadPool)
    library.freeThreadPool(threadPool);
}

Context *Product::newContext() {
  constexpr size_t bytesOfDescriptions = 1 << 20;
  contexts.push_back(library.init({bytesOfDescriptions, nullptr, true}));
  return contexts.back();
}

bool Product::allocate(Context *context, BufferType *type) {
  Buffer *buffer = library.allocate(context, type);
  if (buffer)
    buffers.push_back(buffer);
  return buffer;
}

bool Product::addGraph(const BlockProblem &problem,
                       const std::vector<char> &weights, BufferType *type) {
  const MatmulShape &shape = problem.shape;
  // Weights alone are in a buffer of this type.
  Context *context = newContext();
  Tensor *rhs =
      library.newTensor(context, getWeightType(problem), shape.k, shape.n);
  if (!allocate(context, type))
    return false;
  library.set(rhs, weights.data(), 0, weights.size());

  context = newContext();
  Tensor *lhs = library.newTensor(context, F32, shape.k, shape.m);
  Tensor *product = library.mulMat(context, rhs, lhs);
  if (!library.supports(library.device, product))
    return false;
  graphs.push_back(library.newGraph(context));
  library.expand(graphs.back(), product);
  if (!allocate(context, library.deviceBuffers(library.device)))
    return false;
  library.set(lhs, problem.a.data(), 0, problem.a.size() * sizeof(float));
  if (!result)
    result = product;
  return true;
}

llvm::Expected<Subject> Ggml::make(const BlockProblem &problem,
                                   unsigned threads, unsigned copies) {
  const MatmulShape &shape = problem.shape;
  if (problem.block != blockSize || shape.k % blockSize != 0)
    return makeError("expects blocks of 32 and a K that they divide");
  std::vector<char> weights = packBlocks(problem);
  const Library &library = impl->library;
  std::shared_ptr<Product> fastest;
  BufferType *layout = nullptr;
  double fastestTime = 0;
  for (BufferType *type : library.getWeightBuffers(getWeightType(problem))) {
    auto product = std::make_shared<Product>(library, threads);
    bool isThere = true;
    for (unsigned i = 0; i < copies && isThere; ++i)
      isThere = product->addGraph(problem, weights, type);
    if (!isThere || !product->run())
      continue;
    Subject trial;
    trial.run = [&] { product->run(); };
    MeasureOptions options;
    options.rounds = 3;
    options.budgetMicroseconds = 3e5;
    double time = measure({trial}, options)[0].median;
    if (fastest && time >= fastestTime)
      continue;
    fastest = product;
    fastestTime = time;
    layout = type;
  }
  if (!fastest)
    return makeError("computes no product of this shape");
  Subject subject;
  subject.name = subject::ggml;
  subject.detail = std::string("ggml_mul_mat of ") +
                   (problem.hasZeroPoints ? "Q4_1" : "Q4_0") + ", weights in " +
                   library.bufferName(layout);
  subject.threads = threads;
  std::vector<float> output(shape.m * shape.n);
  library.get(fastest->result, output.data(), 0, output.size() * sizeof(float));
  subject.difference = problem.difference(output.data());
  subject.run = [fastest, keepsLibrary = impl] { fastest->run(); };
  return subject;
}

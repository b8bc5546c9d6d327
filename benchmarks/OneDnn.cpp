//===- OneDnn.cpp - oneDNN as a peer --------------------------------------===//

#include "OneDnn.h"

#ifndef QUANT_BENCH_ONEDNN

using namespace quant_mlir::bench;

static const char *const absent = "oneDNN is not in this build";

std::string quant_mlir::bench::getOneDnnVersion() { return ""; }
void quant_mlir::bench::keepOneDnnFromTiles() {}
std::optional<Subject> quant_mlir::bench::makeOneDnn(const Int8Problem &,
                                                     unsigned, unsigned,
                                                     std::string &why) {
  why = absent;
  return std::nullopt;
}
std::optional<Subject> quant_mlir::bench::makeOneDnn(const FloatProblem &,
                                                     unsigned, unsigned,
                                                     std::string &why) {
  why = absent;
  return std::nullopt;
}
std::optional<Subject> quant_mlir::bench::makeOneDnn(const AttentionProblem &,
                                                     unsigned,
                                                     std::string &why) {
  why = absent;
  return std::nullopt;
}

#else

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <cstring>
#include <memory>
#include <unordered_map>

using namespace quant_mlir::bench;
using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;
using Arguments = std::unordered_map<int, memory>;

#if DNNL_VERSION_MAJOR != 2 && DNNL_VERSION_MAJOR != 3
#error "expected oneDNN 2 or 3: configure with -DQUANT_BENCH_ONEDNN=OFF"
#endif

static const char *isaName(dnnl::cpu_isa isa) {
  switch (isa) {
  case dnnl::cpu_isa::sse41:
    return "SSE41";
  case dnnl::cpu_isa::avx:
    return "AVX";
  case dnnl::cpu_isa::avx2:
    return "AVX2";
  case dnnl::cpu_isa::avx2_vnni:
    return "AVX2_VNNI";
  case dnnl::cpu_isa::avx512_core:
    return "AVX512_CORE";
  case dnnl::cpu_isa::avx512_core_vnni:
    return "AVX512_CORE_VNNI";
  case dnnl::cpu_isa::avx512_core_bf16:
    return "AVX512_CORE_BF16";
  case dnnl::cpu_isa::avx512_core_amx:
    return "AVX512_CORE_AMX";
  default:
    return "another instruction set";
  }
}

std::string quant_mlir::bench::getOneDnnVersion() {
  const dnnl_version_t *version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) +
         "." + std::to_string(version->patch) + ", " +
         isaName(dnnl::get_effective_cpu_isa());
}

void quant_mlir::bench::keepOneDnnFromTiles() {
  dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_bf16);
}

static dnnl::engine &getEngine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// A primitive with its memory; copies of the weights are taken in turn.
struct Execution {
  dnnl::primitive primitive;
  dnnl::stream stream{getEngine()};
  std::vector<Arguments> arguments;
  size_t next = 0;

  void run() {
    primitive.execute(stream, arguments[next]);
    stream.wait();
    next = (next + 1) % arguments.size();
  }
};

static memory makeMemory(const memory::desc &desc, const void *data) {
  memory result(desc, getEngine());
  if (data)
    std::memcpy(result.get_data_handle(), data, desc.get_size());
  return result;
}

/// Data in a plain layout, as the layout `wanted`.
static memory reordered(const memory::desc &plain, const void *data,
                        const memory::desc &wanted) {
  memory source = makeMemory(plain, data);
  memory result(wanted, getEngine());
  dnnl::stream stream(getEngine());
  dnnl::reorder(source, result).execute(stream, source, result);
  stream.wait();
  return result;
}

static Subject makeSubject(std::shared_ptr<Execution> execution,
                           std::string detail, unsigned threads) {
  Subject subject;
  subject.name = "oneDNN";
  subject.detail = std::move(detail);
  subject.threads = threads;
  subject.run = [execution, threads] {
    omp_set_num_threads(int(threads));
    execution->run();
  };
  return subject;
}

//===----------------------------------------------------------------------===//
// Descriptors that differ between versions 2 and 3
//===----------------------------------------------------------------------===//

namespace {
struct Descs {
  memory::desc a, w, bias, out;
};
} // namespace

static dnnl::matmul::primitive_desc
describeMatmul(const Descs &descs, const dnnl::primitive_attr &attr) {
#if DNNL_VERSION_MAJOR == 2
  dnnl::matmul::desc desc(descs.a, descs.w, descs.bias, descs.out);
  return dnnl::matmul::primitive_desc(desc, attr, getEngine());
#else
  return dnnl::matmul::primitive_desc(getEngine(), descs.a, descs.w, descs.bias,
                                      descs.out, attr);
#endif
}

static dnnl::convolution_forward::primitive_desc
describeConv(const Descs &descs, const ConvShape &shape,
             const dnnl::primitive_attr &attr) {
  auto kind = dnnl::prop_kind::forward_inference;
  auto algorithm = dnnl::algorithm::convolution_direct;
  memory::dims strides = {shape.stride, shape.stride};
  memory::dims before = {shape.padBefore, shape.padBefore};
  memory::dims after = {shape.padAfter, shape.padAfter};
#if DNNL_VERSION_MAJOR == 2
  dnnl::convolution_forward::desc desc(kind, algorithm, descs.a, descs.w,
                                       descs.bias, descs.out, strides, before,
                                       after);
  return dnnl::convolution_forward::primitive_desc(desc, attr, getEngine());
#else
  return dnnl::convolution_forward::primitive_desc(
      getEngine(), kind, algorithm, descs.a, descs.w, descs.bias, descs.out,
      strides, before, after, attr);
#endif
}

/// Requantization as attributes; what has to be passed at run time, which is
/// everything in version 3, goes to `arguments`.
static dnnl::primitive_attr
makeRequantization(const Int8Problem &problem, [[maybe_unused]] int weightMask,
                   [[maybe_unused]] Arguments &arguments) {
  dnnl::primitive_attr attr;
#if DNNL_VERSION_MAJOR == 2
  std::vector<float> scales;
  for (float scale : problem.scaleW)
    scales.push_back(problem.scaleA * scale / problem.scaleOut);
  attr.set_output_scales(/*mask=*/1 << 1, scales);
  if (problem.zpA)
    attr.set_zero_points(DNNL_ARG_SRC, 0, {problem.zpA});
  if (problem.zpOut)
    attr.set_zero_points(DNNL_ARG_DST, 0, {problem.zpOut});
#else
  auto add = [&](int argument, const std::vector<float> &scales) {
    memory::desc desc({int64_t(scales.size())}, Type::f32, Tag::x);
    arguments[DNNL_ARG_ATTR_SCALES | argument] =
        makeMemory(desc, scales.data());
  };
  auto addZeroPoint = [&](int argument, int32_t zeroPoint) {
    if (!zeroPoint)
      return;
    attr.set_zero_points_mask(argument, 0);
    arguments[DNNL_ARG_ATTR_ZERO_POINTS | argument] =
        makeMemory({{1}, Type::s32, Tag::x}, &zeroPoint);
  };
  attr.set_scales_mask(DNNL_ARG_SRC, 0);
  attr.set_scales_mask(DNNL_ARG_WEIGHTS, weightMask);
  attr.set_scales_mask(DNNL_ARG_DST, 0);
  add(DNNL_ARG_SRC, {problem.scaleA});
  add(DNNL_ARG_WEIGHTS, problem.scaleW);
  add(DNNL_ARG_DST, {problem.scaleOut});
  addZeroPoint(DNNL_ARG_SRC, problem.zpA);
  addZeroPoint(DNNL_ARG_DST, problem.zpOut);
#endif
  return attr;
}

/// Version 2 adds an int32 bias to the accumulator, version 3 an f32 one to the
/// dequantized sum.
static memory makeInt8Bias(const Int8Problem &problem, memory::desc desc) {
#if DNNL_VERSION_MAJOR == 2
  return makeMemory(desc, problem.bias.data());
#else
  std::vector<float> values;
  for (size_t i = 0; i < problem.bias.size(); ++i)
    values.push_back(float(problem.bias[i]) * problem.scaleA *
                     problem.scaleW[i]);
  return makeMemory(desc, values.data());
#endif
}
static constexpr Type int8BiasType =
    DNNL_VERSION_MAJOR == 2 ? Type::s32 : Type::f32;

static memory::dims convInDims(const ConvShape &shape) {
  return {1, shape.in, shape.height, shape.width};
}
static memory::dims convOutDims(const ConvShape &shape) {
  return {1, shape.out, shape.outHeight(), shape.outWidth()};
}
static memory::dims convWeightDims(const ConvShape &shape) {
  if (shape.depthwise)
    return {shape.out, 1, 1, shape.kernel, shape.kernel};
  return {shape.out, shape.in, shape.kernel, shape.kernel};
}
/// HWIO, and HWC for depthwise, which is the same with one input per group.
static Tag convWeightTag(const ConvShape &shape) {
  return shape.depthwise ? Tag::hwigo : Tag::hwio;
}

//===----------------------------------------------------------------------===//
// Subjects
//===----------------------------------------------------------------------===//

template <typename PrimitiveDesc>
static std::shared_ptr<Execution>
prepare(const PrimitiveDesc &desc, const dnnl::primitive &primitive,
        const memory &a, const memory::desc &plainWeights, const void *weights,
        const memory &bias, const memory &out, const Arguments &more,
        unsigned copies) {
  auto execution = std::make_shared<Execution>();
  execution->primitive = primitive;
  for (unsigned i = 0; i < copies; ++i) {
    Arguments arguments = more;
    arguments[DNNL_ARG_SRC] = a;
    arguments[DNNL_ARG_WEIGHTS] =
        reordered(plainWeights, weights, desc.weights_desc());
    arguments[DNNL_ARG_BIAS] = bias;
    arguments[DNNL_ARG_DST] = out;
    execution->arguments.push_back(std::move(arguments));
  }
  return execution;
}

static std::string describeError(const dnnl::error &error) {
  return std::string("oneDNN: ") + error.what();
}

std::optional<Subject> quant_mlir::bench::makeOneDnn(const Int8Problem &problem,
                                                     unsigned threads,
                                                     unsigned copies,
                                                     std::string &why) try {
  // Kernels are made for this number of threads.
  omp_set_num_threads(int(threads));
  Type typeA = problem.activations == Activations::Signed ? Type::s8 : Type::u8;
  Type typeOut = problem.isOutputUnsigned() ? Type::u8 : Type::s8;
  Arguments more;
  std::shared_ptr<Execution> execution;
  std::string detail;
  if (problem.isConv) {
    const ConvShape &shape = problem.conv;
    Descs descs;
    descs.a = {convInDims(shape), typeA, Tag::nhwc};
    descs.w = {convWeightDims(shape), Type::s8, Tag::any};
    descs.bias = {{shape.out}, int8BiasType, Tag::x};
    descs.out = {convOutDims(shape), typeOut, Tag::nhwc};
    dnnl::primitive_attr attr = makeRequantization(
        problem, shape.depthwise ? (1 << 0) + (1 << 1) : 1 << 0, more);
    auto desc = describeConv(descs, shape, attr);
    detail = desc.impl_info_str();
    execution = prepare(desc, dnnl::convolution_forward(desc),
                        makeMemory(descs.a, problem.a.data()),
                        {convWeightDims(shape), Type::s8, convWeightTag(shape)},
                        problem.w.data(), makeInt8Bias(problem, descs.bias),
                        makeMemory(descs.out, nullptr), more, copies);
  } else {
    const MatmulShape &shape = problem.matmul;
    Descs descs;
    descs.a = {{shape.m, shape.k}, typeA, Tag::ab};
    descs.w = {{shape.k, shape.n}, Type::s8, Tag::any};
    descs.bias = {{1, shape.n}, int8BiasType, Tag::ab};
    descs.out = {{shape.m, shape.n}, typeOut, Tag::ab};
    dnnl::primitive_attr attr = makeRequantization(problem, 1 << 1, more);
    auto desc = describeMatmul(descs, attr);
    detail = desc.impl_info_str();
    execution =
        prepare(desc, dnnl::matmul(desc), makeMemory(descs.a, problem.a.data()),
                {{shape.k, shape.n}, Type::s8, Tag::ab}, problem.w.data(),
                makeInt8Bias(problem, descs.bias),
                makeMemory(descs.out, nullptr), more, copies);
  }
  execution->run();
  Subject subject = makeSubject(execution, detail, threads);
  subject.difference = problem.difference(
      execution->arguments[0][DNNL_ARG_DST].get_data_handle(), true);
  return subject;
} catch (const dnnl::error &error) {
  why = describeError(error);
  return std::nullopt;
}

std::optional<Subject>
quant_mlir::bench::makeOneDnn(const FloatProblem &problem, unsigned threads,
                              unsigned copies, std::string &why) try {
  omp_set_num_threads(int(threads));
  dnnl::primitive_attr attr;
  std::shared_ptr<Execution> execution;
  std::string detail;
  std::vector<float> output(problem.numOutputs());
  if (problem.isConv) {
    const ConvShape &shape = problem.conv;
    Descs descs;
    descs.a = {convInDims(shape), Type::f32, Tag::any};
    descs.w = {convWeightDims(shape), Type::f32, Tag::any};
    descs.bias = {{shape.out}, Type::f32, Tag::x};
    descs.out = {convOutDims(shape), Type::f32, Tag::any};
    auto desc = describeConv(descs, shape, attr);
    detail = desc.impl_info_str();
    memory out(desc.dst_desc(), getEngine());
    execution =
        prepare(desc, dnnl::convolution_forward(desc),
                reordered({convInDims(shape), Type::f32, Tag::nhwc},
                          problem.a.data(), desc.src_desc()),
                {convWeightDims(shape), Type::f32, convWeightTag(shape)},
                problem.w.data(), makeMemory(descs.bias, problem.bias.data()),
                out, {}, copies);
    execution->run();
    memory plain({convOutDims(shape), Type::f32, Tag::nhwc}, getEngine(),
                 output.data());
    dnnl::stream stream(getEngine());
    dnnl::reorder(out, plain).execute(stream, out, plain);
    stream.wait();
  } else {
    const MatmulShape &shape = problem.matmul;
    Descs descs;
    descs.a = {{shape.m, shape.k}, Type::f32, Tag::ab};
    descs.w = {{shape.k, shape.n}, Type::f32, Tag::any};
    descs.bias = {{1, shape.n}, Type::f32, Tag::ab};
    descs.out = {{shape.m, shape.n}, Type::f32, Tag::ab};
    auto desc = describeMatmul(descs, attr);
    detail = desc.impl_info_str();
    execution =
        prepare(desc, dnnl::matmul(desc), makeMemory(descs.a, problem.a.data()),
                {{shape.k, shape.n}, Type::f32, Tag::ab}, problem.w.data(),
                makeMemory(descs.bias, problem.bias.data()),
                makeMemory(descs.out, nullptr), {}, copies);
    execution->run();
    std::memcpy(output.data(),
                execution->arguments[0][DNNL_ARG_DST].get_data_handle(),
                output.size() * sizeof(float));
  }
  Subject subject = makeSubject(execution, detail, threads);
  subject.difference = problem.difference(output.data(), true);
  return subject;
} catch (const dnnl::error &error) {
  why = describeError(error);
  return std::nullopt;
}

std::optional<Subject>
quant_mlir::bench::makeOneDnn(const AttentionProblem &problem, unsigned threads,
                              std::string &why) try {
  omp_set_num_threads(int(threads));
  const AttentionShape &shape = problem.shape;
  auto [m, n, k] = shape.product;
  Descs descs;
  // Both are activations: as they lie.
  descs.a = {{shape.heads, m, k}, Type::s8, Tag::abc};
  descs.w = {
      {shape.heads, k, n}, Type::s8, shape.isTransposed ? Tag::acb : Tag::abc};
  descs.bias = memory::desc();
  descs.out = {{shape.heads, m, n}, Type::s8, Tag::abc};
  Arguments arguments;
  dnnl::primitive_attr attr;
#if DNNL_VERSION_MAJOR == 2
  attr.set_output_scales(0,
                         {problem.scaleA * problem.scaleW / problem.scaleOut});
  attr.set_zero_points(DNNL_ARG_SRC, 0, {problem.zpA});
#else
  for (auto [argument, scale] : {std::pair(DNNL_ARG_SRC, problem.scaleA),
                                 std::pair(DNNL_ARG_WEIGHTS, problem.scaleW),
                                 std::pair(DNNL_ARG_DST, problem.scaleOut)}) {
    attr.set_scales_mask(argument, 0);
    arguments[DNNL_ARG_ATTR_SCALES | argument] =
        makeMemory({{1}, Type::f32, Tag::x}, &scale);
  }
  attr.set_zero_points_mask(DNNL_ARG_SRC, 0);
  arguments[DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC] =
      makeMemory({{1}, Type::s32, Tag::x}, &problem.zpA);
#endif
  auto desc = describeMatmul(descs, attr);
  arguments[DNNL_ARG_SRC] = makeMemory(descs.a, problem.a.data());
  arguments[DNNL_ARG_WEIGHTS] = makeMemory(descs.w, problem.w.data());
  arguments[DNNL_ARG_DST] = makeMemory(descs.out, nullptr);
  auto execution = std::make_shared<Execution>();
  execution->primitive = dnnl::matmul(desc);
  execution->arguments = {arguments};
  execution->run();
  Subject subject = makeSubject(execution, desc.impl_info_str(), threads);
  subject.difference = problem.difference(
      static_cast<const int8_t *>(arguments[DNNL_ARG_DST].get_data_handle()));
  return subject;
} catch (const dnnl::error &error) {
  why = describeError(error);
  return std::nullopt;
}

#endif // QUANT_BENCH_ONEDNN

//===- Cases.cpp - What is measured ---------------------------------------===//

#include "Cases.h"

#include "OneDnn.h"
#include "Ours.h"
#include "Shapes.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"

using namespace quant_mlir;
using namespace quant_mlir::bench;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Copies of weights that together are four times the last level of cache.
static unsigned countCopies(double bytes) {
  return 1 + unsigned(4 * double(lastLevelCacheBytes()) / bytes);
}

/// How large a matmul's weights are, where they are to come from memory.
static unsigned copiesOf(const MatmulShape &shape, double weightBytes) {
  return shape.m == 1 ? countCopies(weightBytes) : 1;
}

/// Sets unit and limit: operations, or bytes of weights where M is 1.
static void addLimit(Row &row, Context &context, const Limit &limit, double ops,
                     double weightBytes) {
  if (weightBytes > 0) {
    row.unit = Unit::GigaBytes;
    row.amount = weightBytes;
    Subject subject =
        context.stream->makeSubject(row.threads, uint64_t(weightBytes));
    row.limitAmount = double(
        context.stream->bytesPerCall(row.threads, uint64_t(weightBytes)));
    row.add(std::move(subject));
    return;
  }
  row.unit = Unit::GigaOps;
  row.amount = ops;
  // As long as a perfect kernel: what interrupts one interrupts the other as
  // often. And long beside the making of threads.
  double shortest = row.threads == 1 ? 300 : 5000;
  double perfect = ops / limit.rate / 1e3 / row.threads;
  row.add(makeLimitSubject(limit, row.threads,
                           std::clamp(perfect, shortest, 20000.0),
                           row.limitAmount));
}

// `copies`: of weights, where there are any.

template <typename Problem, typename... Copies>
static void addOneDnn(Row &row, const Problem &problem, Copies... copies) {
  std::string why;
  if (std::optional<Subject> subject =
          makeOneDnn(problem, row.threads, copies..., why))
    row.add(std::move(*subject));
  else
    row.absent.push_back(why);
}

template <typename Problem>
static void addOnnxRuntime(Row &row, Context &context, const Problem &problem,
                           unsigned copies) {
  if (context.onnxRuntime)
    row.add(context.onnxRuntime->make(problem, row.threads, copies),
            subject::onnxRuntime);
  else
    row.absent.push_back(context.onnxRuntimeAbsent);
}

static void addGgml(Row &row, Context &context, const BlockProblem &problem,
                    unsigned copies) {
  if (context.ggml)
    row.add(context.ggml->make(problem, row.threads, copies), subject::ggml);
  else
    row.absent.push_back(context.ggmlAbsent);
}

/// Ours, and on more than one thread ours on one beside it.
template <typename Problem, typename... Copies>
static void addOurs(Row &row, Context &context, const Problem &problem,
                    Copies... copies) {
  if (context.peersOnly)
    return;
  row.add(makeOurs(problem, context.getCompileOptions(row.threads), copies...),
          subject::ours);
  if (row.threads == 1)
    return;
  auto one = makeOurs(problem, context.getCompileOptions(1), copies...);
  if (one)
    one->name = subject::oursOneThread;
  row.add(std::move(one), subject::oursOneThread);
}

/// The same shape in f32.
static void addOursFloat(Row &row, Context &context,
                         const FloatProblem &problem, unsigned copies) {
  if (context.peersOnly)
    return;
  auto ours = makeOurs(problem, context.getCompileOptions(row.threads), copies);
  if (ours)
    ours->name = subject::oursFloat;
  row.add(std::move(ours), subject::oursFloat);
}

static Row makeInt8Matmul(Context &context, unsigned threads, MatmulShape shape,
                          Activations activations) {
  Int8Problem problem(shape, activations);
  double bytes = double(problem.w.size());
  unsigned copies = copiesOf(shape, bytes);
  Row row;
  row.threads = threads;
  addOurs(row, context, problem, copies);
  // Where weights come from memory rates are bytes, and f32 has four times as
  // many: its own rows have it.
  if (shape.m > 1)
    addOursFloat(row, context, FloatProblem(shape), 1);
  addOneDnn(row, problem, copies);
  addOnnxRuntime(row, context, problem, copies);
  addLimit(row, context, context.int8Limit, shape.ops(),
           shape.m == 1 ? bytes : 0);
  return row;
}

static Row makeAttention(Context &context, unsigned threads,
                         const AttentionShape &shape) {
  AttentionProblem problem(shape);
  Row row;
  row.threads = threads;
  addOurs(row, context, problem);
  addOneDnn(row, problem);
  addLimit(row, context, context.int8Limit, problem.ops(), 0);
  return row;
}

static Row makeFloatMatmul(Context &context, unsigned threads,
                           MatmulShape shape) {
  FloatProblem problem(shape);
  double bytes = 4 * double(problem.w.size());
  unsigned copies = copiesOf(shape, bytes);
  Row row;
  row.threads = threads;
  addOurs(row, context, problem, copies);
  addOneDnn(row, problem, copies);
  addOnnxRuntime(row, context, problem, copies);
  addLimit(row, context, context.floatLimit, shape.ops(),
           shape.m == 1 ? bytes : 0);
  return row;
}

static Row makeDynamicMatmul(Context &context, unsigned threads,
                             MatmulShape shape) {
  DynamicProblem problem(shape);
  double bytes = double(problem.w.size());
  Row row;
  row.threads = threads;
  addOurs(row, context, problem, copiesOf(shape, bytes));
  addOnnxRuntime(row, context, problem, copiesOf(shape, bytes));
  addLimit(row, context, context.int8Limit, shape.ops(),
           shape.m == 1 ? bytes : 0);
  return row;
}

static Row makeBlockMatmul(Context &context, unsigned threads,
                           MatmulShape shape, int64_t block,
                           bool hasZeroPoints) {
  BlockProblem problem(shape, block, hasZeroPoints);
  double bytes = problem.weightBytes();
  unsigned copies = copiesOf(shape, bytes);
  Row row;
  row.threads = threads;
  addOurs(row, context, problem, copies);
  addOnnxRuntime(row, context, problem, copies);
  addGgml(row, context, problem, copies);
  addLimit(row, context, context.int8Limit, shape.ops(),
           shape.m == 1 ? bytes : 0);
  return row;
}

static Row makeActivation(Context &context, unsigned threads,
                          const ActivationShape &shape, bool hasTables) {
  ActivationProblem problem(shape.activation, shape.shape);
  Row row;
  row.threads = threads;
  row.unit = Unit::Microseconds;
  CompileOptions compile = context.getCompileOptions(threads);
  compile.hasTables = hasTables;
  if (!context.peersOnly)
    row.add(makeOurs(problem, compile), subject::ours);
  if (context.onnxRuntime)
    row.add(context.onnxRuntime->make(problem, threads), subject::onnxRuntime);
  else
    row.absent.push_back(context.onnxRuntimeAbsent);
  return row;
}

static Row makeInt8Conv(Context &context, unsigned threads,
                        const ConvShape &shape) {
  Int8Problem problem(shape, Activations::Unsigned);
  Row row;
  row.threads = threads;
  addOurs(row, context, problem, 1);
  addOursFloat(row, context, FloatProblem(shape), 1);
  addOneDnn(row, problem, 1);
  addOnnxRuntime(row, context, problem, 1);
  addLimit(row, context, context.int8Limit, shape.ops(), 0);
  return row;
}

static Row makeFloatConv(Context &context, unsigned threads,
                         const ConvShape &shape) {
  FloatProblem problem(shape);
  Row row;
  row.threads = threads;
  addOurs(row, context, problem, 1);
  addOneDnn(row, problem, 1);
  addOnnxRuntime(row, context, problem, 1);
  addLimit(row, context, context.floatLimit, shape.ops(), 0);
  return row;
}

//===----------------------------------------------------------------------===//
// Whole models
//===----------------------------------------------------------------------===//

namespace {
struct ModelFiles {
  const char *name;
  const char *inputs;
  const char *expected;
  const char *calibration;
};
} // namespace

static const ModelFiles modelFiles[] = {
    {"kws", "kws_test_inputs.npy", "kws_test_float_outputs.npy",
     "kws_calib_inputs.npy"},
    {"resnet8", "resnet8_inputs.npy", "resnet8_float_outputs.npy",
     "resnet8_inputs.npy"},
    {"ad01", "ad01_inputs.npy", "ad01_float_outputs.npy", "ad01_inputs.npy"},
};

/// The first sample.
static llvm::Expected<NdArray> readFirst(const std::string &path) {
  auto file = NpyFile::open(path);
  if (!file)
    return file.takeError();
  NdArray array;
  if (llvm::Error error = file->read(0, 1, array))
    return error;
  return array;
}

/// Ranges of the model over its calibration data, by quant-calibrate.
static llvm::Expected<std::string> calibrate(Context &context,
                                             const ModelFiles &files) {
  std::string ranges = context.scratch + "/" + files.name + ".ranges.json";
  std::string model = context.models + "/" + files.name + ".tosa.mlir";
  std::string inputs = "--input=" + context.models + "/" + files.calibration;
  std::string message;
  if (std::error_code code = llvm::sys::fs::create_directories(context.scratch))
    return makeFileError(context.scratch, code.message());
  int result = llvm::sys::ExecuteAndWait(context.calibrateTool,
                                         {context.calibrateTool, model, inputs,
                                          "--activation-qscheme=asymmetric",
                                          "-o", ranges},
                                         std::nullopt, {}, 0, 0, &message);
  if (result != 0)
    return makeFileError(context.calibrateTool,
                         "expected it to calibrate '" + model +
                             "', found exit code " + llvm::Twine(result) + " " +
                             message + "; build quant-calibrate");
  return ranges;
}

static void addOurModel(Row &row, Context &context, const ModelFiles &files,
                        const NdArray &input) {
  auto expected = readFirst(context.models + "/" + files.expected);
  if (!expected) {
    row.absent.push_back(llvm::toString(expected.takeError()));
    return;
  }
  std::string model = context.models + "/" + files.name + ".tosa.mlir";
  auto add = [&](const char *name, const std::string &ranges,
                 unsigned threads) {
    auto ours = makeOursModel(model, ranges, input, *expected,
                              context.getCompileOptions(threads));
    if (ours)
      ours->name = name;
    row.add(std::move(ours), name);
  };
  add(subject::oursFloat, "", row.threads);
  auto ranges = calibrate(context, files);
  if (!ranges) {
    row.absent.push_back(llvm::toString(ranges.takeError()));
    return;
  }
  add(subject::ours, *ranges, row.threads);
  if (row.threads > 1)
    add(subject::oursOneThread, *ranges, 1);
}

static Row makeModel(Context &context, unsigned threads,
                     const ModelFiles &files) {
  Row row;
  row.threads = threads;
  row.unit = Unit::Microseconds;
  auto input = readFirst(context.models + "/" + files.inputs);
  if (!input) {
    row.absent.push_back(llvm::toString(input.takeError()));
    return row;
  }
  if (!context.peersOnly)
    addOurModel(row, context, files, *input);
  if (!context.onnxRuntime) {
    row.absent.push_back(context.onnxRuntimeAbsent);
    return row;
  }
  for (bool isFloat : {true, false}) {
    std::string path = context.models + "/onnx/" + files.name +
                       (isFloat ? "_float.onnx" : "_int8qdq.onnx");
    const char *name =
        isFloat ? subject::onnxRuntimeFloat : subject::onnxRuntime;
    auto peer = context.onnxRuntime->makeModel(path, *input, threads);
    if (peer)
      peer->name = name;
    row.add(std::move(peer), name);
  }
  return row;
}

//===----------------------------------------------------------------------===//
// The list
//===----------------------------------------------------------------------===//

std::vector<Case> quant_mlir::bench::getCases(const std::string &models) {
  std::vector<Case> cases;
  auto addMatmuls = [&](std::string work, auto make, bool withVectors) {
    auto add = [&](const MatmulShape &shape) {
      cases.push_back({work, shape.str(), shape.m >= 384,
                       [=](Context &context, unsigned threads) {
                         return make(context, threads, shape);
                       }});
    };
    if (withVectors)
      for (const MatmulShape &shape : getVectorShapes())
        add(shape);
    for (const MatmulShape &shape : getMatrixShapes())
      add(shape);
    add(getTinyShape());
    cases.back().isTest = true;
  };
  for (Activations activations : {Activations::Unsigned, Activations::Signed})
    addMatmuls(
        activations == Activations::Unsigned
            ? "int8 matmul, u8 activations"
            : "int8 matmul, s8 activations, zero points",
        [=](Context &context, unsigned threads, MatmulShape shape) {
          return makeInt8Matmul(context, threads, shape, activations);
        },
        /*withVectors=*/true);
  for (const AttentionShape &shape : getAttentionShapes())
    cases.push_back({"int8 matmul of activations", shape.str(),
                     shape.heads * shape.product.ops() > 1e8,
                     [=](Context &context, unsigned threads) {
                       return makeAttention(context, threads, shape);
                     }});
  addMatmuls("int8 matmul, dynamic", makeDynamicMatmul, true);
  for (bool hasZeroPoints : {false, true})
    addMatmuls(
        hasZeroPoints ? "int4 block-32 matmul, zero points, dynamic int8"
                      : "int4 block-32 matmul, dynamic int8",
        [=](Context &context, unsigned threads, MatmulShape shape) {
          return makeBlockMatmul(context, threads, shape, /*block=*/32,
                                 hasZeroPoints);
        },
        true);
  for (int64_t block : {16, 64, 128, 256}) {
    MatmulShape shape = getBlockShape();
    cases.push_back(
        {"int4 block-" + std::to_string(block) + " matmul, dynamic int8",
         shape.str(), false, [=](Context &context, unsigned threads) {
           return makeBlockMatmul(context, threads, shape, block,
                                  /*hasZeroPoints=*/false);
         }});
  }
  addMatmuls("f32 matmul", makeFloatMatmul, true);
  for (bool isFloat : {false, true}) {
    auto addConv = [&](const char *work, const ConvShape &shape) {
      auto make = isFloat ? makeFloatConv : makeInt8Conv;
      cases.push_back(
          {work, shape.name, false, [=](Context &context, unsigned threads) {
             return make(context, threads, shape);
           }});
    };
    for (const ConvShape &shape : getResNetShapes())
      addConv(shape.in == 3 ? (isFloat ? "f32 first conv" : "int8 first conv")
              : isFloat     ? "f32 conv"
                            : "int8 conv",
              shape);
    for (const ConvShape &shape : getDepthwiseShapes())
      addConv(isFloat ? "f32 depthwise" : "int8 depthwise", shape);
  }
  for (const ActivationShape &shape : getActivationShapes())
    for (bool hasTables : {true, false})
      cases.push_back(
          {std::string("int8 ") + getName(shape.activation) +
               (hasTables ? "" : ", without tables"),
           shape.str(), false, [=](Context &context, unsigned threads) {
             return makeActivation(context, threads, shape, hasTables);
           }});
  if (!models.empty())
    for (const ModelFiles &files : modelFiles)
      cases.push_back({"whole model", files.name, true,
                       [=](Context &context, unsigned threads) {
                         return makeModel(context, threads, files);
                       }});
  return cases;
}

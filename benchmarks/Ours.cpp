//===- Ours.cpp - This project as the subject -----------------------------===//

#include "Ours.h"

#include "Report.h"

#include "quant-mlir/Dialect/Quant/IR/IntegerFormOpInterface.h"
#include "quant-mlir/Execution/Diagnostics.h"
#include "quant-mlir/Execution/ModelFile.h"
#include "quant-mlir/Support/Errors.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/MemoryBuffer.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <omp.h>

using namespace quant_mlir;
using namespace quant_mlir::bench;

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

/// Parses the text and gives its resources their bytes.
static mlir::OwningOpRef<mlir::ModuleOp> parse(const ModuleText &module,
                                               mlir::MLIRContext &context) {
  // Verifiers look at the resources.
  mlir::ParserConfig config(&context, /*verifyAfterParse=*/false);
  auto parsed = mlir::parseSourceString<mlir::ModuleOp>(module.text, config);
  if (!parsed)
    return nullptr;
  auto &manager =
      mlir::DenseResourceElementsHandle::getManagerInterface(&context)
          .getBlobManager();
  for (const ModuleText::Resource &resource : module.resources)
    manager.update(resource.name,
                   mlir::HeapAsmResourceBlob::allocateAndCopyWithAlign(
                       resource.bytes, std::max<size_t>(resource.alignment, 64),
                       /*dataIsMutable=*/false));
  if (mlir::failed(mlir::verify(*parsed)))
    return nullptr;
  return parsed;
}

/// Counts what computes: operations of level 2, and what is left in linalg.
/// What only fills or broadcasts is not counted.
static std::string describeOperations(mlir::ModuleOp module) {
  std::map<std::string, unsigned> counts;
  module.walk([&](mlir::Operation *op) {
    bool isLeft =
        mlir::isa<mlir::linalg::LinalgOp>(op) &&
        !mlir::isa<mlir::linalg::FillOp, mlir::linalg::BroadcastOp>(op);
    if (isLeft || mlir::isa<IntegerFormOpInterface>(op))
      ++counts[op->getName().getStringRef().str()];
  });
  std::string text;
  for (const auto &[name, count] : counts)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  return text;
}

llvm::Expected<Compiled> quant_mlir::bench::compileOurs(
    const ModuleText &module, const QuantPipelineOptions &options,
    const CompileOptions &compile, llvm::StringRef path) {
  mlir::DialectRegistry registry;
  registerExecutionDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  mlir::OwningOpRef<mlir::ModuleOp> parsed;
  {
    DiagnosticCollector diagnostics(&context, path);
    parsed = parse(module, context);
    if (!parsed)
      return diagnostics.takeError("could not be parsed");
    mlir::PassManager pm(&context);
    buildQuantPipeline(pm, options);
    if (mlir::failed(pm.run(*parsed)))
      return diagnostics.takeError("could not be quantized");
  }
  Compiled result;
  result.operations = describeOperations(*parsed);
  auto compiled = CompiledFunction::compile(*parsed, "main", compile, path);
  if (!compiled)
    return compiled.takeError();
  result.function = std::move(*compiled);
  return result;
}

//===----------------------------------------------------------------------===//
// Subjects
//===----------------------------------------------------------------------===//

namespace {
/// Compiled functions with the arrays they are called on.
struct Calls {
  std::vector<NdArray> inputs;
  std::vector<std::shared_ptr<CompiledFunction>> functions;
  std::vector<std::function<llvm::Error()>> calls;
  size_t next = 0;

  ~Calls() { calls.clear(); }
};
} // namespace

/// Compiles as often as there are copies, runs the first once, and leaves its
/// result in `output`.
static llvm::Expected<Subject>
makeSubject(const ModuleText &module, const QuantPipelineOptions &options,
            std::vector<NdArray> inputs, const CompileOptions &compile,
            unsigned copies, llvm::StringRef path, NdArray &output) {
  unsigned threads = compile.threads;
  auto calls = std::make_shared<Calls>();
  calls->inputs = std::move(inputs);
  omp_set_num_threads(int(threads));
  Subject subject;
  auto start = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < copies; ++i) {
    auto compiled = compileOurs(module, options, compile, path);
    if (!compiled)
      return compiled.takeError();
    auto call = compiled->function->prepare(calls->inputs);
    if (!call)
      return call.takeError();
    calls->functions.push_back(compiled->function);
    subject.detail = compiled->operations;
    calls->calls.push_back(std::move(*call));
  }
  subject.compileSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  llvm::SmallVector<NdArray> outputs;
  if (llvm::Error error = calls->functions[0]->invoke(calls->inputs, outputs))
    return error;
  output = std::move(outputs[0]);
  subject.name = subject::ours;
  subject.threads = threads;
  subject.run = [calls, threads] {
    omp_set_num_threads(int(threads));
    // It has run: what could fail has not.
    llvm::cantFail(calls->calls[calls->next]());
    calls->next = (calls->next + 1) % calls->calls.size();
  };
  return subject;
}

template <typename T>
static NdArray makeArray(DType dtype, llvm::ArrayRef<int64_t> shape,
                         const std::vector<T> &values) {
  NdArray array(dtype, shape);
  std::memcpy(array.bytes.data(), values.data(), values.size() * sizeof(T));
  return array;
}

static llvm::SmallVector<int64_t>
inputShape(bool isConv, const MatmulShape &matmul, const ConvShape &conv) {
  if (isConv)
    return {1, conv.height, conv.width, conv.in};
  return {matmul.m, matmul.k};
}

llvm::Expected<Subject>
quant_mlir::bench::makeOurs(const Int8Problem &problem,
                            const CompileOptions &compile, unsigned copies) {
  QuantPipelineOptions options;
  options.cleanUp = true;
  options.fuse.emplace();
  NdArray output;
  auto subject = makeSubject(
      makeText(problem), options,
      {makeArray(DType::Int8,
                 inputShape(problem.isConv, problem.matmul, problem.conv),
                 problem.a)},
      compile, copies, "int8", output);
  if (subject)
    subject->difference = problem.difference(output.bytes.data(), true);
  return subject;
}

llvm::Expected<Subject>
quant_mlir::bench::makeOurs(const FloatProblem &problem,
                            const CompileOptions &compile, unsigned copies) {
  NdArray output;
  auto subject = makeSubject(
      makeText(problem), {},
      {makeArray(DType::Float32,
                 inputShape(problem.isConv, problem.matmul, problem.conv),
                 problem.a)},
      compile, copies, "f32", output);
  if (subject)
    subject->difference = problem.difference(output.data<float>(), true);
  return subject;
}

/// Activations are quantized at run time, to int8, one scale per row.
static QuantPipelineOptions getDynamicOptions() {
  QuantPipelineOptions options;
  options.quantizeDynamic.emplace().granularity = "per_row";
  options.cleanUp = true;
  options.fuse.emplace();
  return options;
}

llvm::Expected<Subject>
quant_mlir::bench::makeOurs(const BlockProblem &problem,
                            const CompileOptions &compile, unsigned copies) {
  NdArray output;
  auto subject =
      makeSubject(makeText(problem), getDynamicOptions(),
                  {makeArray(DType::Float32, {problem.shape.m, problem.shape.k},
                             problem.a)},
                  compile, copies, "int4", output);
  if (subject)
    subject->difference = problem.difference(output.data<float>());
  return subject;
}

llvm::Expected<Subject>
quant_mlir::bench::makeOurs(const DynamicProblem &problem,
                            const CompileOptions &compile, unsigned copies) {
  NdArray output;
  auto subject =
      makeSubject(makeText(problem), getDynamicOptions(),
                  {makeArray(DType::Float32, {problem.shape.m, problem.shape.k},
                             problem.a)},
                  compile, copies, "dynamic int8", output);
  if (subject)
    subject->difference = problem.difference(output.data<float>());
  return subject;
}

llvm::Expected<Subject>
quant_mlir::bench::makeOurs(const AttentionProblem &problem,
                            const CompileOptions &compile) {
  QuantPipelineOptions options;
  options.cleanUp = true;
  options.fuse.emplace();
  auto [m, n, k] = problem.shape.product;
  int64_t heads = problem.shape.heads;
  llvm::SmallVector<int64_t> ofW = {heads, k, n};
  if (problem.shape.isTransposed)
    std::swap(ofW[1], ofW[2]);
  NdArray output;
  auto subject = makeSubject(makeText(problem), options,
                             {makeArray(DType::Int8, {heads, m, k}, problem.a),
                              makeArray(DType::Int8, ofW, problem.w)},
                             compile, 1, "attention", output);
  if (subject)
    subject->difference = problem.difference(output.data<int8_t>());
  return subject;
}

llvm::Expected<Subject>
quant_mlir::bench::makeOurs(const ActivationProblem &problem,
                            const CompileOptions &compile) {
  QuantPipelineOptions options;
  options.cleanUp = true;
  options.fuse.emplace();
  NdArray output;
  auto subject = makeSubject(makeText(problem), options,
                             {makeArray(DType::Int8, problem.shape, problem.a)},
                             compile, 1, "activation", output);
  if (subject)
    subject->difference = problem.difference(output.data<int8_t>());
  return subject;
}

//===----------------------------------------------------------------------===//
// Whole models
//===----------------------------------------------------------------------===//

llvm::Expected<Subject> quant_mlir::bench::makeOursModel(
    const std::string &path, const std::string &ranges, const NdArray &input,
    const NdArray &expected, const CompileOptions &compile) {
  ModuleText module;
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return makeFileError(path, file.getError().message());
  module.text = (*file)->getBuffer().str();
  QuantPipelineOptions options;
  if (!ranges.empty()) {
    options.insertObservers.emplace().qscheme = "asymmetric";
    options.foldRanges.emplace().ranges = ranges;
    options.quantizeWeights.emplace().weightThreshold = 0;
    options.quantizeBiases.emplace();
    options.cleanUp = true;
    options.fuse.emplace();
  }
  NdArray output;
  auto subject =
      makeSubject(module, options, {input}, compile, 1, path, output);
  if (!subject)
    return subject;
  double worst = 0, greatest = 0;
  for (int64_t i = 0; i < expected.numElements(); ++i) {
    worst =
        std::max(worst, std::abs(output.asDouble(i) - expected.asDouble(i)));
    greatest = std::max(greatest, std::abs(expected.asDouble(i)));
  }
  subject->difference = greatest > 0 ? worst / greatest : worst;
  return subject;
}

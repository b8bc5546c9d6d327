//===- quant-run.cpp - Runs a model on data -------------------------------===//
//
// Reads, compiles, runs, compares, and only then writes: nothing is left behind
// by a run that fails.
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "Report.h"

#include "quant-mlir/ErrorReport/MeasureErrors.h"
#include "quant-mlir/Execution/Batches.h"
#include "quant-mlir/Execution/CompiledFunction.h"
#include "quant-mlir/Execution/ModelFile.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/OutputFile.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

using namespace quant_mlir;

static std::string plural(size_t count, llvm::StringRef noun) {
  return (llvm::Twine(count) + " " + noun + (count == 1 ? "" : "s")).str();
}

static llvm::Error checkCounts(const RunOptions &options,
                               const CompiledFunction &function) {
  size_t arguments = function.getArguments().size();
  size_t results = function.getResults().size();
  std::string entry = quoteForMessage(options.entry);
  if (options.inputs.size() != arguments)
    return makeFileError(options.model,
                         entry + " takes " + plural(arguments, "argument") +
                             ", found " +
                             plural(options.inputs.size(), "--input") +
                             "; give one per argument, in order");
  if (!options.outputs.empty() && options.outputs.size() != results)
    return makeFileError(options.model,
                         entry + " has " + plural(results, "result") +
                             ", found " +
                             plural(options.outputs.size(), "--output") +
                             "; give one per result, in order");
  if (options.compare.size() > results)
    return makeFileError(options.model,
                         entry + " has " + plural(results, "result") +
                             ", found " +
                             plural(options.compare.size(), "--compare"));
  if (options.labels && results == 0)
    return makeFileError(options.model,
                         entry + " has no result to compare with --labels");
  return llvm::Error::success();
}

static llvm::Expected<std::unique_ptr<CompiledFunction>>
compileModel(const RunOptions &options) {
  mlir::DialectRegistry registry;
  registerExecutionDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = loadModel(options.model, &context);
  if (!module)
    return module.takeError();
  CompileOptions compileOptions;
  compileOptions.threads = options.threads;
  compileOptions.target = options.target;
  compileOptions.features = options.targetFeatures;
  compileOptions.gpuArch = options.gpuArch;
  compileOptions.remark = [](llvm::StringRef message) {
    llvm::errs() << "quant-run: remark: " << message << '\n';
  };
  return CompiledFunction::compile(**module, options.entry, compileOptions,
                                   options.model);
}

/// Compares the model with its float original.
static llvm::Expected<ErrorReport>
compareModels(const RunOptions &options, llvm::ArrayRef<NdArray> inputs) {
  mlir::DialectRegistry registry;
  registerExecutionDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto model = loadModel(options.model, &context);
  if (!model)
    return model.takeError();
  auto reference = loadModel(*options.reference, &context);
  if (!reference)
    return reference.takeError();
  ErrorMeasurement measurement;
  measurement.model = **model;
  measurement.reference = **reference;
  measurement.modelPath = options.model;
  measurement.referencePath = *options.reference;
  measurement.entry = options.entry;
  measurement.compile.threads = options.threads;
  measurement.compile.target = options.target;
  measurement.compile.features = options.targetFeatures;
  measurement.compile.gpuArch = options.gpuArch;
  measurement.inputs = inputs;
  measurement.inputNames = options.inputs;
  measurement.batch = options.batch;
  return measureErrors(measurement);
}

/// Every array that the run needs.
struct Arrays {
  std::vector<NdArray> inputs;
  std::vector<NdArray> references;
  std::vector<NdArray> labels; // one or none
};

static llvm::Error read(llvm::ArrayRef<std::string> paths,
                        std::vector<NdArray> &arrays) {
  for (const std::string &path : paths) {
    auto array = readNpy(path);
    if (!array)
      return array.takeError();
    arrays.push_back(std::move(*array));
  }
  return llvm::Error::success();
}

static llvm::Error readArrays(const RunOptions &options, Arrays &arrays) {
  if (llvm::Error error = read(options.inputs, arrays.inputs))
    return error;
  if (llvm::Error error = read(options.compare, arrays.references))
    return error;
  if (options.labels)
    return read(*options.labels, arrays.labels);
  return llvm::Error::success();
}

static llvm::Error addResults(const RunOptions &options, const Arrays &arrays,
                              llvm::ArrayRef<NdArray> outputs, Report &report) {
  for (auto [index, reference] : llvm::enumerate(arrays.references)) {
    auto comparison =
        compare(outputs[index], reference,
                ("result " + llvm::Twine(index)).str(), options.compare[index]);
    if (!comparison)
      return comparison.takeError();
    report.add(*comparison);
  }
  for (const NdArray &labels : arrays.labels) {
    auto score = top1(outputs[0], labels, "result 0", *options.labels);
    if (!score)
      return score.takeError();
    report.add(*score);
  }
  return llvm::Error::success();
}

/// Writes the files beside their places, prints, and then moves the files.
static llvm::Error publish(const RunOptions &options,
                           llvm::ArrayRef<NdArray> outputs,
                           const std::optional<ErrorReport> &errors,
                           const Report &report) {
  std::vector<OutputFile> files;
  for (llvm::StringRef path : options.reports) {
    auto file = OutputFile::stage(path, [&](llvm::raw_ostream &os) {
      if (path.ends_with(".html"))
        writeHtml(os, *errors);
      else
        writeJson(os, *errors, /*pretty=*/true);
    });
    if (!file)
      return file.takeError();
    files.push_back(std::move(*file));
  }
  for (auto [index, path] : llvm::enumerate(options.outputs)) {
    auto file =
        OutputFile::stage(path, [&, index = index](llvm::raw_ostream &os) {
          writeNpy(os, outputs[index]);
        });
    if (!file)
      return file.takeError();
    files.push_back(std::move(*file));
  }
  llvm::outs() << report.getText();
  llvm::outs().flush();
  if (llvm::outs().has_error()) {
    std::error_code ec = llvm::outs().error();
    llvm::outs().clear_error();
    return makeError("standard output cannot be written: " + ec.message());
  }
  for (OutputFile &file : files)
    if (llvm::Error error = file.commit())
      return error;
  return llvm::Error::success();
}

/// Runs the model on its own, and adds what is to be printed of it.
static llvm::Error runModel(const RunOptions &options, const Arrays &arrays,
                            llvm::SmallVectorImpl<NdArray> &outputs,
                            Report &report) {
  auto function = compileModel(options);
  if (!function)
    return function.takeError();
  if (llvm::Error error = checkCounts(options, **function))
    return error;
  auto batches = Batches::create((*function)->getArguments(), arrays.inputs,
                                 options.inputs, options.batch);
  if (!batches)
    return batches.takeError();
  if (options.needsOutputs()) {
    if (llvm::Error error = runBatches(**function, *batches, outputs))
      return error;
    if (llvm::Error error = addResults(options, arrays, outputs, report))
      return error;
  }
  if (options.bench) {
    auto times = (*function)->bench(batches->get(0), *options.bench);
    if (!times)
      return times.takeError();
    report.add(std::move(*times), options.threads);
  }
  return llvm::Error::success();
}

static llvm::Error run(const RunOptions &options) {
  // What fails quickly comes before compiling.
  Arrays arrays;
  if (llvm::Error error = readArrays(options, arrays))
    return error;
  Report report(options.json);
  llvm::SmallVector<NdArray> outputs;
  if (options.needsOutputs() || options.bench)
    if (llvm::Error error = runModel(options, arrays, outputs, report))
      return error;
  std::optional<ErrorReport> errors;
  if (options.reference) {
    auto measured = compareModels(options, arrays.inputs);
    if (!measured)
      return measured.takeError();
    errors = std::move(*measured);
    if (options.printsReference())
      report.add(*errors);
  }
  return publish(options, outputs, errors, report);
}

int main(int argc, char **argv) {
  installCrashGuard("quant-run");
  auto options = parseOptions(argc, argv);
  llvm::Error error = options ? llvm::Error::success() : options.takeError();
  if (!error && *options)
    error = run(**options);
  if (!error)
    return 0;
  llvm::errs() << "quant-run: error: " << llvm::toString(std::move(error))
               << '\n';
  return 1;
}

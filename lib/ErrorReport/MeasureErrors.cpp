//===- MeasureErrors.cpp - Runs two models side by side -------------------===//

#include "quant-mlir/ErrorReport/MeasureErrors.h"

#include "Recorder.h"
#include "TapModule.h"

#include "quant-mlir/Execution/Diagnostics.h"
#include "quant-mlir/Execution/EntryPoint.h"
#include "quant-mlir/Pipelines/Pipelines.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/ProgressBar.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

namespace {
/// A model as one block of linalg on tensors whose operations have names.
struct PreparedModel {
  OwningOpRef<ModuleOp> module;
  func::FuncOp entry;
  llvm::StringSet<> named;
};
} // namespace

static bool quantizesActivations(ModuleOp module) {
  bool found = false;
  module->walk([&](func::FuncOp function) {
    if (function.isDeclaration() || !function.getBody().hasOneBlock())
      return;
    llvm::DenseSet<Value> activations = getActivations(function);
    function.walk(
        [&](QuantizeOp op) { found |= activations.contains(op.getInput()); });
  });
  return found;
}

static llvm::Expected<PreparedModel> prepare(ModuleOp module, StringRef entry,
                                             StringRef path,
                                             bool asActivationsAre) {
  CrashScope scope(("reading '" + path + "'").str());
  auto found = findEntry(module, entry, path);
  if (!found)
    return found.takeError();
  DiagnosticCollector diagnostics(module.getContext(), path);
  PreparedModel model;
  model.module = module.clone();
  PassManager lower(module.getContext(), ModuleOp::getOperationName());
  if (asActivationsAre) {
    QuantPipelineOptions options;
    options.foldBatchNorm = true;
    buildQuantPipeline(lower, options);
  } else {
    lower.addPass(createLowerTosaPass());
  }
  if (failed(lower.run(*model.module)))
    return diagnostics.takeError("could not be lowered to linalg");
  model.named = nameOperations(*model.module);

  // Calls end here: names are per function, values are compared in one.
  model.entry = cast<func::FuncOp>(model.module->lookupSymbol(entry));
  for (auto function : model.module->getOps<func::FuncOp>())
    function.setVisibility(function == model.entry
                               ? SymbolTable::Visibility::Public
                               : SymbolTable::Visibility::Private);
  PassManager inlining(module.getContext(), ModuleOp::getOperationName());
  // No clean-up in between: what it folds in one model it may not in the other.
  inlining.addPass(createInlinerPass({}, [](OpPassManager &) {}));
  inlining.addPass(createSymbolDCEPass());
  if (failed(inlining.run(*model.module)))
    return diagnostics.takeError("has calls that could not be inlined");
  model.entry = cast<func::FuncOp>(model.module->lookupSymbol(entry));
  if (!model.entry.getBody().hasOneBlock())
    return makeErrorAt(model.entry.getLoc(), path,
                       "function " + quoteForMessage(entry) +
                           " has branches between " +
                           Twine(model.entry.getBody().getBlocks().size()) +
                           " blocks; expected one block to compare");
  return model;
}

//===----------------------------------------------------------------------===//
// Signatures
//===----------------------------------------------------------------------===//

static std::string print(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// Codes of `quantized` stand for the values of `reference`.
static bool isCodesOf(Type quantized, Type reference) {
  auto codes = dyn_cast<RankedTensorType>(quantized);
  auto values = dyn_cast<RankedTensorType>(reference);
  return codes && values && getExpressedType(values.getElementType()) &&
         !getExpressedType(codes.getElementType()) &&
         succeeded(verifyCompatibleShape(codes, values));
}

static bool isSameValue(Type quantized, Type reference) {
  if (quantized == reference)
    return true;
  auto a = dyn_cast<RankedTensorType>(quantized);
  auto b = dyn_cast<RankedTensorType>(reference);
  return a && b && a.getElementType() == b.getElementType() &&
         succeeded(verifyCompatibleShape(a, b));
}

static llvm::Error checkSignatures(const ErrorMeasurement &measurement,
                                   func::FuncOp quantized,
                                   func::FuncOp reference) {
  auto fail = [&](const Twine &what, const Twine &there, const Twine &here) {
    return makeFileError(
        measurement.referencePath,
        what + " of " + quoteForMessage(measurement.entry) + " is " + there +
            ", in '" + measurement.modelPath + "' it is " + here +
            "; expected the float model that it was made from");
  };
  for (auto [what, q, f] :
       {std::make_tuple("number of arguments", quantized.getNumArguments(),
                        reference.getNumArguments()),
        std::make_tuple("number of results", quantized.getNumResults(),
                        reference.getNumResults())})
    if (q != f)
      return fail(Twine("the ") + what, Twine(f), Twine(q));
  for (auto [index, q, f] : llvm::enumerate(quantized.getArgumentTypes(),
                                            reference.getArgumentTypes())) {
    if (!isSameValue(q, f) &&
        !(isCodesOf(q, f) && getArgumentParams(quantized, index)))
      return fail("argument " + Twine(index), print(f), print(q));
  }
  for (auto [index, q, f] :
       llvm::enumerate(quantized.getResultTypes(), reference.getResultTypes()))
    if (!isSameValue(q, f) && !isCodesOf(q, f))
      return fail("result " + Twine(index), print(f), print(q));
  return llvm::Error::success();
}

/// Results to compare; says in the report which are not.
static llvm::SmallVector<OutputPair> pairOutputs(func::FuncOp quantized,
                                                 func::FuncOp reference,
                                                 ErrorReport &report) {
  llvm::SmallVector<OutputPair> pairs;
  Operation *qReturn = quantized.front().getTerminator();
  Operation *fReturn = reference.front().getTerminator();
  for (auto [index, q, f] :
       llvm::enumerate(qReturn->getOperands(), fReturn->getOperands())) {
    OutputPair pair{static_cast<int64_t>(index), q,
                    q.getDefiningOp<QuantizeOp>(),
                    quantized.getResultAttrOfType<AffineAttr>(
                        index, boundaryParamsAttrName),
                    f};
    bool areFloats = isSameValue(q.getType(), f.getType()) &&
                     isa<RankedTensorType>(f.getType()) &&
                     getExpressedType(getElementTypeOrSelf(f));
    if (areFloats || ((pair.quantize || pair.params) &&
                      isCodesOf(q.getType(), f.getType()))) {
      OutputErrors output;
      output.index = pair.index;
      output.type = print(q.getType());
      report.outputs.push_back(std::move(output));
      pairs.push_back(pair);
    } else {
      report.notCompared.push_back(
          {"result " + std::to_string(index), "",
           "it is " + print(q.getType()) +
               "; expected a tensor of f32, f16 or bf16, or its codes straight "
               "from quant.quantize, or with quant.params"});
    }
  }
  return pairs;
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

static llvm::Error runAll(CompiledFunction &function, Batches &batches,
                          Recorder &recorder) {
  ProgressBar progress("comparing", batches.size());
  llvm::SmallVector<NdArray> none;
  for (int64_t batch = 0; batch < batches.size(); ++batch) {
    RecorderScope scope(recorder);
    if (llvm::Error error = function.invoke(batches.get(batch), none))
      return error;
    if (llvm::Error error = recorder.takeError())
      return error;
    progress.update(batch + 1);
  }
  return llvm::Error::success();
}

llvm::Expected<ErrorReport>
quant_mlir::measureErrors(const ErrorMeasurement &measurement) {
  auto quantized =
      prepare(measurement.model, measurement.entry, measurement.modelPath,
              /*asActivationsAre=*/false);
  if (!quantized)
    return quantized.takeError();
  auto reference = prepare(measurement.reference, measurement.entry,
                           measurement.referencePath,
                           quantizesActivations(*quantized->module));
  if (!reference)
    return reference.takeError();
  const size_t numArguments = quantized->entry.getNumArguments();
  if (measurement.inputs.size() != numArguments)
    return makeFileError(measurement.modelPath,
                         quoteForMessage(measurement.entry) + " takes " +
                             Twine(numArguments) +
                             (numArguments == 1 ? " argument" : " arguments") +
                             ", found " + Twine(measurement.inputs.size()) +
                             "; give one array per argument, in order");
  if (llvm::Error error =
          checkSignatures(measurement, quantized->entry, reference->entry))
    return error;
  auto pairs = pairModels(quantized->entry, reference->entry, quantized->named,
                          measurement.modelPath, measurement.referencePath);
  if (!pairs)
    return pairs.takeError();

  ErrorReport report;
  report.model = measurement.modelPath;
  report.reference = measurement.referencePath;
  report.floatOps = std::move(pairs->floatOps);
  report.notCompared = std::move(pairs->notCompared);
  llvm::SmallVector<OutputPair> outputs =
      pairOutputs(quantized->entry, reference->entry, report);
  Recorder recorder(*pairs, report);

  OwningOpRef<ModuleOp> module =
      buildTapModule(quantized->entry, reference->entry, *pairs, outputs);
  std::string both =
      measurement.modelPath + "' beside '" + measurement.referencePath;
  {
    DiagnosticCollector diagnostics(module->getContext(), both);
    if (failed(verify(*module)))
      return diagnostics.takeError("could not be compared");
  }
  CompileOptions options = measurement.compile;
  options.symbols.push_back(Recorder::getTap());
  auto function = CompiledFunction::compile(*module, tapEntry, options, both);
  if (!function)
    return function.takeError();
  auto batches =
      Batches::create((*function)->getArguments(), measurement.inputs,
                      measurement.inputNames, measurement.batch);
  if (!batches)
    return batches.takeError();
  if (llvm::Error error = runAll(**function, *batches, recorder))
    return error;
  report.batches = batches->size();
  report.samples = report.batches;
  if (!measurement.inputs.empty() && !measurement.inputs[0].shape.empty())
    report.samples = measurement.inputs[0].shape[0];
  report.sortWorstFirst();
  return report;
}

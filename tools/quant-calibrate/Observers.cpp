//===- Observers.cpp - What a model is observed for -----------------------===//

#include "Observers.h"

#include "quant-mlir-runtime/Calibration.h"
#include "quant-mlir/Conversion/ObserveToCall/ObserveToCall.h"
#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Execution/Diagnostics.h"
#include "quant-mlir/Execution/ModelFile.h"
#include "quant-mlir/Pipelines/Pipelines.h"
#include "quant-mlir/Support/CrashGuard.h"
#include "quant-mlir/Support/Errors.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

using namespace quant_mlir;

static bool hasObservers(mlir::ModuleOp module) {
  return module->walk([](ObserveOp) { return mlir::WalkResult::interrupt(); })
      .wasInterrupted();
}

/// The same steps, on the same level, as those of `quant-opt --ranges`: ids
/// follow from what the operations are at that point.
static llvm::Error insertObservers(mlir::ModuleOp module,
                                   const CalibrateOptions &options) {
  CrashScope scope("placing observers in '" + options.model + "'");
  DiagnosticCollector diagnostics(module.getContext(), options.model);
  mlir::PassManager pm(module.getContext(), module->getName().getStringRef());
  InsertObserversPassOptions insert;
  insert.dtype = name(options.request.dtype);
  insert.qscheme = name(options.request.scheme);
  insert.calibrator = options.request.calibrator;
  insert.config = options.config;
  buildObserverPipeline(pm, insert);
  if (mlir::failed(pm.run(module)))
    return diagnostics.takeError("observers could not be placed");
  if (!hasObservers(module))
    return makeFileError(options.model,
                         "has no value to observe: no operation in it is one "
                         "that can be quantized, or the configuration disables "
                         "all of them");
  return llvm::Error::success();
}

static llvm::Expected<Observer> describe(const ObserverInfo &info,
                                         llvm::StringRef path) {
  Observer observer;
  SpecAttr spec = info.spec;
  numerics::QuantSpec request = spec.getQuantSpec();
  observer.entry.id = info.id.str();
  observer.entry.request = {spec.getCalibrator().str(), request.storage,
                            request.scheme};
  observer.entry.scaleType = request.scaleType;
  observer.entry.floatLo = request.floatLo;
  observer.entry.floatHi = request.floatHi;
  observer.perChannel = !mlir::isa<PerTensorAttr>(spec.getGranularity());
  observer.calibrator =
      numerics::findCalibrator(observer.entry.request.calibrator);
  if (!observer.calibrator)
    return makeErrorAt(info.loc, path,
                       "observer " + quoteForMessage(observer.entry.id) +
                           " asks for the calibrator " +
                           quoteForMessage(observer.entry.request.calibrator) +
                           "; expected one of " + numerics::calibratorNames());
  return observer;
}

static llvm::Error checkPercentile(const CalibrateOptions &options,
                                   llvm::ArrayRef<Observer> observers) {
  if (!options.percentile ||
      llvm::any_of(observers, [](const Observer &observer) {
        return observer.calibrator->name() == "percentile";
      }))
    return llvm::Error::success();
  return makeError("--percentile has no effect: no observer of '" +
                   options.model + "' has the calibrator percentile");
}

llvm::Expected<ObservedModel>
quant_mlir::loadObserved(const CalibrateOptions &options) {
  mlir::DialectRegistry registry;
  registerExecutionDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = loadModel(options.model, &context);
  if (!module)
    return module.takeError();

  ObservedModel model;
  model.request = options.request;
  bool isInstrumented = hasObservers(**module);
  if (isInstrumented && options.insertOption)
    return makeFileError(
        options.model,
        "has observers, which say what is asked for: " + *options.insertOption +
            " has no effect; give a model without, or leave "
            "it out");
  if (!isInstrumented)
    if (llvm::Error error = insertObservers(**module, options))
      return std::move(error);

  {
    DiagnosticCollector diagnostics(&context, options.model);
    auto infos = collectObservers(**module);
    if (mlir::failed(infos))
      return diagnostics.takeError("has observers that do not fit together");
    for (const ObserverInfo &info : *infos) {
      auto observer = describe(info, options.model);
      if (!observer)
        return observer.takeError();
      model.observers.push_back(std::move(*observer));
    }
  }
  if (isInstrumented && !model.observers.empty())
    model.request = model.observers.front().entry.request;
  if (llvm::Error error = checkPercentile(options, model.observers))
    return std::move(error);

  CompileOptions compile;
  compile.addOwnLowering = [](mlir::OpPassManager &pm) {
    pm.addPass(createObserveToCallPass());
  };
  auto address = [](auto *function) {
    return reinterpret_cast<void *>(function);
  };
  compile.symbols = {{"quant_observe_f32", address(quant_observe_f32)},
                     {"quant_observe_f16", address(quant_observe_f16)},
                     {"quant_observe_bf16", address(quant_observe_bf16)}};
  auto function = CompiledFunction::compile(**module, options.entry, compile,
                                            options.model);
  if (!function)
    return function.takeError();
  model.function = std::move(*function);
  return model;
}

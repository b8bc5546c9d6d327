//===- QuantReport.cpp - What was done, what was left, and why ------------===//

#include "quant-mlir/Dialect/Quant/Transforms/QuantReport.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"
#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir;
using namespace quant_mlir;

static StringRef toStringRef(std::string_view text) {
  return {text.data(), text.size()};
}

static StringRef nameOf(GranularityAttrInterface granularity) {
  if (isa<PerTensorAttr>(granularity))
    return PerTensorAttr::getMnemonic();
  return isa<PerChannelAttr>(granularity) ? PerChannelAttr::getMnemonic()
                                          : PerBlockAttr::getMnemonic();
}

/// Whether `value` is made of dequantized values by moves alone.
static bool isDequantized(Value value) {
  Operation *def = value.getDefiningOp();
  if (!def || isa<DequantizeOp>(def))
    return def != nullptr;
  auto quantizable = dyn_cast<QuantizableOpInterface>(def);
  return quantizable && quantizable.getValueEffect() == ValueEffect::Moves &&
         llvm::all_of(quantizable.getValueSources(), [](OpOperand *source) {
           return isDequantized(source->get());
         });
}

llvm::LogicalResult quant_mlir::checkWritten(mlir::ModuleOp module,
                                             llvm::StringRef path,
                                             llvm::Error error) {
  if (!error)
    return llvm::success();
  return mlir::emitError(module.getLoc())
         << "cannot write the report '" << path
         << "': " << llvm::toString(std::move(error));
}

void quant_mlir::addActivations(ModuleOp module, QuantReport &report) {
  module->walk([&](QuantizeOp op) {
    AffineAttr params = op.getParams();
    if (params.isDynamic())
      return;
    numerics::TensorParams values = params.getTensorParams();
    report.activations.push_back(
        {getQuantName(op).str(), describeLoc(op.getLoc()),
         cast<RankedTensorType>(op.getType()).getShape().vec(),
         toStringRef(numerics::name(params.getStorage())).str(),
         nameOf(params.getGranularity()).str(), values.scales,
         values.zeroPoints, values.minvals});
  });
  if (report.activations.empty())
    return;
  for (auto function : module.getOps<FunctionOpInterface>()) {
    ActivationGroups groups(function);
    for (const ActivationGroup &group : groups.getGroups())
      for (OpOperand *input : group.inputs)
        if (!isDequantized(input->get()))
          report.skipped.push_back(
              {getQuantName(group.anchor).str(),
               describeLoc(group.anchor->getLoc()),
               ("its input " + Twine(input->getOperandNumber()) +
                " stays in floating point")
                   .str()});
  }
}

/// One number, or one per channel.
template <typename T>
static void writeNumbers(llvm::json::OStream &json, StringRef key,
                         const std::vector<T> &values) {
  if (values.size() == 1)
    json.attribute(key, values.front());
  else if (!values.empty())
    json.attribute(key, llvm::json::Array(values));
}

llvm::Error QuantReport::write(llvm::StringRef path) const {
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    llvm::json::OStream json(os, /*IndentSize=*/2);
    int64_t before = 0, after = 0;
    json.object([&] {
      json.attribute("version", 1);
      json.attributeArray("weights", [&] {
        for (const WeightEntry &entry : weights) {
          before += entry.bytesBefore;
          after += entry.bytesAfter;
          json.object([&] {
            json.attribute("op", entry.op);
            json.attribute("loc", entry.loc);
            json.attribute("shape", llvm::json::Array(entry.shape));
            json.attribute("dtype", entry.dtype);
            json.attribute("granularity", entry.granularity);
            json.attribute("block_sizes", llvm::json::Array(entry.blockSizes));
            // JSON has no infinity.
            if (std::isfinite(entry.sqnrDb))
              json.attribute("sqnr_db", entry.sqnrDb);
            else
              json.attribute("sqnr_db", nullptr);
            json.attribute("max_abs_error", entry.maxAbsError);
            json.attribute("clipped", entry.clipped);
            json.attribute("bytes_before", entry.bytesBefore);
            json.attribute("bytes_after", entry.bytesAfter);
          });
        }
      });
      json.attributeArray("activations", [&] {
        for (const ActivationEntry &entry : activations)
          json.object([&] {
            json.attribute("op", entry.op);
            json.attribute("loc", entry.loc);
            json.attribute("shape", llvm::json::Array(entry.shape));
            json.attribute("dtype", entry.dtype);
            json.attribute("granularity", entry.granularity);
            writeNumbers(json, "scale", entry.scale);
            writeNumbers(json, "zero_point", entry.zeroPoint);
            writeNumbers(json, "minval", entry.minval);
          });
      });
      json.attributeArray("skipped", [&] {
        for (const SkippedEntry &entry : skipped)
          json.object([&] {
            json.attribute("op", entry.op);
            json.attribute("loc", entry.loc);
            json.attribute("reason", entry.reason);
          });
      });
      json.attributeObject("totals", [&] {
        json.attribute("bytes_before", before);
        json.attribute("bytes_after", after);
      });
    });
    os << "\n";
    return llvm::Error::success();
  });
}

static llvm::Error append(llvm::StringRef path,
                          llvm::ArrayRef<QuantReport::SkippedEntry> skipped) {
  if (!llvm::sys::fs::exists(path)) {
    QuantReport report;
    report.skipped = skipped.vec();
    return report.write(path);
  }
  if (skipped.empty())
    return llvm::Error::success();
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::errorCodeToError(buffer.getError());
  llvm::Expected<llvm::json::Value> json =
      llvm::json::parse((*buffer)->getBuffer());
  if (!json)
    return json.takeError();
  llvm::json::Object *object = json->getAsObject();
  llvm::json::Array *entries = object ? object->getArray("skipped") : nullptr;
  if (!entries || object->getInteger("version") != 1)
    return llvm::createStringError(
        "expected a report of version 1, found another file: remove it");
  for (const QuantReport::SkippedEntry &entry : skipped)
    entries->push_back(llvm::json::Object{
        {"op", entry.op}, {"loc", entry.loc}, {"reason", entry.reason}});
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    llvm::json::OStream out(os, /*IndentSize=*/2);
    // In the order of the writer above.
    out.object([&] {
      for (StringRef key :
           {"version", "weights", "activations", "skipped", "totals"})
        if (const llvm::json::Value *value = object->get(key))
          out.attribute(key, *value);
    });
    os << "\n";
    return llvm::Error::success();
  });
}

llvm::LogicalResult
quant_mlir::appendSkipped(mlir::ModuleOp module, llvm::StringRef path,
                          llvm::ArrayRef<QuantReport::SkippedEntry> skipped) {
  if (path.empty())
    return llvm::success();
  return checkWritten(module, path, append(path, skipped));
}

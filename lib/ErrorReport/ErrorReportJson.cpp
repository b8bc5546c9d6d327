//===- ErrorReportJson.cpp - The error report as JSON ---------------------===//

#include "quant-mlir/ErrorReport/ErrorReport.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace quant_mlir;
namespace json = llvm::json;

/// Bins of a histogram in the file: enough to draw.
static constexpr int numBins = 64;

/// Text of a model may hold any bytes.
static std::string toUtf8(llvm::StringRef text) {
  return json::isUTF8(text) ? text.str() : json::fixUTF8(text);
}

static void writeSqnr(json::OStream &os, llvm::StringRef key,
                      const ErrorStatistics &errors, const Deviation &which) {
  if (std::optional<double> sqnr = errors.getSqnrDb(which))
    os.attribute(key, *sqnr);
  else
    os.attribute(key, nullptr);
}

static void writeHistogram(json::OStream &os, llvm::StringRef key,
                           const numerics::Histogram &histogram) {
  numerics::Histogram coarse = coarsen(histogram, numBins);
  os.attributeObject(key, [&] {
    os.attribute("width_log2", coarse.widthLog2());
    os.attribute("first", coarse.first());
    os.attributeArray("counts", [&] {
      for (uint64_t count : coarse.counts())
        os.value(count);
    });
  });
}

static void writeOp(json::OStream &os, const OpErrors &op) {
  const ErrorStatistics &errors = op.errors;
  os.attribute("op", toUtf8(op.op));
  os.attribute("id", toUtf8(op.id));
  os.attribute("kind", toUtf8(op.kind));
  os.attribute("loc", toUtf8(op.loc));
  os.attribute("index", op.index);
  os.attribute("dtype", op.dtype);
  os.attribute("elements", errors.getCount());
  os.attribute("nonfinite", errors.getNonFinite());
  os.attribute("reference_rms", errors.getReferenceRms());
  writeSqnr(os, "sqnr_db", errors, errors.getTotal());
  writeSqnr(os, "local_sqnr_db", errors, errors.getLocal());
  writeSqnr(os, "inherited_sqnr_db", errors, errors.getInherited());
  os.attribute("max_abs_error", errors.getTotal().maxAbs);
  os.attribute("local_max_abs_error", errors.getLocal().maxAbs);
  os.attribute("inherited_max_abs_error", errors.getInherited().maxAbs);
  os.attribute("error", errors.getRms(errors.getTotal()));
  os.attribute("local_error", errors.getRms(errors.getLocal()));
  os.attribute("inherited_error", errors.getRms(errors.getInherited()));
  if (op.codes) {
    os.attribute("clipped_share", op.codes->getClippedShare());
    os.attribute("codes_used_share", op.codes->getUsedShare());
  } else {
    os.attribute("clipped_share", nullptr);
    os.attribute("codes_used_share", nullptr);
  }
  os.attributeArray("weights", [&] {
    for (const WeightErrors &weight : op.weights)
      os.object([&] {
        os.attribute("dtype", weight.dtype);
        os.attribute("elements", weight.errors.getCount());
        writeSqnr(os, "sqnr_db", weight.errors, weight.errors.getTotal());
        os.attribute("max_abs_error", weight.errors.getTotal().maxAbs);
        os.attribute("codes_used_share", weight.codes.getUsedShare());
      });
  });
  os.attributeObject("histograms", [&] {
    writeHistogram(os, "reference", errors.getReferenceValues());
    writeHistogram(os, "quantized", errors.getQuantizedValues());
    writeHistogram(os, "error", errors.getErrors());
  });
}

static void writeOutput(json::OStream &os, const OutputErrors &output) {
  const ErrorStatistics &errors = output.errors;
  os.attribute("index", output.index);
  os.attribute("type", output.type);
  os.attribute("elements", errors.getCount());
  os.attribute("nonfinite", errors.getNonFinite());
  writeSqnr(os, "sqnr_db", errors, errors.getTotal());
  os.attribute("max_abs_error", errors.getTotal().maxAbs);
  os.attribute("error", errors.getRms(errors.getTotal()));
  if (output.rows == 0)
    os.attribute("same_argmax_share", nullptr);
  else
    os.attribute("same_argmax_share",
                 double(output.sameArgmax) / double(output.rows));
}

static void writeRemarks(json::OStream &os, llvm::StringRef key,
                         const std::vector<OpRemark> &remarks) {
  os.attributeArray(key, [&] {
    for (const OpRemark &remark : remarks)
      os.object([&] {
        os.attribute("op", toUtf8(remark.op));
        os.attribute("loc", toUtf8(remark.loc));
        os.attribute("reason", toUtf8(remark.reason));
      });
  });
}

void quant_mlir::writeJson(llvm::raw_ostream &os, const ErrorReport &report,
                           bool pretty) {
  json::OStream stream(os, pretty ? 2 : 0);
  stream.object([&] {
    stream.attribute("version", 1);
    stream.attribute("model", toUtf8(report.model));
    stream.attribute("reference", toUtf8(report.reference));
    stream.attribute("samples", report.samples);
    stream.attribute("batches", report.batches);
    stream.attributeArray("outputs", [&] {
      for (const OutputErrors &output : report.outputs)
        stream.object([&] { writeOutput(stream, output); });
    });
    stream.attributeArray("ops", [&] {
      for (const OpErrors &op : report.ops)
        stream.object([&] { writeOp(stream, op); });
    });
    writeRemarks(stream, "float_ops", report.floatOps);
    writeRemarks(stream, "not_compared", report.notCompared);
  });
  os << '\n';
}

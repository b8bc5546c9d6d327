//===- QuantReport.cpp - What was done, what was left, and why ------------===//

#include "quant-mlir/Dialect/Quant/Transforms/QuantReport.h"

#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace quant_mlir;

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
      json.attributeArray("activations", [] {});
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

//===- VerifyQuantizedForm.cpp - What belongs in level 1 ------------------===//
//
// See FormChecks.cpp for how codes are followed, and for what is not seen.
//
//===----------------------------------------------------------------------===//

#include "FormChecks.h"

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "mlir/Dialect/Quant/IR/Quant.h"

namespace quant_mlir {
#define GEN_PASS_DEF_VERIFYQUANTIZEDFORMPASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-verify-quantized-form"

using namespace mlir;
using namespace quant_mlir;

namespace {

class VerifyQuantizedFormPass
    : public quant_mlir::impl::VerifyQuantizedFormPassBase<
          VerifyQuantizedFormPass> {
public:
  void runOnOperation() override {
    quant_mlir::detail::FormChecks checks(getOperation(), /*level=*/1);
    checks.check();
    numRejected += checks.emitErrors();
    if (numRejected != 0)
      signalPassFailure();
  }
};

} // namespace

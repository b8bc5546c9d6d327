//===- VectorizeGenerics.cpp - linalg.generic as loops over vectors -------===//
//
// What has no kernel of its own is a linalg.generic by now: quantization and
// its parameters at run time, the reference lowering, a model's own elementwise
// operations. Where one loop moves all operands by one element, or not at all,
// it runs on vectors, and every element is computed as it was: the order in
// which a result is reduced changes only where no order gives another.
//
// Upstream's vectorization knows neither parameters of blocks, whose maps
// divide, nor a maximum of what is finite, and it masks what is left over.
//
//===----------------------------------------------------------------------===//

#include "GenericKernel.h"
#include "RoundedQuotients.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Target/CPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/MathExtras.h"

namespace quant_mlir {
#define GEN_PASS_DEF_VECTORIZEGENERICSPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-vectorize-generics"

using namespace mlir;
using namespace quant_mlir;

/// Iterations from which on threads are woken: some tens of microseconds of
/// scalar work, several times what that costs.
static constexpr int64_t minParallelIterations = 1 << 16;

bool quant_mlir::isWorthThreads(linalg::LinalgOp op) {
  int64_t iterations = 1;
  for (int64_t size : op.getStaticLoopRanges()) {
    if (ShapedType::isDynamic(size) ||
        llvm::MulOverflow(iterations, size, iterations))
      return true;
  }
  return iterations >= minParallelIterations;
}

namespace {
struct VectorizeGenericsPass
    : public quant_mlir::impl::VectorizeGenericsPassBase<
          VectorizeGenericsPass> {
  using VectorizeGenericsPassBase::VectorizeGenericsPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    llvm::Expected<CPUTarget> found = CPUTarget::get({cpu, features, triple});
    if (!found)
      return emitError(UnknownLoc::get(context))
             << llvm::toString(found.takeError());
    target = std::make_shared<CPUTarget>(std::move(*found));
    return success();
  }

  void runOnOperation() override {
    SmallVector<linalg::GenericOp> ops;
    getOperation()->walk([&](linalg::GenericOp op) { ops.push_back(op); });
    for (linalg::GenericOp op : ops) {
      GenericLoops loops = analyzeGeneric(op, *target);
      if (!loops.reason.empty()) {
        LDBG() << op.getLoc() << ": " << loops.reason;
        ++numLeft;
        continue;
      }
      // Sixteen quotients take ten cycles, and the six operations in their
      // place three; eight take five, and six are no less.
      if (target->hasFMA() && target->getVectorBytes() == 64)
        multiplyByReciprocals(op, loops);
      OpBuilder builder(op);
      GenericKernel(op, loops, *target, parallel && isWorthThreads(op), builder)
          .build();
      op->erase();
      ++numVectorized;
    }
  }

private:
  std::shared_ptr<const CPUTarget> target;
};
} // namespace

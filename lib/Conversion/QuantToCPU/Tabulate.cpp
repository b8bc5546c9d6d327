//===- Tabulate.cpp - Tables in place of functions of one code ------------===//
//
// On buffers: bodies are what would run, with every type and operation as it
// was expanded, and checks of indices are made by then, of which a table needs
// none.
//
//===----------------------------------------------------------------------===//

#include "CodeFunction.h"
#include "TableLookup.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Target/CPU.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace quant_mlir {
#define GEN_PASS_DEF_TABULATEPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

/// Operations of one invocation that a load from a constant counts as.
static constexpr int64_t gpuLookup = 8;

/// Elements that a table can have: a load finds them by themselves.
static bool isWholeBytes(Type type) {
  return type.isIntOrFloat() && type.getIntOrFloatBitWidth() % 8 == 0;
}

namespace {
struct TabulatePass : public quant_mlir::impl::TabulatePassBase<TabulatePass> {
  using TabulatePassBase::TabulatePassBase;

  LogicalResult initialize(MLIRContext *context) override {
    llvm::Expected<CPUTarget> found = CPUTarget::get({cpu, features, triple});
    if (!found)
      return emitError(UnknownLoc::get(context))
             << llvm::toString(found.takeError());
    target = std::make_shared<CPUTarget>(std::move(*found));
    return success();
  }

  void runOnOperation() override {
    getOperation()->walk([&](linalg::GenericOp op) {
      if (!op.hasPureBufferSemantics())
        return;
      for (OpOperand &result : op.getBody()->getTerminator()->getOpOperands())
        tabulate(op, result);
      for (Operation &inner :
           llvm::make_early_inc_range(llvm::reverse(*op.getBody())))
        if (isOpTriviallyDead(&inner))
          inner.erase();
    });
  }

private:
  /// Whether the lookup takes less than `function`; of any table where there is
  /// none yet.
  bool pays(const CodeFunction &function, DenseElementsAttr table) {
    if (!function.result.getType().isInteger(8))
      return function.hasCall();
    int64_t cost = function.countInstructions(/*onVectors=*/!onGPU);
    if (onGPU)
      return cost > gpuLookup;
    SmallVector<uint8_t> entries(256, 0);
    if (table)
      for (auto [entry, value] :
           llvm::zip_equal(entries, table.getValues<APInt>()))
        entry = value.getZExtValue();
    return cost > countLookupInstructions(*target, entries);
  }

  void tabulate(linalg::GenericOp op, OpOperand &result) {
    std::optional<CodeFunction> function = matchCodeFunction(op, result.get());
    if (!function || !isWholeBytes(result.get().getType()))
      return;
    if (!pays(*function, {})) {
      ++numShort;
      return;
    }
    std::string reason;
    DenseElementsAttr table = evaluate(*function, reason);
    if (!table) {
      op.emitRemark() << "computes a function of one code for each element "
                         "rather than reads it from a table: "
                      << reason;
      ++numLeft;
      return;
    }
    if (!pays(*function, table)) {
      ++numShort;
      return;
    }
    OpBuilder builder(op);
    KernelBuilder kernel(builder, op.getLoc());
    Value constant = kernel.constant("quant.table", table);
    builder.setInsertionPoint(result.getOwner());
    Value index = arith::IndexCastUIOp::create(
        builder, kernel.loc, builder.getIndexType(), function->code);
    result.set(memref::LoadOp::create(builder, kernel.loc, constant,
                                      ValueRange(index)));
    ++numTables;
  }

  std::shared_ptr<const CPUTarget> target;
};
} // namespace

//===- QuantExtension.cpp - Our ops inside upstream's quant dialect -------===//

#include "quant-mlir/Dialect/Quant/IR/QuantExtension.h"

#include "IntegerFormModels.h"

#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"
#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// Adds one operation unless it is there already. An extension cannot call the
/// dialect's protected addOperations.
template <typename OpTy>
void insertOp(MLIRContext *context, Dialect &dialect) {
  StringRef name = OpTy::getOperationName();
  std::optional<RegisteredOperationName> known =
      RegisteredOperationName::lookup(name, context);
  if (!known)
    return RegisteredOperationName::insert<OpTy>(dialect);
  if (known->getTypeID() != TypeID::get<OpTy>())
    llvm::report_fatal_error(
        Twine("quant-mlir: expected to add the operation '") + name +
            "' to the quant dialect, found another one of that name: load "
            "quant-mlir once, and no other extension of quant beside it",
        /*gen_crash_diag=*/false);
}

template <typename... OpTys>
void insertOps(MLIRContext *context, Dialect &dialect) {
  (insertOp<OpTys>(context, dialect), ...);
}

class QuantExtension
    : public DialectExtension<QuantExtension, mlir::quant::QuantDialect> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(QuantExtension)

  void apply(MLIRContext *context,
             mlir::quant::QuantDialect *dialect) const override {
    // Our operations carry qparams attributes, so whoever has them can parse
    // those too.
    context->getOrLoadDialect<QParamsDialect>();
    insertOps<
#define GET_OP_LIST
#include "quant-mlir/Dialect/Quant/IR/QuantOps.cpp.inc"
        >(context, *dialect);
    insertOps<
#define GET_OP_LIST
#include "quant-mlir/Dialect/Quant/IR/KernelOps.cpp.inc"
        >(context, *dialect);
    attachIntegerFormBufferization(context);
    attachIntegerFormTiling(context);
  }
};

} // namespace

void quant_mlir::registerQuantExtension(DialectRegistry &registry) {
  // A plugin has a copy of this code, with types of its own; the first to come
  // serves everyone.
  if (registry.getDialectAllocator(QParamsDialect::getDialectNamespace()))
    return;
  registry.insert<QParamsDialect, mlir::quant::QuantDialect>();
  registry.addExtensions<QuantExtension>();
  registerQuantizableOpInterfaceModels(registry);
}

//===- embed.cpp - quant-mlir inside another compiler ---------------------===//
//
// A compiler with an operation of its own, my.dense. Registers the dialects,
// parses a model, quantizes its weights to int4 with one scale per 32 elements,
// those of my.dense included, and prints it. Usage: embed model.mlir
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"
#include "quant-mlir/InitAll.h"
#include "quant-mlir/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

namespace my {

/// y = x * transpose(w), with w of shape outputs x inputs.
class DenseOp
    : public mlir::Op<DenseOp, mlir::OpTrait::NOperands<2>::Impl,
                      mlir::OpTrait::OneResult, mlir::OpTrait::ZeroRegions> {
public:
  using Op::Op;
  static llvm::StringRef getOperationName() { return "my.dense"; }
  static llvm::ArrayRef<llvm::StringRef> getAttributeNames() { return {}; }
};

class MyDialect : public mlir::Dialect {
public:
  explicit MyDialect(mlir::MLIRContext *context)
      : Dialect(getDialectNamespace(), context,
                mlir::TypeID::get<MyDialect>()) {
    addOperations<DenseOp>();
  }
  static llvm::StringRef getDialectNamespace() { return "my"; }
};

/// What the passes of quant-mlir have to know of my.dense.
struct DenseModel
    : public quant_mlir::QuantizableOpInterface::ExternalModel<DenseModel,
                                                               DenseOp> {
  llvm::StringRef getQuantizableKind(mlir::Operation *) const {
    return "matmul";
  }
  llvm::SmallVector<quant_mlir::QuantizableOperand>
  getQuantizableOperands(mlir::Operation *op) const {
    using quant_mlir::DimRole;
    return {{&op->getOpOperand(0), {}},
            {&op->getOpOperand(1),
             {DimRole::OutputChannel, DimRole::Reduction}}};
  }
};

} // namespace my

int main(int argc, char **argv) {
  if (argc != 2) {
    llvm::errs() << "usage: embed model.mlir\n";
    return 1;
  }
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  quant_mlir::registerAllDialects(registry);
  registry.insert<my::MyDialect>();
  registry.addExtension(+[](mlir::MLIRContext *context, my::MyDialect *) {
    my::DenseOp::attachInterface<my::DenseModel>(*context);
  });
  mlir::MLIRContext context(registry);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceFile<mlir::ModuleOp>(argv[1], &context);
  if (!module)
    return 1;

  quant_mlir::QuantPipelineOptions options;
  options.quantizeWeights.emplace();
  options.quantizeWeights->dtype = "int4";
  options.quantizeWeights->granularity = "per_block";
  options.quantizeWeights->blockSize = {32};
  mlir::PassManager pm(&context);
  quant_mlir::buildQuantPipeline(pm, options);
  if (mlir::failed(pm.run(*module)))
    return 1;
  module->print(llvm::outs());
  return 0;
}

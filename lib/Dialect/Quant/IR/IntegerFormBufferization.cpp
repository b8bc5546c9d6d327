//===- IntegerFormBufferization.cpp - Buffers for the integer form --------===//
//
// An operation on tensors becomes the same operation on buffers, which writes
// its destination and has no result.
//
// The destination never shares a buffer with an input, not even where both are
// walked alike (add, a residual): kernels may compute overlapping tiles at the
// end of a row, and the second of two tiles has to find the inputs as they were.
//
//===----------------------------------------------------------------------===//

#include "IntegerFormModels.h"

#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace quant_mlir;
using namespace mlir::bufferization;

namespace {

/// %y = quant.op ins(%x : tensor) outs(%o : tensor) -> tensor
///   -> quant.op ins(%x : memref) outs(%o : memref)
///      uses of %y: %o
template <typename OpTy>
struct IntegerFormModel
    : public DstBufferizableOpInterfaceExternalModel<IntegerFormModel<OpTy>,
                                                     OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &state) const {
    // Every element of the destination is written, none is read.
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    if (op->getNumResults() == 0)
      return success();
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    SmallVector<Value> inits;
    for (OpOperand &init :
         cast<DestinationStyleOpInterface>(op).getDpsInitsMutable())
      inits.push_back(buffers[init.getOperandNumber()]);
    rewriter.setInsertionPoint(op);
    // Segments are properties, so they come along.
    OperationState buffered(op->getLoc(), op->getName(), buffers, TypeRange(),
                            op->getDiscardableAttrDictionary().getValue());
    buffered.propertiesAttr = op->getPropertiesAsAttribute();
    rewriter.create(buffered);
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};

template <typename... OpTys> void attach(MLIRContext *context) {
  (OpTys::template attachInterface<IntegerFormModel<OpTys>>(*context), ...);
}

} // namespace

void quant_mlir::attachIntegerFormBufferization(MLIRContext *context) {
  attach<ContractOp, AddOp, MulOp, PoolOp, PackColumnsOp>(context);
}

//===- WidenStorage.cpp - Codes in memory, one per byte -------------------===//
//
// Works in place, in this order: what computes on elements is brought into
// linalg.generic form; then every tensor type changes at once, so that no value
// ever has two types; then the operations that hand elements between tensors
// and registers get casts at that boundary. Signless integers of 2 to 7 bits
// and floats of at most 8 bits are narrow; i1 has a well-defined memory form.
//
//===----------------------------------------------------------------------===//

#include "WidenConstants.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Conversion/Utils/SmallFloatArith.h"
#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"
#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace quant_mlir {
#define GEN_PASS_DEF_WIDENSTORAGEPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

namespace {

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

bool isNarrow(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.getWidth() > 1 && integer.getWidth() < 8;
  auto floating = dyn_cast<FloatType>(type);
  return floating && floating.getWidth() <= 8;
}

bool isNarrowTensor(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  return tensor && isNarrow(tensor.getElementType());
}

/// A narrow scalar, or a vector of them.
bool isNarrowElement(Type type) {
  return !isa<ShapedType>(type)
             ? isNarrow(type)
             : isa<VectorType>(type) && isNarrow(getElementTypeOrSelf(type));
}

Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

/// Whether a type for which `predicate` holds occurs anywhere in `type`.
bool contains(Type type, function_ref<bool(Type)> predicate) {
  return type
      .walk([&](Type nested) {
        return predicate(nested) ? WalkResult::interrupt()
                                 : WalkResult::advance();
      })
      .wasInterrupted();
}

/// The first type of `op` (operands, results, arguments of its regions, its
/// function type) in which one occurs for which `predicate` holds.
Type findType(Operation *op, function_ref<bool(Type)> predicate) {
  auto find = [&](TypeRange types) -> Type {
    auto it = llvm::find_if(
        types, [&](Type type) { return contains(type, predicate); });
    return it == types.end() ? Type() : *it;
  };
  if (Type type = find(op->getOperandTypes()))
    return type;
  if (Type type = find(op->getResultTypes()))
    return type;
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (Type type = find(block.getArgumentTypes()))
        return type;
  if (auto function = dyn_cast<FunctionOpInterface>(op))
    return find(function.getFunctionType());
  return {};
}

//===----------------------------------------------------------------------===//
// Which operations can be widened
//===----------------------------------------------------------------------===//

/// Operations that hand single elements, or vectors of them, to or from
/// tensors.
bool isElementBoundary(Operation *op) {
  return isa<linalg::GenericOp, linalg::PackOp, linalg::UnPackOp,
             vector::TransferReadOp, vector::TransferWriteOp>(op) ||
         isa_and_nonnull<tensor::TensorDialect>(op->getDialect());
}

/// Operations that move whole tensors, whatever their elements are.
bool movesTensors(Operation *op) {
  return isa<FunctionOpInterface, arith::ConstantOp, arith::SelectOp>(op) ||
         isa_and_nonnull<cf::ControlFlowDialect, func::FuncDialect,
                         scf::SCFDialect>(op->getDialect());
}

LogicalResult checkOp(Operation *op) {
  auto isSubByteMemRef = [](Type type) {
    auto memref = dyn_cast<BaseMemRefType>(type);
    return memref && isNarrow(memref.getElementType());
  };
  if (Type type = findType(op, isSubByteMemRef))
    return op->emitOpError()
           << "expected tensors of narrow elements, found the memref " << type
           << ": widen storage before bufferization";
  Type type = findType(op, isNarrowTensor);
  if (!type)
    return success();
  auto isSigned = [](Type nested) {
    auto tensor = dyn_cast<TensorType>(nested);
    return tensor && isNarrow(tensor.getElementType()) &&
           tensor.getElementType().isInteger() &&
           !tensor.getElementType().isSignlessInteger();
  };
  if (Type type = findType(op, isSigned))
    return op->emitOpError() << "expected signless codes, found " << type
                             << ": signedness is part of the parameters";
  if (isElementBoundary(op) || movesTensors(op))
    return success();
  // Kernels of packed weights read codes as bytes, and so do those that pack.
  if (auto contract = dyn_cast<ContractOp>(op);
      (contract && contract.getLayout()) || isa<PackColumnsOp>(op))
    return success();
  if (isa_and_nonnull<mlir::quant::QuantDialect>(op->getDialect()))
    return op->emitOpError()
           << "expected quant operations to be lowered before "
              "storage is widened, found "
           << type << ": run quant-to-linalg first";
  return op->emitOpError()
         << "expected only func, scf, cf, tensor and linalg operations on "
         << type
         << ", found one that may compute with its elements: lower it to "
            "linalg "
            "before storage is widened";
}

//===----------------------------------------------------------------------===//
// The boundary between tensors and registers
//===----------------------------------------------------------------------===//

/// Casts between a code in a register and its byte. A code that came from a
/// byte goes back as that byte, so that moving elements costs nothing.
class ElementCasts {
public:
  /// Turns `value`, a scalar or vector of narrow type, into its byte, for uses
  /// at the builder's place.
  Value widen(OpBuilder &builder, Location loc, Value value) {
    if (Value byte = bytes.lookup(value))
      return byte;
    if (isa<FloatType>(getElementTypeOrSelf(value.getType())))
      return buildToCode(builder, loc, value);
    ElementArith arith(builder, loc, value);
    return arith.cast<arith::ExtUIOp>(arith.intType(8), value);
  }

  /// Gives `value` (a result or block argument) a byte type and its users the
  /// code as before; the builder stands where the code is to be made.
  void narrow(OpBuilder &builder, Value value) {
    Type type = value.getType();
    Type element = getElementTypeOrSelf(type);
    value.setType(withElement(type, builder.getI8Type()));
    Value code;
    if (auto floating = dyn_cast<FloatType>(element)) {
      code = buildFromCode(builder, value.getLoc(), value, floating);
    } else {
      ElementArith arith(builder, value.getLoc(), value);
      code = arith.cast<arith::TruncIOp>(element, value);
    }
    // The casts are a chain of operations with one operand each.
    Operation *first = code.getDefiningOp();
    while (first->getOperand(0) != value)
      first = first->getOperand(0).getDefiningOp();
    value.replaceAllUsesExcept(code, first);
    bytes[code] = value;
  }

  /// Erases the codes that nobody needed after all.
  void eraseUnused() {
    for (auto &[code, byte] : bytes) {
      Operation *op = code.getDefiningOp();
      while (op && op->use_empty()) {
        Value operand = op->getOperand(0);
        op->erase();
        op = operand == byte ? nullptr : operand.getDefiningOp();
      }
    }
  }

private:
  DenseMap<Value, Value> bytes; ///< code made by `narrow` -> its byte
};

void widenElementOperands(OpBuilder &builder, Operation *op,
                          ElementCasts &casts) {
  builder.setInsertionPoint(op);
  for (OpOperand &operand : op->getOpOperands())
    if (isNarrowElement(operand.get().getType()))
      operand.set(casts.widen(builder, op->getLoc(), operand.get()));
}

/// tensor.extract %t : tensor<4xi4>
///   -> trunci (tensor.extract %t : tensor<4xi8>)
/// and likewise for scalar operands, arguments of regions and what they yield.
void widenBoundary(Operation *op, ElementCasts &casts) {
  OpBuilder builder(op->getContext());
  widenElementOperands(builder, op, casts);
  for (Region &region : op->getRegions())
    for (Block &block : region) {
      builder.setInsertionPointToStart(&block);
      for (BlockArgument argument : block.getArguments())
        if (isNarrowElement(argument.getType()))
          casts.narrow(builder, argument);
      if (block.mightHaveTerminator())
        widenElementOperands(builder, block.getTerminator(), casts);
    }
  builder.setInsertionPointAfter(op);
  for (Value result : op->getResults())
    if (isNarrowElement(result.getType()))
      casts.narrow(builder, result);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct WidenStoragePass
    : public quant_mlir::impl::WidenStoragePassBase<WidenStoragePass> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    linalg::populateElementwiseToLinalgConversionPatterns(set);
    elementwise = std::move(set);
    return success();
  }
  void runOnOperation() override;

private:
  LogicalResult generalize();
  LogicalResult widenConstant(arith::ConstantOp op);

  FrozenRewritePatternSet elementwise;
};

/// Operations on narrow tensors whose computation follows from their element
/// types become linalg.generic, which says it in a body.
LogicalResult WidenStoragePass::generalize() {
  SmallVector<linalg::LinalgOp> named;
  SmallVector<Operation *> mappable;
  getOperation().walk([&](Operation *op) {
    if (!findType(op, isNarrowTensor))
      return;
    auto structured = dyn_cast<linalg::LinalgOp>(op);
    if (structured && !isa<linalg::GenericOp>(op))
      named.push_back(structured);
    else if (OpTrait::hasElementwiseMappableTraits(op) &&
             llvm::all_of(op->getOperandTypes(), llvm::IsaPred<TensorType>))
      mappable.push_back(op);
  });
  IRRewriter rewriter(&getContext());
  for (linalg::LinalgOp op : named) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::generalizeNamedOp(rewriter, op)))
      return op->emitOpError()
             << "expected a named operation that has a linalg.generic form, "
                "found none: it cannot work on bytes as it is";
  }
  GreedyRewriteConfig config;
  config.setStrictness(GreedyRewriteStrictness::ExistingOps)
      .enableFolding(false);
  // Operations that no pattern knows stay, and are reported with the others.
  (void)applyOpPatternsGreedily(mappable, elementwise, config);
  return success();
}

/// arith.constant dense<…> : tensor<4xi4> -> dense<…> : tensor<4xi8>
LogicalResult WidenStoragePass::widenConstant(arith::ConstantOp op) {
  auto elements = dyn_cast<ElementsAttr>(op.getValue());
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!elements || !type)
    return op.emitOpError() << "expected elements, found " << op.getValue();
  ElementsAttr bytes =
      widenElements(elements, type.clone(IntegerType::get(op.getContext(), 8)));
  if (!bytes)
    return op.emitOpError() << "expected dense or dense_resource elements with "
                               "one byte per code "
                               "in memory, found "
                            << elements;
  op.setValueAttr(bytes);
  ++numConstants;
  return success();
}

void WidenStoragePass::runOnOperation() {
  ModuleOp module = getOperation();
  if (failed(generalize()))
    return signalPassFailure();

  SmallVector<Operation *> boundaries;
  SmallVector<arith::ConstantOp> constants;
  bool isValid = true;
  module.walk([&](Operation *op) {
    // All of them are reported, not only the first.
    isValid &= succeeded(checkOp(op));
    if (!findType(op, isNarrowTensor))
      return;
    if (isElementBoundary(op))
      boundaries.push_back(op);
    else if (auto constant = dyn_cast<arith::ConstantOp>(op))
      constants.push_back(constant);
  });
  if (!isValid)
    return signalPassFailure();
  for (arith::ConstantOp constant : constants)
    if (failed(widenConstant(constant)))
      return signalPassFailure();

  AttrTypeReplacer replacer;
  Type byte = IntegerType::get(&getContext(), 8);
  replacer.addReplacement([&](TensorType type) -> std::optional<Type> {
    if (!isNarrow(type.getElementType()))
      return std::nullopt;
    return type.clone(byte);
  });
  module.walk([&](Operation *op) {
    for (Value result : op->getResults())
      result.setType(replacer.replace(result.getType()));
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setType(replacer.replace(argument.getType()));
    if (auto function = dyn_cast<FunctionOpInterface>(op))
      function.setFunctionTypeAttr(
          TypeAttr::get(replacer.replace(function.getFunctionType())));
  });

  ElementCasts casts;
  for (Operation *op : boundaries) {
    widenBoundary(op, casts);
    // Between two narrow types of one width it is the identity on bytes.
    if (auto bitcast = dyn_cast<tensor::BitcastOp>(op);
        bitcast && bitcast.getType() == bitcast.getSource().getType()) {
      bitcast.replaceAllUsesWith(bitcast.getSource());
      bitcast.erase();
    }
  }
  casts.eraseUnused();
}

} // namespace

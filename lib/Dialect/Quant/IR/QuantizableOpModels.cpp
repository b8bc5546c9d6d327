//===- QuantizableOpModels.cpp - Upstream ops as quantizable ops ----------===//
//
// External models of QuantizableOpInterface for `linalg` and `tensor`. What a
// structured operation is follows from its indexing maps and its body
// (WeightedOps.cpp, UnweightedOps.cpp), never from its name.
//
//===----------------------------------------------------------------------===//

#include "OpClass.h"

#include "quant-mlir/Dialect/Quant/IR/ElementwiseBody.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectRegistry.h"


using namespace mlir;
using namespace quant_mlir;

static OpClass classify(Operation *op) {
  auto linalgOp = cast<linalg::LinalgOp>(op);
  OpClass result = classifyWeighted(linalgOp);
  return result.kind.empty() ? classifyUnweighted(linalgOp) : result;
}

namespace {

struct LinalgModel
    : public QuantizableOpInterface::FallbackModel<LinalgModel> {
  StringRef getQuantizableKind(Operation *op) const { return classify(op).kind; }
  SmallVector<QuantizableOperand> getQuantizableOperands(Operation *op) const {
    return classify(op).operands;
  }
  ValueEffect getValueEffect(Operation *op) const { return classify(op).effect; }
  SmallVector<OpOperand *> getValueSources(Operation *op) const {
    return classify(op).sources;
  }
  std::optional<Epilogue> getEpilogue(Operation *op) const {
    return classify(op).epilogue;
  }
  std::optional<FloatRange> getKnownOutputRange(Operation *op) const {
    return classify(op).knownRange;
  }
};

/// linalg.softmax is no structured operation with a body.
struct SoftmaxModel
    : public QuantizableOpInterface::ExternalModel<SoftmaxModel,
                                                   linalg::SoftmaxOp> {
  StringRef getQuantizableKind(Operation *) const { return "softmax"; }
  std::optional<FloatRange> getKnownOutputRange(Operation *) const {
    return FloatRange{0, 1};
  }
};

/// Rows of a table at computed indices: gathered dimensions index the rows.
struct GatherModel
    : public QuantizableOpInterface::ExternalModel<GatherModel,
                                                   tensor::GatherOp> {
  StringRef getQuantizableKind(Operation *) const { return "embedding"; }
  SmallVector<QuantizableOperand> getQuantizableOperands(Operation *op) const {
    auto gather = cast<tensor::GatherOp>(op);
    SmallVector<DimRole> roles(gather.getSourceType().getRank(),
                               DimRole::Reduction);
    for (int64_t dim : gather.getGatherDims())
      roles[dim] = DimRole::OutputChannel;
    return {{&gather.getSourceMutable(), std::move(roles)}};
  }
};

/// The result has the elements of the first operand.
template <typename OpTy>
struct MoveModel
    : public QuantizableOpInterface::ExternalModel<MoveModel<OpTy>, OpTy> {
  ValueEffect getValueEffect(Operation *) const { return ValueEffect::Moves; }
  SmallVector<OpOperand *> getValueSources(Operation *op) const {
    return {&op->getOpOperand(0)};
  }
};

struct ConcatModel
    : public QuantizableOpInterface::ExternalModel<ConcatModel,
                                                   tensor::ConcatOp> {
  ValueEffect getValueEffect(Operation *) const { return ValueEffect::Moves; }
  SmallVector<OpOperand *> getValueSources(Operation *op) const {
    return llvm::to_vector(
        llvm::map_range(op->getOpOperands(), [](OpOperand &o) { return &o; }));
  }
};

/// The result has elements of both the slice and what it is put into, unless
/// that is zero or not yet written.
struct InsertSliceModel
    : public QuantizableOpInterface::ExternalModel<InsertSliceModel,
                                                   tensor::InsertSliceOp> {
  ValueEffect getValueEffect(Operation *) const { return ValueEffect::Moves; }
  SmallVector<OpOperand *> getValueSources(Operation *op) const {
    auto insert = cast<tensor::InsertSliceOp>(op);
    SmallVector<OpOperand *> sources = {&insert.getSourceMutable()};
    if (!insert.getDest().getDefiningOp<tensor::EmptyOp>() &&
        getSplatValue(insert.getDest()) != 0.0)
      sources.push_back(&insert.getDestMutable());
    return sources;
  }
};

/// Padding with 0.0 adds a value that every range includes, and padding of a
/// maximum with the lowest one adds none. With any other value the result has a
/// range of its own. Codes are padded with a code.
struct PadModel
    : public QuantizableOpInterface::ExternalModel<PadModel, tensor::PadOp> {
  ValueEffect getValueEffect(Operation *op) const {
    auto pad = cast<tensor::PadOp>(op);
    Type element = pad.getResultType().getElementType();
    if (element.isInteger() ||
        (isa<FloatType>(element) && element.getIntOrFloatBitWidth() <= 8))
      return ValueEffect::Moves;
    Value padding = pad.getConstantPaddingValue();
    std::optional<double> value =
        padding ? getSplatValue(padding) : std::nullopt;
    if (value == 0.0)
      return ValueEffect::Moves;
    bool isLowestValue = value && isLowest(*value, element);
    bool feedsMaximum = llvm::all_of(op->getUsers(), [](Operation *user) {
      auto quantizable = dyn_cast<QuantizableOpInterface>(user);
      return quantizable && isa<linalg::LinalgOp>(user) &&
             quantizable.getValueEffect() == ValueEffect::Moves &&
             cast<linalg::LinalgOp>(user).getNumReductionLoops() > 0;
    });
    return isLowestValue && feedsMaximum ? ValueEffect::Moves
                                    : ValueEffect::Computes;
  }
  SmallVector<OpOperand *> getValueSources(Operation *op) const {
    if (getValueEffect(op) == ValueEffect::Computes)
      return {};
    return {&cast<tensor::PadOp>(op).getSourceMutable()};
  }
};

} // namespace

void quant_mlir::registerQuantizableOpInterfaceModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context,
                            linalg::LinalgDialect *dialect) {
    // getRegisteredOperationsByDialect of MLIR 22 finds nothing here: it searches
    // with a comparison that is true in both directions.
    for (RegisteredOperationName name : context->getRegisteredOperations())
      if (&name.getDialect() == dialect &&
          name.hasInterface<linalg::LinalgOp>() &&
          !name.hasInterface<QuantizableOpInterface>())
        name.attachInterface<LinalgModel>();
    linalg::SoftmaxOp::attachInterface<SoftmaxModel>(*context);
  });
  registry.addExtension(+[](MLIRContext *context, tensor::TensorDialect *) {
    tensor::GatherOp::attachInterface<GatherModel>(*context);
    tensor::ExpandShapeOp::attachInterface<MoveModel<tensor::ExpandShapeOp>>(
        *context);
    tensor::CollapseShapeOp::attachInterface<
        MoveModel<tensor::CollapseShapeOp>>(*context);
    tensor::ReshapeOp::attachInterface<MoveModel<tensor::ReshapeOp>>(*context);
    tensor::CastOp::attachInterface<MoveModel<tensor::CastOp>>(*context);
    tensor::ExtractSliceOp::attachInterface<MoveModel<tensor::ExtractSliceOp>>(
        *context);
    tensor::ConcatOp::attachInterface<ConcatModel>(*context);
    tensor::InsertSliceOp::attachInterface<InsertSliceModel>(*context);
    tensor::PadOp::attachInterface<PadModel>(*context);
  });
}

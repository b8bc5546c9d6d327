//===- PackActivations.cpp - Right-hand sides that are computed -----------===//
//
// A product of two activations (Q * K^T, P * V) has no weights that
// quant-pack-weights could have packed. A kernel of its own lays the codes out
// as panels, and another one adds up their columns, both in the arena; what
// multiplies them is the kernel of weights:
//
//   %e = tensor.empty                     where columns or codes of a column
//   %f = tensor.insert_slice %w into %e   fill no panel or no chunk
//   %p = linalg.generic over batches, panels, chunks, columns, codes
//          ins(%f at (batch, panel * columns + column, chunk * 16 + code))
//   %s = linalg.generic                   sums over the reduction
//   quant.contract … rhs(%p in <panels, …> sums %s …)
//
// What lies beyond the last column or code is any: results have no such column,
// and codes of lhs that it is multiplied with are zeros.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"

#include "quant-mlir/Conversion/Utils/ElementArith.h"
#include "quant-mlir/Conversion/Utils/RequantizeArith.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"
#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"
#include "quant-mlir/Dialect/Quant/Transforms/WholeDim.h"
#include "quant-mlir/Target/GPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quant_mlir;
using numerics::PanelLayout;
using utils::IteratorType;

/// `codes` with `columns` and `depth` filled up to whole panels and groups.
static Value fillUp(OpBuilder &builder, Location loc, Value codes,
                    const PanelLayout &layout, int64_t columns, int64_t depth) {
  auto type = cast<RankedTensorType>(codes.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[columns] = llvm::alignTo(shape[columns], layout.panel);
  shape[depth] = llvm::alignTo(shape[depth], layout.group);
  if (type.getShape() == ArrayRef(shape))
    return codes;
  Value empty =
      tensor::EmptyOp::create(builder, loc, shape, type.getElementType());
  SmallVector<OpFoldResult> zeros(shape.size(), builder.getIndexAttr(0)),
      ones(shape.size(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(
      builder, loc, codes, empty, zeros,
      getAsIndexOpFoldResult(builder.getContext(), type.getShape()), ones);
}

static Value buildPanels(OpBuilder &builder, Location loc, Value codes,
                         const PanelLayout &layout, int64_t columns,
                         int64_t depth) {
  MLIRContext *context = builder.getContext();
  codes = fillUp(builder, loc, codes, layout, columns, depth);
  auto type = cast<RankedTensorType>(codes.getType());
  SmallVector<int64_t> sizes;
  for (int64_t dim : layout.batch)
    sizes.push_back(type.getDimSize(dim));
  unsigned panel = sizes.size();
  sizes.append({type.getDimSize(columns) / layout.panel,
                type.getDimSize(depth) / layout.group, layout.panel,
                layout.group});
  auto loop = [&](unsigned number) {
    return getAffineDimExpr(number, context);
  };
  SmallVector<AffineExpr> position(type.getRank(),
                                   getAffineConstantExpr(0, context));
  for (auto [number, dim] : llvm::enumerate(layout.batch))
    position[dim] = loop(number);
  position[columns] = loop(panel) * layout.panel + loop(panel + 2);
  position[depth] = loop(panel + 1) * layout.group + loop(panel + 3);
  AffineMap maps[] = {AffineMap::get(sizes.size(), 0, position, context),
                      AffineMap::getMultiDimIdentityMap(sizes.size(), context)};
  Value init =
      tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  auto panels = linalg::GenericOp::create(
      builder, loc, init.getType(), codes, init, maps,
      SmallVector<IteratorType>(sizes.size(), IteratorType::parallel),
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        ElementArith arith(inner, loc, args[0]);
        Value code =
            layout.offset ? arith.add(args[0], layout.offset) : args[0];
        linalg::YieldOp::create(inner, loc, code);
      });
  ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(sizes.size()));
  return tensor::CollapseShapeOp::create(
      builder, loc, RankedTensorType::get({layout.size()}, builder.getI8Type()),
      panels.getResult(0), SmallVector<ReassociationIndices>{all});
}

/// Whether a kernel may look at sums of columns: they are multiplied with the
/// zero point of lhs, which codes without signs have where they are flipped.
static bool readsSums(ContractOp op) {
  AffineAttr params = *op.getLhsParams();
  return op.getZeroPoint() || !numerics::isSignedInteger(params.getStorage()) ||
         (!op.isDynamic() && getTensorZeroPoint(params) != 0);
}

/// Not computed, but of their type, where nobody reads them.
static Value buildSums(OpBuilder &builder, ContractOp op, Value codes) {
  Location loc = op.getLoc();
  LayoutAttr layout = *op.getLayout();
  auto i32 = builder.getI32Type();
  Value empty = tensor::EmptyOp::create(builder, loc, op.getSumsShape(), i32);
  if (!readsSums(op))
    return empty;
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  Value init = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
  unsigned rank = op.getRhsCodesType().getRank();
  SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
  for (int64_t dim : layout.getReduction())
    iterators[dim] = IteratorType::reduction;
  SmallVector<AffineExpr> position;
  for (ArrayRef<int64_t> dims : {layout.getBatch(), layout.getColumns()})
    for (int64_t dim : dims)
      position.push_back(builder.getAffineDimExpr(dim));
  AffineMap maps[] = {builder.getMultiDimIdentityMap(rank),
                      AffineMap::get(rank, 0, position, builder.getContext())};
  bool isSigned = numerics::isSignedInteger(op.getRhsParams()->getStorage());
  return linalg::GenericOp::create(
             builder, loc, init.getType(), codes, init, maps, iterators,
             [&](OpBuilder &inner, Location loc, ValueRange args) {
               ElementArith arith(inner, loc, args[0]);
               Value code = isSigned ? arith.cast<arith::ExtSIOp>(i32, args[0])
                                     : arith.cast<arith::ExtUIOp>(i32, args[0]);
               linalg::YieldOp::create(inner, loc, arith.add(args[1], code));
             })
      .getResult(0);
}

std::string quant_mlir::packActivations(ContractOp op,
                                        const GPUTarget &target) {
  if (!op.getRhsCodesType().hasStaticShape())
    return "the size of a batch, column or reduction is not known";
  std::string reason;
  std::optional<PanelLayout> layout =
      choosePanels(op, analyzeLoops(op), target, reason);
  if (!layout)
    return reason;
  op.setLayoutAttr(
      LayoutAttr::get(op.getContext(), op.getRhsCodesType(), *layout));
  std::optional<int64_t> columns, depth;
  reason = findNoGPUKernelReason(op, target);
  if (reason.empty()) {
    columns = findWholeDim(layout->columns, layout->shape);
    depth = findWholeDim(layout->reduction, layout->shape);
    if (!columns || !depth)
      reason = "its right-hand side is computed, and has several loops of "
               "columns or reductions";
    else if (!op.hasIntegerSum())
      reason = "its right-hand side is computed, and products are not of "
               "integers";
  }
  if (!reason.empty()) {
    op.removeLayoutAttr();
    return reason;
  }
  OpBuilder builder(op);
  Value codes = op.getRhs();
  op.getSumsMutable().assign(buildSums(builder, op, codes));
  op.getRhsMutable().assign(
      buildPanels(builder, op.getLoc(), codes, *layout, *columns, *depth));
  return "";
}

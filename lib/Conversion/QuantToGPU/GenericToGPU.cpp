//===- GenericToGPU.cpp - linalg.generic as a kernel ----------------------===//
//
// What has no kernel of its own: one invocation for each position of the
// parallel loops, which runs the reductions one after another with its sums in
// registers. So numbers are those of the loops on a CPU, where the target
// promises the arithmetic of the body; a body with anything else is left to the
// host. A reduction of more steps than every device takes is several launches,
// between which sums are in the result.
//
//===----------------------------------------------------------------------===//

#include "GPUKernel.h"

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// What has a kernel
//===----------------------------------------------------------------------===//

static std::string print(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// Types that values of a kernel have.
static bool hasValues(Type type, const GPUTarget &target) {
  if (type.isIndex() || type.isF32())
    return true;
  if (type.isF64())
    return target.hasExactDoubles();
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return false;
  switch (integer.getWidth()) {
  case 1:
  case 8:
  case 16:
  case 32:
    return true;
  case 64:
    return target.hasWideIntegers();
  default:
    return false;
  }
}

/// Types that elements of a table have.
static bool hasTables(Type type) {
  return type.isF32() || type.isInteger(8) || type.isInteger(32);
}

/// Those of a kernel's buffers: floats of 16 bits are moved, see hasValues.
static bool hasBuffers(Type type, const GPUTarget &target) {
  return hasTables(type) ||
         (isa<Float16Type, BFloat16Type>(type) && target.hasHalfBuffers());
}

/// Operations whose results are the same on every target: integers, and what
/// IEEE 754 rounds correctly.
static bool isExact(Operation &op) {
  if (isa<math::AbsFOp, math::AbsIOp, math::FloorOp, math::CeilOp,
          math::CopySignOp, linalg::IndexOp, linalg::YieldOp>(op))
    return true;
  return isa<arith::ConstantOp, arith::AddIOp, arith::SubIOp, arith::MulIOp,
             arith::DivUIOp, arith::DivSIOp, arith::RemUIOp, arith::RemSIOp,
             arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::ShLIOp,
             arith::ShRUIOp, arith::ShRSIOp, arith::MinSIOp, arith::MinUIOp,
             arith::MaxSIOp, arith::MaxUIOp, arith::CmpIOp, arith::SelectOp,
             arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::BitcastOp,
             arith::IndexCastOp, arith::IndexCastUIOp, arith::AddFOp,
             arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp,
             arith::CmpFOp, arith::MaximumFOp, arith::MinimumFOp,
             arith::MaxNumFOp, arith::MinNumFOp, arith::SIToFPOp,
             arith::UIToFPOp, arith::FPToSIOp, arith::FPToUIOp>(op);
}

/// A load from a constant, as quant-tabulate makes it.
static bool isTableLoad(Operation &op) {
  auto load = dyn_cast<memref::LoadOp>(op);
  auto table = load ? load.getMemRef().getDefiningOp<memref::GetGlobalOp>()
                    : memref::GetGlobalOp();
  return table && load.getMemRefType().getRank() == 1 &&
         hasTables(load.getType());
}

/// Values of around `op` that its body uses.
static SmallVector<Value> getCaptures(linalg::GenericOp op) {
  SmallVector<Value> captures;
  for (Operation &inner : *op.getBody())
    for (Value operand : inner.getOperands())
      if (operand.getParentBlock() != op.getBody() &&
          !llvm::is_contained(captures, operand))
        captures.push_back(operand);
  return captures;
}

/// How many steps of the first reduction a launch takes at most: 0 where one is
/// too many, and none where there is no limit.
static std::optional<int64_t> getStepsOfOuter(linalg::GenericOp op,
                                              const GPUTarget &target) {
  std::optional<uint64_t> most = target.getMaxIterations();
  if (!most)
    return std::nullopt;
  uint64_t inner = 1;
  bool isFirst = true;
  for (auto [kind, size] :
       llvm::zip_equal(op.getIteratorTypesArray(), op.getStaticLoopRanges())) {
    if (kind != utils::IteratorType::reduction)
      continue;
    if (!std::exchange(isFirst, false))
      inner = ShapedType::isStatic(size)
                  ? llvm::SaturatingMultiply<uint64_t>(inner, size)
                  : UINT64_MAX;
  }
  // A loop of no steps takes none of them.
  return *most / std::max<uint64_t>(inner, 1);
}

std::string quant_mlir::findNoGPUKernelReason(linalg::GenericOp op,
                                              const GPUTarget &target) {
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (!type) {
      if (!hasValues(operand.getType(), target))
        return "it reads a number of type " + print(operand.getType());
      continue;
    }
    if (!hasBuffers(type.getElementType(), target))
      return "it has a buffer of " + print(type.getElementType());
    if (!type.isStrided() || type.getMemorySpace())
      return "it has a buffer of a layout other than strides";
  }
  for (OpOperand &output : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&output);
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
      if (map.isFunctionOfDim(loop) != (kind == utils::IteratorType::parallel))
        return "positions of a result do not follow from its parallel loops";
  }
  if (getStepsOfOuter(op, target) == 0)
    return ("its reductions but for the first one have more than " +
            Twine(*target.getMaxIterations()) +
            " steps, or an unknown number, of which not every device takes "
            "more")
        .str();
  for (AffineMap map : op.getIndexingMapsArray())
    for (AffineExpr expr : map.getResults())
      if (!getLinearExpr(expr, map.getNumDims()))
        return "a map is not a sum of loops";
  for (Value capture : getCaptures(op))
    if (!hasValues(capture.getType(), target) &&
        !llvm::all_of(capture.getUsers(), [&](Operation *user) {
          return user->getBlock() != op.getBody() || isTableLoad(*user);
        }))
      return "it uses a number of type " + print(capture.getType());
  for (Operation &inner : *op.getBody()) {
    if (!isExact(inner) && !isTableLoad(inner))
      return ("the result of '" + inner.getName().getStringRef() +
              "' is not the same on every device")
          .str();
    for (Type type : inner.getResultTypes())
      if (!hasValues(type, target))
        return "it computes with " + print(type);
  }
  return "";
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

namespace {
class GenericKernel {
public:
  GenericKernel(linalg::GenericOp op, const GPUTarget &target,
                OpBuilder &builder)
      : op(op), target(target),
        kernel(builder, op.getLoc(), getKernelName(op), target) {}

  void build();

private:
  /// Where a launch begins in the first reduction, and ends; around all that
  /// follows on the host is then a loop.
  void splitReduction();
  static StringRef getKernelName(linalg::GenericOp op) {
    return op.getNumReductionLoops() != 0              ? "reduce"
           : op.getBody()->getOperations().size() == 1 ? "copy"
                                                       : "elementwise";
  }
  void import();
  Value buildTableLoad(memref::LoadOp load, const IRMapping &mapping);
  /// The results of the body at the loops' positions.
  SmallVector<Value> buildBody(ValueRange sums);
  /// All reductions from the `depth`-th on.
  SmallVector<Value> reduce(unsigned depth, ValueRange sums);

  linalg::GenericOp op;
  const GPUTarget &target;
  GPUKernel kernel;
  OpFoldResult firstStep, endStep;
  /// By operand; without a base for numbers.
  SmallVector<FlatOperand> operands;
  SmallVector<unsigned> parallel, reduction;
  SmallVector<OpFoldResult> sizes; ///< of the host's
  SmallVector<Value> ivs;          ///< by loop
  SmallVector<OpFoldResult> reductionSizes;
  IRMapping captures;
  llvm::SmallDenseMap<Value, FlatOperand> tables;
};
} // namespace

void GenericKernel::import() {
  for (Range range :
       cast<linalg::LinalgOp>(op.getOperation())
           .createLoopRanges(kernel.host.builder, kernel.host.loc))
    sizes.push_back(range.size);
  for (OpOperand &operand : op->getOpOperands()) {
    FlatOperand &flat = operands.emplace_back();
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    bool isInput = op.isDpsInput(&operand);
    // What the body does not look at only gives the loops their sizes.
    if (isInput && op.getMatchingBlockArgument(&operand).use_empty())
      continue;
    bool isRead = !reduction.empty() ||
                  !op.getMatchingBlockArgument(&operand).use_empty();
    flat =
        kernel.import(kernel.host.flattenWhole(
                          operand.get(), op.getMatchingIndexingMap(&operand)),
                      isInput  ? Access::Read
                      : isRead ? Access::ReadWrite
                               : Access::Write);
  }
  for (Value capture : getCaptures(op)) {
    Attribute constant;
    if (matchPattern(capture, m_Constant(&constant)))
      captures.map(capture, arith::ConstantOp::create(
                                kernel.body.builder, kernel.body.loc,
                                cast<TypedAttr>(constant)));
    else if (isa<MemRefType>(capture.getType()))
      tables[capture] = kernel.import(
          kernel.host.flattenWhole(
              capture, kernel.host.builder.getMultiDimIdentityMap(1)),
          Access::Read);
    else
      captures.map(capture, kernel.importValue(capture));
  }
}

Value GenericKernel::buildTableLoad(memref::LoadOp load,
                                    const IRMapping &mapping) {
  const FlatOperand &table = tables[load.getMemRef()];
  Value index = mapping.lookup(load.getIndices().front());
  return memref::LoadOp::create(kernel.body.builder, kernel.body.loc,
                                table.base,
                                ValueRange(kernel.body.address(table, index)));
}

SmallVector<Value> GenericKernel::buildBody(ValueRange sums) {
  OpBuilder &builder = kernel.body.builder;
  Location loc = kernel.body.loc;
  IRMapping mapping(captures);
  unsigned numInputs = op.getNumDpsInputs();
  for (OpOperand &operand : op->getOpOperands()) {
    unsigned number = operand.getOperandNumber();
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (number >= numInputs) {
      if (sums[number - numInputs])
        mapping.map(argument, sums[number - numInputs]);
    } else if (const FlatOperand &flat = operands[number]; flat.base) {
      mapping.map(argument, memref::LoadOp::create(
                                builder, loc, flat.base,
                                ValueRange(kernel.body.address(flat, ivs))));
    } else if (!isa<MemRefType>(operand.get().getType())) {
      mapping.map(argument, kernel.importValue(operand.get()));
    }
  }
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      mapping.map(index.getResult(), ivs[index.getDim()]);
    else if (auto load = dyn_cast<memref::LoadOp>(inner))
      mapping.map(load.getResult(), buildTableLoad(load, mapping));
    else
      builder.clone(inner, mapping);
  }
  SmallVector<Value> results;
  for (Value value : op.getBody()->getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

SmallVector<Value> GenericKernel::reduce(unsigned depth, ValueRange sums) {
  if (depth == reduction.size())
    return buildBody(sums);
  OpFoldResult from =
      depth == 0 ? firstStep : kernel.body.builder.getIndexAttr(0);
  return kernel.body.forCarry(from,
                              depth == 0 ? endStep : reductionSizes[depth],
                              sums, [&](Value iv, ValueRange carried) {
                                ivs[reduction[depth]] = iv;
                                return reduce(depth + 1, carried);
                              });
}

void GenericKernel::splitReduction() {
  firstStep = kernel.body.builder.getIndexAttr(0);
  endStep = reductionSizes.front();
  std::optional<int64_t> most = getStepsOfOuter(op, target);
  OpFoldResult size = sizes[reduction.front()];
  std::optional<int64_t> known = getConstantIntValue(size);
  if (!most || (known && *known <= *most))
    return;
  KernelBuilder &host = kernel.host;
  auto loop = scf::ForOp::create(host.builder, host.loc, host.index(0),
                                 host.index(size), host.index(*most));
  host.builder.setInsertionPointToStart(loop.getBody());
  Value first = loop.getInductionVar();
  Value end = arith::MinUIOp::create(
      host.builder, host.loc,
      host.index(host.add(first, host.builder.getIndexAttr(*most))),
      host.index(size));
  firstStep = kernel.importValue(first);
  endStep = kernel.importValue(end);
}

void GenericKernel::build() {
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    (kind == utils::IteratorType::parallel ? parallel : reduction)
        .push_back(loop);
  import();
  ivs.resize(sizes.size());
  for (unsigned loop : reduction)
    reductionSizes.push_back(kernel.import(sizes[loop]));
  OpBuilder::InsertionGuard guard(kernel.host.builder);
  if (!reduction.empty())
    splitReduction();
  SmallVector<OpFoldResult> parallelSizes;
  for (unsigned loop : parallel)
    parallelSizes.push_back(sizes[loop]);
  OpBuilder &builder = kernel.body.builder;
  Location loc = kernel.body.loc;
  kernel.forEach(parallelSizes, [&](ValueRange positions) {
    for (auto [loop, position] : llvm::zip_equal(parallel, positions))
      ivs[loop] = position;
    for (unsigned loop : reduction)
      ivs[loop] = Value();
    SmallVector<Value> addresses, sums;
    for (OpOperand &output : op.getDpsInitsMutable()) {
      const FlatOperand &flat = operands[output.getOperandNumber()];
      Value address = kernel.body.address(flat, ivs);
      addresses.push_back(address);
      bool isRead = !reduction.empty() ||
                    !op.getMatchingBlockArgument(&output).use_empty();
      sums.push_back(isRead ? memref::LoadOp::create(builder, loc, flat.base,
                                                     ValueRange(address))
                                  .getResult()
                            : Value());
    }
    SmallVector<Value> results = reduce(0, sums);
    for (auto [output, address, result] :
         llvm::zip_equal(op.getDpsInitsMutable(), addresses, results))
      memref::StoreOp::create(builder, loc, result,
                              operands[output.getOperandNumber()].base,
                              ValueRange(address));
  });
}

void quant_mlir::buildGenericKernel(linalg::GenericOp op,
                                    const GPUTarget &target,
                                    OpBuilder &builder) {
  GenericKernel(op, target, builder).build();
}

//===- GenericLoops.cpp - How a linalg.generic runs on vectors ------------===//

#include "GenericLoops.h"

#include "TableLookup.h"

#include "quant-mlir/Dialect/Quant/IR/IntegerFormOpInterface.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// Bytes of a type that lies in registers; 0 for what cannot.
static int64_t getBytes(Type type) {
  if (!type.isIntOrFloat())
    return 0;
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

bool quant_mlir::isFunctionCall(Operation *op) {
  return isa_and_nonnull<math::MathDialect>(op->getDialect()) &&
         !isa<math::AbsFOp, math::CopySignOp, math::FmaOp, math::SqrtOp>(op);
}

static std::string findBodyReason(linalg::GenericOp op, const CPUTarget &target,
                                  int64_t &widest) {
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<arith::ConstantOp>(inner) || isIndexOfLookups(&inner))
      continue;
    if (matchTableLookup(&inner)) {
      if (!hasVectorLookup(target))
        return "the processor looks up one element at a time";
      continue;
    }
    if (!OpTrait::hasElementwiseMappableTraits(&inner) ||
        !isMemoryEffectFree(&inner) || isFunctionCall(&inner))
      return (inner.getName().getStringRef() + " is of one element").str();
    for (Type type : inner.getResultTypes()) {
      if (getBytes(type) == 0)
        return (inner.getName().getStringRef() + " is not of numbers").str();
      widest = std::max(widest, getBytes(type));
    }
  }
  return "";
}

/// Whether `value` is computed from `seen`.
static bool dependsOn(Value value, Value seen) {
  SmallVector<Value> left{value};
  llvm::SmallPtrSet<Operation *, 16> visited;
  while (!left.empty()) {
    Value next = left.pop_back_val();
    if (next == seen)
      return true;
    Operation *op = next.getDefiningOp();
    if (op && op->getBlock() == seen.getParentBlock() &&
        visited.insert(op).second)
      llvm::append_range(left, op->getOperands());
  }
  return false;
}

/// %y = arith.select(%c & %d, %x, %seen) with %c = arith.cmpf ogt, %x, %seen,
/// or %y = arith.maxnumf %x, %seen
static std::optional<ChoiceReduction> matchChoice(Value result, Value seen) {
  Operation *choose = result.getDefiningOp();
  if (!choose)
    return std::nullopt;
  if (isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
          arith::MinNumFOp, arith::MaxSIOp, arith::MaxUIOp, arith::MinSIOp,
          arith::MinUIOp>(choose)) {
    Value a = choose->getOperand(0), b = choose->getOperand(1);
    if (!seen.hasOneUse() || dependsOn(a, seen) == dependsOn(b, seen) ||
        (a != seen && b != seen))
      return std::nullopt;
    return ChoiceReduction{nullptr, choose};
  }
  auto select = dyn_cast<arith::SelectOp>(choose);
  if (!select || select.getFalseValue() != seen ||
      dependsOn(select.getTrueValue(), seen))
    return std::nullopt;
  // One of the conditions is the order, the others are of the element alone.
  arith::CmpFOp compare;
  SmallVector<Value> conditions{select.getCondition()};
  while (!conditions.empty()) {
    Value condition = conditions.pop_back_val();
    if (auto both = condition.getDefiningOp<arith::AndIOp>()) {
      conditions.append({both.getLhs(), both.getRhs()});
      continue;
    }
    if (!dependsOn(condition, seen))
      continue;
    auto order = condition.getDefiningOp<arith::CmpFOp>();
    bool isOrder = order && !compare &&
                   (order.getPredicate() == arith::CmpFPredicate::OGT ||
                    order.getPredicate() == arith::CmpFPredicate::OLT) &&
                   order.getLhs() == select.getTrueValue() &&
                   order.getRhs() == seen;
    if (!isOrder)
      return std::nullopt;
    compare = order;
  }
  // Beside the two nothing looks at what has been seen.
  if (!compare || std::distance(seen.use_begin(), seen.use_end()) != 2)
    return std::nullopt;
  return ChoiceReduction{compare, select};
}

static bool matchReductions(linalg::GenericOp op, GenericLoops &loops) {
  auto yield = cast<linalg::YieldOp>(op.getBody()->getTerminator());
  for (auto [result, seen] :
       llvm::zip_equal(yield.getOperands(), op.getRegionOutputArgs())) {
    std::optional<ChoiceReduction> reduction = matchChoice(result, seen);
    if (!reduction)
      return false;
    loops.reductions.push_back(*reduction);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Every `loop floordiv divisor` becomes a loop of its own.
static bool separateBlocks(linalg::GenericOp op, GenericLoops &loops) {
  MLIRContext *context = op.getContext();
  unsigned numLoops = op.getNumLoops();
  for (AffineMap map : op.getIndexingMapsArray()) {
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : map.getResults()) {
      auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
      if (binary && binary.getKind() == AffineExprKind::FloorDiv) {
        auto loop = dyn_cast<AffineDimExpr>(binary.getLHS());
        auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
        if (!loop || !divisor || divisor.getValue() < 1)
          return false;
        auto *block = llvm::find_if(loops.blocks, [&](const LoopBlock &block) {
          return block.loop == loop.getPosition() &&
                 block.divisor == divisor.getValue();
        });
        unsigned position = numLoops + (block - loops.blocks.begin());
        if (block == loops.blocks.end())
          loops.blocks.push_back({loop.getPosition(), divisor.getValue()});
        expr = getAffineDimExpr(position, context);
      } else if (std::optional<LinearExpr> linear =
                     getLinearExpr(expr, numLoops);
                 !linear || linear->constant < 0) {
        return false;
      }
      exprs.push_back(expr);
    }
    loops.maps.push_back(AffineMap::get(numLoops, 0, exprs, context));
  }
  for (AffineMap &map : loops.maps)
    map = AffineMap::get(numLoops + loops.blocks.size(), 0, map.getResults(),
                         context);
  return true;
}

/// By how many elements `operand` moves with `loop`; nullopt where it is not
/// known.
static std::optional<int64_t> getStride(OpOperand &operand, AffineMap map,
                                        unsigned loop) {
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type)
    return 0;
  SmallVector<int64_t> strides;
  int64_t offset, sum = 0;
  bool isStrided = succeeded(type.getStridesAndOffset(strides, offset));
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    int64_t factor = getLinearExpr(expr, map.getNumDims())->factors[loop];
    if (factor == 0)
      continue;
    if (!isStrided || ShapedType::isDynamic(strides[dim]))
      return std::nullopt;
    sum += factor * strides[dim];
  }
  return sum;
}

/// Whether vectors may run along `loop`.
static bool isVectorLoop(linalg::GenericOp op, const GenericLoops &loops,
                         unsigned loop) {
  bool isParallel =
      op.getIteratorTypesArray()[loop] == utils::IteratorType::parallel;
  unsigned numBlocks = 0;
  for (const LoopBlock &block : loops.blocks)
    numBlocks += block.loop == loop;
  if (numBlocks > 1)
    return false;
  bool moves = false;
  for (auto [operand, map] : llvm::zip_equal(op->getOpOperands(), loops.maps)) {
    std::optional<int64_t> stride = getStride(operand, map, loop);
    if (!stride || *stride < 0 || *stride > 1)
      return false;
    if (op.isDpsInit(&operand) && (*stride == 1) != isParallel)
      return false;
    moves |= *stride == 1;
  }
  return moves;
}

/// Loops shorter than this are not worth vectors.
static constexpr int64_t minVectorSize = 4;

/// The size of `loop` and of what continues it in all operands: channels of
/// pixels that follow each other are as many as a row has. GenericKernel merges
/// such loops.
static int64_t getMergedSize(linalg::GenericOp op, const GenericLoops &loops,
                             ArrayRef<int64_t> sizes, unsigned loop) {
  int64_t size = sizes[loop];
  auto continues = [&](unsigned other) {
    return llvm::all_of(
        llvm::zip_equal(llvm::make_pointer_range(op->getOpOperands()),
                        loops.maps),
        [&](const auto &pair) {
          auto [operand, map] = pair;
          std::optional<int64_t> a = getStride(*operand, map, other),
                                 b = getStride(*operand, map, loop);
          return a && b && *a == *b * size;
        });
  };
  for (unsigned other = 0; other < sizes.size();) {
    if (ShapedType::isDynamic(size))
      return size;
    bool isSameKind =
        op.getIteratorTypesArray()[other] == op.getIteratorTypesArray()[loop];
    if (other == loop || sizes[other] == 1 || !isSameKind ||
        !continues(other)) {
      ++other;
      continue;
    }
    size = ShapedType::isDynamic(sizes[other]) ? ShapedType::kDynamic
                                               : size * sizes[other];
    other = 0;
  }
  return size;
}

GenericLoops quant_mlir::analyzeGeneric(linalg::GenericOp op,
                                        const CPUTarget &target) {
  GenericLoops loops;
  auto decline = [&](std::string reason) {
    loops.reason = std::move(reason);
    return loops;
  };
  if (!op.hasPureBufferSemantics())
    return decline("it is not on buffers");
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    Type element = type ? type.getElementType() : operand.getType();
    int64_t bytes = getBytes(element);
    if (bytes == 0 || (type && element.getIntOrFloatBitWidth() != 8 * bytes))
      return decline("its elements are not of whole bytes");
    loops.widestBytes = std::max(loops.widestBytes, bytes);
  }
  loops.reason = findBodyReason(op, target, loops.widestBytes);
  if (!loops.reason.empty())
    return loops;
  if (!separateBlocks(op, loops))
    return decline("its maps are not sums of loops");

  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  bool canReduce = matchReductions(op, loops);
  std::optional<unsigned> best;
  auto rank = [&](unsigned loop) {
    bool isParallel = iterators[loop] == utils::IteratorType::parallel;
    int64_t size = getMergedSize(op, loops, sizes, loop);
    return std::pair(ShapedType::isDynamic(size) ? 64
                                                 : std::min<int64_t>(size, 64),
                     isParallel);
  };
  for (unsigned loop = 0; loop < sizes.size(); ++loop) {
    int64_t size = getMergedSize(op, loops, sizes, loop);
    bool isShort = !ShapedType::isDynamic(size) && size < minVectorSize;
    bool isReduction = iterators[loop] != utils::IteratorType::parallel;
    if (isShort || (isReduction && !canReduce) ||
        !isVectorLoop(op, loops, loop))
      continue;
    if (!best || rank(loop) >= rank(*best))
      best = loop;
  }
  if (!best)
    return decline("no loop moves all operands by one element");
  loops.vectorLoop = *best;
  if (iterators[*best] == utils::IteratorType::parallel)
    loops.reductions.clear();
  for (auto kind :
       {utils::IteratorType::parallel, utils::IteratorType::reduction})
    for (unsigned loop = 0; loop < sizes.size(); ++loop)
      if (loop != *best && iterators[loop] == kind)
        loops.outer.push_back(loop);
  return loops;
}

//===- GenericKernel.cpp - One linalg.generic over vectors ----------------===//
//
// Around the vectors stand the other loops, the parallel ones outermost. What a
// run of vectors has in common is loaded and computed before it.
//
//===----------------------------------------------------------------------===//

#include "GenericKernel.h"

#include "TableLookup.h"

#include "quant-mlir/Target/CPU.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace quant_mlir;

/// Partial results of a reduction that do not wait for each other.
static constexpr int64_t numChains = 4;

/// Elements that a thread takes at a time where vectors are the only loop.
static constexpr int64_t parallelPiece = 8192;

GenericKernel::GenericKernel(linalg::GenericOp op, const GenericLoops &loops,
                             const CPUTarget &target, bool isParallel,
                             OpBuilder &builder)
    : op(op), loops(loops), target(target), kernel(builder, op.getLoc()),
      lanes(std::max<int64_t>(target.getVectorBytes() / loops.widestBytes, 1)),
      isParallel(isParallel) {}

void GenericKernel::mergeLoops() {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  auto hasBlock = [&](unsigned loop) {
    return llvm::any_of(loops.blocks, [&](const LoopBlock &block) {
      return block.loop == loop;
    });
  };
  auto goesOn = [&](unsigned loop, unsigned inner) {
    std::optional<int64_t> size = getConstantIntValue(sizes[inner]);
    return size && iterators[loop] == iterators[inner] && !hasBlock(loop) &&
           !hasBlock(inner) &&
           llvm::all_of(operands, [&](const FlatOperand &operand) {
             if (!operand.base)
               return true;
             std::optional<int64_t> a = operand.getStride(loop),
                                    b = operand.getStride(inner);
             return a && b && *a == *b * *size;
           });
  };
  SmallVector<unsigned> order = loops.outer;
  order.push_back(loops.vectorLoop);
  // Threads share the outermost loop.
  const unsigned *shared = llvm::find_if(order, [&](unsigned loop) {
    return getConstantIntValue(sizes[loop]) != 1;
  });
  SmallVector<unsigned> merged;
  for (unsigned loop : llvm::reverse(order)) {
    if (!merged.empty() && getConstantIntValue(sizes[loop]) == 1)
      continue;
    bool isShared = isParallel && shared != order.end() && loop == *shared;
    if (!merged.empty() && !isShared && goesOn(loop, merged.back()))
      sizes[merged.back()] = kernel.mul(sizes[loop], sizes[merged.back()]);
    else
      merged.push_back(loop);
  }
  outer.assign(merged.rbegin(), merged.rend());
  outer.pop_back();
}

void GenericKernel::build() {
  OpBuilder &builder = kernel.builder;
  for (Range range : cast<linalg::LinalgOp>(op.getOperation())
                         .createLoopRanges(builder, kernel.loc))
    sizes.push_back(range.size);
  for (auto [operand, map] : llvm::zip_equal(op->getOpOperands(), loops.maps)) {
    FlatOperand flat;
    if (isa<MemRefType>(operand.get().getType()))
      flat = kernel.flatten(operand.get(), map);
    operands.push_back(flat);
  }
  mergeLoops();
  ivs.assign(op.getNumLoops() + loops.blocks.size(), Value());
  buildOuter(0);
}

void GenericKernel::buildOuter(unsigned depth) {
  if (depth == outer.size())
    return buildVectorLoop();
  unsigned loop = outer[depth];
  auto body = [&](Value iv) {
    ivs[loop] = iv;
    for (auto [number, block] : llvm::enumerate(loops.blocks))
      if (block.loop == loop)
        ivs[op.getNumLoops() + number] = arith::DivUIOp::create(
            kernel.builder, kernel.loc, iv, kernel.index(block.divisor));
    buildOuter(depth + 1);
  };
  if (isParallel && depth == 0 && isParallelLoop(loop))
    return buildParallel(kernel.index(sizes[loop]), 1, body);
  kernel.forLoop(sizes[loop], body);
}

void GenericKernel::buildParallel(Value end, int64_t step,
                                  KernelBuilder::LoopBody body) {
  OpBuilder &builder = kernel.builder;
  auto loop =
      scf::ParallelOp::create(builder, kernel.loc, ValueRange(kernel.index(0)),
                              ValueRange(end), ValueRange(kernel.index(step)));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVars().front());
}

void GenericKernel::buildParallelRuns() {
  OpBuilder &builder = kernel.builder;
  Value size = kernel.index(sizes[loops.vectorLoop]);
  Value rest = arith::RemUIOp::create(builder, kernel.loc, size,
                                      kernel.index(parallelPiece));
  Value whole = arith::SubIOp::create(builder, kernel.loc, size, rest);
  buildParallel(whole, parallelPiece, [&](Value iv) {
    buildRun(iv, builder.getIndexAttr(parallelPiece));
  });
  buildRun(whole, rest);
}

void GenericKernel::buildVectorLoop() {
  OpBuilder &builder = kernel.builder;
  OpFoldResult size = sizes[loops.vectorLoop];
  const LoopBlock *block =
      llvm::find_if(loops.blocks, [&](const LoopBlock &block) {
        return block.loop == loops.vectorLoop;
      });
  if (block == loops.blocks.end()) {
    if (isParallel && outer.empty() && isParallelLoop(loops.vectorLoop))
      return buildParallelRuns();
    return buildRun(builder.getIndexAttr(0), size);
  }

  // One block after the other: each has its parameters.
  Value &number = ivs[op.getNumLoops() + (block - loops.blocks.begin())];
  OpFoldResult divisor = builder.getIndexAttr(block->divisor);
  std::optional<int64_t> known = getConstantIntValue(size);
  if (known) {
    kernel.forLoop(builder.getIndexAttr(*known / block->divisor),
                   [&](Value iv) {
                     number = iv;
                     buildRun(kernel.mul(iv, divisor), divisor);
                   });
    if (int64_t rest = *known % block->divisor) {
      number = kernel.index(*known / block->divisor);
      buildRun(builder.getIndexAttr(*known - rest), builder.getIndexAttr(rest));
    }
    return;
  }
  Value all = kernel.index(size);
  Value count = arith::CeilDivUIOp::create(builder, kernel.loc, all,
                                           kernel.index(block->divisor));
  kernel.forLoop(count, [&](Value iv) {
    number = iv;
    Value first = kernel.index(kernel.mul(iv, divisor));
    Value rest = arith::SubIOp::create(builder, kernel.loc, all, first);
    Value here = arith::MinUIOp::create(builder, kernel.loc, rest,
                                        kernel.index(block->divisor));
    buildRun(first, here);
  });
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value GenericKernel::getAddress(OpOperand &operand) {
  return kernel.address(operands[operand.getOperandNumber()], ivs);
}

bool GenericKernel::moves(OpOperand &operand) const {
  const FlatOperand &flat = operands[operand.getOperandNumber()];
  return flat.base && flat.getStride(loops.vectorLoop) == 1;
}

void GenericKernel::buildInvariants() {
  invariants.clear();
  ivs[loops.vectorLoop] = Value();
  bool isReduction = !loops.reductions.empty();
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty() || moves(operand) ||
        (isReduction && op.isDpsInit(&operand)))
      continue;
    const FlatOperand &flat = operands[operand.getOperandNumber()];
    Value value = operand.get();
    if (flat.base)
      value = memref::LoadOp::create(kernel.builder, kernel.loc, flat.base,
                                     ValueRange(getAddress(operand)));
    invariants.map(argument, value);
  }
  for (Operation &inner : op.getBody()->without_terminator())
    if (isSpeculatable(&inner) &&
        llvm::all_of(inner.getOperands(), [&](Value operand) {
          return operand.getParentBlock() != op.getBody() ||
                 invariants.contains(operand);
        }))
      kernel.builder.clone(inner, invariants);
}

Value GenericKernel::asVector(Value value, int64_t count) {
  if (isa<VectorType>(value.getType()))
    return value;
  // In front of the loop, if that is where the value is from.
  OpBuilder::InsertionGuard guard(kernel.builder);
  kernel.builder.setInsertionPointAfterValue(value);
  return vector::BroadcastOp::create(kernel.builder, kernel.loc,
                                     VectorType::get({count}, value.getType()),
                                     value);
}

GenericKernel::Values GenericKernel::buildBody(Value at, int64_t count,
                                               ValueRange seen) {
  IRMapping mapping(invariants);
  ivs[loops.vectorLoop] = at;
  for (auto [argument, value] : llvm::zip(op.getRegionOutputArgs(), seen))
    mapping.map(argument, value);
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    if (argument.use_empty() || !moves(operand))
      continue;
    mapping.map(argument, kernel.load(operands[operand.getOperandNumber()],
                                      getAddress(operand), count));
  }
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (llvm::all_of(inner.getResults(),
                     [&](Value value) { return mapping.contains(value); }))
      continue;
    if (isIndexOfLookups(&inner))
      continue;
    if (std::optional<TableLookup> lookup = matchTableLookup(&inner)) {
      Value codes = asVector(mapping.lookupOrDefault(lookup->code), count);
      mapping.map(inner.getResult(0),
                  buildLookup(kernel, target, *lookup, codes));
      continue;
    }
    for (Value operand : inner.getOperands())
      mapping.map(operand, asVector(mapping.lookupOrDefault(operand), count));
    Operation *clone = kernel.builder.clone(inner, mapping);
    for (OpResult result : clone->getResults())
      result.setType(VectorType::get({count}, result.getType()));
  }
  Values results;
  for (Value value : op.getBody()->getTerminator()->getOperands())
    results.push_back(asVector(mapping.lookupOrDefault(value), count));
  return results;
}

void GenericKernel::buildRun(OpFoldResult first, OpFoldResult size) {
  if (!loops.reductions.empty())
    return buildReduction(first, size);
  buildInvariants();
  kernel.forPieces(size, lanes, [&](Value iv, int64_t count) {
    Value at = kernel.index(kernel.add(first, iv));
    Values results = buildBody(at, count, {});
    for (auto [operand, value] :
         llvm::zip_equal(op.getDpsInitsMutable(), results))
      kernel.store(operands[operand.getOperandNumber()], getAddress(operand),
                   value);
  });
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

Value GenericKernel::combine(unsigned result, Value a, Value b) {
  const ChoiceReduction &reduction = loops.reductions[result];
  OpBuilder &builder = kernel.builder;
  if (!reduction.compare) {
    IRMapping mapping;
    mapping.map(reduction.choose->getOperand(0), a);
    mapping.map(reduction.choose->getOperand(1), b);
    Operation *clone = builder.clone(*reduction.choose, mapping);
    clone->getResult(0).setType(a.getType());
    return clone->getResult(0);
  }
  // Both have passed the other conditions, or were there before.
  auto compare = cast<arith::CmpFOp>(reduction.compare);
  Value isBeyond =
      arith::CmpFOp::create(builder, kernel.loc, compare.getPredicate(), b, a);
  return arith::SelectOp::create(builder, kernel.loc, isBeyond, b, a);
}

Value GenericKernel::combineLanes(unsigned result, Value vector) {
  OpBuilder &builder = kernel.builder;
  for (int64_t count = cast<VectorType>(vector.getType()).getNumElements();
       count > 1; count /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < count / 2; ++i) {
      low.push_back(i);
      high.push_back(i + count / 2);
    }
    Value a =
        vector::ShuffleOp::create(builder, kernel.loc, vector, vector, low);
    Value b =
        vector::ShuffleOp::create(builder, kernel.loc, vector, vector, high);
    vector = combine(result, a, b);
  }
  return vector::ExtractOp::create(builder, kernel.loc, vector, 0);
}

/// Vectors of partial results, each from what has been seen before on; several
/// of them while there is much, then one, then its lanes and what is left.
void GenericKernel::buildReduction(OpFoldResult first, OpFoldResult size) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  buildInvariants();
  Values seen;
  for (OpOperand &operand : op.getDpsInitsMutable())
    seen.push_back(memref::LoadOp::create(
        builder, loc, operands[operand.getOperandNumber()].base,
        ValueRange(getAddress(operand))));
  unsigned numResults = seen.size();

  std::optional<int64_t> known = getConstantIntValue(size);
  Value done = kernel.index(0);
  auto body = [&](OpFoldResult from, int64_t count, ValueRange carried) {
    return buildBody(kernel.index(kernel.add(first, from)), count, carried);
  };
  if (!known || *known >= lanes) {
    Values partial;
    for (int64_t chain = 0; chain < numChains; ++chain)
      for (Value value : seen)
        partial.push_back(asVector(value, lanes));
    auto stepsOf = [&](OpFoldResult count, int64_t step) -> OpFoldResult {
      if (std::optional<int64_t> all = getConstantIntValue(count))
        return builder.getIndexAttr(*all / step);
      return arith::DivUIOp::create(builder, loc, kernel.index(count),
                                    kernel.index(step))
          .getResult();
    };
    OpFoldResult steps = stepsOf(size, numChains * lanes);
    if (getConstantIntValue(steps) != 0)
      partial = kernel.forCarry(
          builder.getIndexAttr(0), steps, partial,
          [&](Value iv, ValueRange carried) {
            Values results;
            for (int64_t chain = 0; chain < numChains; ++chain) {
              OpFoldResult from = kernel.add(
                  kernel.mul(iv, builder.getIndexAttr(numChains * lanes)),
                  builder.getIndexAttr(chain * lanes));
              llvm::append_range(
                  results, body(from, lanes,
                                carried.slice(chain * numResults, numResults)));
            }
            return results;
          });
    for (int64_t chain = 1; chain < numChains; ++chain)
      for (unsigned i = 0; i < numResults; ++i)
        partial[i] = combine(i, partial[i], partial[chain * numResults + i]);
    partial.truncate(numResults);

    OpFoldResult vectors = stepsOf(size, lanes);
    OpFoldResult before = kernel.mul(steps, builder.getIndexAttr(numChains));
    if (getConstantIntValue(vectors) == std::nullopt ||
        getConstantIntValue(vectors) != getConstantIntValue(before))
      partial = kernel.forCarry(
          before, vectors, partial, [&](Value iv, ValueRange carried) {
            return body(kernel.mul(iv, builder.getIndexAttr(lanes)), lanes,
                        carried);
          });
    // Elements that are taken twice change nothing.
    if (known && *known % lanes != 0)
      partial = body(builder.getIndexAttr(*known - lanes), lanes, partial);
    for (unsigned i = 0; i < numResults; ++i)
      seen[i] = combineLanes(i, partial[i]);
    if (!known)
      done = kernel.index(kernel.mul(vectors, builder.getIndexAttr(lanes)));
  }
  if (!known || *known < lanes)
    seen = kernel.forCarry(done, size, seen, [&](Value iv, ValueRange carried) {
      Values vectors, results;
      for (Value value : carried)
        vectors.push_back(asVector(value, 1));
      for (Value value : body(iv, 1, vectors))
        results.push_back(vector::ExtractOp::create(builder, loc, value, 0));
      return results;
    });
  ivs[loops.vectorLoop] = Value();
  for (auto [operand, value] : llvm::zip_equal(op.getDpsInitsMutable(), seen))
    memref::StoreOp::create(builder, loc, value,
                            operands[operand.getOperandNumber()].base,
                            ValueRange(getAddress(operand)));
}

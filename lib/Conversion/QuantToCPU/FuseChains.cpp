//===- FuseChains.cpp - What is computed from one tensor of codes ---------===//
//
// From an operation back to where all of it comes from: values are followed
// through whatever is elementwise, codes as long as there is more than one
// tensor of them, the one that is computed last first. What is found is one
// body, built from the result backwards.
//
// Only linalg.generic is looked at, and quant.add and quant.mul on bytes: named
// operations are generic by then.
//
//===----------------------------------------------------------------------===//

#include "GenericLoops.h"

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/QuantToLinalg/QuantToLinalg.h"
#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Rewrite/PatternApplicator.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/DebugLog.h"

namespace quant_mlir {
#define GEN_PASS_DEF_FUSECHAINSPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-fuse-chains"

using namespace mlir;
using namespace quant_mlir;

/// Operations of a chain at most: longer ones are none of activations.
static constexpr unsigned maxSteps = 64;

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

namespace {
/// An elementwise operation: what it reads at which positions of its loops.
struct Step {
  SmallVector<std::pair<Value, AffineMap>> inputs;
  AffineMap result; ///< a permutation
};

/// What `root` computes from `source`, by way of `steps`, which contain it.
struct Chain {
  Value source;
  llvm::SmallSetVector<Operation *, 8> steps;
};
} // namespace

static bool isNumber(Type type) { return type.isIntOrIndexOrFloat(); }

/// The number that all elements of `value` are; null where there is none.
static TypedAttr getConstant(Value value) {
  Attribute constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return {};
  if (auto elements = dyn_cast<DenseElementsAttr>(constant))
    return elements.isSplat()
               ? cast<TypedAttr>(elements.getSplatValue<Attribute>())
               : TypedAttr();
  return isNumber(value.getType()) ? dyn_cast<TypedAttr>(constant)
                                   : TypedAttr();
}

/// Whether a body computes numbers from its inputs and constants alone.
static bool hasPureBody(linalg::GenericOp op) {
  if (!llvm::all_of(op.getRegionOutputArgs(),
                    [](Value value) { return value.use_empty(); }))
    return false;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (!isa<arith::ConstantOp>(inner) &&
        (!OpTrait::hasElementwiseMappableTraits(&inner) ||
         !isMemoryEffectFree(&inner)))
      return false;
    if (!llvm::all_of(inner.getResultTypes(), isNumber))
      return false;
  }
  for (Operation &inner : *op.getBody())
    for (Value operand : inner.getOperands())
      if (operand.getParentBlock() != op.getBody() && !getConstant(operand))
        return false;
  return true;
}

static bool isOnBytes(ArrayRef<AffineAttr> params) {
  return llvm::all_of(params, [](AffineAttr attr) {
    return numerics::isInteger(attr.getStorage()) &&
           numerics::bitWidth(attr.getStorage()) == 8;
  });
}

static std::optional<Step> matchStep(Operation *op) {
  Step step;
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    if (!generic.hasPureTensorSemantics() || generic.getNumResults() != 1 ||
        generic.getNumParallelLoops() != generic.getNumLoops() ||
        !hasPureBody(generic))
      return std::nullopt;
    for (OpOperand *input : generic.getDpsInputOperands())
      if (!generic.getMatchingBlockArgument(input).use_empty())
        step.inputs.push_back(
            {input->get(), generic.getMatchingIndexingMap(input)});
    step.result = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  } else if (isa<AddOp, MulOp>(op) && op->getNumResults() == 1) {
    auto collect = [&](auto code) {
      if (!isOnBytes(
              {code.getLhsParams(), code.getRhsParams(), code.getInitParams()}))
        return false;
      SmallVector<AffineMap> maps = code.getOperandMaps();
      step.inputs = {{code.getLhs(), maps[0]}, {code.getRhs(), maps[1]}};
      step.result = maps.back();
      return true;
    };
    auto add = dyn_cast<AddOp>(op);
    if (add ? !collect(add) : !collect(cast<MulOp>(op)))
      return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (!step.result.isPermutation())
    return std::nullopt;
  return step;
}

//===----------------------------------------------------------------------===//
// Chains
//===----------------------------------------------------------------------===//

static bool isCodes(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isInteger(8);
}

/// What is not computed by `steps`, but for constants.
static SmallVector<Value>
findSources(const llvm::SmallSetVector<Operation *, 8> &steps) {
  llvm::SmallSetVector<Value, 4> sources;
  for (Operation *op : steps) {
    Step step = *matchStep(op);
    for (const auto &[value, map] : step.inputs)
      if (!getConstant(value) && !steps.contains(value.getDefiningOp()))
        sources.insert(value);
  }
  return sources.takeVector();
}

/// Positions of `source` that each of `chain`'s loops, those of `root`, reads;
/// null where there are several.
static AffineMap findSourceMap(const Chain &chain, Operation *root) {
  SmallVector<int64_t> sizes =
      isa<linalg::GenericOp>(root)
          ? cast<linalg::GenericOp>(root).getStaticLoopRanges()
          : SmallVector<int64_t>();
  // A loop of one iteration is at 0.
  auto simplify = [&](AffineMap map) {
    Builder builder(root->getContext());
    SmallVector<AffineExpr> dims;
    for (unsigned i = 0; i < map.getNumDims(); ++i)
      dims.push_back(i < sizes.size() && sizes[i] == 1
                         ? builder.getAffineConstantExpr(0)
                         : builder.getAffineDimExpr(i));
    return map.replaceDimsAndSymbols(dims, {}, map.getNumDims(), 0);
  };
  AffineMap found;
  DenseSet<std::pair<Value, AffineMap>> seen;
  SmallVector<std::pair<Value, AffineMap>> left = matchStep(root)->inputs;
  while (!left.empty()) {
    auto [value, map] = left.pop_back_val();
    if (getConstant(value) || !seen.insert({value, map}).second)
      continue;
    if (value == chain.source) {
      if (found && simplify(found) != simplify(map))
        return {};
      found = map;
      continue;
    }
    Step step = *matchStep(value.getDefiningOp());
    AffineMap toLoops = inversePermutation(step.result).compose(map);
    for (const auto &[input, inputMap] : step.inputs)
      left.push_back({input, inputMap.compose(toLoops)});
  }
  return found;
}

/// The longest chain that ends in `root` and begins with codes.
static std::optional<Chain> findChain(Operation *root) {
  if (!matchStep(root))
    return std::nullopt;
  std::optional<Chain> best;
  Chain chain;
  chain.steps.insert(root);
  while (chain.steps.size() <= maxSteps) {
    SmallVector<Value> sources = findSources(chain.steps);
    if (sources.empty())
      break;
    Operation *next = nullptr;
    auto *values =
        llvm::find_if(sources, [](Value value) { return !isCodes(value); });
    if (values != sources.end()) {
      next = values->getDefiningOp();
    } else if (sources.size() == 1) {
      chain.source = sources.front();
      if (!findSourceMap(chain, root))
        break;
      best = chain;
      // What is computed anyway is read rather than computed again.
      if (llvm::all_of(chain.source.getUsers(), [&](Operation *user) {
            return chain.steps.contains(user);
          }))
        next = chain.source.getDefiningOp();
    } else {
      for (Value source : sources)
        if (Operation *op = source.getDefiningOp();
            op && op->getBlock() == root->getBlock() &&
            (!next || next->isBeforeInBlock(op)))
          next = op;
    }
    if (!next || next->getBlock() != root->getBlock() || !matchStep(next))
      break;
    chain.steps.insert(next);
  }
  return best;
}

static bool hasCall(const Chain &chain) {
  return llvm::any_of(chain.steps, [](Operation *op) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    return generic && llvm::any_of(*generic.getBody(), [](Operation &inner) {
             return isFunctionCall(&inner);
           });
  });
}

/// Whether one operation in place of `chain` computes less or stores less.
static bool isWorthFusing(const Chain &chain, Operation *root) {
  if (chain.steps.size() == 1 && isa<linalg::GenericOp>(root))
    return false;
  return isCodes(root->getResult(0)) || hasCall(chain);
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

namespace {
/// Makes the body of a chain of linalg.generic.
class BodyBuilder {
public:
  BodyBuilder(const Chain &chain, OpBuilder &builder, Value code)
      : chain(chain), builder(builder), code(code) {}

  /// The result of `op` at the position of its loops that `toLoops` gives.
  Value build(linalg::GenericOp op, AffineMap toLoops) {
    IRMapping mapping;
    for (OpOperand *input : op.getDpsInputOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(input);
      if (!argument.use_empty())
        mapping.map(argument,
                    read(input->get(),
                         op.getMatchingIndexingMap(input).compose(toLoops),
                         op.getLoc()));
    }
    for (Operation &inner : op.getBody()->without_terminator())
      builder.clone(inner, mapping);
    return mapping.lookupOrDefault(
        op.getBody()->getTerminator()->getOperand(0));
  }

private:
  Value read(Value value, AffineMap map, Location loc) {
    if (value == chain.source)
      return code;
    Value &result = built[{value, map}];
    if (result)
      return result;
    if (TypedAttr constant = getConstant(value))
      return built[{value, map}] =
                 arith::ConstantOp::create(builder, loc, constant);
    auto op = value.getDefiningOp<linalg::GenericOp>();
    AffineMap written = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    Value element = build(op, inversePermutation(written).compose(map));
    return built[{value, map}] = element;
  }

  const Chain &chain;
  OpBuilder &builder;
  Value code;
  DenseMap<std::pair<Value, AffineMap>, Value> built;
};

struct FuseChainsPass
    : public quant_mlir::impl::FuseChainsPassBase<FuseChainsPass> {
  using FuseChainsPassBase::FuseChainsPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateElementwiseToLinalgPatterns(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (isa<linalg::GenericOp, AddOp, MulOp>(op))
        ops.push_back(op);
    });
    // Ends of chains come first: what is in one is gone when its turn comes.
    erased.clear();
    for (Operation *op : llvm::reverse(ops))
      if (!erased.contains(op) && op->getNumResults() == 1 && !op->use_empty())
        fuse(op);
  }

private:
  /// Where a chain has operations on codes, those become linalg first.
  void fuse(Operation *root) {
    std::optional<Chain> chain = findChain(root);
    if (!chain || !isWorthFusing(*chain, root))
      return;
    LDBG() << root->getLoc() << ": " << chain->steps.size() << " steps";
    OpOperand &use = *root->use_begin();
    PatternApplicator applicator(patterns);
    applicator.applyDefaultCostModel();
    PatternRewriter rewriter(&getContext());
    bool isLowered = false;
    for (Operation *op : chain->steps) {
      if (isa<linalg::GenericOp>(op))
        continue;
      rewriter.setInsertionPoint(op);
      if (failed(applicator.matchAndRewrite(op, rewriter)))
        return;
      erased.insert(op);
      isLowered = true;
    }
    if (isLowered) {
      root = use.get().getDefiningOp();
      chain = findChain(root);
      if (!chain)
        return;
    }
    replace(*chain, cast<linalg::GenericOp>(root));
    ++numChains;
    numFused += chain->steps.size();
  }

  void replace(const Chain &chain, linalg::GenericOp root) {
    OpBuilder builder(root);
    OpOperand *init = root.getDpsInitOperand(0);
    auto fused = linalg::GenericOp::create(
        builder, root.getLoc(), root->getResultTypes(), chain.source,
        init->get(),
        ArrayRef<AffineMap>{findSourceMap(chain, root),
                            root.getMatchingIndexingMap(init)},
        root.getIteratorTypesArray(),
        [&](OpBuilder &inner, Location loc, ValueRange arguments) {
          AffineMap loops = inner.getMultiDimIdentityMap(root.getNumLoops());
          BodyBuilder body(chain, inner, arguments.front());
          linalg::YieldOp::create(inner, loc, body.build(root, loops));
        });
    root->replaceAllUsesWith(fused);
    // What is used elsewhere stays.
    SmallVector<Operation *> left = llvm::to_vector(chain.steps);
    for (bool isChanged = true; std::exchange(isChanged, false);)
      llvm::erase_if(left, [&](Operation *op) {
        if (!op->use_empty())
          return false;
        erased.insert(op);
        op->erase();
        return isChanged = true;
      });
  }

  FrozenRewritePatternSet patterns;
  /// Never looked into: another operation may lie there by now.
  DenseSet<Operation *> erased;
};
} // namespace

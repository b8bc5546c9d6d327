//===- ContractToCPU.cpp - quant.contract as loops over registers ---------===//
//
// The nest of ContractKernel.h, from batches down to the reduction; and the
// pattern. Right-hand sides are packed in panels; codes of lhs are taken from
// where they are, four at a time (for vpdpbusd), because a run of them is what a
// group of the panel is made of.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace quant_mlir;

ContractKernel::ContractKernel(ContractOp op, const CPUTarget &target,
                               OpBuilder &builder)
    : op(op), target(target), kernel(builder, op.getLoc()),
      loops(analyzeLoops(op)),
      dot(target, numerics::isSignedInteger(op.getLhsParams()->getStorage())) {}

//===----------------------------------------------------------------------===//
// Reduction
//===----------------------------------------------------------------------===//

void ContractKernel::addGroup(ArrayRef<Row> rows, const Panel &panel, Value lhs,
                              Value rhs, OpFoldResult group, int64_t count,
                              int64_t before, MutableArrayRef<Value> sums) {
  OpBuilder &builder = kernel.builder;
  int64_t lanes = dot.getLanes(), registers = panel.getRegisters(lanes);
  OpFoldResult first =
      kernel.mul(group, builder.getIndexAttr(panelColumns * dot.getGroup()));
  SmallVector<Value> codes;
  for (int64_t reg = 0; reg < registers; ++reg) {
    OpFoldResult at = kernel.add(kernel.add(rhs, first),
                                 builder.getIndexAttr(reg * lanes * dot.getGroup()));
    codes.push_back(dot.loadRhs(kernel, this->rhs, kernel.index(at)));
  }
  OpFoldResult inRun =
      kernel.add(lhs, kernel.mul(group, builder.getIndexAttr(dot.getGroup())));
  for (auto [i, row] : llvm::enumerate(rows)) {
    Value at = kernel.index(kernel.add(row.lhs, inRun));
    Value broadcast = dot.loadLhs(kernel, this->lhs, at, count, before);
    for (int64_t reg = 0; reg < registers; ++reg) {
      Value &sum = sums[i * registers + reg];
      sum = dot.build(kernel, sum, broadcast, codes[reg]);
    }
  }
}

SmallVector<Value> ContractKernel::reduce(ArrayRef<Row> rows,
                                          const Panel &panel,
                                          SmallVector<Value> sums) {
  OpBuilder &builder = kernel.builder;
  int64_t group = dot.getGroup();
  int64_t whole = runSize / group, rest = runSize % group;
  int64_t runBytes =
      llvm::divideCeil(runSize, group) * group * panelColumns;

  // Few accumulators wait for each other: several sets of them, added up at the
  // end, keep the instruction busy.
  constexpr int64_t minChains = 8;
  int64_t chains = sums.size();
  int64_t sets = 1;
  while (sets * chains < minChains && sets * 2 <= whole)
    sets *= 2;
  Value zero = arith::ConstantOp::create(
      builder, kernel.loc, builder.getZeroAttr(dot.getSumType(builder)));
  sums.append(chains * (sets - 1), zero);

  auto runLoop = [&](Value lhsAt, Value rhsAt, SmallVector<Value> carried) {
    if (whole > 0) {
      int64_t steps = whole / sets;
      auto step = [&](Value iv, ValueRange inits) {
        SmallVector<Value> values(inits);
        OpFoldResult first = kernel.mul(iv, builder.getIndexAttr(sets));
        for (int64_t set = 0; set < sets; ++set)
          addGroup(rows, panel, lhsAt, rhsAt,
                   kernel.add(first, builder.getIndexAttr(set)), group, 0,
                   MutableArrayRef(values).slice(set * chains, chains));
        return values;
      };
      carried = kernel.forCarry(builder.getIndexAttr(0),
                                builder.getIndexAttr(steps), carried, step);
      for (int64_t i = steps * sets; i < whole; ++i)
        addGroup(rows, panel, lhsAt, rhsAt, builder.getIndexAttr(i), group, 0,
                 MutableArrayRef(carried).slice((i - steps * sets) * chains,
                                                chains));
    }
    if (rest > 0)
      addGroup(rows, panel, lhsAt, rhsAt, builder.getIndexAttr(whole), rest,
               whole * group, MutableArrayRef(carried).take_front(chains));
    return carried;
  };

  std::function<SmallVector<Value>(unsigned, OpFoldResult, OpFoldResult,
                                   SmallVector<Value>)>
      nest = [&](unsigned depth, OpFoldResult lhsAt, OpFoldResult number,
                 SmallVector<Value> carried) -> SmallVector<Value> {
    if (depth == outer.size()) {
      OpFoldResult rhsAt = kernel.add(
          panel.rhs, kernel.mul(number, builder.getIndexAttr(runBytes)));
      return runLoop(kernel.index(lhsAt), kernel.index(rhsAt), carried);
    }
    unsigned loop = outer[depth];
    return kernel.forCarry(
        builder.getIndexAttr(0), builder.getIndexAttr(loops.sizes[loop]),
        carried, [&](Value iv, ValueRange inits) {
          return nest(depth + 1,
                      kernel.add(lhsAt, kernel.mul(iv, lhs.strides[loop])),
                      kernel.add(kernel.mul(number, builder.getIndexAttr(
                                                        loops.sizes[loop])),
                                 iv),
                      SmallVector<Value>(inits));
        });
  };
  sums = nest(0, builder.getIndexAttr(0), builder.getIndexAttr(0), sums);

  for (int64_t set = 1; set < sets; ++set)
    for (int64_t i = 0; i < chains; ++i)
      sums[i] = arith::AddIOp::create(builder, kernel.loc, sums[i],
                                      sums[set * chains + i]);
  sums.truncate(chains);
  return sums;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

SmallVector<ContractKernel::Row>
ContractKernel::buildRowValues(SmallVector<Value> &ivs, const Panel &panel,
                               Value first, int64_t count) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  auto addressOf = [&](const FlatOperand &operand, ArrayRef<Value> ivs) {
    return operand.base ? kernel.address(operand, ivs) : Value();
  };
  auto columnOf = [&](Value address) -> Value {
    return address ? kernel.index(kernel.add(address, panel.firstColumn))
                   : Value();
  };
  auto loadNumber = [&](const FlatOperand &operand, Value at) -> Value {
    return memref::LoadOp::create(builder, loc, operand.base, ValueRange(at));
  };
  SmallVector<Row> rows(count);
  for (int64_t i = 0; i < count; ++i) {
    Row &row = rows[i];
    SmallVector<Value> at(ivs);
    // Rows of one loop are a known distance apart, which addresses of the
    // instruction take in; otherwise each has its place in every loop.
    bool isOneLoop = rowLoops.size() <= 1;
    Value number =
        isOneLoop ? first
                  : kernel.index(kernel.add(first, builder.getIndexAttr(i)));
    if (isOneLoop) {
      if (!rowLoops.empty())
        at[rowLoops.front().loop] = number;
    } else {
      for (const MergedLoop &loop : llvm::reverse(ArrayRef(rowLoops).drop_front())) {
        Value size = kernel.index(loop.size);
        at[loop.loop] = arith::RemUIOp::create(builder, loc, number, size);
        number = arith::DivUIOp::create(builder, loc, number, size);
      }
      at[rowLoops.front().loop] = number;
    }
    auto place = [&](const FlatOperand &operand) -> Value {
      Value address = addressOf(operand, at);
      if (!address || !isOneLoop || rowLoops.empty())
        return address;
      return kernel.index(kernel.add(
          address, kernel.mul(operand.strides[rowLoops.front().loop],
                              builder.getIndexAttr(i))));
    };
    row.lhs = place(lhs);
    row.init = columnOf(place(init));
    row.residual = columnOf(place(residual));
    if (scale.base) {
      row.scale = loadNumber(scale, place(scale));
      if (!scale.element.isF32())
        row.scale = arith::ExtFOp::create(builder, loc, builder.getF32Type(),
                                          row.scale);
    }
    if (zeroPoint.base)
      row.zeroPoint = arith::AddIOp::create(
          builder, loc, loadNumber(zeroPoint, place(zeroPoint)),
          arith::ConstantIntOp::create(builder, loc, builder.getI32Type(),
                                       dot.getLhsOffset()));
    if (needsRowSums)
      row.sum = sumRow(row.lhs);
  }
  return rows;
}

/// One register of accumulators has the same number in every column.
Value ContractKernel::sumRow(Value lhsAt) {
  OpBuilder &builder = kernel.builder;
  int64_t group = dot.getGroup();
  int64_t whole = runSize / group, rest = runSize % group;
  Value ones = dot.buildOnes(kernel);
  Value zero = arith::ConstantOp::create(
      builder, kernel.loc, builder.getZeroAttr(dot.getSumType(builder)));
  auto add = [&](Value sum, OpFoldResult at, int64_t count, int64_t before) {
    Value codes =
        dot.loadLhs(kernel, lhs, kernel.index(at), count, before);
    return dot.build(kernel, sum, codes, ones);
  };
  std::function<Value(unsigned, OpFoldResult, Value)> nest =
      [&](unsigned depth, OpFoldResult at, Value sum) -> Value {
    if (depth != outer.size()) {
      unsigned loop = outer[depth];
      return kernel.forCarry(
          builder.getIndexAttr(0), builder.getIndexAttr(loops.sizes[loop]),
          sum, [&](Value iv, ValueRange inits) {
            return SmallVector<Value>{
                nest(depth + 1,
                     kernel.add(at, kernel.mul(iv, lhs.strides[loop])),
                     inits[0])};
          })[0];
    }
    if (whole > 0)
      sum = kernel.forCarry(
          builder.getIndexAttr(0), builder.getIndexAttr(whole), sum,
          [&](Value iv, ValueRange inits) {
            OpFoldResult group4 = kernel.mul(iv, builder.getIndexAttr(group));
            return SmallVector<Value>{
                add(inits[0], kernel.add(at, group4), group, 0)};
          })[0];
    if (rest > 0)
      sum = add(sum, kernel.add(at, builder.getIndexAttr(whole * group)), rest,
                whole * group);
    return sum;
  };
  Value sum = nest(0, lhsAt, zero);
  return vector::ExtractOp::create(builder, kernel.loc, sum, 0);
}

void ContractKernel::buildTile(SmallVector<Value> &ivs, const Panel &panel,
                               Value first, int64_t count) {
  OpBuilder &builder = kernel.builder;
  SmallVector<Row> rows = buildRowValues(ivs, panel, first, count);
  SmallVector<Value> start;
  for (const Row &row : rows)
    for (auto [reg, value] : llvm::enumerate(panel.start)) {
      ElementArith arith = this->arith(value);
      Value sum = value;
      auto subtractProduct = [&](Value scalar, Value vector) {
        sum = arith.sub(sum, arith::MulIOp::create(builder, kernel.loc,
                                                   splat(scalar), vector));
      };
      if (row.zeroPoint)
        subtractProduct(row.zeroPoint, panel.sums[reg]);
      if (!panel.rhsOffset.empty())
        subtractProduct(row.sum, panel.rhsOffset[reg]);
      start.push_back(sum);
    }
  finish(rows, panel, reduce(rows, panel, start));
}

void ContractKernel::buildRows(SmallVector<Value> &ivs, const Panel &panel) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  OpFoldResult size = builder.getIndexAttr(1);
  for (const MergedLoop &loop : rowLoops)
    size = kernel.mul(size, loop.size);
  int64_t most = target.getTileRows(panel.getRegisters(dot.getLanes()) *
                                    dot.getLanes());
  auto tiles = [&](Value end, int64_t count) {
    auto loop = scf::ForOp::create(builder, loc, kernel.index(0), end,
                                   kernel.index(count));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(loop.getBody());
    buildTile(ivs, panel, loop.getInductionVar(), count);
  };

  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    if (*known == 0)
      return;
    // Tiles of equal size: 7 rows are 4 and 3, not 6 and 1.
    int64_t count = llvm::divideCeil(*known, llvm::divideCeil(*known, most));
    int64_t whole = *known / count * count;
    if (whole == count)
      buildTile(ivs, panel, kernel.index(0), count);
    else
      tiles(kernel.index(whole), count);
    if (whole != *known)
      buildTile(ivs, panel, kernel.index(whole), *known - whole);
    return;
  }

  Value end = kernel.index(size);
  if (most == 1)
    return tiles(end, 1);
  Value rest = arith::RemUIOp::create(builder, loc, end, kernel.index(most));
  Value whole = arith::SubIOp::create(builder, loc, end, rest);
  tiles(whole, most);
  // The rest is as many rows as it is: one case for each number.
  SmallVector<int64_t> cases;
  for (int64_t count = 1; count < most; ++count)
    cases.push_back(count);
  auto branch = scf::IndexSwitchOp::create(builder, loc, TypeRange(), rest,
                                           cases, cases.size());
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&branch.getDefaultRegion());
  scf::YieldOp::create(builder, loc);
  for (auto [count, region] : llvm::zip_equal(cases, branch.getCaseRegions())) {
    builder.createBlock(&region);
    buildTile(ivs, panel, whole, count);
    scf::YieldOp::create(builder, loc);
  }
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

void ContractKernel::buildPanel(SmallVector<Value> &ivs, Value batch,
                                Value index, int64_t columns) {
  OpBuilder &builder = kernel.builder;
  int64_t lanes = dot.getLanes();
  int64_t panels = llvm::divideCeil(this->columns, panelColumns);
  int64_t group = dot.getGroup();
  int64_t panelBytes = loops.getSize(outer) * llvm::divideCeil(runSize, group) *
                       group * panelColumns;
  Panel panel;
  panel.columns = columns;
  OpFoldResult first =
      kernel.mul(index, builder.getIndexAttr(panelColumns));
  panel.firstColumn = kernel.index(first);
  panel.rhs = kernel.index(kernel.mul(
      kernel.add(kernel.mul(batch, builder.getIndexAttr(panels)), index),
      builder.getIndexAttr(panelBytes)));
  // Sums and biases have as many columns as there are, constants as the panels.
  OpFoldResult sumsAt = kernel.add(
      kernel.mul(batch, builder.getIndexAttr(this->columns)), first);
  OpFoldResult constantsAt = kernel.add(
      kernel.mul(batch, builder.getIndexAttr(panels * panelColumns)), first);
  OpFoldResult biasAt;
  if (bias.base)
    biasAt = kernel.add(kernel.address(bias, ivs), first);

  for (int64_t reg = 0; reg < panel.getRegisters(lanes); ++reg) {
    OpFoldResult offset = builder.getIndexAttr(reg * lanes);
    int64_t valid = std::min(columns - reg * lanes, lanes);
    auto at = [&](OpFoldResult base) {
      return kernel.index(kernel.add(base, offset));
    };
    // acc = sum(x w) - zx sums + K zx zw - (zw + offset) sum(x), where x has been
    // moved as the instruction does, and w as it is stored.
    Value sum = loadColumns(sums, at(sumsAt), valid);
    ElementArith arith = this->arith(sum);
    auto times = [&](Value value, int64_t factor) -> Value {
      return arith::MulIOp::create(builder, kernel.loc, value,
                                   arith.intConstant(int32_t(factor)));
    };
    if (!rhsZero.isZero())
      sum = arith.sub(sum, times(loadConstants(rhsZero, at(constantsAt)),
                                 reductionSize));
    Value start = arith.intConstant(0);
    if (op.getZeroPoint())
      panel.sums.push_back(sum);
    else if (lhsZero != 0)
      start = times(sum, -int64_t(lhsZero));
    if (bias.base) {
      Value values = loadColumns(bias, at(biasAt), valid);
      if (bias.element.isInteger()) {
        start = arith.add(start, values);
      } else {
        // float32(double(bias) / double(sy))
        if (resultScale) {
          Type f64 = builder.getF64Type();
          values = arith.cast<arith::TruncFOp>(
              arith.f32(),
              arith.divf(arith.cast<arith::ExtFOp>(f64, values),
                         arith.floatConstant(*resultScale, f64)));
        }
        panel.bias.push_back(values);
      }
    }
    panel.start.push_back(start);
    panel.multiplier.push_back(loadConstants(multiplier, at(constantsAt)));
    if (!rhsOffset.isZero())
      panel.rhsOffset.push_back(loadConstants(rhsOffset, at(constantsAt)));
    if (!minval.values.empty())
      panel.minval.push_back(loadConstants(minval, at(constantsAt)));
  }
  buildRows(ivs, panel);
}

void ContractKernel::buildPanels(SmallVector<Value> &ivs, Value batch) {
  int64_t whole = columns / panelColumns;
  if (whole > 0)
    kernel.forLoop(kernel.builder.getIndexAttr(whole), [&](Value index) {
      buildPanel(ivs, batch, index, panelColumns);
    });
  if (int64_t rest = columns % panelColumns)
    buildPanel(ivs, batch, kernel.index(whole), rest);
}

void ContractKernel::build() {
  analyze();
  placeConstants(multiplier, "multiplier");
  placeConstants(minval, "minval");
  placeConstants(rhsZero, "zero_point");
  placeConstants(rhsOffset, "offset");
  SmallVector<unsigned> batches;
  SmallVector<OpFoldResult> batchSizes;
  for (int64_t dim : op.getLayout()->getBatch()) {
    batches.push_back(op.getRhsMap().getDimPosition(dim));
    batchSizes.push_back(sizes[batches.back()]);
  }
  kernel.forNest(batchSizes, [&](ValueRange outside) {
    SmallVector<Value> ivs(loops.roles.size());
    OpFoldResult number = kernel.builder.getIndexAttr(0);
    for (auto [loop, size, iv] : llvm::zip_equal(batches, batchSizes, outside)) {
      ivs[loop] = iv;
      number = kernel.add(kernel.mul(number, size), iv);
    }
    buildPanels(ivs, kernel.index(number));
  });
}

//===----------------------------------------------------------------------===//
// Pattern
//===----------------------------------------------------------------------===//

namespace {
/// quant.contract lhs(%x) rhs(%w in <panels>) outs(%y)
///   -> scf.for panels { scf.for tiles {
///        %acc:24 = scf.for groups iter_args(...) {
///          %w = vector.load; %x = vector.broadcast
///          llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%acc, %x, %w) ...
///        }
///        scale, round, vector.store } }
struct LowerContract : public OpRewritePattern<ContractOp> {
  LowerContract(MLIRContext *context, const CPUTarget &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(ContractOp op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 0)
      return rewriter.notifyMatchFailure(op, "it is not on buffers");
    if (!op.getLayout())
      return rewriter.notifyMatchFailure(op, "rhs is not packed");
    std::string reason = findNoKernelReason(op, target);
    if (!reason.empty())
      return rewriter.notifyMatchFailure(op, reason);
    ContractKernel(op, target, rewriter).build();
    rewriter.eraseOp(op);
    return success();
  }

  const CPUTarget &target;
};
} // namespace

void quant_mlir::populateContractToCPUPatterns(RewritePatternSet &patterns,
                                               const CPUTarget &target) {
  patterns.add<LowerContract>(patterns.getContext(), target);
}

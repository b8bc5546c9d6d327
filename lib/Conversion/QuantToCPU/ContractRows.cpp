//===- ContractRows.cpp - Where rows of a contraction are -----------------===//
//
// Rows are numbered through all loops of rows. Where those are one loop, rows
// are a known distance apart; otherwise every row has its place in each loop.
// What all panels need of a row is prepared once for a block of rows: its codes
// in one piece, where lhs has them elsewhere, or with the signs that the
// instruction wants, and their sums.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/Utils/RequantizeArith.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

void ContractKernel::placeRow(Values &ivs, Value number) {
  if (rowLoops.empty())
    return;
  for (const MergedLoop &loop :
       llvm::reverse(ArrayRef(rowLoops).drop_front())) {
    Value size = kernel.index(loop.size);
    ivs[loop.loop] =
        arith::RemUIOp::create(kernel.builder, kernel.loc, number, size);
    number = arith::DivUIOp::create(kernel.builder, kernel.loc, number, size);
  }
  ivs[rowLoops.front().loop] = number;
}

void ContractKernel::buildOnStack(llvm::function_ref<void()> body) {
  OpBuilder &builder = kernel.builder;
  Value stack = LLVM::StackSaveOp::create(
      builder, kernel.loc, LLVM::LLVMPointerType::get(op.getContext()));
  Values outer = std::exchange(onHeap, {});
  body();
  for (Value buffer : onHeap)
    memref::DeallocOp::create(builder, kernel.loc, buffer);
  onHeap = std::move(outer);
  LLVM::StackRestoreOp::create(builder, kernel.loc, stack);
}

FlatOperand ContractKernel::allocate(OpFoldResult size, Type element) {
  OpBuilder &builder = kernel.builder;
  FlatOperand operand;
  operand.element = element;
  operand.start = attr(0);
  IntegerAttr alignment = builder.getI64IntegerAttr(64);
  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    operand.base = memref::AllocaOp::create(
        builder, kernel.loc, MemRefType::get({*known}, element), alignment);
    return operand;
  }
  operand.base = memref::AllocOp::create(
      builder, kernel.loc, MemRefType::get({ShapedType::kDynamic}, element),
      ValueRange(cast<Value>(size)), alignment);
  onHeap.push_back(operand.base);
  return operand;
}

void ContractKernel::allocateScratch() {
  OpBuilder &builder = kernel.builder;
  if (needsGather)
    gathered = allocate(attr(scratchRows * gatheredStride), lhs.element);
  if (needsTails)
    tails =
        allocate(attr(scratchRows * getNumRuns() * tileRowBytes), lhs.element);
  if (needsRowSums)
    rowSums = allocate(attr(scratchRows * numBlocks), builder.getI32Type());
  if (ownsPanel() && parallel != Parallel::Panels)
    allocatePanel();
}

ContractKernel::Row ContractKernel::buildRow(ArrayRef<Value> at,
                                             const Panel &panel,
                                             OpFoldResult first,
                                             OpFoldResult inBlock,
                                             OpFoldResult along) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Row row;
  auto place = [&](const FlatOperand &operand) -> Value {
    Value address = kernel.address(operand, at);
    if (rowLoops.empty())
      return address;
    // A constant distance is part of the instruction's address.
    return kernel.index(kernel.add(
        address, kernel.mul(operand.strides[rowLoops.back().loop], along)));
  };
  auto load = [&](const FlatOperand &operand) -> Value {
    return memref::LoadOp::create(builder, loc, operand.base,
                                  ValueRange(place(operand)));
  };
  auto inScratch = [&](int64_t stride) -> Value {
    OpFoldResult number = isScratchShared() ? first : inBlock;
    return kernel.index(kernel.add(kernel.mul(number, attr(stride)),
                                   kernel.mul(along, attr(stride))));
  };
  if (isExchanged)
    addRowConstants(row, at, kernel.add(first, along));
  row.lhs = needsGather ? inScratch(gatheredStride) : place(lhs);
  row.init = kernel.index(kernel.add(place(init), panel.firstColumn));
  if (residual.base)
    row.residual =
        isResidualOfRows
            ? place(residual)
            : kernel.index(kernel.add(place(residual), panel.firstColumn));
  if (needsRowSums)
    row.sums = inScratch(numBlocks);
  if (needsTails)
    row.tail = inScratch(getNumRuns() * tileRowBytes);
  if (scale.base) {
    row.scale = load(scale);
    if (!scale.element.isF32())
      row.scale =
          arith::ExtFOp::create(builder, loc, builder.getF32Type(), row.scale);
  } else if (rhsScale.base) {
    row.scale = arith::ConstantOp::create(
        builder, loc,
        builder.getF32FloatAttr(getTensorScale(*op.getLhsParams())));
  }
  if (zeroPoint.base)
    row.zeroPoint = arith::AddIOp::create(builder, loc, load(zeroPoint),
                                          constantI32(dot.getLhsOffset()));
  return row;
}

SmallVector<ContractKernel::Row>
ContractKernel::buildRowValues(Values &ivs, const Panel &panel, Value firstRow,
                               Value inBlock, int64_t count) {
  bool isOneLoop = rowLoops.size() <= 1;
  OpFoldResult first = kernel.add(firstRow, inBlock);
  SmallVector<Row> rows;
  for (int64_t i = 0; i < count; ++i) {
    OpFoldResult number = isOneLoop ? first : kernel.add(first, attr(i));
    Values at(ivs);
    placeRow(at, kernel.index(number));
    rows.push_back(isOneLoop ? buildRow(at, panel, first, inBlock, attr(i))
                             : buildRow(at, panel, number,
                                        kernel.add(inBlock, attr(i)), attr(0)));
  }
  return rows;
}

Value ContractKernel::getScratchRow(Values &ivs, Value firstRow, Value iv) {
  if (needsGather)
    return kernel.index(kernel.mul(iv, attr(gatheredStride)));
  return getLhsRow(ivs, firstRow, iv);
}

Value ContractKernel::getLhsRow(Values &ivs, Value firstRow, Value iv) {
  Values at(ivs);
  placeRow(at, kernel.index(kernel.add(firstRow, iv)));
  return kernel.address(lhs, at);
}

/// Pieces that follow each other in lhs are copied as such.
void ContractKernel::gatherRow(Values &outerIvs, Value firstRow, Value row) {
  Value from = getLhsRow(outerIvs, firstRow, row);
  Value to = getScratchRow(outerIvs, firstRow, row);
  ArrayRef<unsigned> order = loops.reductionByStride;
  ArrayRef<unsigned> around = order.drop_back(loops.lhsRun);
  int64_t piece = loops.getSize(order.take_back(loops.lhsRun));
  // 21 codes at once, where there are masks, not 16, 4 and 1.
  int64_t wide = target.getVectorBytes(), rest = piece % wide;
  if (target.getDotKind() != DotKind::AVX512VNNI || llvm::isPowerOf2_64(rest))
    rest = 0;
  SmallVector<OpFoldResult> sizes;
  for (unsigned loop : around)
    sizes.push_back(attr(loops.sizes[loop]));
  kernel.forNest(sizes, [&](ValueRange ivs) {
    OpFoldResult source = from, number = attr(0);
    for (auto [loop, iv] : llvm::zip_equal(around, ivs)) {
      source = kernel.add(source, kernel.mul(iv, lhs.strides[loop]));
      number = kernel.add(kernel.mul(number, attr(loops.sizes[loop])), iv);
    }
    OpFoldResult dest = kernel.add(to, kernel.mul(number, attr(piece)));
    auto flip = [&](Value codes) {
      return flipsRows ? dot.flipLhs(kernel, codes) : codes;
    };
    kernel.forPieces(attr(piece - rest), wide, [&](Value iv, int64_t lanes) {
      Value codes =
          kernel.load(lhs, kernel.index(kernel.add(source, iv)), lanes);
      kernel.store(gathered, kernel.index(kernel.add(dest, iv)), flip(codes));
    });
    if (rest == 0)
      return;
    OpFoldResult done = attr(piece - rest);
    Value codes = kernel.loadFirst(lhs, kernel.index(kernel.add(source, done)),
                                   llvm::PowerOf2Ceil(rest), attr(rest));
    kernel.storeFirst(gathered, kernel.index(kernel.add(dest, done)),
                      flip(codes), attr(rest));
  });
}

OpFoldResult ContractKernel::getRunInRow(OpFoldResult inLhs,
                                         OpFoldResult number) {
  return needsGather ? kernel.mul(number, attr(runSize)) : inLhs;
}

Value ContractKernel::sumBlock(Value lhsAt, OpFoldResult first, int64_t size) {
  const FlatOperand &source = needsGather ? gathered : lhs;
  Value zero = constantI32(0);
  return forRuns(
      lhs, zero, [&](OpFoldResult at, OpFoldResult number, ValueRange carried) {
        OpFoldResult inRow = kernel.add(getRunInRow(at, number), first);
        Value sum =
            dot.sumLhs(kernel, source, kernel.index(kernel.add(lhsAt, inRow)),
                       hasBlocks ? attr(size) : runLength);
        return Values{arith(sum).add(carried[0], sum)};
      })[0];
}

void ContractKernel::fillScratch(Values &ivs, Value firstRow,
                                 OpFoldResult count) {
  // To wake threads takes longer than to read and write fewer bytes.
  constexpr int64_t minBytes = 64 << 10, rowsPerShare = 16;
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  bool fillsMore = needsTails || needsRowSums;
  auto fillRows = [&](Value from, OpFoldResult number) {
    // First all copies: what has just been stored in pieces is loaded slowly.
    if (needsGather)
      kernel.forLoop(number, [&](Value iv) {
        gatherRow(ivs, firstRow, kernel.index(kernel.add(from, iv)));
      });
    if (fillsMore)
      kernel.forLoop(number, [&](Value iv) {
        fillScratchRow(ivs, firstRow, kernel.index(kernel.add(from, iv)));
      });
  };
  auto fillShares = [&](bool isParallel) {
    Value end = kernel.index(count);
    buildLoop(kernel.index(0), end, rowsPerShare, isParallel, [&](Value from) {
      Value rest = arith::SubIOp::create(builder, loc, end, from);
      fillRows(from, arith::MinUIOp::create(builder, loc, rest,
                                            kernel.index(rowsPerShare))
                         .getResult());
    });
  };
  bool isAlone = parallel == Parallel::None || parallel == Parallel::Batches ||
                 isScratchOfRowBlock();
  int64_t bytes = lhs.element.getIntOrFloatBitWidth() / 8;
  int64_t enough = llvm::divideCeil(
      minBytes,
      std::max({getScratchPerRow(), reductionSize * bytes, int64_t(1)}));
  std::optional<int64_t> known = getConstantIntValue(count);
  auto fillAlone = [&] {
    if (needsGather && fillsMore && !(known && *known <= rowsPerShare))
      return fillShares(/*isParallel=*/false);
    fillRows(kernel.index(0), count);
  };
  if (isAlone || (known && *known < enough)) {
    fillAlone();
  } else if (known) {
    fillShares(/*isParallel=*/true);
  } else {
    Value areMany =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::uge,
                              kernel.index(count), kernel.index(enough));
    buildIf(areMany, [&] { fillShares(/*isParallel=*/true); }, fillAlone);
  }
  // Otherwise LLVM takes the micro-kernel's codes out of the vectors that were
  // summed here, by shuffles, where one load broadcasts them. No instruction.
  LLVM::FenceOp::create(builder, loc, LLVM::AtomicOrdering::acq_rel,
                        "singlethread");
}

void ContractKernel::fillScratchRow(Values &ivs, Value firstRow, Value iv) {
  Value from = getScratchRow(ivs, firstRow, iv);
  if (needsTails)
    fillTails(from, iv);
  if (!needsRowSums)
    return;
  Value first = kernel.index(kernel.mul(iv, attr(numBlocks)));
  auto store = [&](OpFoldResult block, int64_t size) {
    Value sum = sumBlock(from, kernel.mul(block, attr(blockSize)), size);
    if (rowSumFactor != 1)
      sum = arith::MulIOp::create(kernel.builder, kernel.loc, sum,
                                  constantI32(rowSumFactor));
    memref::StoreOp::create(kernel.builder, kernel.loc, sum, rowSums.base,
                            ValueRange(kernel.index(kernel.add(first, block))));
  };
  if (!hasBlocks)
    return store(attr(0), 0);
  int64_t whole = runSize / blockSize;
  if (whole > 0)
    kernel.forLoop(attr(whole), [&](Value block) { store(block, blockSize); });
  if (int64_t rest = runSize % blockSize)
    store(attr(whole), rest);
}

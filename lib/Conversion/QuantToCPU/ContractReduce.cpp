//===- ContractReduce.cpp - The micro-kernel of a contraction -------------===//
//
// Products of a tile's rows and a panel's columns. Every step loads the
// columns' codes once for all rows and each row's codes, broadcast, once for
// all columns:
//
//   %w0 … %w3 = vector.load                      4 x 16 columns x 4 codes
//   %x = vector.broadcast (a row's 4 codes)      for each of 6 rows
//   %acc = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"    24 times
//
// Codes of less than a byte come out of the bytes they share by `and` and a
// shift.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quant_mlir;

Value ContractKernel::subtractProduct(Value sum, Value scalar, Value vector) {
  ElementArith arith = this->arith(sum);
  Type element = getElementTypeOrSelf(sum.getType());
  Value product = arith::MulIOp::create(kernel.builder, kernel.loc,
                                        arith.extend(splat(scalar), element),
                                        arith.extend(vector, element));
  return arith.sub(sum, product);
}

Value ContractKernel::loadRowSum(const Row &row, OpFoldResult block) {
  Value at = kernel.index(kernel.add(row.sums, block));
  return memref::LoadOp::create(kernel.builder, kernel.loc, rowSums.base,
                                ValueRange(at));
}

int64_t ContractKernel::getRhsOffset(int64_t number) const {
  int64_t perPanel = panelColumns / dot.getColumns();
  return number / perPanel * panelBytes +
         number % perPanel * (tupleBytes / perPanel);
}

void ContractKernel::prefetch(Value operand, OpFoldResult index) {
  memref::PrefetchOp::create(kernel.builder, kernel.loc, operand,
                             ValueRange(kernel.index(index)),
                             /*isWrite=*/false, /*localityHint=*/3,
                             /*isDataCache=*/true);
}

void ContractKernel::addTuple(ArrayRef<Row> rows, const Panel &panel,
                              OpFoldResult lhsAt, OpFoldResult rhsAt,
                              OpFoldResult size, int64_t before,
                              MutableArrayRef<Value> sums) {
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  // Accumulators beside each other, of the same rows.
  int64_t across = panel.getRegisters(lanes) * dot.getRows();
  std::optional<int64_t> count = getConstantIntValue(size);
  int64_t groups = count ? llvm::divideCeil(*count, group) : 1;
  const FlatOperand &source = needsGather ? gathered : lhs;
  auto loadBytes = [&](int64_t i) {
    OpFoldResult at = kernel.add(rhsAt, attr(getRhsOffset(i)));
    if (asksAhead(rows.size()))
      prefetch(rhs, kernel.add(at, attr(bytesAhead)));
    return dot.loadRhs(kernel, rhs, kernel.index(at), width);
  };
  // Those of an accumulator's rows, from `first` on.
  auto loadRows = [&](int64_t first, int64_t number) {
    OpFoldResult inRow = kernel.add(lhsAt, attr(number * group));
    Values indices;
    for (const Row &row : rows.slice(first).take_front(dot.getRows()))
      indices.push_back(kernel.index(kernel.add(row.lhs, inRow)));
    if (!count)
      return dot.loadSome(kernel, source, indices, cast<Value>(size));
    return dot.loadLhs(kernel, source, indices,
                       std::min(group, *count - number * group),
                       before + number * group);
  };
  auto add = [&](int64_t first, int64_t i, Value ofRows, Value codes) {
    Value &sum = sums[first / dot.getRows() * across + i];
    sum = dot.build(kernel, sum, ofRows, codes);
  };

  // The side that has fewer registers is loaded first and held.
  int64_t numRows = rows.size();
  if (dot.getRows() > 1) {
    Values held;
    for (int64_t first = 0; first < numRows; first += dot.getRows())
      for (int64_t number = 0; number < groups; ++number)
        held.push_back(loadRows(first, number));
    for (int64_t i = 0; i < across; ++i) {
      Value bytes = loadBytes(i);
      for (int64_t number = 0; number < groups; ++number) {
        Value codes = dot.unpackRhs(kernel, bytes, width, number);
        for (int64_t first = 0; first < numRows; first += dot.getRows())
          add(first, i, held[first / dot.getRows() * groups + number], codes);
      }
    }
    return;
  }
  Values bytes;
  for (int64_t i = 0; i < across; ++i)
    bytes.push_back(loadBytes(i));
  for (int64_t number = 0; number < groups; ++number) {
    Values codes;
    for (auto [reg, value] : llvm::enumerate(bytes)) {
      codes.push_back(dot.unpackRhs(kernel, value, width, number));
      if (isOfValues)
        codes.back() = decodeRhs(panel, reg, codes.back());
    }
    for (int64_t row = 0; row < numRows; ++row) {
      Value ofRow = loadRows(row, number);
      for (int64_t i = 0; i < across; ++i)
        add(row, i, ofRow, codes[i]);
    }
  }
}

ContractKernel::Values ContractKernel::addUnknown(ArrayRef<Row> rows,
                                                  const Panel &panel,
                                                  OpFoldResult lhsAt,
                                                  OpFoldResult rhsAt,
                                                  Value size, Values sums) {
  OpFoldResult whole = floorDivide(kernel, size, tupleSize);
  auto add = [&](Value tuple, OpFoldResult count, ValueRange inits) {
    Values values(inits);
    addTuple(rows, panel, kernel.add(lhsAt, kernel.mul(tuple, attr(tupleSize))),
             kernel.add(rhsAt, kernel.mul(tuple, attr(tupleBytes))), count, 0,
             values);
    return values;
  };
  sums = kernel.forCarry(attr(0), whole, sums, [&](Value iv, ValueRange inits) {
    return add(iv, attr(tupleSize), inits);
  });
  if (tupleSize == 1)
    return sums;
  // At most one step, of fewer codes.
  return kernel.forCarry(whole, ceilDivide(kernel, size, tupleSize), sums,
                         [&](Value iv, ValueRange inits) {
                           // Of two there can be one only.
                           OpFoldResult count = attr(1);
                           if (tupleSize > 2)
                             count = getRest(kernel, size, tupleSize);
                           return add(iv, count, inits);
                         });
}

ContractKernel::Values
ContractKernel::addCodes(ArrayRef<Row> rows, const Panel &panel,
                         OpFoldResult lhsAt, OpFoldResult rhsAt,
                         OpFoldResult length, Values sums, int64_t sets) {
  std::optional<int64_t> known = getConstantIntValue(length);
  if (!known)
    return addUnknown(rows, panel, lhsAt, rhsAt, cast<Value>(length), sums);
  int64_t size = *known, whole = size / tupleSize, rest = size % tupleSize;
  int64_t chains = sums.size() / sets, steps = whole / sets;
  auto tupleAt = [&](OpFoldResult base, OpFoldResult tuple, int64_t step) {
    return kernel.add(base, kernel.mul(tuple, attr(step)));
  };
  if (steps > 0)
    sums = kernel.forCarry(
        attr(0), attr(steps), sums, [&](Value iv, ValueRange inits) {
          Values values(inits);
          OpFoldResult first = kernel.mul(iv, attr(sets));
          for (int64_t set = 0; set < sets; ++set) {
            OpFoldResult tuple = kernel.add(first, attr(set));
            addTuple(rows, panel, tupleAt(lhsAt, tuple, tupleSize),
                     tupleAt(rhsAt, tuple, tupleBytes), attr(tupleSize), 0,
                     MutableArrayRef(values).slice(set * chains, chains));
          }
          return values;
        });
  for (int64_t i = steps * sets; i < whole; ++i)
    addTuple(rows, panel, tupleAt(lhsAt, attr(i), tupleSize),
             tupleAt(rhsAt, attr(i), tupleBytes), attr(tupleSize), 0,
             MutableArrayRef(sums).slice((i - steps * sets) * chains, chains));
  if (rest > 0)
    addTuple(rows, panel, tupleAt(lhsAt, attr(whole), tupleSize),
             tupleAt(rhsAt, attr(whole), tupleBytes), attr(rest),
             whole * tupleSize, MutableArrayRef(sums).take_front(chains));
  return sums;
}

ContractKernel::Values ContractKernel::forRuns(
    const FlatOperand &operand, ValueRange inits,
    llvm::function_ref<Values(OpFoldResult, OpFoldResult, ValueRange)> body) {
  std::function<Values(unsigned, OpFoldResult, OpFoldResult, ValueRange)> nest =
      [&](unsigned depth, OpFoldResult at, OpFoldResult number,
          ValueRange carried) -> Values {
    if (depth == outer.size())
      return body(at, number, carried);
    unsigned loop = outer[depth];
    OpFoldResult size = attr(loops.sizes[loop]);
    return kernel.forCarry(
        attr(0), size, carried, [&](Value iv, ValueRange inits) {
          return nest(depth + 1,
                      kernel.add(at, kernel.mul(iv, operand.strides[loop])),
                      kernel.add(kernel.mul(number, size), iv), inits);
        });
  };
  return nest(0, attr(0), attr(0), inits);
}

ContractKernel::Values ContractKernel::buildStarts(ArrayRef<Row> rows,
                                                   const Panel &panel) {
  Values sums;
  if (isExchanged) {
    for (const Row &row : rows)
      for (int64_t reg = 0; reg < panel.getRegisters(dot.getLanes()); ++reg) {
        Value sum = splat(row.start);
        if (row.rhsOffset)
          sum = subtractProduct(sum, row.rhsOffset, panel.columnSums[reg]);
        sums.push_back(sum);
      }
    return sums;
  }
  for (const Row &row : rows) {
    Value rowSum = rhsOffset.isZero() ? Value() : loadRowSum(row, attr(0));
    for (auto [reg, value] : llvm::enumerate(panel.start)) {
      Value sum = value;
      if (row.zeroPoint)
        sum = subtractProduct(sum, row.zeroPoint, panel.columnSums[reg]);
      if (rowSum && rowSumFactor != 1)
        sum = arith(sum).add(sum, splat(rowSum));
      else if (rowSum)
        sum = subtractProduct(sum, rowSum, panel.rhsOffset[reg]);
      sums.push_back(sum);
    }
  }
  return sums;
}

ContractKernel::Values ContractKernel::reduce(ArrayRef<Row> rows,
                                              const Panel &panel) {
  if (hasBlocks)
    return reduceBlocks(rows, panel);
  if (op.getWide())
    return reducePieces(rows, panel);
  Value zero = buildZero(dot.getSumType(kernel.builder));
  Values sums;
  if (isOfValues)
    sums.assign(rows.size() * panel.getRegisters(dot.getLanes()), zero);
  else
    sums = buildStarts(rows, panel);
  // Few accumulators wait for each other: several sets of them, added up at the
  // end, keep the instruction busy.
  sums = dot.toAccumulators(kernel, sums, rows.size());
  constexpr int64_t minChains = 8;
  int64_t chains = sums.size(), sets = 1;
  while (sets * chains < minChains && sets * 2 <= runSize / tupleSize)
    sets *= 2;
  sums.append(chains * (sets - 1), zero);
  sums = forRuns(
      lhs, sums, [&](OpFoldResult at, OpFoldResult number, ValueRange carried) {
        OpFoldResult rhsAt =
            kernel.add(panel.rhs, kernel.mul(number, attr(runBytes)));
        return addCodes(rows, panel, getRunInRow(at, number), rhsAt, runLength,
                        Values(carried), sets);
      });
  for (int64_t set = 1; set < sets; ++set)
    for (int64_t i = 0; i < chains; ++i)
      sums[i] = dot.addSums(kernel, sums[i], sums[set * chains + i]);
  return dot.toRows(kernel, ArrayRef(sums).take_front(chains), rows.size());
}

//===----------------------------------------------------------------------===//
// Wide sums
//===----------------------------------------------------------------------===//

/// Codes of a piece: however they are moved, an int32 holds their products.
static constexpr int64_t pieceSize = 32768;
static_assert(pieceSize * 255 * 255 < int64_t(1) << 31);

/// %total = scf.for pieces iter_args(%t) {        two registers of i64 each
///   %acc = scf.for groups { … }                  from zero
///   scf.yield %t + extsi(%acc)
/// }
ContractKernel::Values ContractKernel::reducePieces(ArrayRef<Row> rows,
                                                    const Panel &panel) {
  Type i64 = kernel.builder.getI64Type();
  Value zero = buildZero(VectorType::get({dot.getLanes()}, i64));
  Values totals(rows.size() * panel.getRegisters(dot.getLanes()), zero);
  Values zeros(totals.size(), buildZero(dot.getSumType(kernel.builder)));
  auto addPiece = [&](OpFoldResult lhsAt, OpFoldResult rhsAt, int64_t size,
                      Values totals) {
    Values sums = addCodes(rows, panel, lhsAt, rhsAt, attr(size),
                           dot.toAccumulators(kernel, zeros, rows.size()), 1);
    for (auto [total, sum] :
         llvm::zip_equal(totals, dot.toRows(kernel, sums, rows.size())))
      total = arith(total).add(total, arith(sum).extend(sum, i64));
    return totals;
  };
  // Pieces are whole tuples, so that each begins where packing begins one.
  int64_t size = llvm::alignDown(pieceSize, tupleSize);
  int64_t whole = runSize / size, rest = runSize % size;
  totals = forRuns(
      lhs, totals,
      [&](OpFoldResult at, OpFoldResult number, ValueRange carried) {
        OpFoldResult lhsAt = getRunInRow(at, number);
        OpFoldResult rhsAt =
            kernel.add(panel.rhs, kernel.mul(number, attr(runBytes)));
        auto add = [&](OpFoldResult piece, int64_t count, ValueRange inits) {
          return addPiece(
              kernel.add(lhsAt, kernel.mul(piece, attr(size))),
              kernel.add(rhsAt, kernel.mul(piece, attr(size / tupleSize *
                                                       tupleBytes))),
              count, Values(inits));
        };
        Values sums(carried);
        if (whole > 0)
          sums = kernel.forCarry(attr(0), attr(whole), sums,
                                 [&](Value piece, ValueRange inits) {
                                   return add(piece, size, inits);
                                 });
        if (rest > 0)
          sums = add(attr(whole), rest, sums);
        return sums;
      });
  for (auto [total, start] : llvm::zip_equal(totals, buildStarts(rows, panel)))
    total = arith(total).add(total, start);
  return totals;
}

//===- ContractPanelGroups.cpp - Codes of a panel, group by group ---------===//
//
// What is loaded from a rhs that is not packed, put in the order in which the
// dot product reads it: squares, words or lines of codes (ContractPanels.cpp).
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

void ContractKernel::storeGroups(Value codes, OpFoldResult dest,
                                 OpFoldResult count, Value *total) {
  OpBuilder &builder = kernel.builder;
  auto type = cast<VectorType>(codes.getType());
  // By a flipped top bit, of codes that exist.
  if (rhsMoved != 0)
    codes = arith::XOrIOp::create(builder, kernel.loc, codes,
                                  dot.buildFlips(kernel, type, count));
  Value bytes = codes;
  if (type.getElementType() != packed.element)
    bytes = vector::BitCastOp::create(
        builder, kernel.loc,
        VectorType::get({type.getNumElements() * width / 8}, packed.element),
        codes);
  kernel.store(packed, kernel.index(dest), bytes);
  if (!total)
    return;
  DotProduct sum =
      usesTiles ? DotProduct(target, /*isLhsSigned=*/true, !isRhsSigned())
                : dot;
  *total = sum.addRhs(kernel, *total, sum.unpackRhs(kernel, codes, width, 0));
}

/// Rows of a square as its columns: log2(n) steps, each of which exchanges
/// blocks of half the size of the one before.
static void transposeSquare(KernelBuilder &kernel,
                            MutableArrayRef<Value> rows) {
  int64_t size = rows.size();
  for (int64_t half = size / 2; half > 0; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < size; ++i) {
      bool isSecond = i & half;
      low.push_back(isSecond ? size + i - half : i);
      high.push_back(isSecond ? size + i : i + half);
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i & half)
        continue;
      Value a = rows[i], b = rows[i + half];
      rows[i] =
          vector::ShuffleOp::create(kernel.builder, kernel.loc, a, b, low);
      rows[i + half] =
          vector::ShuffleOp::create(kernel.builder, kernel.loc, a, b, high);
    }
  }
}

void ContractKernel::packSquare(const Panel &panel, OpFoldResult base,
                                OpFoldResult dest,
                                MutableArrayRef<Value> totals) {
  OpBuilder &builder = kernel.builder;
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  unsigned bits = source.element.getIntOrFloatBitWidth();
  auto codes = VectorType::get({lanes * group}, source.element);
  auto words = VectorType::get({lanes}, builder.getIntegerType(bits * group));
  int64_t whole = getWholeRegisters(panel);
  for (int64_t reg = 0; reg < whole; ++reg) {
    Values rows;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      Value from =
          kernel.index(kernel.add(base, getColumnOffset(reg * lanes + lane)));
      rows.push_back(
          vector::BitCastOp::create(builder, kernel.loc, words,
                                    kernel.load(source, from, lanes * group)));
    }
    transposeSquare(kernel, rows);
    for (int64_t tuple = 0; tuple < lanes; ++tuple)
      storeGroups(
          vector::BitCastOp::create(builder, kernel.loc, codes, rows[tuple]),
          kernel.add(dest, attr(tuple * tupleBytes + reg * registerBytes())),
          attr(group), totals.empty() ? nullptr : &totals[reg]);
  }
  if (whole == panel.getRegisters(lanes))
    return;
  // Few columns are not worth a square of their own.
  Values last = kernel.forCarry(
      attr(0), attr(lanes), ValueRange(totals),
      [&](Value iv, ValueRange inits) {
        Values values(inits);
        packWords(panel, whole, kernel.add(base, kernel.mul(iv, attr(group))),
                  kernel.add(dest, kernel.mul(iv, attr(tupleBytes))),
                  attr(group), values);
        return values;
      });
  llvm::copy(last, totals.begin());
}

void ContractKernel::copyLine(const Panel &panel, OpFoldResult from,
                              OpFoldResult to, int64_t done) {
  OpFoldResult stride = source.strides[columnNest.back().loop];
  forColumnRows(
      panel, done,
      [&](OpFoldResult inSource, OpFoldResult number, OpFoldResult size) {
        auto copy = [&](Value iv, int64_t count) {
          OpFoldResult at =
              kernel.add(kernel.add(from, inSource), kernel.mul(iv, stride));
          Value codes = kernel.load(source, kernel.index(at), count);
          at = kernel.add(to, kernel.add(number, iv));
          kernel.store(lines, kernel.index(at), codes);
        };
        if (getConstantIntValue(stride) == 1)
          kernel.forPieces(size, target.getVectorBytes(), copy);
        else
          kernel.forLoop(size, [&](Value iv) { copy(iv, 1); });
      });
}

void ContractKernel::packWords(const Panel &panel, int64_t firstReg,
                               OpFoldResult base, OpFoldResult dest,
                               OpFoldResult count,
                               MutableArrayRef<Value> totals) {
  OpBuilder &builder = kernel.builder;
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  OpFoldResult stride = source.strides[columnNest.back().loop];
  forColumnRows(
      panel, firstReg * lanes,
      [&](OpFoldResult inSource, OpFoldResult number, OpFoldResult size) {
        kernel.forLoop(size, [&](Value iv) {
          Value from = kernel.index(
              kernel.add(kernel.add(base, inSource), kernel.mul(iv, stride)));
          OpFoldResult to = kernel.mul(kernel.add(number, iv), attr(group));
          auto copy = [&](OpFoldResult at, int64_t size) {
            kernel.store(
                lines, kernel.index(kernel.add(to, at)),
                kernel.load(source, kernel.index(kernel.add(from, at)), size));
          };
          if (getConstantIntValue(count) == group)
            return copy(attr(0), group);
          auto type = VectorType::get({group}, source.element);
          kernel.store(lines, kernel.index(to),
                       arith::ConstantOp::create(builder, kernel.loc,
                                                 builder.getZeroAttr(type)));
          kernel.forLoop(count, [&](Value i) { copy(i, 1); });
        });
      });
  for (int64_t reg = firstReg; reg < panel.getRegisters(lanes); ++reg)
    storeGroups(
        kernel.load(lines, kernel.index(reg * lanes * group), lanes * group),
        kernel.add(dest, attr(reg * registerBytes())), count,
        totals.empty() ? nullptr : &totals[reg]);
}

void ContractKernel::packGroup(const Panel &panel, OpFoldResult base,
                               OpFoldResult first, OpFoldResult dest,
                               OpFoldResult size,
                               MutableArrayRef<Value> totals) {
  OpBuilder &builder = kernel.builder;
  int64_t group = dot.getGroup(), lanes = dot.getLanes();
  // Where only the run time knows how many there are, the last one stands for
  // those that are not, and is 0 in their place.
  std::optional<int64_t> known = getConstantIntValue(size);
  int64_t count = known.value_or(group);
  Value last;
  if (!known)
    last = kernel.index(kernel.add(size, attr(-1)));
  auto type = VectorType::get({lanes}, source.element);
  OpFoldResult stride = source.strides[columnNest.back().loop];
  bool isLine = columnNest.size() == 1 && getConstantIntValue(stride) == 1;

  // From where it lies, if that is whole.
  auto isWhole = [&](int64_t reg) {
    return isLine && reg < getWholeRegisters(panel);
  };
  auto placeOf = [&](int64_t i) {
    OpFoldResult number = attr(i);
    if (last)
      number =
          arith::MinUIOp::create(builder, kernel.loc, kernel.index(i), last)
              .getResult();
    return kernel.add(base, getRunOffset(kernel.add(first, number)));
  };
  for (int64_t i = 0; i < count; ++i)
    if (!isWhole(panel.getRegisters(lanes) - 1))
      copyLine(panel, placeOf(i), attr(i * panelColumns),
               isLine ? getWholeRegisters(panel) * lanes : 0);

  auto zip = [&](Value a, Value b) -> Value {
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < lanes; ++i)
      mask.append({i, lanes + i});
    return vector::ShuffleOp::create(builder, kernel.loc, a, b, mask);
  };
  auto recast = [&](Value codes, int64_t size, unsigned bits) -> Value {
    return vector::BitCastOp::create(
        builder, kernel.loc,
        VectorType::get({size}, builder.getIntegerType(bits)), codes);
  };
  for (int64_t reg = 0; reg < panel.getRegisters(lanes); ++reg) {
    Values elements;
    for (int64_t i = 0; i < group; ++i) {
      if (i >= count) {
        elements.push_back(arith::ConstantOp::create(
            builder, kernel.loc, builder.getZeroAttr(type)));
        continue;
      }
      OpFoldResult from = isWhole(reg)
                              ? kernel.add(placeOf(i), attr(reg * lanes))
                              : attr(i * panelColumns + reg * lanes);
      elements.push_back(kernel.load(isWhole(reg) ? source : lines,
                                     kernel.index(from), lanes));
      if (!last || i == 0)
        continue;
      Value exists =
          arith::CmpIOp::create(builder, kernel.loc, arith::CmpIPredicate::ule,
                                kernel.index(i), last);
      Value zero = arith::ConstantOp::create(builder, kernel.loc,
                                             builder.getZeroAttr(type));
      elements.back() = arith::SelectOp::create(builder, kernel.loc, exists,
                                                elements.back(), zero);
    }
    // Pairs, then pairs of pairs.
    unsigned bits = source.element.getIntOrFloatBitWidth();
    while (elements.size() > 1) {
      Values pairs;
      for (unsigned i = 0; i < elements.size(); i += 2)
        pairs.push_back(recast(zip(elements[i], elements[i + 1]), lanes,
                               bits * group / elements.size() * 2));
      elements = std::move(pairs);
    }
    Value codes = elements.front();
    if (group > 1)
      codes = recast(codes, lanes * group, bits);
    storeGroups(codes, kernel.add(dest, attr(reg * registerBytes())), size,
                totals.empty() ? nullptr : &totals[reg]);
  }
}

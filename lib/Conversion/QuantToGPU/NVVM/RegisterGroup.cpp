//===- RegisterGroup.cpp - Products of four warps, weights in registers ---===//
//
// wgmma takes one factor from registers, where codes become what is multiplied:
// weights are that one, 64 columns of the result, and rows of lhs the columns
// of an instruction, read from shared memory.
//
//   D      sums 4 j + 2 c + e of lane (g, t) of warp w:
//          column 16 w + 8 c + g of the product, row 8 j + 2 t + e
//   A      words of columns g, g + 8 of the first 16 bytes of lhs that a step
//          has, then of the others
//
// ldmatrix loads them where they are bytes or values, and of nibbles a word
// that has those of both: the low ones of a chunk of a column, and its high
// ones. Beside values, 16 bytes of lhs have two values of a lane (k = 2t,
// 2t + 1), and a chunk of a column has the codes of both: a lane reads two
// bytes of each half.
//
// Products read these registers later than they are issued. Those of two steps
// are written again when their products of the stage before have been waited
// for, or, where a stage has several blocks, those of a block.
//
// A workgroup has two groups: of nibbles as long as nothing but products is
// summed, one below the other, with 128 columns each, of which a lane stores
// four that follow each other; otherwise side by side, with 64 columns each, so
// that no weight is unpacked twice.
//
//===----------------------------------------------------------------------===//

#include "CoreValues.h"
#include "WarpGroup.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

MatrixShape getShape(int64_t rows) {
  MatrixShape shape;
  shape.rows = rows;
  shape.columns = 64;
  shape.lanes = 128;
  shape.laneRows = rows / 4;
  shape.laneColumns = 2;
  shape.stepPlanes = 2;
  shape.stagePlanes = 8;
  return shape;
}

MatrixShape getShapeBelow(int64_t rows, int64_t groups) {
  MatrixShape shape = getShape(rows);
  shape.groups = groups;
  shape.minGroupColumns = shape.maxGroupColumns = 128;
  shape.maxTileRows = groups * rows;
  return shape;
}

MatrixShape getShapeBeside(int64_t rows) {
  MatrixShape shape = getShape(rows);
  shape.groups = 2;
  shape.minGroupColumns = shape.maxGroupColumns = 64;
  shape.maxTileRows = 256;
  return shape;
}

/// A row of products is added to values while another one is multiplied. A
/// stage has two blocks, or parts of one, so that factors of the first are
/// loaded while the second is under way.
MatrixShape getShapeOfBlocks(const GPUTarget &target, const MatrixWork &work,
                             int64_t codesOfChunk) {
  bool isFull = work.countTiles(128) >= target.getNumCores();
  MatrixShape shape = getShapeBeside(isFull ? 64 : 32);
  if (2 * work.blockCodes > shape.stagePlanes * codesOfChunk)
    shape.stagePlanes *= 2;
  shape.minRowProducts = 2;
  return shape;
}

class RegisterGroup : public WarpGroup {
public:
  using WarpGroup::WarpGroup;

  int64_t getFactorSteps() const override { return 2; }
  void loadFactors(const GroupStage &stage, int64_t first,
                   int64_t count) override;
  void multiplyFromShared(const GroupStage &stage, int64_t step,
                          int64_t product,
                          MutableArrayRef<Value> sums) override;

  Values getZeros() override {
    Value zero = arith::ConstantOp::create(builder, loc,
                                           builder.getZeroAttr(getSumType()));
    return Values(shape.rows / 2, zero);
  }
  Value getSum(ArrayRef<Value> sums, int64_t row, int64_t column) override {
    return sums[row / 2 * 4 + 2 * column + row % 2];
  }
  Value getRow(Value lane) override { return body.times(body.rem(lane, 4), 2); }
  int64_t getRowOffset(int64_t row) const override {
    return row / 2 * 8 + row % 2;
  }
  Value getColumnGroup(Value lane) override { return body.div(lane, 4); }
  Value getColumn(Value columnGroup, Value column) override {
    Value ofWarp = body.times(body.div(columnGroup, 8), 16);
    return body.sum(body.sum(ofWarp, body.rem(columnGroup, 8)),
                    body.times(column, 8));
  }
  std::pair<Value, Value> findColumn(Value inProduct) override {
    Value ofWarp = body.times(body.div(inProduct, 16), 8);
    return {body.sum(ofWarp, body.rem(inProduct, 8)),
            body.rem(body.div(inProduct, 8), 2)};
  }
  /// Codes of the columns of its sums.
  Value getRhsColumn(Value) override { return Value(); }

protected:
  virtual Type getSumType() { return builder.getI32Type(); }
  /// Of an instruction, and what follows the predicate.
  virtual std::string getTypes(const GroupStage &stage) {
    return std::string("k32.s32.s8.") + (stage.isLhsSigned ? "s8" : "u8");
  }
  virtual StringRef getScales() { return ""; }
  /// A of `count` steps of product `product` of columns.
  virtual SmallVector<Values> loadColumns(const GroupStage &stage,
                                          int64_t product, int64_t first,
                                          int64_t count) = 0;
  /// Words of columns g and g + 8 of each of `count` planes.
  Values loadPlanes(const GroupStage &stage, int64_t product, int64_t first,
                    int64_t count);
  /// Of column g, or g + 8, of a product; null for 0.
  static Value getOffset(const GroupStage &stage, int64_t product,
                         int64_t column) {
    return stage.rhsOffsets.empty() ? Value()
                                    : stage.rhsOffsets[2 * product + column];
  }

private:
  /// A by step and product of columns.
  SmallVector<SmallVector<Values>> factors;
};

/// Codes of four bits, as bytes that are 16 times as much, or less their zero
/// points.
class NibbleGroup : public RegisterGroup {
public:
  NibbleGroup(GPUBuilder &body, const MatrixShape &shape, bool subtracts)
      : RegisterGroup(body, shape), subtracts(subtracts) {}

  bool subtractsOffsets() const override { return subtracts; }

protected:
  SmallVector<Values> loadColumns(const GroupStage &stage, int64_t product,
                                  int64_t first, int64_t count) override;

private:
  Values subtractOffsets(ArrayRef<Value> words, const GroupStage &stage,
                         int64_t product);
  const bool subtracts;
};

/// Codes of a byte.
class ByteColumns : public RegisterGroup {
public:
  using RegisterGroup::RegisterGroup;

protected:
  SmallVector<Values> loadColumns(const GroupStage &stage, int64_t product,
                                  int64_t first, int64_t count) override;
};

/// Values, or codes that become such, beside values.
class ValueGroup : public RegisterGroup {
public:
  ValueGroup(GPUBuilder &body, const MatrixShape &shape, Type lhs, Type rhs)
      : RegisterGroup(body, shape), codes(*this, body, rhs, lhs) {}

protected:
  Type getSumType() override { return builder.getF32Type(); }
  std::string getTypes(const GroupStage &) override {
    return codes.value.isF16() ? "k16.f32.f16.f16" : "k16.f32.bf16.bf16";
  }
  StringRef getScales() override { return ", 1, 1, 0"; }
  SmallVector<Values> loadColumns(const GroupStage &stage, int64_t product,
                                  int64_t first, int64_t count) override;

private:
  /// Codes 2t, 2t + 1 of both halves of a chunk.
  Value loadCodes(const GroupStage &stage, Value plane, int64_t product,
                  int64_t column);
  CoreValues codes;
};

} // namespace

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

void RegisterGroup::loadFactors(const GroupStage &stage, int64_t first,
                                int64_t count) {
  factors.resize(std::max<size_t>(factors.size(), first + count));
  for (int64_t step = first; step < first + count; ++step)
    factors[step].clear();
  for (int64_t product = 0; product < stage.columnProducts; ++product)
    for (auto [step, words] :
         llvm::enumerate(loadColumns(stage, product, first, count)))
      factors[first + step].push_back(words);
}

/// A lane has the address of a chunk: of 16 columns of two planes at once.
MatrixUnit::Values RegisterGroup::loadPlanes(const GroupStage &stage,
                                             int64_t product, int64_t first,
                                             int64_t count) {
  Value column = body.sum(body.times(body.div(stage.lane, 32), 16),
                          body.rem(stage.lane, 16));
  Value second = body.rem(body.div(stage.lane, 16), 2);
  Values words;
  for (int64_t plane = first; plane < first + count; plane += 2) {
    bool areTwo = plane + 1 < first + count;
    Value ofLane =
        areTwo ? body.sum(second, body.attr(plane)) : body.index(plane);
    Value at = stage.rhsChunk(ofLane, body.index(product), column);
    words.append(loadMatrices(stage.shared, at, areTwo ? 4 : 2));
  }
  return words;
}

MatrixUnit::Values NibbleGroup::subtractOffsets(ArrayRef<Value> words,
                                                const GroupStage &stage,
                                                int64_t product) {
  Value low = body.constantI32(0x0F0F0F0F), top = body.constantI32(0x80808080);
  Values results;
  for (int64_t shift : {0, 4})
    for (auto [column, word] : llvm::enumerate(words)) {
      Value nibbles = word;
      if (shift)
        nibbles =
            arith::ShRUIOp::create(builder, loc, word, body.constantI32(shift));
      nibbles = arith::AndIOp::create(builder, loc, nibbles, low);
      // u - (zero point and 8), from bytes that do not borrow from each other.
      nibbles = arith::OrIOp::create(builder, loc, nibbles, top);
      Value offset = arith::AddIOp::create(
          builder, loc, getOffset(stage, product, column), body.constantI32(8));
      offset = arith::MulIOp::create(builder, loc, offset,
                                     body.constantI32(0x01010101));
      nibbles = arith::SubIOp::create(builder, loc, nibbles, offset);
      results.push_back(arith::XOrIOp::create(builder, loc, nibbles, top));
    }
  return results;
}

SmallVector<MatrixUnit::Values>
NibbleGroup::loadColumns(const GroupStage &stage, int64_t product,
                         int64_t first, int64_t count) {
  Values words = loadPlanes(stage, product, first, count);
  SmallVector<Values> result;
  for (int64_t i = 0; i < count; ++i) {
    ArrayRef<Value> two = ArrayRef<Value>(words).slice(2 * i, 2);
    result.push_back(subtracts && !stage.rhsOffsets.empty()
                         ? subtractOffsets(two, stage, product)
                         : unpackNibbles(two));
  }
  return result;
}

SmallVector<MatrixUnit::Values>
ByteColumns::loadColumns(const GroupStage &stage, int64_t product,
                         int64_t first, int64_t count) {
  Values words = loadPlanes(stage, product, 2 * first, 2 * count);
  SmallVector<Values> result;
  for (int64_t i = 0; i < count; ++i)
    result.emplace_back(ArrayRef<Value>(words).slice(4 * i, 4));
  return result;
}

Value ValueGroup::loadCodes(const GroupStage &stage, Value plane,
                            int64_t product, int64_t column) {
  Value warp = body.div(stage.lane, 32), inWarp = body.rem(stage.lane, 32);
  Value inProduct =
      body.sum(body.sum(body.times(warp, 16), body.div(inWarp, 4)),
               body.attr(8 * column));
  Value chunk = stage.rhsChunk(plane, body.index(product), inProduct);
  Value first = body.sum(chunk, body.rem(inWarp, 4));
  Values halves;
  for (int64_t half : {0, 4})
    halves.push_back(
        memref::LoadOp::create(builder, loc, stage.shared,
                               ValueRange(body.sum(first, body.attr(half)))));
  Value pair =
      vector::FromElementsOp::create(builder, loc, codes.getPair(), halves);
  return codes.toWord(pair);
}

SmallVector<MatrixUnit::Values> ValueGroup::loadColumns(const GroupStage &stage,
                                                        int64_t product,
                                                        int64_t first,
                                                        int64_t count) {
  SmallVector<Values> result;
  if (codes.codes == codes.value) {
    Values words = loadPlanes(stage, product, 2 * first, 2 * count);
    for (int64_t i = 0; i < count; ++i)
      result.emplace_back(ArrayRef<Value>(words).slice(4 * i, 4));
    return result;
  }
  Values words;
  for (int64_t step = first; step < first + count; ++step) {
    // A plane of nibbles has two steps.
    int64_t part = stage.isNibbles ? step % 2 : 0;
    if (words.empty() || part == 0) {
      words.clear();
      for (int64_t column : {0, 1})
        words.push_back(loadCodes(stage,
                                  body.index(stage.isNibbles ? step / 2 : step),
                                  product, column));
    }
    Values low = codes.decode(words[0], part, getOffset(stage, product, 0)),
           high = codes.decode(words[1], part, getOffset(stage, product, 1));
    Values ofStep;
    for (Value pair : {low[0], high[0], low[1], high[1]})
      ofStep.push_back(codes.toWord(pair));
    result.push_back(ofStep);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void RegisterGroup::multiplyFromShared(const GroupStage &stage, int64_t step,
                                       int64_t product,
                                       MutableArrayRef<Value> sums) {
  Value zero = body.index(0), plane = body.index(step * shape.stepPlanes);
  Value rows = describe(stage.shared, stage.lhsChunk(plane, product, zero),
                        stage.lhsPlaneBytes);
  size_t count = shape.rows / 2;
  auto type = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), SmallVector<Type>(count, getSumType()));
  std::string results, outputs, inputs;
  for (size_t i = 0; i < count; ++i) {
    results += (i ? ", $" : "$") + std::to_string(i);
    outputs += getSumType().isF32() ? "=f," : "=r,";
    inputs += std::to_string(i) + ",";
  }
  auto operand = [&](size_t i) { return "$" + std::to_string(2 * count + i); };
  // The dialect's operation has both factors in shared memory. Without p
  // nothing is added to.
  bool isFirst = !sums.front();
  std::string text =
      "{\n.reg .pred p;\nsetp.ne.b32 p, " + std::to_string(!isFirst) +
      ", 0;\nwgmma.mma_async.sync.aligned.m64n" + std::to_string(shape.rows) +
      getTypes(stage) + " {" + results + "}, {" + operand(0) + ", " +
      operand(1) + ", " + operand(2) + ", " + operand(3) + "}, " + operand(4) +
      ", p" + getScales().str() + ";\n}\n";
  for (auto [j, words] : llvm::enumerate(factors[step])) {
    MutableArrayRef<Value> part = sums.slice(j * count, count);
    if (isFirst)
      llvm::fill(
          part, LLVM::PoisonOp::create(builder, loc, getSumType()).getResult());
    Values operands(part);
    operands.append(words);
    operands.push_back(rows);
    Value all = LLVM::InlineAsmOp::create(
                    builder, loc, type, operands, text,
                    outputs + inputs + "r,r,r,r,l", /*has_side_effects=*/true,
                    /*is_align_stack=*/false, LLVM::TailCallKind::None,
                    LLVM::AsmDialectAttr(), ArrayAttr())
                    .getResult(0);
    for (auto [i, sum] : llvm::enumerate(part))
      sum = LLVM::ExtractValueOp::create(builder, loc, all, i);
  }
}

std::unique_ptr<MatrixUnit>
quant_mlir::createRegisterGroup(GPUBuilder &body, const GPUTarget &target,
                                const MatrixWork &work) {
  if (work.blockCodes != 0) {
    MatrixShape shape = getShapeOfBlocks(target, work, chunkBytes);
    if (work.isNibbles)
      return std::make_unique<NibbleGroup>(body, shape, work.hasOffsets);
    return std::make_unique<ByteColumns>(body, shape);
  }
  // Where two groups would leave cores idle, one has half the rows.
  bool isFull = work.countTiles(128) >= target.getNumCores();
  MatrixShape shape = getShapeBelow(
      isFull ? 128 : 64, work.countTiles(256) >= target.getNumCores() ? 2 : 1);
  return std::make_unique<NibbleGroup>(body, shape, work.hasOffsets);
}

std::unique_ptr<MatrixUnit>
quant_mlir::createValueGroup(GPUBuilder &body, const GPUTarget &target,
                             const MatrixWork &work, Type lhs, Type rhs) {
  bool isFull = work.countTiles(256) >= target.getNumCores();
  MatrixShape shape = work.blockCodes != 0
                          ? getShapeOfBlocks(target, work, chunkBytes / 2)
                          : getShapeBeside(isFull ? 128 : 64);
  return std::make_unique<ValueGroup>(body, shape, lhs, rhs);
}

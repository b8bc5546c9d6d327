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
// ones. Values are in ValueGroup.cpp.
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

#include "RegisterGroup.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

MatrixShape getShapeBelow(int64_t rows, int64_t groups) {
  MatrixShape shape = RegisterGroup::getShape(rows);
  shape.groups = groups;
  shape.minGroupColumns = shape.maxGroupColumns = 128;
  shape.maxTileRows = groups * rows;
  return shape;
}

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

} // namespace

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

MatrixShape RegisterGroup::getShape(int64_t rows) {
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

MatrixShape RegisterGroup::getShapeBeside(int64_t rows) {
  MatrixShape shape = getShape(rows);
  shape.groups = 2;
  shape.minGroupColumns = shape.maxGroupColumns = 64;
  shape.maxTileRows = 256;
  return shape;
}

MatrixShape RegisterGroup::getShapeOfBlocks(const GPUTarget &target,
                                            const MatrixWork &work) {
  bool isFull = work.countTiles(128) >= target.getNumCores();
  MatrixShape shape = getShapeBeside(isFull ? 64 : 32);
  shape.minRowProducts = 2;
  return shape;
}

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

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void RegisterGroup::multiplyFromShared(const GroupStage &stage, int64_t step,
                                       int64_t product,
                                       MutableArrayRef<Value> sums) {
  for (int64_t part = 0; part < getLhsParts(); ++part)
    multiplyPart(stage, step, product, part, sums);
}

void RegisterGroup::multiplyPart(const GroupStage &stage, int64_t step,
                                 int64_t product, int64_t part,
                                 MutableArrayRef<Value> sums) {
  Value zero = body.index(0), plane = body.index(step * shape.stepPlanes);
  Value first = body.sum(stage.lhsChunk(plane, product, zero),
                         body.attr(part * stage.lhsPartSize));
  Value rows = describe(stage.shared, first, stage.lhsPlaneBytes);
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
    MutableArrayRef<Value> ofProduct = sums.slice(j * count, count);
    if (isFirst)
      llvm::fill(
          ofProduct,
          LLVM::PoisonOp::create(builder, loc, getSumType()).getResult());
    Values operands(ofProduct);
    operands.append(words);
    operands.push_back(rows);
    Value all = LLVM::InlineAsmOp::create(
                    builder, loc, type, operands, text,
                    outputs + inputs + "r,r,r,r,l", /*has_side_effects=*/true,
                    /*is_align_stack=*/false, LLVM::TailCallKind::None,
                    LLVM::AsmDialectAttr(), ArrayAttr())
                    .getResult(0);
    for (auto [i, sum] : llvm::enumerate(ofProduct))
      sum = LLVM::ExtractValueOp::create(builder, loc, all, i);
  }
}

std::unique_ptr<MatrixUnit>
quant_mlir::createRegisterGroup(GPUBuilder &body, const GPUTarget &target,
                                const MatrixWork &work) {
  if (work.blockCodes != 0) {
    MatrixShape shape = RegisterGroup::getShapeOfBlocks(target, work);
    if (2 * work.blockCodes > shape.stagePlanes * chunkBytes)
      shape.stagePlanes *= 2;
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

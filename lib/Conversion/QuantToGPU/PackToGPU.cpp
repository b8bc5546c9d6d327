//===- PackToGPU.cpp - quant.pack_columns as a kernel ---------------------===//
//
// Reads codes once, and writes panels and sums of their columns:
//
//   chunks of a part of the reduction    16 bytes of a column, of each tuple
//     codes to registers                 what lies past the end becomes 0
//     sums of four codes                 by the target's dot product
//     16 bytes to the panel
//   sums of a workgroup's lanes          through shared memory
//
// A part of the reduction is what has a sum of its own: a block, or all of it,
// of which a workgroup has some columns. Its lanes are columns by planes, which
// take turns along the part. How codes get into registers depends on what
// follows each other in memory:
//
//   a run       words of a column, 16 bytes at once where they are aligned;
//               lanes beside each other have up to four chunks of a column,
//               then the next one, so that both sides are whole sectors
//   columns     words of four columns, from each of 16 positions of the run,
//               which are transposed in registers
//   neither     single bytes, by lanes in the order of what is nearer
//
//===----------------------------------------------------------------------===//

#include "MatrixUnit.h"

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Dialect/Quant/IR/KernelOps.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

std::string quant_mlir::findNoGPUKernelReason(PackColumnsOp op,
                                              const GPUTarget &target) {
  numerics::PanelLayout layout = op.getLayout().getPanelLayout();
  if (layout.group != chunkBytes)
    return "its panels have no groups of 16 codes";
  if (layout.numBatches() > target.getMaxGroups())
    return "it has more than 65535 batches";
  if (op.getLayout().getCodesType().getNumElements() == 0)
    return "it is empty";
  auto block = op.getReductionBlock();
  if (!block)
    return layout.block != 0 ? "tuples of its panels end with blocks" : "";
  int64_t inner = layout.runSize() / layout.shape[block->first];
  if (layout.numOuter() != 1 || inner != 1)
    return "its blocks are along one of several reductions";
  if (layout.block != 0 || block->second % layout.tupleSize() != 0)
    return "its blocks are not of whole groups of 16 bytes";
  if (int64_t(llvm::divideCeil(layout.runSize(), block->second)) >
      target.getMaxGroups())
    return "it has more than 65535 blocks";
  return "";
}

namespace {
class PackKernel {
public:
  PackKernel(PackColumnsOp op, const GPUTarget &target, OpBuilder &hostBuilder)
      : op(op), target(target),
        kernel(hostBuilder, op.getLoc(), "pack", target), body(kernel.body),
        builder(kernel.body.builder), loc(op.getLoc()),
        unit(createWordUnit(kernel.body, target)),
        layout(op.getLayout().getPanelLayout()) {}

  void build();

private:
  using Values = SmallVector<Value>;
  using Loops = SmallVector<MergedLoop>;
  /// How codes get into registers.
  enum class Loads { Run, Columns, Bytes };

  void analyze();
  int64_t getAlignment(const Loops &contiguous) const;
  bool areContiguous(const Loops &loops) const {
    return loops.size() == 1 && codes.getStride(loops[0].loop) == 1;
  }
  void chooseLoads();
  void chooseGroup();
  void buildPositions();
  Value both(Value a, Value b) { return body.both(a, b); }
  /// Index `at`, moved to position `number` of `loops` in `operand`.
  Value move(Value at, const FlatOperand &operand, const Loops &loops,
             Value number);

  /// Words of a lane's columns, four of each: a group of codes from position
  /// `first` of a run at `at` on, as panels store them, one in a byte.
  Values loadGroup(Value at, Value first, Value exists);
  Values loadRun(Value at, Value first, Value exists);
  Values loadColumns(Value at, Value first, Value exists);
  Values loadBytes(Value at, Value first, Value exists);
  /// Whether position `number` of a run exists, where a chunk does.
  Value isInRun(Value number, Value exists);
  /// Chunk `number`: adds its codes to `sums`, of each column.
  Values loadChunk(Value number, Value exists, MutableArrayRef<Value> sums);
  void storeChunk(Value number, Value exists, ArrayRef<Value> words);
  void storeSum(Value column, Value sum);
  void addPlanes(ArrayRef<Value> sums);

  int64_t groupColumns() const { return columnLanes * laneColumns; }
  int64_t numLanes() const { return columnLanes * planes; }
  int64_t paddedColumns() const { return layout.numPanels() * layout.panel; }
  int64_t launchedColumns() const {
    return llvm::alignTo(paddedColumns(), groupColumns());
  }
  int64_t numGroups() const {
    return launchedColumns() / groupColumns() * numParts * layout.numBatches();
  }

  PackColumnsOp op;
  const GPUTarget &target;
  GPUKernel kernel;
  GPUBuilder &body;
  OpBuilder &builder;
  Location loc;
  std::unique_ptr<MatrixUnit> unit;
  numerics::PanelLayout layout;

  FlatOperand codes, panels, sums;
  Loops batchLoops, columnLoops, outerLoops, runLoops; ///< of codes
  Loops sumBlockLoops, sumBatchLoops, sumColumnLoops;
  Loads loads = Loads::Bytes;
  int64_t piece = 1; ///< bytes that a lane loads at once

  /// Of 16 bytes of a column: in a part, and in all of them.
  int64_t partChunks = 1, numChunks = 1, numParts = 1;
  int64_t laneColumns = 1, columnLanes = 1, planes = 1, nearPlanes = 1;
  int32_t flip = 0; ///< what moves a word of codes to what is stored

  Value thread, plane, part, batch, firstColumn;
  Value isColumn;  ///< null where all of a workgroup's columns exist
  Value hasPanels; ///< the same, in panels
  Value source;    ///< index of the lane's first code
};
} // namespace

//===----------------------------------------------------------------------===//
// What a lane has
//===----------------------------------------------------------------------===//

int64_t PackKernel::getAlignment(const Loops &contiguous) const {
  int64_t common = getConstantIntValue(codes.start).value_or(1);
  for (const Loops *loops : {&batchLoops, &columnLoops, &outerLoops, &runLoops})
    for (const MergedLoop &loop : *loops)
      if (loops != &contiguous)
        common = std::gcd(common, codes.getStride(loop.loop).value_or(1));
  return common;
}

/// Buffers begin at a multiple of 16 bytes.
void PackKernel::chooseLoads() {
  if (areContiguous(runLoops)) {
    int64_t common = std::gcd(getAlignment(runLoops), layout.runSize());
    piece = chunkBytes;
    while (common % piece != 0)
      piece /= 2;
    if (piece >= 4)
      loads = Loads::Run;
  } else if (areContiguous(columnLoops) &&
             std::gcd(getAlignment(columnLoops), layout.numColumns()) % 4 ==
                 0 &&
             layout.panel % 4 == 0) {
    loads = Loads::Columns;
    laneColumns = 4;
  }
}

/// As many planes as there is work for, as long as columns of a workgroup are
/// too many: for the operand, or for a machine with idle cores.
void PackKernel::chooseGroup() {
  int64_t mostPlanes = llvm::bit_ceil(uint64_t(partChunks));
  bool isByRun = loads == Loads::Run || areContiguous(runLoops);
  nearPlanes = isByRun ? std::min<int64_t>(4, mostPlanes) : 1;
  planes = nearPlanes;
  columnLanes = 256 / planes;
  while (planes < mostPlanes && columnLanes > 8 &&
         (groupColumns() >= 2 * paddedColumns() ||
          numGroups() < target.getNumCores())) {
    planes *= 2;
    columnLanes /= 2;
  }
  int64_t lanes = llvm::divideCeil(paddedColumns(), laneColumns);
  columnLanes = std::min<int64_t>(columnLanes, llvm::bit_ceil(uint64_t(lanes)));
  kernel.setGroupSize(numLanes());
}

void PackKernel::analyze() {
  KernelBuilder &host = kernel.host;
  auto flatten = [&](Value value) {
    return host.flattenWhole(value,
                             builder.getMultiDimIdentityMap(
                                 cast<MemRefType>(value.getType()).getRank()));
  };
  codes = flatten(op.getInput());
  panels = flatten(op.getPanels());
  sums = flatten(op.getSums());
  auto merge = [&](ArrayRef<int64_t> dims, const FlatOperand &operand,
                   ArrayRef<int64_t> shape) {
    SmallVector<OpFoldResult> sizes =
        getAsIndexOpFoldResult(op.getContext(), shape);
    return host.mergeLoops(SmallVector<unsigned>(dims), sizes, {&operand});
  };
  ArrayRef<int64_t> reduction = layout.reduction, shape = layout.shape;
  batchLoops = merge(layout.batch, codes, shape);
  columnLoops = merge(layout.columns, codes, shape);
  outerLoops = merge(reduction.drop_back(layout.run), codes, shape);
  runLoops = merge(reduction.take_back(layout.run), codes, shape);
  shape = cast<ShapedType>(op.getSums().getType()).getShape();
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(shape.size()));
  ArrayRef<int64_t> dims = all;
  sumColumnLoops = merge(dims.take_back(layout.columns.size()), sums, shape);
  dims = dims.drop_back(layout.columns.size());
  sumBatchLoops = merge(dims.take_back(layout.batch.size()), sums, shape);
  sumBlockLoops = merge(dims.drop_back(layout.batch.size()), sums, shape);

  numChunks = partChunks = layout.numOuter() * layout.tuplesPerRun();
  if (auto block = op.getReductionBlock()) {
    partChunks = block->second / layout.tupleSize();
    numParts = llvm::divideCeil(numChunks, partChunks);
  }
  // Adding the offset modulo the codes' size flips their top bit.
  if (layout.offset != 0)
    flip = 0x01010101u << (layout.width - 1);
  chooseLoads();
  chooseGroup();
  if (loads != Loads::Bytes)
    viewAs(host, codes, builder.getI32Type());
  viewAs(host, panels, builder.getI32Type());
  codes = kernel.import(codes, Access::Read);
  panels = kernel.import(panels, Access::Write);
  sums = kernel.import(sums, Access::Write);
}

Value PackKernel::move(Value at, const FlatOperand &operand, const Loops &loops,
                       Value number) {
  SmallVector<OpFoldResult> sizes;
  for (const MergedLoop &loop : loops)
    sizes.push_back(loop.size);
  for (auto [loop, position] :
       llvm::zip_equal(loops, kernel.delinearize(number, sizes)))
    at = body.sum(at, body.mul(position, operand.strides[loop.loop]));
  return at;
}

void PackKernel::buildPositions() {
  auto block = [&](gpu::Dimension dim) -> Value {
    return gpu::BlockIdOp::create(builder, loc, dim);
  };
  thread = gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x);
  part = numParts == 1 ? body.index(0) : block(gpu::Dimension::y);
  batch = block(gpu::Dimension::z);
  Value rest = body.div(thread, nearPlanes);
  Value columnLane = body.rem(rest, columnLanes);
  plane = body.sum(body.times(body.div(rest, columnLanes), nearPlanes),
                   body.rem(thread, nearPlanes));
  firstColumn = body.sum(body.times(block(gpu::Dimension::x), groupColumns()),
                         body.times(columnLane, laneColumns));
  if (paddedColumns() != launchedColumns())
    hasPanels = body.isLess(firstColumn, body.attr(paddedColumns()));
  Value column = firstColumn;
  if (layout.numColumns() != launchedColumns()) {
    isColumn = body.isLess(firstColumn, body.attr(layout.numColumns()));
    column = body.select(isColumn, column, body.index(0));
  }
  source = move(body.index(codes.start), codes, batchLoops, batch);
  if (loads == Loads::Columns)
    source = body.sum(source, body.div(column, laneColumns));
  else
    source = move(source, codes, columnLoops, column);
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

Value PackKernel::isInRun(Value number, Value exists) {
  if (layout.runSize() % layout.tupleSize() == 0)
    return exists;
  return both(exists, body.isLess(number, body.attr(layout.runSize())));
}

PackKernel::Values PackKernel::loadRun(Value at, Value first, Value exists) {
  auto type = VectorType::get({piece / 4}, builder.getI32Type());
  Value none = body.constantI32(flip);
  Values words;
  for (int64_t i = 0; i < chunkBytes; i += piece) {
    Value number = body.sum(first, body.attr(i));
    Value isThere = isInRun(number, exists);
    Value from = body.sum(at, body.div(number, 4));
    // Instead of a branch, the first codes are read once more.
    if (isThere)
      from = body.select(isThere, from, at);
    Value loaded = unit->load(type, codes.base, from);
    for (int64_t j = 0; j < piece / 4; ++j) {
      Value word = vector::ExtractOp::create(builder, loc, loaded, j);
      words.push_back(isThere ? body.select(isThere, word, none) : word);
    }
  }
  return words;
}

PackKernel::Values PackKernel::loadColumns(Value at, Value first,
                                           Value exists) {
  Value none = body.constantI32(flip);
  Values words(laneColumns * chunkBytes / 4);
  for (int64_t i = 0; i < chunkBytes; i += 4) {
    Values rows;
    for (int64_t j = 0; j < 4; ++j) {
      Value number = body.sum(first, body.attr(i + j));
      Value isThere = isInRun(number, exists);
      if (isThere)
        number = body.select(isThere, number, body.index(0));
      Value from = move(at, codes, runLoops, number);
      Value word =
          memref::LoadOp::create(builder, loc, codes.base, ValueRange(from));
      rows.push_back(isThere ? body.select(isThere, word, none) : word);
    }
    for (auto [column, word] : llvm::enumerate(unit->transpose(rows)))
      words[column * chunkBytes / 4 + i / 4] = word;
  }
  return words;
}

PackKernel::Values PackKernel::loadBytes(Value at, Value first, Value exists) {
  Value none = arith::ConstantOp::create(
      builder, loc, builder.getI8IntegerAttr(int8_t(flip)));
  Values words, bytes;
  for (int64_t i = 0; i < chunkBytes; ++i) {
    Value number = body.sum(first, body.attr(i));
    Value isThere = isInRun(number, exists);
    if (isThere)
      number = body.select(isThere, number, body.index(0));
    Value from = move(at, codes, runLoops, number);
    Value code =
        memref::LoadOp::create(builder, loc, codes.base, ValueRange(from));
    bytes.push_back(isThere ? body.select(isThere, code, none) : code);
    if (bytes.size() < 4)
      continue;
    words.push_back(body.joinBytes(bytes));
    bytes.clear();
  }
  return words;
}

PackKernel::Values PackKernel::loadGroup(Value at, Value first, Value exists) {
  Values words = loads == Loads::Run       ? loadRun(at, first, exists)
                 : loads == Loads::Columns ? loadColumns(at, first, exists)
                                           : loadBytes(at, first, exists);
  for (Value &word : words) {
    // Bits above the width are any.
    if (layout.width < 8)
      word = arith::AndIOp::create(
          builder, loc, word,
          body.constantI32(((1 << layout.width) - 1) * 0x01010101));
    if (flip != 0)
      word = body.bitXor(word, body.constantI32(flip));
  }
  return words;
}

PackKernel::Values PackKernel::loadChunk(Value number, Value exists,
                                         MutableArrayRef<Value> columnSums) {
  if (exists)
    number = body.select(exists, number, body.index(0));
  exists = both(exists, isColumn);
  Value at = source, inRun = number;
  if (layout.numOuter() != 1) {
    at = move(at, codes, outerLoops, body.div(number, layout.tuplesPerRun()));
    inRun = body.rem(number, layout.tuplesPerRun());
  }
  Value ones = body.constantI32(0x01010101);
  Values packed;
  for (int64_t group = 0; group < layout.groupsPerTuple(); ++group) {
    Value first = body.sum(body.times(inRun, layout.tupleSize()),
                           body.attr(group * layout.group));
    Values words = loadGroup(at, first, exists);
    for (auto [i, word] : llvm::enumerate(words)) {
      Value &sum = columnSums[i / (chunkBytes / 4)];
      sum = unit->dot(word, ones, sum, /*isLhsSigned=*/true);
      if (group == 0) {
        packed.push_back(word);
        continue;
      }
      Value high = arith::ShLIOp::create(
          builder, loc, word, body.constantI32(group * layout.width));
      packed[i] = arith::OrIOp::create(builder, loc, packed[i], high);
    }
  }
  return packed;
}

void PackKernel::storeChunk(Value number, Value exists, ArrayRef<Value> words) {
  constexpr int64_t size = chunkBytes / 4;
  Value panel = body.sum(body.times(batch, layout.numPanels()),
                         body.div(firstColumn, layout.panel));
  Value chunk = body.sum(body.times(panel, numChunks), number);
  Value column = body.sum(body.times(chunk, layout.panel),
                          body.rem(firstColumn, layout.panel));
  Value at = body.sum(panels.start, body.times(column, size));
  body.inBranch(both(exists, hasPanels), [&] {
    for (int64_t i = 0; i < laneColumns; ++i)
      unit->store(vector::FromElementsOp::create(
                      builder, loc,
                      VectorType::get({size}, builder.getI32Type()),
                      words.slice(i * size, size)),
                  panels.base, body.sum(at, body.attr(i * size)));
  });
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Sums are of what is stored: the offset of each code is too much.
void PackKernel::storeSum(Value column, Value sum) {
  if (layout.offset != 0) {
    int64_t partCodes = partChunks * layout.tupleSize();
    int64_t total = layout.numOuter() * layout.runSize();
    Value count = body.constantI32(std::min(partCodes, total));
    if (numParts != 1 && total % partCodes != 0)
      count = body.select(body.isLess(part, body.attr(numParts - 1)), count,
                          body.constantI32(total % partCodes));
    sum = arith::SubIOp::create(
        builder, loc, sum,
        arith::MulIOp::create(builder, loc, count,
                              body.constantI32(layout.offset)));
  }
  Value exists;
  if (layout.numColumns() != launchedColumns())
    exists = body.isLess(column, body.attr(layout.numColumns()));
  body.inBranch(exists, [&] {
    Value at = move(body.index(sums.start), sums, sumBlockLoops, part);
    at = move(at, sums, sumBatchLoops, batch);
    at = move(at, sums, sumColumnLoops, column);
    memref::StoreOp::create(builder, loc, sum, sums.base, ValueRange(at));
  });
}

void PackKernel::addPlanes(ArrayRef<Value> laneSums) {
  if (planes == 1) {
    for (auto [i, sum] : llvm::enumerate(laneSums))
      storeSum(body.sum(firstColumn, body.attr(i)), sum);
    return;
  }
  Value shared = kernel.allocateShared(planes * groupColumns(),
                                       builder.getI32Type(), chunkBytes);
  Value first = body.times(
      gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x), groupColumns());
  Value inGroup =
      arith::SubIOp::create(builder, loc, firstColumn, first).getResult();
  Value at = body.sum(body.times(plane, groupColumns()), inGroup);
  unit->store(vector::FromElementsOp::create(
                  builder, loc,
                  VectorType::get({laneColumns}, builder.getI32Type()),
                  laneSums),
              shared, at);
  gpu::BarrierOp::create(builder, loc);
  for (int64_t done = 0; done < groupColumns(); done += numLanes()) {
    Value column = body.sum(thread, body.attr(done));
    Value isActive;
    if (groupColumns() - done < numLanes())
      isActive = body.isLess(column, body.attr(groupColumns()));
    body.inBranch(isActive, [&] {
      Value sum;
      for (int64_t i = 0; i < planes; ++i) {
        Value other = memref::LoadOp::create(
            builder, loc, shared,
            ValueRange(body.sum(column, body.attr(i * groupColumns()))));
        sum = sum ? Value(arith::AddIOp::create(builder, loc, sum, other))
                  : other;
      }
      storeSum(body.sum(first, column), sum);
    });
  }
}

void PackKernel::build() {
  analyze();
  buildPositions();
  // Loads of several chunks are on their way where one of them is a load.
  int64_t turns = llvm::divideCeil(partChunks, planes);
  int64_t atOnce = loads == Loads::Run ? std::min<int64_t>(4, turns) : 1;
  Values zeros(laneColumns, body.constantI32(0));
  Values total = body.forCarry(
      body.attr(0), body.attr(llvm::divideCeil(turns, atOnce)), zeros,
      [&](Value step, ValueRange carried) {
        Values columnSums(carried);
        SmallVector<Values> words;
        Values numbers, exist;
        for (int64_t i = 0; i < atOnce; ++i) {
          Value turn = body.sum(body.times(step, atOnce), body.attr(i));
          Value inPart = body.sum(body.times(turn, planes), plane);
          Value exists;
          if (partChunks % (planes * atOnce) != 0)
            exists = body.isLess(inPart, body.attr(partChunks));
          Value number = body.sum(body.times(part, partChunks), inPart);
          if (numChunks % partChunks != 0)
            exists = both(exists, body.isLess(number, body.attr(numChunks)));
          words.push_back(loadChunk(number, exists, columnSums));
          numbers.push_back(number);
          exist.push_back(exists);
        }
        for (auto [number, exists, chunk] :
             llvm::zip_equal(numbers, exist, words))
          storeChunk(number, exists, chunk);
        return columnSums;
      });
  addPlanes(total);
  kernel.launch({body.attr(launchedColumns() / groupColumns()),
                 body.attr(numParts), body.attr(layout.numBatches())});
}

void quant_mlir::buildPackKernel(PackColumnsOp op, const GPUTarget &target,
                                 OpBuilder &builder) {
  PackKernel(op, target, builder).build();
}

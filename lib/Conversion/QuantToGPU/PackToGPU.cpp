//===- PackToGPU.cpp - What lanes have, and sums --------------------------===//

#include "PackKernel.h"

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"
#include "quant-mlir/Conversion/Utils/PointerToBuffer.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

std::string quant_mlir::findNoGPUKernelReason(PackColumnsOp op,
                                              const GPUTarget &target) {
  LayoutAttr attr = op.getLayout();
  if (attr.getGroup() != chunkBytes)
    return "its panels have no groups of 16 codes";
  ArrayRef<int64_t> shape = attr.getCodesType().getShape();
  if (llvm::is_contained(shape, 0))
    return "it is empty";
  auto block = op.getReductionBlock();
  if (!block && attr.getBlock() != 0)
    return "tuples of its panels end with blocks";
  // A driver refuses more than that of what only the run time knows.
  int64_t batches = 1;
  for (int64_t dim : attr.getBatch())
    batches *= ShapedType::isDynamic(shape[dim]) ? 1 : shape[dim];
  if (batches > target.getMaxGroups())
    return "it has more than 65535 batches";
  if (!block)
    return "";
  for (int64_t dim : attr.getReduction())
    if (ShapedType::isDynamic(shape[dim]))
      return "the size of a reduction beside its blocks is not known";
  numerics::PanelLayout layout = attr.getPanelLayout();
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

//===----------------------------------------------------------------------===//
// What a lane has
//===----------------------------------------------------------------------===//

int64_t PackKernel::getAlignment(const Loops &contiguous) const {
  int64_t common = getConstantIntValue(codes.start).value_or(1);
  for (const Loops *loops : {&batchLoops, &columnLoops, &outerLoops, &runLoops})
    for (const MergedLoop &loop : *loops)
      if (loops != &contiguous)
        common = std::gcd(common, codes.getMultiple(loop.loop));
  return common;
}

/// Buffers begin at a multiple of 16 bytes.
void PackKernel::chooseLoads() {
  if (areContiguous(runLoops)) {
    int64_t common =
        std::gcd(getAlignment(runLoops), guessSize(runSize, sizeMultiple));
    piece = chunkBytes;
    while (common % piece != 0)
      piece /= 2;
    if (piece >= 4)
      loads = Loads::Run;
  } else if (areContiguous(columnLoops) &&
             std::gcd(getAlignment(columnLoops),
                      guessSize(numColumns, sizeMultiple)) %
                     4 ==
                 0 &&
             layout.getPanel() % 4 == 0) {
    loads = Loads::Columns;
    laneColumns = 4;
  }
}

/// As many planes as there is work for, as long as columns of a workgroup are
/// too many: for the operand, or for a machine with idle cores, of which those
/// that are not then have more lanes. Vulkan promises 128 of them.
void PackKernel::chooseGroup() {
  bool isVulkan = target.getKind() == GPUKind::SPIRV;
  const int64_t lanes = isVulkan ? 128 : 256,
                mostLanes = isVulkan || !hasSums ? lanes : 1024,
                leastColumnLanes = 8;
  int64_t mostPlanes = llvm::bit_ceil(
      uint64_t(guessSize(partChunks, llvm::divideCeil(1024, chunkCodes))));
  bool isByRun = loads == Loads::Run || areContiguous(runLoops);
  nearPlanes = isByRun ? std::min<int64_t>(4, mostPlanes) : 1;
  planes = nearPlanes;
  columnLanes = lanes / planes;
  for (; planes < mostPlanes; planes *= 2) {
    bool isIdle = guessGroups() < target.getNumCores();
    if (columnLanes > leastColumnLanes &&
        (isIdle || groupColumns() >= 2 * guessSize(paddedColumns)))
      columnLanes /= 2;
    else if (columnLanes > leastColumnLanes || !isIdle ||
             numLanes() == mostLanes)
      break;
  }
  int64_t most = llvm::divideCeil(guessSize(paddedColumns), laneColumns);
  columnLanes = std::min<int64_t>(columnLanes, llvm::bit_ceil(uint64_t(most)));
  kernel.setGroupSize(numLanes());
}

/// Where parts have no sums, idle cores have some of the reduction: workgroups
/// are small then, and as many as chunks allow.
void PackKernel::shareReduction() {
  constexpr int64_t leastLanes = 64;
  int64_t chunks = guessSize(numChunks, llvm::divideCeil(1024, chunkCodes));
  auto mostParts = [&] {
    int64_t atOnce = planes * (loads == Loads::Run ? 4 : 1);
    return llvm::bit_floor(uint64_t(std::max<int64_t>(chunks / atOnce, 1)));
  };
  auto missing = [&] {
    return llvm::divideCeil(target.getNumCores(), guessGroups());
  };
  while (planes > nearPlanes && numLanes() > leastLanes &&
         mostParts() < missing())
    planes /= 2;
  numParts =
      std::min<int64_t>(mostParts(), llvm::bit_ceil(uint64_t(missing())));
  partChunks = ceilDiv(kernel.host, numChunks, numParts);
  kernel.setGroupSize(numLanes());
}

void PackKernel::analyze() {
  KernelBuilder &host = kernel.host;
  auto flatten = [&](Value value, ArrayRef<int64_t> multiples = {}) {
    return host.flattenWhole(value,
                             builder.getMultiDimIdentityMap(
                                 cast<MemRefType>(value.getType()).getRank()),
                             /*padding=*/{}, multiples);
  };
  SmallVector<int64_t> multiples(layout.getCodesType().getRank(), 1);
  multiples.back() = sizeMultiple;
  codes = flatten(op.getInput(), multiples);
  panels = flatten(op.getPanels());
  sums = flatten(op.getSums());
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(host.builder, loc, op.getInput());
  auto merge = [&](ArrayRef<int64_t> dims, const FlatOperand &operand) {
    return host.mergeLoops(SmallVector<unsigned>(dims), sizes, {&operand});
  };
  auto count = [&](ArrayRef<int64_t> dims) {
    OpFoldResult product = body.attr(1);
    for (int64_t dim : dims)
      product = host.mul(product, sizes[dim]);
    return product;
  };
  ArrayRef<int64_t> outer = layout.getReduction().drop_back(layout.getRun()),
                    run = layout.getReduction().take_back(layout.getRun());
  numBatches = count(layout.getBatch());
  numColumns = count(layout.getColumns());
  outerSize = count(outer);
  runSize = count(run);
  batchLoops = merge(layout.getBatch(), codes);
  columnLoops = merge(layout.getColumns(), codes);
  outerLoops = merge(outer, codes);
  runLoops = merge(run, codes);
  sizes = memref::getMixedSizes(host.builder, loc, op.getSums());
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(sizes.size()));
  ArrayRef<int64_t> dims = all;
  sumColumnLoops = merge(dims.take_back(layout.getColumns().size()), sums);
  dims = dims.drop_back(layout.getColumns().size());
  sumBatchLoops = merge(dims.take_back(layout.getBatch().size()), sums);
  sumBlockLoops = merge(dims.drop_back(layout.getBatch().size()), sums);

  width = layout.getCodesType().getElementTypeBitWidth();
  chunkCodes = chunkBytes * (8 / width);
  numPanels = ceilDiv(host, numColumns, layout.getPanel());
  paddedColumns = host.mul(numPanels, body.attr(layout.getPanel()));
  runChunks = ceilDiv(host, runSize, chunkCodes);
  numChunks = partChunks = host.mul(outerSize, runChunks);
  if (auto block = op.getReductionBlock()) {
    partChunks = body.attr(block->second / chunkCodes);
    numParts = llvm::divideCeil(*getConstantIntValue(numChunks),
                                block->second / chunkCodes);
  }
  // Adding the offset modulo the codes' size flips their top bit.
  if (layout.getOffset() != 0)
    flip = 0x01010101u << (width - 1);
  chooseLoads();
  chooseGroup();
  if (!hasSums && !op.getReductionBlock())
    shareReduction();
  if (loads != Loads::Bytes)
    viewAs(host, codes, builder.getI32Type());
  viewAs(host, panels, builder.getI32Type());
  codes = kernel.import(codes, Access::Read);
  panels = kernel.import(panels, Access::Write);
  if (hasSums)
    sums = kernel.import(sums, Access::Write);
}

Value PackKernel::move(Value at, const FlatOperand &operand, const Loops &loops,
                       Value number) {
  SmallVector<OpFoldResult> sizes;
  for (const MergedLoop &loop : loops)
    sizes.push_back(kernel.import(loop.size));
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
  if (passPanels())
    hasPanels = isBelow(firstColumn, paddedColumns);
  Value column = firstColumn;
  if (passColumns()) {
    isColumn = isBelow(firstColumn, numColumns);
    column = body.select(isColumn, column, body.index(0));
  }
  source = move(body.index(codes.start), codes, batchLoops, batch);
  if (loads == Loads::Columns)
    source = body.sum(source, body.div(column, laneColumns));
  else
    source = move(source, codes, columnLoops, column);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

bool quant_mlir::readsColumnSums(ContractOp op, const GPUTarget &target) {
  if (op.getZeroPoint())
    return true;
  // MFMA has no factor without signs.
  bool isFlipped =
      !numerics::isSignedInteger(op.getLhsParams()->getStorage()) &&
      target.getKind() == GPUKind::ROCDL && !target.isRDNA();
  return isFlipped ||
         (!op.isDynamic() && getTensorZeroPoint(*op.getLhsParams()) != 0);
}

/// Whether `buffer`, or what it is a part of, comes from an allocation or a
/// call of this function: the caller reads what it has given.
static bool isOwn(Value buffer) {
  if (auto view = buffer.getDefiningOp<memref::ViewOp>())
    buffer = view.getSource();
  if (buffer.getDefiningOp<memref::AllocOp>())
    return true;
  Value pointer = findPointerOf(buffer);
  return pointer && pointer.getDefiningOp<LLVM::CallOp>();
}

bool PackKernel::areSumsRead(PackColumnsOp op, const GPUTarget &target) {
  if (!isOwn(op.getSums()))
    return true;
  for (OpOperand &use : op.getSums().getUses()) {
    Operation *user = use.getOwner();
    if (user == op || isa<memref::DeallocOp>(user))
      continue;
    auto contract = dyn_cast<ContractOp>(user);
    if (!contract || &use != &contract.getSumsMutable()[0] ||
        readsColumnSums(contract, target))
      return true;
  }
  return false;
}

/// Sums are of what is stored: the offset of each code is too much.
void PackKernel::storeSum(Value column, Value sum) {
  if (int64_t offset = layout.getOffset()) {
    OpFoldResult total = kernel.host.mul(outerSize, runSize);
    Value count;
    if (numParts == 1) {
      count = kernel.importI32(total);
    } else {
      int64_t partCodes = *getConstantIntValue(partChunks) * chunkCodes,
              rest = *getConstantIntValue(total) % partCodes;
      count = body.constantI32(partCodes);
      if (rest != 0)
        count = body.select(body.isLess(part, body.attr(numParts - 1)), count,
                            body.constantI32(rest));
    }
    sum = arith::SubIOp::create(
        builder, loc, sum,
        arith::MulIOp::create(builder, loc, count, body.constantI32(offset)));
  }
  Value exists;
  if (passColumns())
    exists = isBelow(column, numColumns);
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
  auto type = VectorType::get({laneColumns}, builder.getI32Type());
  Value column = body.rem(firstColumn, groupColumns());
  Value at = body.sum(body.times(plane, groupColumns()), column);
  unit->store(vector::FromElementsOp::create(builder, loc, type, laneSums),
              shared, at);
  for (int64_t half = planes / 2; half > 0; half /= 2) {
    gpu::BarrierOp::create(builder, loc);
    body.inBranch(body.isLess(plane, body.attr(half)), [&] {
      Value other = body.sum(at, body.attr(half * groupColumns()));
      Value sum =
          arith::AddIOp::create(builder, loc, unit->load(type, shared, at),
                                unit->load(type, shared, other));
      if (half > 1)
        return unit->store(sum, shared, at);
      for (int64_t i = 0; i < laneColumns; ++i)
        storeSum(body.sum(firstColumn, body.attr(i)),
                 vector::ExtractOp::create(builder, loc, sum, i));
    });
  }
}

void PackKernel::build() {
  analyze();
  buildPositions();
  // Loads of several chunks are on their way where one of them is a load.
  OpFoldResult turns = ceilDiv(kernel.host, partChunks, planes);
  int64_t atOnce =
      loads == Loads::Run ? std::min<int64_t>(4, guessSize(turns)) : 1;
  Values zeros;
  if (hasSums)
    zeros.assign(laneColumns, body.constantI32(0));
  Values total = body.forCarry(
      body.attr(0), kernel.import(ceilDiv(kernel.host, turns, atOnce)), zeros,
      [&](Value step, ValueRange carried) {
        Values columnSums(carried);
        SmallVector<Values> words;
        Values numbers, exist;
        for (int64_t i = 0; i < atOnce; ++i) {
          Value turn = body.sum(body.times(step, atOnce), body.attr(i));
          Value inPart = body.sum(body.times(turn, planes), plane);
          Value exists;
          if (!isWhole(partChunks, planes * atOnce))
            exists = isBelow(inPart, partChunks);
          Value number = inPart;
          if (numParts != 1) {
            std::optional<int64_t> known = getConstantIntValue(partChunks);
            number = body.sum(mul(part, partChunks), inPart);
            if (!known || !isWhole(numChunks, *known))
              exists = both(exists, isBelow(number, numChunks));
          }
          words.push_back(loadChunk(number, exists, columnSums));
          numbers.push_back(number);
          exist.push_back(exists);
        }
        for (auto [number, exists, chunk] :
             llvm::zip_equal(numbers, exist, words))
          storeChunk(number, exists, chunk);
        return columnSums;
      });
  if (hasSums)
    addPlanes(total);
  kernel.launch({ceilDiv(kernel.host, paddedColumns, groupColumns()),
                 body.attr(numParts), numBatches});
}

void quant_mlir::buildPackKernel(PackColumnsOp op, const GPUTarget &target,
                                 OpBuilder &builder) {
  // What follows each other in memory has the address of the next row at its
  // end.
  auto type = cast<MemRefType>(op.getInput().getType());
  SmallVector<OpFoldResult> sizes;
  if (type.isDynamicDim(type.getRank() - 1))
    sizes.push_back(memref::getMixedSize(builder, op.getLoc(), op.getInput(),
                                         type.getRank() - 1));
  buildVersions(KernelBuilder(builder, op.getLoc()), sizes,
                [&](OpBuilder &builder, int64_t multiple) {
                  PackKernel(op, target, builder, multiple).build();
                });
}

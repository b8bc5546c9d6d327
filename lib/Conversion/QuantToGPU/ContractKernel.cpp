//===- ContractKernel.cpp - A contraction on matrix units -----------------===//
//
// What a kernel is made of: sizes, the unit that multiplies, how lhs is copied.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/QuantToGPU/QuantToGPU.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

GPUContractKernel::GPUContractKernel(ContractOp op, const GPUTarget &target,
                                     OpBuilder &hostBuilder,
                                     int64_t sizeMultiple)
    : op(op), target(target),
      kernel(hostBuilder, op.getLoc(), "contract", target),
      builder(kernel.body.builder), loc(op.getLoc()), loops(analyzeLoops(op)),
      sizeMultiple(sizeMultiple) {
  if (loops.isDepthwise)
    makeChannelsColumns(loops);
}

void GPUContractKernel::mergeRows() {
  SmallVector<const FlatOperand *> operands{&lhs, &init};
  for (const FlatOperand *operand : {&residual, &scale, &zeroPoint})
    if (operand->base)
      operands.push_back(operand);
  SmallVector<unsigned> order = orderLoops(init, loops.rows);
  if (pixelLoop)
    llvm::erase(order, *pixelLoop);
  // Where padding is, positions of each loop say.
  if (llvm::any_of(op.getInputPadding(),
                   [](int64_t size) { return size != 0; }))
    for (unsigned loop : order)
      rowLoops.push_back({loop, sizes[loop]});
  else
    rowLoops = kernel.host.mergeLoops(order, sizes, operands);
  numRows = attr(1);
  for (const MergedLoop &loop : rowLoops)
    numRows = kernel.host.mul(numRows, loop.size);
}

int64_t GPUContractKernel::findLhsPiece(bool isWhole) const {
  if (!loops.areContiguous(run, loops.lhsStrides))
    return 1;
  int64_t common = getConstantIntValue(lhs.start).value_or(1);
  auto meet = [&](unsigned loop) {
    if (getConstantIntValue(sizes[loop]) != 1)
      common = std::gcd(common, lhs.getMultiple(loop));
  };
  llvm::for_each(batchLoops, meet);
  llvm::for_each(loops.rows, meet);
  llvm::for_each(outer, meet);
  if (isWhole)
    common = std::gcd(common, runMultiple);
  int64_t piece = lhsChunkCodes();
  while (piece > 1 && common % piece != 0)
    piece /= 2;
  return piece;
}

/// Buffers begin at a multiple of 16 bytes. Through registers, pieces are of
/// words, and exist or do not.
void GPUContractKernel::chooseCopies() {
  Type word = builder.getI32Type();
  if (loops.isDepthwise) {
    window.emplace(kernel, op.getLhs(), op.getLhsMap(), op.getInputPadding(),
                   lhs, sizes, *loops.channel, pixelLoop, shape().laneRows);
    lhs.base = Value();
    viewAs(kernel.host, rhs, word);
    rhsElement = 4;
    return;
  }
  bool isAsync = unit->hasAsyncCopies();
  if (isOfValues && unit->isStreaming()) {
    lhsPiece = findLhsPiece(/*isWhole=*/true);
    viewAs(kernel.host, rhs, word);
    rhsElement = 4;
    return;
  }
  lhsPiece = findLhsPiece(/*isWhole=*/!isAsync || unit->getDecodedLhs());
  int64_t bytes = lhs.element.getIntOrFloatBitWidth() / 8;
  bool isWord =
      lhsPiece * bytes >= 4 && loops.areContiguous(run, loops.lhsStrides);
  lhsCopy = isWord ? LhsCopy::Pieces : LhsCopy::Gather;
  if (isAsync) {
    // Both sides are copied to one memory.
    if (!lhsType.isInteger(8))
      viewAs(kernel.host, rhs, lhsType);
    rhsElement = lhsBytes;
    return;
  }
  viewAs(kernel.host, rhs, word);
  rhsElement = 4;
  // Values are read as such, and are words behind that.
  if (lhsCopy != LhsCopy::Pieces || lhsBytes != 1)
    return;
  // A loop that stays at 0 may have any stride.
  for (auto [stride, size] : llvm::zip_equal(lhs.strides, sizes))
    if (getConstantIntValue(size) == 1)
      stride = attr(0);
  for (unsigned loop : run)
    lhs.strides[loop] = attr(0);
  viewAs(kernel.host, lhs, word);
  lhsElement = 4;
}

void GPUContractKernel::computeNumbers(int64_t numBlocks) {
  // Values have none, and others only the run time knows.
  if (op.hasFloatRhs() || op.isRhsDynamic()) {
    for (ColumnNumbers *of : {&numbers.rhsZero, &numbers.rhsOffset}) {
      of->values = {0};
      of->isInteger = true;
    }
    if (op.isRhsDynamic())
      numbers.rhsOffset.values = {float(op.getLayout()->getOffset())};
    numbers.multiplier.values = {1};
    return;
  }
  numbers =
      computeColumnNumbers(op, isNibbles && !isOfValues ? 8 : 0, numBlocks);
}

/// And whether products are summed with anything else.
void GPUContractKernel::chooseUnit(int64_t pixels) {
  std::optional<int64_t> block = countBlockCodes(op);
  computeNumbers(block ? llvm::divideCeil(known(reductionSize), *block) : 0);
  auto describeWork = [&]() -> MatrixWork {
    return {tileColumns,
            getConstantIntValue(numRows),
            guessColumnTiles(),
            tileColumns == panelColumns && isWhole(numPanels, 2),
            isNibbles,
            block.value_or(0),
            !numbers.rhsOffset.isZero(),
            !numbers.minval.values.empty() || bool(op.getRhsZeroPoint())};
  };
  if (isOfValues) {
    Type factor = op.hasFloatLhs() ? lhs.element
                                   : op.getLhsParams()->getStorageElementType();
    Type codes = op.getRhsCodesType().getElementType();
    int64_t warps = chooseValueWarps();
    if (!target.streamsOnMatrixUnits() && streamsValues(op, loops)) {
      unit = chooseValueStream();
    } else if (int64_t chunks = chooseValueChunks(warps)) {
      unit =
          createValueStream(kernel.body, target, factor, codes, warps, chunks);
    } else {
      divideColumns();
      unit =
          createValueUnit(kernel.body, target, describeWork(), factor, codes);
    }
    kernel.setGroupSize(numThreads());
    return;
  }
  if (loops.isDepthwise) {
    unit = createPixelUnit(kernel.body, target, pixels, laneChannels);
  } else if (int64_t chunks = chooseStreamChunks()) {
    MatrixShape shape;
    shape.laneRows = *getConstantIntValue(numRows);
    shape.stagePlanes = chunks * rhsChunkCodes() / chunkBytes;
    unit = createStreamUnit(kernel.body, target, tileColumns, shape);
  } else {
    divideColumns();
    unit = createMatrixUnit(kernel.body, target, describeWork());
    kernel.setGroupSize(numThreads());
  }
}

void GPUContractKernel::analyze() {
  KernelBuilder &host = kernel.host;
  MLIRContext *context = op.getContext();
  sizes = cast<IntegerFormOpInterface>(op.getOperation())
              .getLoopSizes(host.builder, loc);
  auto identity = [&](Value value) {
    return host.flattenWhole(
        value, AffineMap::getMultiDimIdentityMap(
                   cast<MemRefType>(value.getType()).getRank(), context));
  };
  for (auto [role, size] : llvm::zip_equal(loops.roles, sizes))
    multiples.push_back(
        guessSize(size, role == LoopRole::Column || role == LoopRole::Reduction
                            ? sizeMultiple
                            : 1));
  auto flatten = [&](Value value, AffineMap map) {
    return host.flattenWhole(value, map, /*padding=*/{}, multiples);
  };
  lhs = host.flattenWhole(op.getLhs(), op.getLhsMap(), op.getInputPadding(),
                          multiples);
  rhs = identity(op.getRhs());
  if (op.getSums())
    sums = identity(op.getSums());
  init = flatten(op.getInit(), op.getInitMap());
  if (op.getBias())
    bias = flatten(op.getBias(), op.getBiasMap());
  if (op.getResidual())
    residual = flatten(op.getResidual(), op.getResidualMap());
  if (op.getScale())
    scale = flatten(op.getScale(), getRowsMap(op, op.getScale()));
  if (op.getZeroPoint())
    zeroPoint = flatten(op.getZeroPoint(), getRowsMap(op, op.getZeroPoint()));
  if (op.getRhsScale())
    rhsScale = flatten(op.getRhsScale(), getColumnsMap(op, op.getRhsScale()));
  if (op.getRhsZeroPoint())
    rhsZeroPoint =
        flatten(op.getRhsZeroPoint(), getColumnsMap(op, op.getRhsZeroPoint()));

  LayoutAttr layout = *op.getLayout();
  batchLoops = getRhsLoops(op, layout.getBatch());
  auto countAll = [&](ArrayRef<unsigned> loops) {
    OpFoldResult count = attr(1);
    for (unsigned loop : loops)
      count = host.mul(count, sizes[loop]);
    return count;
  };
  numBatches = countAll(batchLoops);
  columns = countAll(getRhsLoops(op, layout.getColumns()));
  columnMultiple = guessSize(columns, sizeMultiple);
  numPanels = ceilDiv(host, columns, layout.getPanel());
  ArrayRef<int64_t> reduction = layout.getReduction();
  outer = getRhsLoops(op, reduction.drop_back(layout.getRun()));
  run = getRhsLoops(op, reduction.take_back(layout.getRun()));
  runSize = countAll(run);
  runMultiple = guessSize(runSize, sizeMultiple);
  outerSize = loops.getSize(outer);
  reductionSize = host.mul(runSize, attr(outerSize));
  avoidEmpty();
  rhsWidth = op.getRhsCodesType().getElementTypeBitWidth();
  isNibbles = rhsWidth == 4;
  isOfValues = !op.hasIntegerSum();
  lhsType = lhs.element;
  lhsBytes = lhsType.getIntOrFloatBitWidth() / 8;
  isLhsSigned =
      isOfValues || numerics::isSignedInteger(op.getLhsParams()->getStorage());
  int64_t pixels = 1;
  if (loops.isDepthwise) {
    pixelLoop = findPixelLoop(loops.rows, init, sizes);
    pixels = choosePixels(op.getLhsMap(), pixelLoop, loops.reduction,
                          *loops.channel, sizes, target);
  }
  mergeRows();
  tileColumns = panelColumns = layout.getPanel();
  chooseUnit(pixels);
  if (Type decoded = unit->getDecodedLhs()) {
    lhsType = decoded;
    lhsBytes = lhsType.getIntOrFloatBitWidth() / 8;
  }
  isLhsFlipped = !isLhsSigned && !shape().mixesSigns;
  isLhsSigned |= isLhsFlipped;

  OpFoldResult runRhsChunks = ceilDiv(host, runSize, rhsChunkCodes());
  runChunks = host.mul(runRhsChunks, attr(rhsChunkCodes() / lhsChunkCodes()));
  numChunks = host.mul(runChunks, attr(outerSize));
  numSteps = ceilDiv(host, numChunks, lhsPlanes());
  columnChunks = host.mul(runRhsChunks, attr(outerSize));

  chooseBlocks();
  chooseTile();
  chooseCopies();
  if (blockCodes != 0)
    computeNumbers(numBlockRows());
  needsRowSums = !numbers.minval.values.empty() || rhsZeroPoint.base ||
                 (!subtractsOffsets() && !numbers.rhsOffset.isZero());
  if (!isOfValues && !op.getZeroPoint())
    lhsZero = (op.isDynamic() ? 0 : getTensorZeroPoint(*op.getLhsParams())) -
              lhsOffset();
  if (blockCodes != 0 && !isOfValues)
    chooseSums();
  importOperands();
}

/// Where a reduction may have nothing to add, lanes still read what they do not
/// need: of panels, which have a chunk at least, instead of codes that are not
/// there.
void GPUContractKernel::avoidEmpty() {
  if (getConstantIntValue(reductionSize))
    return;
  KernelBuilder &host = kernel.host;
  Value isEmpty =
      arith::CmpIOp::create(host.builder, loc, arith::CmpIPredicate::eq,
                            host.index(reductionSize), host.index(0));
  lhs.base =
      arith::SelectOp::create(host.builder, loc, isEmpty, rhs.base, lhs.base);
}

void GPUContractKernel::importOperands() {
  auto import = [&](FlatOperand &operand, Access access) {
    if (operand.base)
      operand = kernel.import(operand, access);
  };
  for (FlatOperand *operand : {&lhs, &rhs, &sums, &bias, &residual, &scale,
                               &zeroPoint, &rhsScale, &rhsZeroPoint})
    import(*operand, Access::Read);
  import(init, Access::Write);
  auto place = [&](const ColumnNumbers &of, FlatOperand &operand,
                   Type element) {
    operand.element = element;
    if (of.values.size() <= 1)
      return;
    operand.start = attr(0);
    operand.base =
        kernel.import(buildColumnNumbers(of, element, kernel.host.builder, loc),
                      Access::Read);
  };
  Type f32 = builder.getF32Type(), i32 = builder.getI32Type();
  place(numbers.multiplier, multiplierData, f32);
  place(numbers.minval, minvalData, f32);
  place(numbers.rhsOffset, rhsOffsetData,
        isOfValues ? unit->getOffsetType(lhsType) : i32);
  if (!isOfValues)
    place(numbers.rhsZero, rhsZeroData, i32);
}

void GPUContractKernel::build() {
  analyze();
  if (loops.isDepthwise)
    return buildDepthwise();
  if (unit->isStreaming())
    return isOfValues && target.streamsOnMatrixUnits() ? buildValueStream()
                                                       : buildStream();
  int64_t ones = needsRowSums ? unit->getOnesBytes() / lhsBytes : 0;
  shared = kernel.allocateShared(numStages() * stageSize() + ones,
                                 unit->hasAsyncCopies() ? lhsType
                                                        : builder.getI32Type(),
                                 /*alignment=*/128);
  buildPositions();
  prepareCopies();
  finish(reduce());
  kernel.launch({ceilDiv(kernel.host, numRows, tileRows),
                 ceilDiv(kernel.host, columns, tileColumns), numBatches});
}

void quant_mlir::buildContractKernel(ContractOp op, const GPUTarget &target,
                                     OpBuilder &builder) {
  SmallVector<OpFoldResult> sizes;
  ContractLoops loops = analyzeLoops(op);
  SmallVector<OpFoldResult> all =
      cast<IntegerFormOpInterface>(op.getOperation())
          .getLoopSizes(builder, op.getLoc());
  for (ArrayRef<unsigned> of :
       {ArrayRef(loops.columns), ArrayRef(loops.reduction)})
    for (unsigned loop : of)
      sizes.push_back(all[loop]);
  buildVersions(KernelBuilder(builder, op.getLoc()), sizes,
                [&](OpBuilder &builder, int64_t multiple) {
                  GPUContractKernel(op, target, builder, multiple).build();
                });
}

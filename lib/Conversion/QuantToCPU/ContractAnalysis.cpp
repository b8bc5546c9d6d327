//===- ContractAnalysis.cpp - What a kernel of a contraction needs --------===//
//
// Which contractions have a kernel, and what is known of one before any loop is
// made: numbers of columns, loops of rows that are one.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// What has a kernel
//===----------------------------------------------------------------------===//

SmallVector<unsigned> quant_mlir::orderColumns(const ContractLoops &loops) {
  SmallVector<unsigned> columns(loops.columns);
  auto stride = [&](unsigned loop) {
    return loops.initStrides[loop].value_or(
        std::numeric_limits<int64_t>::max());
  };
  llvm::stable_sort(
      columns, [&](unsigned a, unsigned b) { return stride(a) > stride(b); });
  return columns;
}

/// What keeps sizes of columns and reductions that only the run time knows from
/// a kernel: those of more than one loop, and elements of lhs apart.
static std::string findUnknownSizeReason(const ContractLoops &loops) {
  for (ArrayRef<unsigned> from :
       {ArrayRef(loops.columns), ArrayRef(loops.reduction)}) {
    int64_t moving = llvm::count_if(
        from, [&](unsigned loop) { return loops.sizes[loop] != 1; });
    if (ShapedType::isDynamic(loops.getSize(from)) && moving > 1)
      return "the size of one of several columns or reductions is not known";
  }
  if (ShapedType::isDynamic(loops.getSize(loops.reduction)) &&
      loops.lhsRun != loops.reduction.size())
    return "the size of a reduction is not known, and its elements do not "
           "follow "
           "each other in the left-hand side";
  return "";
}

/// What keeps a kernel from packing panels of a rhs that is no constant.
static std::string findNoPanelReason(ContractOp op,
                                     const ContractLoops &loops) {
  if (std::string reason = findUnknownSizeReason(loops); !reason.empty())
    return reason;
  if (loops.isDepthwise)
    return "every element of its result has a right-hand side of its own, "
           "which is no constant";
  if (op.hasFloatRhs())
    return "";
  if (op.getRhsCodesType().getElementTypeBitWidth() != 8 ||
      !numerics::isInteger(op.getRhsParams()->getStorage()))
    return "codes of its right-hand side, which is no constant, are not "
           "integers of 8 bits";
  if (op.getReductionBlock())
    return "its right-hand side, which is no constant, has blocks along a "
           "reduction";
  if (!isa<PerTensorAttr>(op.getRhsParams()->getGranularity()))
    for (ArrayRef<unsigned> known :
         {ArrayRef(loops.batch), ArrayRef(loops.columns)})
      if (ShapedType::isDynamic(loops.getSize(known)))
        return "its right-hand side has scales along a dimension whose size "
               "is not known";
  return "";
}

/// Codes of a byte, however they are moved, whose sum an int32 holds.
static constexpr int64_t maxCodeSum = (int64_t(1) << 31) / 256;

static std::string findTypeReason(ContractOp op) {
  auto isBytes = [](AffineAttr params) {
    return params.getStorage() == numerics::StorageType::Int8 ||
           params.getStorage() == numerics::StorageType::UInt8;
  };
  if (op.hasIntegerSum() && !isBytes(*op.getLhsParams()))
    return "codes of its left-hand side are not integers of 8 bits";
  // Other codes are made behind a sum of values.
  bool isByteResult = op.getInitParams() && isBytes(*op.getInitParams());
  if (op.hasIntegerSum() && op.getInitParams() && !isByteResult)
    return "codes of its result are not integers of 8 bits";
  if (std::optional<AffineAttr> params = op.getResidualParams())
    if (!isBytes(*params) &&
        (op.hasIntegerSum() || isByteResult || !op.getInitParams()))
      return "codes of its residual are not integers of 8 bits";
  return "";
}

/// Whether `columns` have one number.
static bool isOne(ArrayRef<unsigned> columns, const LoopStrides &strides) {
  return llvm::all_of(columns,
                      [&](unsigned loop) { return strides[loop] == 0; });
}

static std::string findNoPiecesReason(ContractOp op,
                                      const ContractLoops &loops) {
  if (!op.getWide())
    return "";
  if (op.getReductionBlock())
    return "an int32 may not hold the sum of a block";
  if (op.getLayout() && op.getLayout()->getPanel() == 1)
    return "columns do not follow each other in the result, and an int32 may "
           "not hold its sum";
  if (ShapedType::isDynamic(loops.getSize(loops.reduction)))
    return "an int32 may not hold its sum, whose length only the run time "
           "knows";
  // Codes themselves are summed in i32.
  if (loops.getSize(loops.reduction) > maxCodeSum)
    return "an int32 may not hold the sum of its codes";
  return "";
}

std::string quant_mlir::findNoKernelReason(ContractOp op,
                                           const CPUTarget &target) {
  if (std::string reason = findTypeReason(op); !reason.empty())
    return reason;
  ContractLoops loops = analyzeLoops(op);
  if (std::string reason = findNoPiecesReason(op, loops); !reason.empty())
    return reason;
  if (op.hasIntegerSum() && op.getLayout() && op.getLayout()->getPanel() == 1)
    return findNoExchangeReason(op, loops);
  if (loops.isDepthwise && op.hasIntegerSum())
    return "it is depthwise";
  if (loops.isDepthwise)
    if (std::string reason = findNoDepthwiseValuesReason(op); !reason.empty())
      return reason;
  if (op.getLayout() && ShapedType::isDynamic(loops.getSize(loops.columns)))
    return "the size of a column is not known";
  if (!op.getLayout())
    if (std::string reason = findNoPanelReason(op, loops); !reason.empty())
      return reason;
  SmallVector<unsigned> columns =
      op.getLayout() ? getRhsLoops(op, op.getLayout()->getColumns())
                     : orderColumns(loops);
  if (std::optional<std::pair<unsigned, int64_t>> block =
          op.getReductionBlock()) {
    unsigned split = op.getRhsMap().getDimPosition(block->first);
    for (unsigned loop : loops.reduction)
      if (loop != split && loops.sizes[loop] != 1)
        return "its right-hand side has blocks along one of several reductions";
  }
  if (!loops.areContiguous(columns, loops.initStrides))
    return "columns do not follow each other in the result";
  for (const LoopStrides *strides :
       {&loops.biasStrides, &loops.residualStrides})
    if (!strides->empty() && !loops.areContiguous(columns, *strides) &&
        !(strides == &loops.residualStrides && isOne(columns, *strides)))
      return "columns do not follow each other in the bias or the residual";
  for (unsigned loop : loops.rows)
    if (!loops.biasStrides.empty() && loops.biasStrides[loop] != 0 &&
        loops.sizes[loop] != 1)
      return "the bias is not the same for all rows";
  return "";
}

//===----------------------------------------------------------------------===//
// Numbers of columns
//===----------------------------------------------------------------------===//

void ContractKernel::analyzeColumns() {
  AffineAttr params = op.getRhsParamsAttr();
  if (!params)
    return;
  bool isPerTensor = isa<PerTensorAttr>(params.getGranularity());
  RhsUnits units(op);
  // Units in the order of panels: batches, then columns, then what a panel has
  // beyond them.
  auto unitsOf = [&](ArrayRef<unsigned> loops) {
    SmallVector<int64_t> dims;
    for (unsigned loop : loops)
      dims.push_back(*op.getRhsMap().getResultPosition(
          getAffineDimExpr(loop, op.getContext())));
    return units.along(dims);
  };
  ArrayRef<unsigned> around(batchLoops), inside(columnLoops);
  int64_t columns = this->columns, columnStep = this->columnStep,
          panelColumns = this->panelColumns, numPanels = this->numPanels;
  if (isExchanged) {
    // One number after the other.
    around = loops.batch;
    inside = loops.rows;
    columns = columnStep = panelColumns = loops.getSize(inside);
    numPanels = 1;
  }
  std::vector<int64_t> batches{0}, inBatch{0};
  if (isPerTensor) {
    columns = columnStep = panelColumns = numPanels = 1;
  } else {
    batches = unitsOf(around);
    inBatch = unitsOf(inside);
  }
  int64_t blockStride =
      hasBlocks ? units.getStride(op.getReductionBlock()->first) : 0;
  OpBuilder &builder = kernel.builder;
  auto collect = [&](Type element, llvm::function_ref<float(int64_t)> get) {
    ColumnConstants constants;
    constants.element = element;
    for (int64_t batch : batches)
      for (int64_t panel = 0; panel < numPanels; ++panel)
        for (int64_t block = 0; block < numBlocks; ++block)
          for (int64_t i = 0; i < panelColumns; ++i) {
            int64_t column = panel * columnStep + i;
            bool exists = i < columnStep && column < columns;
            constants.values.push_back(
                exists ? get(batch + block * blockStride + inBatch[column])
                       : 0);
          }
    // Columns that do not exist have any number.
    float first = get(0);
    bool isOne = llvm::all_of(batches, [&](int64_t batch) {
      return llvm::all_of(inBatch, [&](int64_t column) {
        for (int64_t block = 0; block < numBlocks; ++block)
          if (get(batch + block * blockStride + column) != first)
            return false;
        return true;
      });
    });
    if (isOne)
      constants.values.assign(1, first);
    return constants;
  };
  // As it is stored where it is not multiplied first: fewer bytes to read.
  auto typeOf = [&](ElementsAttr values) -> Type {
    if ((op.isDynamic() || isOfValues) && values)
      if (Type type = values.getElementType(); type.isF16() || type.isBF16())
        return type;
    return builder.getF32Type();
  };

  multiplier = collect(typeOf(params.getScale()),
                       [&](int64_t unit) { return units.getMultiplier(unit); });
  if (units.hasMinval())
    minval = collect(typeOf(params.getMinval()),
                     [&](int64_t unit) { return units.getMinval(unit); });
  Type integer = builder.getIntegerType(width < 8 ? 8 : 32);
  int64_t moved = isExchanged ? op.getLayout()->getOffset() : rhsMoved;
  rhsZero =
      collect(integer, [&](int64_t unit) { return units.getZeroPoint(unit); });
  rhsOffset = collect(
      integer, [&](int64_t unit) { return units.getZeroPoint(unit) + moved; });
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void ContractKernel::mergeRows() {
  SmallVector<const FlatOperand *> operands{&lhs, &init};
  for (const FlatOperand *operand : {&residual, &scale, &zeroPoint})
    if (operand->base)
      operands.push_back(operand);
  if (isExchanged && bias.base)
    operands.push_back(&bias);
  rowLoops = kernel.mergeLoops(orderLoops(init, loops.rows), sizes, operands);
}

void ContractKernel::readLayout() {
  LayoutAttr layout = *op.getLayout();
  rhs = op.getRhs();
  if (op.getSums())
    sums = kernel.flatten(
        op.getSums(), AffineMap::getMultiDimIdentityMap(
                          cast<MemRefType>(op.getSums().getType()).getRank(),
                          op.getContext()));
  batchLoops = getRhsLoops(op, layout.getBatch());
  columnLoops = getRhsLoops(op, layout.getColumns());
  columns = loops.getSize(columnLoops);
  panelColumns = columnStep = layout.getPanel();
  numPanels = llvm::divideCeil(columns, panelColumns);
  ArrayRef<int64_t> reduction = layout.getReduction();
  outer = getRhsLoops(op, reduction.drop_back(layout.getRun()));
  run = getRhsLoops(op, reduction.take_back(layout.getRun()));
  runSize = loops.getSize(run);
  runLength = attr(runSize);
  numColumns = attr(columns);
  rhsMoved = layout.getOffset();
  width = op.getRhsCodesType().getElementTypeBitWidth();
  numerics::PanelLayout panels = layout.getPanelLayout();
  tupleSize = panels.tupleSize();
  tupleBytes = panels.group * panels.panel * panels.elementBytes();
  if (std::optional<std::pair<unsigned, int64_t>> block =
          op.getReductionBlock()) {
    hasBlocks = true;
    blockSize = block->second;
  }
  numBlocks = llvm::divideCeil(reductionSize, blockSize);
  sumsPerBlock = loops.getSize(batchLoops) * columns;
  runBytes = hasBlocks
                 ? (reductionSize / blockSize *
                        llvm::divideCeil(blockSize, tupleSize) +
                    llvm::divideCeil(reductionSize % blockSize, tupleSize)) *
                       tupleBytes
                 : llvm::divideCeil(runSize, tupleSize) * tupleBytes;
  panelBytes = loops.getSize(outer) * runBytes;
}

void ContractKernel::analyze() {
  sizes = cast<IntegerFormOpInterface>(op.getOperation())
              .getLoopSizes(kernel.builder, kernel.loc);
  lhs = kernel.flatten(op.getLhs(), op.getLhsMap(), op.getInputPadding());
  init = kernel.flatten(op.getInit(), op.getInitMap());
  if (op.getBias())
    bias = kernel.flatten(op.getBias(), op.getBiasMap());
  if (op.getResidual()) {
    residual = kernel.flatten(op.getResidual(), op.getResidualMap());
    isResidualOfRows =
        !isExchanged && !loops.isDepthwise &&
        !loops.areContiguous(loops.columns, loops.residualStrides) &&
        isOne(loops.columns, loops.residualStrides);
  }
  if (op.getScale())
    scale = kernel.flatten(op.getScale(), getRowsMap(op, op.getScale()));
  if (op.getZeroPoint())
    zeroPoint =
        kernel.flatten(op.getZeroPoint(), getRowsMap(op, op.getZeroPoint()));

  reductionSize = blockSize =
      std::max<int64_t>(loops.getSize(loops.reduction), 0);
  if (isExchanged)
    exchangeSides();
  else if (op.getLayout())
    readLayout();
  else
    planPanels();
  analyzeColumns();
  if (usesTiles && width < 8)
    planUnpacking();
  lhsZero = dot.getLhsOffset();
  if (!op.isDynamic() && !isOfValues)
    lhsZero += getTensorZeroPoint(*op.getLhsParams());
  needsColumnSums =
      isExchanged ? !rhsOffset.isZero() : lhsZero != 0 || op.getZeroPoint();
  mergeRows();
  needsGather = !loops.isDepthwise && runSize != 1 && runSize != 0 &&
                !loops.areContiguous(run, loops.lhsStrides);
  if (usesTiles)
    planTiles();
  gatheredStride = reductionSize;
  if (usesTiles) {
    gatheredStride = llvm::alignTo(reductionSize, tileRowBytes);
    // Rows at powers of two share few sets of the cache.
    if (gatheredStride % (8 * tileRowBytes) == 0)
      gatheredStride += tileRowBytes;
  }
  planScratch();
}

int64_t ContractKernel::getTileRows(const Panel &panel) const {
  int64_t columns = panel.getRegisters(dot.getLanes()) * dot.getLanes();
  if (!hasBlocks || isOfValues)
    return target.getTileRows(columns);
  // With blocks each sum has two registers.
  int64_t rows = target.getTileRows(2 * columns);
  return std::max<int64_t>(llvm::alignDown(rows, dot.getRows()), 1);
}

Value ContractKernel::buildReductionSize() {
  if (runSize != 0)
    return constantI32(reductionSize);
  return arith::IndexCastOp::create(kernel.builder, kernel.loc,
                                    kernel.builder.getI32Type(),
                                    kernel.index(runLength));
}

/// Bytes of scratch: on the stack, also on that of a thread. Tiles are so fast
/// that panels should be read for many rows at once.
int64_t ContractKernel::getMaxScratch() const {
  return usesTiles ? 512 << 10 : 128 << 10;
}

void ContractKernel::planScratch() {
  numRows = attr(1);
  for (const MergedLoop &loop : rowLoops)
    numRows = kernel.mul(numRows, loop.size);
  needsRowSums = !isExchanged && !isOfValues &&
                 (!rhsOffset.isZero() || !minval.values.empty());
  // Not of wide sums: an int32 holds sums of their codes, but not any products.
  if (!isOfValues && rhsOffset.isOne() && !rhsOffset.isZero() &&
      minval.values.empty() && !op.getWide())
    rowSumFactor = -int32_t(rhsOffset.values.front());
  // Sums of a block of rows' codes, of up to 8 bits with sign or without.
  hasPairs = hasBlocks && !isOfValues && width < 8 && dot.hasPairs() &&
             minval.values.empty() && rowSumFactor == 1 && blockSize <= 128;
  if (hasPairs)
    rowSumFactor = -1;
  parallel = chooseParallel();
  int64_t tile = getRowUnit();
  int64_t known = getConstantIntValue(numRows).value_or(0);
  // Blocks are many enough for threads to have equal shares, and large enough
  // for a panel to be read once for several tiles.
  if (parallel == Parallel::RowBlocks)
    rowsPerBlock =
        llvm::divideCeil(std::max<int64_t>(known / 32, 8 * tile), tile) * tile;
  if (!needsScratch())
    return;
  int64_t scratchRows = known;
  if (!isScratchShared()) {
    rowsPerBlock =
        std::max<int64_t>(getMaxScratch() / getScratchPerRow() / tile, 1) *
        tile;
    if (known != 0)
      rowsPerBlock = std::min(rowsPerBlock, known);
    scratchRows = rowsPerBlock;
  }
  this->scratchRows = scratchRows;
}

int64_t ContractKernel::getScratchPerRow() const {
  int64_t bytes = lhs.element.getIntOrFloatBitWidth() / 8;
  return (needsGather ? gatheredStride * bytes : 0) +
         (needsTails ? getNumRuns() * tileRowBytes : 0) +
         (needsRowSums ? numBlocks * 4 : 0);
}

ContractKernel::Parallel ContractKernel::chooseParallel() const {
  // About 15 us of a core; to wake threads takes 2 to 5.
  const int64_t minProducts = int64_t(1) << (usesTiles ? 24 : 22);
  // What a size that is not known may be: of a sequence.
  constexpr int64_t someSize = 256;
  bool isStatic = columns != 0 && runSize != 0;
  // Of a number that is not known, one row: a matrix times a vector.
  std::optional<int64_t> known = getConstantIntValue(numRows);
  int64_t products = known.value_or(isStatic ? 1 : someSize);
  for (int64_t size : {columns, reductionSize})
    if (llvm::MulOverflow(products, size == 0 ? someSize : size, products))
      return Parallel::Panels;
  if (packsPanels) {
    // Every iteration packs what it needs: batches share nothing.
    int64_t batches = loops.getSize(batchLoops);
    if (batches > 1 && products >= minProducts / batches)
      return Parallel::Batches;
    if (ShapedType::isDynamic(batches) && !isStatic)
      return Parallel::Batches;
    bool isOne = columns != 0 && columns <= columnStep;
    return products >= minProducts && !isOne ? Parallel::Panels
                                             : Parallel::None;
  }
  if (products < minProducts)
    return Parallel::None;
  // Panels are equal shares where they are many; otherwise rows are, if what is
  // prepared of them fits. A panel is unpacked once for all rows.
  if (unpacksPanels)
    return columns > columnStep ? Parallel::Panels : Parallel::None;
  int64_t tile = getRowUnit();
  if (columns / panelColumns >= 16 || !known || *known < 16 * tile ||
      *known * getScratchPerRow() > getMaxScratch())
    return columns / panelColumns > 1 ? Parallel::Panels : Parallel::None;
  return Parallel::RowBlocks;
}

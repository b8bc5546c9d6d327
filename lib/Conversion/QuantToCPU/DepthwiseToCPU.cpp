//===- DepthwiseToCPU.cpp - Depthwise quant.contract on vectors -----------===//
//
// Which depthwise contractions have a kernel, how it walks their windows, and
// the pattern. DepthwiseKernel.h shows the loops.
//
// Left to the reference: scales of blocks along the window or of every pixel,
// results of other codes than bytes, and windows of sizes that are not known.
//
//===----------------------------------------------------------------------===//

#include "DepthwiseKernel.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Dialect/Quant/Transforms/PackWeights.h"
#include "quant-mlir/Target/CPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quant_mlir;

/// Taps for which all code is written out.
static constexpr int64_t maxTaps = 64;
/// Pixels at the edges of a row, which are written out too.
static constexpr int64_t maxEdge = 8;

/// Whether a scale or zero point of lhs, if there is one, is the same for all.
static bool isOneNumber(Value operand) {
  if (!operand)
    return true;
  auto type = cast<ShapedType>(operand.getType());
  return type.hasStaticShape() && type.getNumElements() == 1;
}

/// What keeps scale and zero point of lhs, which are operands, from a kernel:
/// they are the same along a row of the result.
static std::string findNoRowReason(ContractOp op, const ContractLoops &loops) {
  std::optional<unsigned> pixel = findPixelLoop(loops);
  for (Value operand : {op.getScale(), op.getZeroPoint()}) {
    if (!operand)
      continue;
    AffineMap map = getRowsMap(op, operand);
    for (unsigned loop : loops.batch)
      if (map.isFunctionOfDim(loop) && loops.sizes[loop] != 1)
        return "its left-hand side has a scale for each channel";
    if (pixel && map.isFunctionOfDim(*pixel) && loops.sizes[*pixel] != 1)
      return "its left-hand side has a scale for each pixel";
  }
  return "";
}

/// Types of operands and result.
static std::string findNoTypeReason(ContractOp op) {
  auto isBytes = [](AffineAttr params) {
    return numerics::isInteger(params.getStorage()) &&
           numerics::bitWidth(params.getStorage()) == 8;
  };
  if (!isBytes(*op.getLhsParams()))
    return "codes of its left-hand side are not integers of 8 bits";
  if (op.getInitParams() && !isBytes(*op.getInitParams()))
    return "codes of its result are not integers of 8 bits";
  if (op.getResidualParams() && !isBytes(*op.getResidualParams()))
    return "codes of its residual are not integers of 8 bits";
  return "";
}

std::string quant_mlir::findNoDepthwiseKernelReason(ContractOp op,
                                                    const CPUTarget &target) {
  if (!op.hasIntegerSum())
    return "its sum is not of integers";
  if (op.getWide())
    return "an int32 may not hold its sum";
  if (std::string reason = findNoTypeReason(op); !reason.empty())
    return reason;
  ContractLoops loops = analyzeLoops(op);
  if (!op.getLayout() || !op.getSums())
    return "every element of its result has a right-hand side of its own, "
           "which is no constant";
  if (!loops.channel)
    return "channels are not the innermost dimension of lhs and result";
  if (std::string reason = findNoLayoutReason(op, loops, target);
      !reason.empty())
    return reason;
  for (unsigned loop : loops.batch)
    if (loop != *loops.channel && loops.sizes[loop] != 1)
      return "there is more than one batch dimension";
  int64_t channels = loops.sizes[*loops.channel];
  int64_t taps = loops.getSize(loops.reduction);
  if (ShapedType::isDynamic(channels) || ShapedType::isDynamic(taps) ||
      taps > maxTaps)
    return "the number of channels or taps is not known, or there are more "
           "than 64 taps";
  for (unsigned loop : loops.reduction)
    if (!loops.lhsStrides[loop] && loops.sizes[loop] != 1)
      return "distances between taps are not known";
  for (const LoopStrides *strides :
       {&loops.biasStrides, &loops.residualStrides})
    if (!strides->empty() && channels != 1 && (*strides)[*loops.channel] != 1 &&
        (*strides)[*loops.channel] != 0)
      return "channels of the bias or the residual do not follow each other";
  for (unsigned loop : loops.rows)
    if (op.getBias() && loops.biasStrides[loop] != 0 && loops.sizes[loop] != 1)
      return "the bias is not the same for all rows";
  if (op.getReductionBlock())
    return "its weights have scales of blocks along the window";
  return findNoRowReason(op, loops);
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

/// The loops that walk a dimension of lhs.
static SmallVector<unsigned> getWalkers(const LinearExpr &linear) {
  SmallVector<unsigned> walkers;
  for (auto [loop, factor] : llvm::enumerate(linear.factors))
    if (factor != 0)
      walkers.push_back(loop);
  return walkers;
}

/// Pixels whose columns all exist; why they are not known.
static std::string analyzeEdges(ContractOp op, const ContractLoops &loops,
                                const LinearExpr &linear, int64_t low,
                                int64_t size, DepthwiseWindow &window) {
  int64_t pixels = loops.sizes[*window.pixelLoop];
  if (ShapedType::isDynamic(pixels) || ShapedType::isDynamic(size))
    return "the size of a row is not known";
  int64_t perPixel = linear.factors[*window.pixelLoop],
          perColumn = linear.factors[*window.columnLoop];
  auto isWhole = [&](int64_t pixel) {
    int64_t first = linear.constant - low + pixel * perPixel;
    int64_t last = first + (window.numColumns - 1) * perColumn;
    return std::min(first, last) >= 0 && std::max(first, last) < size;
  };
  int64_t from = 0;
  while (from < pixels && !isWhole(from))
    ++from;
  int64_t to = from;
  while (to < pixels && isWhole(to))
    ++to;
  window.firstWhole = from;
  window.endWhole = to;
  if (from + pixels - to > maxEdge)
    return "more pixels of a row than 8 touch its padding";
  return "";
}

std::optional<unsigned> quant_mlir::findPixelLoop(const ContractLoops &loops) {
  std::optional<unsigned> pixel;
  // The last of those with the smallest stride; one that is not known is large.
  for (unsigned loop : loops.rows) {
    auto stride = [&](unsigned loop) {
      return loops.initStrides[loop].value_or(
          std::numeric_limits<int64_t>::max());
    };
    if (!pixel || stride(loop) <= stride(*pixel))
      pixel = loop;
  }
  return pixel;
}

DepthwiseWindow quant_mlir::analyzeWindow(ContractOp op,
                                          const ContractLoops &loops) {
  DepthwiseWindow window;
  LayoutAttr layout = *op.getLayout();
  auto getLoop = [&](int64_t dim) {
    return op.getRhsMap().getDimPosition(dim);
  };
  ArrayRef<int64_t> reduction = layout.getReduction();
  for (int64_t dim : reduction.take_back(layout.getRun()))
    window.rowLoops.push_back(getLoop(dim));
  ArrayRef<int64_t> outer = reduction.drop_back(layout.getRun());
  if (outer.size() > 1) {
    window.reason = "its layout has several loops around a run";
    return window;
  }
  if (!outer.empty()) {
    window.columnLoop = getLoop(outer.front());
    window.numColumns = loops.sizes[*window.columnLoop];
  }
  window.pixelLoop = findPixelLoop(loops);
  if (window.pixelLoop)
    window.endWhole = loops.sizes[*window.pixelLoop];

  ArrayRef<int64_t> padding = op.getInputPadding();
  auto type = cast<ShapedType>(op.getLhs().getType());
  for (auto [dim, expr] : llvm::enumerate(op.getLhsMap().getResults())) {
    if (padding.empty() || (!padding[2 * dim] && !padding[2 * dim + 1]))
      continue;
    LinearExpr linear = *getLinearExpr(expr, loops.sizes.size());
    SmallVector<unsigned> walkers = getWalkers(linear);
    auto isWalker = [&](std::optional<unsigned> loop) {
      return loop && llvm::is_contained(walkers, *loop);
    };
    if (isWalker(loops.channel)) {
      window.reason = "channels are padded";
    } else if (!isWalker(window.pixelLoop) && !isWalker(window.columnLoop)) {
      window.paddedDims.push_back(dim);
    } else if (isWalker(window.pixelLoop) && isWalker(window.columnLoop) &&
               walkers.size() == 2) {
      window.columnDim = dim;
      window.reason = analyzeEdges(op, loops, linear, padding[2 * dim],
                                   type.getDimSize(dim), window);
    } else {
      window.reason = "a row's padding is in a dimension that columns do not "
                      "walk alone";
    }
    if (!window.reason.empty())
      break;
  }
  return window;
}

bool quant_mlir::isPaddedInKernel(ContractOp op) {
  if (!op.hasIntegerSum())
    return isPaddedInValuesKernel(op);
  ContractLoops loops = analyzeLoops(op);
  // Padding is of one code.
  return isOneNumber(op.getZeroPoint()) && loops.isDepthwise &&
         op.getLayout() && op.getLayout()->getPanel() != 1 &&
         analyzeWindow(op, loops).reason.empty();
}

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

DepthwiseKernel::DepthwiseKernel(ContractOp op, const CPUTarget &target,
                                 OpBuilder &builder)
    : op(op), target(target), kernel(builder, op.getLoc()),
      loops(analyzeLoops(op)),
      isSigned(numerics::isSignedInteger(op.getLhsParams()->getStorage())),
      dot(target, isSigned, /*isRhsUnsigned=*/false, /*isLhsShared=*/false),
      group(dot.getGroup()), channel(*loops.channel),
      window(analyzeWindow(op, loops)) {}

void DepthwiseKernel::build() {
  OpBuilder &builder = kernel.builder;
  panel = op.getLayout()->getPanel();
  lhs = kernel.flatten(op.getLhs(), op.getLhsMap(), op.getInputPadding());
  init = kernel.flatten(op.getInit(), op.getInitMap());
  rhs = flattenRow(op.getRhs());
  sums = flattenRow(op.getSums());
  if (op.getBias())
    bias = kernel.flatten(op.getBias(), op.getBiasMap());
  if (op.getResidual())
    residual = kernel.flatten(op.getResidual(), op.getResidualMap());
  if (op.getScale())
    scale = kernel.flatten(op.getScale(), getRowsMap(op, op.getScale()));
  if (op.getZeroPoint())
    zeroPoint =
        kernel.flatten(op.getZeroPoint(), getRowsMap(op, op.getZeroPoint()));
  hasRowNumbers =
      !isOneNumber(op.getScale()) || !isOneNumber(op.getZeroPoint());
  if (!op.isDynamic())
    lhsZeroPoint = getTensorZeroPoint(*op.getLhsParams());
  lhsZero = lhsZeroPoint + dot.getLhsOffset();
  sizes = cast<IntegerFormOpInterface>(op.getOperation())
              .getLoopSizes(builder, op.getLoc());

  tapsPerColumn = loops.getSize(window.rowLoops);
  groups = llvm::divideCeil(tapsPerColumn, group);
  width = op.getRhsCodesType().getElementTypeBitWidth();
  groupsPerTuple = op.getLayout()->getPanelLayout().groupsPerTuple();
  tuples = llvm::divideCeil(groups, groupsPerTuple);
  if (window.columnLoop)
    columnStep = loops.lhsStrides[*window.columnLoop].value_or(0);
  pixelStep = window.pixelLoop ? lhs.getStride(*window.pixelLoop)
                               : std::optional<int64_t>(0);
  // As many pixels as a column is part of windows.
  if (window.numColumns > 1 && pixelStep.value_or(0) > 0 &&
      *pixelStep % columnStep == 0 &&
      *pixelStep / columnStep < window.numColumns)
    stepPixels = std::min<int64_t>(
        llvm::divideCeil(window.numColumns * columnStep, *pixelStep), 4);
  for (unsigned loop : orderLoops(init, loops.rows))
    if (loop != window.pixelLoop)
      outerLoops.push_back(loop);
  placeConstants();
  // Of padding that only the run time knows.
  Value stack;
  if (zeroPoint.base && !window.paddedDims.empty())
    stack = LLVM::StackSaveOp::create(
        builder, op.getLoc(), LLVM::LLVMPointerType::get(op.getContext()));
  placePadding();

  SmallVector<OpFoldResult> outerSizes;
  for (unsigned loop : outerLoops)
    outerSizes.push_back(sizes[loop]);
  int64_t panelBytes = window.numColumns * tuples * panel * group;
  auto buildPanel = [&](OpFoldResult number, int64_t valid) {
    Value bytes = kernel.index(kernel.mul(number, attr(panelBytes)));
    Value first = kernel.index(kernel.mul(number, attr(panel)));
    for (int64_t done = 0; done < valid;) {
      Channels channels =
          loadChannels(at(first, done), bytes, done, valid - done);
      if (!hasRowNumbers)
        addRowNumbers(channels, SmallVector<Value>(sizes.size()));
      kernel.forNest(outerSizes, [&](ValueRange outerIvs) {
        SmallVector<Value> ivs(sizes.size());
        for (auto [loop, iv] : llvm::zip_equal(outerLoops, outerIvs))
          ivs[loop] = iv;
        ivs[channel] = at(first, done);
        if (!hasRowNumbers)
          return buildRow(ivs, channels);
        Channels ofRow = channels;
        addRowNumbers(ofRow, ivs);
        buildRow(ivs, ofRow);
      });
      done += channels.count();
    }
  };
  int64_t whole = loops.sizes[channel] / panel;
  if (whole > 0)
    kernel.forLoop(attr(whole),
                   [&](Value number) { buildPanel(number, panel); });
  if (int64_t rest = loops.sizes[channel] % panel)
    buildPanel(attr(whole), rest);
  if (stack)
    LLVM::StackRestoreOp::create(builder, op.getLoc(), stack);
}

//===----------------------------------------------------------------------===//
// Pattern
//===----------------------------------------------------------------------===//

namespace {
/// quant.contract whose loops of lhs and rhs are channels
///
///   weights, starts = vector.load …              // bias - zx * sums
///   scf.for rows {
///     left edge
///     scf.for pixels by 3 iter_args(%c0, %c1) {  // two columns
///       %c2 = interleave(vector.load three rows)
///       %acc = vpdpbusd vpdpbusd vpdpbusd starts, %c0, %c1, %c2
///       vector.store clamp(R(f32(%acc) * m) + z)
///       … twice more, with %c3 and %c4
///       scf.yield %c3, %c4
///     }
///     right edge
///   }
struct DepthwiseToCPU : OpRewritePattern<ContractOp> {
  DepthwiseToCPU(MLIRContext *context, const CPUTarget &target)
      : OpRewritePattern(context), target(target) {}

  LogicalResult matchAndRewrite(ContractOp op,
                                PatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(op.getInit().getType()))
      return rewriter.notifyMatchFailure(op, "is on tensors");
    if (!analyzeLoops(op).isDepthwise ||
        (op.getLayout() && op.getLayout()->getPanel() == 1))
      return rewriter.notifyMatchFailure(op, "is not depthwise");
    if (std::string reason = findNoDepthwiseKernelReason(op, target);
        !reason.empty())
      return rewriter.notifyMatchFailure(op, reason);
    if (std::string reason = analyzeWindow(op, analyzeLoops(op)).reason;
        !reason.empty())
      return rewriter.notifyMatchFailure(op, reason);
    DepthwiseKernel(op, target, rewriter).build();
    rewriter.eraseOp(op);
    return success();
  }

  const CPUTarget &target;
};

} // namespace

void quant_mlir::populateDepthwiseToCPUPatterns(RewritePatternSet &patterns,
                                                const CPUTarget &target) {
  patterns.add<DepthwiseToCPU>(patterns.getContext(), target);
}

//===- DepthwiseToCPU.cpp - Depthwise quant.contract on vectors -----------===//
//
// Channels of NHWC lie along a vector. For each pixel, the codes of four taps
// (as many as the dot instruction sums) are interleaved, so that a channel's
// taps lie beside each other as its weights do in the panels, which stay in
// registers over all pixels of a panel.
//
// Four registers of taps are interleaved within lanes of 16 bytes, with two
// steps of unpacking. What comes out has channels in another order: register j
// holds channels 16 * k + 4 * j of lane k. Weights, bias and multipliers are
// loaded in that order, once, and storing codes undoes it.
//
// Left to the reference: results of values, dynamic inputs, residuals, weights
// with zero points, and windows of sizes that are not known.
//
//===----------------------------------------------------------------------===//

#include "DotProduct.h"
#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

#include "quant-mlir/Conversion/QuantToCPU/QuantToCPU.h"
#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"
#include "quant-mlir/Numerics/IntegerCompute.h"
#include "quant-mlir/Target/CPU.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace quant_mlir;

/// Taps for which all code is written out.
static constexpr int64_t maxTaps = 64;

std::string quant_mlir::findNoDepthwiseKernelReason(ContractOp op,
                                                    const CPUTarget &target) {
  if (op.hasFloatLhs() || op.isDynamic() || !op.hasIntegerSum())
    return "a depthwise kernel takes integer codes with static parameters";
  if (!op.getInitParams() ||
      !numerics::isInteger(op.getInitParams()->getStorage()) ||
      numerics::bitWidth(op.getInitParams()->getStorage()) != 8 ||
      numerics::bitWidth(op.getLhsParams()->getStorage()) != 8 ||
      numerics::bitWidth(op.getRhsParams().getStorage()) != 8)
    return "a depthwise kernel takes and gives codes of 8 bits";
  if (op.getResidual())
    return "a depthwise kernel adds no residual";
  if (op.getBias() &&
      !getElementTypeOrSelf(op.getBias().getType()).isInteger(32))
    return "a depthwise kernel adds a bias of i32";
  ContractLoops loops = analyzeLoops(op);
  if (!loops.channel)
    return "channels are not the innermost dimension of lhs and result";
  for (unsigned loop : loops.batch)
    if (loop != *loops.channel && loops.sizes[loop] != 1)
      return "there is more than one batch dimension";
  int64_t channels = loops.sizes[*loops.channel];
  int64_t taps = loops.getSize(loops.reduction);
  if (ShapedType::isDynamic(channels) || ShapedType::isDynamic(taps) ||
      taps > maxTaps)
    return "the number of channels or taps is not known, or there are more "
           "than "
           "64 taps";
  for (unsigned loop : loops.reduction)
    if (!loops.lhsStrides[loop] && loops.sizes[loop] != 1)
      return "distances between taps are not known";
  if (op.getBias() && loops.biasStrides[*loops.channel] != 1)
    return "the bias is not one number for each channel";
  for (unsigned loop : loops.rows)
    if (op.getBias() && loops.biasStrides[loop] != 0 && loops.sizes[loop] != 1)
      return "the bias is not the same for all rows";
  AffineAttr params = op.getRhsParams();
  if (params.getMinval() || params.isDynamic())
    return "a depthwise kernel takes weights with scales only";
  numerics::TensorParams units = params.getTensorParams();
  if (units.scales.size() != 1 && int64_t(units.scales.size()) != channels)
    return "weights have scales for something else than channels";
  int32_t middle = numerics::isSignedInteger(params.getStorage()) ? 0 : 128;
  for (int32_t zeroPoint : units.zeroPoints)
    if (zeroPoint != middle)
      return "a depthwise kernel takes weights whose zero point is 0 (128 of "
             "unsigned ones)";
  if (units.zeroPoints.empty() && middle != 0)
    return "a depthwise kernel takes unsigned weights with zero point 128";
  return "";
}

namespace {

/// What a kernel needs besides operands.
class DepthwiseKernel {
public:
  DepthwiseKernel(ContractOp op, const CPUTarget &target, OpBuilder &builder)
      : op(op), kernel(builder, op.getLoc()), loops(analyzeLoops(op)),
        isSigned(numerics::isSignedInteger(op.getLhsParams()->getStorage())),
        dot(target, isSigned, /*isRhsUnsigned=*/false,
            /*isLhsShared=*/false),
        lanes(dot.getLanes()), group(dot.getGroup()), channel(*loops.channel) {}

  void build();

private:
  /// `registers` of channels from `first` on, of which `valid` exist.
  void buildChannels(Value first, Value weightsAt, int64_t registers,
                     int64_t valid);
  void buildPixel(SmallVector<Value> ivs, int64_t registers, int64_t valid,
                  ArrayRef<Value> weights, ArrayRef<Value> starts,
                  ArrayRef<Value> multipliers);
  /// The codes of up to `group` taps beside each other, a register for each of
  /// `registers`.
  SmallVector<Value> interleave(ArrayRef<Value> taps, int64_t registers);
  /// Register `j` of channels in the order of interleaved codes: `unit`
  /// elements for each channel.
  Value loadChannels(const FlatOperand &operand, Value first, int64_t j,
                     int64_t registers, int64_t unit, int64_t valid);
  Value shuffle(Value a, Value b, ArrayRef<int64_t> mask) {
    return vector::ShuffleOp::create(kernel.builder, kernel.loc, a, b, mask);
  }
  /// Elements of i8 as one type of vector or another.
  Value recast(Value vector, int64_t count, unsigned width) {
    return vector::BitCastOp::create(
        kernel.builder, kernel.loc,
        VectorType::get({count}, kernel.builder.getIntegerType(width)), vector);
  }
  Value at(Value index, int64_t offset) {
    return kernel.index(kernel.add(index, kernel.builder.getIndexAttr(offset)));
  }
  FlatOperand flattenRow(Value buffer);
  void placeMultipliers();

  ContractOp op;
  KernelBuilder kernel;
  ContractLoops loops;
  bool isSigned;
  DotProduct dot;
  int64_t lanes, group;
  unsigned channel;
  FlatOperand lhs, init, rhs, sums, bias, multiplier;
  std::optional<float> sameMultiplier;
  SmallVector<int64_t> tapOffsets;
  SmallVector<OpFoldResult> sizes;
  int64_t panel = 0, groups = 0;
};

} // namespace

/// A contiguous buffer as one dimension.
FlatOperand DepthwiseKernel::flattenRow(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> results(type.getRank(),
                                  getAffineConstantExpr(0, context));
  FlatOperand operand =
      kernel.flatten(buffer, AffineMap::get(1, 0, results, context));
  operand.strides.assign(1, kernel.builder.getIndexAttr(1));
  return operand;
}

void DepthwiseKernel::placeMultipliers() {
  AffineAttr params = op.getRhsParams();
  float sx = getTensorScale(*op.getLhsParams());
  float sy = getTensorScale(*op.getInitParams());
  SmallVector<float> values;
  for (float sw : params.getTensorParams().scales)
    values.push_back(numerics::requantMultiplier(sx, sw, sy));
  if (llvm::all_equal(values)) {
    sameMultiplier = values.front();
    return;
  }
  // Vectors of the last channels read a whole register.
  values.resize(llvm::alignTo(values.size(), panel), 0.0f);
  OpBuilder &builder = kernel.builder;
  auto module = op->getParentOfType<ModuleOp>();
  auto type = MemRefType::get({int64_t(values.size())}, builder.getF32Type());
  OpBuilder global(module.getContext());
  auto constant = memref::GlobalOp::create(
      global, op.getLoc(), "depthwise_multipliers",
      builder.getStringAttr("private"), type,
      DenseElementsAttr::get(
          RankedTensorType::get(type.getShape(), type.getElementType()),
          ArrayRef<float>(values)),
      /*constant=*/true, builder.getI64IntegerAttr(64));
  SymbolTable(module).insert(constant, module.getBody()->begin());
  multiplier = flattenRow(memref::GetGlobalOp::create(
      builder, op.getLoc(), type, constant.getSymName()));
}

Value DepthwiseKernel::loadChannels(const FlatOperand &operand, Value first,
                                    int64_t j, int64_t registers, int64_t unit,
                                    int64_t valid) {
  OpBuilder &builder = kernel.builder;
  if (registers == 1 && valid < lanes) {
    // Bias and sums end with the last channel.
    auto type = VectorType::get({lanes * unit}, operand.element);
    auto mask = vector::ConstantMaskOp::create(builder, kernel.loc,
                                               type.clone(builder.getI1Type()),
                                               ArrayRef<int64_t>(valid * unit));
    Value zero = arith::ConstantOp::create(builder, kernel.loc,
                                           builder.getZeroAttr(type));
    return vector::MaskedLoadOp::create(builder, kernel.loc, type, operand.base,
                                        ValueRange(first), mask, zero);
  }
  if (registers == 1)
    return kernel.load(operand, first, lanes * unit);
  // Pieces of four channels, one of each lane of 16 bytes of codes.
  auto type = VectorType::get({lanes * unit}, operand.element);
  Value result =
      arith::ConstantOp::create(builder, kernel.loc, builder.getZeroAttr(type));
  for (int64_t lane = 0; lane < lanes / 4; ++lane) {
    Value piece =
        kernel.load(operand, at(first, (16 * lane + 4 * j) * unit), 4 * unit);
    result = vector::InsertStridedSliceOp::create(
        builder, kernel.loc, piece, result, ArrayRef<int64_t>(4 * unit * lane),
        ArrayRef<int64_t>(1));
  }
  return result;
}

SmallVector<Value> DepthwiseKernel::interleave(ArrayRef<Value> taps,
                                               int64_t registers) {
  OpBuilder &builder = kernel.builder;
  int64_t count = registers * lanes;
  if (group < 4) {
    // Widened: i32, or pairs of i16.
    Type wide = builder.getIntegerType(group == 1 ? 32 : 16);
    SmallVector<Value> widened;
    for (Value tap : taps) {
      ElementArith arith(builder, kernel.loc, tap);
      widened.push_back(isSigned ? arith.cast<arith::ExtSIOp>(wide, tap)
                                 : arith.cast<arith::ExtUIOp>(wide, tap));
    }
    if (group == 1)
      return widened;
    SmallVector<int64_t> zip;
    for (int64_t i = 0; i < count; ++i)
      zip.append({i, count + i});
    return {shuffle(widened.front(), widened.back(), zip)};
  }
  // Weights of taps that do not exist are 0: any codes will do.
  auto tap = [&](unsigned i) {
    return taps[std::min<size_t>(i, taps.size() - 1)];
  };
  // Within lanes where there are four registers, across one where there is one.
  int64_t lane = registers == 4 ? 16 : count;
  auto unpack = [&](Value a, Value b, int64_t size, int64_t width, int half) {
    // The lower or upper half of every lane of `size` elements.
    SmallVector<int64_t> mask;
    for (int64_t base = 0; base < size; base += width)
      for (int64_t i = 0; i < width / 2; ++i) {
        int64_t from = base + half * width / 2 + i;
        mask.append({from, size + from});
      }
    return shuffle(a, b, mask);
  };
  SmallVector<Value> result;
  if (registers == 4) {
    for (int half : {0, 1}) {
      Value low = unpack(tap(0), tap(1), count, lane, half);
      Value high = unpack(tap(2), tap(3), count, lane, half);
      low = recast(low, count / 2, 16);
      high = recast(high, count / 2, 16);
      for (int part : {0, 1})
        result.push_back(
            recast(unpack(low, high, count / 2, lane / 2, part), count, 8));
    }
  } else {
    SmallVector<int64_t> zip;
    for (int64_t i = 0; i < count; ++i)
      zip.append({i, count + i});
    Value low = recast(shuffle(tap(0), tap(1), zip), count, 16);
    Value high = recast(shuffle(tap(2), tap(3), zip), count, 16);
    result.push_back(recast(shuffle(low, high, zip), 4 * count, 8));
  }
  if (dot.getLhsOffset() != 0)
    for (Value &codes : result) {
      Value flip = arith::ConstantOp::create(
          builder, kernel.loc,
          DenseElementsAttr::get(cast<VectorType>(codes.getType()),
                                 APInt(8, 128)));
      codes = arith::XOrIOp::create(builder, kernel.loc, codes, flip);
    }
  return result;
}

void DepthwiseKernel::buildPixel(SmallVector<Value> ivs, int64_t registers,
                                 int64_t valid, ArrayRef<Value> weights,
                                 ArrayRef<Value> starts,
                                 ArrayRef<Value> multipliers) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  int64_t count = registers * lanes;
  Value source = kernel.address(lhs, ivs);
  bool isPartial = valid < count;
  auto type = VectorType::get({count}, builder.getI8Type());
  Value mask, zero;
  if (isPartial) {
    mask = vector::ConstantMaskOp::create(builder, loc,
                                          type.clone(builder.getI1Type()),
                                          ArrayRef<int64_t>(valid));
    zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  }
  SmallVector<Value> accumulators(starts);
  for (int64_t g = 0; g < groups; ++g) {
    SmallVector<Value> taps;
    for (int64_t i = g * group;
         i < std::min<int64_t>((g + 1) * group, tapOffsets.size()); ++i) {
      Value from = at(source, tapOffsets[i]);
      if (isPartial)
        taps.push_back(vector::MaskedLoadOp::create(
            builder, loc, type, lhs.base, ValueRange(from), mask, zero));
      else
        taps.push_back(kernel.load(lhs, from, count));
    }
    for (auto [j, codes] : llvm::enumerate(interleave(taps, registers)))
      accumulators[j] =
          dot.build(kernel, accumulators[j], codes, weights[g * registers + j]);
  }

  int32_t zeroPoint = getTensorZeroPoint(*op.getInitParams());
  numerics::CodeRange range =
      getBoundedRange(*op.getInitParams(), op.getLow(), op.getHigh());
  SmallVector<Value> codes;
  for (auto [sum, m] : llvm::zip_equal(accumulators, multipliers)) {
    ElementArith arith(builder, loc, sum);
    Value value = arith.mulf(arith.cast<arith::SIToFPOp>(arith.f32(), sum), m);
    codes.push_back(buildRequantize(arith, value, zeroPoint, range));
  }
  Value result = codes.front();
  if (registers == 4) {
    // Register j, lane k, element e is channel 16 * k + 4 * j + e.
    SmallVector<int64_t> pair, all;
    for (int64_t i = 0; i < 2 * lanes; ++i)
      pair.push_back(i);
    for (int64_t c = 0; c < count; ++c) {
      int64_t k = c / 16, j = c % 16 / 4, e = c % 4;
      all.push_back(j * lanes + 4 * k + e);
    }
    result = shuffle(shuffle(codes[0], codes[1], pair),
                     shuffle(codes[2], codes[3], pair), all);
  }
  Value target = kernel.address(init, ivs);
  if (isPartial)
    vector::MaskedStoreOp::create(builder, loc, init.base, ValueRange(target),
                                  mask, result);
  else
    kernel.store(init, target, result);
}

void DepthwiseKernel::buildChannels(Value first, Value weightsAt,
                                    int64_t registers, int64_t valid) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  SmallVector<Value> weights, starts, multipliers;
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t j = 0; j < registers; ++j) {
      Value codes = loadChannels(rhs, at(weightsAt, g * panel * group), j,
                                 registers, group, lanes);
      if (group < 4) {
        ElementArith arith(builder, loc, codes);
        codes = arith.cast<arith::ExtSIOp>(
            builder.getIntegerType(group == 1 ? 32 : 16), codes);
      }
      weights.push_back(codes);
    }
  // Sums are of codes as they are stored here, and so is what is summed.
  AffineAttr params = op.getRhsParams();
  int32_t middle = numerics::isSignedInteger(params.getStorage()) ? 0 : 128;
  int32_t zeroPoint =
      getTensorZeroPoint(*op.getLhsParams()) + dot.getLhsOffset();
  for (int64_t j = 0; j < registers; ++j) {
    Value columns = loadChannels(sums, first, j, registers, 1, valid);
    ElementArith arith(builder, loc, columns);
    if (middle != 0)
      columns = arith.sub(columns, middle * int64_t(tapOffsets.size()));
    Value start = arith::MulIOp::create(builder, loc, columns,
                                        arith.intConstant(-zeroPoint));
    if (op.getBias())
      start =
          arith.add(start, loadChannels(bias, first, j, registers, 1, valid));
    starts.push_back(start);
    multipliers.push_back(sameMultiplier ? arith.floatConstant(*sameMultiplier)
                                         : loadChannels(multiplier, first, j,
                                                        registers, 1, lanes));
  }
  SmallVector<unsigned> rows = orderLoops(init, loops.rows);
  SmallVector<OpFoldResult> rowSizes;
  for (unsigned loop : rows)
    rowSizes.push_back(sizes[loop]);
  kernel.forNest(rowSizes, [&](ValueRange rowIvs) {
    SmallVector<Value> ivs(sizes.size());
    for (auto [loop, iv] : llvm::zip_equal(rows, rowIvs))
      ivs[loop] = iv;
    ivs[channel] = first;
    buildPixel(ivs, registers, valid, weights, starts, multipliers);
  });
}

void DepthwiseKernel::build() {
  OpBuilder &builder = kernel.builder;
  LayoutAttr layout = *op.getLayout();
  panel = layout.getPanel();
  lhs = kernel.flatten(op.getLhs(), op.getLhsMap());
  init = kernel.flatten(op.getInit(), op.getInitMap());
  rhs = flattenRow(op.getRhs());
  sums = flattenRow(op.getSums());
  if (op.getBias())
    bias = flattenRow(op.getBias());
  sizes = cast<IntegerFormOpInterface>(op.getOperation())
              .getLoopSizes(builder, op.getLoc());

  // Taps in the order of the panels: the last dimension is the innermost.
  tapOffsets.assign(1, 0);
  for (int64_t dim : layout.getReduction()) {
    unsigned loop = op.getRhsMap().getDimPosition(dim);
    SmallVector<int64_t> outer = std::move(tapOffsets);
    tapOffsets.clear();
    for (int64_t base : outer)
      for (int64_t i = 0; i < loops.sizes[loop]; ++i)
        tapOffsets.push_back(base + i * loops.lhsStrides[loop].value_or(0));
  }
  groups = llvm::divideCeil(int64_t(tapOffsets.size()), group);
  placeMultipliers();

  int64_t channels = loops.sizes[channel];
  int64_t panelBytes = groups * panel * group;
  int64_t wide = group == 4 && panel % (4 * lanes) == 0 ? 4 : 1;
  // A panel whose channels all exist, and the last one.
  auto buildPanel = [&](Value firstChannel, Value bytes, int64_t valid) {
    for (int64_t done = 0; done < valid;) {
      int64_t registers = valid - done >= wide * lanes ? wide : 1;
      int64_t count = std::min(valid - done, registers * lanes);
      buildChannels(at(firstChannel, done), at(bytes, done * group), registers,
                    count);
      done += registers * lanes;
    }
  };
  int64_t whole = channels / panel;
  if (whole > 0)
    kernel.forLoop(builder.getIndexAttr(whole), [&](Value iv) {
      buildPanel(kernel.index(kernel.mul(iv, builder.getIndexAttr(panel))),
                 kernel.index(kernel.mul(iv, builder.getIndexAttr(panelBytes))),
                 panel);
    });
  if (channels % panel != 0)
    buildPanel(kernel.index(whole * panel), kernel.index(whole * panelBytes),
               channels % panel);
}

namespace {

/// quant.contract whose loops of lhs and rhs are channels
///
///   weights, starts = vector.load …              // bias - zx * sums
///   scf.for %h, %w {
///     %acc = starts
///     for each four taps:
///       %codes = interleave(vector.load %x[%h * s + i, %w * s + j, c])
///       %acc = vpdpbusd %acc, %codes, weights
///     vector.store clamp(R(f32(%acc) * m) + z), %y[%h, %w, c]
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
    std::optional<LayoutAttr> layout = op.getLayout();
    if (!layout || !op.getSums() || op.getPadding() ||
        layout->getGroup() != target.getDepthwiseGroup() ||
        layout->getRun() != int64_t(layout->getReduction().size()))
      return rewriter.notifyMatchFailure(
          op, "is not packed for the target, or still padded");
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

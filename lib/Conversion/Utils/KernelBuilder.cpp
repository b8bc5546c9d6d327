//===- KernelBuilder.cpp - What kernels are written with ------------------===//

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/STLExtras.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value KernelBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value KernelBuilder::index(OpFoldResult value) {
  return getValueOrCreateConstantIndexOp(builder, loc, value);
}

OpFoldResult KernelBuilder::add(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return builder.getIndexAttr(*x + *y);
  if (x == 0)
    return b;
  if (y == 0)
    return a;
  return arith::AddIOp::create(builder, loc, index(a), index(b)).getResult();
}

OpFoldResult KernelBuilder::mul(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return builder.getIndexAttr(*x * *y);
  if (x == 0 || y == 1)
    return a;
  if (y == 0 || x == 1)
    return b;
  return arith::MulIOp::create(builder, loc, index(a), index(b)).getResult();
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

FlatOperand KernelBuilder::flatten(Value buffer, AffineMap map,
                                   ArrayRef<int64_t> padding) {
  return flatten(buffer, map, padding, /*isWhole=*/false);
}

/// By loop, what strides are multiples of: in row-major order, the sizes of
/// inner dimensions; `ofSizes` where they are not known.
static SmallVector<int64_t> findMultiples(MemRefType type, AffineMap map,
                                          ArrayRef<int64_t> ofSizes) {
  SmallVector<int64_t> result(map.getNumDims(), 0);
  bool isRowMajor = type.getLayout().isIdentity();
  int64_t multiple = 1;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    LinearExpr linear = *getLinearExpr(map.getResult(dim), map.getNumDims());
    for (auto [loop, factor] : llvm::enumerate(linear.factors))
      if (factor != 0)
        result[loop] =
            std::gcd(result[loop], isRowMajor ? factor * multiple : 1);
    auto loop = dyn_cast<AffineDimExpr>(map.getResult(dim));
    if (!type.isDynamicDim(dim))
      multiple *= type.getDimSize(dim);
    else if (loop && !ofSizes.empty())
      multiple *= ofSizes[loop.getPosition()];
  }
  return result;
}

FlatOperand KernelBuilder::flattenWhole(Value buffer, AffineMap map,
                                        ArrayRef<int64_t> padding,
                                        ArrayRef<int64_t> multiples) {
  FlatOperand operand = flatten(buffer, map, padding, /*isWhole=*/true);
  // A padded dimension is smaller than its loop.
  if (!padding.empty())
    multiples = {};
  operand.multiples =
      findMultiples(cast<MemRefType>(buffer.getType()), map, multiples);
  return operand;
}

FlatOperand KernelBuilder::flatten(Value buffer, AffineMap map,
                                   ArrayRef<int64_t> padding, bool isWhole) {
  auto type = cast<MemRefType>(buffer.getType());
  auto metadata =
      memref::ExtractStridedMetadataOp::create(builder, loc, buffer);
  SmallVector<OpFoldResult> strides = metadata.getConstifiedMixedStrides();
  SmallVector<OpFoldResult> sizes = metadata.getConstifiedMixedSizes();
  OpFoldResult offset = metadata.getConstifiedMixedOffset();

  FlatOperand operand;
  operand.element = type.getElementType();
  operand.start = builder.getIndexAttr(0);
  OpFoldResult extent = builder.getIndexAttr(1);
  operand.strides.assign(map.getNumDims(), builder.getIndexAttr(0));
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    extent = add(extent,
                 mul(strides[dim], add(sizes[dim], builder.getIndexAttr(-1))));
    LinearExpr linear = *getLinearExpr(expr, map.getNumDims());
    for (auto [loop, factor] : llvm::enumerate(linear.factors))
      if (factor != 0)
        operand.strides[loop] =
            add(operand.strides[loop],
                mul(strides[dim], builder.getIndexAttr(factor)));
    int64_t begin = linear.constant - (padding.empty() ? 0 : padding[2 * dim]);
    operand.start =
        add(operand.start, mul(strides[dim], builder.getIndexAttr(begin)));
  }
  MemRefLayoutAttrInterface layout;
  if (isWhole) {
    operand.start = add(operand.start, offset);
    extent = add(extent, offset);
    offset = builder.getIndexAttr(0);
  } else {
    layout =
        StridedLayoutAttr::get(builder.getContext(), ShapedType::kDynamic, {1});
    offset = index(offset);
  }
  auto flat = MemRefType::get({ShapedType::kDynamic}, type.getElementType(),
                              layout, type.getMemorySpace());
  operand.base = memref::ReinterpretCastOp::create(
      builder, loc, flat, metadata.getBaseBuffer(), offset,
      ArrayRef<OpFoldResult>(OpFoldResult(index(extent))),
      ArrayRef<OpFoldResult>(OpFoldResult(builder.getIndexAttr(1))));
  return operand;
}

Value KernelBuilder::address(const FlatOperand &operand, ArrayRef<Value> ivs) {
  OpFoldResult sum = operand.start;
  for (auto [stride, iv] : llvm::zip_equal(operand.strides, ivs))
    if (iv)
      sum = add(sum, mul(iv, stride));
  return index(sum);
}

Value KernelBuilder::load(const FlatOperand &operand, Value index,
                          int64_t lanes, int64_t stride) {
  auto type = VectorType::get({lanes}, operand.element);
  if (stride == 0 && lanes != 1) {
    Value element =
        memref::LoadOp::create(builder, loc, operand.base, ValueRange(index));
    return vector::BroadcastOp::create(builder, loc, type, element);
  }
  return vector::LoadOp::create(builder, loc, type, operand.base,
                                ValueRange(index));
}

void KernelBuilder::store(const FlatOperand &operand, Value index,
                          Value vector) {
  vector::StoreOp::create(builder, loc, vector, operand.base,
                          ValueRange(index));
}

Value KernelBuilder::maskFirst(int64_t lanes, OpFoldResult count) {
  auto type = VectorType::get({lanes}, builder.getI1Type());
  if (std::optional<int64_t> known = getConstantIntValue(count))
    return vector::ConstantMaskOp::create(builder, loc, type,
                                          ArrayRef<int64_t>(*known));
  return vector::CreateMaskOp::create(builder, loc, type,
                                      ValueRange(index(count)));
}

Value KernelBuilder::loadFirst(const FlatOperand &operand, Value index,
                               int64_t lanes, OpFoldResult count) {
  auto type = VectorType::get({lanes}, operand.element);
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return vector::MaskedLoadOp::create(builder, loc, type, operand.base,
                                      ValueRange(index),
                                      maskFirst(lanes, count), zero);
}

void KernelBuilder::storeFirst(const FlatOperand &operand, Value index,
                               Value vector, OpFoldResult count) {
  // Not under a mask of one bit, where LLVM 22 stores four bytes for one that
  // was truncated.
  if (getConstantIntValue(count) == 1)
    return store(operand, index,
                 vector::ExtractStridedSliceOp::create(
                     builder, loc, vector, ArrayRef<int64_t>(0),
                     ArrayRef<int64_t>(1), ArrayRef<int64_t>(1)));
  int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
  vector::MaskedStoreOp::create(builder, loc, operand.base, ValueRange(index),
                                maskFirst(lanes, count), vector);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void KernelBuilder::forLoop(OpFoldResult size, LoopBody body) {
  if (getConstantIntValue(size) == 1)
    return body(index(0));
  auto loop = scf::ForOp::create(builder, loc, index(0), index(size), index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void KernelBuilder::forNest(ArrayRef<OpFoldResult> sizes,
                            llvm::function_ref<void(ValueRange)> body) {
  SmallVector<Value> ivs;
  std::function<void()> nest = [&] {
    if (ivs.size() == sizes.size())
      return body(ivs);
    forLoop(sizes[ivs.size()], [&](Value iv) {
      ivs.push_back(iv);
      nest();
      ivs.pop_back();
    });
  };
  nest();
}

SmallVector<Value> KernelBuilder::forCarry(
    OpFoldResult from, OpFoldResult to, ValueRange inits,
    llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  std::optional<int64_t> low = getConstantIntValue(from),
                         high = getConstantIntValue(to);
  if (low && high && *high - *low == 1)
    return body(index(from), inits);
  auto loop =
      scf::ForOp::create(builder, loc, index(from), index(to), index(1), inits);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> values =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  // Without values the loop has its end already.
  if (!values.empty())
    scf::YieldOp::create(builder, loc, values);
  return loop.getResults();
}

void KernelBuilder::forPieces(OpFoldResult size, int64_t lanes,
                              llvm::function_ref<void(Value, int64_t)> body) {
  std::optional<int64_t> known = getConstantIntValue(size);
  auto loop = [&](Value from, Value to, int64_t step) {
    auto op = scf::ForOp::create(builder, loc, from, to, index(step));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(op.getBody());
    body(op.getInductionVar(), step);
  };
  if (!known) {
    Value whole = index(0);
    if (lanes > 1) {
      Value count = index(size);
      Value rest = arith::RemUIOp::create(builder, loc, count, index(lanes));
      whole = arith::SubIOp::create(builder, loc, count, rest);
      loop(index(0), whole, lanes);
    }
    return loop(whole, index(size), 1);
  }
  int64_t done = 0;
  if (int64_t whole = *known / lanes; whole > 1) {
    loop(index(0), index(whole * lanes), lanes);
    done = whole * lanes;
  }
  for (; lanes >= 1; lanes /= 2)
    for (; *known - done >= lanes; done += lanes)
      body(index(done), lanes);
}

Value KernelBuilder::constant(StringRef name, DenseElementsAttr data) {
  auto module =
      builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  auto type = MemRefType::get(data.getType().getShape(), data.getElementType());
  memref::GlobalOp global;
  for (auto other : module.getOps<memref::GlobalOp>())
    if (other.getConstant() && other.getType() == type &&
        other.getInitialValue() == Attribute(data))
      global = other;
  if (!global) {
    OpBuilder free(module.getContext());
    global = memref::GlobalOp::create(
        free, loc, name, free.getStringAttr("private"), type, data,
        /*constant=*/true, free.getI64IntegerAttr(64));
    SymbolTable(module).insert(global, module.getBody()->begin());
  }
  return memref::GetGlobalOp::create(builder, loc, type, global.getSymName());
}

SmallVector<MergedLoop>
KernelBuilder::mergeLoops(ArrayRef<unsigned> order,
                          ArrayRef<OpFoldResult> sizes,
                          ArrayRef<const FlatOperand *> operands) {
  auto goesOn = [&](unsigned loop, const MergedLoop &inner) {
    std::optional<int64_t> size = getConstantIntValue(inner.size);
    return size && llvm::all_of(operands, [&](const FlatOperand *operand) {
             std::optional<int64_t> a = operand->getStride(loop),
                                    b = operand->getStride(inner.loop);
             return a && b && *a == *b * *size;
           });
  };
  SmallVector<MergedLoop> merged;
  for (unsigned loop : llvm::reverse(order)) {
    if (getConstantIntValue(sizes[loop]) == 1)
      continue;
    if (!merged.empty() && goesOn(loop, merged.back()))
      merged.back().size = mul(sizes[loop], merged.back().size);
    else
      merged.push_back({loop, sizes[loop]});
  }
  std::reverse(merged.begin(), merged.end());
  return merged;
}

SmallVector<unsigned> quant_mlir::orderLoops(const FlatOperand &result,
                                             ArrayRef<unsigned> loops) {
  SmallVector<unsigned> order(loops);
  auto stride = [&](unsigned loop) {
    return result.getStride(loop).value_or(std::numeric_limits<int64_t>::max());
  };
  llvm::stable_sort(
      order, [&](unsigned a, unsigned b) { return stride(a) > stride(b); });
  return order;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value quant_mlir::buildRequantize(const ElementArith &arith, Value value,
                                  int32_t zeroPoint,
                                  numerics::CodeRange range) {
  value = buildClamp(arith, value, arith.floatConstant(range.min - zeroPoint),
                     arith.floatConstant(range.max - zeroPoint));
  // The low bits of v + 1.5 * 2^23 are those of R(v): its own bits end in
  // zeros.
  value = arith.addf(value, arith.floatConstant(0x1.8p23));
  Value bits = arith.bitcast(arith.intType(32), value);
  Value code = arith.cast<arith::TruncIOp>(arith.intType(8), bits);
  return zeroPoint == 0 ? code
                        : arith.add(code, static_cast<int8_t>(zeroPoint));
}

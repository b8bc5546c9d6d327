//===- TapModule.cpp - Two models as one function with taps ---------------===//
//
// Both bodies are copied operation by operation, each as far as the next pair
// needs it. The local value of a pair is a third copy: of what lies between the
// pair and the values before it that the models share, which are replaced by
// the reference's.
//
//   %q = dequantize(%codes)        %f = <the reference's>
//   %y = matmul(%q, %w)            %local = matmul(%f, %w)
//   %z = dequantize(quantize(%y))  tap(…, dequantize(quantize(%local)))
//
// Where codes pass an operation that has no counterpart in floating point, the
// clean values are quantized first: then their rounding is part of the local
// error.
//
//===----------------------------------------------------------------------===//

#include "TapModule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace quant_mlir;

const llvm::StringLiteral quant_mlir::tapName = "quant_mlir_error_tap";
const llvm::StringLiteral quant_mlir::tapEntry = "quant_mlir_error_report";

namespace {

/// Copies the operations of a function one after the other.
class BodyCopy {
public:
  BodyCopy(func::FuncOp function, OpBuilder &builder)
      : builder(builder), next(function.front().begin()) {}

  void map(Value from, Value to) { mapping.map(from, to); }
  /// The copy of `value`; copies as far as needed.
  Value get(Value value) {
    while (!mapping.contains(value)) {
      Operation &op = *next++;
      builder.clone(op, mapping);
    }
    return mapping.lookup(value);
  }
  Value getIfAny(Value value) { return value ? get(value) : Value(); }

private:
  OpBuilder &builder;
  Block::iterator next;
  IRMapping mapping;
};

class TapBuilder {
public:
  TapBuilder(func::FuncOp quantized, func::FuncOp reference,
             const ModelPairs &pairs, func::FuncOp tap, OpBuilder &builder)
      : builder(builder), pairs(pairs), tap(tap),
        activations(getActivations(quantized)),
        quantizedBody(quantized, builder), referenceBody(reference, builder) {
    for (const ValuePair &pair : pairs.values)
      shared.insert(pair.quantized);
  }

  void mapArguments(func::FuncOp quantized, func::FuncOp reference,
                    Block &entry);
  void emit(const ValuePair &pair, int64_t index, int64_t &weightIndex);
  void emit(const OutputPair &output);

private:
  Value convert(Value value, Type type);
  Value dequantize(Value codes, Value scale, Value zeroPoint, AffineAttr params,
                   Type like);
  Value emitLocal(const ValuePair &pair);
  bool isShared(Value value);
  Value toFloat(Value tensor);
  Value toMemref(Value tensor);
  void call(TapKind kind, int64_t index, ArrayRef<Value> tensors);

  OpBuilder &builder;
  const ModelPairs &pairs;
  func::FuncOp tap;
  llvm::DenseSet<Value> activations;
  /// Values of the quantized model that the reference has too.
  llvm::DenseSet<Value> shared;
  int64_t numViews = 0;
  BodyCopy quantizedBody, referenceBody;
  Location loc = builder.getUnknownLoc();
};

} // namespace

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// To a tensor type whose shape is compatible and whose elements are another
/// floating-point type.
Value TapBuilder::convert(Value value, Type type) {
  auto from = cast<RankedTensorType>(value.getType());
  auto to = cast<RankedTensorType>(type);
  unsigned width = from.getElementTypeBitWidth();
  Type element = to.getElementType();
  auto cast = [&](auto tag) {
    using OpTy = decltype(tag);
    value = OpTy::create(builder, loc, from.clone(element), value).getResult();
  };
  if (from.getElementType() != element) {
    // f16 and bf16 meet in f32.
    if (width == to.getElementTypeBitWidth()) {
      value = arith::ExtFOp::create(builder, loc,
                                    from.clone(builder.getF32Type()), value);
      width = 32;
    }
    if (width < to.getElementTypeBitWidth())
      cast(arith::ExtFOp());
    else
      cast(arith::TruncFOp());
  }
  if (value.getType() != to)
    value = tensor::CastOp::create(builder, loc, to, value);
  return value;
}

Value TapBuilder::dequantize(Value codes, Value scale, Value zeroPoint,
                             AffineAttr params, Type like) {
  auto type =
      cast<RankedTensorType>(codes.getType()).clone(getElementTypeOrSelf(like));
  return DequantizeOp::create(builder, loc, type, codes, scale, zeroPoint,
                              params);
}

Value TapBuilder::toFloat(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Type f32 = builder.getF32Type();
  if (type.getElementType().isInteger())
    return arith::SIToFPOp::create(builder, loc, type.clone(f32), tensor);
  if (type.getElementType() != f32)
    return arith::ExtFOp::create(builder, loc, type.clone(f32), tensor);
  return tensor;
}

/// A view of the tensor as it lies in memory; the callee only reads.
/// Bufferization takes the tensor as read here, so this stands next to the
/// call: with a number of its own, so that it is not replaced by an earlier
/// one, behind which the memory may hold something else by then.
Value TapBuilder::toMemref(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  auto layout = StridedLayoutAttr::get(builder.getContext(),
                                       ShapedType::kDynamic, strides);
  auto memref = bufferization::ToBufferOp::create(
      builder, loc,
      MemRefType::get(type.getShape(), type.getElementType(), layout), tensor,
      /*read_only=*/true);
  memref->setAttr("quant.tap", builder.getI64IntegerAttr(numViews++));
  return memref::CastOp::create(
      builder, loc, UnrankedMemRefType::get(type.getElementType(), {}), memref);
}

void TapBuilder::call(TapKind kind, int64_t index, ArrayRef<Value> tensors) {
  SmallVector<Value> operands;
  for (int64_t number : {static_cast<int64_t>(kind), index})
    operands.push_back(arith::ConstantOp::create(
        builder, loc, builder.getI64IntegerAttr(number)));
  SmallVector<Value> floats;
  for (Value tensor : tensors)
    floats.push_back(toFloat(tensor));
  for (Value tensor : floats)
    operands.push_back(toMemref(tensor));
  func::CallOp::create(builder, loc, tap, operands);
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

void TapBuilder::mapArguments(func::FuncOp quantized, func::FuncOp reference,
                              Block &entry) {
  for (auto [q, f, argument] :
       llvm::zip(quantized.getArguments(), reference.getArguments(),
                 entry.getArguments())) {
    quantizedBody.map(q, argument);
    Value clean = argument;
    if (getElementTypeOrSelf(q) != getElementTypeOrSelf(f))
      clean = dequantize(argument, Value(), Value(),
                         getArgumentParams(quantized, q.getArgNumber()),
                         f.getType());
    if (clean.getType() != f.getType())
      clean = tensor::CastOp::create(builder, loc, f.getType(), clean);
    referenceBody.map(f, clean);
  }
}

/// Whether a local value starts here, from the reference's value.
bool TapBuilder::isShared(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (!dequantize && !shared.contains(value))
    return false;
  Value other = pairs.counterparts.lookup(value);
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return other && type && isa<FloatType>(getElementTypeOrSelf(other)) &&
         isa<FloatType>(type.getElementType()) &&
         succeeded(verifyCompatibleShape(type, other.getType()));
}

Value TapBuilder::emitLocal(const ValuePair &pair) {
  IRMapping mapping;
  SmallVector<Operation *> ops;
  llvm::DenseSet<Operation *> seen;
  SmallVector<Value> worklist;
  auto addOp = [&](Operation *op) {
    if (!seen.insert(op).second)
      return;
    ops.push_back(op);
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    llvm::append_range(worklist, op->getOperands());
    llvm::append_range(worklist, captured);
  };
  if (pair.quantize)
    addOp(pair.quantize);
  else
    worklist.push_back(pair.quantized);
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    if (mapping.contains(value))
      continue;
    bool isOwn = value == pair.quantized;
    if (!isOwn && activations.contains(value) && isShared(value))
      mapping.map(value,
                  convert(referenceBody.get(pairs.counterparts.lookup(value)),
                          value.getType()));
    else if (!activations.contains(value) || isa<BlockArgument>(value))
      mapping.map(value, quantizedBody.get(value));
    else
      addOp(value.getDefiningOp());
  }
  llvm::sort(ops,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  for (Operation *op : ops)
    builder.clone(*op, mapping);
  if (!pair.quantize)
    return mapping.lookup(pair.quantized);
  QuantizeOp quantize = pair.quantize;
  return dequantize(mapping.lookup(quantize.getOutput()),
                    mapping.lookupOrNull(quantize.getScale()),
                    mapping.lookupOrNull(quantize.getZeroPoint()),
                    quantize.getParams(), pair.quantized.getType());
}

void TapBuilder::emit(const ValuePair &pair, int64_t index,
                      int64_t &weightIndex) {
  loc = pair.quantized.getLoc();
  Value reference = referenceBody.get(pair.reference);
  Value input = quantizedBody.get(pair.quantized);
  Value found = input;
  if (QuantizeOp quantize = pair.quantize) {
    Value codes = quantizedBody.get(quantize.getOutput());
    Value scale = quantizedBody.getIfAny(quantize.getScale());
    Value zeroPoint = quantizedBody.getIfAny(quantize.getZeroPoint());
    found = dequantize(codes, scale, zeroPoint, quantize.getParams(),
                       pair.quantized.getType());
    if (quantize.getParams().getStorage() != numerics::StorageType::Int32)
      call(TapKind::Codes, index,
           {input, scale ? scale : input, zeroPoint ? zeroPoint : input});
  }
  call(TapKind::Value, index, {reference, found, emitLocal(pair)});

  for (WeightPair weight : pair.weights) {
    // Codes as the numbers they are: scale 1, no offset.
    AffineAttr params = weight.dequantize.getParams();
    auto one = DenseElementsAttr::get(
        RankedTensorType::get({}, builder.getF32Type()), 1.0f);
    auto plain = AffineAttr::get(builder.getContext(), params.getStorage(),
                                 params.getQuantMin(), params.getQuantMax(),
                                 PerTensorAttr::get(builder.getContext()), one,
                                 /*zeroPoint=*/nullptr, /*minval=*/nullptr);
    Value codes = dequantize(quantizedBody.get(weight.dequantize.getInput()),
                             Value(), Value(), plain, builder.getF32Type());
    call(TapKind::Weight, weightIndex++,
         {referenceBody.get(weight.reference),
          quantizedBody.get(weight.quantized), codes});
  }
}

void TapBuilder::emit(const OutputPair &output) {
  loc = output.quantized.getLoc();
  Value found = quantizedBody.get(output.quantized);
  if (QuantizeOp quantize = output.quantize)
    found = dequantize(found, quantizedBody.getIfAny(quantize.getScale()),
                       quantizedBody.getIfAny(quantize.getZeroPoint()),
                       quantize.getParams(), quantize.getInput().getType());
  else if (output.params)
    found = dequantize(found, Value(), Value(), output.params,
                       output.reference.getType());
  Value reference = referenceBody.get(output.reference);
  call(TapKind::Output, output.index, {reference, found, found});
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

/// Moves all symbols of the functions' modules but the functions themselves.
static void takeSymbols(func::FuncOp quantized, func::FuncOp reference,
                        ModuleOp target) {
  SymbolTable targetSymbols(target);
  for (func::FuncOp function : {quantized, reference}) {
    auto source = function->getParentOfType<ModuleOp>();
    SymbolTable symbols(source);
    for (Operation &op : llvm::make_early_inc_range(*source.getBody())) {
      if (&op == function || !isa<SymbolOpInterface>(op))
        continue;
      if (targetSymbols.lookup(SymbolTable::getSymbolName(&op)))
        (void)symbols.renameToUnique(&op, {&targetSymbols});
      op.remove();
      targetSymbols.insert(&op);
    }
  }
}

OwningOpRef<ModuleOp> quant_mlir::buildTapModule(func::FuncOp quantized,
                                                 func::FuncOp reference,
                                                 const ModelPairs &pairs,
                                                 ArrayRef<OutputPair> outputs) {
  MLIRContext *context = quantized.getContext();
  context->loadDialect<arith::ArithDialect, bufferization::BufferizationDialect,
                       func::FuncDialect, memref::MemRefDialect,
                       tensor::TensorDialect>();
  OwningOpRef<ModuleOp> module(ModuleOp::create(quantized.getLoc()));
  OpBuilder builder(context);
  builder.setInsertionPointToStart(module->getBody());
  Type i64 = builder.getI64Type();
  Type data = UnrankedMemRefType::get(builder.getF32Type(), {});
  auto tap = func::FuncOp::create(
      builder, quantized.getLoc(), tapName,
      builder.getFunctionType({i64, i64, data, data, data}, {}));
  tap.setPrivate();
  tap->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
               builder.getUnitAttr());
  auto entry = func::FuncOp::create(
      builder, quantized.getLoc(), tapEntry,
      builder.getFunctionType(quantized.getArgumentTypes(), {}));
  takeSymbols(quantized, reference, *module);
  // What the codes of an argument mean, for messages to who gives them.
  for (unsigned index = 0; index < quantized.getNumArguments(); ++index)
    if (Attribute params = quantized.getArgAttr(index, boundaryParamsAttrName))
      entry.setArgAttr(index, boundaryParamsAttrName, params);

  Block *block = entry.addEntryBlock();
  builder.setInsertionPointToStart(block);
  TapBuilder taps(quantized, reference, pairs, tap, builder);
  taps.mapArguments(quantized, reference, *block);
  int64_t weightIndex = 0;
  for (auto [index, pair] : llvm::enumerate(pairs.values))
    taps.emit(pair, index, weightIndex);
  for (const OutputPair &output : outputs)
    taps.emit(output);
  func::ReturnOp::create(builder, entry.getLoc());
  return module;
}

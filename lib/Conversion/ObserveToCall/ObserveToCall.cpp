//===- ObserveToCall.cpp - Observers become calls -------------------------===//
//
//   %o = quant.observe %x "a" <int8, symmetric> : tensor<4x8xf32>
//     becomes, and %o becomes %x:
//   %m = bufferization.to_buffer %x read_only
//       : tensor<4x8xf32> to memref<4x8xf32, strided<[?, ?], offset: ?>>
//   %d = memref.cast %m : … to memref<?x?xf32, strided<[?, ?], offset: ?>>
//   call @quant_observe_f32_rank2(%number, %channels, %d)
//
// The tensor is only read, so that bufferization has no reason to copy it. The
// call goes through a function per rank, whose frame the descriptor of the
// unranked memref lives in: in a loop, one more on the caller's stack per
// iteration would overflow it.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/ObserveToCall/ObserveToCall.h"

#include "quant-mlir/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "llvm/ADT/MapVector.h"

namespace quant_mlir {
#define GEN_PASS_DEF_OBSERVETOCALLPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

FailureOr<SmallVector<ObserverInfo>>
quant_mlir::collectObservers(ModuleOp module) {
  llvm::MapVector<StringAttr, ObserverInfo> infos;
  WalkResult result = module->walk([&](ObserveOp op) {
    if (!op.needsData())
      return WalkResult::advance();
    if (isa<PerBlockAttr>(op.getSpec().getGranularity())) {
      op.emitOpError() << "has no statistics per block: expected per_tensor or "
                          "per_channel, found "
                       << op.getSpec().getGranularity();
      return WalkResult::interrupt();
    }
    auto [it, isNew] = infos.insert(
        {op.getIdAttr(), {op.getIdAttr(), op.getSpec(), op.getLoc()}});
    if (isNew || it->second.spec == op.getSpec())
      return WalkResult::advance();
    InFlightDiagnostic error =
        op.emitOpError() << "of " << op.getIdAttr() << " asks for "
                         << op.getSpec() << ", expected what others of "
                         << "that id ask for: they share their statistics";
    error.attachNote(it->second.loc) << "which is " << it->second.spec;
    return WalkResult::interrupt();
  });
  if (result.wasInterrupted())
    return failure();
  return llvm::map_to_vector(infos, [](auto &entry) { return entry.second; });
}

namespace {
struct ObserveToCallPass
    : public quant_mlir::impl::ObserveToCallPassBase<ObserveToCallPass> {
  void runOnOperation() override;

private:
  FailureOr<func::FuncOp> getRuntimeFunction(Location loc, Type element);
  FailureOr<func::FuncOp> getRankFunction(Location loc, Type element,
                                          int64_t rank);
  LogicalResult lower(ObserveOp op, int64_t number);

  int64_t nextCall = 0;
  /// By element type and rank.
  llvm::DenseMap<std::pair<Type, int64_t>, func::FuncOp> rankFunctions;
};
} // namespace

static std::string getRuntimeName(Type element) {
  std::string name;
  llvm::raw_string_ostream(name) << "quant_observe_" << element;
  return name;
}

/// What every buffer of a rank can be cast to.
static MemRefType getStridedType(ArrayRef<int64_t> shape, Type element) {
  SmallVector<int64_t> strides(shape.size(), ShapedType::kDynamic);
  return MemRefType::get(shape, element,
                         StridedLayoutAttr::get(element.getContext(),
                                                ShapedType::kDynamic, strides));
}

FailureOr<func::FuncOp> ObserveToCallPass::getRuntimeFunction(Location loc,
                                                              Type element) {
  ModuleOp module = getOperation();
  std::string name = getRuntimeName(element);
  Builder builder(&getContext());
  Type i64 = builder.getI64Type();
  auto type = builder.getFunctionType(
      {i64, i64, UnrankedMemRefType::get(element, {})}, {});
  if (Operation *existing = SymbolTable::lookupSymbolIn(module, name)) {
    auto function = dyn_cast<func::FuncOp>(existing);
    if (function && function.isDeclaration() &&
        function.getFunctionType() == type)
      return function;
    return existing->emitError()
           << "has the name of a function of the calibration run time; "
              "expected its declaration, "
           << type << ", or another name";
  }
  auto function = func::FuncOp::create(loc, name, type);
  function.setPrivate();
  module.insert(module.getBody()->begin(), function);
  return function;
}

FailureOr<func::FuncOp>
ObserveToCallPass::getRankFunction(Location loc, Type element, int64_t rank) {
  func::FuncOp &function = rankFunctions[{element, rank}];
  if (function)
    return function;
  FailureOr<func::FuncOp> callee = getRuntimeFunction(loc, element);
  if (failed(callee))
    return failure();
  OpBuilder builder(&getContext());
  Type i64 = builder.getI64Type();
  SmallVector<int64_t> shape(rank, ShapedType::kDynamic);
  auto type =
      builder.getFunctionType({i64, i64, getStridedType(shape, element)}, {});
  std::string name = getRuntimeName(element) + "_rank" + std::to_string(rank);
  function = func::FuncOp::create(loc, name, type);
  function.setPrivate();
  function.setNoInline(true);
  SymbolTable(getOperation()).insert(function);

  builder.setInsertionPointToStart(function.addEntryBlock());
  Value memref =
      memref::CastOp::create(builder, loc, UnrankedMemRefType::get(element, {}),
                             function.getArgument(2));
  func::CallOp::create(
      builder, loc, *callee,
      ValueRange{function.getArgument(0), function.getArgument(1), memref});
  func::ReturnOp::create(builder, loc);
  return function;
}

LogicalResult ObserveToCallPass::lower(ObserveOp op, int64_t number) {
  auto type = cast<RankedTensorType>(op.getInput().getType());
  if (SymbolTable::getNearestSymbolTable(op) != getOperation())
    return op.emitOpError("is in a module inside the module: expected "
                          "observers in functions of the outermost one");
  uint64_t channels = 0;
  if (auto granularity =
          dyn_cast<PerChannelAttr>(op.getSpec().getGranularity()))
    for (int64_t axis : granularity.getAxes()) {
      if (axis >= 64)
        return op.emitOpError("has channels in dimension ")
               << axis << ": expected one of the first 64";
      channels |= uint64_t(1) << axis;
    }
  FailureOr<func::FuncOp> callee =
      getRankFunction(op.getLoc(), type.getElementType(), type.getRank());
  if (failed(callee))
    return failure();

  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto buffer = bufferization::ToBufferOp::create(
      builder, loc, getStridedType(type.getShape(), type.getElementType()),
      op.getInput(), /*read_only=*/true);
  // Two of one tensor must stay two: merged, the second call would read after
  // the only read that bufferization knows of.
  buffer->setDiscardableAttr("quant.call",
                             builder.getI64IntegerAttr(nextCall++));
  Value memref = buffer;
  Type wanted = callee->getArgumentTypes()[2];
  if (memref.getType() != wanted)
    memref = memref::CastOp::create(builder, loc, wanted, memref);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getI64IntegerAttr(value));
  };
  func::CallOp::create(builder, loc, *callee,
                       ValueRange{constant(number),
                                  constant(static_cast<int64_t>(channels)),
                                  memref});
  ++numCalls;
  return success();
}

void ObserveToCallPass::runOnOperation() {
  ModuleOp module = getOperation();
  rankFunctions.clear();
  nextCall = 0;
  FailureOr<SmallVector<ObserverInfo>> observers = collectObservers(module);
  if (failed(observers))
    return signalPassFailure();
  llvm::DenseMap<StringAttr, int64_t> numbers;
  SmallVector<Attribute> ids;
  for (const auto &[number, observer] : llvm::enumerate(*observers)) {
    numbers[observer.id] = number;
    ids.push_back(observer.id);
  }

  SmallVector<ObserveOp> ops;
  module->walk([&](ObserveOp op) { ops.push_back(op); });
  for (ObserveOp op : ops) {
    if (op.needsData() && failed(lower(op, numbers.lookup(op.getIdAttr()))))
      return signalPassFailure();
    op.replaceAllUsesWith(op.getInput());
    op.erase();
  }
  if (!ops.empty())
    module->setAttr(observersAttrName, ArrayAttr::get(&getContext(), ids));
}

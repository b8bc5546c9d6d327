//===- LaunchToRuntime.cpp - Launches as calls of a run time --------------===//
//
// The interface is runtime/include/quant-mlir-runtime/GPU.h, the same for all
// GPUs: nothing here knows what is in a binary.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/Utils/ModuleSymbols.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace quant_mlir {
#define GEN_PASS_DEF_LAUNCHTORUNTIMEPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;

namespace {

/// Whether a launch is what comes first from `op` on to the end of its block:
/// false where the host may look at memory before, nullopt where neither does.
std::optional<bool> beginsWithLaunch(Operation *op) {
  for (; op; op = op->getNextNode()) {
    if (isa<gpu::LaunchFuncOp>(op))
      return true;
    if (isMemoryEffectFree(op))
      continue;
    // A buffer that nobody has used.
    auto call = dyn_cast<LLVM::CallOp>(op);
    if (call && call.getCallee() == quant_mlir::takeArenaName)
      continue;
    auto branch = dyn_cast<scf::IfOp>(op);
    if (!branch)
      return false;
    bool launchesAlways = true;
    for (Region &way : branch->getRegions()) {
      std::optional<bool> first =
          way.empty() ? std::nullopt : beginsWithLaunch(&way.front().front());
      if (first == false)
        return false;
      launchesAlways &= first.has_value();
    }
    if (launchesAlways)
      return true;
  }
  return std::nullopt;
}

/// Whether another launch follows before the host looks at memory.
bool isFollowed(gpu::LaunchFuncOp launch) {
  for (Operation *op = launch;; op = op->getParentOp()) {
    if (std::optional<bool> first = beginsWithLaunch(op->getNextNode()))
      return *first;
    if (!isa<scf::IfOp>(op->getParentOp()))
      return false;
  }
}

/// Whether a buffer is, or is a part of, a constant of the module.
bool isConstant(Value buffer, SymbolTable &symbols) {
  while (Operation *producer = buffer.getDefiningOp()) {
    if (auto global = dyn_cast<memref::GetGlobalOp>(producer)) {
      auto symbol = symbols.lookup<memref::GlobalOp>(global.getName());
      return symbol && symbol.getConstant();
    }
    if (auto metadata = dyn_cast<memref::ExtractStridedMetadataOp>(producer))
      buffer = metadata.getSource();
    else if (auto view = dyn_cast<ViewLikeOpInterface>(producer))
      buffer = view.getViewSource();
    else
      return false;
  }
  return false;
}

class LaunchLowering {
public:
  LaunchLowering(ModuleOp module, StringRef runtime)
      : module(module), symbols(module), builder(module.getContext()),
        loc(module.getLoc()), runtime(runtime),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        i64(builder.getI64Type()), i32(builder.getI32Type()),
        none(LLVM::LLVMVoidType::get(module.getContext())) {}

  LogicalResult lower(gpu::LaunchFuncOp launch, bool isFollowed);
  void finish();

private:
  /// (text): ends the run where `text` is not null.
  LLVM::LLVMFuncOp getCheck();
  /// Bytes as a constant of the module.
  LLVM::GlobalOp addBytes(const Twine &name, StringRef bytes);
  /// The constant and the slot of a binary.
  struct Binary {
    LLVM::GlobalOp bytes, name, slot;
  };
  FailureOr<Binary *> getBinary(gpu::LaunchFuncOp launch);

  Value constant(int64_t value, Type type) {
    return LLVM::ConstantOp::create(builder, loc, type,
                                    builder.getIntegerAttr(type, value));
  }
  /// Room for `type` on the function's stack.
  Value allocate(gpu::LaunchFuncOp launch, Type type);
  void storeAt(Value array, Type type, ArrayRef<int32_t> position, Value value);
  Value toI64(Value number);

  ModuleOp module;
  quant_mlir::ModuleSymbols symbols;
  OpBuilder builder;
  Location loc;
  StringRef runtime;
  Type pointer, i64, i32, none;
  llvm::MapVector<Operation *, Binary> binaries;
  LLVM::LLVMFuncOp check;
};

} // namespace

LLVM::LLVMFuncOp LaunchLowering::getCheck() {
  if (check)
    return check;
  LLVM::LLVMFuncOp puts = symbols.declare("puts", none, pointer);
  LLVM::LLVMFuncOp flush = symbols.declare("fflush", none, pointer);
  LLVM::LLVMFuncOp abort = symbols.declare("abort", none, {});
  check = symbols.define("quant.check_launch", none, pointer);
  OpBuilder::InsertionGuard guard(builder);
  Location loc = check.getLoc();
  Block *entry = check.addEntryBlock(builder);
  Block *failed = builder.createBlock(&check.getBody());
  Block *done = builder.createBlock(&check.getBody());
  builder.setInsertionPointToEnd(entry);
  Value null = LLVM::ZeroOp::create(builder, loc, pointer);
  Value isFine = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                      entry->getArgument(0), null);
  LLVM::CondBrOp::create(builder, loc, isFine, done, ValueRange(), failed,
                         ValueRange());
  builder.setInsertionPointToEnd(failed);
  LLVM::CallOp::create(builder, loc, puts, entry->getArgument(0));
  // Ending so, a program would lose what is on its way to a pipe.
  LLVM::CallOp::create(builder, loc, flush, null);
  LLVM::CallOp::create(builder, loc, abort, ValueRange());
  LLVM::UnreachableOp::create(builder, loc);
  builder.setInsertionPointToEnd(done);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  return check;
}

LLVM::GlobalOp LaunchLowering::addBytes(const Twine &name, StringRef bytes) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size());
  auto global = LLVM::GlobalOp::create(
      builder, module.getLoc(), type, /*isConstant=*/true,
      LLVM::Linkage::Internal, name.str(), builder.getStringAttr(bytes),
      /*alignment=*/16);
  symbols.getTable().insert(global);
  return global;
}

FailureOr<LaunchLowering::Binary *>
LaunchLowering::getBinary(gpu::LaunchFuncOp launch) {
  StringRef name = launch.getKernelModuleName();
  auto binary = symbols.getTable().lookup<gpu::BinaryOp>(name);
  if (!binary || binary.getObjects().size() != 1)
    return launch.emitOpError()
           << "expected a gpu.binary of one object of the name " << name;
  auto [it, isNew] = binaries.insert({binary, Binary()});
  if (!isNew)
    return &it->second;
  auto object = cast<gpu::ObjectAttr>(binary.getObjects()[0]);
  // Names of C have no dot: no function of a model can be of that name.
  std::string prefix = "quant.kernel." + name.str();
  it->second.bytes = addBytes(prefix, object.getObject().getValue());
  std::string text = launch.getKernelName().str();
  text.push_back('\0');
  it->second.name = addBytes(prefix + ".name", text);
  it->second.slot = symbols.addSlot(prefix + ".slot");
  return &it->second;
}

Value LaunchLowering::allocate(gpu::LaunchFuncOp launch, Type type) {
  // In a loop, room at the launch would add up.
  OpBuilder::InsertionGuard guard(builder);
  auto function = launch->getParentOfType<FunctionOpInterface>();
  builder.setInsertionPointToStart(&function.getFunctionBody().front());
  return LLVM::AllocaOp::create(builder, loc, pointer, type, constant(1, i64));
}

void LaunchLowering::storeAt(Value array, Type type, ArrayRef<int32_t> position,
                             Value value) {
  SmallVector<LLVM::GEPArg> indices{0};
  indices.append(position.begin(), position.end());
  Value address =
      LLVM::GEPOp::create(builder, loc, pointer, type, array, indices);
  LLVM::StoreOp::create(builder, loc, value, address);
}

Value LaunchLowering::toI64(Value number) {
  Type type = number.getType();
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, i64, number);
  if (isa<FloatType>(type)) {
    type = builder.getIntegerType(type.getIntOrFloatBitWidth());
    number = arith::BitcastOp::create(builder, loc, type, number);
  }
  if (type == i64)
    return number;
  return arith::ExtUIOp::create(builder, loc, i64, number);
}

LogicalResult LaunchLowering::lower(gpu::LaunchFuncOp launch, bool isFollowed) {
  FailureOr<Binary *> found = getBinary(launch);
  if (failed(found))
    return failure();
  auto access = launch->getAttrOfType<DenseI32ArrayAttr>("quant.access");
  if (!access ||
      access.size() != static_cast<int64_t>(launch.getNumKernelOperands()))
    return launch.emitOpError()
           << "expected quant.access with a number for each operand";
  SmallVector<std::pair<Value, int32_t>> buffers;
  SmallVector<Value> numbers;
  for (auto [operand, how] :
       llvm::zip_equal(launch.getKernelOperands(), access.asArrayRef()))
    if (isa<MemRefType>(operand.getType()))
      buffers.emplace_back(operand, how);
    else
      numbers.push_back(operand);

  loc = launch.getLoc();
  builder.setInsertionPoint(launch);
  auto bufferType = LLVM::LLVMStructType::getLiteral(module.getContext(),
                                                     {pointer, i64, i32, i32});
  auto buffersType = LLVM::LLVMArrayType::get(bufferType, buffers.size());
  auto numbersType = LLVM::LLVMArrayType::get(i64, numbers.size());
  auto shapeType = LLVM::LLVMArrayType::get(i64, 8);
  Value bufferArray = allocate(launch, buffersType);
  Value numberArray = allocate(launch, numbersType);
  Value shape = allocate(launch, shapeType);
  gpu::KernelDim3 grid = launch.getGridSizeOperandValues(),
                  block = launch.getBlockSizeOperandValues();
  Value sizes[] = {grid.x, grid.y, grid.z, block.x, block.y, block.z};
  for (auto [i, size] : llvm::enumerate(sizes))
    storeAt(shape, shapeType, int32_t(i), toI64(size));
  Value sharedBytes = launch.getDynamicSharedMemorySize();
  storeAt(shape, shapeType, 6,
          sharedBytes ? toI64(sharedBytes) : constant(0, i64));
  storeAt(shape, shapeType, 7, constant(isFollowed, i64));
  for (auto [i, buffer] : llvm::enumerate(buffers)) {
    auto [value, how] = buffer;
    auto type = cast<MemRefType>(value.getType());
    Value address =
        memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, value);
    address = LLVM::IntToPtrOp::create(builder, loc, pointer, toI64(address));
    Value bytes = toI64(memref::DimOp::create(builder, loc, value, 0));
    int64_t width = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    bytes = arith::MulIOp::create(builder, loc, bytes, constant(width, i64));
    int32_t at = i;
    storeAt(bufferArray, buffersType, {at, 0}, address);
    storeAt(bufferArray, buffersType, {at, 1}, bytes);
    storeAt(bufferArray, buffersType, {at, 2}, constant(how, i32));
    storeAt(bufferArray, buffersType, {at, 3},
            constant(isConstant(value, symbols.getTable()), i32));
  }
  for (auto [i, number] : llvm::enumerate(numbers))
    storeAt(numberArray, numbersType, int32_t(i), toI64(number));

  LLVM::LLVMFuncOp call = symbols.declare(
      ("quant_" + runtime + "_launch").str(), pointer,
      {pointer, pointer, i64, pointer, pointer, i64, pointer, i64, pointer});
  auto addressOf = [&](LLVM::GlobalOp global) -> Value {
    return LLVM::AddressOfOp::create(builder, loc, global);
  };
  auto bytesType = cast<LLVM::LLVMArrayType>((*found)->bytes.getType());
  Value result =
      LLVM::CallOp::create(
          builder, loc, call,
          ValueRange{addressOf((*found)->slot), addressOf((*found)->bytes),
                     constant(bytesType.getNumElements(), i64),
                     addressOf((*found)->name), shape,
                     constant(buffers.size(), i64), bufferArray,
                     constant(numbers.size(), i64), numberArray})
          .getResult();
  LLVM::CallOp::create(builder, loc, getCheck(), result);
  launch->erase();
  return success();
}

void LaunchLowering::finish() {
  for (auto binary : llvm::to_vector(module.getOps<gpu::BinaryOp>()))
    binary->erase();
  module->removeAttr(gpu::GPUDialect::getContainerModuleAttrName());
  if (binaries.empty())
    return;
  LLVM::LLVMFuncOp release =
      symbols.declare(("quant_" + runtime + "_release").str(), none, pointer);
  symbols.addDestructor(
      "quant.release_kernels", [&](OpBuilder &builder, Location loc) {
        for (auto &[op, binary] : binaries) {
          Value slot = LLVM::AddressOfOp::create(builder, loc, binary.slot);
          LLVM::CallOp::create(builder, loc, release, slot);
        }
      });
}

namespace {
struct LaunchToRuntimePass
    : public quant_mlir::impl::LaunchToRuntimePassBase<LaunchToRuntimePass> {
  using LaunchToRuntimePassBase::LaunchToRuntimePassBase;

  void runOnOperation() override {
    LaunchLowering lowering(getOperation(), runtime);
    // Before anything that lowering makes stands between them.
    SmallVector<std::pair<gpu::LaunchFuncOp, bool>> launches;
    getOperation()->walk([&](gpu::LaunchFuncOp launch) {
      launches.emplace_back(launch, isFollowed(launch));
    });
    for (auto [launch, isFollowed] : launches)
      if (failed(lowering.lower(launch, isFollowed)))
        return signalPassFailure();
    lowering.finish();
    numLaunches += launches.size();
  }
};
} // namespace

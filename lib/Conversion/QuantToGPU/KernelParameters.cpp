//===- KernelParameters.cpp - Kernels as a driver calls them --------------===//
//
// Parameters become one address for each buffer, in the order of the arguments,
// then one i64 for each number: of NVIDIA's and AMD's drivers. Shared memory
// that a launch asks for is a variable without a size.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace quant_mlir {
#define GEN_PASS_DEF_PREPAREPARAMETERSPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

/// A buffer that begins at `address`. Nobody asks for its size.
static Value buildBuffer(OpBuilder &builder, Location loc, Value address,
                         MemRefType type) {
  MLIRContext *context = builder.getContext();
  // Shared memory has addresses of its own.
  auto pointer = cast<LLVM::LLVMPointerType>(address.getType());
  if (!type.getMemorySpace())
    pointer = LLVM::LLVMPointerType::get(context);
  Type i64 = builder.getI64Type();
  auto array = LLVM::LLVMArrayType::get(i64, 1);
  auto descriptor = LLVM::LLVMStructType::getLiteral(
      context, {pointer, pointer, i64, array, array});
  Value base = address;
  if (!type.getMemorySpace())
    base = LLVM::AddrSpaceCastOp::create(builder, loc, pointer, address);
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(builder, loc, i64,
                                    builder.getI64IntegerAttr(value));
  };
  Value result = LLVM::PoisonOp::create(builder, loc, descriptor);
  auto insert = [&](Value value, ArrayRef<int64_t> at) {
    result = LLVM::InsertValueOp::create(builder, loc, result, value, at);
  };
  insert(base, {0});
  insert(base, {1});
  insert(constant(0), {2});
  insert(constant(INT64_MAX), {3, 0});
  insert(constant(1), {4, 0});
  return UnrealizedConversionCastOp::create(builder, loc, type, result)
      .getResult(0);
}

/// %word, i64, as a number of `type`; null where it has more bits.
static Value buildNumber(OpBuilder &builder, Location loc, Value word,
                         Type type) {
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, type, word);
  if (type == word.getType())
    return word;
  if (!type.isIntOrFloat() || type.getIntOrFloatBitWidth() > 64)
    return Value();
  auto integer = builder.getIntegerType(type.getIntOrFloatBitWidth());
  if (integer != word.getType())
    word = arith::TruncIOp::create(builder, loc, integer, word);
  if (isa<FloatType>(type))
    return arith::BitcastOp::create(builder, loc, type, word);
  return word;
}

/// gpu.func @f(%n: index, %a: memref<?xi8>)
///
/// gpu.func @f(%p: !llvm.ptr<1>, %w: i64) {
///   %a = …, %n = arith.index_cast %w
static LogicalResult setParameters(gpu::GPUFuncOp function) {
  Location loc = function.getLoc();
  Block &entry = function.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  unsigned count = function.getNumArguments();
  SmallVector<BlockArgument> old(entry.getArguments().take_front(count));
  auto address = LLVM::LLVMPointerType::get(function.getContext(), 1);
  // New ones stand before what the body has of shared memory.
  unsigned next = count;
  for (bool isBuffer : {true, false})
    for (BlockArgument argument : old) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (bool(type) != isBuffer)
        continue;
      Type parameter = isBuffer ? Type(address) : Type(builder.getI64Type());
      Value value = entry.insertArgument(next++, parameter, loc);
      value = type ? buildBuffer(builder, loc, value, type)
                   : buildNumber(builder, loc, value, argument.getType());
      if (!value)
        return function.emitError()
               << "expected numbers of at most 64 bits, found "
               << argument.getType();
      argument.replaceAllUsesWith(value);
    }
  entry.eraseArguments(0, count);
  SmallVector<Type> types;
  for (BlockArgument argument : entry.getArguments().take_front(count))
    types.push_back(argument.getType());
  function.setFunctionType(builder.getFunctionType(types, {}));
  return success();
}

/// %s = gpu.dynamic_shared_memory
///
/// llvm.mlir.global external @quant_shared() : !llvm.array<0 x i8>
/// %s = llvm.mlir.addressof @quant_shared
///
/// gpu's own conversion defines a variable of no bytes, which an assembler may
/// take at its word.
static void placeDynamicShared(gpu::GPUModuleOp module) {
  constexpr unsigned sharedSpace = 3;
  SmallVector<gpu::DynamicSharedMemoryOp> ops;
  module.walk([&](gpu::DynamicSharedMemoryOp op) { ops.push_back(op); });
  if (ops.empty())
    return;
  auto builder = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), 0);
  auto global = LLVM::GlobalOp::create(
      builder, module.getLoc(), type, /*isConstant=*/false,
      LLVM::Linkage::External, "quant_shared", Attribute(), /*alignment=*/128,
      sharedSpace);
  for (gpu::DynamicSharedMemoryOp op : ops) {
    builder.setInsertionPoint(op);
    Value address = LLVM::AddressOfOp::create(builder, op.getLoc(), global);
    op.replaceAllUsesWith(buildBuffer(builder, op.getLoc(), address,
                                      cast<MemRefType>(op.getType())));
    op.erase();
  }
}

namespace {
struct PrepareParametersPass
    : public quant_mlir::impl::PrepareParametersPassBase<
          PrepareParametersPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<gpu::GPUFuncOp>())
      if (function.isKernel() && failed(setParameters(function)))
        return signalPassFailure();
    placeDynamicShared(getOperation());
  }
};
} // namespace

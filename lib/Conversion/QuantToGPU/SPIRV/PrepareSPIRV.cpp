//===- PrepareSPIRV.cpp - Kernels as Vulkan calls them --------------------===//
//
// Buffers become storage buffers, bindings 0, 1, ... of set 0 in the order of
// the arguments; numbers become 32-bit words of push constants, in that order.
// Launches go on calling kernels as they were, so that this is done to a copy.
//
//===----------------------------------------------------------------------===//

#include "SPIRV.h"

#include "quant-mlir/Conversion/Passes.h"

#include "mlir/Conversion/GPUToSPIRV/GPUToSPIRVPass.h"
#include "mlir/Conversion/MathToSPIRV/MathToSPIRVPass.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVAttributes.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/Dialect/SPIRV/Transforms/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace quant_mlir {
#define GEN_PASS_DEF_PREPARESPIRVPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

/// What every device is asked for; quant_vulkan_launch refuses one without.
static spirv::TargetEnvAttr getTargetEnv(MLIRContext *context) {
  spirv::Capability capabilities[] = {
      spirv::Capability::Shader,
      spirv::Capability::Int8,
      spirv::Capability::Int16,
      spirv::Capability::StorageBuffer8BitAccess,
      spirv::Capability::DotProduct,
      spirv::Capability::DotProductInput4x8BitPacked,
      spirv::Capability::RoundingModeRTE,
      spirv::Capability::SignedZeroInfNanPreserve,
  };
  spirv::Extension extensions[] = {
      spirv::Extension::SPV_KHR_storage_buffer_storage_class,
      spirv::Extension::SPV_KHR_8bit_storage,
      spirv::Extension::SPV_KHR_integer_dot_product,
      spirv::Extension::SPV_KHR_float_controls,
  };
  auto triple = spirv::VerCapExtAttr::get(spirv::Version::V_1_6, capabilities,
                                          extensions, context);
  return spirv::TargetEnvAttr::get(triple,
                                   spirv::getDefaultResourceLimits(context),
                                   spirv::ClientAPI::Vulkan);
}

/// %word, i32, as a number of `type`; null where it has no 32 bits.
static Value buildNumber(OpBuilder &builder, Location loc, Value word,
                         Type type) {
  if (type.isInteger(32))
    return word;
  if (type.isIndex())
    return arith::IndexCastOp::create(builder, loc, type, word);
  if (type.isF32())
    return arith::BitcastOp::create(builder, loc, type, word);
  if (type.isInteger() && type.getIntOrFloatBitWidth() < 32)
    return arith::TruncIOp::create(builder, loc, type, word);
  return Value();
}

/// gpu.func @f(…) workgroup(%s: memref<64xi32, workgroup>)
///
/// gpu.func @f(…) {
///   %s = memref.alloc() : memref<64xi32, Workgroup>
///
/// The form that upstream converts.
static void setShared(gpu::GPUFuncOp function) {
  MLIRContext *context = function.getContext();
  Block &entry = function.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  unsigned first = function.getNumArguments();
  for (BlockArgument shared : function.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(shared.getType());
    type = MemRefType::get(
        type.getShape(), type.getElementType(), MemRefLayoutAttrInterface(),
        spirv::StorageClassAttr::get(context, spirv::StorageClass::Workgroup));
    shared.replaceAllUsesWith(
        memref::AllocOp::create(builder, function.getLoc(), type));
  }
  entry.eraseArguments(first, function.getNumWorkgroupAttributions());
  function->removeAttr(function.getNumWorkgroupAttributionsAttrName());
  function.removeWorkgroupAttribAttrsAttr();
}

/// gpu.func @f(%a: memref<?xi8>, %n: index)
///
/// gpu.func @f(%a: memref<?xi8, StorageBuffer>,
///             %p: memref<1xi32, PushConstant>) {
///   %w = memref.load %p[%c0]
///   %n = arith.index_cast %w
static LogicalResult setInterface(gpu::GPUFuncOp function) {
  MLIRContext *context = function.getContext();
  Location loc = function.getLoc();
  setShared(function);
  SmallVector<BlockArgument> numbers;
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type) {
      numbers.push_back(argument);
      continue;
    }
    argument.setType(MemRefType::get(
        type.getShape(), type.getElementType(), MemRefLayoutAttrInterface(),
        spirv::StorageClassAttr::get(context,
                                     spirv::StorageClass::StorageBuffer)));
  }
  // What every implementation of Vulkan has room for.
  constexpr unsigned maxWords = 32;
  if (numbers.size() > maxWords)
    return function.emitError() << "expected at most " << maxWords
                                << " numbers from the host, found "
                                << numbers.size() << ": make more sizes static";
  OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
  if (!numbers.empty()) {
    auto type =
        MemRefType::get({static_cast<int64_t>(numbers.size())},
                        builder.getI32Type(), MemRefLayoutAttrInterface(),
                        spirv::StorageClassAttr::get(
                            context, spirv::StorageClass::PushConstant));
    Value words = function.getBody().front().addArgument(type, loc);
    for (auto [i, number] : llvm::enumerate(numbers)) {
      Value at = arith::ConstantIndexOp::create(builder, loc, i);
      Value word = memref::LoadOp::create(builder, loc, words, ValueRange(at));
      Value value = buildNumber(builder, loc, word, number.getType());
      if (!value)
        return function.emitError()
               << "expected numbers of at most 32 bits, found "
               << number.getType();
      number.replaceAllUsesWith(value);
    }
    for (BlockArgument number : llvm::reverse(numbers))
      function.getBody().front().eraseArgument(number.getArgNumber());
  }
  function.setFunctionType(builder.getFunctionType(
      function.getBody().front().getArgumentTypes(), {}));
  ArrayRef<int32_t> sizes = *function.getKnownBlockSize();
  function->setAttr(spirv::getEntryPointABIAttrName(),
                    spirv::getEntryPointABIAttr(context, sizes));
  function.removeKnownBlockSizeAttr();
  return success();
}

static void divideExactly(gpu::GPUFuncOp function) {
  SmallVector<arith::DivFOp> divisions;
  function.walk([&](arith::DivFOp op) {
    if (op.getType().isF32())
      divisions.push_back(op);
  });
  for (arith::DivFOp op : divisions) {
    OpBuilder builder(op);
    op.replaceAllUsesWith(
        buildExactDivision(builder, op.getLoc(), op.getLhs(), op.getRhs()));
    op->erase();
  }
}

namespace {
struct PrepareSPIRVPass
    : public quant_mlir::impl::PrepareSPIRVPassBase<PrepareSPIRVPass> {
  void runOnOperation() override {
    OpBuilder builder(&getContext());
    ModuleOp parent = getOperation();
    for (auto kernel : llvm::to_vector(parent.getOps<gpu::GPUModuleOp>())) {
      builder.setInsertionPointToEnd(parent.getBody());
      auto device = ModuleOp::create(builder, kernel.getLoc(),
                                     ("spirv." + kernel.getName()).str());
      builder.setInsertionPointToEnd(device.getBody());
      auto module = cast<gpu::GPUModuleOp>(builder.clone(*kernel));
      module->setAttr(spirv::getTargetEnvAttrName(),
                      getTargetEnv(&getContext()));
      for (auto function : module.getOps<gpu::GPUFuncOp>()) {
        if (failed(setInterface(function)))
          return signalPassFailure();
        divideExactly(function);
      }
    }
  }
};
} // namespace

void quant_mlir::addSPIRVModulePasses(OpPassManager &pm) {
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  pm.addPass(createPrepareSPIRVPass());
  OpPassManager &copies = pm.nest<ModuleOp>();
  // convert-gpu-to-spirv leaves math alone.
  copies.nest<gpu::GPUModuleOp>().addPass(createConvertMathToSPIRVPass());
  copies.addPass(createConvertGPUToSPIRVPass());
  OpPassManager &modules = copies.nest<spirv::ModuleOp>();
  modules.addPass(spirv::createSPIRVLowerABIAttributesPass());
  modules.addPass(createCanonicalizerPass());
  modules.addPass(createCSEPass());
  modules.addPass(spirv::createSPIRVUpdateVCEPass());
  pm.addPass(createSerializeSPIRVPass());
}

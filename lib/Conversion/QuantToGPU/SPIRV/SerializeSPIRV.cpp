//===- SerializeSPIRV.cpp - spirv.module to gpu.binary --------------------===//
//
// Last corrections, and the words of the binary. Vulkan leaves rounding open
// where nothing is said: products and sums are not contracted, results round to
// the nearest, and NaN, infinities and signs of zeros are kept.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVDialect.h"
#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Dialect/SPIRV/IR/TargetAndABI.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/SPIRV/Serialization.h"

namespace quant_mlir {
#define GEN_PASS_DEF_SERIALIZESPIRVPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;
using namespace quant_mlir;

/// Asks for the arithmetic of docs/numerics.md.
static void fixArithmetic(spirv::ModuleOp module) {
  Builder attributes(module.getContext());
  bool hasFloats = false;
  module.walk([&](Operation *op) {
    if (!isa<spirv::FAddOp, spirv::FSubOp, spirv::FMulOp, spirv::FDivOp,
             spirv::ConvertSToFOp, spirv::ConvertUToFOp>(op))
      return;
    hasFloats = true;
    if (!isa<spirv::ConvertSToFOp, spirv::ConvertUToFOp>(op))
      op->setAttr("no_contraction", attributes.getUnitAttr());
  });
  SmallVector<spirv::EntryPointOp> entries(
      module.getOps<spirv::EntryPointOp>());
  for (spirv::EntryPointOp entry : entries) {
    OpBuilder builder(entry);
    builder.setInsertionPointAfter(entry);
    for (spirv::ExecutionMode mode :
         {spirv::ExecutionMode::RoundingModeRTE,
          spirv::ExecutionMode::SignedZeroInfNanPreserve})
      if (hasFloats)
        spirv::ExecutionModeOp::create(
            builder, entry.getLoc(),
            module.lookupSymbol<spirv::FuncOp>(entry.getFn()), mode,
            ArrayRef<int32_t>(32));
  }

  // From SPIR-V 1.4 on entry points list all variables, as the conversion does
  // for the version that the target says; the version that update-vce finds
  // sufficient is older.
  spirv::VerCapExtAttr triple = *module.getVceTriple();
  SmallVector<spirv::Capability> capabilities(triple.getCapabilities());
  SmallVector<spirv::Extension> extensions(triple.getExtensions());
  if (hasFloats)
    for (spirv::Capability capability :
         {spirv::Capability::RoundingModeRTE,
          spirv::Capability::SignedZeroInfNanPreserve})
      if (!llvm::is_contained(capabilities, capability))
        capabilities.push_back(capability);
  module.setVceTripleAttr(spirv::VerCapExtAttr::get(
      spirv::Version::V_1_6, capabilities, extensions, module.getContext()));
}

/// Push constants have no binding.
static void fixPushConstants(spirv::ModuleOp module) {
  for (auto variable : module.getOps<spirv::GlobalVariableOp>()) {
    auto type = cast<spirv::PointerType>(variable.getType());
    if (type.getStorageClass() != spirv::StorageClass::PushConstant)
      continue;
    variable->removeAttr("binding");
    variable->removeAttr("descriptor_set");
  }
}

namespace {
struct SerializeSPIRVPass
    : public quant_mlir::impl::SerializeSPIRVPassBase<SerializeSPIRVPass> {
  void runOnOperation() override {
    ModuleOp parent = getOperation();
    for (auto copy : llvm::to_vector(parent.getOps<ModuleOp>())) {
      auto modules = copy.getOps<spirv::ModuleOp>();
      auto converted = copy.getOps<gpu::GPUModuleOp>();
      if (modules.empty() || converted.empty())
        continue;
      spirv::ModuleOp module = *modules.begin();
      gpu::GPUModuleOp from = *converted.begin();
      auto kernel = parent.lookupSymbol<gpu::GPUModuleOp>(from.getName());
      if (!kernel) {
        copy.emitOpError("expected a gpu.module of the same name beside it");
        return signalPassFailure();
      }
      fixArithmetic(module);
      fixPushConstants(module);
      SmallVector<uint32_t> words;
      if (failed(spirv::serialize(module, words)))
        return signalPassFailure();
      Attribute environment = from->getAttr(spirv::getTargetEnvAttrName());
      OpBuilder builder(kernel);
      StringAttr binary = builder.getStringAttr(
          StringRef(reinterpret_cast<const char *>(words.data()),
                    words.size() * sizeof(uint32_t)));
      auto object = gpu::ObjectAttr::get(
          environment, gpu::CompilationTarget::Binary, binary);
      gpu::BinaryOp::create(builder, kernel.getLoc(), kernel.getName(),
                            Attribute(), ArrayRef<Attribute>(object));
      kernel->erase();
      copy->erase();
      ++numBinaries;
    }
  }
};
} // namespace

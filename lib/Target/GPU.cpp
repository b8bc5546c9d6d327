//===- GPU.cpp - What a GPU offers to quantized kernels -------------------===//

#include "quant-mlir/Target/GPU.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace quant_mlir;

llvm::StringRef quant_mlir::getName(GPUKind kind) {
  switch (kind) {
  case GPUKind::SPIRV:
    return "spirv";
  case GPUKind::NVVM:
    return "nvvm";
  }
  llvm_unreachable("unknown kind of GPU");
}

std::optional<GPUKind> quant_mlir::symbolizeGPUKind(llvm::StringRef name) {
  for (GPUKind kind : {GPUKind::SPIRV, GPUKind::NVVM})
    if (name == getName(kind))
      return kind;
  return std::nullopt;
}

llvm::Expected<GPUTarget> GPUTarget::get(const GPUTargetOptions &options) {
  GPUTarget target;
  target.kind = options.kind;
  if (target.isNVVM()) {
    target.arch = options.arch.empty() ? "sm_80" : options.arch;
    // Before sm_80 there are neither m16n8k32 of bytes nor cp.async.
    static constexpr llvm::StringLiteral known[] = {
        "sm_80",  "sm_86",  "sm_87",   "sm_89",  "sm_90",
        "sm_90a", "sm_100", "sm_100a", "sm_120", "sm_120a"};
    if (!llvm::is_contained(known, target.arch))
      return makeError(
          "expected one of " + llvm::join(llvm::ArrayRef(known), ", ") +
          " as architecture of nvvm, found " + quoteForMessage(target.arch));
    return target;
  }
  target.arch = options.arch.empty() ? "vulkan1.3" : options.arch;
  if (target.arch != "vulkan1.3")
    return makeError("expected vulkan1.3 as architecture of spirv, found " +
                     quoteForMessage(target.arch));
  return target;
}

int64_t GPUTarget::getPanelColumns(int64_t columns) const {
  if (isNVVM())
    return columns > 64 ? 128 : columns > 32 ? 64 : 32;
  return 32;
}

//===- GPU.cpp - What a GPU offers to quantized kernels -------------------===//

#include "quant-mlir/Target/GPU.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace quant_mlir;

llvm::StringRef quant_mlir::getName(GPUKind kind) {
  switch (kind) {
  case GPUKind::SPIRV:
    return "spirv";
  }
  llvm_unreachable("unknown kind of GPU");
}

std::optional<GPUKind> quant_mlir::symbolizeGPUKind(llvm::StringRef name) {
  for (GPUKind kind : {GPUKind::SPIRV})
    if (name == getName(kind))
      return kind;
  return std::nullopt;
}

llvm::Expected<GPUTarget> GPUTarget::get(const GPUTargetOptions &options) {
  GPUTarget target;
  target.kind = options.kind;
  target.arch = options.arch.empty() ? "vulkan1.3" : options.arch;
  if (target.arch != "vulkan1.3")
    return makeError("expected vulkan1.3 as architecture of spirv, found " +
                     quoteForMessage(target.arch));
  return target;
}

int64_t GPUTarget::getPanelColumns(int64_t columns) const {
  // A group of lanes reads its columns beside each other.
  int64_t tile = getTileColumns() * getMatrixShape().columns;
  int64_t most = std::max<int64_t>(tile, 64);
  return std::min(llvm::alignTo(std::max<int64_t>(columns, 1), tile),
                  uint64_t(most));
}

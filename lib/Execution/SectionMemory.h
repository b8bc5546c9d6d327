//===- SectionMemory.h - Memory that compiled code lies in ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_EXECUTION_SECTIONMEMORY_H
#define QUANT_MLIR_LIB_EXECUTION_SECTIONMEMORY_H

#include "llvm/ExecutionEngine/SectionMemoryManager.h"

namespace quant_mlir {

/// From this size on a section of data lies in pages of `largePage` bytes,
/// where the system has them.
constexpr size_t largePage = size_t(2) << 20;

/// Gives sections their memory; it lives as long as the process.
llvm::SectionMemoryManager::MemoryMapper &getSectionMemory();

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_EXECUTION_SECTIONMEMORY_H

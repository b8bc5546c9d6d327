//===- InputFile.h - Input as the bytecode reader needs it ------*- C++ -*-===//

#ifndef QUANT_MLIR_SUPPORT_INPUTFILE_H
#define QUANT_MLIR_SUPPORT_INPUTFILE_H

#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace quant_mlir {

/// `buffer`, or a copy of it on a page boundary where it holds MLIR bytecode:
/// sections with aligned resources are refused in memory that is not aligned as
/// they are, which is a matter of luck for a pipe or a small file.
std::unique_ptr<llvm::MemoryBuffer>
alignBytecode(std::unique_ptr<llvm::MemoryBuffer> buffer);

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_INPUTFILE_H

//===- InputFile.cpp ------------------------------------------------------===//

#include "quant-mlir/Support/InputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Alignment.h"

using namespace quant_mlir;

std::unique_ptr<llvm::MemoryBuffer>
quant_mlir::alignBytecode(std::unique_ptr<llvm::MemoryBuffer> buffer) {
  const llvm::Align page(4096);
  if (!buffer->getBuffer().starts_with("ML\xefR") ||
      llvm::isAddrAligned(page, buffer->getBufferStart()))
    return buffer;
  std::unique_ptr<llvm::WritableMemoryBuffer> copy =
      llvm::WritableMemoryBuffer::getNewUninitMemBuffer(
          buffer->getBufferSize(), buffer->getBufferIdentifier(), page);
  llvm::copy(buffer->getBuffer(), copy->getBufferStart());
  return copy;
}

//===- Errors.h - Errors that name the file ---------------------*- C++ -*-===//

#ifndef QUANT_MLIR_SUPPORT_ERRORS_H
#define QUANT_MLIR_SUPPORT_ERRORS_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <string>

namespace quant_mlir {

inline llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// "'model.mlir': <message>"
inline llvm::Error makeFileError(llvm::StringRef path,
                                 const llvm::Twine &message) {
  return makeError("'" + path + "': " + message);
}

/// Text from an input, made safe to show: clipped, and escaped where it does
/// not print.
std::string quoteForMessage(llvm::StringRef text);

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_ERRORS_H

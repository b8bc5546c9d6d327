//===- OutputFile.h - Output that is written whole or not at all -*- C++ -*-==//
//
// llvm::writeToOutput replaces one file atomically. A tool with several
// outputs, and checks after them, needs the two halves apart: stage every file,
// and only when nothing can fail any more, commit them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_SUPPORT_OUTPUTFILE_H
#define QUANT_MLIR_SUPPORT_OUTPUTFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace quant_mlir {

class OutputFile {
public:
  /// Writes a temporary file beside `path`; links are followed. "-" is standard
  /// output. That, and anything that exists and is not a regular file (a
  /// device, a pipe), cannot be replaced: there, writing waits for commit().
  static llvm::Expected<OutputFile>
  stage(llvm::StringRef path,
        llvm::function_ref<void(llvm::raw_ostream &)> write);

  OutputFile(OutputFile &&);
  OutputFile &operator=(OutputFile &&);
  /// Without commit() the temporary file is removed.
  ~OutputFile();

  /// Puts the content under its name.
  llvm::Error commit();

private:
  struct Impl;
  explicit OutputFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

/// Stages and commits one file.
llvm::Error
writeFileAtomically(llvm::StringRef path,
                    llvm::function_ref<void(llvm::raw_ostream &)> write);

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_OUTPUTFILE_H

//===- OptionReader.h - A tool's command line -------------------*- C++ -*-===//
//
// Over llvm::opt and not llvm::cl: libLLVM registers options of its own, one
// named `threads` among them. A tool's options are a .td file that includes
// ToolOptions.td.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_SUPPORT_OPTIONREADER_H
#define QUANT_MLIR_SUPPORT_OPTIONREADER_H

#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace quant_mlir {

/// Reads options out of a command line; the first error stays.
class OptionReader {
public:
  /// Options that the table does not know are an error. `inputID` and
  /// `unknownID` are the table's own.
  OptionReader(const llvm::opt::OptTable &table, int argc, char **argv,
               llvm::opt::OptSpecifier inputID,
               llvm::opt::OptSpecifier unknownID);

  bool has(llvm::opt::OptSpecifier id) const { return args.hasArg(id); }
  /// The value of an option that may be given once.
  std::optional<std::string> value(llvm::opt::OptSpecifier id,
                                   llvm::StringRef name);
  /// A whole number from 1 to `largest`.
  std::optional<int64_t> number(llvm::opt::OptSpecifier id,
                                llvm::StringRef name, int64_t largest);
  /// All values, none of them empty.
  std::vector<std::string> values(llvm::opt::OptSpecifier id,
                                  llvm::StringRef name);
  /// What is no option.
  const std::vector<std::string> &positional() const { return plain; }

  void fail(const llvm::Twine &message) {
    if (error.empty())
      error = message.str();
  }
  /// The first error, if there is one.
  llvm::Error takeError();

private:
  llvm::opt::InputArgList args;
  std::vector<std::string> plain;
  std::string error;
};

/// "quant-run (quant-mlir 0.1.0, LLVM 22.1.8)", as a line.
std::string getVersionLine(llvm::StringRef tool);

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_OPTIONREADER_H

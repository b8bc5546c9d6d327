//===- OptionReader.cpp - A tool's command line ---------------------------===//

#include "quant-mlir/Support/OptionReader.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Option/Option.h"

using namespace quant_mlir;
using llvm::opt::OptSpecifier;

OptionReader::OptionReader(const llvm::opt::OptTable &table, int argc,
                           char **argv, OptSpecifier inputID,
                           OptSpecifier unknownID) {
  unsigned missingIndex = 0, missingCount = 0;
  llvm::ArrayRef<const char *> arguments(argv + 1, argv + argc);
  args = table.ParseArgs(arguments, missingIndex, missingCount);
  if (missingCount != 0)
    fail(llvm::Twine("the option ") + arguments[missingIndex] +
         " has no value");
  plain = args.getAllArgValues(inputID);
  std::vector<std::string> unknown = args.getAllArgValues(unknownID);
  llvm::copy_if(plain, std::back_inserter(unknown),
                [](llvm::StringRef text) { return text.starts_with("-"); });
  for (const std::string &option : unknown) {
    std::string nearest;
    unsigned distance = table.findNearest(option, nearest);
    fail("unknown option " + quoteForMessage(option) +
         (distance <= 2 ? "; did you mean '" + nearest + "'?"
                        : "; --help lists all of them"));
  }
}

std::optional<std::string> OptionReader::value(OptSpecifier id,
                                               llvm::StringRef name) {
  std::vector<std::string> values = args.getAllArgValues(id);
  if (values.empty())
    return std::nullopt;
  if (values.size() > 1)
    fail("--" + name + " is given " + llvm::Twine(values.size()) +
         " times; expected once");
  if (values[0].empty())
    fail("--" + name + "= has no value");
  return values[0];
}

std::optional<int64_t>
OptionReader::number(OptSpecifier id, llvm::StringRef name, int64_t largest) {
  std::optional<std::string> text = value(id, name);
  if (!text)
    return std::nullopt;
  int64_t number = 0;
  if (llvm::StringRef(*text).getAsInteger(10, number) || number < 1 ||
      number > largest)
    fail("--" + name + " expects a number from 1 to " + llvm::Twine(largest) +
         ", found " + quoteForMessage(*text));
  return number;
}

std::vector<std::string> OptionReader::values(OptSpecifier id,
                                              llvm::StringRef name) {
  std::vector<std::string> values = args.getAllArgValues(id);
  if (llvm::is_contained(values, ""))
    fail("--" + name + "= has no value");
  return values;
}

llvm::Error OptionReader::takeError() {
  return error.empty() ? llvm::Error::success() : makeError(error);
}

std::string quant_mlir::getVersionLine(llvm::StringRef tool) {
  return tool.str() +
         " (quant-mlir " QUANT_MLIR_VERSION ", LLVM " LLVM_VERSION_STRING ")\n";
}

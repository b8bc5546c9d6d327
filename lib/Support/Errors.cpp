//===- Errors.cpp ---------------------------------------------------------===//

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

std::string quant_mlir::quoteForMessage(llvm::StringRef text) {
  constexpr size_t limit = 60;
  std::string result;
  llvm::raw_string_ostream os(result);
  os << "'";
  llvm::printEscapedString(text.take_front(limit), os);
  os << (text.size() > limit ? "...'" : "'");
  return result;
}

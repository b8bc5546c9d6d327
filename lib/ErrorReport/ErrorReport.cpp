//===- ErrorReport.cpp - A quantized model beside its original ------------===//

#include "quant-mlir/ErrorReport/ErrorReport.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace quant_mlir;

void ErrorReport::sortWorstFirst() {
  llvm::sort(ops, [](const OpErrors &a, const OpErrors &b) {
    double first = a.errors.getOrderedSqnrDb(a.errors.getTotal());
    double second = b.errors.getOrderedSqnrDb(b.errors.getTotal());
    return first != second ? first < second : a.index < b.index;
  });
}

/// What tells values of one name apart: "#12", ".out0", "#12.in1".
static llvm::StringRef getSuffix(llvm::StringRef name) {
  size_t size = name.size();
  for (llvm::StringRef mark : {".in", ".out", "#"}) {
    llvm::StringRef rest = name.take_front(size);
    llvm::StringRef digits = rest.drop_front(rest.rtrim("0123456789").size());
    llvm::StringRef head = rest.drop_back(digits.size());
    if (!digits.empty() && head.ends_with(mark))
      size = head.size() - mark.size();
  }
  return name.drop_front(size);
}

std::string quant_mlir::shortenName(llvm::StringRef name, size_t length) {
  if (name.size() <= length)
    return name.str();
  // Exporters join the names of all operations that one came from by ';': the
  // first is the one people know. Of that the end says most.
  llvm::StringRef suffix = getSuffix(name);
  if (suffix.size() > length / 2)
    suffix = "";
  llvm::StringRef first = name.drop_back(suffix.size());
  first = first.take_front(first.find(';'));
  if (first.size() + suffix.size() <= length)
    return first.str() + suffix.str();
  llvm::StringRef tail = first.take_back(length - 1 - suffix.size());
  // Not in the middle of a character.
  while (!tail.empty() && (tail.front() & 0xC0) == 0x80)
    tail = tail.drop_front();
  return "\u2026" + tail.str() + suffix.str();
}

std::string quant_mlir::formatSqnr(const ErrorStatistics &errors,
                                   const Deviation &which, int digits) {
  std::optional<double> sqnr = errors.getSqnrDb(which);
  if (!sqnr && errors.getCount() == 0)
    return errors.getNonFinite() == 0 ? "no elements" : "not finite";
  if (!sqnr)
    return which.power == 0 ? "exact" : "all error";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.*f", digits, *sqnr);
  return text;
}

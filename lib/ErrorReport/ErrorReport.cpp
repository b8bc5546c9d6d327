//===- ErrorReport.cpp - A quantized model beside its original ------------===//

#include "quant-mlir/ErrorReport/ErrorReport.h"

#include "llvm/ADT/STLExtras.h"

using namespace quant_mlir;

void ErrorReport::sortWorstFirst() {
  llvm::sort(ops, [](const OpErrors &a, const OpErrors &b) {
    double first = a.errors.getOrderedSqnrDb(a.errors.getTotal());
    double second = b.errors.getOrderedSqnrDb(b.errors.getTotal());
    return first != second ? first < second : a.index < b.index;
  });
}

std::string quant_mlir::shortenName(llvm::StringRef name, size_t length) {
  if (name.size() <= length)
    return name.str();
  // Exporters join the names of all operations that one came from by ';': the
  // first is the one people know. Of that the end says most, and a number that
  // tells equal ones apart stands behind it all.
  llvm::StringRef number = name.substr(name.rfind('#'));
  if (number.size() < 2 || number.size() > length / 2 ||
      number.drop_front().find_first_not_of("0123456789") !=
          llvm::StringRef::npos)
    number = "";
  llvm::StringRef first = name.drop_back(number.size());
  first = first.take_front(first.find(';'));
  if (first.size() + number.size() <= length)
    return first.str() + number.str();
  llvm::StringRef tail = first.take_back(length - 1 - number.size());
  // Not in the middle of a character.
  while (!tail.empty() && (tail.front() & 0xC0) == 0x80)
    tail = tail.drop_front();
  return "\u2026" + tail.str() + number.str();
}

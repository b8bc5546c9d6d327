//===- Diagnostics.cpp ----------------------------------------------------===//

#include "quant-mlir/Execution/Diagnostics.h"

#include "quant-mlir/Support/Errors.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace quant_mlir;

std::string quant_mlir::describeLocation(mlir::Location location) {
  std::string result;
  llvm::raw_string_ostream os(result);
  if (auto name = location->findInstanceOf<mlir::NameLoc>())
    os << '"' << name.getName().getValue() << '"';
  if (auto file = location->findInstanceOf<mlir::FileLineColLoc>())
    os << (result.empty() ? "" : " at ") << file.getFilename().getValue() << ':'
       << file.getLine() << ':' << file.getColumn();
  return result;
}

/// One line, whatever names and locations of a model may hold.
static std::string onOneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

static std::string formatError(mlir::Location location, llvm::StringRef path,
                               const llvm::Twine &message) {
  std::string where = describeLocation(location);
  llvm::StringRef text = where;
  // Locations in the file itself speak for it; others (a model keeps those of
  // the file it was made from) are added to its name.
  if (text.consume_front(path) && text.starts_with(":"))
    return onOneLine((where + ": " + message).str());
  if (where.empty())
    return onOneLine(("'" + path + "': " + message).str());
  return onOneLine(("'" + path + "': " + message + " (" + where + ")").str());
}

llvm::Error quant_mlir::makeErrorAt(mlir::Location location,
                                    llvm::StringRef path,
                                    const llvm::Twine &message) {
  return makeError(formatError(location, path, message));
}

/// Operations print whole into messages, constants included.
static std::string clip(llvm::StringRef text) {
  constexpr size_t limit = 600;
  return text.size() <= limit ? text.str()
                              : (text.take_front(limit) + "...").str();
}

DiagnosticCollector::DiagnosticCollector(
    mlir::MLIRContext *context, llvm::StringRef path,
    std::function<void(llvm::StringRef)> remark)
    : path(path), remark(std::move(remark)),
      handler(context, [this](mlir::Diagnostic &diagnostic) {
        mlir::DiagnosticSeverity severity = diagnostic.getSeverity();
        bool isRemark = severity == mlir::DiagnosticSeverity::Remark;
        bool isFirst =
            severity == mlir::DiagnosticSeverity::Error && first.empty();
        if (!(isRemark && this->remark) && !isFirst)
          return mlir::success();
        std::string message = formatError(diagnostic.getLocation(), this->path,
                                          clip(diagnostic.str()));
        for (mlir::Diagnostic &note : diagnostic.getNotes()) {
          std::string text = note.str();
          // The operation in full, which can be megabytes of constants.
          if (llvm::StringRef(text).starts_with("see current operation"))
            continue;
          message += onOneLine("; " + clip(text));
        }
        if (isRemark)
          this->remark(message);
        else
          first = std::move(message);
        return mlir::success();
      }) {}

llvm::Error DiagnosticCollector::takeError(const llvm::Twine &fallback) {
  if (first.empty())
    return makeFileError(path, fallback);
  std::string message = std::move(first);
  first.clear();
  return makeError(message);
}

//===- HtmlCharts.h - The drawings of the error report ----------*- C++ -*-===//
//
// Inline SVG whose colours are classes of the page's style sheet, so that one
// drawing serves light and dark.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_ERRORREPORT_HTMLCHARTS_H
#define QUANT_MLIR_LIB_ERRORREPORT_HTMLCHARTS_H

#include "quant-mlir/ErrorReport/ErrorReport.h"

#include "llvm/ADT/ArrayRef.h"

namespace quant_mlir::html {

/// Text from a model as content or as the value of an attribute in quotes.
std::string escape(llvm::StringRef text);
/// "0.01234", "12.3 dB" or "exact", "1.23 %".
std::string formatNumber(double value);
std::string formatDb(const ErrorStatistics &errors, const Deviation &which);
std::string formatPercent(double share);

/// Total and local SQNR of the operations in the order of the model.
void drawProfile(llvm::raw_ostream &os, llvm::ArrayRef<const OpErrors *> ops);
/// One bar per operation: the local error relative to the values, worst first.
void drawLocalErrors(llvm::raw_ostream &os,
                     llvm::ArrayRef<const OpErrors *> ops);
/// The total error's two parts, as shares of the sum of their powers.
void drawSplit(llvm::raw_ostream &os, const ErrorStatistics &errors);
/// Values of both models, and the error, each with its own axis.
void drawValues(llvm::raw_ostream &os, const ErrorStatistics &errors);
void drawErrors(llvm::raw_ostream &os, const ErrorStatistics &errors);

/// The page's style sheet.
extern const char *const styleSheet;

} // namespace quant_mlir::html

#endif // QUANT_MLIR_LIB_ERRORREPORT_HTMLCHARTS_H

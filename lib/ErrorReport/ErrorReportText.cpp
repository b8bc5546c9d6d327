//===- ErrorReportText.cpp - The error report as a table of text ----------===//

#include "quant-mlir/ErrorReport/ErrorReport.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace quant_mlir;

static std::string formatDb(const ErrorStatistics &errors,
                            const Deviation &which) {
  return formatSqnr(errors, which, 2);
}

static std::string format(const char *pattern, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(pattern, value);
  return text;
}

/// Names come from models, and may hold what a terminal obeys.
static std::string clean(llvm::StringRef text) {
  std::string result = text.str();
  for (char &c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = '?';
  return result;
}

/// Columns on a terminal; names need not be ASCII.
static size_t getWidth(llvm::StringRef text) {
  int width = llvm::sys::unicode::columnWidthUTF8(text);
  return width < 0 ? text.size() : static_cast<size_t>(width);
}

/// Columns as wide as their widest cell; the first is aligned to the left.
static void writeTable(llvm::raw_ostream &os,
                       llvm::ArrayRef<std::vector<std::string>> rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const std::vector<std::string> &row : rows)
    for (auto [width, cell] : llvm::zip(widths, row))
      width = std::max(width, getWidth(cell));
  for (const std::vector<std::string> &row : rows) {
    for (auto [column, cell] : llvm::enumerate(row)) {
      size_t pad = widths[column] - getWidth(cell);
      if (column != 0)
        os.indent(pad + 2);
      os << cell;
      if (column == 0)
        os.indent(pad);
    }
    os << '\n';
  }
}

void quant_mlir::writeText(llvm::raw_ostream &os, const ErrorReport &report) {
  for (const OutputErrors &output : report.outputs) {
    os << "result " << output.index << ": SQNR "
       << formatDb(output.errors, output.errors.getTotal())
       << (output.errors.getSqnrDb(output.errors.getTotal()) ? " dB" : "")
       << ", max abs error " << format("%g", output.errors.getTotal().maxAbs);
    if (output.rows != 0)
      os << ", same largest element in " << output.sameArgmax << " of "
         << output.rows << " rows";
    os << '\n';
  }
  if (!report.ops.empty()) {
    std::vector<std::vector<std::string>> rows = {
        {"operation", "stored as", "SQNR dB", "local dB", "max error",
         "clipped %", "codes used %"}};
    for (const OpErrors &op : report.ops) {
      const ErrorStatistics &errors = op.errors;
      rows.push_back(
          {clean(shortenName(op.op, 48)), op.dtype,
           formatDb(errors, errors.getTotal()),
           formatDb(errors, errors.getLocal()),
           format("%.4g", errors.getTotal().maxAbs),
           op.codes ? format("%.3g", 100 * op.codes->getClippedShare()) : "-",
           op.codes ? format("%.3g", 100 * op.codes->getUsedShare()) : "-"});
    }
    writeTable(os, rows);
    for (const OpErrors &op : report.ops)
      if (uint64_t count = op.errors.getNonFinite())
        os << "not finite: " << clean(op.id) << ": " << count << " of "
           << count + op.errors.getCount() << " elements, left out\n";
  }
  for (const OpRemark &remark : report.floatOps)
    os << "in float: " << clean(remark.op) << ": " << clean(remark.reason)
       << '\n';
  for (const OpRemark &remark : report.notCompared)
    os << "not compared: " << clean(remark.op) << ": " << clean(remark.reason)
       << '\n';
}

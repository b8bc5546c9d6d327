//===- ErrorReportHtml.cpp - The error report as a page -------------------===//
//
// One document that needs nothing else: drawings are inline, there are no
// scripts, and a policy forbids loading anything. All text from models is
// escaped.
//
//===----------------------------------------------------------------------===//

#include "HtmlCharts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace quant_mlir;
using namespace quant_mlir::html;

static std::string count(size_t number, llvm::StringRef noun) {
  return (llvm::Twine(number) + " " + noun + (number == 1 ? "" : "s")).str();
}

//===----------------------------------------------------------------------===//
// Head
//===----------------------------------------------------------------------===//

static void writeTile(llvm::raw_ostream &os, const llvm::Twine &value,
                      const llvm::Twine &label) {
  os << "<div class=\"tile\"><b>" << value << "</b><span>" << label
     << "</span></div>\n";
}

static void writeTiles(llvm::raw_ostream &os, const ErrorReport &report) {
  os << "<div class=\"tiles\">\n";
  for (const OutputErrors &output : report.outputs) {
    std::string name = report.outputs.size() == 1
                           ? "output"
                           : "output " + std::to_string(output.index);
    writeTile(os, formatDb(output.errors, output.errors.getTotal()),
              "SQNR of the " + name);
    if (output.rows != 0)
      writeTile(os, formatPercent(double(output.sameArgmax) / output.rows),
                "of " + llvm::Twine(output.rows) + " rows have their largest " +
                    name + " where the float model has it");
  }
  if (!report.ops.empty()) {
    const OpErrors &worst = *llvm::min_element(
        report.ops, [](const OpErrors &a, const OpErrors &b) {
          return a.errors.getOrderedSqnrDb(a.errors.getLocal()) <
                 b.errors.getOrderedSqnrDb(b.errors.getLocal());
        });
    if (worst.errors.getLocal().power != 0)
      writeTile(os, "<i>" + escape(shortenName(worst.op, 40)) + "</i>",
                "has the lowest local SQNR: " +
                    formatDb(worst.errors, worst.errors.getLocal()));
  }
  writeTile(os, llvm::Twine(report.ops.size()), "values compared");
  writeTile(os, llvm::Twine(report.floatOps.size()),
            "operations left in float");
  os << "</div>\n";
}

static void writeHead(llvm::raw_ostream &os, const ErrorReport &report) {
  os << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\">\n"
        // Says, and makes sure, that nothing is loaded or run.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
        "'none'; style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n<title>Quantization errors of "
     << escape(report.model) << "</title>\n<style>" << styleSheet
     << "</style>\n</head>\n<body>\n<main>\n<h1>Quantization errors</h1>\n"
     << "<p class=\"soft\"><code>" << escape(report.model)
     << "</code> compared with <code>" << escape(report.reference)
     << "</code> on " << count(report.samples, "sample") << " ("
     << count(report.batches, "run") << ")</p>\n";
  writeTiles(os, report);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

static void writeKey(llvm::raw_ostream &os, const char *classes,
                     llvm::StringRef label) {
  os << "<span class=\"key\"><i class=\"" << classes << "\"></i>" << label
     << "</span>\n";
}

static void writeProfile(llvm::raw_ostream &os, const ErrorReport &report) {
  std::vector<const OpErrors *> ops;
  for (const OpErrors &op : report.ops)
    ops.push_back(&op);
  llvm::sort(ops, [](const OpErrors *a, const OpErrors *b) {
    return a->index < b->index;
  });
  os << "<h2>Along the model</h2>\n<p>Each operation in the order of the "
        "model. Where <b>total</b> lies far below <b>local</b>, the error came "
        "in with the inputs.</p>\n<p>";
  writeKey(os, "total", "total SQNR");
  writeKey(os, "local", "local SQNR: with the float model's inputs");
  os << "</p>\n";
  drawProfile(os, ops);

  llvm::sort(ops, [](const OpErrors *a, const OpErrors *b) {
    double first = a->errors.getOrderedSqnrDb(a->errors.getLocal());
    double second = b->errors.getOrderedSqnrDb(b->errors.getLocal());
    return first != second ? first < second : a->index < b->index;
  });
  llvm::erase_if(
      ops, [](const OpErrors *op) { return op->errors.getLocal().power == 0; });
  if (ops.empty())
    return;
  const size_t numMade = ops.size();
  ops.resize(std::min<size_t>(numMade, 12));
  os << "<h2>Where errors are made</h2>\n<p>Local error relative to the values "
        "(root mean squares), largest first"
     << (numMade > ops.size() ? "; the first " + std::to_string(ops.size()) +
                                    " of " + std::to_string(numMade)
                              : std::string())
     << ".</p>\n";
  drawLocalErrors(os, ops);
}

static void writeWeights(llvm::raw_ostream &os, const OpErrors &op) {
  if (op.weights.empty())
    os << "<span class=\"soft\">none</span>";
  for (const WeightErrors &weight : op.weights)
    os << escape(weight.dtype) << "<small>"
       << formatDb(weight.errors, weight.errors.getTotal()) << ", "
       << formatPercent(weight.codes.getUsedShare()) << "</small>";
}

static void writeRow(llvm::raw_ostream &os, const OpErrors &op, size_t rank) {
  const ErrorStatistics &errors = op.errors;
  os << "<tr><td class=\"num soft\">" << rank + 1 << "</td><td><a href=\"#op"
     << rank << "\" title=\"" << escape(op.op) << "\"><code>"
     << escape(shortenName(op.op, 60)) << "</code></a><small>"
     << escape(op.kind) << "</small></td><td class=\"num\">"
     << formatDb(errors, errors.getTotal()) << "</td><td class=\"num\">"
     << formatDb(errors, errors.getLocal()) << "</td><td>";
  drawSplit(os, errors);
  os << "</td><td class=\"num\">" << formatNumber(errors.getTotal().maxAbs)
     << "<small>rms " << formatNumber(errors.getRms(errors.getTotal()))
     << "</small>";
  if (errors.getNonFinite() != 0)
    os << "<small>" << errors.getNonFinite() << " not finite</small>";
  os << "</td><td>" << escape(op.dtype) << "</td>";
  if (op.codes)
    os << "<td class=\"num\">" << formatPercent(op.codes->getClippedShare())
       << "</td><td class=\"num\">" << formatPercent(op.codes->getUsedShare())
       << "<small>" << op.codes->getUsedCodes() << " of "
       << op.codes->getNumCodes() << "</small></td>";
  else
    os << "<td class=\"num soft\">\u2013</td><td class=\"num soft\">\u2013"
          "</td>";
  os << "<td>";
  writeWeights(os, op);
  os << "</td></tr>\n";
}

static void writeTable(llvm::raw_ostream &os, const ErrorReport &report) {
  os << "<h2>All operations, worst first</h2>\n<p>";
  writeKey(os, "local", "local");
  writeKey(os, "inherited", "inherited");
  os << "</p>\n<div class=\"scroll\"><table>\n<thead><tr><th "
        "class=\"num\">#</th><th class=\"op\">operation</th><th "
        "class=\"num\">SQNR</th><th "
        "class=\"num\">local SQNR</th><th>error power</th><th "
        "class=\"num\">max error</th><th>stored as</th><th "
        "class=\"num\">clipped</th><th class=\"num\">codes "
        "used</th><th>weights: SQNR, codes used</th></tr></thead>\n<tbody>\n";
  for (auto [rank, op] : llvm::enumerate(report.ops))
    writeRow(os, op, rank);
  os << "</tbody></table></div>\n";
}

static void writeDetails(llvm::raw_ostream &os, const ErrorReport &report) {
  os << "<h2>Values and errors</h2>\n<p>Heights are logarithmic.</p>\n<p>";
  writeKey(os, "reference", "values of the float model");
  writeKey(os, "quantized", "values of the quantized model");
  writeKey(os, "error", "total error");
  os << "</p>\n";
  for (auto [rank, op] : llvm::enumerate(report.ops)) {
    const ErrorStatistics &errors = op.errors;
    os << "<details id=\"op" << rank << "\"" << (rank < 3 ? " open" : "")
       << "><summary><b><code>" << escape(op.op)
       << "</code></b> <span class=\"soft\">" << escape(op.kind) << ", "
       << formatDb(errors, errors.getTotal()) << "</span></summary>\n"
       << "<p class=\"soft\"><code>" << escape(op.id) << "</code>, "
       << escape(op.loc) << "; " << errors.getCount() << " elements";
    if (errors.getNonFinite() != 0)
      os << ", and " << errors.getNonFinite()
         << " that are NaN or infinite in one of the models, left out";
    os << "; root mean squares: values "
       << formatNumber(errors.getReferenceRms()) << ", total error "
       << formatNumber(errors.getRms(errors.getTotal())) << ", local "
       << formatNumber(errors.getRms(errors.getLocal())) << ", inherited "
       << formatNumber(errors.getRms(errors.getInherited())) << "</p>\n"
       << "<div class=\"pair\"><figure><figcaption>Values</figcaption>";
    drawValues(os, errors);
    os << "</figure><figure><figcaption>Total error</figcaption>";
    drawErrors(os, errors);
    os << "</figure></div></details>\n";
  }
}

//===----------------------------------------------------------------------===//
// Remarks
//===----------------------------------------------------------------------===//

static void writeRemarks(llvm::raw_ostream &os, llvm::StringRef title,
                         const std::vector<OpRemark> &remarks,
                         llvm::StringRef ifNone) {
  os << "<h2>" << title << "</h2>\n";
  if (remarks.empty()) {
    os << "<p>" << ifNone << "</p>\n";
    return;
  }
  os << "<div class=\"scroll\"><table>\n<thead><tr><th>operation</th>"
        "<th>reason</th><th>location</th></tr></thead>\n<tbody>\n";
  for (const OpRemark &remark : remarks)
    os << "<tr><td><code>" << escape(remark.op) << "</code></td><td>"
       << escape(remark.reason) << "</td><td><code>" << escape(remark.loc)
       << "</code></td></tr>\n";
  os << "</tbody></table></div>\n";
}

static void writeExplanation(llvm::raw_ostream &os) {
  os << R"html(<h2>How to read this</h2>
<dl>
<dt>SQNR</dt><dd>10 log<sub>10</sub> of the power of the float model's values
over the power of the error, in dB. 6 dB more is half the error. <i>exact</i>:
there is no error. <i>all error</i>: the float values are all zero.</dd>
<dt>total error</dt><dd>The value in the quantized model minus the value in the
float model.</dd>
<dt>local error</dt><dd>What the operation itself adds: its quantized form
(weights, bias, activation function and the quantization of its result), given
the float model's inputs, minus the float model's value.</dd>
<dt>inherited error</dt><dd>The rest: total minus local, element by element. The
bar shows the powers of both as shares of their sum; where they cancel or
reinforce each other, they do not add up to the power of the total.</dd>
<dt>clipped</dt><dd>Values that did not fit into the range of the codes. A large
share asks for another calibrator or a wider range.</dd>
<dt>codes used</dt><dd>Codes that occur at all, of those there are. A small
share means that the range is wider than the data.</dd>
</dl>
)html";
}

void quant_mlir::writeHtml(llvm::raw_ostream &os, const ErrorReport &report) {
  writeHead(os, report);
  if (!report.ops.empty()) {
    writeProfile(os, report);
    writeTable(os, report);
  }
  writeRemarks(os, "Left in float", report.floatOps, "None.");
  if (!report.notCompared.empty())
    writeRemarks(os, "Not compared", report.notCompared, "");
  if (!report.ops.empty())
    writeDetails(os, report);
  writeExplanation(os);
  os << "</main>\n</body>\n</html>\n";
}

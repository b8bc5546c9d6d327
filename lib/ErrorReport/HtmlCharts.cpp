//===- HtmlCharts.cpp - The drawings of the error report ------------------===//

#include "HtmlCharts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace quant_mlir;
using namespace quant_mlir::html;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

std::string html::escape(llvm::StringRef text) {
  std::string valid =
      llvm::json::isUTF8(text) ? text.str() : llvm::json::fixUTF8(text);
  // Control characters have no place in a document.
  for (char &c : valid)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  std::string escaped;
  llvm::raw_string_ostream os(escaped);
  llvm::printHTMLEscaped(valid, os);
  return escaped;
}

static std::string format(const char *pattern, double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format(pattern, value);
  return text;
}

std::string html::formatNumber(double value) { return format("%.4g", value); }

std::string html::formatPercent(double share) {
  return format("%.3g %%", 100 * share);
}

std::string html::formatDb(const ErrorStatistics &errors,
                           const Deviation &which) {
  return formatSqnr(errors, which, 1) + (errors.getSqnrDb(which) ? " dB" : "");
}

/// A coordinate.
static llvm::format_object<double> at(double value) {
  return llvm::format("%.1f", value);
}

static void addText(llvm::raw_ostream &os, double x, double y,
                    const char *classes, llvm::StringRef escaped) {
  os << "<text x=\"" << at(x) << "\" y=\"" << at(y) << "\" class=\"" << classes
     << "\">" << escaped << "</text>";
}

static void addLine(llvm::raw_ostream &os, double x1, double y1, double x2,
                    double y2, const char *classes) {
  os << "<line x1=\"" << at(x1) << "\" y1=\"" << at(y1) << "\" x2=\"" << at(x2)
     << "\" y2=\"" << at(y2) << "\" class=\"" << classes << "\"/>";
}

static void addRect(llvm::raw_ostream &os, double x, double y, double width,
                    double height, const char *classes) {
  os << "<rect x=\"" << at(x) << "\" y=\"" << at(y) << "\" width=\""
     << at(width) << "\" height=\"" << at(height) << "\" class=\"" << classes
     << "\"/>";
}

//===----------------------------------------------------------------------===//
// SQNR along the model
//===----------------------------------------------------------------------===//

namespace {
/// Decibels to a height; what is exact lies on a line of its own above.
struct DbScale {
  double low, high, top, bottom;

  double y(double db) const {
    if (db == std::numeric_limits<double>::infinity())
      return top - 18;
    db = std::clamp(db, low, high);
    return bottom - (db - low) / (high - low) * (bottom - top);
  }
};
} // namespace

static DbScale getScale(llvm::ArrayRef<const OpErrors *> ops, double top,
                        double bottom) {
  double low = 0, high = 10;
  for (const OpErrors *op : ops)
    for (const Deviation *which :
         {&op->errors.getTotal(), &op->errors.getLocal()})
      if (std::optional<double> sqnr = op->errors.getSqnrDb(*which)) {
        low = std::min(low, *sqnr);
        high = std::max(high, *sqnr);
      }
  return {10 * std::floor(low / 10), 10 * std::ceil(high / 10), top, bottom};
}

static void addSeries(llvm::raw_ostream &os,
                      llvm::ArrayRef<const OpErrors *> ops,
                      const DbScale &scale, double left, double step,
                      bool isLocal) {
  auto getDb = [&](const OpErrors *op) {
    return op->errors.getOrderedSqnrDb(isLocal ? op->errors.getLocal()
                                               : op->errors.getTotal());
  };
  os << "<polyline class=\"" << (isLocal ? "line local" : "line total")
     << "\" points=\"";
  for (auto [index, op] : llvm::enumerate(ops))
    os << at(left + (index + 0.5) * step) << ',' << at(scale.y(getDb(op)))
       << ' ';
  os << "\"/>\n";
  for (auto [index, op] : llvm::enumerate(ops)) {
    double x = left + (index + 0.5) * step, y = scale.y(getDb(op));
    const Deviation &which =
        isLocal ? op->errors.getLocal() : op->errors.getTotal();
    if (isLocal)
      os << "<rect x=\"" << at(x - 3.5) << "\" y=\"" << at(y - 3.5)
         << "\" width=\"7\" height=\"7\" class=\"mark local\">";
    else
      os << "<circle cx=\"" << at(x) << "\" cy=\"" << at(y)
         << "\" r=\"4.5\" class=\"mark total\">";
    os << "<title>" << escape(op->id) << ": " << (isLocal ? "local" : "total")
       << " SQNR " << formatDb(op->errors, which) << "</title>"
       << (isLocal ? "</rect>" : "</circle>") << '\n';
  }
}

void html::drawProfile(llvm::raw_ostream &os,
                       llvm::ArrayRef<const OpErrors *> ops) {
  if (ops.empty())
    return;
  const double left = 66, top = 46, bottom = 266, footer = 136;
  const double step = std::clamp(820.0 / ops.size(), 18.0, 90.0);
  const double width = left + step * ops.size() + 24;
  DbScale scale = getScale(ops, top, bottom);
  os << "<div class=\"scroll\"><svg class=\"profile\" width=\"" << at(width)
     << "\" height=\"" << at(bottom + footer) << "\" viewBox=\"0 0 "
     << at(width) << ' ' << at(bottom + footer)
     << "\" role=\"img\" aria-label=\"SQNR of each operation\">\n";
  const double spacing = scale.high - scale.low > 80 ? 20 : 10;
  for (double db = scale.low; db <= scale.high; db += spacing) {
    addLine(os, left, scale.y(db), width - 16, scale.y(db),
            db == scale.low ? "axis" : "grid");
    addText(os, left - 8, scale.y(db) + 4, "tick end", format("%.0f", db));
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  bool hasExact = llvm::any_of(ops, [](const OpErrors *op) {
    return op->errors.getTotal().power == 0 || op->errors.getLocal().power == 0;
  });
  if (hasExact) {
    addLine(os, left, scale.y(infinity), width - 16, scale.y(infinity),
            "grid dashed");
    addText(os, left - 8, scale.y(infinity) + 4, "tick end", "exact");
  }
  addText(os, 0, 12, "tick", "SQNR in dB: higher is better");
  addSeries(os, ops, scale, left, step, /*isLocal=*/true);
  addSeries(os, ops, scale, left, step, /*isLocal=*/false);
  for (auto [index, op] : llvm::enumerate(ops)) {
    double x = left + (index + 0.5) * step;
    os << "<text transform=\"translate(" << at(x + 4) << ',' << at(bottom + 14)
       << ") rotate(-55)\" class=\"tick end\">"
       << escape(shortenName(op->op, 21)) << "</text>\n";
  }
  os << "</svg></div>\n";
}

//===----------------------------------------------------------------------===//
// Bars
//===----------------------------------------------------------------------===//

/// Local error relative to the values of the float model, both as root mean
/// squares.
static double getRelativeLocal(const OpErrors *op) {
  double reference = op->errors.getReferenceRms();
  return reference == 0 ? 0
                        : op->errors.getRms(op->errors.getLocal()) / reference;
}

void html::drawLocalErrors(llvm::raw_ostream &os,
                           llvm::ArrayRef<const OpErrors *> ops) {
  const double left = 230, barWidth = 540, row = 24;
  double largest = 0;
  for (const OpErrors *op : ops)
    largest = std::max(largest, getRelativeLocal(op));
  if (largest == 0)
    return;
  const double height = row * ops.size() + 8;
  os << "<div class=\"scroll\"><svg width=\"860\" height=\"" << at(height)
     << "\" viewBox=\"0 0 860 " << at(height)
     << "\" role=\"img\" aria-label=\"Local error of each operation\">\n";
  for (auto [index, op] : llvm::enumerate(ops)) {
    double share = getRelativeLocal(op), y = 4 + row * index;
    addText(os, left - 10, y + 15, "label end",
            escape(shortenName(op->op, 30)));
    addRect(os, left, y + 3, barWidth, row - 8, "track");
    addRect(os, left, y + 3, std::max(1.0, barWidth * share / largest), row - 8,
            "fill local");
    addText(os, left + barWidth + 10, y + 15, "label", formatPercent(share));
    os << '\n';
  }
  os << "</svg></div>\n";
}

void html::drawSplit(llvm::raw_ostream &os, const ErrorStatistics &errors) {
  const double width = 120;
  double sum = errors.getLocal().power + errors.getInherited().power;
  os << "<svg class=\"split\" width=\"120\" height=\"12\" viewBox=\"0 0 120 "
        "12\" role=\"img\" aria-label=\"";
  if (sum == 0) {
    os << "no error\">";
    addRect(os, 0, 0, width, 12, "track");
  } else {
    double local = errors.getLocal().power / sum;
    os << "local " << formatPercent(local) << "\"><title>local "
       << formatPercent(local) << ", inherited " << formatPercent(1 - local)
       << "</title>";
    addRect(os, 0, 0, width * local, 12, "fill local");
    addRect(os, width * local, 0, width * (1 - local), 12, "fill inherited");
  }
  os << "</svg>";
}

//===----------------------------------------------------------------------===//
// Histograms
//===----------------------------------------------------------------------===//

namespace {
/// Heights are logarithmic: a relu's zeros would hide all others.
struct HistogramFrame {
  static constexpr double width = 400, left = 6, top = 8, base = 124;
  int64_t first, last; ///< bins
  double largest;      ///< count

  explicit HistogramFrame(
      llvm::ArrayRef<const numerics::Histogram *> histograms) {
    first = 0;
    last = 0;
    uint64_t most = 1;
    for (const numerics::Histogram *histogram : histograms) {
      first = std::min<int64_t>(first, histogram->first());
      last = std::max<int64_t>(
          last, histogram->first() + int64_t(histogram->counts().size()) - 1);
      for (uint64_t count : histogram->counts())
        most = std::max(most, count);
    }
    largest = std::log1p(double(most));
  }
  double x(int64_t bin) const {
    return left +
           (width - 2 * left) * double(bin - first) / double(last + 1 - first);
  }
  double y(uint64_t count) const {
    return base - (base - top) * std::log1p(double(count)) / largest;
  }
};
} // namespace

static void openHistogram(llvm::raw_ostream &os, llvm::StringRef label) {
  os << "<svg class=\"histogram\" viewBox=\"0 0 400 150\" role=\"img\" "
        "aria-label=\""
     << label << "\">";
}

/// The outline of the bins, closed along the axis where it is filled.
static void addBins(llvm::raw_ostream &os, const HistogramFrame &frame,
                    const numerics::Histogram &histogram, const char *classes) {
  if (histogram.isEmpty())
    return;
  int64_t bin = histogram.first();
  os << "<path class=\"" << classes << "\" d=\"M" << at(frame.x(bin)) << ' '
     << at(HistogramFrame::base);
  for (uint64_t count : histogram.counts()) {
    os << 'V' << at(frame.y(count)) << 'H' << at(frame.x(++bin));
  }
  os << 'V' << at(HistogramFrame::base) << "Z\"/>";
}

static void closeHistogram(llvm::raw_ostream &os, const HistogramFrame &frame,
                           const numerics::Histogram &scale) {
  addLine(os, HistogramFrame::left, HistogramFrame::base,
          HistogramFrame::width - HistogramFrame::left, HistogramFrame::base,
          "axis");
  double low = scale.lowerEdge(frame.first);
  double high = scale.lowerEdge(frame.last + 1);
  addText(os, HistogramFrame::left, 142, "tick", formatNumber(low));
  addText(os, HistogramFrame::width - HistogramFrame::left, 142, "tick end",
          formatNumber(high));
  // Zero has a tick where it does not run into the ends.
  double zero = frame.x(0);
  if (zero > 70 && zero < HistogramFrame::width - 70) {
    addLine(os, zero, HistogramFrame::base, zero, HistogramFrame::base + 5,
            "axis");
    addText(os, zero, 142, "tick middle", "0");
  }
  os << "</svg>";
}

static constexpr int numBins = 64;

void html::drawValues(llvm::raw_ostream &os, const ErrorStatistics &errors) {
  numerics::Histogram reference = coarsen(errors.getReferenceValues(), numBins);
  numerics::Histogram quantized = coarsen(errors.getQuantizedValues(), numBins);
  int widthLog2 = std::max(reference.widthLog2(), quantized.widthLog2());
  reference = coarsenTo(reference, widthLog2);
  quantized = coarsenTo(quantized, widthLog2);
  const numerics::Histogram *both[] = {&reference, &quantized};
  HistogramFrame frame(both);
  openHistogram(os, "Histogram of values");
  addBins(os, frame, reference, "area reference");
  addBins(os, frame, quantized, "outline quantized");
  closeHistogram(os, frame, reference.isEmpty() ? quantized : reference);
}

void html::drawErrors(llvm::raw_ostream &os, const ErrorStatistics &errors) {
  numerics::Histogram histogram = coarsen(errors.getErrors(), numBins);
  const numerics::Histogram *only = &histogram;
  HistogramFrame frame(only);
  openHistogram(os, "Histogram of errors");
  addBins(os, frame, histogram, "area error");
  closeHistogram(os, frame, histogram);
}

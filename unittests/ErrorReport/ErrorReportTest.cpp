//===- ErrorReportTest.cpp ------------------------------------------------===//

#include "quant-mlir/ErrorReport/ErrorReport.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace quant_mlir;

namespace {

OpErrors makeOp(const char *name, int64_t index, float error) {
  OpErrors op;
  op.op = name;
  op.id = std::string(name) + ".out0";
  op.kind = "matmul";
  op.loc = "model.mlir:1:1";
  op.dtype = "f32";
  op.index = index;
  const float f[] = {1, -1}, q[] = {1 + error, -1};
  op.errors.add(f, q, f, 2);
  return op;
}

std::string toHtml(const ErrorReport &report) {
  std::string text;
  llvm::raw_string_ostream os(text);
  writeHtml(os, report);
  return text;
}

llvm::json::Value toJson(const ErrorReport &report, bool pretty) {
  std::string text;
  llvm::raw_string_ostream os(text);
  writeJson(os, report, pretty);
  EXPECT_EQ(pretty, llvm::StringRef(text).count('\n') > 1);
  return llvm::cantFail(llvm::json::parse(text));
}

TEST(ErrorReport, WorstComesFirstAndEqualOnesInOrder) {
  ErrorReport report;
  for (float error : {0.0f, 0.1f, 0.5f, 0.1f, 0.0f})
    report.ops.push_back(makeOp("op", report.ops.size(), error));
  report.sortWorstFirst();
  std::vector<int64_t> order;
  for (const OpErrors &op : report.ops)
    order.push_back(op.index);
  EXPECT_EQ(order, std::vector<int64_t>({2, 1, 3, 0, 4}));
}

TEST(ErrorReport, NamesAreShortenedToWhatTellsThemApart) {
  EXPECT_EQ(shortenName("conv1.out0", 10), "conv1.out0");
  EXPECT_EQ(shortenName("a/Relu;a/BatchNorm;a/Conv2D", 10), "a/Relu");
  EXPECT_EQ(shortenName("a/Relu;a/BatchNorm;a/Conv2D#12.in1", 14),
            "a/Relu#12.in1");
  EXPECT_EQ(shortenName("main/linalg.generic#7", 12), "\u2026g.generic#7");
  EXPECT_EQ(shortenName("a\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", 8),
            "\u2026\u00e9\u00e9\u00e9");
  EXPECT_EQ(shortenName("#123456789012345678", 8), "\u20262345678");
}

TEST(ErrorReport, TextOfTheModelIsEscaped) {
  ErrorReport report;
  report.model = "<script>alert(1)</script>.mlir";
  report.ops.push_back(makeOp("a\"><img src=x>&'\x01\xff", 0, 0.5f));
  report.floatOps.push_back({"<b>", "</td>", "\xc3\x28"});
  std::string html = toHtml(report);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_EQ(html.find("<td><code><b>"), std::string::npos);
  EXPECT_TRUE(llvm::json::isUTF8(html));
  EXPECT_EQ(html.find('\x01'), std::string::npos);
  // JSON takes the same bytes.
  llvm::json::Value json = toJson(report, true);
  EXPECT_EQ(json.getAsObject()->getString("model"),
            "<script>alert(1)</script>.mlir");
}

TEST(ErrorReport, JsonHasNeitherNanNorInfinity) {
  ErrorReport report;
  report.ops.push_back(makeOp("exact", 0, 0.0f));
  report.ops.push_back(OpErrors());
  llvm::json::Value json = toJson(report, false);
  const llvm::json::Array &ops = *json.getAsObject()->getArray("ops");
  for (const llvm::json::Value &op : ops) {
    EXPECT_EQ(*op.getAsObject()->get("sqnr_db"), llvm::json::Value(nullptr));
    EXPECT_EQ(op.getAsObject()->getNumber("max_abs_error"), 0.0);
  }
}

TEST(ErrorReport, AnEmptyReportIsWhole) {
  ErrorReport report;
  std::string html = toHtml(report);
  EXPECT_NE(html.find("</html>"), std::string::npos);
  EXPECT_EQ(html.find("nan"), std::string::npos);
  EXPECT_EQ(*toJson(report, true).getAsObject()->getInteger("version"), 1);
  std::string text;
  llvm::raw_string_ostream os(text);
  writeText(os, report);
  EXPECT_TRUE(text.empty());
}

} // namespace

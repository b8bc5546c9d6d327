//===- QParamsLayout.cpp - Assembly of layouts ----------------------------===//

#include "quant-mlir/Dialect/Quant/IR/QParams.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace quant_mlir;

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef kind;
  if (parser.parseLess() || parser.parseKeyword(&kind))
    return {};
  RankedTensorType codes;
  SmallVector<int64_t> batch, columns, reduction;
  int64_t run = 0, panel = 0, group = 0, block = 0, offset = 0;
  while (succeeded(parser.parseOptionalComma())) {
    if (!codes) {
      if (parser.parseType(codes))
        return {};
      continue;
    }
    StringRef name;
    SMLoc nameLoc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name) || parser.parseEqual())
      return {};
    SmallVector<int64_t> *list =
        llvm::StringSwitch<SmallVector<int64_t> *>(name)
            .Case("batch", &batch)
            .Case("columns", &columns)
            .Case("reduction", &reduction)
            .Default(nullptr);
    int64_t *number = llvm::StringSwitch<int64_t *>(name)
                          .Case("run", &run)
                          .Case("panel", &panel)
                          .Case("group", &group)
                          .Case("block", &block)
                          .Case("offset", &offset)
                          .Default(nullptr);
    if (!list && !number) {
      parser.emitError(nameLoc)
          << "expected batch, columns, reduction, run, panel, group, block or "
             "offset, found '"
          << name << "'";
      return {};
    }
    ParseResult result =
        number
            ? parser.parseInteger(*number)
            : parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
                return parser.parseInteger(list->emplace_back());
              });
    if (result)
      return {};
  }
  if (parser.parseGreater())
    return {};
  auto emitError = [&] { return parser.emitError(loc); };
  if (failed(verify(emitError, kind, codes, batch, columns, reduction, run,
                    panel, group, block, offset)))
    return {};
  return get(parser.getContext(), kind, codes, batch, columns, reduction, run,
             panel, group, block, offset);
}

void LayoutAttr::print(AsmPrinter &printer) const {
  printer << '<' << getKind();
  if (getCodesType())
    printer << ", " << getCodesType();
  auto printList = [&](StringRef name, ArrayRef<int64_t> values) {
    if (values.empty())
      return;
    printer << ", " << name << " = [";
    llvm::interleaveComma(values, printer);
    printer << ']';
  };
  printList("batch", getBatch());
  printList("columns", getColumns());
  printList("reduction", getReduction());
  for (auto [name, value] : {std::pair<StringRef, int64_t>("run", getRun()),
                             {"panel", getPanel()},
                             {"group", getGroup()},
                             {"block", getBlock()},
                             {"offset", getOffset()}})
    if (value)
      printer << ", " << name << " = " << value;
  printer << '>';
}

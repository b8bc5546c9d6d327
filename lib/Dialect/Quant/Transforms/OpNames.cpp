//===- OpNames.cpp - Stable names of operations ---------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/OpNames.h"

#include "quant-mlir/Dialect/Quant/IR/QuantizableOpInterface.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quant_mlir;

static constexpr llvm::StringLiteral nameAttr = "quant.name";

/// The first name in a location: importers nest it in fused and call-site ones.
static StringRef findName(Location loc) {
  return TypeSwitch<LocationAttr, StringRef>(loc)
      .Case([](NameLoc name) { return name.getName().getValue(); })
      .Case([](FusedLoc fused) {
        for (Location part : fused.getLocations())
          if (StringRef name = findName(part); !name.empty())
            return name;
        return StringRef();
      })
      .Case([](CallSiteLoc call) { return findName(call.getCallee()); })
      .Default([](LocationAttr) { return StringRef(); });
}

static void assignInFunction(FunctionOpInterface function,
                             function_ref<bool(Operation *)> needed) {
  SmallVector<Operation *> ops;
  llvm::StringMap<unsigned> uses;
  function->walk([&](QuantizableOpInterface op) {
    if (op.getQuantizableKind().empty())
      return;
    ops.push_back(op);
    if (auto name = op->getAttrOfType<StringAttr>(nameAttr))
      ++uses[name.getValue()];
    else if (StringRef name = findName(op->getLoc()); !name.empty())
      ++uses[name];
  });
  llvm::StringMap<unsigned> count;
  for (Operation *op : ops) {
    if (op->hasAttr(nameAttr))
      continue;
    std::string base = findName(op->getLoc()).str();
    bool unique = !base.empty() && uses[base] == 1;
    if (base.empty())
      base = (function.getName() + "/" + op->getName().getStringRef()).str();
    std::string name = base;
    // Names fixed by an earlier pass are not given twice.
    if (!unique)
      do
        name = base + "#" + std::to_string(count[base]++);
      while (uses.contains(name));
    if (needed(op))
      op->setAttr(nameAttr, StringAttr::get(op->getContext(), name));
  }
}

void quant_mlir::assignQuantNames(Operation *root,
                                  function_ref<bool(Operation *)> needed) {
  root->walk([&](FunctionOpInterface function) {
    assignInFunction(function, needed);
  });
}

StringRef quant_mlir::getQuantName(Operation *op) {
  if (auto name = op->getAttrOfType<StringAttr>(nameAttr))
    return name.getValue();
  return op->getName().getStringRef();
}

void quant_mlir::setQuantName(Operation *op, StringRef name) {
  op->setAttr(nameAttr, StringAttr::get(op->getContext(), name));
}

std::string quant_mlir::describeLoc(Location loc) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    os << file.getFilename().getValue() << ":" << file.getLine() << ":"
       << file.getColumn();
  else if (StringRef name = findName(loc); !name.empty())
    os << name;
  else
    os << "unknown";
  return text;
}

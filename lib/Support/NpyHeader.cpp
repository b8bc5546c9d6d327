//===- NpyHeader.cpp ------------------------------------------------------===//

#include "NpyHeader.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/StringExtras.h"

using namespace quant_mlir;

namespace {
class HeaderParser {
public:
  explicit HeaderParser(llvm::StringRef text) : rest(text) {}

  llvm::Expected<NpyHeader> parse();

private:
  static constexpr llvm::StringLiteral keys[3] = {"descr", "fortran_order",
                                                  "shape"};

  llvm::Error parseEntry(NpyHeader &header);
  llvm::Error parseDescr(NpyHeader &header);
  llvm::Error parseOrder();
  llvm::Error parseShape(NpyHeader &header);
  llvm::Expected<int64_t> parseSize();
  llvm::Expected<llvm::StringRef> parseString();

  llvm::StringRef peek() { return rest = rest.ltrim(" \t\r\n"); }
  bool consume(llvm::StringRef token) {
    peek();
    return rest.consume_front(token);
  }
  llvm::Error expected(const llvm::Twine &what) {
    return makeError("malformed .npy header: expected " + what + ", found " +
                     (peek().empty() ? std::string("the end of the header")
                                     : quoteForMessage(rest)));
  }

  llvm::StringRef rest;
  bool seen[3] = {false, false, false};
};
} // namespace

llvm::Expected<NpyHeader> HeaderParser::parse() {
  NpyHeader header;
  if (!consume("{"))
    return expected("'{'");
  while (!consume("}")) {
    if (llvm::Error error = parseEntry(header))
      return error;
    if (!consume(",") && !peek().starts_with("}"))
      return expected("',' or '}'");
  }
  if (!peek().empty())
    return expected("nothing after the dictionary");
  for (auto [key, found] : llvm::zip(keys, seen))
    if (!found)
      return makeError("malformed .npy header: the key '" + key +
                       "' is missing");
  return header;
}

llvm::Error HeaderParser::parseEntry(NpyHeader &header) {
  llvm::Expected<llvm::StringRef> key = parseString();
  if (!key)
    return key.takeError();
  const auto *it = llvm::find(keys, *key);
  if (it == std::end(keys))
    return makeError("malformed .npy header: expected the keys 'descr', "
                     "'fortran_order' and 'shape', found " +
                     quoteForMessage(*key));
  size_t index = static_cast<size_t>(it - std::begin(keys));
  if (seen[index])
    return makeError("malformed .npy header: the key '" + *key +
                     "' is there twice");
  seen[index] = true;
  if (!consume(":"))
    return expected("':'");
  switch (index) {
  case 0:
    return parseDescr(header);
  case 1:
    return parseOrder();
  default:
    return parseShape(header);
  }
}

llvm::Expected<llvm::StringRef> HeaderParser::parseString() {
  llvm::StringRef quote = peek().take_front();
  if (quote != "'" && quote != "\"")
    return expected("a string");
  auto [text, after] = rest.drop_front().split(quote);
  if (text.size() + 1 == rest.size())
    return expected("a closed string");
  rest = after;
  return text;
}

llvm::Error HeaderParser::parseDescr(NpyHeader &header) {
  if (peek().starts_with("["))
    return makeError("holds a structured array; expected one plain type per "
                     "element: save the fields as arrays of their own");
  llvm::Expected<llvm::StringRef> text = parseString();
  if (!text)
    return text.takeError();
  llvm::StringRef type = *text;
  bool big = type.consume_front(">");
  bool hasOrder = big || type.consume_front("<") || type.consume_front("|");
  if (type.starts_with("O"))
    return makeError("holds Python objects (dtype " + quoteForMessage(*text) +
                     "); expected numbers: save it after .astype('float32')");
  for (unsigned i = 0; i <= static_cast<unsigned>(DType::Float64); ++i) {
    DType candidate = static_cast<DType>(i);
    if (!hasOrder || type != descr(candidate).drop_front())
      continue;
    if (byteWidth(candidate) > 1 && text->starts_with("|"))
      break;
    if (big && byteWidth(candidate) > 1)
      return makeError("is big-endian (dtype " + quoteForMessage(*text) +
                       "); expected little-endian: save it after "
                       ".astype('" +
                       name(candidate) + "')");
    header.dtype = candidate;
    return llvm::Error::success();
  }
  return makeError("has the unsupported dtype " + quoteForMessage(*text) +
                   "; expected bool, int8 to int64, uint8 to uint64, float16, "
                   "float32 or float64: convert it with .astype()");
}

llvm::Error HeaderParser::parseOrder() {
  if (consume("False"))
    return llvm::Error::success();
  if (consume("True"))
    return makeError("is in Fortran order; expected C order: save it after "
                     "numpy.ascontiguousarray()");
  return expected("True or False");
}

llvm::Expected<int64_t> HeaderParser::parseSize() {
  if (peek().starts_with("-"))
    return expected("sizes that are not negative");
  llvm::StringRef digits =
      rest.take_while([](char c) { return llvm::isDigit(c); });
  if (digits.empty())
    return expected("a size or ')'");
  int64_t size;
  if (digits.getAsInteger(10, size))
    return expected("a size that fits in 63 bits");
  rest = rest.drop_front(digits.size());
  // Python 2 wrote long integers with a suffix.
  rest.consume_front("L");
  return size;
}

llvm::Error HeaderParser::parseShape(NpyHeader &header) {
  if (!consume("("))
    return expected("the shape, a tuple of sizes");
  bool comma = true;
  while (!consume(")")) {
    if (!comma)
      return expected("',' or ')'");
    llvm::Expected<int64_t> size = parseSize();
    if (!size)
      return size.takeError();
    header.shape.push_back(*size);
    comma = consume(",");
  }
  // (3) is a number in Python, not a tuple.
  if (header.shape.size() == 1 && !comma)
    return makeError("malformed .npy header: expected the shape as a tuple, "
                     "found a number in parentheses");
  return llvm::Error::success();
}

llvm::Expected<NpyHeader> quant_mlir::parseNpyHeader(llvm::StringRef text) {
  return HeaderParser(text).parse();
}

//===- QuantConfig.cpp - Per-op rules from a YAML file --------------------===//
//
// LLVM's YAML parser gives the tree; this reads it with errors that point at
// the line.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/QuantConfig.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"
#include <set>

using namespace quant_mlir;
using llvm::StringRef;
using llvm::Twine;
namespace yaml = llvm::yaml;

namespace quant_mlir {
/// Reads one document. The first error is kept, and every read after it is a
/// no-op, so that callers check once at the end.
class ConfigReader {
public:
  ConfigReader(StringRef text, StringRef path) : path(path) {
    sourceMgr.setDiagHandler(
        [](const llvm::SMDiagnostic &diag, void *self) {
          static_cast<ConfigReader *>(self)->fail(diag.getLineNo(),
                                                  diag.getMessage());
        },
        this);
    stream = std::make_unique<yaml::Stream>(text, sourceMgr,
                                            /*ShowColors=*/false);
  }

  llvm::Expected<QuantConfig> read() {
    QuantConfig config;
    config.path = path.str();
    yaml::document_iterator document = stream->begin();
    yaml::Node *root = document != stream->end() ? document->getRoot() : nullptr;
    if (!failed() && root && !isNull(root))
      readMapping(root, "the configuration",
                  [&](StringRef key, yaml::Node *keyNode, yaml::Node *value) {
                    if (key == "global")
                      config.global = readRule(value);
                    else if (key == "op_type")
                      readPatterns(value, "op_type", config.byType);
                    else if (key == "op_name")
                      readPatterns(value, "op_name", config.byName);
                    else
                      failKey(keyNode, key, "global, op_type or op_name");
                  });
    if (!failed() && root && ++document != stream->end())
      fail(document->getRoot(), "expected one document, found a second one");
    if (failed())
      return llvm::createStringError(message);
    return config;
  }

private:
  bool failed() const { return !message.empty(); }

  void fail(unsigned line, const Twine &what) {
    if (!failed())
      message = (path + (line ? ":" + Twine(line) : Twine()) + ": " + what).str();
  }
  void fail(yaml::Node *node, const Twine &what) {
    unsigned line = 0;
    if (node && node->getSourceRange().isValid())
      line = sourceMgr.getLineAndColumn(node->getSourceRange().Start).first;
    fail(line, what);
  }
  void failKey(yaml::Node *node, StringRef key, StringRef expected) {
    fail(node, "expected " + expected + ", found '" + key + "'");
  }

  std::string scalar(yaml::Node *node, StringRef what) {
    if (auto *text = llvm::dyn_cast_or_null<yaml::ScalarNode>(node)) {
      llvm::SmallString<64> storage;
      return text->getValue(storage).str();
    }
    if (auto *text = llvm::dyn_cast_or_null<yaml::BlockScalarNode>(node))
      return text->getValue().str();
    fail(node, "expected " + what + " to be a single value");
    return "";
  }

  bool isNull(yaml::Node *node) {
    if (!node || llvm::isa<yaml::NullNode>(node))
      return true;
    auto *text = llvm::dyn_cast<yaml::ScalarNode>(node);
    return text && (text->getRawValue() == "null" ||
                    text->getRawValue() == "~" || text->getRawValue().empty());
  }

  template <typename Read>
  void readMapping(yaml::Node *node, StringRef what, Read read) {
    auto *mapping = llvm::dyn_cast_or_null<yaml::MappingNode>(node);
    if (!mapping)
      return fail(node, "expected " + what + " to be a mapping");
    std::set<std::string> seen;
    for (yaml::KeyValueNode &entry : *mapping) {
      yaml::Node *keyNode = entry.getKey();
      std::string key = scalar(keyNode, "a key of " + what.str());
      if (failed())
        return;
      if (!seen.insert(key).second)
        return fail(keyNode, "'" + key + "' is given twice in " + what);
      yaml::Node *value = entry.getValue();
      if (failed())
        return;
      read(key, keyNode, value);
      if (failed())
        return;
    }
  }

  void readPatterns(yaml::Node *node, StringRef level,
                    std::vector<QuantConfig::Pattern> &patterns) {
    if (isNull(node))
      return;
    readMapping(node, level,
                [&](StringRef key, yaml::Node *keyNode, yaml::Node *value) {
                  auto regex =
                      std::make_shared<llvm::Regex>(("^(" + key + ")$").str());
                  std::string why;
                  // By itself too: ")(" is valid only between the parentheses.
                  if (!llvm::Regex(key).isValid(why) || !regex->isValid(why))
                    return fail(keyNode, "expected a regular expression, found '" +
                                             key + "': " + why);
                  patterns.push_back(
                      {key.str(), std::move(regex), readRule(value), false});
                });
  }

  OpRule readRule(yaml::Node *node) {
    OpRule rule;
    if (isNull(node)) {
      TensorRule disabled;
      disabled.disabled = true;
      rule.weight = rule.input = rule.output = disabled;
      return rule;
    }
    readMapping(node, "a rule",
                [&](StringRef key, yaml::Node *keyNode, yaml::Node *value) {
                  if (key == "weight")
                    rule.weight = readTensorRule(value, /*isWeight=*/true);
                  else if (key == "input")
                    rule.input = readTensorRule(value, /*isWeight=*/false);
                  else if (key == "output")
                    rule.output = readTensorRule(value, /*isWeight=*/false);
                  else
                    failKey(keyNode, key, "weight, input or output");
                });
    return rule;
  }

  TensorRule readTensorRule(yaml::Node *node, bool isWeight) {
    TensorRule rule;
    if (isNull(node)) {
      rule.disabled = true;
      return rule;
    }
    WeightRequest &request = rule.request;
    readMapping(
        node, "a tensor's rule",
        [&](StringRef key, yaml::Node *keyNode, yaml::Node *value) {
          if (key == "granularity")
            return readGranularity(value, request);
          if (key == "float_range")
            return readFloatRange(value, request);
          std::optional<std::string> *target =
              key == "dtype"          ? &request.dtype
              : key == "qscheme"      ? &request.qscheme
              : key == "qformulation" ? &request.qformulation
              : key == "scale_dtype"  ? &request.scaleDtype
              : key == "calibrator" && !isWeight ? &rule.calibrator
                                                 : nullptr;
          if (!target)
            return failKey(keyNode, key,
                           isWeight ? "dtype, qscheme, qformulation, "
                                      "granularity, scale_dtype or float_range"
                                    : "dtype, qscheme, qformulation, "
                                      "granularity, scale_dtype, float_range or "
                                      "calibrator");
          if (!isNull(value))
            *target = scalar(value, key);
        });
    // Combinations are judged once the flags have filled what is open; values
    // that nobody knows, here at their line.
    if (!failed())
      if (llvm::Error error = checkValues(request))
        fail(node, llvm::toString(std::move(error)));
    return rule;
  }

  int64_t readInteger(yaml::Node *node, StringRef what) {
    std::string text = scalar(node, what);
    int64_t value = 0;
    if (!failed() && StringRef(text).getAsInteger(10, value))
      fail(node, "expected " + what + " to be an integer, found '" + text + "'");
    return value;
  }

  void readGranularity(yaml::Node *node, WeightRequest &request) {
    if (isNull(node))
      return;
    readMapping(node, "granularity",
                [&](StringRef key, yaml::Node *keyNode, yaml::Node *value) {
                  if (key == "type") {
                    if (!isNull(value))
                      request.granularity = scalar(value, key);
                  } else if (key == "axis") {
                    if (!isNull(value))
                      request.axis = readInteger(value, key);
                  } else if (key == "block_size") {
                    readBlockSizes(value, request);
                  } else
                    failKey(keyNode, key, "type, axis or block_size");
                });
  }

  void readBlockSizes(yaml::Node *node, WeightRequest &request) {
    if (isNull(node))
      return;
    llvm::SmallVector<int64_t> sizes;
    if (auto *list = llvm::dyn_cast<yaml::SequenceNode>(node)) {
      for (yaml::Node &entry : *list)
        sizes.push_back(readInteger(&entry, "block_size"));
      if (sizes.empty())
        fail(node, "expected block_size to be a number, or one per dimension, "
                   "found an empty list");
    } else {
      sizes.push_back(readInteger(node, "block_size"));
    }
    request.blockSizes = sizes;
  }

  void readFloatRange(yaml::Node *node, WeightRequest &request) {
    if (isNull(node))
      return;
    auto *list = llvm::dyn_cast<yaml::SequenceNode>(node);
    if (!list)
      return fail(node, "expected float_range to be [low, high], each a number "
                        "or null");
    unsigned count = 0;
    for (yaml::Node &entry : *list) {
      std::optional<float> &end = count++ ? request.floatHi : request.floatLo;
      if (isNull(&entry))
        continue;
      std::string text = scalar(&entry, "an end of float_range");
      double value;
      if (!failed() && !llvm::to_float(text, value))
        return fail(&entry, "expected an end of float_range to be a number or "
                            "null, found '" +
                                text + "'");
      end = static_cast<float>(value);
    }
    if (count != 2)
      fail(node, "expected float_range to have two ends, found " + Twine(count));
  }

  StringRef path;
  llvm::SourceMgr sourceMgr;
  std::unique_ptr<yaml::Stream> stream;
  std::string message;
};
} // namespace quant_mlir

llvm::Expected<QuantConfig> QuantConfig::load(StringRef path) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError("cannot read the configuration '" + path +
                                   "': " + buffer.getError().message());
  return parse((*buffer)->getBuffer(), path);
}

llvm::Expected<QuantConfig> QuantConfig::parse(StringRef text, StringRef path) {
  return ConfigReader(text, path).read();
}

static const std::optional<TensorRule> &get(const OpRule &rule,
                                            QuantConfig::Tensor tensor) {
  switch (tensor) {
  case QuantConfig::Tensor::Weight:
    return rule.weight;
  case QuantConfig::Tensor::Input:
    return rule.input;
  case QuantConfig::Tensor::Output:
    return rule.output;
  }
  llvm_unreachable("all tensors handled");
}

QuantConfig::Match QuantConfig::match(Tensor tensor, StringRef opName,
                                      StringRef opType, StringRef kind) {
  Match result;
  auto consider = [&](const OpRule &rule, const Twine &where,
                      unsigned specificity) {
    if (const std::optional<TensorRule> &found = get(rule, tensor);
        found && !result.rule)
      result = {&*found, where.str(), specificity};
  };
  // Every pattern is tried, also behind the winner, to learn which are used.
  for (Pattern &pattern : byName)
    if (pattern.regex->match(opName)) {
      pattern.used = true;
      consider(pattern.rule, "op_name \"" + pattern.text + "\"", 3);
    }
  for (Pattern &pattern : byType)
    if (pattern.regex->match(opType) || pattern.regex->match(kind)) {
      pattern.used = true;
      consider(pattern.rule, "op_type \"" + pattern.text + "\"", 2);
    }
  consider(global, "global", 1);
  return result;
}

llvm::Error QuantConfig::checkAllUsed() const {
  auto check = [&](const std::vector<Pattern> &patterns,
                   StringRef level) -> llvm::Error {
    for (const Pattern &pattern : patterns)
      if (!pattern.used)
        return llvm::createStringError(
            path + ": the rule \"" + pattern.text + "\" of " + level +
            " matches no operation: compare it with the names in the report, or "
            "remove it");
    return llvm::Error::success();
  };
  if (llvm::Error error = check(byType, "op_type"))
    return error;
  return check(byName, "op_name");
}

//===- WeightSettings.cpp - How a weight is to be quantized ---------------===//

#include "quant-mlir/Dialect/Quant/Transforms/WeightSettings.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace quant_mlir;
using llvm::ArrayRef;
using llvm::StringRef;

StringRef quant_mlir::stringify(GranularityKind kind) {
  switch (kind) {
  case GranularityKind::PerTensor:
    return "per_tensor";
  case GranularityKind::PerChannel:
    return "per_channel";
  case GranularityKind::PerBlock:
    return "per_block";
  }
  llvm_unreachable("all granularities handled");
}

std::optional<GranularityKind>
quant_mlir::parseGranularityKind(StringRef text) {
  for (GranularityKind kind :
       {GranularityKind::PerTensor, GranularityKind::PerChannel,
        GranularityKind::PerBlock})
    if (text == stringify(kind))
      return kind;
  return std::nullopt;
}

bool WeightSettings::operator==(const WeightSettings &other) const {
  return spec.storage == other.spec.storage &&
         spec.scheme == other.spec.scheme &&
         spec.formulation == other.spec.formulation &&
         spec.scaleType == other.spec.scaleType &&
         spec.floatLo == other.spec.floatLo &&
         spec.floatHi == other.spec.floatHi &&
         granularity == other.granularity && blockSizes == other.blockSizes &&
         axis == other.axis;
}

WeightRequest WeightRequest::over(const WeightRequest &defaults) const {
  WeightRequest result = *this;
  auto inherit = [](auto &value, const auto &from) {
    if (!value)
      value = from;
  };
  // A scale type is chosen for a dtype: E8M0 for fp4 says nothing about int8.
  if (!dtype || dtype == defaults.dtype)
    inherit(result.scaleDtype, defaults.scaleDtype);
  inherit(result.dtype, defaults.dtype);
  // Axis and block sizes belong to the granularity they were given with.
  if (!granularity || granularity == defaults.granularity) {
    inherit(result.axis, defaults.axis);
    inherit(result.blockSizes, defaults.blockSizes);
  }
  inherit(result.granularity, defaults.granularity);
  inherit(result.qscheme, defaults.qscheme);
  inherit(result.qformulation, defaults.qformulation);
  inherit(result.floatLo, defaults.floatLo);
  inherit(result.floatHi, defaults.floatHi);
  return result;
}

static llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(message.str());
}

/// Parses one value with the parser of its kind.
template <typename T, typename Parse>
static llvm::Error parseValue(const std::optional<std::string> &text,
                              StringRef what, Parse parse,
                              const std::string &names, T &result) {
  if (!text)
    return llvm::Error::success();
  std::optional<T> value = parse(*text);
  if (!value)
    return makeError("expected a " + what + ", found '" + *text +
                     "': use one of " + names);
  result = *value;
  return llvm::Error::success();
}

/// Parses every value of `request` into `settings`.
static llvm::Error parseValues(const WeightRequest &request,
                               WeightSettings &settings) {
  using namespace numerics;
  QuantSpec &spec = settings.spec;
  if (llvm::Error error =
          parseValue(request.dtype, "storage type", parseStorageType,
                     weightTypeNames(), spec.storage))
    return error;
  if (llvm::Error error =
          parseValue(request.granularity, "granularity", parseGranularityKind,
                     "per_tensor, per_channel, per_block",
                     settings.granularity))
    return error;
  if (llvm::Error error = parseValue(request.qscheme, "scheme", parseScheme,
                                     schemeNames(), spec.scheme))
    return error;
  if (llvm::Error error =
          parseValue(request.qformulation, "formulation", parseFormulation,
                     formulationNames(), spec.formulation))
    return error;
  if (spec.storage == StorageType::Float4E2M1FN)
    spec.scaleType = ScaleType::F8E8M0FNU;
  if (llvm::Error error =
          parseValue(request.scaleDtype, "scale type", parseScaleType,
                     scaleTypeNames(), spec.scaleType))
    return error;
  spec.floatLo = request.floatLo;
  spec.floatHi = request.floatHi;
  if (request.blockSizes && !request.blockSizes->empty())
    settings.blockSizes = *request.blockSizes;
  for (int64_t size : settings.blockSizes)
    if (size < 1 && size != -1)
      return makeError("expected block sizes that are positive, or -1 for the "
                       "whole dimension, found " +
                       llvm::Twine(size));
  return llvm::Error::success();
}

llvm::Error quant_mlir::checkValues(const WeightRequest &request) {
  WeightSettings settings;
  return parseValues(request, settings);
}

llvm::Expected<WeightSettings>
quant_mlir::resolve(const WeightRequest &request) {
  WeightSettings settings;
  if (llvm::Error error = parseValues(request, settings))
    return std::move(error);
  if (settings.granularity != GranularityKind::PerBlock)
    settings.blockSizes = {};

  settings.axis = request.axis;
  if (settings.axis && settings.granularity == GranularityKind::PerTensor)
    return makeError("per_tensor has no axis, found axis " +
                     llvm::Twine(*settings.axis) +
                     ": drop it or use per_channel or per_block");
  if (settings.axis && settings.blockSizes.size() > 1)
    return makeError("expected an axis with one block size, or one block size "
                     "per dimension without an axis, found both");

  if (std::optional<std::string> reason = numerics::checkSpec(settings.spec))
    return makeError(*reason);
  std::optional<int64_t> blockSize;
  if (settings.granularity == GranularityKind::PerBlock)
    blockSize = *std::max_element(settings.blockSizes.begin(),
                                  settings.blockSizes.end());
  if (std::optional<std::string> reason = numerics::checkBlockSize(settings.spec, blockSize))
    return makeError(*reason);
  return settings;
}

llvm::Expected<ResolvedBlocks>
quant_mlir::resolveBlocks(const WeightSettings &settings,
                          ArrayRef<int64_t> shape, ArrayRef<DimRole> roles) {
  int64_t rank = shape.size();
  ResolvedBlocks result;
  result.sizes.assign(rank, -1);

  std::optional<int64_t> axis = settings.axis;
  if (axis) {
    if (*axis < -rank || *axis >= rank)
      return makeError("expected an axis in [" + llvm::Twine(-rank) + ", " +
                       llvm::Twine(rank - 1) + "] of the weight, found " +
                       llvm::Twine(*axis));
    if (*axis < 0)
      axis = *axis + rank;
  }

  auto perChannel = [&] {
    for (auto [size, role] : llvm::zip_equal(result.sizes, roles))
      if (role == DimRole::OutputChannel || role == DimRole::Batch)
        size = 1;
  };

  switch (settings.granularity) {
  case GranularityKind::PerTensor:
    return result;
  case GranularityKind::PerChannel:
    if (axis)
      result.sizes[*axis] = 1;
    else
      perChannel();
    return result;
  case GranularityKind::PerBlock:
    break;
  }

  if (settings.blockSizes.size() > 1) {
    if (int64_t(settings.blockSizes.size()) != rank)
      return makeError("expected one block size, or one for each of the " +
                       llvm::Twine(rank) + " dimensions of the weight, found " +
                       llvm::Twine(settings.blockSizes.size()));
    result.sizes = settings.blockSizes;
    return result;
  }

  // Without an axis: channels as in per_channel, blocks along the innermost
  // dimension that is summed over.
  if (!axis) {
    perChannel();
    std::optional<int64_t> reduction;
    for (auto [dim, role] : llvm::enumerate(roles))
      if (role == DimRole::Reduction)
        reduction = dim;
    if (reduction)
      result.sizes[*reduction] = settings.blockSizes.front();
    else
      result.fellBackToPerChannel = true;
    return result;
  }
  // With an axis, blocks along it; a channel belongs to one of them.
  for (auto [size, role] : llvm::zip_equal(result.sizes, roles))
    if (role != DimRole::Kernel)
      size = 1;
  result.sizes[*axis] = settings.blockSizes.front();
  return result;
}

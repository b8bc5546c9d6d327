//===- ActivationSettings.cpp - How an activation is to be quantized ------===//

#include "quant-mlir/Dialect/Quant/Transforms/ActivationSettings.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace quant_mlir;
using numerics::StorageType;

static constexpr StorageType activationTypes[] = {
    StorageType::Int8, StorageType::UInt8, StorageType::Float8E4M3FN,
    StorageType::Float8E5M2};

bool quant_mlir::isActivationType(StorageType type) {
  return llvm::is_contained(activationTypes, type);
}

std::string quant_mlir::activationTypeNames() {
  return llvm::join(llvm::map_range(activationTypes,
                                    [](StorageType type) {
                                      return std::string(numerics::name(type));
                                    }),
                    ", ");
}

llvm::Expected<SpecAttr> ActivationSettings::getSpecAttr(MLIRContext *context,
                                                         int64_t rank) const {
  GranularityAttrInterface granularity = PerTensorAttr::get(context);
  if (axis) {
    int64_t dim = *axis < 0 ? *axis + rank : *axis;
    if (dim < 0 || dim >= rank)
      return llvm::createStringError(
          "expected an axis in [" + llvm::Twine(-rank) + ", " +
          llvm::Twine(rank - 1) + "] of the activation, found " +
          llvm::Twine(*axis) + ": give it a rule with another axis");
    granularity = PerChannelAttr::get(context, {dim});
  }
  auto end = [&](std::optional<float> value) -> FloatAttr {
    return value ? FloatAttr::get(Float32Type::get(context), *value)
                 : FloatAttr();
  };
  return SpecAttr::get(context, spec.storage, spec.scheme, spec.formulation,
                       granularity, spec.scaleType, end(spec.floatLo),
                       end(spec.floatHi), calibrator);
}

llvm::Expected<std::optional<ActivationSettings>>
quant_mlir::resolveActivation(const TensorRule *rule,
                              const ActivationDefaults &defaults) {
  if (rule && rule->disabled)
    return std::nullopt;
  WeightRequest request;
  request.granularity = "per_tensor";
  request.qscheme = defaults.qscheme;
  if (!defaults.dtype.empty())
    request.dtype = defaults.dtype;
  if (rule)
    request = rule->request.over(request);
  if (!request.dtype)
    return std::nullopt;
  std::optional<StorageType> type = numerics::parseStorageType(*request.dtype);
  if (!type || !isActivationType(*type))
    return llvm::createStringError(
        "expected a storage type for activations, found '" + *request.dtype +
        "': use one of " + activationTypeNames());
  // Floating-point storage is symmetric, whatever the default for integers is.
  if (rule && rule->request.dtype && !rule->request.qscheme &&
      numerics::isFloat(*type))
    request.qscheme = "symmetric";

  llvm::Expected<WeightSettings> resolved = resolve(request);
  if (!resolved)
    return resolved.takeError();
  if (resolved->granularity == GranularityKind::PerBlock)
    return llvm::createStringError(
        "expected per_tensor or per_channel for activations, found per_block: "
        "blocks are for weights");
  if (resolved->granularity == GranularityKind::PerChannel && !resolved->axis)
    return llvm::createStringError("expected an axis beside per_channel for "
                                   "activations, found none: their "
                                   "dimensions have no roles to choose one by");
  ActivationSettings settings;
  settings.spec = resolved->spec;
  settings.axis = resolved->axis;
  if (rule && rule->calibrator)
    settings.calibrator = *rule->calibrator;
  else if (!defaults.calibrator.empty())
    settings.calibrator = defaults.calibrator;
  return std::optional<ActivationSettings>(std::move(settings));
}

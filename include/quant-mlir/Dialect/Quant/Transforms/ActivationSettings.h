//===- ActivationSettings.h - How an activation is to be quantized -*- C++ -*-//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONSETTINGS_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONSETTINGS_H

#include "quant-mlir/Dialect/Quant/IR/QParams.h"
#include "quant-mlir/Dialect/Quant/Transforms/QuantConfig.h"

#include "llvm/ADT/ArrayRef.h"

namespace quant_mlir {

/// A request for one activation, complete and allowed.
struct ActivationSettings {
  numerics::QuantSpec spec;
  /// per_channel: the dimension with the channels, negative from the end;
  /// per_tensor where there is none.
  std::optional<int64_t> axis;
  std::string calibrator = "moving_average";

  /// The settings as an attribute for a value of `rank`. Fails with a reason
  /// where the axis does not fit.
  llvm::Expected<SpecAttr> getSpecAttr(mlir::MLIRContext *context,
                                       int64_t rank) const;
};

/// Whether an activation can have `type`, and the names of all that can, for
/// error messages.
bool isActivationType(numerics::StorageType type);
std::string activationTypeNames();

/// What the flags ask of all activations: an empty dtype leaves them alone.
struct ActivationDefaults {
  std::string dtype, qscheme, calibrator;
};

/// Parses and checks what `rule` (may be null) says over `defaults`; nullopt
/// where nobody asks for quantization, or the rule disables it. Errors say
/// expected, found and way out.
llvm::Expected<std::optional<ActivationSettings>>
resolveActivation(const TensorRule *rule, const ActivationDefaults &defaults);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_ACTIVATIONSETTINGS_H

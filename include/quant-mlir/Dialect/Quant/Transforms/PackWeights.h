//===- PackWeights.h - Weights in the layout of a target --------*- C++ -*-===//

#ifndef QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PACKWEIGHTS_H
#define QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PACKWEIGHTS_H

#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"
#include "quant-mlir/Target/Panels.h"

namespace quant_mlir {

/// Panels that kernels of `target` read rhs of `op` from; nullopt, with the
/// reason in `reason`, where no kernel reads panels of it.
std::optional<numerics::PanelLayout> choosePanels(ContractOp op,
                                                  const ContractLoops &loops,
                                                  const PanelTarget &target,
                                                  std::string &reason);

/// Why no kernel of `target` reads rhs of `op` in the layout that it has; empty
/// where one may, or it has none.
std::string findNoLayoutReason(ContractOp op, const ContractLoops &loops,
                               const PanelTarget &target);

/// Gives `op`, whose rhs is packed, its codes back: a constant where the bytes
/// are one, otherwise a quant.unpack. For a lowering that does not read panels.
void unpackWeights(ContractOp op, mlir::OpBuilder &builder);

} // namespace quant_mlir

#endif // QUANT_MLIR_DIALECT_QUANT_TRANSFORMS_PACKWEIGHTS_H

//===- TableLookup.h - Bytes out of a table of 256 --------------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_TABLELOOKUP_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_TABLELOOKUP_H

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

namespace quant_mlir {

class CPUTarget;

/// %i = arith.index_castui %code : i8 to index
/// %y = memref.load %table[%i] : memref<256xi8>
struct TableLookup {
  mlir::Value code;
  mlir::Value table;
  llvm::SmallVector<uint8_t> entries;
};

/// The lookup that `op`, a memref.load, is; none where it is another load.
std::optional<TableLookup> matchTableLookup(mlir::Operation *op);
/// Whether `op` does nothing but make the index of lookups.
bool isIndexOfLookups(mlir::Operation *op);

/// Whether a register of codes is looked up by vector instructions, and how
/// many they are for one.
bool hasVectorLookup(const CPUTarget &target);
int64_t countLookupInstructions(const CPUTarget &target,
                                llvm::ArrayRef<uint8_t> entries);

/// Entries of `codes`, a vector of i8 of at most a register.
mlir::Value buildLookup(KernelBuilder &kernel, const CPUTarget &target,
                        const TableLookup &lookup, mlir::Value codes);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_TABLELOOKUP_H

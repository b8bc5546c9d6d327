//===- MatrixProducts.h - Products of matrices of a warp --------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_GPUEMULATOR_MATRIXPRODUCTS_H
#define QUANT_MLIR_LIB_GPUEMULATOR_MATRIXPRODUCTS_H

#include "Instructions.h"

namespace quant_mlir::emulator {

/// Elements of a factor: s8, u8, s4, u4 and f16, bf16.
struct Element {
  unsigned bits = 0;
  bool isSigned = false, isFloat = false, isBFloat = false;

  static std::optional<Element> get(llvm::StringRef name);
  unsigned perWord() const { return 32 / bits; }
  int64_t getInteger(uint32_t word, unsigned i) const;
  double getFloat(uint32_t word, unsigned i) const;
  /// The elements of `words`, as int64_t or as double.
  template <typename Value>
  void decode(llvm::ArrayRef<uint32_t> words, Value *to) const {
    for (uint32_t word : words)
      for (unsigned i = 0; i < perWord(); ++i)
        if constexpr (std::is_floating_point_v<Value>)
          *to++ = getFloat(word, i);
        else
          *to++ = getInteger(word, i);
  }
};

/// mma.<shape>.row.col.<types> of NVIDIA's, without "llvm.nvvm.".
std::optional<EmulatedInstruction> findMatrixProduct(llvm::StringRef name);
/// wgmma.mma_async.sync.aligned.<shape>.<types>, of inline assembly; ends with
/// `ofRegisters` where A is in registers.
std::optional<EmulatedInstruction> findWarpGroupProduct(llvm::StringRef name);
inline constexpr const char *ofRegisters = ".registers";
/// And with this, where its predicate (scale-d) is false: nothing is added to.
inline constexpr const char *withoutSums = ".first";
/// (fence|commit_group|wait_group).sync.aligned around them.
std::optional<EmulatedInstruction> findWarpGroupOrder(llvm::StringRef name);

} // namespace quant_mlir::emulator

#endif // QUANT_MLIR_LIB_GPUEMULATOR_MATRIXPRODUCTS_H

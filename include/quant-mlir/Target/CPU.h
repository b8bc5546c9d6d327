//===- CPU.h - What a CPU offers to quantized kernels -----------*- C++ -*-===//
//
// What lowerings ask a CPU: which dot instruction it has, and the shapes that
// follow. LLVM knows the CPUs and their features, of this machine and of
// others; here is only what the kernels make of them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_TARGET_CPU_H
#define QUANT_MLIR_TARGET_CPU_H

#include "quant-mlir/Target/Panels.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"

#include <string>

namespace quant_mlir {

/// The instruction that adds up products of codes, best first for each
/// architecture.
enum class DotKind {
  AVX512VNNI,  ///< vpdpbusd zmm: 4 x u8 * s8 into i32
  AVXVNNI,     ///< vpdpbusd ymm
  AVX2,        ///< vpmaddwd ymm: 2 x s16 * s16 into i32; codes are widened
  NeonI8MM,    ///< smmla: 8 x s8 * s8 into 2x2 i32; usmmla, sdot, usdot
  NeonDotProd, ///< sdot: 4 x s8 * s8 into i32
  Generic,     ///< multiply and add in i32
};

/// "avx512vnni", "avxvnni", "avx2", "neon_i8mm", "neon_dotprod", "generic".
llvm::StringRef getName(DotKind kind);

/// What `--target-cpu`, `--target-features` and `--target-triple` say.
struct CPUTargetOptions {
  /// A name of LLVM's, or `native`; empty is `native` where the architecture is
  /// this machine's and the plainest CPU elsewhere.
  std::string cpu;
  /// Comma-separated, each with + or -, added to those of the CPU.
  std::string features;
  /// Empty: this machine's, or where that does not know `cpu` the Linux of an
  /// architecture that does.
  std::string triple;
};

/// Asks the system to let this process use tile registers, which Linux wants to
/// be asked for. The answer holds for the process; false where there are none.
bool requestTiles();

class CPUTarget : public PanelTarget {
public:
  /// Fails on a CPU or feature that LLVM does not know, and on architectures
  /// other than x86-64 and AArch64. Without options: the machine this runs on.
  static llvm::Expected<CPUTarget> get(const CPUTargetOptions &options = {});

  /// What LLVM's code generation is given.
  const llvm::Triple &getTriple() const { return triple; }
  llvm::StringRef getCPU() const { return cpu; }
  /// With signs, comma-separated.
  llvm::StringRef getFeatures() const { return features; }
  /// Whether the CPU has the feature of this name of LLVM's, of its own or by
  /// `--target-features`.
  bool hasFeature(llvm::StringRef name) const { return enabled.contains(name); }
  bool isX86() const { return triple.isX86(); }
  bool isAArch64() const { return triple.isAArch64(); }

  DotKind getDotKind() const { return dot; }
  /// That of the dot instruction.
  llvm::StringRef getName() const override { return quant_mlir::getName(dot); }
  /// Whether codes of 8 bits are multiplied in tile registers too (AMX). Of
  /// this machine: only if the system lets a process use them.
  bool hasTiles() const;
  /// Whether a fused multiply-add of f32 is an instruction, not a call.
  bool hasFMA() const;

  /// Bytes of a vector register, and how many there are.
  int64_t getVectorBytes() const;
  int64_t getNumVectorRegisters() const;
  /// i32 (or f32) elements of a register.
  int64_t getLanes() const { return getVectorBytes() / 4; }

  /// How many codes that follow each other along the reduction lie beside each
  /// other for the dot instruction.
  int64_t getDotGroup() const override;
  /// How many rows share a register of accumulators: two with smmla.
  int64_t getDotRows() const;
  /// The group where every column has its own lhs: there is no sharing for
  /// smmla.
  int64_t getDepthwiseGroup() const override;
  /// Whether the left-hand side of the dot instruction is unsigned (codes are
  /// moved up by 128 where they are signed) or signed (down where they are
  /// not).
  bool isDotLhsUnsigned() const;

  /// Rows and columns of the accumulators that one micro-kernel holds in
  /// registers, where there are enough columns.
  int64_t getTileColumns() const;
  int64_t getTileRows() const { return getTileRows(getTileColumns()); }
  /// Rows for a panel of `columns` columns, at most those of the tile: with
  /// fewer columns more rows fit.
  int64_t getTileRows(int64_t columns) const;
  /// Whole registers, at most what panels of any CPU have.
  bool readsPanels(int64_t width) const override {
    return width % getLanes() == 0 && width <= 64;
  }
  /// The width of panels for `columns` columns: as few panels as tiles need, of
  /// equal whole registers. 12 is one panel of 16, 96 two of 48 for zmm.
  int64_t getPanelColumns(int64_t columns) const override;
  int64_t getCodePanelColumns(int64_t columns, int64_t rows,
                              unsigned width) const override;
  /// Columns of two tile registers, and from how many rows on codes of `width`
  /// bits are multiplied there.
  int64_t getTwoTileColumns() const { return 32; }
  int64_t getLeastTiledRows(unsigned width) const { return width < 8 ? 8 : 4; }

  /// Bytes of the data caches of a core: what the system says of this machine,
  /// otherwise what is usual.
  int64_t getL1Size() const { return l1Size; }
  int64_t getL2Size() const { return l2Size; }

private:
  CPUTarget() = default;

  llvm::Triple triple;
  std::string cpu, features;
  llvm::StringSet<> enabled;
  DotKind dot = DotKind::Generic;
  int64_t l1Size = 0, l2Size = 0;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_TARGET_CPU_H

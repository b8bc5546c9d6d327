//===- AMXTiles.h - Tile registers of AMX -----------------------*- C++ -*-===//
//
// Eight registers of up to 16 rows of 64 bytes, and the instruction that
// multiplies two of them:
//
//   acc[r][c] += sum_g a[r][g] * b[g / 4][4 c + g mod 4]
//
// Registers are named here, and how large each of them is, is configured once
// for a nest of loops. LLVM also allocates tiles of values (amx dialect,
// `.internal` intrinsics). There every size that occurs in a function takes a
// register of its own, and where the configuration is loaded, which takes 150
// cycles, is not ours to say.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_AMXTILES_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_AMXTILES_H

#include "quant-mlir/Conversion/Utils/KernelBuilder.h"

#include <array>

namespace quant_mlir {

/// Rows of a tile, and bytes of each.
constexpr int64_t maxTileRows = 16, tileRowBytes = 64;

/// Rows and bytes of a row of each register: 0 where it is not used.
struct TileShape {
  int64_t rows = 0, bytes = 0;
};
using TileShapes = std::array<TileShape, 8>;

class AMXTiles {
public:
  explicit AMXTiles(KernelBuilder &kernel) : kernel(kernel) {}

  /// Makes registers be of these shapes; those of `dynamic` have `rows` rows
  /// instead, 1 to 16. `space`: 64 bytes to write to where there are such.
  void configure(const TileShapes &shapes, llvm::ArrayRef<unsigned> dynamic,
                 mlir::Value rows, const FlatOperand &space);
  /// Gives the registers back, so that nothing has to be kept of them.
  void release();

  void zero(unsigned tile);
  /// Rows of a tile lie `stride` bytes apart, from element `index` on.
  void load(unsigned tile, mlir::Value base, mlir::OpFoldResult index,
            mlir::OpFoldResult stride);
  /// load of what will not be read again soon: it takes no place in L1 from
  /// what will.
  void loadOnce(unsigned tile, mlir::Value base, mlir::OpFoldResult index,
                mlir::OpFoldResult stride);
  void store(unsigned tile, mlir::Value base, mlir::OpFoldResult index,
             mlir::OpFoldResult stride);
  void multiply(unsigned acc, unsigned a, unsigned b, bool isSignedA,
                bool isSignedB);

private:
  mlir::Value buildPointer(mlir::Value base, mlir::OpFoldResult index);
  void call(llvm::StringRef name, mlir::ValueRange operands);
  mlir::Value number(int64_t value, unsigned width = 8);
  void move(llvm::StringRef name, unsigned tile, mlir::Value base,
            mlir::OpFoldResult index, mlir::OpFoldResult stride);

  KernelBuilder &kernel;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_AMXTILES_H

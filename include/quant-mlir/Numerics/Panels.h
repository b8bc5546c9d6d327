//===- Panels.h - Weights laid out for micro-kernels ------------*- C++ -*-===//
//
// The layout `panels` of `qparams.layout`, in plain C++: where each code of the
// right-hand side of a contraction lies, packing and its exact inverse.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_PANELS_H
#define QUANT_MLIR_NUMERICS_PANELS_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quant_mlir::numerics {

/// Row-major, from the outside in:
///
///   batches, panels of columns, outer reductions, tuples of a run,
///   columns of a panel, elements of a group
///
/// where a tuple is 8 / width groups that share their bytes, the first in the
/// low bits; one group, of elements of width / 8 bytes, where the width is more
/// than 8. Positions without a code hold 0.
struct PanelLayout {
  std::vector<int64_t> shape; ///< of the codes, row-major
  /// Dimensions of the codes; together each of them once.
  std::vector<int64_t> batch, columns, reduction;
  int64_t run = 0;    ///< how many of `reduction`, the last, are one run
  int64_t panel = 1;  ///< columns of a panel
  int64_t group = 1;  ///< elements of a run beside each other
  int64_t block = 0;  ///< elements of a run after which a tuple begins; 0: all
  int64_t offset = 0; ///< added to every code
  unsigned width = 8; ///< bits of a code: 2, 4, 8, or 16 and 32 of a value

  int64_t numBatches() const { return product(batch, 0, batch.size()); }
  int64_t numColumns() const { return product(columns, 0, columns.size()); }
  int64_t numPanels() const { return (numColumns() + panel - 1) / panel; }
  int64_t numOuter() const {
    return product(reduction, 0, reduction.size() - run);
  }
  int64_t runSize() const {
    return product(reduction, reduction.size() - run, reduction.size());
  }
  int64_t groupsPerTuple() const { return width < 8 ? 8 / width : 1; }
  /// Bytes of a stored element, which narrow ones share.
  int64_t elementBytes() const { return width > 8 ? width / 8 : 1; }
  /// Elements of a run that a tuple holds.
  int64_t tupleSize() const { return group * groupsPerTuple(); }
  /// Elements of a run from one block to the next.
  int64_t blockSize() const;
  int64_t tuplesPerBlock() const;
  int64_t tuplesPerRun() const;
  /// Bytes of everything.
  int64_t size() const;

private:
  int64_t product(const std::vector<int64_t> &dims, std::size_t begin,
                  std::size_t end) const;
};

/// `codes` holds one code per `elementBytes()`, row-major; bits above the width
/// are ignored. Wide elements have no offset.
void packPanels(const PanelLayout &layout, const uint8_t *codes,
                uint8_t *packed);
/// One code per `elementBytes()`, narrow ones sign-extended where `isSigned`.
void unpackPanels(const PanelLayout &layout, const uint8_t *packed,
                  bool isSigned, uint8_t *codes);

/// Sums of integer codes over the reductions: row-major over blocks, batches
/// and columns, the last two as the layout lists their dimensions. Dimension
/// `blockDim`, a reduction, is summed in blocks of `blockSize`; -1: as a whole.
std::vector<int32_t> sumColumns(const PanelLayout &layout, const uint8_t *codes,
                                bool isSigned, int64_t blockDim = -1,
                                int64_t blockSize = 1);

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_PANELS_H

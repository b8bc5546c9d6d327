//===- Panels.h - What a target asks of packed weights ----------*- C++ -*-===//

#ifndef QUANT_MLIR_TARGET_PANELS_H
#define QUANT_MLIR_TARGET_PANELS_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace quant_mlir {

/// The sizes of panels (numerics::PanelLayout) that a target's kernels read.
class PanelTarget {
public:
  virtual ~PanelTarget() = default;

  /// What reads them, for messages.
  virtual llvm::StringRef getName() const = 0;
  /// How many codes that follow each other along the reduction lie beside each
  /// other.
  virtual int64_t getDotGroup() const = 0;
  /// The same of a sum of values, for elements of `width` bits.
  virtual int64_t getValueGroup(unsigned width) const { return 1; }
  /// The same where every column has its own lhs.
  virtual int64_t getDepthwiseGroup() const = 0;
  /// Whether a tuple of groups may hold codes of several scales, one of each
  /// group.
  virtual bool splitsTuples() const { return false; }
  /// Whether kernels take the codes of a column in the order of panels, so that
  /// those of a block, which spans other reductions, have to follow each other.
  virtual bool takesPanelsInOrder() const { return false; }
  /// Whether kernels read panels of `width` columns: those that the next
  /// functions ask for, and others.
  virtual bool readsPanels(int64_t width) const = 0;
  /// The width of panels for `columns` columns, less than 0 where that is not
  /// known.
  virtual int64_t getPanelColumns(int64_t columns) const = 0;
  /// The same for codes of `width` bits that are multiplied with those of
  /// `rows` rows, less than 0 where that is not known: tile registers may want
  /// others.
  virtual int64_t getCodePanelColumns(int64_t columns, int64_t rows,
                                      unsigned width) const {
    return getPanelColumns(columns);
  }
};

} // namespace quant_mlir

#endif // QUANT_MLIR_TARGET_PANELS_H

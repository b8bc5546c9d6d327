//===- DepthwiseKernel.h - One depthwise contraction as a kernel -*- C++
//-*-===//
//
// Loops over vectors of quant.contract with a filter for each channel. Channels
// of NHWC lie along a vector. The loops:
//
//   panels of channels          weights, bias, multipliers: once
//     rows of the result        where each row of the window is read
//       pixels of the row       left edge, whole steps in a loop, right edge
//
// A *column* is what the window reads at one position of its last dimension:
// its rows' codes, interleaved, so that a channel's codes lie beside each other
// as its weights do in the panels. It is loaded and interleaved once and
// multiplied as often as the window passes over it. A step has as many pixels
// as the window has columns, so that columns stay in the registers they were
// made in.
//
// Padding is read from nowhere: rows of the window that lie in it are read from
// a few codes that hold the zero point, columns that do are a constant.
//
// A window of one dimension, or of a layout that does not separate columns, is
// one column without sliding.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_DEPTHWISEKERNEL_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_DEPTHWISEKERNEL_H

#include "DotProduct.h"

#include "quant-mlir/Dialect/Quant/IR/ContractLoops.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <map>

namespace quant_mlir {

/// How a kernel walks the window of a depthwise contraction with packed
/// weights.
struct DepthwiseWindow {
  /// Why there is no such walk; empty where there is.
  std::string reason;
  /// The row loop that is innermost in the result.
  std::optional<unsigned> pixelLoop;
  /// The window's loop around runs of the layout: from column to column.
  std::optional<unsigned> columnLoop;
  int64_t numColumns = 1;
  /// The others, in the order of the layout: those of a column.
  llvm::SmallVector<unsigned> rowLoops;
  /// The dimension of lhs that columns are in, where it is padded.
  std::optional<unsigned> columnDim;
  /// Pixels whose columns all exist: all, where that dimension is not padded.
  int64_t firstWhole = 0, endWhole = mlir::ShapedType::kDynamic;
  /// The other padded dimensions.
  llvm::SmallVector<unsigned> paddedDims;
};

DepthwiseWindow analyzeWindow(ContractOp op, const ContractLoops &loops);

class DepthwiseKernel {
public:
  DepthwiseKernel(ContractOp op, const CPUTarget &target,
                  mlir::OpBuilder &builder);

  void build();

private:
  using Values = llvm::SmallVector<mlir::Value>;

  /// Channels that are computed together: `registers` of them, of which `valid`
  /// channels exist.
  struct Channels {
    DotProduct dot;
    int64_t registers, valid;
    Values weights; ///< by column, group, register
    Values starts, multipliers;
    Values padding; ///< a column that is padding
    int64_t count() const { return dot.getLanes() * registers; }
  };
  /// Where one row of the window is read: from `index` at the row's first pixel
  /// on, and `step` elements further for each pixel.
  struct WindowRow {
    mlir::Value base, index;
    mlir::OpFoldResult step;
  };
  /// Columns by how many elements they lie behind the row's first one.
  using Columns = std::map<int64_t, Values>;

  //===--------------------------------------------------------------------===//
  // DepthwiseChannels.cpp: what belongs to channels, and vectors of them
  //===--------------------------------------------------------------------===//

  void placeMultipliers();
  void placePadding();
  /// One global for equal numbers.
  int64_t getRegisters() const { return group == 4 ? 4 : 1; }
  /// The widest registers that `left` channels fill.
  DotProduct chooseDot(int64_t left) const;
  /// All that is known of channels before pixels. Their first one is that of
  /// number `inPanel` of the panel that begins at `panelAt`.
  Channels loadChannels(mlir::Value first, mlir::Value panelAt, int64_t inPanel,
                        int64_t left);
  /// Register `j` of elements from `first` on in the order of interleaved
  /// codes: `unit` elements for each channel, of which `valid` channels exist.
  mlir::Value loadRegister(const Channels &channels, const FlatOperand &operand,
                           mlir::Value first, int64_t j, int64_t unit,
                           int64_t valid);
  /// `valid` of `count` elements, the others 0.
  mlir::Value loadPart(const FlatOperand &operand, mlir::Value index,
                       int64_t count, int64_t valid);
  void storePart(const FlatOperand &operand, mlir::Value index,
                 mlir::Value vector, int64_t valid);
  /// The codes of a column's rows beside each other: by group, register.
  Values interleave(const Channels &channels, llvm::ArrayRef<mlir::Value> taps);
  void interleaveGroup(const Channels &channels,
                       llvm::ArrayRef<mlir::Value> taps, Values &result);
  /// Codes in the order of channels.
  mlir::Value buildCodes(const Channels &channels,
                         llvm::ArrayRef<mlir::Value> sums);

  //===--------------------------------------------------------------------===//
  // DepthwiseRows.cpp: rows and pixels
  //===--------------------------------------------------------------------===//

  /// `ivs` by loop, without that of pixels.
  llvm::SmallVector<WindowRow> buildWindowRows(llvm::ArrayRef<mlir::Value> ivs);
  void buildRow(llvm::ArrayRef<mlir::Value> ivs, const Channels &channels);
  Values loadColumn(const Channels &channels, llvm::ArrayRef<WindowRow> rows,
                    mlir::Value pixel, int64_t offset);
  /// The pixel `behind` pixel `base`, whose columns are numbered from there on;
  /// `number`: which one it is, where known.
  void buildPixel(const Channels &channels, llvm::ArrayRef<WindowRow> rows,
                  mlir::Value initRow, mlir::Value base, int64_t behind,
                  std::optional<int64_t> number, Columns &columns);
  bool isPadding(int64_t pixel, int64_t column);
  /// Whole steps of a row; fewer than two are not worth a loop.
  int64_t getNumSteps() const;

  mlir::Value shuffle(mlir::Value a, mlir::Value b,
                      llvm::ArrayRef<int64_t> mask) {
    return mlir::vector::ShuffleOp::create(kernel.builder, kernel.loc, a, b,
                                           mask);
  }
  /// The same bits as `count` integers.
  mlir::Value recast(mlir::Value vector, int64_t count, unsigned width);
  mlir::Value at(mlir::Value index, int64_t offset) {
    return kernel.index(kernel.add(index, attr(offset)));
  }
  mlir::OpFoldResult attr(int64_t value) {
    return kernel.builder.getIndexAttr(value);
  }
  /// A contiguous buffer as one dimension.
  FlatOperand flattenRow(mlir::Value buffer);

  ContractOp op;
  const CPUTarget &target;
  KernelBuilder kernel;
  ContractLoops loops;
  bool isSigned;
  DotProduct dot;
  int64_t group;
  unsigned channel;
  DepthwiseWindow window;
  llvm::SmallVector<unsigned> outerLoops; ///< of rows but that of pixels
  FlatOperand lhs, init, rhs, sums, bias, multiplier, padding;
  std::optional<float> sameMultiplier;
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  int64_t panel = 0, tapsPerColumn = 1, groups = 0;
  /// Elements from pixel to pixel, where known, and from column to column.
  std::optional<int64_t> pixelStep;
  int64_t columnStep = 0;
  /// Pixels of a step of the loop along a row.
  int64_t stepPixels = 1;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_DEPTHWISEKERNEL_H

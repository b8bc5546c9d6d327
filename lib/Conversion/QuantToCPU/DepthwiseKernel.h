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

#include "quant-mlir/Conversion/Utils/ContractArith.h"
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
/// The row loop that is innermost in the result.
std::optional<unsigned> findPixelLoop(const ContractLoops &loops);

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
    Channels(DotProduct dot, int64_t registers)
        : dot(dot), registers(registers), valid(0) {}

    DotProduct dot;
    int64_t registers, valid;
    Values weights; ///< by column, group, register
    Values padding; ///< a column that is padding
    // By register:
    Values sums; ///< sum(w - zw); where lhs has a zero point
    Values bias; ///< i32 or, divided by the result's scale, f32
    Values scales, minvals;
    Values zeroPoints; ///< of weights, moved as those are
    // The same beside a scale of lhs, and a zero point: for all rows, or one.
    Values starts, multipliers, minvalMultipliers;
    mlir::Value zeroPoint; ///< of lhs, moved as its codes are: i32
    int64_t count() const { return dot.getLanes() * registers; }
  };
  /// Numbers of channels that are known at compile time: one, or a global.
  struct ChannelNumbers {
    mlir::Type type; ///< null: there are none
    std::optional<float> same;
    FlatOperand global;
  };
  /// What the sums of a pixel are: of products, and of codes of lhs.
  struct PixelSums {
    Values products, codes;
  };
  /// Where one row of the window is read: from `index` at the row's first pixel
  /// on, and `step` elements further for each pixel.
  struct WindowRow {
    mlir::Value base, index;
    mlir::OpFoldResult step;
  };
  /// Where the first pixel of a row has its result and its residual.
  struct RowTargets {
    mlir::Value init, residual;
  };
  /// Columns by how many elements they lie behind the row's first one.
  using Columns = std::map<int64_t, Values>;

  //===--------------------------------------------------------------------===//
  // DepthwiseChannels.cpp: what belongs to channels
  //===--------------------------------------------------------------------===//

  /// The numbers that `get` knows by unit, as elements of `type`.
  ChannelNumbers placeNumbers(llvm::StringRef name, mlir::Type type,
                              llvm::function_ref<float(int64_t)> get);
  void placeConstants();
  void placePadding();
  /// All that is known of channels before pixels. Their first one is that of
  /// number `inPanel` of the panel that begins at `panelAt`.
  Channels loadChannels(mlir::Value first, mlir::Value panelAt, int64_t inPanel,
                        int64_t left);
  /// Weights of the window, as the instruction multiplies them.
  Values loadWeights(const Channels &channels, mlir::Value panelAt,
                     int64_t inPanel);
  /// Ones in the place of weights of group `number` of a column.
  mlir::Value buildOnes(const Channels &channels, int64_t number);
  /// What depends on scale and zero point of lhs. `ivs`: of its row.
  void addRowNumbers(Channels &channels, llvm::ArrayRef<mlir::Value> ivs);
  /// The code that is the zero point of lhs, an operand.
  mlir::Value buildZeroCode();
  mlir::Value loadNumbers(const Channels &channels,
                          const ChannelNumbers &numbers, mlir::Value first,
                          int64_t j);

  //===--------------------------------------------------------------------===//
  // DepthwiseRegisters.cpp: vectors of channels
  //===--------------------------------------------------------------------===//

  int64_t getRegisters() const { return group == 4 ? 4 : 1; }
  /// The widest registers that `left` channels fill.
  DotProduct chooseDot(int64_t left) const;
  /// Register `j` of elements from `first` on in the order of interleaved
  /// codes: `unit` elements for each channel, of which `valid` channels exist.
  mlir::Value loadRegister(const Channels &channels, const FlatOperand &operand,
                           mlir::Value first, int64_t j, int64_t unit,
                           int64_t valid);
  /// loadRegister of a bias or residual, which may be one number for all
  /// channels.
  mlir::Value loadElements(const Channels &channels, const FlatOperand &operand,
                           mlir::Value index, int64_t j);
  /// `valid` of `count` elements, the others 0.
  mlir::Value loadPart(const FlatOperand &operand, mlir::Value index,
                       int64_t count, int64_t valid);
  void storePart(const FlatOperand &operand, mlir::Value index,
                 mlir::Value vector, int64_t valid);
  /// The codes of a column's rows beside each other: by group, register.
  Values interleave(const Channels &channels, llvm::ArrayRef<mlir::Value> taps);
  void interleaveGroup(const Channels &channels,
                       llvm::ArrayRef<mlir::Value> taps, Values &result);

  //===--------------------------------------------------------------------===//
  // DepthwiseEpilogue.cpp: from sums to the result
  //===--------------------------------------------------------------------===//

  /// What register `j` holds when everything is added: f32, over the result's
  /// scale where that is of codes.
  mlir::Value finishRegister(const Channels &channels, const PixelSums &sums,
                             mlir::Value residual, int64_t j);
  /// Elements of the residual in the order of registers.
  Values loadResidual(const Channels &channels, mlir::Value index);
  /// Registers of codes as one, in the order of channels.
  mlir::Value buildCodes(const Channels &channels, llvm::ArrayRef<mlir::Value>);
  /// A register of values to where its channels are in the result.
  void storeRegister(const Channels &channels, mlir::Value first, int64_t j,
                     mlir::Value value);
  /// Stores the result of a pixel, whose first channel is at `index`.
  void finishPixel(const Channels &channels, const PixelSums &sums,
                   mlir::Value index, mlir::Value residualIndex);

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
                  const RowTargets &targets, mlir::Value base, int64_t behind,
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
  int64_t numTaps() const { return window.numColumns * tapsPerColumn; }
  /// A scalar in every lane of a register.
  mlir::Value splat(const Channels &channels, mlir::Value scalar) {
    auto type =
        mlir::VectorType::get({channels.dot.getLanes()}, scalar.getType());
    return mlir::vector::BroadcastOp::create(kernel.builder, kernel.loc, type,
                                             scalar);
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
  FlatOperand lhs, init, rhs, sums, bias, residual, scale, zeroPoint, padding;
  ChannelNumbers scales, minvals, rhsZeros, rhsOffsets;
  /// The zero point of lhs, where it is no operand, and moved as codes are.
  int32_t lhsZeroPoint = 0, lhsZero = 0;
  /// Whether codes of lhs are summed, and rows have numbers of their own.
  bool needsCodeSums = false, hasRowNumbers = false;
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  int64_t panel = 0, tapsPerColumn = 1, groups = 0;
  /// Bits of a weight, and groups and bytes of a column that share their place.
  unsigned width = 8;
  int64_t groupsPerTuple = 1, tuples = 0;
  /// Elements from pixel to pixel, where known, and from column to column.
  std::optional<int64_t> pixelStep;
  int64_t columnStep = 0;
  /// Pixels of a step of the loop along a row.
  int64_t stepPixels = 1;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOCPU_DEPTHWISEKERNEL_H

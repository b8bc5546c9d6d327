//===- WindowLoads.h - Four channels under a window -------------*- C++ -*-===//
//
// What depthwise contractions and pools read: an invocation has four channels,
// which follow each other in memory, and several pixels that do in a row of the
// result. What windows over these pixels have in common is loaded once: loads
// are numbered by where they lie. Padding is read from nowhere.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_WINDOWLOADS_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_WINDOWLOADS_H

#include "GPUKernel.h"

#include <map>

namespace quant_mlir {

/// Channels that an invocation has.
constexpr int64_t laneChannels = 4;

/// The loop of `rows` that is innermost in the result, of those with more than
/// one iteration.
std::optional<unsigned> findPixelLoop(llvm::ArrayRef<unsigned> rows,
                                      const FlatOperand &init,
                                      llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// How many pixels of `pixelLoop` an invocation takes where `window` are the
/// loops of a window over an input of map `map`: those that need the fewest
/// loads, but not so many that cores of `target` are idle.
int64_t choosePixels(mlir::AffineMap map, std::optional<unsigned> pixelLoop,
                     llvm::ArrayRef<unsigned> window, unsigned channelLoop,
                     llvm::ArrayRef<mlir::OpFoldResult> sizes,
                     const GPUTarget &target);

/// Whether invocations reach `laneChannels` of `operand` as one word. The
/// strides of loops that stay at 0, and of channels, become 0.
bool takesWords(FlatOperand &operand, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                unsigned channelLoop);

/// All iterations of `order`, the last loop running fastest, as steps.
llvm::SmallVector<llvm::SmallVector<int64_t>>
listSteps(llvm::ArrayRef<unsigned> order,
          llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Whether pixel `number`, of `size` of the host's, exists; null where it does.
/// It is the `pixel`th of `pixels` of an invocation.
mlir::Value buildExists(GPUKernel &kernel, mlir::Value number, int64_t pixel,
                        mlir::OpFoldResult size, int64_t pixels);

class WindowLoads {
public:
  using Values = llvm::SmallVector<mlir::Value>;
  /// Iterations by loop, constants.
  using Steps = llvm::SmallVector<int64_t>;

  /// `input`, of the host, is `buffer` flattened by `map` and `padding`;
  /// `sizes` by loop. Invocations take `laneChannels` of `channelLoop`, and
  /// `pixels` of `pixelLoop`, of which the last may be beyond the end.
  WindowLoads(GPUKernel &kernel, mlir::Value buffer, mlir::AffineMap map,
              llvm::ArrayRef<int64_t> padding, FlatOperand input,
              llvm::ArrayRef<mlir::OpFoldResult> sizes, unsigned channelLoop,
              std::optional<unsigned> pixelLoop, int64_t pixels);

  /// Where all steps begin: `ivs` by loop, null for 0, without channels, of
  /// which `channelWord` counts four. `padding` is the code that padding holds,
  /// i8.
  void place(llvm::ArrayRef<mlir::Value> ivs, mlir::Value channelWord,
             mlir::Value padding);
  /// A word, i32: one for all steps that meet.
  mlir::Value load(const Steps &steps);
  /// Where steps lead, by dimension.
  std::vector<int64_t> getPlace(const Steps &steps) const;
  /// Whether there is an element, and not padding; null where there always is.
  mlir::Value exists(const Steps &steps);

private:
  /// A dimension of the input of which not all positions exist.
  struct CheckedDim {
    unsigned dim;
    mlir::OpFoldResult size;
    mlir::Value base; ///< of the position that steps of 0 have
    std::map<int64_t, mlir::Value> inside;
  };

  mlir::Value loadWord(mlir::Value at, mlir::Value exists);
  mlir::Value loadBytes(mlir::Value at, mlir::Value exists);

  GPUBuilder &body;
  FlatOperand input;
  llvm::SmallVector<LinearExpr> exprs; ///< by dimension
  llvm::SmallVector<int64_t> low;
  llvm::SmallVector<CheckedDim> checked;

  int64_t channels = 0;
  bool isWords = false;
  mlir::Value base, channelWord, padding, paddingWord;
  std::map<std::vector<int64_t>, mlir::Value> loads;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_WINDOWLOADS_H

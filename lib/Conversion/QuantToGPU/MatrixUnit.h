//===- MatrixUnit.h - What a target gives to contractions -------*- C++ -*-===//
//
// ContractKernel.h is one kernel for every GPU. What differs between GPUs is
// here, and written in a folder for each: the instruction that multiplies
// matrices of codes (its shape, how a group of lanes loads its factors, which
// lane ends up with which sum), how stages of codes get into shared memory, and
// the limits of a tile.
//
// A group of lanes, a warp or a wave, computes a matrix of sums together:
//
//   sums[rows][columns] += lhs[rows][depth] * rhs[depth][columns]
//
// Codes travel in chunks of 16 that follow each other along the reduction.
// Which codes of a reduction one product takes is the unit's choice, as long as
// it takes the same of both factors.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_MATRIXUNIT_H
#define QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_MATRIXUNIT_H

#include "GPUKernel.h"

#include <functional>
#include <memory>

namespace quant_mlir {

/// Codes, and bytes, of a chunk of lhs; chunks of nibbles have twice as many.
constexpr int64_t chunkBytes = 16;

/// A unit's numbers.
struct MatrixShape {
  int64_t rows = 0, columns = 0; ///< of one matrix of sums
  int64_t lanes = 1;             ///< of the group that computes it
  /// Sums of one lane, of which rows are `rowStride` apart.
  int64_t laneRows = 1, laneColumns = 1, rowStride = 0;
  /// Chunks of lhs that one step of products takes, and that a stage of shared
  /// memory has.
  int64_t stepPlanes = 1, stagePlanes = 4;
  int64_t minRowProducts = 1; ///< of a group

  // Limits.
  int64_t groups = 1; ///< of lanes, in a workgroup
  int64_t minGroupColumns = 1, maxGroupColumns = 64;
  int64_t maxTileRows = 128;
  /// Whether a product has a factor with signs and one without.
  bool mixesSigns = true;
  /// Of a unit that streams: sums are f32.
  bool isOfValues = false;
};

/// The part of a stage that a group of lanes multiplies.
struct GroupStage {
  mlir::Value shared, lane;
  mlir::Value ones; ///< index in `shared` of MatrixUnit::getOnesBytes
  int64_t lhsPlaneBytes = 0, rhsPlaneBytes = 0; ///< from plane to plane
  int64_t lhsPartSize = 0; ///< from part to part of lhs, see decodeLhs
  int64_t rowProducts = 1, columnProducts = 1;
  bool isNibbles = false, isLhsSigned = true;
  /// What codes of rhs have too much where a unit subtracts it: an element of
  /// lhs beside values, else i32, for the column of each product that
  /// `getRhsColumn` gives, or for the columns of a lane's sums; empty for 0.
  llvm::SmallVector<mlir::Value> rhsOffsets;
  /// Index in `shared` of a chunk: of a row of product `product` of lhs, of a
  /// column of product `product` of rhs.
  std::function<mlir::Value(mlir::Value plane, int64_t product,
                            mlir::Value row)>
      lhsChunk;
  std::function<mlir::Value(mlir::Value plane, mlir::Value product,
                            mlir::Value column)>
      rhsChunk;
};

class MatrixUnit {
public:
  using Values = llvm::SmallVector<mlir::Value>;

  MatrixUnit(GPUBuilder &body, const MatrixShape &shape)
      : shape(shape), body(body), builder(body.builder), loc(body.loc) {}
  virtual ~MatrixUnit();

  const MatrixShape shape;

  //===--------------------------------------------------------------------===//
  // Products
  //===--------------------------------------------------------------------===//

  /// The factors of step `step` of a stage: words, as `multiply` takes them.
  virtual Values loadLhs(const GroupStage &stage, int64_t step,
                         int64_t product) = 0;
  virtual llvm::SmallVector<Values> loadRhs(const GroupStage &stage,
                                            int64_t step) = 0;
  /// A matrix of sums of zeros: of as many values as a lane holds it in.
  virtual Values getZeros() = 0;
  virtual void multiply(const GroupStage &stage,
                        llvm::ArrayRef<mlir::Value> lhs,
                        llvm::ArrayRef<mlir::Value> rhs,
                        llvm::MutableArrayRef<mlir::Value> sums) = 0;
  /// Adds the codes that a lane has of each of its rows.
  virtual void addCodes(const GroupStage &stage,
                        llvm::ArrayRef<mlir::Value> lhs,
                        llvm::MutableArrayRef<mlir::Value> rowSums) = 0;
  /// The sum of `value` over the lanes that have codes of one row.
  virtual mlir::Value addAcrossLanes(mlir::Value value) = 0;
  /// Values that hold the sums of a lane's rows, and of those the one of a row,
  /// for all lanes together.
  virtual int64_t getNumRowSums() const { return shape.laneRows; }
  virtual mlir::Value getRowSum(llvm::ArrayRef<mlir::Value> rowSums,
                                int64_t row) {
    return addAcrossLanes(rowSums[row]);
  }

  /// Whether the instruction reads factors from shared memory, rows and columns
  /// in order there, and multiplies a product's rows with all columns of a
  /// group. Then neither the three above nor `addCodes` are called.
  virtual bool multipliesFromShared() const { return false; }
  /// Before the products of `count` steps of a stage: what is not read from
  /// shared memory. `endProducts` makes a group of them, that is waited for.
  virtual void loadFactors(const GroupStage &stage, int64_t first,
                           int64_t count) {}
  virtual void beginProducts() {}
  virtual void endProducts() {}
  /// Whether products of a stage go on beside what follows, to be waited for
  /// when those of the next one are under way: `groups` may still be.
  virtual bool overlapsProducts() const { return false; }
  virtual void waitForProducts(int64_t groups) {}
  /// Steps whose factors are loaded to registers at once, that have to stay as
  /// they are until products are waited for: these make a group. 0 where there
  /// are none.
  virtual int64_t getFactorSteps() const { return 0; }
  /// Whether factors of a step are used up before those of another are loaded:
  /// a lane decodes them as it goes.
  virtual bool multipliesBySteps() const { return false; }
  /// To sums of nulls nothing is added.
  virtual void multiplyFromShared(const GroupStage &stage, int64_t step,
                                  int64_t product,
                                  llvm::MutableArrayRef<mlir::Value> sums);
  /// Adds the codes of rows, which are multiplied with ones: so many bytes of
  /// shared memory. 0 of units that do not sum rows from there.
  virtual int64_t getOnesBytes() const { return 0; }
  virtual void addFromShared(const GroupStage &stage, int64_t step,
                             int64_t product,
                             llvm::MutableArrayRef<mlir::Value> rowSums);

  /// Whether zero points of integers of rhs are subtracted from codes, not from
  /// sums: GroupStage::rhsOffsets. Codes beside values always are.
  virtual bool subtractsOffsets() const { return false; }

  /// Whether a lane has all products of its columns: StreamUnit.h.
  virtual bool isStreaming() const { return false; }
  /// What zero points of rhs are subtracted as beside values of type `lhs`.
  virtual mlir::Type getOffsetType(mlir::Type lhs);
  /// The product of two words of four codes, added to `sum`.
  virtual mlir::Value dot(mlir::Value lhs, mlir::Value rhs, mlir::Value sum,
                          bool isLhsSigned);
  /// `number`, an index that all lanes of a wave have in common, as one that
  /// the compiler knows as such, where that is worth something.
  virtual mlir::Value shareInWave(mlir::Value number) { return number; }
  /// A word of these bytes of eight: those of `a`, then those of `b`.
  virtual mlir::Value permute(mlir::Value a, mlir::Value b,
                              llvm::ArrayRef<int64_t> bytes);
  /// Up to four words of a byte for each of four columns to four words, one for
  /// each column. Bytes of words that lack are any.
  Values transpose(Values words);
  /// The same of values, of which all lanes together have up to eight rows:
  /// ContractValueStream.cpp. `words` of a chunk of rhs, one of each of a
  /// lane's four columns, `offsets` as in GroupStage, and four values of lhs
  /// for each part of a word, that have its numbers.
  virtual void multiplyWords(llvm::ArrayRef<mlir::Value> words,
                             llvm::ArrayRef<mlir::Value> offsets,
                             llvm::function_ref<mlir::Value(int64_t)> loadLhs,
                             llvm::MutableArrayRef<mlir::Value> sums);
  /// Words of nibbles u, which are codes and 8, to words of 16 * code: those of
  /// all low ones, then those of all high ones.
  Values unpackNibbles(llvm::ArrayRef<mlir::Value> words);

  //===--------------------------------------------------------------------===//
  // Which lane has which sum
  //===--------------------------------------------------------------------===//

  /// The column of a product of which a lane has rhs, of a unit that subtracts
  /// offsets; null where those are the columns of its sums.
  virtual mlir::Value getRhsColumn(mlir::Value lane);
  /// i32, or f32 of values; `row` and `column` count those of the lane.
  virtual mlir::Value getSum(llvm::ArrayRef<mlir::Value> sums, int64_t row,
                             int64_t column) = 0;
  /// The first of a lane's rows.
  virtual mlir::Value getRow(mlir::Value lane) = 0;
  /// How far a lane's row is from the first of a product.
  virtual int64_t getRowOffset(int64_t row) const;
  /// Which columns a lane has: those of `getColumn` of this number.
  virtual mlir::Value getColumnGroup(mlir::Value lane) = 0;
  virtual mlir::Value getColumn(mlir::Value columnGroup,
                                mlir::Value column) = 0;
  /// The inverse of `getColumn`.
  virtual std::pair<mlir::Value, mlir::Value> findColumn(mlir::Value inProduct);
  /// What is flipped in the number of a column of product `product` in shared
  /// memory, so that banks do not meet; null for nothing.
  virtual mlir::Value getSwizzle(mlir::Value product, int64_t columnProducts);
  /// The same in the number of a row of lhs in a plane.
  virtual mlir::Value getLhsSwizzle(mlir::Value plane);

  //===--------------------------------------------------------------------===//
  // Copies
  //===--------------------------------------------------------------------===//

  /// Whether copies from global to shared memory need no registers, and go on
  /// beside products: `numStages` of so many bytes. Shared memory is then of
  /// lhs's type. Without, a kernel carries words in registers from one step to
  /// the next, and shared memory is of i32, as are factors where they are
  /// aligned.
  virtual bool hasAsyncCopies() const { return false; }
  virtual int64_t getNumStages(int64_t stageBytes) const { return 2; }
  /// `valid`: how many of `count` elements exist, an index; null where all do.
  /// Others become zeros.
  virtual void copyAsync(mlir::Value from, mlir::Value at, mlir::Value shared,
                         mlir::Value to, int64_t count, mlir::Value valid);
  /// Where lhs becomes other values on its way to shared memory: their type,
  /// and how many of them a sum of which is one of lhs. Null where it is copied
  /// as it is.
  virtual mlir::Type getDecodedLhs() const { return mlir::Type(); }
  virtual int64_t getLhsParts() const { return 1; }
  /// A vector for each part; of lhs there is a multiple of four.
  virtual Values decodeLhs(mlir::Value vector);
  /// Ends the copies of a stage.
  virtual void commitCopies();
  /// Waits until at most `stages` stages are on their way.
  virtual void waitForCopies(int64_t stages);

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  /// `type`'s elements from `at` on, which is at a multiple of their bytes, or
  /// of 16.
  virtual mlir::Value load(mlir::VectorType type, mlir::Value buffer,
                           mlir::Value at);
  virtual void store(mlir::Value vector, mlir::Value buffer, mlir::Value at);

protected:
  GPUBuilder &body;
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

/// Rows so few that a product takes as long as its weights do to arrive.
inline bool isFew(std::optional<int64_t> numRows) {
  return numRows && *numRows <= 64;
}

/// A contraction, as units are chosen by.
struct MatrixWork {
  int64_t tileColumns = 1;
  std::optional<int64_t> numRows;
  int64_t numPanels = 1; ///< of `tileColumns`, of all batches
  bool hasPairs = false; ///< they are whole panels, an even number in a batch
  bool isNibbles = false;
  /// Codes of the reduction that share a scale, 0 for all.
  int64_t blockCodes = 0;
  /// Codes of rhs have zero points, or what is stored is not the code.
  bool hasOffsets = false;
  /// Sums of rows are needed, also where no zero point is.
  bool sumsRows = false;

  /// Workgroups of so many rows; many where rows are not known.
  int64_t countTiles(int64_t tileRows) const {
    return numRows ? llvm::divideCeil(*numRows, tileRows) * numPanels
                   : INT64_MAX;
  }
};

/// What `target` has for `work`.
std::unique_ptr<MatrixUnit> createMatrixUnit(GPUBuilder &body,
                                             const GPUTarget &target,
                                             const MatrixWork &work);
/// The same for sums of products of values. `lhs`: f16 or bf16, and of `rhs`
/// the same or codes (i4, i8, fp8 beside f16); f32 and codes of integers; or
/// fp8 and fp8.
std::unique_ptr<MatrixUnit> createValueUnit(GPUBuilder &body,
                                            const GPUTarget &target,
                                            const MatrixWork &work,
                                            mlir::Type lhs, mlir::Type rhs);
/// The same for up to eight rows, with `warps` that have `chunks` of rhs each;
/// `lhs` may be f32, too, and `rhs` is codes.
std::unique_ptr<MatrixUnit> createValueStream(GPUBuilder &body,
                                              const GPUTarget &target,
                                              mlir::Type lhs, mlir::Type rhs,
                                              int64_t warps, int64_t chunks);
/// Of few rows, which `shape` has, as a lane has columns and a group of them
/// planes of lhs. What else it has, the target says.
std::unique_ptr<MatrixUnit> createStreamUnit(GPUBuilder &body,
                                             const GPUTarget &target,
                                             int64_t tileColumns,
                                             MatrixShape shape);
/// What multiplies and permutes words, whatever a lane has.
std::unique_ptr<MatrixUnit> createWordUnit(GPUBuilder &body,
                                           const GPUTarget &target);
/// Of a depthwise contraction: an invocation has `channels` of `pixels`.
std::unique_ptr<MatrixUnit> createPixelUnit(GPUBuilder &body,
                                            const GPUTarget &target,
                                            int64_t pixels, int64_t channels);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_CONVERSION_QUANTTOGPU_MATRIXUNIT_H

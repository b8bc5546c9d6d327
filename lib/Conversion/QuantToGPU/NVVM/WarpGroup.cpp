//===- WarpGroup.cpp - Products of four warps from shared memory ----------===//
//
// wgmma m64n128k32 and m64n256k32 on bytes: sm_90a. Both factors are read from
// shared memory, through descriptors: a plane of 16 bytes of the reduction is a
// column of core matrices, eight rows of 16 bytes that follow each other. So
// rows lie in order, and lanes that copy beside each other copy rows of one
// plane.
//
// A workgroup is alone on its core, with four stages of 128 codes: one is
// multiplied, the products of the one before end meanwhile, and two are on
// their way. A lane has 128 sums at most. What they are of is a choice (Tile):
// tiles of two panels read the fewest bytes of both memories for a product, and
// where they would leave cores idle others are smaller.
//
// Sums of rows, where columns have zero points that no byte can be less of, are
// products with eight columns of ones, which stand behind the stages.
//
//===----------------------------------------------------------------------===//

#include "WarpGroup.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

/// From a core matrix to the next along rows or columns.
constexpr int64_t coreBytes = 128;
constexpr int64_t panelColumns = 128;
constexpr int64_t onesColumns = 8;
/// Of an H100 or H200.
constexpr int64_t numCores = 132;

/// What groups of four warps have, one below the other.
struct Tile {
  int64_t groups, groupRows, columns;
  int64_t rows() const { return groups * groupRows; }
};

MatrixShape getShape(const Tile &tile) {
  MatrixShape shape;
  shape.rows = 64;
  shape.columns = 8;
  shape.lanes = 128;
  shape.laneRows = 2;
  shape.laneColumns = 2;
  shape.rowStride = 8;
  shape.stepPlanes = 2;
  shape.stagePlanes = 8;
  shape.minRowProducts = tile.groupRows / shape.rows;
  shape.groups = tile.groups;
  shape.maxTileRows = tile.rows();
  shape.minGroupColumns = shape.maxGroupColumns = tile.columns;
  return shape;
}

/// Both factors are codes of a byte.
class ByteGroup : public WarpGroup {
public:
  ByteGroup(GPUBuilder &body, const Tile &tile)
      : WarpGroup(body, getShape(tile)) {}

  void multiplyFromShared(const GroupStage &stage, int64_t step,
                          int64_t product,
                          MutableArrayRef<Value> sums) override;
  int64_t getOnesBytes() const override {
    return onesColumns * shape.stepPlanes * chunkBytes;
  }
  void addFromShared(const GroupStage &stage, int64_t step, int64_t product,
                     MutableArrayRef<Value> rowSums) override;
  // All columns of the product with ones are the same.
  int64_t getNumRowSums() const override {
    return shape.laneRows * shape.laneColumns;
  }
  Value getRowSum(ArrayRef<Value> rowSums, int64_t row) override {
    return getSum(rowSums, row, 0);
  }

  // Warp w has rows 16 w and the next ones.
  Value getRow(Value lane) override {
    Value inWarp = TensorCore::getRow(body.rem(lane, 32));
    return body.sum(body.times(body.div(lane, 32), 16), inWarp);
  }

private:
  /// Of rows of lhs and columns that `rhs` describes, two for each sum.
  void multiplyRows(const GroupStage &stage, int64_t step, int64_t product,
                    Value rhs, MutableArrayRef<Value> sums);
};

} // namespace

//===----------------------------------------------------------------------===//
// What all have
//===----------------------------------------------------------------------===//

void WarpGroup::beginProducts() {
  NVVM::WgmmaFenceAlignedOp::create(builder, loc);
}

void WarpGroup::endProducts() {
  NVVM::WgmmaGroupSyncAlignedOp::create(builder, loc);
}

void WarpGroup::waitForProducts(int64_t groups) {
  NVVM::WgmmaWaitGroupSyncOp::create(builder, loc, groups);
}

void WarpGroup::waitForCopies(int64_t stages) {
  TensorCore::waitForCopies(stages);
  NVVM::FenceProxyOp::create(
      builder, loc, NVVM::ProxyKind::async_shared,
      NVVM::SharedSpaceAttr::get(builder.getContext(),
                                 NVVM::SharedSpace::shared_cta));
}

Value WarpGroup::describe(Value shared, Value at, int64_t planeBytes) {
  Type i64 = builder.getI64Type();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(builder, loc, i64, value);
  };
  Value base =
      memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, shared);
  int64_t bytes =
      cast<MemRefType>(shared.getType()).getElementTypeBitWidth() / 8;
  Value address = arith::IndexCastOp::create(
      builder, loc, i64, body.sum(base, body.times(at, bytes)));
  address = arith::AndIOp::create(builder, loc, address, constant(0x3FFFF));
  address = arith::ShRUIOp::create(builder, loc, address, constant(4));
  int64_t strides = (planeBytes >> 4) << 16 | (coreBytes >> 4) << 32;
  return arith::OrIOp::create(builder, loc, address, constant(strides));
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

void ByteGroup::multiplyFromShared(const GroupStage &stage, int64_t step,
                                   int64_t product,
                                   MutableArrayRef<Value> sums) {
  Value zero = body.index(0), plane = body.index(step * shape.stepPlanes);
  Value rhs = describe(stage.shared, stage.rhsChunk(plane, zero, zero),
                       stage.rhsPlaneBytes);
  multiplyRows(stage, step, product, rhs, sums);
}

void ByteGroup::addFromShared(const GroupStage &stage, int64_t step,
                              int64_t product, MutableArrayRef<Value> rowSums) {
  Value ones = describe(stage.shared, stage.ones, onesColumns * chunkBytes);
  multiplyRows(stage, step, product, ones, rowSums);
}

void ByteGroup::multiplyRows(const GroupStage &stage, int64_t step,
                             int64_t product, Value rhs,
                             MutableArrayRef<Value> sums) {
  Value zero = body.index(0), plane = body.index(step * shape.stepPlanes);
  Value lhs = describe(stage.shared, stage.lhsChunk(plane, product, zero),
                       stage.lhsPlaneBytes);
  auto type = LLVM::LLVMStructType::getLiteral(
      builder.getContext(),
      SmallVector<Type>(sums.size(), builder.getI32Type()));
  Value all = LLVM::PoisonOp::create(builder, loc, type);
  for (auto [i, sum] : llvm::enumerate(sums))
    all = LLVM::InsertValueOp::create(builder, loc, all, sum, i);
  auto lhsType =
      stage.isLhsSigned ? NVVM::WGMMATypes::s8 : NVVM::WGMMATypes::u8;
  MLIRContext *context = builder.getContext();
  Value results = NVVM::WgmmaMmaAsyncOp::create(
      builder, loc, type, all, lhs, rhs,
      NVVM::MMAShapeAttr::get(context, shape.rows, 2 * sums.size(), 32),
      NVVM::WGMMATypesAttr::get(context, lhsType),
      NVVM::WGMMATypesAttr::get(context, NVVM::WGMMATypes::s8),
      NVVM::WGMMATypesAttr::get(context, NVVM::WGMMATypes::s32),
      NVVM::WGMMAScaleOutAttr::get(context, NVVM::WGMMAScaleOut::one),
      NVVM::WGMMAScaleInAttr::get(context, NVVM::WGMMAScaleIn::one),
      NVVM::WGMMAScaleInAttr::get(context, NVVM::WGMMAScaleIn::one),
      NVVM::MMALayoutAttr::get(context, NVVM::MMALayout::row),
      NVVM::MMALayoutAttr::get(context, NVVM::MMALayout::col),
      NVVM::MMAIntOverflowAttr());
  for (auto [i, sum] : llvm::enumerate(sums))
    sum = LLVM::ExtractValueOp::create(builder, loc, results, i);
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

/// Of few rows some warps would have none.
static bool isForGroups(const GPUTarget &target, const MatrixWork &work) {
  return target.getArch() == "sm_90a" && work.tileColumns == panelColumns &&
         work.numRows.value_or(INT64_MAX) > 32;
}

bool quant_mlir::hasWarpGroup(const GPUTarget &target, const MatrixWork &work) {
  if (!isForGroups(target, work))
    return false;
  int64_t block = work.blockCodes;
  if (!work.isNibbles && block == 0)
    return true;
  // Sums of rows are not at hand. Codes of four bits less their zero points are
  // bytes, others may be more. A block ends in a stage, and is of whole steps.
  return !work.sumsRows && (work.isNibbles || !work.hasOffsets) &&
         (block == 0 || block == 32 || block == 64 || block == 128);
}

bool quant_mlir::hasValueGroup(const GPUTarget &target,
                               const MatrixWork &work) {
  return isForGroups(target, work) && !work.sumsRows;
}

/// Of as many rows as there are, the tile that takes the least time: as often
/// as cores have one, its products (4096 in a clock of a core) or its bytes
/// from the cache of all cores (30 in a clock, by what others have measured).
static Tile chooseTile(const MatrixWork &work) {
  constexpr Tile tiles[] = {{3, 64, 256}, {2, 64, 256}, {2, 128, 128},
                            {2, 64, 128}, {1, 64, 256}, {1, 64, 128}};
  int64_t numRows = work.numRows.value_or(1024);
  const Tile *best = nullptr;
  double least = 0;
  for (const Tile &tile : tiles) {
    int64_t panels = tile.columns / panelColumns;
    if (panels == 2 && !work.hasPairs)
      continue;
    int64_t count =
        llvm::divideCeil(numRows, tile.rows()) * (work.numPanels / panels);
    double time = double(llvm::divideCeil(count, numCores)) *
                  std::max(tile.rows() * tile.columns / 4096.0,
                           (tile.rows() + tile.columns) / 30.0);
    if (best && time >= least)
      continue;
    best = &tile;
    least = time;
  }
  return *best;
}

std::unique_ptr<MatrixUnit>
quant_mlir::createWarpGroup(GPUBuilder &body, const GPUTarget &target,
                            const MatrixWork &work) {
  if (work.isNibbles || work.blockCodes != 0)
    return createRegisterGroup(body, target, work);
  return std::make_unique<ByteGroup>(body, chooseTile(work));
}

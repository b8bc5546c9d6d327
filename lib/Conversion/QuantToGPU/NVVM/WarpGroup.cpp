//===- WarpGroup.cpp - Products of four warps from shared memory ----------===//
//
// wgmma m64n128k32 on bytes: sm_90a. Both factors are read from shared memory,
// through descriptors: a plane of 16 bytes of the reduction is a column of core
// matrices, eight rows of 16 bytes that follow each other. So rows lie in
// order, and lanes that copy beside each other copy rows of one plane.
//
// A workgroup is alone on its core, with four stages of 128 codes: one is
// multiplied, the products of the one before end meanwhile, and two are on
// their way. Two groups of four warps have 128 rows and 128 columns each, which
// are all the registers that there are for sums.
//
//===----------------------------------------------------------------------===//

#include "WarpGroup.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace quant_mlir;

namespace {

constexpr int64_t columnsAtOnce = 128;
/// From a core matrix to the next along rows or columns.
constexpr int64_t coreBytes = 128;

MatrixShape getShape(int64_t groups) {
  MatrixShape shape;
  shape.rows = 64;
  shape.columns = 8;
  shape.lanes = 128;
  shape.laneRows = 2;
  shape.laneColumns = 2;
  shape.rowStride = 8;
  shape.stepPlanes = 2;
  shape.stagePlanes = 8;
  shape.groups = groups;
  shape.maxTileRows = groups * 128;
  shape.minGroupColumns = shape.maxGroupColumns = columnsAtOnce;
  return shape;
}

/// Both factors are codes of a byte.
class ByteGroup : public WarpGroup {
public:
  ByteGroup(GPUBuilder &body, int64_t groups)
      : WarpGroup(body, getShape(groups)) {}

  void multiplyFromShared(const GroupStage &stage, int64_t step,
                          int64_t product,
                          MutableArrayRef<Value> sums) override;

  // Warp w has rows 16 w and the next ones.
  Value getRow(Value lane) override {
    Value inWarp = TensorCore::getRow(body.rem(lane, 32));
    return body.sum(body.times(body.div(lane, 32), 16), inWarp);
  }
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
  Value lhs = describe(stage.shared, stage.lhsChunk(plane, product, zero),
                       stage.lhsPlaneBytes);
  Value rhs = describe(stage.shared, stage.rhsChunk(plane, zero, zero),
                       stage.rhsPlaneBytes);
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
      NVVM::MMAShapeAttr::get(context, shape.rows, columnsAtOnce, 32),
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

/// Of few rows some warps would have none. Sums of rows are not at hand.
static bool isForGroups(const GPUTarget &target, const MatrixWork &work) {
  return target.getArch() == "sm_90a" && work.tileColumns == columnsAtOnce &&
         work.numRows.value_or(INT64_MAX) > 32 && !work.sumsRows;
}

bool quant_mlir::hasWarpGroup(const GPUTarget &target, const MatrixWork &work) {
  // Codes of four bits less their zero points are bytes, others may be more.
  if (!isForGroups(target, work) || (work.hasOffsets && !work.isNibbles))
    return false;
  // A block ends in a stage, and is of whole steps.
  int64_t block = work.blockCodes;
  return block == 0 || block == 32 || block == 64 || block == 128;
}

bool quant_mlir::hasValueGroup(const GPUTarget &target, const MatrixWork &work,
                               Type lhs) {
  // Of a longer block, a stage at a time is added.
  int64_t block = work.blockCodes;
  return isForGroups(target, work) && lhs.getIntOrFloatBitWidth() == 16 &&
         (block < 64 || block % 64 == 0);
}

std::unique_ptr<MatrixUnit>
quant_mlir::createWarpGroup(GPUBuilder &body, const GPUTarget &target,
                            const MatrixWork &work) {
  if (work.isNibbles || work.blockCodes != 0)
    return createRegisterGroup(body, target, work);
  // Where two groups would leave cores idle, one has 64 rows.
  bool isFull = work.countTiles(128) >= target.getNumCores();
  return std::make_unique<ByteGroup>(body, isFull ? 2 : 1);
}

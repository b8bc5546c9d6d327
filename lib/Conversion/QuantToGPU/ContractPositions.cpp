//===- ContractPositions.cpp - Which part of a contraction is whose -------===//
//
// The tile of a workgroup, the rows and columns of a lane.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

using namespace mlir;
using namespace quant_mlir;

void GPUContractKernel::buildPositions() {
  thread = gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x);
  lane = rem(thread, shape().lanes);
  Value group = div(thread, shape().lanes);
  groupRow = div(group, groupsAcross);
  groupColumn = rem(group, groupsAcross);
  placeTile();
  placeBatch();
  // Of a lane: see the head of ContractKernel.h.
  Value inGroup = mul(unit->getColumnGroup(lane), laneColumns());
  firstColumn = add(mul(panel, tileColumns),
                    add(mul(groupColumn, groupColumns()), inGroup));
}

/// Workgroups begin row of tiles by row of tiles. In strips of rows those that
/// run at the same time have a square of the result: what they read stays in
/// the cache that all cores share.
void GPUContractKernel::placeTile() {
  Value tile = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x);
  panel = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::y);
  int64_t ofStrip = target.getStripRows() / tileRows;
  OpFoldResult rows = kernel.import(numRows);
  std::optional<int64_t> knownRows = getConstantIntValue(rows),
                         knownColumns = getConstantIntValue(columns);
  if (ofStrip != 0 && knownColumns && *knownColumns > tileColumns &&
      (!knownRows || *knownRows > ofStrip * tileRows)) {
    Value tiles = div(add(rows, attr(tileRows - 1)), tileRows);
    Value number = add(
        tile, arith::MulIOp::create(builder, loc, panel, tiles).getResult());
    int64_t workgroups = ofStrip * llvm::divideCeil(*knownColumns, tileColumns);
    Value first = mul(div(number, workgroups), ofStrip);
    Value inStrip = rem(number, workgroups);
    Value height = arith::MinUIOp::create(
        builder, loc, index(attr(ofStrip)),
        arith::SubIOp::create(builder, loc, tiles, first));
    panel = arith::DivUIOp::create(builder, loc, inStrip, height);
    tile =
        add(first,
            arith::RemUIOp::create(builder, loc, inStrip, height).getResult());
  }
  firstRow = mul(tile, tileRows);
}

void GPUContractKernel::placeBatch() {
  batch = gpu::BlockIdOp::create(builder, loc, gpu::Dimension::z);
  batchPosition.resize(loops.roles.size());
  SmallVector<OpFoldResult> batchSizes;
  for (unsigned loop : batchLoops)
    batchSizes.push_back(kernel.import(sizes[loop]));
  for (auto [loop, position] :
       llvm::zip_equal(batchLoops, kernel.delinearize(batch, batchSizes)))
    batchPosition[loop] = position;
}

GPUContractKernel::Values GPUContractKernel::placeRow(Value number) {
  Values ivs(batchPosition);
  SmallVector<OpFoldResult> rowSizes;
  for (const MergedLoop &loop : rowLoops)
    rowSizes.push_back(kernel.import(loop.size));
  for (auto [loop, position] :
       llvm::zip_equal(rowLoops, kernel.delinearize(number, rowSizes)))
    ivs[loop.loop] = position;
  return ivs;
}

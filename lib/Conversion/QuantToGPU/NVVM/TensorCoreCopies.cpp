//===- TensorCoreCopies.cpp - From global to shared memory ----------------===//
//
// What every lane copies of a stage. Copies of lhs end with the row, and those
// beyond the result's last row, or beyond the reduction, are zeros: 0 *
// anything is 0, so that nothing else has to know.
//
//===----------------------------------------------------------------------===//

#include "TensorCoreKernel.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

void TensorCoreKernel::prepareCopies() {
  // Four lanes copy the planes of a row: 64 bytes that follow each other.
  Value plane = rem(thread, lhsPlanes), first = div(thread, lhsPlanes);
  constexpr int64_t rowsAtOnce = numThreads / lhsPlanes;
  for (int64_t done = 0; done < tileRows; done += rowsAtOnce) {
    LhsChunk part;
    Value row = add(first, attr(done));
    if (tileRows < rowsAtOnce)
      part.isActive = isLess(row, attr(tileRows));
    Value number = add(firstRow, row);
    if (hasRaggedRows) {
      Value end = index(kernel.import(numRows));
      part.isInside = isLess(number, end);
      // Of rows that do not exist nothing is read; their address is any.
      number = arith::SelectOp::create(builder, loc, part.isInside, number,
                                       index(attr(0)));
    }
    part.row = kernel.body.address(lhs, placeRow(number));
    part.plane = plane;
    Value swizzled = bitXor(row, mul(plane, 2));
    part.shared = mul(add(mul(plane, tileRows), swizzled), chunk);
    lhsChunks.push_back(part);
  }

  // A panel is copied as it lies.
  Value panelNumber = add(mul(batch, numPanels), panel);
  Value panelStart = add(rhs.start, mul(panelNumber, panelBytes));
  int64_t chunks = tileColumns * rhsPlanes();
  int64_t products = columnProducts();
  for (int64_t done = 0; done < chunks; done += numThreads) {
    RhsChunk part;
    Value number = add(thread, attr(done));
    if (chunks - done < numThreads)
      part.isActive = isLess(number, attr(chunks));
    part.panel = add(panelStart, mul(number, chunk));
    part.plane = div(number, tileColumns);
    Value column = rem(number, tileColumns);
    Value warpPart = div(column, warpTileColumns());
    Value inWarp = rem(column, warpTileColumns());
    Value product = rem(div(inWarp, 2), products);
    Value inProduct = add(mul(div(inWarp, 2 * products), 2), rem(inWarp, 2));
    Value place = add(mul(warpPart, warpTileColumns()),
                      add(mul(product, matrixColumns),
                          bitXor(inProduct, getSwizzle(product))));
    part.shared = add(attr(lhsStageBytes()),
                      mul(add(mul(part.plane, tileColumns), place), chunk));
    rhsChunks.push_back(part);
  }
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// `valid`: how many of the bytes exist, an index; null where all do.
void TensorCoreKernel::copyAsync(const FlatOperand &from, Value at, Value to,
                                 int64_t bytes, Value valid) {
  UnitAttr bypass = bytes == chunk ? builder.getUnitAttr() : UnitAttr();
  nvgpu::DeviceAsyncCopyOp::create(
      builder, loc, nvgpu::DeviceAsyncTokenType::get(builder.getContext()),
      shared, ValueRange(to), from.base, ValueRange(at),
      builder.getIndexAttr(bytes), valid, bypass);
}

void TensorCoreKernel::copyLhs(const LhsChunk &part, Value step, Value stage) {
  Value number = add(mul(step, lhsPlanes), part.plane);
  Value outerNumber = div(number, runChunks), inRun = rem(number, runChunks);
  if (outerSize == 1) {
    outerNumber = index(attr(0));
    inRun = number;
  }
  Value isStep = part.isInside;
  if (numChunks % lhsPlanes != 0)
    isStep = both(isStep, isLess(number, attr(numChunks)));

  Value source = part.row;
  SmallVector<OpFoldResult> outerSizes;
  for (unsigned loop : outer)
    outerSizes.push_back(sizes[loop]);
  for (auto [loop, position] :
       llvm::zip_equal(outer, kernel.delinearize(outerNumber, outerSizes)))
    source = add(source, kernel.body.mul(position, lhs.strides[loop]));
  Value from = mul(inRun, chunk);
  Value to = add(stage, part.shared);
  if (lhsCopy == LhsCopy::Gather)
    return gatherChunk(part, source, from, isStep, to);

  for (int64_t piece = 0; piece < chunk; piece += lhsPiece) {
    Value valid;
    // Codes of a run end in a chunk, or chunks are beyond it that only fill up.
    if (runSize % rhsChunkCodes() != 0) {
      Value end = arith::MaxSIOp::create(
          builder, loc, index(attr(0)),
          arith::SubIOp::create(builder, loc, index(attr(runSize - piece)),
                                from));
      valid = arith::MinSIOp::create(builder, loc, end, index(attr(lhsPiece)));
    }
    if (isStep)
      valid = arith::SelectOp::create(builder, loc, isStep,
                                      valid ? valid : index(attr(lhsPiece)),
                                      index(attr(0)));
    copyAsync(lhs, add(source, kernel.body.add(from, attr(piece))),
              add(to, attr(piece)), lhsPiece, valid);
  }
}

/// Sixteen codes from where each lies.
void TensorCoreKernel::gatherChunk(const LhsChunk &part, Value source,
                                   Value from, Value isStep, Value to) {
  Type i8 = builder.getIntegerType(8);
  auto type = VectorType::get({chunk}, i8);
  Value codes =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(i8));
  SmallVector<OpFoldResult> runSizes;
  for (unsigned loop : run)
    runSizes.push_back(sizes[loop]);
  for (int64_t i = 0; i < chunk; ++i) {
    Value number = add(from, attr(i));
    Value exists = isStep;
    if (runSize % rhsChunkCodes() != 0)
      exists = both(exists, isLess(number, attr(runSize)));
    if (exists)
      number =
          arith::SelectOp::create(builder, loc, exists, number, index(attr(0)));
    Value at = source;
    for (auto [loop, position] :
         llvm::zip_equal(run, kernel.delinearize(number, runSizes)))
      at = add(at, kernel.body.mul(position, lhs.strides[loop]));
    // Instead of a branch, the row's first code is read once more.
    if (exists)
      at = arith::SelectOp::create(builder, loc, exists, at, part.row);
    Value code = memref::LoadOp::create(builder, loc, lhs.base, ValueRange(at));
    if (exists)
      code = arith::SelectOp::create(builder, loc, exists, code, zero);
    codes = vector::InsertOp::create(builder, loc, code, codes, i);
  }
  vector::StoreOp::create(builder, loc, codes, shared, ValueRange(to),
                          /*nontemporal=*/false, llvm::MaybeAlign(chunk));
}

void TensorCoreKernel::copyRhs(const RhsChunk &part, Value step, Value stage) {
  Value valid;
  // Beyond the last panel there is nothing to read.
  int64_t chunks = panelBytes / (tileColumns * chunk);
  if (chunks % rhsPlanes() != 0) {
    Value number = add(mul(step, rhsPlanes()), part.plane);
    valid = arith::SelectOp::create(builder, loc, isLess(number, attr(chunks)),
                                    index(attr(chunk)), index(attr(0)));
  }
  Value from = add(part.panel, mul(step, tileColumns * rhsPlanes() * chunk));
  copyAsync(rhs, from, add(stage, part.shared), chunk, valid);
}

void TensorCoreKernel::copyStage(Value step, Value stage, bool mayBeBeyond) {
  OpBuilder::InsertionGuard guard(builder);
  auto inBranch = [&](Value condition, llvm::function_ref<void()> body) {
    OpBuilder::InsertionGuard inner(builder);
    if (condition) {
      auto branch = scf::IfOp::create(builder, loc, condition);
      builder.setInsertionPointToStart(branch.thenBlock());
    }
    body();
  };
  Value exists = mayBeBeyond ? isLess(step, attr(numSteps)) : Value();
  inBranch(exists, [&] {
    for (const LhsChunk &part : lhsChunks)
      inBranch(part.isActive, [&] { copyLhs(part, step, stage); });
    for (const RhsChunk &part : rhsChunks)
      inBranch(part.isActive, [&] { copyRhs(part, step, stage); });
  });
  // Also without copies, so that groups count stages.
  NVVM::CpAsyncCommitGroupOp::create(builder, loc);
}

//===- ContractCopies.cpp - From global to shared memory ------------------===//
//
// What every lane copies of a stage. Copies of lhs end with the row, and those
// beyond the result's last row, or beyond the reduction, are zeros: 0 *
// anything is 0, so that nothing else has to know.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace quant_mlir;

void GPUContractKernel::prepareCopies() {
  // Lanes beside each other copy the planes of a row: bytes that follow each
  // other.
  Value plane = rem(thread, lhsPlanes()), first = div(thread, lhsPlanes());
  // In order, eight rows of a plane at a time, which are all banks.
  bool isInOrder = unit->multipliesFromShared();
  if (isInOrder) {
    plane = rem(div(thread, 8), lhsPlanes());
    first = add(rem(thread, 8), mul(div(thread, 8 * lhsPlanes()), 8));
  }
  int64_t rowsAtOnce = numThreads() / lhsPlanes();
  for (int64_t done = 0; done < tileRows; done += rowsAtOnce) {
    LhsChunk part;
    Value row = add(first, attr(done));
    if (tileRows < rowsAtOnce)
      part.isActive = kernel.body.isLess(row, attr(tileRows));
    Value number = add(firstRow, row);
    if (hasRaggedRows)
      part.isInside = kernel.body.isLess(number, index(kernel.import(numRows)));
    // Of rows that do not exist nothing is read; their address is any. Through
    // registers, lanes that do not copy read something, too.
    Value exists = part.isInside;
    if (!unit->hasAsyncCopies())
      exists = kernel.body.both(exists, part.isActive);
    if (exists)
      number = kernel.body.select(exists, number, index(attr(0)));
    // Addresses that differ by a number are one, and a part of an instruction.
    bool isBehindFirst = !exists && done != 0 && rowLoops.size() == 1;
    if (isBehindFirst)
      part.row =
          add(lhsChunks.front().row,
              kernel.body.mul(lhs.strides[rowLoops.front().loop], attr(done)));
    else
      part.row = kernel.body.address(lhs, placeRow(number));
    part.plane = plane;
    if (Value swizzle = unit->getLhsSwizzle(plane)) {
      row = kernel.body.bitXor(row, swizzle);
      part.shared = mul(add(mul(plane, tileRows), row), sharedChunk());
    } else {
      part.shared = add(mul(add(mul(plane, tileRows), first), sharedChunk()),
                        attr(done * sharedChunk()));
    }
    lhsChunks.push_back(part);
  }

  // A panel is copied as it lies; a tile is a part of one, or has several.
  int64_t parts = std::max<int64_t>(panelColumns / tileColumns, 1),
          panels = std::max<int64_t>(tileColumns / panelColumns, 1);
  Value panelNumber =
      add(mul(batch, numPanels), mul(div(panel, parts), panels));
  int64_t rhsChunk = chunkBytes / rhsElement;
  OpFoldResult panelSize =
      kernel.host.mul(columnChunks, attr(panelColumns * rhsChunk));
  Value panelStart = add(rhs.start, mul(panelNumber, panelSize));
  if (parts != 1)
    panelStart =
        add(panelStart, mul(rem(panel, parts), tileColumns * rhsChunk));
  int64_t chunks = tileColumns * rhsPlanes();
  int64_t ofProduct = shape().laneColumns, ofLane = laneColumns();
  // Chunks of a lane that are of the same column, of other planes.
  int64_t period = std::lcm(numThreads(), tileColumns) / numThreads();
  for (int64_t i = 0, done = 0; done < chunks; ++i, done += numThreads()) {
    RhsChunk part;
    Value number = add(thread, attr(done));
    if (chunks - done < numThreads())
      part.isActive = kernel.body.isLess(number, attr(chunks));
    if (i >= period) {
      const RhsChunk &first = rhsChunks[i % period];
      int64_t further = i / period * period * numThreads(),
              planes = further / tileColumns;
      part.plane = add(first.plane, attr(planes));
      part.panel = add(first.panel, attr(planes * panelColumns * rhsChunk));
      part.shared = add(first.shared, attr(further * sharedChunk()));
      rhsChunks.push_back(part);
      continue;
    }
    part.plane = div(number, tileColumns);
    Value column = rem(number, tileColumns);
    if (isInOrder) {
      // Number by number, from where the column is that belongs there.
      part.shared = add(attr(lhsStageSize()), mul(number, sharedChunk()));
      Value inSpan = rem(column, spanColumns());
      auto [columnGroup, inLane] =
          unit->findColumn(rem(column, shape().columns));
      Value source =
          add(mul(columnGroup, ofLane),
              add(mul(div(inSpan, shape().columns), ofProduct), inLane));
      Value span = div(column, spanColumns());
      part.panel = panelStart;
      if (panels != 1)
        part.panel = add(part.panel, mul(span, panelSize));
      else
        source = add(mul(span, spanColumns()), source);
      part.panel =
          add(part.panel,
              mul(add(mul(part.plane, panelColumns), source), rhsChunk));
      rhsChunks.push_back(part);
      continue;
    }
    Value inPanel =
        parts == 1 ? number : add(mul(part.plane, panelColumns), column);
    part.panel = add(panelStart, mul(inPanel, rhsChunk));
    Value group = div(column, groupColumns());
    Value inGroup = rem(column, groupColumns());
    Value product = rem(div(inGroup, ofProduct), columnProducts());
    Value inProduct =
        unit->getColumn(div(inGroup, ofLane), rem(inGroup, ofProduct));
    if (Value swizzle = unit->getSwizzle(product, columnProducts()))
      inProduct = kernel.body.bitXor(inProduct, swizzle);
    Value place = add(mul(group, groupColumns()),
                      add(mul(product, shape().columns), inProduct));
    part.shared =
        add(attr(lhsStageSize()),
            mul(add(mul(part.plane, tileColumns), place), sharedChunk()));
    rhsChunks.push_back(part);
  }
}

//===----------------------------------------------------------------------===//
// Where chunks are
//===----------------------------------------------------------------------===//

Value GPUContractKernel::locateLhs(const LhsChunk &part, Value step,
                                   Value &from, Value &exists) {
  Value number = add(mul(step, lhsPlanes()), part.plane);
  Value outerNumber = index(attr(0)), inRun = number;
  if (outerSize != 1) {
    outerNumber = div(number, known(runChunks));
    inRun = rem(number, known(runChunks));
  }
  exists = part.isInside;
  if (!isWhole(numChunks, lhsPlanes()))
    exists = kernel.body.both(exists, isBelow(number, numChunks));
  Value source = part.row;
  SmallVector<OpFoldResult> outerSizes;
  for (unsigned loop : outer)
    outerSizes.push_back(sizes[loop]);
  for (auto [loop, position] :
       llvm::zip_equal(outer, kernel.delinearize(outerNumber, outerSizes)))
    source = add(source, kernel.body.mul(position, lhs.strides[loop]));
  from = mul(inRun, lhsChunkCodes());
  return source;
}

Value GPUContractKernel::locateRhs(const RhsChunk &part, Value step,
                                   Value &exists) {
  // Beyond the last panel there is nothing to read.
  exists = Value();
  if (!isWhole(columnChunks, rhsPlanes())) {
    Value number = add(mul(step, rhsPlanes()), part.plane);
    exists = isBelow(number, columnChunks);
  }
  int64_t stage = panelColumns * rhsPlanes() * chunkBytes / rhsElement;
  return add(part.panel, mul(step, stage));
}

GPUContractKernel::Values
GPUContractKernel::gatherCodes(const LhsChunk &part, Value source, Value from,
                               Value isStep, int64_t count) {
  Type element = lhs.element;
  Value zero = arith::ConstantOp::create(
      builder, loc,
      element.isInteger() ? builder.getIntegerAttr(element, lhsOffset())
                          : builder.getZeroAttr(element));
  SmallVector<OpFoldResult> runSizes;
  for (unsigned loop : run)
    runSizes.push_back(kernel.import(sizes[loop]));
  Values codes;
  for (int64_t i = 0; i < count; ++i) {
    Value number = add(from, attr(i));
    Value exists = isStep;
    if (runMultiple % rhsChunkCodes() != 0)
      exists = kernel.body.both(exists, isBelow(number, runSize));
    if (exists)
      number = kernel.body.select(exists, number, index(attr(0)));
    Value at = source;
    for (auto [loop, position] :
         llvm::zip_equal(run, kernel.delinearize(number, runSizes)))
      at = add(at, kernel.body.mul(position, lhs.strides[loop]));
    // Instead of a branch, the row's first code is read once more.
    if (exists)
      at = kernel.body.select(exists, at, part.row);
    Value code = memref::LoadOp::create(builder, loc, lhs.base, ValueRange(at));
    if (exists)
      code = kernel.body.select(exists, code, zero);
    codes.push_back(code);
  }
  return codes;
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

void GPUContractKernel::copyLhs(const LhsChunk &part, Value step, Value stage) {
  Value from, exists;
  Value source = locateLhs(part, step, from, exists);
  Value to = add(stage, part.shared);
  if (lhsCopy == LhsCopy::Gather) {
    Value codes = vector::FromElementsOp::create(
        builder, loc, VectorType::get({lhsChunkCodes()}, lhs.element),
        gatherCodes(part, source, from, exists, lhsChunkCodes()));
    return unit->store(codes, shared, to);
  }
  for (int64_t piece = 0; piece < lhsChunkCodes(); piece += lhsPiece) {
    Value valid;
    // Codes of a run end in a chunk, or chunks are beyond it that only fill up.
    if (runMultiple % rhsChunkCodes() != 0) {
      Value end = arith::MaxSIOp::create(
          builder, loc, index(attr(0)),
          arith::SubIOp::create(
              builder, loc,
              index(kernel.import(kernel.host.add(runSize, attr(-piece)))),
              from));
      valid = arith::MinSIOp::create(builder, loc, end, index(attr(lhsPiece)));
    }
    if (exists)
      valid = kernel.body.select(exists, valid ? valid : index(attr(lhsPiece)),
                                 index(attr(0)));
    unit->copyAsync(lhs.base, add(source, kernel.body.add(from, attr(piece))),
                    shared, add(to, attr(piece)), lhsPiece, valid);
  }
}

void GPUContractKernel::copyRhs(const RhsChunk &part, Value step, Value stage) {
  Value exists, valid;
  Value source = locateRhs(part, step, exists);
  if (exists)
    valid =
        kernel.body.select(exists, index(attr(sharedChunk())), index(attr(0)));
  unit->copyAsync(rhs.base, source, shared, add(stage, part.shared),
                  sharedChunk(), valid);
}

void GPUContractKernel::copyStage(Value step, Value stage, bool mayBeBeyond,
                                  ArrayRef<Value> codes) {
  Value exists = mayBeBeyond ? isBelow(step, numSteps) : Value();
  kernel.body.inBranch(exists, [&] {
    for (size_t i = 0; i < lhsChunks.size(); ++i)
      kernel.body.inBranch(lhsChunks[i].isActive, [&] {
        if (codes.empty())
          copyLhs(lhsChunks[i], step, stage);
        else
          storeDecoded(lhsChunks[i], codes[i], stage);
      });
    for (const RhsChunk &part : rhsChunks)
      kernel.body.inBranch(part.isActive, [&] { copyRhs(part, step, stage); });
  });
  // Also without copies, so that groups count stages.
  unit->commitCopies();
}

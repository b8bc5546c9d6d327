//===- ContractTile.cpp - The tile of a workgroup -------------------------===//
//
// And the parts of it that its groups of lanes have.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

using namespace mlir;
using namespace quant_mlir;

/// Few rows are few tiles: workgroups share a panel then, as long as there are
/// cores without one. More of them would read what is copied of lhs again.
void GPUContractKernel::divideColumns() {
  std::optional<int64_t> rows = getConstantIntValue(numRows);
  if (!rows || !isFew(*rows))
    return;
  while (tileColumns / 2 >= target.getMinTileColumns() &&
         guessColumnTiles() < target.getNumCores())
    tileColumns /= 2;
}

/// Rows enough for the machine to have work, and groups of lanes whose parts
/// are as square as may be: those need the fewest bytes of shared memory for a
/// product.
void GPUContractKernel::chooseTile() {
  if (unit->isStreaming()) {
    tileRows = shape().rows;
    groupsAcross = tileColumns / shape().columns;
    // Other units have as many rows as there are.
    hasRaggedRows = isOfValues && *getConstantIntValue(numRows) % tileRows != 0;
    return;
  }
  // A panel is the least, or a part of one where all groups have fewer columns.
  tileColumns = std::max(tileColumns, shape().minGroupColumns);
  while (tileColumns > shape().groups * shape().maxGroupColumns)
    tileColumns /= 2;
  std::optional<int64_t> known = getConstantIntValue(numRows);
  int64_t most = std::max<int64_t>(1, tileColumns / shape().minGroupColumns);
  int64_t least = shape().rows * shape().minRowProducts *
                  std::max<int64_t>(1, shape().groups / most);
  // Sums beside values take twice the registers.
  int64_t mostRows = shape().maxTileRows / (blockCodes != 0 ? 2 : 1);
  tileRows = std::max(least, mostRows);
  auto numTiles = [&] {
    return llvm::divideCeil(*known, tileRows) * guessColumnTiles();
  };
  while (known && tileRows > least &&
         (*known <= tileRows / 2 ||
          (tileRows > 32 && int64_t(numTiles()) < target.getNumCores())))
    tileRows /= 2;
  int64_t best = INT64_MAX;
  for (int64_t down = 1; down <= shape().groups; ++down) {
    int64_t across = shape().groups / down;
    if (down * across != shape().groups)
      continue;
    int64_t rows = tileRows / down, columns = tileColumns / across;
    if (rows < shape().rows || columns < shape().minGroupColumns ||
        columns > shape().maxGroupColumns || rows + columns >= best)
      continue;
    best = rows + columns;
    groupsDown = down;
    groupsAcross = across;
  }
  assert(best != INT64_MAX && "a tile that groups of lanes cannot share");
  hasRaggedRows = !known || *known % tileRows != 0;
}

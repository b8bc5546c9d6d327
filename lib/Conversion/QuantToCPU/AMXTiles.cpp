//===- AMXTiles.cpp - Tile registers of AMX -------------------------------===//

#include "AMXTiles.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace quant_mlir;

Value AMXTiles::number(int64_t value, unsigned width) {
  return arith::ConstantIntOp::create(
      kernel.builder, kernel.loc, kernel.builder.getIntegerType(width), value);
}

void AMXTiles::call(StringRef name, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(
      kernel.builder, kernel.loc,
      kernel.builder.getStringAttr("llvm.x86." + name), operands);
}

Value AMXTiles::buildPointer(Value base, OpFoldResult index) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  auto type = cast<MemRefType>(base.getType());
  if (!type.getLayout().isIdentity()) {
    auto metadata =
        memref::ExtractStridedMetadataOp::create(builder, loc, base);
    index = kernel.add(index, metadata.getConstifiedMixedOffset());
  }
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(
      builder, loc, builder.getIndexType(), base);
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  address = kernel.index(
      kernel.add(address, kernel.mul(index, builder.getIndexAttr(bytes))));
  address =
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), address);
  return LLVM::IntToPtrOp::create(
      builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), address);
}

/// Byte 0: the palette; 16 to 31: bytes of a row, of 16 bits; 48 on: rows.
void AMXTiles::configure(const TileShapes &shapes, ArrayRef<unsigned> dynamic,
                         Value rows, const FlatOperand &space) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  std::array<int8_t, 64> bytes{};
  bytes[0] = 1;
  for (auto [tile, shape] : llvm::enumerate(shapes)) {
    bytes[16 + 2 * tile] = int8_t(shape.bytes);
    bytes[48 + tile] = int8_t(shape.rows);
  }
  auto type = RankedTensorType::get({64}, builder.getI8Type());
  Value known = kernel.constant(
      "tiles", DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
  if (dynamic.empty())
    return call("ldtilecfg", buildPointer(known, builder.getIndexAttr(0)));
  FlatOperand source;
  source.base = known;
  source.element = builder.getI8Type();
  kernel.store(space, kernel.index(0),
               kernel.load(source, kernel.index(0), 64));
  Value count =
      arith::IndexCastOp::create(builder, loc, builder.getI8Type(), rows);
  for (unsigned tile : dynamic)
    memref::StoreOp::create(builder, loc, count, space.base,
                            ValueRange(kernel.index(48 + tile)));
  call("ldtilecfg", buildPointer(space.base, builder.getIndexAttr(0)));
}

void AMXTiles::release() { call("tilerelease", {}); }

void AMXTiles::zero(unsigned tile) { call("tilezero", number(tile)); }

void AMXTiles::move(StringRef name, unsigned tile, Value base,
                    OpFoldResult index, OpFoldResult stride) {
  Value distance = arith::IndexCastOp::create(kernel.builder, kernel.loc,
                                              kernel.builder.getI64Type(),
                                              kernel.index(stride));
  call(name, {number(tile), buildPointer(base, index), distance});
}

void AMXTiles::load(unsigned tile, Value base, OpFoldResult index,
                    OpFoldResult stride) {
  move("tileloadd64", tile, base, index, stride);
}

void AMXTiles::loadOnce(unsigned tile, Value base, OpFoldResult index,
                        OpFoldResult stride) {
  move("tileloaddt164", tile, base, index, stride);
}

void AMXTiles::store(unsigned tile, Value base, OpFoldResult index,
                     OpFoldResult stride) {
  move("tilestored64", tile, base, index, stride);
}

void AMXTiles::multiply(unsigned acc, unsigned a, unsigned b, bool isSignedA,
                        bool isSignedB) {
  std::string name = "tdpb";
  name += isSignedA ? 's' : 'u';
  name += isSignedB ? 's' : 'u';
  call(name + "d", {number(acc), number(a), number(b)});
}

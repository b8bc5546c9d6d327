//===- TableLookup.cpp - Bytes out of a table of 256 ----------------------===//
//
// AVX512-VBMI permutes 128 bytes at once: two permutations, and the top bit of
// the code chooses. A byte shuffle of x86 looks into 16 bytes, one of AArch64
// into 64, and both know codes that are not theirs: the former gives 0 for a
// top bit, the latter leaves what was there before. Tables are constants of the
// code, so that LLVM decides what stays in registers.
//
//===----------------------------------------------------------------------===//

#include "TableLookup.h"

#include "quant-mlir/Target/CPU.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

static constexpr int64_t tableSize = 256, rowSize = 16;

//===----------------------------------------------------------------------===//
// Lookups of one element
//===----------------------------------------------------------------------===//

std::optional<TableLookup> quant_mlir::matchTableLookup(Operation *op) {
  auto load = dyn_cast<memref::LoadOp>(op);
  if (!load || load.getIndices().size() != 1)
    return std::nullopt;
  auto index = load.getIndices().front().getDefiningOp<arith::IndexCastUIOp>();
  auto table = load.getMemRef().getDefiningOp<memref::GetGlobalOp>();
  if (!index || !index.getIn().getType().isInteger(8) || !table ||
      table.getType().getShape() != ArrayRef<int64_t>(tableSize) ||
      !table.getType().getElementType().isInteger(8))
    return std::nullopt;
  auto global = SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(
      table, table.getNameAttr());
  if (!global || !global.getConstant())
    return std::nullopt;
  auto data = dyn_cast_if_present<DenseElementsAttr>(
      global.getInitialValue().value_or(Attribute()));
  if (!data)
    return std::nullopt;
  TableLookup lookup{index.getIn(), load.getMemRef(), {}};
  for (const APInt &entry : data.getValues<APInt>())
    lookup.entries.push_back(entry.getZExtValue());
  return lookup;
}

bool quant_mlir::isIndexOfLookups(Operation *op) {
  return isa<arith::IndexCastUIOp>(op) && !op->use_empty() &&
         llvm::all_of(op->getUsers(), [](Operation *user) {
           return matchTableLookup(user).has_value();
         });
}

//===----------------------------------------------------------------------===//
// What targets have
//===----------------------------------------------------------------------===//

namespace {
enum class LookupKind {
  None,
  Permute, ///< vpermi2b: 128 bytes
  Shuffle, ///< pshufb: 16 bytes of each lane of 16
  Table,   ///< tbl, tbx: 64 bytes
};
} // namespace

static LookupKind getLookupKind(const CPUTarget &target) {
  if (target.isAArch64())
    return target.hasFeature("neon") ? LookupKind::Table : LookupKind::None;
  if (target.getVectorBytes() == 64 && target.hasFeature("avx512vbmi"))
    return LookupKind::Permute;
  return target.hasFeature("ssse3") ? LookupKind::Shuffle : LookupKind::None;
}

bool quant_mlir::hasVectorLookup(const CPUTarget &target) {
  return getLookupKind(target) != LookupKind::None;
}

/// Whether only four bits of a code count.
static bool isOfFourBits(ArrayRef<uint8_t> entries) {
  return entries.drop_front(rowSize) == entries.drop_back(rowSize);
}

/// For each row of a half of the table, what it has other than the row before.
static SmallVector<uint8_t> getDifferences(ArrayRef<uint8_t> half) {
  SmallVector<uint8_t> differences(half.begin(), half.end());
  for (size_t i = rowSize; i < half.size(); ++i)
    differences[i] ^= half[i - rowSize];
  return differences;
}

static bool isZero(ArrayRef<uint8_t> row) {
  return llvm::all_of(row, [](uint8_t entry) { return entry == 0; });
}

int64_t quant_mlir::countLookupInstructions(const CPUTarget &target,
                                            ArrayRef<uint8_t> entries) {
  LookupKind kind = getLookupKind(target);
  // Two loads and a store for each code.
  if (kind == LookupKind::None)
    return 3 * target.getVectorBytes();
  if (isOfFourBits(entries))
    return 2;
  switch (kind) {
  case LookupKind::Permute:
    return 4;
  case LookupKind::Table:
    // Of 64 bytes one takes as long as four of 16, and there are three moves.
    return 4 * 4 + 3;
  default:
    break;
  }
  int64_t count = 1;
  for (ArrayRef<uint8_t> half :
       {entries.take_front(tableSize / 2), entries.drop_front(tableSize / 2)}) {
    SmallVector<uint8_t> rows = getDifferences(half);
    for (int64_t row = 0; row < tableSize / 2; row += rowSize)
      if (!isZero(ArrayRef(rows).slice(row, rowSize)))
        count += 3;
  }
  return count;
}

//===----------------------------------------------------------------------===//
// Lookups of a register
//===----------------------------------------------------------------------===//

namespace {
class LookupBuilder {
public:
  LookupBuilder(KernelBuilder &kernel, int64_t bytes, Value codes)
      : builder(kernel.builder), loc(kernel.loc),
        type(VectorType::get({bytes}, builder.getI8Type())), codes(codes) {}

  Value permute(ArrayRef<uint8_t> entries) const;
  Value shuffle(ArrayRef<uint8_t> entries) const;
  Value table(ArrayRef<uint8_t> entries) const;
  /// Of a table that four bits choose from: `name` looks into 16 bytes.
  Value lookUpFourBits(StringRef name, ArrayRef<uint8_t> entries) const;
  StringRef getShuffle() const {
    int64_t bytes = type.getNumElements();
    return bytes == 64   ? "llvm.x86.avx512.pshuf.b.512"
           : bytes == 32 ? "llvm.x86.avx2.pshuf.b"
                         : "llvm.x86.ssse3.pshuf.b.128";
  }

private:
  Value call(StringRef name, ValueRange operands) const {
    return LLVM::CallIntrinsicOp::create(builder, loc, type,
                                         builder.getStringAttr(name), operands)
        .getResult(0);
  }
  Value splat(uint8_t value) const {
    return arith::ConstantOp::create(
        builder, loc, DenseElementsAttr::get(type, APInt(8, value)));
  }
  /// `entries` again and again, a register in all.
  Value constant(ArrayRef<uint8_t> entries) const {
    SmallVector<uint8_t> bytes;
    while (int64_t(bytes.size()) < type.getNumElements())
      llvm::append_range(bytes, entries);
    return arith::ConstantOp::create(
        builder, loc, DenseElementsAttr::get(type, ArrayRef<uint8_t>(bytes)));
  }
  Value flip(uint8_t bits) const {
    return bits == 0 ? codes
                     : arith::XOrIOp::create(builder, loc, codes, splat(bits))
                           .getResult();
  }

  OpBuilder &builder;
  Location loc;
  VectorType type;
  Value codes;
};
} // namespace

Value LookupBuilder::permute(ArrayRef<uint8_t> entries) const {
  auto lookUp = [&](ArrayRef<uint8_t> half) {
    return call(
        "llvm.x86.avx512.vpermi2var.qi.512",
        {constant(half.take_front(64)), codes, constant(half.drop_front(64))});
  };
  Value low = lookUp(entries.take_front(tableSize / 2));
  Value high = lookUp(entries.drop_front(tableSize / 2));
  Value isHigh = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt,
                                       codes, splat(0));
  return arith::SelectOp::create(builder, loc, isHigh, high, low);
}

/// Row r of a half is the sum (without carry) of differences up to r. Codes
/// less than 16 * r have the top bit after 16 * r was taken off, and so has the
/// other half: subtraction saturates.
Value LookupBuilder::shuffle(ArrayRef<uint8_t> entries) const {
  Value sum;
  for (uint8_t half : {0, 128}) {
    SmallVector<uint8_t> rows =
        getDifferences(entries.slice(half, tableSize / 2));
    Value rest = flip(half);
    uint8_t taken = 0;
    for (uint8_t row = 0; row < tableSize / 2; row += rowSize) {
      ArrayRef<uint8_t> difference = ArrayRef(rows).slice(row, rowSize);
      if (isZero(difference))
        continue;
      if (row != taken)
        rest = LLVM::SSubSat::create(builder, loc, rest, splat(row - taken));
      taken = row;
      Value part = call(getShuffle(), {constant(difference), rest});
      sum = sum ? arith::XOrIOp::create(builder, loc, sum, part) : part;
    }
  }
  return sum ? sum : splat(0);
}

Value LookupBuilder::table(ArrayRef<uint8_t> entries) const {
  Value result;
  for (int64_t first = 0; first < tableSize; first += 64) {
    SmallVector<Value> operands;
    if (result)
      operands.push_back(result);
    for (int64_t row = first; row < first + 64; row += rowSize)
      operands.push_back(constant(entries.slice(row, rowSize)));
    operands.push_back(flip(first));
    result = call(result ? "llvm.aarch64.neon.tbx4.v16i8"
                         : "llvm.aarch64.neon.tbl4.v16i8",
                  operands);
  }
  return result;
}

Value LookupBuilder::lookUpFourBits(StringRef name,
                                    ArrayRef<uint8_t> entries) const {
  Value low = arith::AndIOp::create(builder, loc, codes, splat(rowSize - 1));
  return call(name, {constant(entries.take_front(rowSize)), low});
}

Value quant_mlir::buildLookup(KernelBuilder &kernel, const CPUTarget &target,
                              const TableLookup &lookup, Value codes) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  int64_t count = cast<VectorType>(codes.getType()).getNumElements();
  int64_t bytes = target.getVectorBytes();
  if (count == 1) {
    Value code = vector::ExtractOp::create(builder, loc, codes, 0);
    Value index = arith::IndexCastUIOp::create(builder, loc,
                                               builder.getIndexType(), code);
    Value entry =
        memref::LoadOp::create(builder, loc, lookup.table, ValueRange(index));
    return vector::BroadcastOp::create(builder, loc, codes.getType(), entry);
  }
  auto resize = [&](Value vector, int64_t size) -> Value {
    if (count == bytes)
      return vector;
    SmallVector<int64_t> mask(size);
    for (int64_t i = 0; i < size; ++i)
      mask[i] = i < count ? i : vector::ShuffleOp::kPoisonIndex;
    return vector::ShuffleOp::create(builder, loc, vector, vector, mask);
  };
  LookupBuilder build(kernel, bytes, resize(codes, bytes));
  ArrayRef<uint8_t> entries = lookup.entries;
  bool isShort = isOfFourBits(entries);
  Value result;
  switch (getLookupKind(target)) {
  case LookupKind::Permute:
    result = isShort ? build.lookUpFourBits(build.getShuffle(), entries)
                     : build.permute(entries);
    break;
  case LookupKind::Shuffle:
    result = isShort ? build.lookUpFourBits(build.getShuffle(), entries)
                     : build.shuffle(entries);
    break;
  case LookupKind::Table:
    result = isShort
                 ? build.lookUpFourBits("llvm.aarch64.neon.tbl1.v16i8", entries)
                 : build.table(entries);
    break;
  case LookupKind::None:
    llvm_unreachable("lookups of vectors");
  }
  return resize(result, count);
}

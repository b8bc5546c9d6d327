//===- PlanBuffers.cpp - All buffers of a function in one arena -----------===//
//
// Every static memref.alloc that the function frees itself gets a place in one
// block of memory, by when it is used: largest first, each at the lowest offset
// where no other buffer of its time lies. The block outlives the call: it waits
// in a slot of the module for the next one.
//
// Of a run time's memory (a GPU's), buffers whose size only the run time knows
// are arenas of their own: a power of two of bytes, which waits in a slot for
// that power, so that a size which grows call by call seldom allocates.
//
// Left as they are: buffers of dynamic size of the C library's memory, those
// that are handed out, those of parallel loops' bodies, and functions of more
// than one block.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Passes.h"
#include "quant-mlir/Conversion/Utils/ModuleSymbols.h"
#include "quant-mlir/Conversion/Utils/PointerToBuffer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

namespace quant_mlir {
#define GEN_PASS_DEF_PLANBUFFERSPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "quant-plan-buffers"

using namespace mlir;

namespace {

constexpr int64_t alignment = 64;
/// What kernels may read beyond the end of a buffer: less than a vector.
constexpr int64_t slack = 64;

/// Slots of buffers of unknown size: one for each power of two.
constexpr int64_t numPowers = 64;

struct PlannedBuffer {
  memref::AllocOp alloc;
  memref::DeallocOp dealloc;
  int64_t bytes = 0;
  /// First and last operation of the function's block that uses it.
  unsigned first = 0, last = 0;
  int64_t offset = 0;

  bool meets(const PlannedBuffer &other) const {
    return first <= other.last && other.first <= last;
  }
};

/// Bytes of all elements; nullopt where the type does not say.
std::optional<int64_t> getNumBytes(MemRefType type) {
  Type element = type.getElementType();
  if (!type.hasStaticShape() || !type.getLayout().isIdentity() ||
      type.getMemorySpace() || !(element.isIntOrIndexOrFloat()))
    return std::nullopt;
  int64_t width = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  return type.getNumElements() * llvm::divideCeil(width, 8);
}

/// The buffer of `alloc` where the function frees it itself, but for its bytes.
std::optional<PlannedBuffer>
getOwned(memref::AllocOp alloc, Block &body,
         const DenseMap<Operation *, unsigned> &positions,
         BufferViewFlowAnalysis &flow) {
  if (!alloc.getSymbolOperands().empty())
    return std::nullopt;
  for (Operation *op = alloc->getParentOp(); op != body.getParentOp();
       op = op->getParentOp())
    if (!isa<scf::ForOp, scf::IfOp, scf::WhileOp, scf::IndexSwitchOp,
             scf::ExecuteRegionOp, memref::AllocaScopeOp>(op))
      return std::nullopt;

  PlannedBuffer buffer;
  buffer.alloc = alloc;
  buffer.first = std::numeric_limits<unsigned>::max();
  for (Value alias : flow.resolve(alloc))
    for (Operation *user : alias.getUsers()) {
      if (auto dealloc = dyn_cast<memref::DeallocOp>(user)) {
        if (buffer.dealloc || dealloc.getMemref() != alloc.getResult() ||
            dealloc->getBlock() != alloc->getBlock())
          return std::nullopt;
        buffer.dealloc = dealloc;
        continue;
      }
      if (isa<func::ReturnOp>(user))
        return std::nullopt;
      unsigned position = positions.at(body.findAncestorOpInBlock(*user));
      buffer.first = std::min(buffer.first, position);
      buffer.last = std::max(buffer.last, position);
    }
  if (!buffer.dealloc)
    return std::nullopt;
  return buffer;
}

std::optional<PlannedBuffer>
getPlannable(memref::AllocOp alloc, Block &body,
             const DenseMap<Operation *, unsigned> &positions,
             BufferViewFlowAnalysis &flow) {
  std::optional<int64_t> bytes = getNumBytes(alloc.getType());
  if (!bytes)
    return std::nullopt;
  std::optional<PlannedBuffer> buffer = getOwned(alloc, body, positions, flow);
  if (buffer)
    buffer->bytes = llvm::alignTo(*bytes + slack, alignment);
  return buffer;
}

/// The buffer of `alloc` where its size is known at run time, and nothing else
/// lacks.
std::optional<PlannedBuffer>
getUnknown(memref::AllocOp alloc, Block &body,
           const DenseMap<Operation *, unsigned> &positions,
           BufferViewFlowAnalysis &flow) {
  MemRefType type = alloc.getType();
  if (type.hasStaticShape() || !type.getLayout().isIdentity() ||
      type.getMemorySpace() || !type.getElementType().isIntOrFloat())
    return std::nullopt;
  return getOwned(alloc, body, positions, flow);
}

/// Offsets; returns the size of the arena.
int64_t place(MutableArrayRef<PlannedBuffer> buffers) {
  SmallVector<PlannedBuffer *> order, placed;
  for (PlannedBuffer &buffer : buffers)
    order.push_back(&buffer);
  llvm::stable_sort(order, [](PlannedBuffer *a, PlannedBuffer *b) {
    return a->bytes > b->bytes;
  });
  int64_t size = 0;
  for (PlannedBuffer *buffer : order) {
    for (PlannedBuffer *other : placed) // by offset
      if (other->meets(*buffer) &&
          other->offset < buffer->offset + buffer->bytes)
        buffer->offset = std::max(buffer->offset, other->offset + other->bytes);
    size = std::max(size, buffer->offset + buffer->bytes);
    placed.insert(llvm::upper_bound(placed, buffer,
                                    [](PlannedBuffer *a, PlannedBuffer *b) {
                                      return a->offset < b->offset;
                                    }),
                  buffer);
  }
  return size;
}

/// What takes and returns arenas, in the module: functions of the LLVM dialect,
/// since there are no atomics on pointers elsewhere.
class ArenaFunctions {
public:
  ArenaFunctions(ModuleOp module, StringRef allocateName, StringRef freeName)
      : module(module), symbols(module), builder(module.getContext()),
        allocateName(allocateName), freeName(freeName),
        pointer(LLVM::LLVMPointerType::get(module.getContext())) {}

  /// A slot that holds no arena.
  LLVM::GlobalOp addSlot(StringRef function) {
    slots.push_back(symbols.addSlot("quant.arena." + function));
    return slots.back();
  }

  /// Slots for powers of two.
  LLVM::GlobalOp addTable(StringRef function) {
    tables.push_back(symbols.addSlot("quant.arenas." + function, numPowers));
    return tables.back();
  }

  /// (slot, bytes) -> arena: that of the slot, which is empty then, or a new
  /// one.
  LLVM::LLVMFuncOp getTake() {
    if (take)
      return take;
    Type i64 = builder.getI64Type();
    LLVM::LLVMFuncOp allocate =
        symbols.declare(allocateName, pointer, {i64, i64});
    take = symbols.define(quant_mlir::takeArenaName, pointer, {pointer, i64});
    Location loc = take.getLoc();
    Block *entry = take.addEntryBlock(builder);
    Block *fresh = builder.createBlock(&take.getBody());
    Block *done = builder.createBlock(&take.getBody(), {}, {pointer}, {loc});
    builder.setInsertionPointToEnd(entry);
    Value null = LLVM::ZeroOp::create(builder, loc, pointer);
    Value old = exchange(builder, loc, entry->getArgument(0), null);
    Value isEmpty =
        LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, old, null);
    LLVM::CondBrOp::create(builder, loc, isEmpty, fresh, ValueRange(), done,
                           ValueRange(old));
    builder.setInsertionPointToEnd(fresh);
    Value boundary = LLVM::ConstantOp::create(
        builder, loc, i64, builder.getI64IntegerAttr(alignment));
    auto call = LLVM::CallOp::create(
        builder, loc, allocate, ValueRange{boundary, entry->getArgument(1)});
    LLVM::BrOp::create(builder, loc, call.getResults(), done);
    builder.setInsertionPointToEnd(done);
    LLVM::ReturnOp::create(builder, loc, done->getArgument(0));
    return take;
  }

  /// (slot, arena): the slot's for the next call; another that a call of
  /// another thread has put there meanwhile is freed.
  LLVM::LLVMFuncOp getGiveBack() {
    if (giveBack)
      return giveBack;
    giveBack = symbols.define("quant.give_back_arena",
                              LLVM::LLVMVoidType::get(module.getContext()),
                              {pointer, pointer});
    Location loc = giveBack.getLoc();
    Block *entry = giveBack.addEntryBlock(builder);
    builder.setInsertionPointToEnd(entry);
    freeArena(
        builder, loc,
        exchange(builder, loc, entry->getArgument(0), entry->getArgument(1)));
    LLVM::ReturnOp::create(builder, loc, ValueRange());
    return giveBack;
  }

  /// Frees what the slots hold when the module is unloaded.
  void addDestructor() {
    if (slots.empty() && tables.empty())
      return;
    symbols.addDestructor(
        "quant.free_arenas", [&](OpBuilder &builder, Location loc) {
          Value null = LLVM::ZeroOp::create(builder, loc, pointer);
          for (LLVM::GlobalOp slot : slots) {
            Value address = LLVM::AddressOfOp::create(builder, loc, slot);
            freeArena(builder, loc, exchange(builder, loc, address, null));
          }
          for (LLVM::GlobalOp table : tables)
            for (int32_t power = 0; power < numPowers; ++power) {
              Value address = LLVM::AddressOfOp::create(builder, loc, table);
              address = LLVM::GEPOp::create(builder, loc, pointer, pointer,
                                            address, LLVM::GEPArg(power));
              freeArena(builder, loc, exchange(builder, loc, address, null));
            }
        });
  }

private:
  Value exchange(OpBuilder &builder, Location loc, Value slot, Value value) {
    return LLVM::AtomicRMWOp::create(builder, loc, LLVM::AtomicBinOp::xchg,
                                     slot, value,
                                     LLVM::AtomicOrdering::acq_rel);
  }

  void freeArena(OpBuilder &builder, Location loc, Value arena) {
    LLVM::LLVMFuncOp function = symbols.declare(
        freeName, LLVM::LLVMVoidType::get(module.getContext()), pointer);
    LLVM::CallOp::create(builder, loc, function, arena);
  }

  ModuleOp module;
  quant_mlir::ModuleSymbols symbols;
  OpBuilder builder;
  StringRef allocateName, freeName;
  Type pointer;
  SmallVector<LLVM::GlobalOp> slots, tables;
  LLVM::LLVMFuncOp take, giveBack;
};

struct PlanBuffersPass
    : public quant_mlir::impl::PlanBuffersPassBase<PlanBuffersPass> {
  using PlanBuffersPassBase::PlanBuffersPassBase;

  void runOnOperation() override {
    ArenaFunctions functions(getOperation(), allocate, free);
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!function.isDeclaration() && function.getBody().hasOneBlock()) {
        if (allocate != "aligned_alloc")
          takeUnknown(function, functions);
        plan(function, functions);
      }
    functions.addDestructor();
  }

private:
  /// What `get`, getUnknown or getPlannable, finds of the function's buffers.
  static SmallVector<PlannedBuffer> collect(func::FuncOp function,
                                            decltype(getOwned) get) {
    Block &body = function.getBody().front();
    DenseMap<Operation *, unsigned> positions;
    for (auto [position, op] : llvm::enumerate(body))
      positions[&op] = position;
    BufferViewFlowAnalysis flow(function);
    SmallVector<PlannedBuffer> buffers;
    function.walk([&](memref::AllocOp alloc) {
      if (std::optional<PlannedBuffer> buffer =
              get(alloc, body, positions, flow))
        buffers.push_back(*buffer);
    });
    return buffers;
  }

  /// Gives buffers whose size is not known arenas of their own.
  void takeUnknown(func::FuncOp function, ArenaFunctions &functions) {
    SmallVector<PlannedBuffer> buffers = collect(function, getUnknown);
    for (PlannedBuffer &buffer : buffers)
      takeArena(buffer, functions, function.getName());
    numPlanned += buffers.size();
  }

  /// %b = memref.alloc(%n) : memref<?xi32>
  /// memref.dealloc %b
  ///
  /// %power = 64 - ctlz(4 * %n + slack - 1)
  /// %slot = llvm.getelementptr @quant.arenas.f[%power]
  /// %arena = llvm.call @quant.take_arena(%slot, 1 << %power)
  /// llvm.call @quant.give_back_arena(%slot, %arena)
  void takeArena(PlannedBuffer &buffer, ArenaFunctions &functions,
                 StringRef function) {
    LLVM::LLVMFuncOp take = functions.getTake(),
                     giveBack = functions.getGiveBack();
    LLVM::GlobalOp table = functions.addTable(function);
    MemRefType type = buffer.alloc.getType();
    Location loc = buffer.alloc.getLoc();
    OpBuilder builder(buffer.alloc);
    Type i64 = builder.getI64Type();
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIntOp::create(builder, loc, i64, value);
    };
    int64_t known = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    for (int64_t size : type.getShape())
      known *= ShapedType::isDynamic(size) ? 1 : size;
    Value bytes = constant(known);
    for (Value size : buffer.alloc.getDynamicSizes())
      bytes = arith::MulIOp::create(
          builder, loc, bytes,
          arith::IndexCastOp::create(builder, loc, i64, size));
    bytes = arith::AddIOp::create(builder, loc, bytes, constant(slack - 1));
    Value zeros = LLVM::CountLeadingZerosOp::create(builder, loc, i64, bytes,
                                                    /*is_zero_poison=*/false);
    Value power =
        arith::SubIOp::create(builder, loc, constant(numPowers), zeros);
    Value size = arith::ShLIOp::create(builder, loc, constant(1), power);
    Value slot = LLVM::AddressOfOp::create(builder, loc, table);
    Type pointer = slot.getType();
    slot = LLVM::GEPOp::create(builder, loc, pointer, pointer, slot,
                               LLVM::GEPArg(power));
    Value arena =
        LLVM::CallOp::create(builder, loc, take, ValueRange{slot, size})
            .getResult();
    Value all = quant_mlir::buildBufferAt(
        builder, loc, arena,
        MemRefType::get({ShapedType::kDynamic}, builder.getI8Type()), size);
    Value view =
        memref::ViewOp::create(builder, loc, type, all,
                               arith::ConstantIndexOp::create(builder, loc, 0),
                               buffer.alloc.getDynamicSizes());
    builder.setInsertionPoint(buffer.dealloc);
    LLVM::CallOp::create(builder, loc, giveBack, ValueRange{slot, arena});
    buffer.dealloc->erase();
    buffer.alloc.replaceAllUsesWith(view);
    buffer.alloc->erase();
  }

  void plan(func::FuncOp function, ArenaFunctions &functions) {
    Block &body = function.getBody().front();
    SmallVector<PlannedBuffer> buffers = collect(function, getPlannable);
    if (buffers.empty())
      return;
    int64_t size = place(buffers);
    numPlanned += buffers.size();
    LLVM::LLVMFuncOp take = functions.getTake(),
                     giveBack = functions.getGiveBack();
    LLVM::GlobalOp slot = functions.addSlot(function.getName());

    Location loc = function.getLoc();
    OpBuilder builder = OpBuilder::atBlockBegin(&body);
    Value address = LLVM::AddressOfOp::create(builder, loc, slot);
    Value bytes = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                           builder.getI64IntegerAttr(size));
    Value arena =
        LLVM::CallOp::create(builder, loc, take, ValueRange{address, bytes})
            .getResult();
    Value buffer = quant_mlir::buildBufferAt(
        builder, loc, arena, MemRefType::get({size}, builder.getI8Type()));
    for (PlannedBuffer &planned : buffers) {
      builder.setInsertionPoint(planned.alloc);
      Value offset = arith::ConstantIndexOp::create(
          builder, planned.alloc.getLoc(), planned.offset);
      Value view = memref::ViewOp::create(builder, planned.alloc.getLoc(),
                                          planned.alloc.getType(), buffer,
                                          offset, ValueRange());
      planned.dealloc->erase();
      planned.alloc.replaceAllUsesWith(view);
      planned.alloc->erase();
    }
    builder.setInsertionPoint(body.getTerminator());
    LLVM::CallOp::create(builder, loc, giveBack, ValueRange{address, arena});
  }
};

} // namespace

//===- NVVMInstructions.cpp - Instructions of NVIDIA's GPUs ---------------===//
//
// Positions, barriers, shuffles, asynchronous copies and ldmatrix, as the PTX
// ISA describes them. Products of matrices are in MatrixProducts.cpp.
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "MatrixProducts.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;
using namespace quant_mlir;
using namespace quant_mlir::emulator;

using Function = std::function<void(Block &, Lane &, const Call &)>;

static EmulatedInstruction ofLane(Function function) {
  EmulatedInstruction result;
  result.lane = std::move(function);
  return result;
}

static EmulatedInstruction nothing() {
  return ofLane([](Block &, Lane &, const Call &) {});
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

/// read.ptx.sreg.<name>
static std::optional<EmulatedInstruction> findRegister(StringRef name) {
  auto number = [](auto get) {
    return ofLane([get](Block &block, Lane &lane, const Call &call) {
      call.set<uint32_t>(get(block, lane));
    });
  };
  if (name == "laneid")
    return number([](Block &block, Lane &lane) {
      return lane.number % block.getWarpSize();
    });
  if (name == "warpsize")
    return number([](Block &block, Lane &) { return block.getWarpSize(); });
  auto [what, dim] = name.split('.');
  if (dim != "x" && dim != "y" && dim != "z")
    return std::nullopt;
  auto of = [dim = dim.front()](const EmulatedSize &size) {
    return dim == 'x' ? size.x : dim == 'y' ? size.y : size.z;
  };
  if (what == "tid")
    return number([of](Block &, Lane &lane) { return of(lane.position); });
  if (what == "ctaid")
    return number(
        [of](Block &block, Lane &) { return of(block.getPosition()); });
  if (what == "ntid")
    return number(
        [of](Block &block, Lane &) { return of(block.getLaunch().block); });
  if (what == "nctaid")
    return number(
        [of](Block &block, Lane &) { return of(block.getLaunch().grid); });
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

/// cp.async.(ca|cg).shared.global.<bytes>[.s]
static std::optional<EmulatedInstruction> findCopy(StringRef name) {
  if (name == "commit.group")
    return ofLane([](Block &, Lane &lane, const Call &) {
      lane.copyGroups.push_back(std::move(lane.openCopies));
      lane.openCopies.clear();
    });
  if (name == "wait.group")
    return ofLane([](Block &block, Lane &lane, const Call &call) {
      block.finishCopies(lane, call.get<uint32_t>(0));
    });
  if (name == "wait.all")
    return ofLane([](Block &block, Lane &lane, const Call &) {
      lane.copyGroups.push_back(std::move(lane.openCopies));
      lane.openCopies.clear();
      block.finishCopies(lane, 0);
    });
  if (!name.consume_front("ca.") && !name.consume_front("cg."))
    return std::nullopt;
  if (!name.consume_front("shared.global."))
    return std::nullopt;
  bool hasSize = name.consume_back(".s");
  size_t bytes;
  if (name.getAsInteger(10, bytes))
    return std::nullopt;
  return ofLane([bytes, hasSize](Block &block, Lane &lane, const Call &call) {
    AsyncCopy copy;
    copy.to = call.get<uint64_t>(0);
    copy.from = call.get<uint64_t>(1);
    copy.bytes = bytes;
    copy.fromBytes =
        hasSize ? std::min<size_t>(call.get<uint32_t>(2), bytes) : bytes;
    block.startCopy(lane, copy, call.getSite().number);
  });
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

static EmulatedInstruction
ofWarp(std::function<void(Block &, unsigned, ArrayRef<Call>)> function) {
  EmulatedInstruction result;
  result.scope = Scope::Warp;
  result.warp = std::move(function);
  return result;
}

/// ldmatrix.sync.aligned.m8n8.x<count>[.trans].b16[.p3]: lane 8j + i has the
/// address of row i of matrix j, of 8 x 8 16-bit elements.
static std::optional<EmulatedInstruction> findMatrixLoad(StringRef name) {
  if (!name.consume_front("m8n8.x"))
    return std::nullopt;
  unsigned count;
  if (name.consumeInteger(10, count) ||
      (count != 1 && count != 2 && count != 4))
    return std::nullopt;
  bool isTransposed = name.consume_front(".trans");
  if (name != ".b16.p3" && name != ".b16.p0" && name != ".b16")
    return std::nullopt;
  return ofWarp([=](Block &block, unsigned first, ArrayRef<Call> calls) {
    for (unsigned j = 0; j < count; ++j) {
      uint16_t matrix[8][8];
      uint64_t rows[8];
      for (unsigned i = 0; i < 8; ++i) {
        rows[i] = calls[8 * j + i].get<uint64_t>(0);
        // A row is read by the lanes that get its elements; the one that has
        // the address stands for them.
        block.checkRead(first + 8 * j + i, rows[i], 16, 16);
        std::memcpy(matrix[i], reinterpret_cast<const void *>(rows[i]), 16);
      }
      block.countShared(rows, 16);
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned i = 0; i < 2; ++i) {
          unsigned row = lane / 4, column = 2 * (lane % 4) + i;
          calls[lane].set(isTransposed ? matrix[column][row]
                                       : matrix[row][column],
                          4 * j + 2 * i);
        }
    }
  });
}

/// shfl.sync.<mode>.(i32|f32)[p](mask, value, which, clamp)
static std::optional<EmulatedInstruction> findShuffle(StringRef name) {
  auto [mode, type] = name.split('.');
  bool hasPredicate = type.consume_back("p");
  if (type != "i32" && type != "f32")
    return std::nullopt;
  enum { Up, Down, Butterfly, Index, Unknown };
  auto kind = StringSwitch<int>(mode)
                  .Case("up", Up)
                  .Case("down", Down)
                  .Case("bfly", Butterfly)
                  .Case("idx", Index)
                  .Default(Unknown);
  if (kind == Unknown)
    return std::nullopt;
  EmulatedInstruction result =
      ofWarp([=](Block &block, unsigned, ArrayRef<Call> calls) {
        for (auto [lane, call] : llvm::enumerate(calls)) {
          if (!call)
            continue;
          int own = lane, which = call.get<uint32_t>(2) & 31;
          uint32_t clamp = call.get<uint32_t>(3);
          int segment = clamp >> 8 & 31, most = clamp & 31;
          int low = own & segment, high = low | (most & ~segment);
          int other = kind == Up          ? own - which
                      : kind == Down      ? own + which
                      : kind == Butterfly ? own ^ which
                                          : (low | (which & ~segment));
          bool isInside = kind == Up ? other >= high : other <= high;
          if (!isInside)
            other = own;
          if (!calls[other])
            block.fail("shfl.sync from a lane that is not in the mask");
          call.set(calls[other].get<uint32_t>(1));
          if (hasPredicate)
            call.set<uint8_t>(isInside, 4);
        }
      });
  result.mask = 0;
  return result;
}

/// redux.sync.<operation>(value, mask)
static std::optional<EmulatedInstruction> findReduction(StringRef name) {
  using Combine = uint32_t (*)(uint32_t, uint32_t);
  auto combine =
      StringSwitch<Combine>(name)
          .Case("add", [](uint32_t a, uint32_t b) { return a + b; })
          .Case("min",
                [](uint32_t a, uint32_t b) {
                  return uint32_t(std::min(int32_t(a), int32_t(b)));
                })
          .Case("max",
                [](uint32_t a, uint32_t b) {
                  return uint32_t(std::max(int32_t(a), int32_t(b)));
                })
          .Case("umin", [](uint32_t a, uint32_t b) { return std::min(a, b); })
          .Case("umax", [](uint32_t a, uint32_t b) { return std::max(a, b); })
          .Case("and", [](uint32_t a, uint32_t b) { return a & b; })
          .Case("or", [](uint32_t a, uint32_t b) { return a | b; })
          .Case("xor", [](uint32_t a, uint32_t b) { return a ^ b; })
          .Default(nullptr);
  if (!combine)
    return std::nullopt;
  EmulatedInstruction result =
      ofWarp([combine](Block &, unsigned, ArrayRef<Call> calls) {
        std::optional<uint32_t> all;
        for (const Call &call : calls)
          if (call)
            all = all ? combine(*all, call.get<uint32_t>(0))
                      : call.get<uint32_t>(0);
        for (const Call &call : calls)
          if (call)
            call.set(*all);
      });
  result.mask = 1;
  return result;
}

//===----------------------------------------------------------------------===//
// All of them
//===----------------------------------------------------------------------===//

/// idp4a.(s|u).(s|u): four products of bytes and a sum.
static EmulatedInstruction getDotProduct(bool isLhsSigned, bool isRhsSigned) {
  return ofLane([=](Block &, Lane &, const Call &call) {
    uint32_t a = call.get<uint32_t>(0), b = call.get<uint32_t>(1);
    int64_t products = 0;
    for (unsigned i = 0; i < 4; ++i) {
      uint8_t x = a >> 8 * i, y = b >> 8 * i;
      products += (isLhsSigned ? int(int8_t(x)) : int(x)) *
                  (isRhsSigned ? int(int8_t(y)) : int(y));
    }
    call.set(addProducts(call.get<int32_t>(2), products, false));
  });
}

/// (e4m3x2|e5m2x2).to.f16x2.rn: exact.
static std::optional<EmulatedInstruction> findConversion(StringRef name) {
  auto [from, to] = name.split(".to.");
  if (to != "f16x2.rn" || (from != "e4m3x2" && from != "e5m2x2"))
    return std::nullopt;
  const fltSemantics &semantics =
      from == "e4m3x2" ? APFloat::Float8E4M3FN() : APFloat::Float8E5M2();
  return ofLane([&semantics](Block &, Lane &, const Call &call) {
    uint16_t codes = call.get<uint16_t>(0);
    for (unsigned i = 0; i < 2; ++i) {
      APFloat value(semantics, APInt(8, codes >> 8 * i & 0xFF));
      bool losesInfo;
      value.convert(APFloat::IEEEhalf(), APFloat::rmNearestTiesToEven,
                    &losesInfo);
      call.set<uint16_t>(value.bitcastToAPInt().getZExtValue(), 2 * i);
    }
  });
}

std::optional<EmulatedInstruction>
quant_mlir::emulator::findNVVMInstruction(StringRef name) {
  if (name.starts_with("wgmma."))
    return findWarpGroupProduct(name);
  if (!name.consume_front("llvm.nvvm."))
    return std::nullopt;
  if (name.consume_front("read.ptx.sreg."))
    return findRegister(name);
  if (name.consume_front("cp.async."))
    return findCopy(name);
  if (name.consume_front("ldmatrix.sync.aligned."))
    return findMatrixLoad(name);
  if (name.consume_front("shfl.sync."))
    return findShuffle(name);
  if (name.consume_front("redux.sync."))
    return findReduction(name);
  if (name.starts_with("e4m3x2.") || name.starts_with("e5m2x2."))
    return findConversion(name);
  if (name.starts_with("mma."))
    return findMatrixProduct(name);
  if (name.consume_front("idp4a.")) {
    auto [lhs, rhs] = name.split('.');
    return getDotProduct(lhs == "s", rhs == "s");
  }
  if (name == "barrier.cta.sync.aligned.all" ||
      name == "barrier.cta.sync.all" || name == "barrier0") {
    EmulatedInstruction result;
    result.scope = Scope::Block;
    return result;
  }
  if (name == "bar.warp.sync") {
    EmulatedInstruction result;
    result.scope = Scope::Warp;
    result.mask = 0;
    result.ordersMemory = true;
    return result;
  }
  if (name.consume_front("wgmma."))
    return findWarpGroupOrder(name);
  if (name == "fence.proxy.async.shared_cta" || name == "fence.proxy.async")
    return ofLane([](Block &block, Lane &lane, const Call &) {
      block.getMemory().fenceProxy(lane.number);
    });
  // Memory is in order here anyway, and errors of order are found without them.
  if (name.starts_with("membar.") || name.starts_with("fence."))
    return nothing();
  return std::nullopt;
}

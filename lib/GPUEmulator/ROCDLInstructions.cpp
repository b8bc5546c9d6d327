//===- ROCDLInstructions.cpp - Instructions of AMD's GPUs -----------------===//
//
// Positions, barriers, MFMA of CDNA3 and WMMA of RDNA3 on 8-bit integers, f16
// and bf16, as the ISA manuals and AMD's matrix instruction calculator describe
// them. Sums of values are rounded once; denormal factors are numbers.
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "MatrixProducts.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace quant_mlir;
using namespace quant_mlir::emulator;

static EmulatedInstruction
ofLane(std::function<void(Block &, Lane &, const Call &)> function) {
  EmulatedInstruction result;
  result.lane = std::move(function);
  return result;
}

static EmulatedInstruction
ofWarp(std::function<void(Block &, unsigned, ArrayRef<Call>)> function) {
  EmulatedInstruction result;
  result.scope = Scope::Warp;
  result.warp = std::move(function);
  return result;
}

/// The number of dimension `dim` ('x', 'y', 'z' or 0, 1, 2).
static uint32_t getDim(const EmulatedSize &size, unsigned dim) {
  return dim == 0 ? size.x : dim == 1 ? size.y : size.z;
}

//===----------------------------------------------------------------------===//
// Products of matrices
//===----------------------------------------------------------------------===//

/// Word `i` of an argument.
static uint32_t getWord(const Call &call, unsigned argument, unsigned i) {
  uint32_t word;
  std::memcpy(&word, call.data(argument) + 4 * i, 4);
  return word;
}

/// `sum`, of f32 or i32, and the products of `depth` elements; `lhs` and `rhs`
/// give the word that has element k.
static uint32_t addRow(Element lhsElement, Element rhsElement, uint32_t sum,
                       unsigned depth, bool saturates,
                       function_ref<uint32_t(unsigned)> lhs,
                       function_ref<uint32_t(unsigned)> rhs) {
  unsigned perWord = lhsElement.perWord();
  if (!lhsElement.isFloat) {
    int64_t products = 0;
    for (unsigned k = 0; k < depth; ++k)
      products += lhsElement.getInteger(lhs(k), k % perWord) *
                  rhsElement.getInteger(rhs(k), k % perWord);
    return addProducts(int32_t(sum), products, saturates);
  }
  float value;
  std::memcpy(&value, &sum, 4);
  double total = value;
  for (unsigned k = 0; k < depth; ++k)
    total += lhsElement.getFloat(lhs(k), k % perWord) *
             rhsElement.getFloat(rhs(k), k % perWord);
  value = float(total);
  std::memcpy(&sum, &value, 4);
  return sum;
}

/// mfma.(i32|f32).<size>x<size>x<depth>.<element>(a, b, c, cbsz, abid, blgp):
/// lane l has row (of A) or column (of B) l % size, and of k the elements that
/// follow each other of group l / size; of C and D column l % size, rows in
/// pieces of four.
static EmulatedInstruction getMFMA(unsigned size, unsigned depth,
                                   StringRef name) {
  Element element = *Element::get(name);
  return ofWarp([=](Block &block, unsigned, ArrayRef<Call> calls) {
    if (calls.size() != 64)
      block.fail("mfma in a wave of " + std::to_string(calls.size()));
    for (unsigned argument = 3; argument < 6; ++argument)
      if (calls[0].get<uint32_t>(argument) != 0)
        block.fail("mfma with broadcasts has no emulation");
    unsigned perLane = size * depth / 64, sums = size * size / 64;
    auto at = [&](unsigned argument, unsigned line, unsigned k) {
      unsigned lane = line + size * (k / perLane);
      return getWord(calls[lane], argument, k % perLane / element.perWord());
    };
    std::vector<uint32_t> results(64 * sums);
    for (unsigned lane = 0; lane < 64; ++lane)
      for (unsigned i = 0; i < sums; ++i) {
        unsigned column = lane % size, group = lane / size;
        unsigned row = (i / 4) * (4 * 64 / size) + 4 * group + i % 4;
        results[lane * sums + i] = addRow(
            element, element, getWord(calls[lane], 2, i), depth, false,
            [&](unsigned k) { return at(0, row, k); },
            [&](unsigned k) { return at(1, column, k); });
      }
    for (unsigned lane = 0; lane < 64; ++lane)
      std::memcpy(calls[lane].result(), &results[lane * sums], 4 * sums);
  });
}

/// wmma.i32.16x16x16.iu<bits>(signA, a, signB, b, c, clamp) and
/// wmma.f32.16x16x16.<element>(a, b, c) of a wave of 32: both halves of the
/// wave have all of A's rows and B's columns, l % 16; D has rows 2 * i + l /
/// 16, column l % 16.
static EmulatedInstruction getWMMA(StringRef name) {
  Element element = *Element::get(name);
  return ofWarp([=](Block &block, unsigned, ArrayRef<Call> calls) {
    if (calls.size() != 32)
      block.fail("wmma in a wave of " + std::to_string(calls.size()));
    Element lhs = element, rhs = element;
    unsigned a = 0, b = 1, c = 2;
    bool saturates = false;
    if (!element.isFloat) {
      lhs.isSigned = calls[0].get<uint8_t>(0) & 1;
      rhs.isSigned = calls[0].get<uint8_t>(2) & 1;
      saturates = calls[0].get<uint8_t>(5) & 1;
      a = 1;
      b = 3;
      c = 4;
    }
    for (unsigned line = 0; line < 16; ++line)
      for (unsigned argument : {a, b})
        if (std::memcmp(calls[line].data(argument),
                        calls[line + 16].data(argument), 2 * element.bits) != 0)
          block.fail("wmma whose halves of the wave have different factors");
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned i = 0; i < 8; ++i) {
        auto at = [&](unsigned argument, unsigned line) {
          return [=](unsigned k) {
            return getWord(calls[line], argument, k / element.perWord());
          };
        };
        calls[lane].set(addRow(lhs, rhs, getWord(calls[lane], c, i), 16,
                               saturates, at(a, 2 * i + lane / 16),
                               at(b, lane % 16)),
                        4 * i);
      }
  });
}

//===----------------------------------------------------------------------===//
// All of them
//===----------------------------------------------------------------------===//

/// perm(a, b, selector): bytes 0 to 3 are of b, 4 to 7 of a.
static EmulatedInstruction getPermute() {
  return ofLane([](Block &block, Lane &, const Call &call) {
    uint64_t bytes =
        uint64_t(call.get<uint32_t>(0)) << 32 | call.get<uint32_t>(1);
    uint32_t selector = call.get<uint32_t>(2), result = 0;
    for (unsigned i = 0; i < 4; ++i) {
      unsigned byte = selector >> 8 * i & 0xFF;
      if (byte >= 8)
        block.fail("perm with a constant byte has no emulation");
      result |= uint32_t(bytes >> 8 * byte & 0xFF) << 8 * i;
    }
    call.set(result);
  });
}

/// sdot4(a, b, c, clamp) and sudot4(signA, a, signB, b, c, clamp)
static EmulatedInstruction getDotProduct(bool hasSigns) {
  return ofLane([=](Block &, Lane &, const Call &call) {
    unsigned step = hasSigns ? 2 : 1, first = hasSigns ? 1 : 0;
    uint32_t a = call.get<uint32_t>(first),
             b = call.get<uint32_t>(first + step);
    bool isLhsSigned = !hasSigns || (call.get<uint8_t>(0) & 1);
    bool isRhsSigned = !hasSigns || (call.get<uint8_t>(2) & 1);
    int64_t products = 0;
    for (unsigned i = 0; i < 4; ++i) {
      uint8_t x = a >> 8 * i, y = b >> 8 * i;
      products += (isLhsSigned ? int(int8_t(x)) : int(x)) *
                  (isRhsSigned ? int(int8_t(y)) : int(y));
    }
    unsigned sum = first + step + 1;
    call.set(addProducts(call.get<int32_t>(sum), products,
                         call.get<uint8_t>(sum + 1) & 1));
  });
}

std::optional<EmulatedInstruction>
quant_mlir::emulator::findROCDLInstruction(StringRef name) {
  auto number = [](auto get) {
    return ofLane([get](Block &block, Lane &lane, const Call &call) {
      call.set<uint32_t>(get(block, lane, call));
    });
  };
  // Functions of the device library, of an argument that is the dimension.
  if (name == "__ockl_get_local_size")
    return ofLane([](Block &block, Lane &, const Call &call) {
      call.set<uint64_t>(
          getDim(block.getLaunch().block, call.get<uint32_t>(0)));
    });
  if (name == "__ockl_get_num_groups")
    return ofLane([](Block &block, Lane &, const Call &call) {
      call.set<uint64_t>(getDim(block.getLaunch().grid, call.get<uint32_t>(0)));
    });
  if (!name.consume_front("llvm.amdgcn."))
    return std::nullopt;
  if (name.consume_front("workitem.id."))
    return number(
        [dim = name.front() - 'x'](Block &, Lane &lane, const Call &) {
          return getDim(lane.position, dim);
        });
  if (name.consume_front("workgroup.id."))
    return number(
        [dim = name.front() - 'x'](Block &block, Lane &, const Call &) {
          return getDim(block.getPosition(), dim);
        });
  if (name == "wavefrontsize")
    return number(
        [](Block &block, Lane &, const Call &) { return block.getWarpSize(); });
  // How many lanes before this one have their bit in a mask.
  if (name == "mbcnt.lo" || name == "mbcnt.hi")
    return number([isHigh = name == "mbcnt.hi"](Block &block, Lane &lane,
                                                const Call &call) {
      unsigned own = lane.number % block.getWarpSize();
      unsigned before = isHigh ? (own < 32 ? 0 : own - 32) : std::min(own, 32u);
      uint32_t below = before >= 32 ? ~0u : (1u << before) - 1;
      return uint32_t(llvm::popcount(call.get<uint32_t>(0) & below)) +
             call.get<uint32_t>(1);
    });
  if (name.starts_with("readfirstlane"))
    return ofWarp([](Block &, unsigned, ArrayRef<Call> calls) {
      for (const Call &call : calls)
        if (call)
          call.set(calls[0].get<uint32_t>(0));
    });
  if (name == "ds.bpermute")
    return ofWarp([](Block &, unsigned, ArrayRef<Call> calls) {
      for (const Call &call : calls)
        call.set(
            calls[call.get<uint32_t>(0) / 4 % calls.size()].get<uint32_t>(1));
    });
  // Within 32 lanes, by masks of their numbers.
  if (name == "ds.swizzle")
    return ofWarp([](Block &block, unsigned, ArrayRef<Call> calls) {
      uint32_t mode = calls[0].get<uint32_t>(1);
      if (mode & 0x8000)
        block.fail("ds.swizzle of groups of four has no emulation");
      for (unsigned lane = 0; lane < calls.size(); ++lane) {
        unsigned from = (lane & mode & 31) | (mode >> 5 & 31);
        from = (lane & ~31u) | (from ^ (mode >> 10 & 31));
        calls[lane].set(calls[from].get<uint32_t>(0));
      }
    });
  if (name == "s.barrier") {
    EmulatedInstruction result;
    result.scope = Scope::Block;
    return result;
  }
  // Hints about scheduling and caches, and waiting for loads that have
  // happened.
  if (name.starts_with("s.waitcnt") || name.starts_with("sched.") ||
      name.starts_with("s.setprio"))
    return ofLane([](Block &, Lane &, const Call &) {});
  for (unsigned size : {16, 32}) {
    std::string shape = std::to_string(size) + "x" + std::to_string(size) + "x";
    std::string ofBytes = shape + std::to_string(512 / size),
                ofValues = shape + std::to_string(256 / size);
    if (name == "mfma.i32." + ofBytes + ".i8")
      return getMFMA(size, 512 / size, "s8");
    if (name == "mfma.f32." + ofValues + "f16")
      return getMFMA(size, 256 / size, "f16");
    if (name == "mfma.f32." + ofValues + "bf16.1k")
      return getMFMA(size, 256 / size, "bf16");
  }
  if (name.starts_with("wmma.i32.16x16x16.iu8."))
    return getWMMA("s8");
  if (name.starts_with("wmma.i32.16x16x16.iu4."))
    return getWMMA("s4");
  if (name.starts_with("wmma.f32.16x16x16.f16."))
    return getWMMA("f16");
  if (name.starts_with("wmma.f32.16x16x16.bf16."))
    return getWMMA("bf16");
  if (name == "perm")
    return getPermute();
  if (name == "sdot4")
    return getDotProduct(false);
  if (name == "sudot4")
    return getDotProduct(true);
  return std::nullopt;
}

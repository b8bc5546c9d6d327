//===- WidenStorageTest.cpp - Widened programs compute the same -----------===//
//
// Programs that keep i4 and f4 values in tensors, constants, loops, branches
// and calls: the lit tests look at the IR, this one at what it computes.
//
//===----------------------------------------------------------------------===//

#include "Formats.h"

using namespace quant_mlir::test;

namespace {

TEST(WidenStorageTest, ConstantsOfSignedCodesKeepTheirValues) {
  auto jit = JitModule::compile(R"mlir(
    func.func @dense() -> tensor<4xi32> {
      %c = arith.constant dense<[-8, -1, 0, 7]> : tensor<4xi4>
      %w = arith.extsi %c : tensor<4xi4> to tensor<4xi32>
      return %w : tensor<4xi32>
    }
    func.func @splat() -> tensor<4xi32> {
      %c = arith.constant dense<-2> : tensor<4xi2>
      %w = arith.extsi %c : tensor<4xi2> to tensor<4xi32>
      return %w : tensor<4xi32>
    }
    func.func @resource() -> tensor<4xi32> {
      %c = arith.constant dense_resource<codes> : tensor<4xi4>
      %w = arith.extsi %c : tensor<4xi4> to tensor<4xi32>
      return %w : tensor<4xi32>
    }
    {-# dialect_resources: {
      builtin: { codes: "0x01000000F8FF0007" }
    } #-}
  )mlir");
  ASSERT_TRUE(jit);
  std::vector<int32_t> expected = {-8, -1, 0, 7};
  EXPECT_EQ(jit->call("dense", {}, 1, 4).as<int32_t>().vec(), expected);
  EXPECT_EQ(jit->call("resource", {}, 1, 4).as<int32_t>().vec(), expected);
  EXPECT_EQ(jit->call("splat", {}, 1, 4).as<int32_t>().vec(),
            std::vector<int32_t>(4, -2));
}

TEST(WidenStorageTest, ElementsThroughCallsLoopsAndBranchesKeepTheirValues) {
  auto jit = JitModule::compile(R"mlir(
    func.func private @add(%a: tensor<6xi4>, %b: tensor<6xi4>) -> tensor<6xi4> {
      %sum = arith.addi %a, %b : tensor<6xi4>
      return %sum : tensor<6xi4>
    }
    // The sum of the codes, wrapping in i4, in every element; then element 0
    // replaced by the last and the whole reversed where the sum is positive.
    func.func @main(%x: tensor<6xi4>) -> tensor<6xi32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c5 = arith.constant 5 : index
      %c6 = arith.constant 6 : index
      %zero = arith.constant 0 : i4
      %e = tensor.empty() : tensor<6xi4>
      %init = linalg.fill ins(%zero : i4) outs(%e : tensor<6xi4>) -> tensor<6xi4>
      %sums = scf.for %i = %c0 to %c6 step %c1 iter_args(%acc = %init) -> tensor<6xi4> {
        %el = tensor.extract %x[%i] : tensor<6xi4>
        %all = tensor.splat %el : tensor<6xi4>
        %next = func.call @add(%acc, %all) : (tensor<6xi4>, tensor<6xi4>) -> tensor<6xi4>
        scf.yield %next : tensor<6xi4>
      }
      %sum = tensor.extract %sums[%c0] : tensor<6xi4>
      %positive = arith.cmpi sgt, %sum, %zero : i4
      %chosen = scf.if %positive -> tensor<6xi4> {
        %last = tensor.extract %x[%c5] : tensor<6xi4>
        %y = tensor.insert %last into %x[%c0] : tensor<6xi4>
        %r = tensor.generate {
        ^bb0(%i: index):
          %j = arith.subi %c5, %i : index
          %v = tensor.extract %y[%j] : tensor<6xi4>
          tensor.yield %v : i4
        } : tensor<6xi4>
        scf.yield %r : tensor<6xi4>
      } else {
        scf.yield %sums : tensor<6xi4>
      }
      %w = arith.extsi %chosen : tensor<6xi4> to tensor<6xi32>
      return %w : tensor<6xi32>
    }
  )mlir");
  ASSERT_TRUE(jit);
  auto run = [&](std::vector<uint8_t> codes) {
    return jit->call("main", Buffer::of<uint8_t>(codes, {6}), 1, 4)
        .as<int32_t>()
        .vec();
  };
  // 1 + 2 + 3 - 1 - 2 + 3 = 6 > 0.
  EXPECT_EQ(run({1, 2, 3, 15, 14, 3}),
            (std::vector<int32_t>{3, -2, -1, 3, 2, 3}));
  // 7 + 7 = 14 wraps to -2.
  EXPECT_EQ(run({7, 7, 0, 0, 0, 0}), std::vector<int32_t>(6, -2));
}

} // namespace

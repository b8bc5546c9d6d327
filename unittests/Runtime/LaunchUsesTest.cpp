//===- LaunchUsesTest.cpp - Which launches wait for which -----------------===//

#include "../../runtime/LaunchUses.h"

#include "gtest/gtest.h"

using Uses = quant_mlir::LaunchUses<int>;

TEST(LaunchUses, OrdersWhatIsWritten) {
  Uses uses;
  EXPECT_FALSE(uses.add({{1, 0, 64, false}, {1, 64, 128, true}}));
  // Reads what was written, and then writes what was read.
  EXPECT_TRUE(uses.add({{1, 100, 104, false}, {1, 128, 192, true}}));
  EXPECT_TRUE(uses.add({{1, 96, 101, true}}));
  // Writes it again.
  EXPECT_TRUE(uses.add({{1, 100, 200, true}}));
}

TEST(LaunchUses, LeavesOthersBesideEachOther) {
  Uses uses;
  EXPECT_FALSE(uses.add({{1, 0, 64, false}, {1, 64, 128, true}}));
  // The same input, bytes behind, another buffer, nothing.
  EXPECT_FALSE(uses.add({{1, 0, 64, false}, {1, 128, 192, true}}));
  EXPECT_FALSE(uses.add({{2, 64, 128, true}}));
  EXPECT_FALSE(uses.add({{1, 64, 64, false}}));
}

TEST(LaunchUses, ForgetsWhatIsBehindABarrier) {
  Uses uses;
  EXPECT_FALSE(uses.add({{1, 0, 64, true}}));
  EXPECT_FALSE(uses.add({{1, 64, 128, true}}));
  EXPECT_TRUE(uses.add({{1, 0, 64, false}}));
  // The barrier was for all of them.
  EXPECT_FALSE(uses.add({{1, 64, 128, false}}));
  uses.clear();
  EXPECT_FALSE(uses.add({{1, 0, 64, true}}));
}

// Calls gpu_object.mlir, compiled, and is the kernel that a launch of THREADS
// invocations in a workgroup would run.

#include "unittests/Runtime/MockDriver/MockDriver.h"

#include <cstdio>
#include <vector>

extern "C" void model(const int8_t *x, float *y);

/// The product as the kernel is to compute it: lhs, packed weights, which are
/// all the same, their sums by column, and the result.
extern "C" void mock_kernel_contract(const MockLaunch *launch) {
  auto *x = static_cast<const int8_t *>(launch->buffers[0]);
  auto *w = static_cast<const int8_t *>(launch->buffers[1]);
  auto *sums = static_cast<const int32_t *>(launch->buffers[2]);
  auto *y = static_cast<float *>(launch->buffers[3]);
  if (launch->block[0] != THREADS || launch->grid[0] * launch->grid[1] == 0)
    return;
  for (int row = 0; row < 48; ++row)
    for (int column = 0; column < 64; ++column) {
      int32_t sum = 3 * sums[column];
      for (int k = 0; k < 128; ++k)
        sum += x[row * 128 + k] * w[column];
      y[row * 64 + column] = float(sum) * 0.125f;
    }
}

int main() {
  std::vector<int8_t> x(48 * 128);
  int agree = 0;
  for (int call = 0; call < 3; ++call) {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = int8_t(i * 31 + size_t(call));
    std::vector<float> y(48 * 64, -1);
    model(x.data(), y.data());
    bool isRight = true;
    for (int row = 0; row < 48; ++row)
      for (int column = 0; column < 64; ++column) {
        int sum = 0;
        for (int k = 0; k < 128; ++k)
          sum += (x[size_t(row * 128 + k)] + 3) * 3;
        isRight &= y[size_t(row * 64 + column)] == float(sum) * 0.125f;
      }
    agree += isRight;
  }
  std::printf("%d calls agree\n", agree);
  return agree == 3 ? 0 : 1;
}

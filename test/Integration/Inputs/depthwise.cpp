// Calls depthwise.mlir from threads, and compares with its formula.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <vector>

extern "C" void depthwise(const int8_t *x, int8_t *y);

static int clamp(float v, int z) {
  return std::clamp(int(std::nearbyint(v)) + z, -128, 127);
}

int main() {
  constexpr int H = 5, W = 6, C = 70;
  std::vector<int8_t> x(H * W * C), expected(H * W * C);
  for (int i = 0; i < H * W * C; ++i)
    x[i] = int8_t(i * 7919 >> 3);
  for (int h = 0; h < H; ++h)
    for (int w = 0; w < W; ++w)
      for (int c = 0; c < C; ++c) {
        int sum = 11;
        for (int i = std::max(h - 1, 0); i <= std::min(h + 1, H - 1); ++i)
          for (int j = std::max(w - 1, 0); j <= std::min(w + 1, W - 1); ++j) {
            float value = x[(i * W + j) * C + c];
            sum += (clamp(value * 0.5f + value * 0.5f, -3) + 3) * 3;
          }
        expected[(h * W + w) * C + c] = int8_t(clamp(sum * (0.5f / 16), 5));
      }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      std::vector<int8_t> y(H * W * C);
      for (int call = 0; call < 100; ++call) {
        std::fill(y.begin(), y.end(), int8_t(99));
        depthwise(x.data(), y.data());
        wrong += y != expected;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  if (wrong == 0)
    std::printf("4 threads x 100 calls agree with the formula\n");
  else
    std::printf("%d calls are wrong\n", wrong.load());
  return wrong != 0;
}

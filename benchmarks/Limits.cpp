//===- Limits.cpp - What the machine itself can do ------------------------===//
//
// Functions carry their instruction set as an attribute, so that the program
// builds for any processor of the architecture and asks at run time what there
// is. Other architectures than x86-64 have a loop that the compiler vectorizes:
// its variant is called "generic", and it may be below what the machine can do.
//
//===----------------------------------------------------------------------===//

#include "Limits.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace quant_mlir::bench;

/// Keeps the compiler from dropping a computation.
static volatile uint64_t sink;

//===----------------------------------------------------------------------===//
// 8-bit products into int32, and f32 multiply-adds
//===----------------------------------------------------------------------===//

// One round of each loop is `unroll` independent chains, one step each. Enough
// chains hide the latency; too many spill. `asm volatile` with the accumulator
// as an operand keeps a chain a chain.

#if defined(__x86_64__)

#define QUANT_BENCH_LOOP(name, isa, type, zero, step, reduce)                  \
  template <unsigned unroll>                                                   \
  __attribute__((target(isa))) static void name(uint64_t rounds) {             \
    type accumulators[unroll];                                                 \
    for (type & accumulator : accumulators)                                    \
      accumulator = zero;                                                      \
    type a = zero, b = zero;                                                   \
    asm volatile("" : "+x"(a), "+x"(b));                                       \
    for (uint64_t i = 0; i < rounds; ++i) {                                    \
      _Pragma("clang loop unroll(full)") for (unsigned j = 0; j < unroll; ++j) \
          step;                                                                \
    }                                                                          \
    type total = accumulators[0];                                              \
    for (unsigned j = 1; j < unroll; ++j)                                      \
      total = reduce(total, accumulators[j]);                                  \
    uint64_t word;                                                             \
    std::memcpy(&word, &total, sizeof(word));                                  \
    sink = word;                                                               \
  }

QUANT_BENCH_LOOP(int8Avx512, "avx512f,avx512bw,avx512vnni", __m512i,
                 _mm512_setzero_si512(),
                 asm volatile("vpdpbusd %2, %1, %0"
                              : "+v"(accumulators[j])
                              : "v"(a), "v"(b)),
                 _mm512_add_epi32)
QUANT_BENCH_LOOP(int8AvxVnni, "avx2,avxvnni", __m256i, _mm256_setzero_si256(),
                 asm volatile("%{vex%} vpdpbusd %2, %1, %0"
                              : "+x"(accumulators[j])
                              : "x"(a), "x"(b)),
                 _mm256_add_epi32)
// Bytes are widened to 16 bits before: sums of two products of bytes saturate
// there, so this is the fastest product that is right for all codes.
QUANT_BENCH_LOOP(int8Avx2, "avx2", __m256i, _mm256_setzero_si256(),
                 asm volatile("vpmaddwd %2, %1, %%ymm15\n\t"
                              "vpaddd %%ymm15, %0, %0"
                              : "+x"(accumulators[j])
                              : "x"(a), "x"(b)
                              : "xmm15"),
                 _mm256_add_epi32)
QUANT_BENCH_LOOP(int8Sse2, "sse2", __m128i, _mm_setzero_si128(),
                 asm volatile("movdqa %1, %%xmm15\n\t"
                              "pmaddwd %2, %%xmm15\n\t"
                              "paddd %%xmm15, %0"
                              : "+x"(accumulators[j])
                              : "x"(a), "x"(b)
                              : "xmm15"),
                 _mm_add_epi32)
QUANT_BENCH_LOOP(floatAvx512, "avx512f", __m512, _mm512_setzero_ps(),
                 asm volatile("vfmadd231ps %2, %1, %0"
                              : "+v"(accumulators[j])
                              : "v"(a), "v"(b)),
                 _mm512_add_ps)
QUANT_BENCH_LOOP(floatFma, "avx2,fma", __m256, _mm256_setzero_ps(),
                 asm volatile("vfmadd231ps %2, %1, %0"
                              : "+x"(accumulators[j])
                              : "x"(a), "x"(b)),
                 _mm256_add_ps)
QUANT_BENCH_LOOP(floatSse2, "sse2", __m128, _mm_setzero_ps(),
                 asm volatile("movaps %1, %%xmm15\n\t"
                              "mulps %2, %%xmm15\n\t"
                              "addps %%xmm15, %0"
                              : "+x"(accumulators[j])
                              : "x"(a), "x"(b)
                              : "xmm15"),
                 _mm_add_ps)

#undef QUANT_BENCH_LOOP

/// Tiles of sums that are multiplied as kernels do: two by two.
__attribute__((target("amx-tile,amx-int8"))) static void
int8Amx(uint64_t rounds) {
  alignas(64) uint8_t shapes[64] = {1};
  for (int tile = 0; tile < 8; ++tile) {
    shapes[16 + 2 * tile] = 64;
    shapes[48 + tile] = 16;
  }
  _tile_loadconfig(shapes);
  for (uint64_t i = 0; i < rounds; ++i) {
    _tile_dpbssd(0, 4, 6);
    _tile_dpbssd(1, 4, 7);
    _tile_dpbssd(2, 5, 6);
    _tile_dpbssd(3, 5, 7);
  }
  _tile_release();
}

#endif // __x86_64__

static void int8Generic(uint64_t rounds) {
  alignas(64) static int8_t a[256], b[256];
  alignas(64) int32_t accumulators[64] = {};
  for (uint64_t i = 0; i < rounds; ++i) {
    // The compiler may not know what is in the arrays.
    asm volatile("" ::"r"(a), "r"(b) : "memory");
    for (unsigned j = 0; j < 64; ++j)
      for (unsigned k = 0; k < 4; ++k)
        accumulators[j] += int32_t(a[4 * j + k]) * int32_t(b[4 * j + k]);
  }
  asm volatile("" ::"r"(accumulators) : "memory");
}

static void floatGeneric(uint64_t rounds) {
  alignas(64) static float a[64], b[64];
  alignas(64) float accumulators[64] = {};
  for (uint64_t i = 0; i < rounds; ++i) {
    asm volatile("" ::"r"(a), "r"(b) : "memory");
    for (unsigned j = 0; j < 64; ++j)
      accumulators[j] += a[j] * b[j];
  }
  asm volatile("" ::"r"(accumulators) : "memory");
}

/// Adds the loop at each unrolling.
#define QUANT_BENCH_ADD(list, name, isa, opsPerStep)                           \
  list.push_back({name<4>, 4 * (opsPerStep), isa ", 4 accumulators"});         \
  list.push_back({name<6>, 6 * (opsPerStep), isa ", 6 accumulators"});         \
  list.push_back({name<8>, 8 * (opsPerStep), isa ", 8 accumulators"});         \
  list.push_back({name<10>, 10 * (opsPerStep), isa ", 10 accumulators"});      \
  list.push_back({name<12>, 12 * (opsPerStep), isa ", 12 accumulators"})
#define QUANT_BENCH_ADD_WIDE(list, name, isa, opsPerStep)                      \
  list.push_back({name<16>, 16 * (opsPerStep), isa ", 16 accumulators"});      \
  list.push_back({name<20>, 20 * (opsPerStep), isa ", 20 accumulators"});      \
  list.push_back({name<24>, 24 * (opsPerStep), isa ", 24 accumulators"});      \
  list.push_back({name<28>, 28 * (opsPerStep), isa ", 28 accumulators"})

static std::vector<Limit> int8Variants([[maybe_unused]] bool withTiles) {
  std::vector<Limit> list;
#if defined(__x86_64__)
  if (withTiles)
    list.push_back({int8Amx, 4 * 2.0 * 16 * 16 * 64, "amx, 4 accumulators"});
  if (__builtin_cpu_supports("avx512vnni") &&
      __builtin_cpu_supports("avx512bw")) {
    QUANT_BENCH_ADD(list, int8Avx512, "avx512-vnni", 128.0);
    QUANT_BENCH_ADD_WIDE(list, int8Avx512, "avx512-vnni", 128.0);
  }
  if (__builtin_cpu_supports("avxvnni")) {
    QUANT_BENCH_ADD(list, int8AvxVnni, "avx-vnni", 64.0);
  }
  if (__builtin_cpu_supports("avx2")) {
    QUANT_BENCH_ADD(list, int8Avx2, "avx2", 32.0);
  }
  QUANT_BENCH_ADD(list, int8Sse2, "sse2", 16.0);
#endif
  list.push_back({int8Generic, 512.0, "generic"});
  return list;
}

static std::vector<Limit> floatVariants() {
  std::vector<Limit> list;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    QUANT_BENCH_ADD(list, floatAvx512, "avx512", 32.0);
    QUANT_BENCH_ADD_WIDE(list, floatAvx512, "avx512", 32.0);
  }
  if (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2")) {
    QUANT_BENCH_ADD(list, floatFma, "avx2-fma", 16.0);
  }
  QUANT_BENCH_ADD(list, floatSse2, "sse2", 8.0);
#endif
  list.push_back({floatGeneric, 128.0, "generic"});
  return list;
}

static double secondsOf(const std::function<void()> &work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

/// Rounds that last about `seconds`.
static uint64_t calibrateRounds(const Limit &limit, double seconds) {
  uint64_t rounds = 1000;
  for (;;) {
    double taken = secondsOf([&] { limit.loop(rounds); });
    if (taken > seconds / 4)
      return std::max<uint64_t>(1, uint64_t(double(rounds) * seconds / taken));
    rounds *= 4;
  }
}

static Limit findFastest(std::vector<Limit> variants, bool quick) {
  Limit best;
  for (Limit &limit : variants) {
    uint64_t rounds = calibrateRounds(limit, quick ? 2e-4 : 2e-3);
    for (int i = 0; i < (quick ? 2 : 8); ++i) {
      double seconds = secondsOf([&] { limit.loop(rounds); });
      limit.rate = std::max(limit.rate,
                            limit.opsPerRound * double(rounds) / seconds / 1e9);
    }
    if (limit.rate > best.rate)
      best = limit;
  }
  return best;
}

Limit quant_mlir::bench::findInt8Limit(bool quick, bool withTiles) {
  return findFastest(int8Variants(withTiles), quick);
}
Limit quant_mlir::bench::findFloatLimit(bool quick) {
  return findFastest(floatVariants(), quick);
}

/// Runs on this thread and `threads - 1` new ones. A call must be long beside
/// the making of a thread, some 20 microseconds.
static void onThreads(unsigned threads,
                      const std::function<void(unsigned)> &work) {
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back(work, i);
  work(0);
  for (std::thread &other : others)
    other.join();
}

Subject quant_mlir::bench::makeLimitSubject(const Limit &limit,
                                            unsigned threads,
                                            double microseconds, double &ops) {
  uint64_t rounds =
      uint64_t(limit.rate * microseconds * 1e3 / limit.opsPerRound) + 1;
  ops = limit.opsPerRound * double(rounds) * threads;
  Subject subject;
  subject.name = "limit";
  subject.detail = limit.variant;
  subject.threads = threads;
  auto loop = limit.loop;
  subject.run = [loop, rounds, threads] {
    onThreads(threads, [&](unsigned) { loop(rounds); });
  };
  return subject;
}

//===----------------------------------------------------------------------===//
// Reading memory
//===----------------------------------------------------------------------===//

// Several streams at once keep more lines in flight than one does on some
// processors, fewer on others. A multiple of 64 * 16 bytes is read.
static constexpr uint64_t streamGranule = 16 * 64;

#if defined(__x86_64__)
template <unsigned streams>
__attribute__((target("avx512f"))) static uint64_t readAvx512(const char *data,
                                                              uint64_t bytes) {
  __m512i sums[4] = {};
  uint64_t part = bytes / streams;
  for (uint64_t i = 0; i < part; i += 256) {
    for (unsigned s = 0; s < streams; ++s)
      for (unsigned j = 0; j < 4; ++j)
        sums[j] = _mm512_xor_si512(
            sums[j], _mm512_loadu_si512(data + s * part + i + 64 * j));
  }
  return static_cast<uint64_t>(_mm512_reduce_or_epi64(_mm512_or_si512(
      _mm512_or_si512(sums[0], sums[1]), _mm512_or_si512(sums[2], sums[3]))));
}

template <unsigned streams, unsigned distance>
__attribute__((target("avx512f"))) static uint64_t
readAvx512Prefetch(const char *data, uint64_t bytes) {
  __m512i sums[4] = {};
  uint64_t part = bytes / streams;
  for (uint64_t i = 0; i < part; i += 256) {
    for (unsigned s = 0; s < streams; ++s)
      for (unsigned j = 0; j < 4; ++j) {
        const char *at = data + s * part + i + 64 * j;
        _mm_prefetch(at + distance, _MM_HINT_T0);
        sums[j] = _mm512_xor_si512(sums[j], _mm512_loadu_si512(at));
      }
  }
  return static_cast<uint64_t>(_mm512_reduce_or_epi64(_mm512_or_si512(
      _mm512_or_si512(sums[0], sums[1]), _mm512_or_si512(sums[2], sums[3]))));
}
#endif

/// The compiler's own vectors.
static uint64_t readGeneric(const char *data, uint64_t bytes) {
  uint64_t sums[32] = {};
  for (uint64_t i = 0; i < bytes; i += sizeof(sums)) {
    uint64_t words[32];
    std::memcpy(words, data + i, sizeof(words));
    for (unsigned j = 0; j < 32; ++j)
      sums[j] ^= words[j];
  }
  uint64_t total = 0;
  for (uint64_t word : sums)
    total |= word;
  return total;
}

StreamRead::StreamRead(uint64_t wanted, bool quick)
    : bytes(wanted / (16 * streamGranule) * (16 * streamGranule)) {
  data = static_cast<char *>(std::aligned_alloc(1 << 21, [&] {
    uint64_t page = 1 << 21;
    return (bytes + 8192 + page - 1) / page * page;
  }()));
  if (!data) {
    std::fprintf(stderr,
                 "error: expected %llu bytes of memory for the "
                 "streaming read, found less\n",
                 static_cast<unsigned long long>(bytes));
    std::exit(1);
  }
#if defined(__linux__)
  // The limit has as few misses of the TLB as the system allows.
  madvise(data, bytes, MADV_HUGEPAGE);
#endif
  std::memset(data, 1, bytes + 8192);

  std::vector<std::pair<Loop, std::string>> variants;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    variants.push_back({readAvx512<1>, "avx512, 1 stream"});
    variants.push_back({readAvx512<2>, "avx512, 2 streams"});
    variants.push_back({readAvx512<4>, "avx512, 4 streams"});
    variants.push_back(
        {readAvx512Prefetch<1, 1024>, "avx512, 1 stream, prefetch 1 KiB"});
    variants.push_back(
        {readAvx512Prefetch<1, 4096>, "avx512, 1 stream, prefetch 4 KiB"});
    variants.push_back(
        {readAvx512Prefetch<4, 2048>, "avx512, 4 streams, prefetch 2 KiB"});
  }
#endif
  variants.push_back({readGeneric, "generic"});
  double best = 0;
  for (auto &[variant, variantName] : variants)
    for (int i = 0; i < (quick ? 1 : 4); ++i) {
      Loop tried = variant;
      double seconds = secondsOf([&] { sink = tried(data, bytes); });
      if (best != 0 && seconds >= best)
        continue;
      best = seconds;
      loop = variant;
      name = variantName;
    }
}

StreamRead::~StreamRead() { std::free(data); }

uint64_t StreamRead::bytesPerCall(unsigned threads, uint64_t wanted) const {
  uint64_t unit = streamGranule * threads;
  return std::min(bytes / unit * unit, std::max(wanted / unit * unit, unit));
}

Subject StreamRead::makeSubject(unsigned threads, uint64_t wanted) {
  uint64_t perCall = bytesPerCall(threads, wanted);
  Subject subject;
  subject.name = "limit";
  subject.detail = name;
  subject.threads = threads;
  subject.run = [this, threads, perCall] {
    if (position + perCall > bytes)
      position = 0;
    const char *start = data + position;
    uint64_t part = perCall / threads;
    onThreads(threads,
              [&](unsigned i) { sink = loop(start + i * part, part); });
    position += perCall;
  };
  return subject;
}

uint64_t quant_mlir::bench::lastLevelCacheBytes() {
  // Not sysconf: inside virtual machines it may count caches of other cores.
  uint64_t largest = 0;
  for (int index = 0; index < 8; ++index) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" +
                       std::to_string(index) + "/size");
    uint64_t kibibytes;
    if (file >> kibibytes)
      largest = std::max(largest, kibibytes << 10);
  }
  return largest ? largest : uint64_t(32) << 20;
}

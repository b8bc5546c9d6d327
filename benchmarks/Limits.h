//===- Limits.h - What the machine itself can do ----------------*- C++ -*-===//
//
// Three loops that do nothing but what kernels are made of: 8-bit products
// summed into int32, f32 fused multiply-adds, and reading memory. Each comes in
// several unrollings and, on x86-64, for several instruction sets; the fastest
// that runs here is the limit.
//
// They are loops over registers (or one pass over memory) and say nothing of
// packing, edges or requantization: no kernel is above them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_BENCHMARKS_LIMITS_H
#define QUANT_MLIR_BENCHMARKS_LIMITS_H

#include "Measure.h"

#include <cstdint>

namespace quant_mlir::bench {

struct Limit {
  /// One thread's loop; the argument is how often it goes round.
  void (*loop)(uint64_t rounds) = nullptr;
  /// Operations in one round: a product and a sum are two.
  double opsPerRound = 0;
  /// "avx512-vnni, 16 accumulators"
  std::string variant;
  /// In 10^9 operations per second, one thread: minimum time.
  double rate = 0;
};

/// Of all variants that run here, the fastest.
/// `withTiles`: of tile registers as well.
Limit findInt8Limit(bool quick, bool withTiles);
Limit findFloatLimit(bool quick);

/// A call lasts about `microseconds` on each of `threads` threads; `ops` is set
/// to the operations of one call.
Subject makeLimitSubject(const Limit &limit, unsigned threads,
                         double microseconds, double &ops);

/// Reads `bytes` from memory again and again: larger than the caches.
class StreamRead {
public:
  /// Chooses the fastest way of reading.
  StreamRead(uint64_t bytes, bool quick);
  ~StreamRead();
  StreamRead(const StreamRead &) = delete;
  StreamRead &operator=(const StreamRead &) = delete;

  /// A call reads `bytes` (at most what was allocated), going on where the last
  /// one ended.
  Subject makeSubject(unsigned threads, uint64_t bytes);
  /// What such a call reads.
  uint64_t bytesPerCall(unsigned threads, uint64_t bytes) const;
  uint64_t size() const { return bytes; }
  const std::string &variant() const { return name; }

private:
  using Loop = uint64_t (*)(const char *, uint64_t);
  uint64_t bytes;
  char *data = nullptr;
  uint64_t position = 0;
  Loop loop = nullptr;
  std::string name;
};

/// Bytes of the last level of cache; a guess of 32 MiB where the system does
/// not say.
uint64_t lastLevelCacheBytes();

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_LIMITS_H

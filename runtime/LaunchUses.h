//===- LaunchUses.h - Which launches wait for which -------------*- C++ -*-===//
//
// Of launches that are recorded one behind the other: whether the next one has
// to wait for what is before it.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_RUNTIME_LAUNCHUSES_H
#define QUANT_MLIR_RUNTIME_LAUNCHUSES_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace quant_mlir {

/// What a launch does with bytes [begin, end) of a `Buffer` of the device.
template <typename Buffer> struct LaunchUse {
  Buffer buffer;
  int64_t begin, end;
  bool isWritten;

  /// Whether the order of both matters.
  bool meets(const LaunchUse &other) const {
    return buffer == other.buffer && begin < other.end && other.begin < end &&
           (isWritten || other.isWritten);
  }
};

/// Uses of launches since the last barrier.
template <typename Buffer> class LaunchUses {
public:
  /// Whether a launch of these uses needs a barrier before it, which then
  /// counts as made.
  bool add(const std::vector<LaunchUse<Buffer>> &next) {
    bool depends = false;
    for (const LaunchUse<Buffer> &use : next)
      depends |= std::any_of(
          uses.begin(), uses.end(),
          [&](const LaunchUse<Buffer> &before) { return use.meets(before); });
    if (depends)
      uses.clear();
    uses.insert(uses.end(), next.begin(), next.end());
    return depends;
  }
  void clear() { uses.clear(); }

private:
  std::vector<LaunchUse<Buffer>> uses;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_RUNTIME_LAUNCHUSES_H

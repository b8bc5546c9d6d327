//===- Instructions.h - What the emulator knows to execute ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_GPUEMULATOR_INSTRUCTIONS_H
#define QUANT_MLIR_LIB_GPUEMULATOR_INSTRUCTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace quant_mlir::emulator {

class Block;
struct Lane;
struct EmulatedInstruction;

/// One place in the code that calls an instruction. A caller writes arguments
/// to a scratch of its own, at `offsets`, and finds the result at
/// `resultOffset`.
struct Site {
  std::string name; ///< of the intrinsic
  const EmulatedInstruction *instruction = nullptr;
  unsigned number = 0;
  std::vector<unsigned> offsets;
  unsigned resultOffset = 0;
};

/// One lane's call.
class Call {
public:
  Call() = default;
  Call(const Site &site, char *scratch) : site(&site), scratch(scratch) {}

  /// False for lanes that take no part.
  explicit operator bool() const { return site; }
  template <typename T> T get(unsigned argument) const {
    T value;
    std::memcpy(&value, scratch + site->offsets[argument], sizeof(T));
    return value;
  }
  /// Bytes of an argument, and of the result.
  const char *data(unsigned argument) const {
    return scratch + site->offsets[argument];
  }
  char *result() const { return scratch + site->resultOffset; }
  template <typename T> void set(T value, unsigned offset = 0) const {
    std::memcpy(result() + offset, &value, sizeof(T));
  }
  const Site &getSite() const { return *site; }

private:
  const Site *site = nullptr;
  char *scratch = nullptr;
};

/// Who executes an instruction together.
enum class Scope { Lane, Warp, Block };

struct EmulatedInstruction {
  Scope scope = Scope::Lane;
  /// Of a lane.
  std::function<void(Block &, Lane &, const Call &)> lane;
  /// Of a warp, by lane; `first` is the number of its first lane.
  std::function<void(Block &, unsigned first, llvm::ArrayRef<Call>)> warp;
  /// The argument that has the lanes that take part; without one all do.
  int mask = -1;
  /// Whether lanes of a warp see each other's accesses to memory after it.
  bool ordersMemory = false;
};

/// The instruction of this name, of an intrinsic or of inline assembly.
std::optional<EmulatedInstruction> findNVVMInstruction(llvm::StringRef name);
std::optional<EmulatedInstruction> findROCDLInstruction(llvm::StringRef name);

/// i32 sums of a product of matrices of small integers: wraps, or saturates.
int32_t addProducts(int32_t sum, int64_t products, bool saturates);

} // namespace quant_mlir::emulator

#endif // QUANT_MLIR_LIB_GPUEMULATOR_INSTRUCTIONS_H

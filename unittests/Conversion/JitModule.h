//===- JitModule.h - Runs lowered IR in the test process --------*- C++ -*-===//
//
// The shortest way from level-1 IR to machine code: the reference lowering,
// bufferization, loops or vectors, LLVM. It is a check of the lowering, so it
// shares nothing with the runner's own pipeline.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_CONVERSION_JITMODULE_H
#define QUANT_MLIR_UNITTESTS_CONVERSION_JITMODULE_H

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

namespace quant_mlir::test {

/// A dense row-major tensor in memory.
struct Buffer {
  std::vector<uint8_t> bytes;
  std::vector<int64_t> shape;

  template <typename T>
  static Buffer of(llvm::ArrayRef<T> values, std::vector<int64_t> shape) {
    Buffer buffer;
    buffer.shape = std::move(shape);
    auto *bytes = reinterpret_cast<const uint8_t *>(values.data());
    buffer.bytes.assign(bytes, bytes + values.size() * sizeof(T));
    return buffer;
  }
  template <typename T> llvm::ArrayRef<T> as() const {
    return {reinterpret_cast<const T *>(bytes.data()),
            bytes.size() / sizeof(T)};
  }
};

struct JitOptions {
  unsigned optLevel = 3;
  /// Vectors of this processor instead of loops over elements.
  bool vectors = false;
};
/// "O3", "O3Vectors": of a test with JitOptions as its parameter.
std::string getName(const testing::TestParamInfo<JitOptions> &info);

class JitModule {
public:
  /// Compiles `source`; the test fails and null returns where that fails.
  static std::unique_ptr<JitModule> compile(llvm::StringRef source,
                                            JitOptions options = {});

  /// Calls `name`, whose arguments are tensors and whose one result is a tensor
  /// of rank `resultRank` with elements of `resultWidth` bytes, in memory that
  /// the function allocated.
  Buffer call(llvm::StringRef name, llvm::ArrayRef<Buffer> arguments,
              unsigned resultRank, unsigned resultWidth);

private:
  JitModule();

  mlir::MLIRContext context;
  std::unique_ptr<mlir::ExecutionEngine> engine;
};

} // namespace quant_mlir::test

#endif // QUANT_MLIR_UNITTESTS_CONVERSION_JITMODULE_H

//===- MockImage.h - What a driver is given to run --------------*- C++ -*-===//
//
// PTX, of which kernels have names and parameters, or text of LLVM IR, which
// GPUEmulator.h also runs.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_RUNTIME_MOCKIMAGE_H
#define QUANT_MLIR_UNITTESTS_RUNTIME_MOCKIMAGE_H

#include "MockCuda.h"

#include "quant-mlir/GPUEmulator/GPUEmulator.h"

#include <memory>

struct MockFunction : mock::Function {
  size_t numParameters() const override { return isAddressOf.size(); }
  bool isAddress(size_t parameter, uint64_t) const override {
    return isAddressOf[parameter];
  }
  mock::Result check(const MockLaunch &launch, std::string &wrong) override;
  std::string run(const MockLaunch &launch,
                  const std::map<uint64_t, mock::Allocation> &memory) override;

  quant_mlir::GPUEmulator *emulator = nullptr; ///< of LLVM IR
  std::vector<bool> isAddressOf;               ///< by parameter
  unsigned block = 0;                          ///< .maxntid, where there is one
  unsigned dynamicBytes = 48 << 10;            ///< that a launch may ask for
};

struct MockImage : mock::Module {
  std::unique_ptr<quant_mlir::GPUEmulator> emulator;

  /// Null, with the reason in `error`, where `text` is neither.
  static std::unique_ptr<MockImage> parse(const std::string &text,
                                          std::string &error);
};

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_MOCKIMAGE_H

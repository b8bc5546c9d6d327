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

struct MockImage;

struct MockFunction {
  MockImage *image = nullptr;
  std::string name;
  std::vector<bool> isAddress;      ///< by parameter
  unsigned block = 0;               ///< .maxntid, where there is one
  unsigned dynamicBytes = 48 << 10; ///< that a launch may ask for
};

struct MockImage {
  std::map<std::string, std::unique_ptr<MockFunction>> functions;
  std::unique_ptr<quant_mlir::GPUEmulator> emulator;

  /// Null, with the reason in `error`, where `text` is neither.
  static std::unique_ptr<MockImage> parse(const std::string &text,
                                          std::string &error);
  /// Runs a kernel of LLVM IR on `memory`; "" or what it did wrong. Parameters
  /// are where the host reaches them.
  std::string run(const MockFunction &function, const MockLaunch &launch,
                  llvm::ArrayRef<quant_mlir::EmulatedBuffer> memory);
};

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_MOCKIMAGE_H

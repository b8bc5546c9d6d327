//===- MockHip.h - AMD's HIP library that is none ---------------*- C++ -*-===//
//
// libamdhip64.so.6 for tests: see MockDriver.h. Modules are code objects, ELF
// with kernel descriptors, which say how many parameters a kernel has. MOCK_HIP
// has arch=gfx942.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_UNITTESTS_RUNTIME_MOCKHIP_H
#define QUANT_MLIR_UNITTESTS_RUNTIME_MOCKHIP_H

#include "../MockDriver/MockDriver.h"

struct MockHip : MockDriver {
  std::string arch = "gfx942";
};

/// Exported by the library.
extern "C" MockHip *mock_hip();

#endif // QUANT_MLIR_UNITTESTS_RUNTIME_MOCKHIP_H

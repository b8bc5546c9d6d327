//===- Runtime.h - Launches that the emulator runs --------------*- C++ -*-===//
//
// The interface of quant-mlir-runtime/GPU.h with GPUEmulator.h behind it: a
// binary is LLVM IR, parameters are one address for each buffer, then one i64
// for each number (quant-prepare-parameters).
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_GPUEMULATOR_RUNTIME_H
#define QUANT_MLIR_GPUEMULATOR_RUNTIME_H

#include "quant-mlir-runtime/GPU.h"

extern "C" {
const char *quant_emulator_launch(void **kernel, const void *binary,
                                  int64_t size, const char *name,
                                  const int64_t *shape, int64_t num_buffers,
                                  const QuantGpuBuffer *buffers,
                                  int64_t num_numbers, const int64_t *numbers);
void quant_emulator_release(void **kernel);
void *quant_emulator_alloc(int64_t alignment, int64_t bytes);
void quant_emulator_free(void *data);
}

#endif // QUANT_MLIR_GPUEMULATOR_RUNTIME_H

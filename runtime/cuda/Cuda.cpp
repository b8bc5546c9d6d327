//===- Cuda.cpp - Launches through NVIDIA's driver ------------------------===//
//
// quant-mlir-runtime/GPU.h. What quant_cuda_alloc gives is managed memory,
// which stays with the device until the host looks at it.
//
//===----------------------------------------------------------------------===//

#include "../DriverLaunch.h"
#include "Driver.h"

QUANT_DEFINE_GPU_RUNTIME(cuda, quant_mlir::cuda::Device)

//===- Hip.cpp - Launches through AMD's driver ----------------------------===//
//
// quant-mlir-runtime/GPU.h. What quant_hip_alloc gives is managed memory, where
// the device has that.
//
//===----------------------------------------------------------------------===//

#include "../DriverLaunch.h"
#include "Driver.h"

QUANT_DEFINE_GPU_RUNTIME(hip, quant_mlir::hip::Device)

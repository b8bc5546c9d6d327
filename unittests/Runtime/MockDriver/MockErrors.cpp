//===- MockErrors.cpp - What drivers say of their errors ------------------===//

#include "MockDriver.h"

static const mock::ErrorText errors[] = {
    {1, "CUDA_ERROR_INVALID_VALUE", "hipErrorInvalidValue", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "hipErrorOutOfMemory", "out of memory"},
    {34, "CUDA_ERROR_STUB_LIBRARY", nullptr, "CUDA driver is a stub library"},
    {100, "CUDA_ERROR_NO_DEVICE", nullptr,
     "no CUDA-capable device is detected"},
    {100, nullptr, "hipErrorNoDevice", "no ROCm-capable device is detected"},
    {101, nullptr, "hipErrorInvalidDevice", "invalid device ordinal"},
    {200, nullptr, "hipErrorInvalidImage", "device kernel image is invalid"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", nullptr, "invalid device context"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "hipErrorNoBinaryForGpu",
     "no kernel image is available for execution on the device"},
    {218, "CUDA_ERROR_INVALID_PTX", nullptr, "a PTX JIT compilation failed"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", nullptr,
     "the provided PTX was compiled with an unsupported toolchain."},
    {400, "CUDA_ERROR_INVALID_HANDLE", "hipErrorInvalidHandle",
     "invalid resource handle"},
    {500, "CUDA_ERROR_NOT_FOUND", "hipErrorNotFound", "named symbol not found"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "hipErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", nullptr,
     "too many resources requested for launch"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", nullptr,
     "system has unsupported display driver / cuda driver combination"},
    {999, "CUDA_ERROR_UNKNOWN", nullptr, "unknown error"},
};

const mock::ErrorText *mock::findError(int code,
                                       const char *mock::ErrorText::*name) {
  for (const ErrorText &error : errors)
    if (error.code == code && error.*name)
      return &error;
  return nullptr;
}

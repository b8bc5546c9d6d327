//===- MockErrors.cpp - What a driver says of its errors ------------------===//

#include <map>
#include <utility>

namespace {
constexpr int invalidValue = 1;

const std::map<int, std::pair<const char *, const char *>> &errorTexts() {
  static const std::map<int, std::pair<const char *, const char *>> texts = {
      {1, {"CUDA_ERROR_INVALID_VALUE", "invalid argument"}},
      {2, {"CUDA_ERROR_OUT_OF_MEMORY", "out of memory"}},
      {34, {"CUDA_ERROR_STUB_LIBRARY", "CUDA driver is a stub library"}},
      {100, {"CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"}},
      {201, {"CUDA_ERROR_INVALID_CONTEXT", "invalid device context"}},
      {209,
       {"CUDA_ERROR_NO_BINARY_FOR_GPU",
        "no kernel image is available for execution on the device"}},
      {218, {"CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"}},
      {222,
       {"CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
        "the provided PTX was compiled with an unsupported toolchain."}},
      {400, {"CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"}},
      {500, {"CUDA_ERROR_NOT_FOUND", "named symbol not found"}},
      {700,
       {"CUDA_ERROR_ILLEGAL_ADDRESS",
        "an illegal memory access was encountered"}},
      {701,
       {"CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
        "too many resources requested for launch"}},
      {803,
       {"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        "system has unsupported display driver / cuda driver combination"}},
      {999, {"CUDA_ERROR_UNKNOWN", "unknown error"}},
  };
  return texts;
}

} // namespace

extern "C" {

int cuGetErrorName(int result, const char **text) {
  auto found = errorTexts().find(result);
  *text = found == errorTexts().end() ? nullptr : found->second.first;
  return *text ? 0 : invalidValue;
}

int cuGetErrorString(int result, const char **text) {
  auto found = errorTexts().find(result);
  *text = found == errorTexts().end() ? nullptr : found->second.second;
  return *text ? 0 : invalidValue;
}
}

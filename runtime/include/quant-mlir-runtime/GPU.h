/*===- GPU.h - What compiled code calls to run kernels on a GPU ---*- C -*-===*\
|*                                                                            *|
|* One interface for all run times of GPUs; <name> is vulkan, cuda or hip.    *|
|* Drivers are opened when the first kernel is launched, not before.          *|
|*                                                                            *|
|* Buffers are memory of the host. A run time keeps those of                  *|
|* quant_<name>_alloc where kernels reach them; what lies elsewhere it copies *|
|* there before a launch and back after it, constants once.                   *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_MLIR_RUNTIME_GPU_H
#define QUANT_MLIR_RUNTIME_GPU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  QUANT_GPU_READ = 1,
  QUANT_GPU_WRITE = 2,
};

typedef struct {
  void *data;
  int64_t bytes;
  int32_t access;      /* QUANT_GPU_READ, QUANT_GPU_WRITE or both */
  int32_t is_constant; /* the same bytes in every launch */
} QuantGpuBuffer;

/* quant_<name>_launch: the kernel `name` of `binary` (`size` bytes), on
   shape[0..2] workgroups of shape[3..5] invocations, which share shape[6] bytes
   beside what the binary itself asks for. Returns when its results are there,
   or, where shape[7] is not 0, maybe before: then the same thread launches
   another kernel before anybody else looks at memory that this one uses. Null, or what went wrong, which the calling thread may read until its next
   launch. `*kernel` is null before the first launch of a kernel, and then what
   the run time has made of it. Calls may run at the same time.

   A kernel's parameters are the addresses of its buffers, in order, and then
   its numbers.

   quant_<name>_release: frees what launches have made of a kernel; `*kernel` is
   null afterwards.

   quant_<name>_alloc, _free: memory that both sides reach, aligned for any
   buffer of a kernel; of the host alone where there is no device. Null where
   there is no memory.

   quant_<name>_device: the name of the device that kernels run on; null, with
   the reason in `*error`, where there is none. */
#define QUANT_DECLARE_GPU_RUNTIME(NAME)                                        \
  const char *quant_##NAME##_launch(                                           \
      void **kernel, const void *binary, int64_t size, const char *name,       \
      const int64_t *shape, int64_t num_buffers,                               \
      const QuantGpuBuffer *buffers, int64_t num_numbers,                      \
      const int64_t *numbers);                                                 \
  void quant_##NAME##_release(void **kernel);                                  \
  void *quant_##NAME##_alloc(int64_t alignment, int64_t bytes);                \
  void quant_##NAME##_free(void *data);                                        \
  const char *quant_##NAME##_device(const char **error);

QUANT_DECLARE_GPU_RUNTIME(vulkan)
QUANT_DECLARE_GPU_RUNTIME(cuda)
QUANT_DECLARE_GPU_RUNTIME(hip)

/* The --gpu-arch whose kernels are the best that the device runs, such as
   sm_90a or gfx942; null, with the reason in `*error`, where there is none. */
const char *quant_cuda_arch(const char **error);
const char *quant_hip_arch(const char **error);

#ifdef __cplusplus
}
#endif

#endif /* QUANT_MLIR_RUNTIME_GPU_H */

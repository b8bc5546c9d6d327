/*===- Calibration.h - What calibrated code calls -----------------*- C -*-===*\
|*                                                                            *|
|* `quant-observe-to-call` turns every `quant.observe` that needs data into a *|
|* call of one of the three functions below. The library behind this header   *|
|* collects statistics; a program that has another idea of them defines the   *|
|* three functions itself. C11 or C++; needs neither LLVM nor MLIR.           *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_MLIR_RUNTIME_CALIBRATION_H
#define QUANT_MLIR_RUNTIME_CALIBRATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*===----------------------------------------------------------------------===*\
|* Called by compiled code
\*===----------------------------------------------------------------------===*/

/* A tensor passes an observer.

   observer      index into the module's list `quant.observers`
   channel_dims  bit i: each index of dimension i is a channel with statistics
                 of its own; 0: one set of statistics
   rank, memref  a `memref<*xf32>` as MLIR passes it: the rank, and a pointer to
                 {T *allocated, T *aligned, int64_t offset,
                  int64_t sizes[rank], int64_t strides[rank]},
                 offset and strides in elements, any strides

   The tensor is only read. Elements are binary32, binary16 or bfloat16. */
void quant_observe_f32(int64_t observer, int64_t channel_dims, int64_t rank,
                       const void *memref);
void quant_observe_f16(int64_t observer, int64_t channel_dims, int64_t rank,
                       const void *memref);
void quant_observe_bf16(int64_t observer, int64_t channel_dims, int64_t rank,
                        const void *memref);

/*===----------------------------------------------------------------------===*\
|* Called by the program that runs the code
|*
|* A recorder is for one thread at a time. Several threads may run the same code
|* on different batches at once, each with its own recorder: counts add up, and
|* so do histograms; ranges of batches are the program's to combine, in order.
|*
|*   quant_recorder *recorder = quant_recorder_create(2);
|*   quant_recorder_bind(recorder);
|*   for each batch:
|*     quant_recorder_begin_batch(recorder);
|*     run the function;
|*     if (quant_recorder_error(recorder, NULL)) stop;
|*     quant_recorder_batch_range(recorder, 0, 0, &min, &max);
|*   quant_recorder_bind(NULL);
|*   quant_recorder_destroy(recorder);
\*===----------------------------------------------------------------------===*/

typedef struct quant_recorder quant_recorder;

/* NULL where memory is short. */
quant_recorder *quant_recorder_create(int64_t num_observers);
void quant_recorder_destroy(quant_recorder *recorder);

/* Asks for histograms of an observer, before its first tensor: up to 16 KiB per
   channel. */
void quant_recorder_keep_histograms(quant_recorder *recorder, int64_t observer);

/* Makes it the one that observers on this thread report to, and returns the one
   before. With NULL, which every thread starts with, observing does nothing. */
quant_recorder *quant_recorder_bind(quant_recorder *recorder);

/* A batch is one call of the function. Observers may pass any number of tensors
   in it, also several under one index; their range is that of all. */
void quant_recorder_begin_batch(quant_recorder *recorder);

/* NULL, or what went wrong first, to be read after "observer <id> ": an index out
   of bounds, tensors of one observer with different numbers of channels, no
   memory. `observer`, where not NULL, gets its index. */
const char *quant_recorder_error(const quant_recorder *recorder,
                                 int64_t *observer);

typedef struct {
  int64_t channels; /* 1 without channels; 0 before the first tensor */
  int64_t count;    /* finite elements, of all batches and channels */
  int64_t nan, inf; /* elements left out */
  int64_t batches;  /* batches in which there were elements */
} quant_counts;
quant_counts quant_recorder_counts(const quant_recorder *recorder,
                                   int64_t observer);

/* Smallest and largest finite element in the current batch. 0, and neither is
   written, where there is none. */
int quant_recorder_batch_range(const quant_recorder *recorder, int64_t observer,
                               int64_t channel, float *min, float *max);

/* Bin i holds counts[i] elements in [(first + i) * w, (first + i + 1) * w),
   w = 2^width_log2: the smallest w for which at most 2048 bins cover all
   elements and 0. */
typedef struct {
  int32_t width_log2, first;
  int64_t size;
  const uint64_t *counts; /* until the next call with this recorder */
} quant_histogram;

/* Of all batches. 0, and `histogram` is not written, where none is kept. */
int quant_recorder_histogram(const quant_recorder *recorder, int64_t observer,
                             int64_t channel, quant_histogram *histogram);

#ifdef __cplusplus
}
#endif

#endif /* QUANT_MLIR_RUNTIME_CALIBRATION_H */

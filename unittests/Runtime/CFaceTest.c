/* That the header is C: an observer's call, as compiled code makes it. */

#include "quant-mlir-runtime/Calibration.h"

#include <stddef.h>

/* Observes {1, -2} as observer 0 of the recorder; gives the smallest. */
float observeFromC(quant_recorder *recorder);

float observeFromC(quant_recorder *recorder) {
  float values[2] = {1, -2};
  struct {
    float *allocated, *aligned;
    int64_t offset, sizes[1], strides[1];
  } memref = {values, values, 0, {2}, {1}};
  float min = 0, max = 0;
  quant_recorder *before = quant_recorder_bind(recorder);
  quant_recorder_begin_batch(recorder);
  quant_observe_f32(0, 0, 1, &memref);
  quant_recorder_bind(before);
  quant_recorder_batch_range(recorder, 0, 0, &min, &max);
  return quant_recorder_error(recorder, NULL) ? 0 : min;
}

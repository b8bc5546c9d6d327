/*===- MpiModule.h - What the MPI module offers -------------------*- C -*-===*\
|*                                                                            *|
|* The interface between quant-calibrate and QuantCalibrateMPI.so, the only   *|
|* thing here that is linked with MPI. C, so that the compilers of MPI and of *|
|* the tool need not agree about C++.                                         *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_MLIR_TOOLS_QUANTCALIBRATE_MPIMODULE_H
#define QUANT_MLIR_TOOLS_QUANTCALIBRATE_MPIMODULE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Receives bytes; `context` is that of the call. */
typedef void (*quant_mpi_take)(void *context, const char *bytes, int64_t size);

typedef struct {
  void (*init)(int *rank, int *size);
  /* Calls `take` on rank 0 for each rank, in order. */
  void (*gather)(const char *bytes, int64_t size, quant_mpi_take take,
                 void *context);
  /* Calls `take` once on every rank, with what rank 0 has given. */
  void (*broadcast)(const char *bytes, int64_t size, quant_mpi_take take,
                    void *context);
  void (*finalize)(void);
} quant_mpi_api;

/* The module's one symbol. */
const quant_mpi_api *quant_get_mpi_api(void);

#ifdef __cplusplus
}
#endif

#endif /* QUANT_MLIR_TOOLS_QUANTCALIBRATE_MPIMODULE_H */

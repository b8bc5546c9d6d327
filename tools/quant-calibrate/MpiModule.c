/*===- MpiModule.c - What the MPI module offers ---------------------------===*\
|*                                                                            *|
|* An error of MPI's ends all processes, which is its default.                *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "MpiModule.h"

#include <mpi.h>
#include <stdlib.h>

/* MPI counts in int. */
static const int64_t part = 1 << 30;

static int sizeOf(int64_t left) { return (int)(left < part ? left : part); }

static char *allocate(int64_t size) {
  char *bytes = (char *)malloc(size == 0 ? 1 : (size_t)size);
  if (!bytes)
    MPI_Abort(MPI_COMM_WORLD, 1);
  return bytes;
}

static void initialize(int *rank, int *size) {
  int provided;
  MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, size);
}

static void gather(const char *bytes, int64_t size, quant_mpi_take take,
                   void *context) {
  int rank, count;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  if (rank != 0) {
    MPI_Send(&size, 1, MPI_INT64_T, 0, 0, MPI_COMM_WORLD);
    for (int64_t done = 0; done < size; done += part)
      MPI_Send(bytes + done, sizeOf(size - done), MPI_BYTE, 0, 0,
               MPI_COMM_WORLD);
    return;
  }
  take(context, bytes, size);
  for (int source = 1; source < count; ++source) {
    int64_t total;
    MPI_Recv(&total, 1, MPI_INT64_T, source, 0, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    char *received = allocate(total);
    for (int64_t done = 0; done < total; done += part)
      MPI_Recv(received + done, sizeOf(total - done), MPI_BYTE, source, 0,
               MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    take(context, received, total);
    free(received);
  }
}

static void broadcast(const char *bytes, int64_t size, quant_mpi_take take,
                      void *context) {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Bcast(&size, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
  char *received = allocate(size);
  if (rank == 0)
    for (int64_t i = 0; i < size; ++i)
      received[i] = bytes[i];
  for (int64_t done = 0; done < size; done += part)
    MPI_Bcast(received + done, sizeOf(size - done), MPI_BYTE, 0,
              MPI_COMM_WORLD);
  take(context, received, size);
  free(received);
}

static void finalize(void) { MPI_Finalize(); }

const quant_mpi_api *quant_get_mpi_api(void) {
  static const quant_mpi_api api = {initialize, gather, broadcast, finalize};
  return &api;
}

/* A run time that launches nothing: it writes down what the host's code asks for.

   Linked with an object of `quant-opt --lower-to=nvvm`, whose function `kernel` it calls
   with addresses that stand for the arguments. For every launch it prints a line of
   JSON, and writes binaries and constants to the folder that it is given:

     recorder FOLDER PREFIX                                                       */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  void *data;
  int64_t bytes;
  int32_t access, is_constant;
} Buffer;

static const char *folder, *prefix;
static int launches, constants;

/* Argument i lies at (i + 1) << 40: nothing that this process has. */
enum { SHIFT = 40 };

static void write_file(const char *name, const void *data, int64_t size) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, 1, (size_t)size, file) != (size_t)size || fclose(file)) {
    fprintf(stderr, "cannot write %s\n", path);
    exit(1);
  }
}

static const char *record(const void *binary, int64_t size, const char *name,
                          const int64_t *shape, int64_t num_buffers,
                          const Buffer *buffers, int64_t num_numbers,
                          const int64_t *numbers) {
  char file[512];
  snprintf(file, sizeof(file), "%s.%d.kernel", prefix, launches++);
  write_file(file, binary, size);
  printf("{\"kernel\": \"%s\", \"file\": \"%s\", \"shape\": [", name, file);
  for (int i = 0; i < 7; ++i)
    printf("%s%lld", i ? ", " : "", (long long)shape[i]);
  printf("], \"buffers\": [");
  for (int64_t i = 0; i < num_buffers; ++i) {
    uint64_t address = (uint64_t)(uintptr_t)buffers[i].data;
    printf("%s{\"bytes\": %lld, \"access\": %d, ", i ? ", " : "",
           (long long)buffers[i].bytes, buffers[i].access);
    if (buffers[i].is_constant) {
      snprintf(file, sizeof(file), "%s.%d.constant", prefix, constants++);
      write_file(file, buffers[i].data, buffers[i].bytes);
      printf("\"constant\": \"%s\"}", file);
    } else {
      uint64_t argument = address >> SHIFT;
      printf("\"argument\": %llu, \"offset\": %llu}", (unsigned long long)argument - 1,
             (unsigned long long)(address & (((uint64_t)1 << SHIFT) - 1)));
    }
  }
  printf("], \"numbers\": [");
  for (int64_t i = 0; i < num_numbers; ++i)
    printf("%s%lld", i ? ", " : "", (long long)numbers[i]);
  printf("]}\n");
  return NULL;
}

/* The same for both: a kernel of the emulator is LLVM IR. */
#define RUNTIME(NAME)                                                                     \
  const char *quant_##NAME##_launch(void **kernel, const void *binary, int64_t size,     \
                                    const char *name, const int64_t *shape,              \
                                    int64_t num_buffers, const Buffer *buffers,          \
                                    int64_t num_numbers, const int64_t *numbers) {       \
    (void)kernel;                                                                         \
    return record(binary, size, name, shape, num_buffers, buffers, num_numbers, numbers); \
  }                                                                                       \
  void quant_##NAME##_release(void **kernel) { *kernel = NULL; }                          \
  void *quant_##NAME##_alloc(int64_t alignment, int64_t bytes) {                          \
    (void)alignment;                                                                      \
    (void)bytes;                                                                          \
    fprintf(stderr, "expected kernels without memory in between\n");                      \
    exit(1);                                                                              \
  }                                                                                       \
  void quant_##NAME##_free(void *data) { (void)data; }
RUNTIME(cuda)
RUNTIME(emulator)

extern void kernel(void *, void *, void *, void *, void *, void *, void *, void *);

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: recorder FOLDER PREFIX\n");
    return 1;
  }
  folder = argv[1];
  prefix = argv[2];
  void *arguments[8];
  for (int i = 0; i < 8; ++i)
    arguments[i] = (void *)(uintptr_t)((uint64_t)(i + 1) << SHIFT);
  kernel(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
         arguments[5], arguments[6], arguments[7]);
  return 0;
}

//===- OrtApi.h - The part of ONNX Runtime's C interface used ---*- C++ -*-===//
//
// The npm package has the library and no headers. ONNX Runtime promises that
// its table of functions only ever grows at the end, so that a function is
// known by its place in the table; these are the places and types of the few
// that are called here, all of version 1 of the interface. The library is
// loaded at run time: nothing of it is needed to build.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_BENCHMARKS_ORTAPI_H
#define QUANT_MLIR_BENCHMARKS_ORTAPI_H

#include <cstddef>
#include <cstdint>

namespace quant_mlir::bench::ort {

struct Status;
struct Env;
struct Session;
struct SessionOptions;
struct RunOptions;
struct MemoryInfo;
struct Value;
struct Allocator;
struct TypeInfo;
struct TensorInfo;

enum ElementType : int { Float = 1, UInt8 = 2, Int8 = 3 };

/// What `OrtGetApiBase` returns.
struct ApiBase {
  void *const *(*getApi)(uint32_t version);
  const char *(*getVersion)();
};

/// A function by its place in the table.
template <unsigned place, typename Type> struct Slot;
template <unsigned place, typename Result, typename... Arguments>
struct Slot<place, Result(Arguments...)> {
  void *const *const *table;
  Result operator()(Arguments... arguments) const {
    return reinterpret_cast<Result (*)(Arguments...)>((*table)[place])(
        arguments...);
  }
};

/// The functions; all but the releasing ones return an error or null.
struct Functions {
  void *const *table = nullptr;

  Functions() = default;
  Functions(const Functions &) = delete;
  Functions &operator=(const Functions &) = delete;

  Slot<2, const char *(const Status *)> getErrorMessage{&table};
  Slot<3, Status *(int level, const char *id, Env **)> createEnv{&table};
  Slot<7, Status *(const Env *, const char *path, const SessionOptions *,
                   Session **)>
      createSession{&table};
  Slot<9, Status *(Session *, const RunOptions *, const char *const *inputNames,
                   const Value *const *inputs, size_t numInputs,
                   const char *const *outputNames, size_t numOutputs,
                   Value **outputs)>
      run{&table};
  Slot<10, Status *(SessionOptions **)> createSessionOptions{&table};
  /// 99: everything.
  Slot<23, Status *(SessionOptions *, int level)> setOptimizationLevel{&table};
  Slot<24, Status *(SessionOptions *, int threads)> setIntraOpThreads{&table};
  Slot<25, Status *(SessionOptions *, int threads)> setInterOpThreads{&table};
  Slot<30, Status *(const Session *, size_t *)> getInputCount{&table};
  Slot<31, Status *(const Session *, size_t *)> getOutputCount{&table};
  Slot<33, Status *(const Session *, size_t index, TypeInfo **)> getInputType{
      &table};
  Slot<34, Status *(const Session *, size_t index, TypeInfo **)> getOutputType{
      &table};
  Slot<36, Status *(const Session *, size_t index, Allocator *, char **)>
      getInputName{&table};
  Slot<37, Status *(const Session *, size_t index, Allocator *, char **)>
      getOutputName{&table};
  Slot<49, Status *(const MemoryInfo *, void *data, size_t bytes,
                    const int64_t *shape, size_t rank, int type, Value **)>
      createTensor{&table};
  Slot<55, Status *(const TypeInfo *, const TensorInfo **)> toTensorInfo{
      &table};
  Slot<60, Status *(const TensorInfo *, int *)> getElementType{&table};
  Slot<61, Status *(const TensorInfo *, size_t *)> getRank{&table};
  Slot<62, Status *(const TensorInfo *, int64_t *, size_t)> getShape{&table};
  Slot<69, Status *(int allocatorType, int memoryType, MemoryInfo **)>
      createCpuMemoryInfo{&table};
  Slot<76, Status *(Allocator *, void *)> allocatorFree{&table};
  Slot<78, Status *(Allocator **)> getDefaultAllocator{&table};
  Slot<92, void(Env *)> releaseEnv{&table};
  Slot<93, void(Status *)> releaseStatus{&table};
  Slot<94, void(MemoryInfo *)> releaseMemoryInfo{&table};
  Slot<95, void(Session *)> releaseSession{&table};
  Slot<96, void(Value *)> releaseValue{&table};
  Slot<98, void(TypeInfo *)> releaseTypeInfo{&table};
  Slot<100, void(SessionOptions *)> releaseSessionOptions{&table};
};

} // namespace quant_mlir::bench::ort

#endif // QUANT_MLIR_BENCHMARKS_ORTAPI_H

//===- OrtSession.h - ONNX Runtime's sessions and tensors -------*- C++ -*-===//

#ifndef QUANT_MLIR_BENCHMARKS_ORTSESSION_H
#define QUANT_MLIR_BENCHMARKS_ORTSESSION_H

#include "OrtApi.h"

#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace quant_mlir::bench::ort {

/// What is kept for as long as the library is used.
struct Library {
  Functions api;
  std::string version;
  Env *env = nullptr;
  MemoryInfo *memory = nullptr;
  Allocator *allocator = nullptr;

  static llvm::Expected<std::shared_ptr<Library>> load(const std::string &path);
  Library() = default;
  ~Library();
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;

  /// The error that a call returned, if it did.
  llvm::Error check(Status *status) const;
};

/// A tensor that a session reads or writes.
struct Tensor {
  int type;
  std::vector<int64_t> shape;
  std::vector<char> bytes;
};

/// Sessions of one model, of one input and one output, with their tensors; they
/// take turns.
struct Sessions {
  std::shared_ptr<Library> library;
  std::vector<Session *> sessions;
  std::string inputName, outputName;
  Tensor input, output;
  Value *inputValue = nullptr, *outputValue = nullptr;
  size_t next = 0;

  /// `copies` sessions on `threads` threads; runs the first once.
  static llvm::Expected<std::shared_ptr<Sessions>>
  open(std::shared_ptr<Library> library, const std::string &path, Tensor input,
       unsigned threads, unsigned copies);
  Sessions() = default;
  ~Sessions();
  Sessions(const Sessions &) = delete;
  Sessions &operator=(const Sessions &) = delete;

  /// The next one.
  llvm::Error run();
};

} // namespace quant_mlir::bench::ort

#endif // QUANT_MLIR_BENCHMARKS_ORTSESSION_H

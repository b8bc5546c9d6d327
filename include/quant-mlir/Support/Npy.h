//===- Npy.h - Arrays in NumPy's .npy format --------------------*- C++ -*-===//
//
// Reads versions 1.0, 2.0 and 3.0 of the format, little-endian and C order, and
// writes the oldest version that holds the header. Left out on purpose: big
// endian, Fortran order, structured, object, string, complex and long double.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_SUPPORT_NPY_H
#define QUANT_MLIR_SUPPORT_NPY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace quant_mlir {

enum class DType : uint8_t {
  Bool,
  Int8,
  UInt8,
  Int16,
  UInt16,
  Int32,
  UInt32,
  Int64,
  UInt64,
  Float16,
  Float32,
  Float64,
};

/// Bytes per element.
unsigned byteWidth(DType type);
bool isFloat(DType type);
bool isSignedInteger(DType type);
/// NumPy's name: "float32".
llvm::StringRef name(DType type);
/// The type string of the .npy header: "<f4".
llvm::StringRef descr(DType type);

/// "2x3x4"; "scalar" for rank 0. A negative size prints as "?".
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// What an array is like, without its elements.
struct ArrayType {
  DType dtype = DType::Float32;
  llvm::SmallVector<int64_t, 4> shape;

  int64_t numElements() const;
  /// "2x3 float32"
  std::string describe() const;
};

/// A dense row-major array.
struct NdArray : ArrayType {
  std::vector<char> bytes;

  NdArray() = default;
  /// A zero-filled array; the shape must be known to fit in memory.
  NdArray(DType dtype, llvm::ArrayRef<int64_t> shape);

  template <typename T> T *data() {
    return reinterpret_cast<T *>(bytes.data());
  }
  template <typename T> const T *data() const {
    return reinterpret_cast<const T *>(bytes.data());
  }

  /// Element by linear index. Integers beyond 2^53 are rounded.
  double asDouble(int64_t index) const;
  /// Element by linear index of a bool or integer array; uint64 beyond the
  /// range of int64 wraps.
  int64_t asInt64(int64_t index) const;
};

/// Product of the sizes, or nullopt where it does not fit; every other size is
/// multiplied even when one of them is 0, so that strides fit as well.
std::optional<int64_t> checkedNumElements(llvm::ArrayRef<int64_t> shape);

/// Reads a whole file. Any malformed file is an error that names it.
llvm::Expected<NdArray> readNpy(llvm::StringRef path);
/// The same from memory; the buffer's identifier stands for the file's name.
llvm::Expected<NdArray> parseNpy(llvm::MemoryBufferRef buffer);

/// A file whose entries are read as they are needed, so that its size does not
/// matter. What is no regular file, and so cannot be read twice, is read whole.
class NpyFile {
public:
  /// Reads the header, and checks it against the size of the file.
  static llvm::Expected<NpyFile> open(llvm::StringRef path);
  NpyFile(NpyFile &&);
  NpyFile &operator=(NpyFile &&);
  ~NpyFile();

  const std::string &getPath() const;
  const ArrayType &getType() const;
  /// Reads `count` entries of the leading dimension from `first`, which must be
  /// there. `array` keeps its memory where it has enough. Several threads may
  /// read at once.
  llvm::Error read(int64_t first, int64_t count, NdArray &array) const;
  /// Reads all of it.
  llvm::Error read(NdArray &array) const;

private:
  struct Impl;
  explicit NpyFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

void writeNpy(llvm::raw_ostream &os, const NdArray &array);
/// Replaces the file as a whole or leaves it as it was.
llvm::Error writeNpy(llvm::StringRef path, const NdArray &array);

} // namespace quant_mlir

#endif // QUANT_MLIR_SUPPORT_NPY_H

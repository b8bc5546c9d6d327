//===- Npy.cpp - Arrays in NumPy's .npy format ----------------------------===//

#include "quant-mlir/Support/Npy.h"

#include "NpyHeader.h"

#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/OutputFile.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstring>

using namespace quant_mlir;

//===----------------------------------------------------------------------===//
// Types and arrays
//===----------------------------------------------------------------------===//

namespace {
struct DTypeInfo {
  unsigned bytes;
  llvm::StringLiteral descr;
  llvm::StringLiteral name;
};
constexpr DTypeInfo dtypeTable[] = {
    {1, "|b1", "bool"},    {1, "|i1", "int8"},    {1, "|u1", "uint8"},
    {2, "<i2", "int16"},   {2, "<u2", "uint16"},  {4, "<i4", "int32"},
    {4, "<u4", "uint32"},  {8, "<i8", "int64"},   {8, "<u8", "uint64"},
    {2, "<f2", "float16"}, {4, "<f4", "float32"}, {8, "<f8", "float64"},
};
const DTypeInfo &info(DType type) {
  return dtypeTable[static_cast<unsigned>(type)];
}

template <typename T> T load(const NdArray &array, int64_t index) {
  T value;
  std::memcpy(&value, array.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}
} // namespace

unsigned quant_mlir::byteWidth(DType type) { return info(type).bytes; }
llvm::StringRef quant_mlir::descr(DType type) { return info(type).descr; }
llvm::StringRef quant_mlir::name(DType type) { return info(type).name; }
bool quant_mlir::isFloat(DType type) { return type >= DType::Float16; }
bool quant_mlir::isSignedInteger(DType type) {
  return type == DType::Int8 || type == DType::Int16 || type == DType::Int32 ||
         type == DType::Int64;
}

std::string quant_mlir::formatShape(llvm::ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  std::string result;
  llvm::raw_string_ostream os(result);
  llvm::interleave(
      shape, os,
      [&](int64_t size) {
        if (size < 0)
          os << '?';
        else
          os << size;
      },
      "x");
  return result;
}

std::optional<int64_t>
quant_mlir::checkedNumElements(llvm::ArrayRef<int64_t> shape) {
  int64_t nonZero = 1;
  bool empty = false;
  for (int64_t size : shape) {
    if (size == 0)
      empty = true;
    else if (llvm::MulOverflow(nonZero, size, nonZero))
      return std::nullopt;
  }
  return empty ? 0 : nonZero;
}

NdArray::NdArray(DType dtype, llvm::ArrayRef<int64_t> shape) {
  this->dtype = dtype;
  this->shape.assign(shape.begin(), shape.end());
  bytes.resize(static_cast<size_t>(numElements()) * byteWidth(dtype));
}

int64_t ArrayType::numElements() const {
  int64_t product = 1;
  for (int64_t size : shape)
    product *= size;
  return product;
}

std::string ArrayType::describe() const {
  return formatShape(shape) + " " + name(dtype).str();
}

double NdArray::asDouble(int64_t index) const {
  switch (dtype) {
  case DType::Float16:
    return llvm::APFloat(llvm::APFloat::IEEEhalf(),
                         llvm::APInt(16, load<uint16_t>(*this, index)))
        .convertToDouble();
  case DType::Float32:
    return load<float>(*this, index);
  case DType::Float64:
    return load<double>(*this, index);
  case DType::UInt64:
    return static_cast<double>(load<uint64_t>(*this, index));
  default:
    return static_cast<double>(asInt64(index));
  }
}

int64_t NdArray::asInt64(int64_t index) const {
  switch (dtype) {
  case DType::Bool:
    return bytes[index] != 0;
  case DType::Int8:
    return load<int8_t>(*this, index);
  case DType::UInt8:
    return load<uint8_t>(*this, index);
  case DType::Int16:
    return load<int16_t>(*this, index);
  case DType::UInt16:
    return load<uint16_t>(*this, index);
  case DType::Int32:
    return load<int32_t>(*this, index);
  case DType::UInt32:
    return load<uint32_t>(*this, index);
  case DType::Int64:
  case DType::UInt64:
    return load<int64_t>(*this, index);
  default:
    llvm_unreachable("asInt64 of a float array");
  }
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static constexpr char npyMagic[] = "\x93NUMPY";
static constexpr size_t magicSize = 6;

/// Whether the header, whose length its first bytes tell, goes beyond `start`;
/// gives the size of all that is in front of the data. What is malformed is
/// left to parseStart.
static bool isCutWithinHeader(llvm::StringRef start, uint64_t &size) {
  size_t fixed = magicSize + 2;
  if (start.size() < fixed + 4)
    return false;
  bool isShort = start[magicSize] == 1;
  const char *length = start.data() + fixed;
  size = fixed + (isShort ? 2 : 4) +
         (isShort ? llvm::support::endian::read16le(length)
                  : llvm::support::endian::read32le(length));
  return size > start.size();
}

/// The type of the array and where its data start, from a beginning of the file
/// that holds the header, or is all of the `fileSize` bytes; an error without
/// the file's name.
static llvm::Expected<std::pair<ArrayType, uint64_t>>
parseStart(llvm::StringRef content, uint64_t fileSize) {
  const char *const begin = content.data();
  if (!content.consume_front(llvm::StringRef(npyMagic, magicSize)))
    return makeError("is not a .npy file: expected the bytes \\93NUMPY at its "
                     "start, found " +
                     quoteForMessage(content.take_front(8)) +
                     "; write it with numpy.save()");
  if (content.size() < 2)
    return makeError("is cut off within its header");
  unsigned major = static_cast<unsigned char>(content[0]);
  unsigned minor = static_cast<unsigned char>(content[1]);
  if (major < 1 || major > 3 || minor != 0)
    return makeError("has version " + llvm::Twine(major) + "." +
                     llvm::Twine(minor) +
                     " of the .npy format; expected 1.0, 2.0 or 3.0");
  content = content.drop_front(2);

  size_t lengthSize = major == 1 ? 2 : 4;
  if (content.size() < lengthSize)
    return makeError("is cut off within its header");
  size_t length = major == 1 ? llvm::support::endian::read16le(content.data())
                             : llvm::support::endian::read32le(content.data());
  content = content.drop_front(lengthSize);
  if (content.size() < length)
    return makeError("is cut off within its header: expected " +
                     llvm::Twine(length) + " bytes of it, found " +
                     llvm::Twine(content.size()));
  llvm::Expected<NpyHeader> header = parseNpyHeader(content.take_front(length));
  if (!header)
    return header.takeError();
  content = content.drop_front(length);

  std::optional<int64_t> count = checkedNumElements(header->shape);
  int64_t size;
  if (!count ||
      llvm::MulOverflow<int64_t>(*count, byteWidth(header->dtype), size))
    return makeError("has a shape (" + formatShape(header->shape) +
                     ") whose size overflows 63 bits");
  uint64_t offset = static_cast<uint64_t>(content.data() - begin);
  uint64_t found = fileSize - offset;
  if (static_cast<uint64_t>(size) != found)
    return makeError((static_cast<uint64_t>(size) > found
                          ? "is cut off: expected "
                          : "has bytes left over: expected ") +
                     llvm::Twine(size) + " bytes of data for " +
                     formatShape(header->shape) + " " + name(header->dtype) +
                     ", found " + llvm::Twine(found));
  ArrayType type;
  type.dtype = header->dtype;
  type.shape = std::move(header->shape);
  return std::make_pair(std::move(type), offset);
}

llvm::Expected<NdArray> quant_mlir::parseNpy(llvm::MemoryBufferRef buffer) {
  llvm::StringRef content = buffer.getBuffer();
  auto start = parseStart(content, content.size());
  if (!start)
    return makeFileError(buffer.getBufferIdentifier(),
                         llvm::toString(start.takeError()));
  NdArray array;
  static_cast<ArrayType &>(array) = std::move(start->first);
  content = content.drop_front(start->second);
  array.bytes.assign(content.begin(), content.end());
  return array;
}

llvm::Expected<NdArray> quant_mlir::readNpy(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeFileError(path,
                         "cannot be read: " + buffer.getError().message());
  return parseNpy((*buffer)->getMemBufferRef());
}

//===----------------------------------------------------------------------===//
// Reading by parts
//===----------------------------------------------------------------------===//

struct NpyFile::Impl {
  std::string path;
  ArrayType type;
  uint64_t offset = 0; ///< of the data
  llvm::sys::fs::file_t file = llvm::sys::fs::kInvalidFile;
  std::optional<NdArray> whole; ///< where it is no regular file

  ~Impl() {
    if (file != llvm::sys::fs::kInvalidFile)
      llvm::consumeError(
          llvm::errorCodeToError(llvm::sys::fs::closeFile(file)));
  }
  llvm::Error readBytes(uint64_t from, llvm::MutableArrayRef<char> bytes);
};

llvm::Error NpyFile::Impl::readBytes(uint64_t from,
                                     llvm::MutableArrayRef<char> bytes) {
  while (!bytes.empty()) {
    auto read = llvm::sys::fs::readNativeFileSlice(file, bytes, from);
    if (!read)
      return makeFileError(path, "cannot be read: " +
                                     llvm::toString(read.takeError()));
    if (*read == 0)
      return makeFileError(path, "was cut off while it was read");
    from += *read;
    bytes = bytes.drop_front(*read);
  }
  return llvm::Error::success();
}

NpyFile::NpyFile(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
NpyFile::NpyFile(NpyFile &&) = default;
NpyFile &NpyFile::operator=(NpyFile &&) = default;
NpyFile::~NpyFile() = default;

const std::string &NpyFile::getPath() const { return impl->path; }
const ArrayType &NpyFile::getType() const { return impl->type; }

llvm::Expected<NpyFile> NpyFile::open(llvm::StringRef path) {
  auto impl = std::make_unique<Impl>();
  impl->path = path.str();
  llvm::sys::fs::file_status status;
  if (llvm::sys::fs::status(path, status) ||
      !llvm::sys::fs::is_regular_file(status)) {
    auto array = readNpy(path);
    if (!array)
      return array.takeError();
    impl->type = *array;
    impl->whole = std::move(*array);
    return NpyFile(std::move(impl));
  }
  auto file = llvm::sys::fs::openNativeFileForRead(path);
  if (!file)
    return makeFileError(path,
                         "cannot be read: " + llvm::toString(file.takeError()));
  impl->file = *file;

  uint64_t fileSize = status.getSize();
  std::string start(std::min<uint64_t>(fileSize, 4096), 0);
  if (llvm::Error error = impl->readBytes(0, {start.data(), start.size()}))
    return std::move(error);
  uint64_t size;
  if (start.size() < fileSize && isCutWithinHeader(start, size)) {
    start.resize(std::min(fileSize, size));
    if (llvm::Error error = impl->readBytes(0, {start.data(), start.size()}))
      return std::move(error);
  }
  auto parsed = parseStart(start, fileSize);
  if (!parsed)
    return makeFileError(path, llvm::toString(parsed.takeError()));
  impl->type = std::move(parsed->first);
  impl->offset = parsed->second;
  return NpyFile(std::move(impl));
}

llvm::Error NpyFile::read(int64_t first, int64_t count, NdArray &array) const {
  static_cast<ArrayType &>(array) = impl->type;
  array.shape[0] = count;
  uint64_t entry = byteWidth(array.dtype);
  for (int64_t size : llvm::drop_begin(array.shape))
    entry *= static_cast<uint64_t>(size);
  array.bytes.resize(entry * static_cast<uint64_t>(count));
  uint64_t from = entry * static_cast<uint64_t>(first);
  if (!impl->whole)
    return impl->readBytes(impl->offset + from,
                           {array.bytes.data(), array.bytes.size()});
  std::copy_n(impl->whole->bytes.begin() + from, array.bytes.size(),
              array.bytes.begin());
  return llvm::Error::success();
}

llvm::Error NpyFile::read(NdArray &array) const {
  if (!impl->type.shape.empty())
    return read(0, impl->type.shape[0], array);
  static_cast<ArrayType &>(array) = impl->type;
  array.bytes.resize(byteWidth(array.dtype));
  if (!impl->whole)
    return impl->readBytes(impl->offset,
                           {array.bytes.data(), array.bytes.size()});
  array.bytes = impl->whole->bytes;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

void quant_mlir::writeNpy(llvm::raw_ostream &os, const NdArray &array) {
  std::string header;
  llvm::raw_string_ostream text(header);
  text << "{'descr': '" << descr(array.dtype)
       << "', 'fortran_order': False, 'shape': (";
  llvm::interleave(array.shape, text, ", ");
  text << (array.shape.size() == 1 ? ",), }" : "), }");

  // Data starts at a multiple of 64 bytes, which lets readers map the file.
  size_t fixed = magicSize + 2 + 2;
  bool isLong = header.size() + 64 + fixed > UINT16_MAX;
  if (isLong)
    fixed += 2;
  size_t total = llvm::alignTo(fixed + header.size() + 1, 64);
  header.append(total - fixed - header.size() - 1, ' ');
  header += '\n';

  os.write(npyMagic, magicSize);
  os << (isLong ? '\2' : '\1') << '\0';
  char length[4];
  llvm::support::endian::write32le(length, header.size());
  os.write(length, isLong ? 4 : 2);
  os << header;
  os.write(array.bytes.data(), array.bytes.size());
}

llvm::Error quant_mlir::writeNpy(llvm::StringRef path, const NdArray &array) {
  return writeFileAtomically(
      path, [&](llvm::raw_ostream &os) { writeNpy(os, array); });
}

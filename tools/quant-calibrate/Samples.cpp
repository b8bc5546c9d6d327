//===- Samples.cpp - The data to calibrate on -----------------------------===//

#include "Samples.h"

#include "quant-mlir/Numerics/Tensor.h"
#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace quant_mlir;

llvm::Expected<Samples> Samples::open(const CalibrateOptions &options) {
  Samples samples(options);
  for (const std::string &path : options.inputs) {
    auto file = NpyFile::open(path);
    if (!file)
      return file.takeError();
    const ArrayType &type = file->getType();
    if (type.numElements() == 0)
      return makeFileError(path, "has no samples: it is " + type.describe());
    samples.files.push_back(std::move(*file));
  }
  return samples;
}

static std::string plural(size_t count, llvm::StringRef noun) {
  return (llvm::Twine(count) + " " + noun + (count == 1 ? "" : "s")).str();
}

llvm::Error Samples::cut(const CompiledFunction &function) {
  size_t arguments = function.getArguments().size();
  if (files.size() != arguments)
    return makeFileError(options->model,
                         quoteForMessage(options->entry) + " takes " +
                             plural(arguments, "argument") + ", found " +
                             plural(files.size(), "--input") +
                             "; give one per argument, in order");
  std::vector<ArrayType> types;
  for (const NpyFile &file : files)
    types.push_back(file.getType());
  auto created = BatchPlan::create(function.getArguments(), types,
                                   options->inputs, options->batch);
  if (!created)
    return created.takeError();
  plan = std::move(*created);
  return llvm::Error::success();
}

/// NaN and infinities of an array.
static numerics::NonFinite findNonFinite(const NdArray &array) {
  int64_t count = array.numElements();
  if (array.dtype == DType::Float32)
    return numerics::findNonFinite(
        {array.bytes.data(), numerics::ExpressedType::F32}, count);
  if (array.dtype == DType::Float16)
    return numerics::findNonFinite(
        {array.bytes.data(), numerics::ExpressedType::F16}, count);
  numerics::NonFinite found;
  if (array.dtype != DType::Float64)
    return found;
  for (int64_t i = 0; i < count; ++i)
    if (!std::isfinite(array.asDouble(i)) && found.count++ == 0)
      found.firstIndex = i;
  return found;
}

/// "[3, 0, 1]": where an element is in the whole array.
static std::string formatIndex(const NdArray &array, int64_t index,
                               int64_t firstEntry) {
  llvm::SmallVector<int64_t> indices(array.shape.size());
  for (size_t i = array.shape.size(); i-- > 0;) {
    indices[i] = index % array.shape[i];
    index /= array.shape[i];
  }
  if (!indices.empty())
    indices[0] += firstEntry;
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(indices, os);
  os << ']';
  return text;
}

llvm::Error Samples::read(int64_t batch, std::vector<NdArray> &arrays) const {
  bool isFirst = arrays.empty();
  arrays.resize(files.size());
  for (auto [file, entries, array] : llvm::zip(files, plan.entries, arrays)) {
    if (entries == 0 && !isFirst)
      continue;
    int64_t first = batch * entries;
    if (llvm::Error error =
            entries == 0 ? file.read(array) : file.read(first, entries, array))
      return error;
    if (options->ignoreNonFinite)
      continue;
    numerics::NonFinite found = findNonFinite(array);
    if (found.count != 0)
      return makeFileError(
          file.getPath(), "holds values that are not finite, the first at " +
                              formatIndex(array, found.firstIndex, first) +
                              "; correct the data, or give --nonfinite=ignore");
  }
  return llvm::Error::success();
}

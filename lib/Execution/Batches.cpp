//===- Batches.cpp --------------------------------------------------------===//

#include "quant-mlir/Execution/Batches.h"

#include "Signature.h"

#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/ProgressBar.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>

using namespace quant_mlir;

/// Entries per batch of an array, or 0 where it is one batch as it is.
static llvm::Expected<int64_t> getEntries(const ValueSignature &argument,
                                          const ArrayType &array,
                                          const llvm::Twine &what,
                                          std::optional<int64_t> batch) {
  if (argument.shape.empty() || array.shape.empty())
    return 0;
  bool isDynamic = argument.isDynamic(0);
  int64_t entries = isDynamic ? batch.value_or(0) : argument.shape[0];
  int64_t found = array.shape[0];
  bool divides = isDynamic || found > entries;
  // An array without elements has nothing to cut, whatever its sizes.
  if (entries == 0 || found == entries || !divides || array.numElements() == 0)
    return 0;
  if (found % entries != 0)
    return makeError(
        what + " has " + llvm::Twine(found) +
        " entries, which is no multiple of " + llvm::Twine(entries) +
        (isDynamic ? llvm::Twine(" (--batch)")
                   : ", the leading size of its argument " + argument.type));
  return entries;
}

llvm::Expected<BatchPlan> BatchPlan::create(
    llvm::ArrayRef<ValueSignature> arguments, llvm::ArrayRef<ArrayType> types,
    llvm::ArrayRef<std::string> names, std::optional<int64_t> batch) {
  if (batch && llvm::none_of(arguments, [](const ValueSignature &argument) {
        return !argument.shape.empty() && argument.isDynamic(0);
      }))
    return makeError("--batch has no effect: no argument has a dynamic leading "
                     "dimension");

  BatchPlan plan;
  std::optional<size_t> first;
  for (auto [index, argument] : llvm::enumerate(arguments)) {
    const ArrayType &array = types[index];
    auto entries = getEntries(argument, array, "'" + names[index] + "'", batch);
    if (!entries)
      return entries.takeError();
    // A batch has to fit the argument.
    ArrayType sample = array;
    if (*entries != 0)
      sample.shape[0] = *entries;
    std::string what = "argument " + std::to_string(index);
    if (llvm::Error error = checkArgument(argument, sample, what))
      return makeFileError(names[index], llvm::toString(std::move(error)));
    plan.entries.push_back(*entries);
    if (*entries == 0)
      continue;
    int64_t count = array.shape[0] / *entries;
    if (!first) {
      first = index;
      plan.count = count;
    } else if (count != plan.count) {
      return makeError("'" + names[*first] + "' makes " +
                       llvm::Twine(plan.count) + " batches, '" + names[index] +
                       "' makes " + llvm::Twine(count) +
                       "; expected the same number");
    }
  }
  return plan;
}

llvm::Expected<Batches> Batches::create(
    llvm::ArrayRef<ValueSignature> arguments, llvm::ArrayRef<NdArray> arrays,
    llvm::ArrayRef<std::string> names, std::optional<int64_t> batch) {
  std::vector<ArrayType> types(arrays.begin(), arrays.end());
  auto plan = BatchPlan::create(arguments, types, names, batch);
  if (!plan)
    return plan.takeError();
  Batches batches;
  batches.arrays = arrays;
  batches.plan = std::move(*plan);
  return batches;
}

llvm::ArrayRef<NdArray> Batches::get(int64_t index) {
  if (plan.count == 1)
    return arrays;
  if (current.empty())
    for (auto [array, size] : llvm::zip(arrays, plan.entries)) {
      current.push_back(size == 0 ? array : NdArray());
      if (size == 0)
        continue;
      NdArray &slice = current.back();
      slice.dtype = array.dtype;
      slice.shape = array.shape;
      slice.shape[0] = size;
      slice.bytes.resize(array.bytes.size() / plan.count);
    }
  for (auto [array, size, slice] : llvm::zip(arrays, plan.entries, current))
    if (size != 0 && !slice.bytes.empty())
      std::memcpy(slice.bytes.data(),
                  array.bytes.data() + index * slice.bytes.size(),
                  slice.bytes.size());
  return current;
}

/// Adds a batch's result after those before it.
static llvm::Error append(NdArray &stacked, const NdArray &result,
                          size_t index) {
  llvm::ArrayRef<int64_t> tail(result.shape);
  llvm::ArrayRef<int64_t> stackedTail(stacked.shape);
  int64_t entries = 1;
  if (!tail.empty()) {
    entries = tail.front();
    tail = tail.drop_front();
  }
  if (tail != stackedTail.drop_front())
    return makeError(
        "result " + llvm::Twine(index) + " cannot be stacked: batches gave " +
        formatShape(stacked.shape) + " and " + formatShape(result.shape));
  stacked.shape[0] += entries;
  stacked.bytes.insert(stacked.bytes.end(), result.bytes.begin(),
                       result.bytes.end());
  return llvm::Error::success();
}

llvm::Error quant_mlir::runBatches(CompiledFunction &function, Batches &batches,
                                   llvm::SmallVectorImpl<NdArray> &outputs) {
  if (batches.size() == 1)
    return function.invoke(batches.get(0), outputs);

  ProgressBar progress("running", batches.size());
  llvm::SmallVector<NdArray> results;
  for (int64_t batch = 0; batch < batches.size(); ++batch) {
    if (llvm::Error error = function.invoke(batches.get(batch), results))
      return error;
    if (batch == 0) {
      outputs.assign(std::make_move_iterator(results.begin()),
                     std::make_move_iterator(results.end()));
      for (NdArray &output : outputs)
        if (output.shape.empty())
          output.shape.push_back(1);
    } else {
      for (auto [index, result] : llvm::enumerate(results))
        if (llvm::Error error = append(outputs[index], result, index))
          return error;
    }
    progress.update(batch + 1);
  }
  return llvm::Error::success();
}

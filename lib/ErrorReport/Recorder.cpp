//===- Recorder.cpp - What the taps hand over -----------------------------===//

#include "Recorder.h"

#include "quant-mlir/Support/Errors.h"
#include "quant-mlir/Support/Npy.h"

#include "mlir/ExecutionEngine/CRunnerUtils.h"

using namespace mlir;
using namespace quant_mlir;

static thread_local Recorder *current = nullptr;

//===----------------------------------------------------------------------===//
// From compiled code
//===----------------------------------------------------------------------===//

/// The elements in order: where they lie, or gathered into `buffer`.
static Recorder::Data read(::UnrankedMemRefType<float> *unranked,
                           std::vector<float> &buffer) {
  DynamicMemRefType<float> memref(*unranked);
  Recorder::Data data;
  data.shape.assign(memref.sizes, memref.sizes + memref.rank);
  int64_t count = 1, expected = 1;
  bool isContiguous = true;
  for (int64_t i = memref.rank; i-- > 0;) {
    isContiguous &= memref.sizes[i] == 1 || memref.strides[i] == expected;
    expected *= memref.sizes[i];
    count *= memref.sizes[i];
  }
  const float *first = memref.data + memref.offset;
  if (isContiguous || count == 0) {
    data.values = llvm::ArrayRef<float>(first, count);
    return data;
  }
  buffer.resize(count);
  SmallVector<int64_t> position(memref.rank);
  for (int64_t i = 0; i < count; ++i) {
    int64_t offset = 0;
    for (int64_t d = 0; d < memref.rank; ++d)
      offset += position[d] * memref.strides[d];
    buffer[i] = first[offset];
    for (int64_t d = memref.rank; d-- > 0 && ++position[d] == memref.sizes[d];)
      position[d] = 0;
  }
  data.values = buffer;
  return data;
}

static void tap(int64_t kind, int64_t index, ::UnrankedMemRefType<float> *a,
                ::UnrankedMemRefType<float> *b,
                ::UnrankedMemRefType<float> *c) {
  if (!current)
    return;
  std::vector<float> buffers[3];
  current->record(static_cast<TapKind>(kind), index, read(a, buffers[0]),
                  read(b, buffers[1]), read(c, buffers[2]));
}

std::pair<std::string, void *> Recorder::getTap() {
  return {("_mlir_ciface_" + tapName).str(), reinterpret_cast<void *>(&tap)};
}

RecorderScope::RecorderScope(Recorder &recorder) : recorder(recorder) {
  current = &recorder;
}
RecorderScope::~RecorderScope() {
  current = nullptr;
  recorder.finishBatch();
}

//===----------------------------------------------------------------------===//
// Into the report
//===----------------------------------------------------------------------===//

Recorder::Recorder(const ModelPairs &pairs, ErrorReport &report)
    : pairs(pairs), report(report) {
  for (const ValuePair &pair : pairs.values) {
    OpErrors op;
    op.op = pair.op;
    op.id = pair.id;
    op.kind = pair.kind;
    op.loc = pair.loc;
    op.dtype = pair.dtype;
    op.index = static_cast<int64_t>(report.ops.size());
    QuantizeOp quantize = pair.quantize;
    if (quantize &&
        quantize.getParams().getStorage() != numerics::StorageType::Int32)
      op.codes.emplace(quantize.getParams().getCodeFormat());
    for (WeightPair weight : pair.weights) {
      AffineAttr params = weight.dequantize.getParams();
      op.weights.push_back({std::string(numerics::name(params.getStorage())),
                            ErrorStatistics(),
                            CodeStatistics(params.getCodeFormat())});
    }
    report.ops.push_back(std::move(op));
  }
  for (OpErrors &op : report.ops)
    for (WeightErrors &weight : op.weights)
      weights.push_back(&weight);
}

llvm::Error Recorder::takeError() {
  if (error.empty())
    return llvm::Error::success();
  return makeError(error);
}

void Recorder::checkShapes(StringRef what, const Data &reference,
                           const Data &quantized) {
  if (reference.shape != quantized.shape && error.empty())
    error = ("cannot compare " + what + ": it is " +
             formatShape(quantized.shape) + " in '" + report.model + "' and " +
             formatShape(reference.shape) + " in '" + report.reference + "'")
                .str();
}

void Recorder::recordCodes(int64_t index, const Data &values, const Data &scale,
                           const Data &zeroPoint) {
  QuantizeOp quantize = pairs.values[index].quantize;
  AffineAttr attribute = quantize.getParams();
  numerics::TensorParams params;
  if (attribute.isDynamic()) {
    params.format = attribute.getCodeFormat();
    params.scales.assign(scale.values.begin(), scale.values.end());
    if (quantize.getZeroPoint())
      params.zeroPoints.assign(zeroPoint.values.begin(),
                               zeroPoint.values.end());
  } else {
    params = attribute.getTensorParams();
  }
  // The operation is verified, so that the granularity fits.
  FailureOr<SmallVector<int64_t>> sizes =
      attribute.getGranularity().getBlockSizes(
          values.shape, [&] { return quantize.emitOpError(); });
  if (failed(sizes))
    return;
  numerics::BlockGeometry geometry(
      std::vector<int64_t>(values.shape.begin(), values.shape.end()),
      std::vector<int64_t>(sizes->begin(), sizes->end()));
  report.ops[index].codes->add(params, geometry, values.values.data());
}

void Recorder::recordWeight(int64_t index, const Data &reference,
                            const Data &quantized, const Data &codes) {
  // Constant: the same in every batch.
  if (!isFirst)
    return;
  checkShapes("a weight", reference, quantized);
  if (!error.empty())
    return;
  WeightErrors &weight = *weights[index];
  weight.errors.add(reference.values.data(), quantized.values.data(),
                    quantized.values.data(), reference.values.size());
  const numerics::CodeFormat &format = weight.codes.getFormat();
  numerics::CodeFormat plain = format;
  plain.formulation = numerics::Formulation::ZeroPoint;
  std::vector<uint8_t> bytes;
  bytes.reserve(codes.values.size());
  for (float number : codes.values)
    bytes.push_back(static_cast<uint8_t>(
        numerics::quantize(number, plain, numerics::UnitParams())));
  weight.codes.addCodes(bytes.data(), bytes.size());
}

void Recorder::recordOutput(int64_t index, const Data &reference,
                            const Data &quantized) {
  std::string what = "result " + std::to_string(index);
  checkShapes(what, reference, quantized);
  if (!error.empty())
    return;
  auto it = llvm::find_if(report.outputs, [&](const OutputErrors &output) {
    return output.index == index;
  });
  it->errors.add(reference.values.data(), quantized.values.data(),
                 quantized.values.data(), reference.values.size());
  if (reference.shape.empty() || reference.shape.back() < 2)
    return;
  int64_t row = reference.shape.back();
  auto argmax = [row](const float *values) {
    return std::max_element(values, values + row) - values;
  };
  for (size_t begin = 0; begin < reference.values.size(); begin += row) {
    ++it->rows;
    it->sameArgmax +=
        argmax(&reference.values[begin]) == argmax(&quantized.values[begin]);
  }
}

void Recorder::record(TapKind kind, int64_t index, const Data &a, const Data &b,
                      const Data &c) {
  if (!error.empty())
    return;
  switch (kind) {
  case TapKind::Value: {
    OpErrors &op = report.ops[index];
    checkShapes("'" + op.op + "'", a, b);
    checkShapes("'" + op.op + "'", a, c);
    if (error.empty())
      op.errors.add(a.values.data(), b.values.data(), c.values.data(),
                    a.values.size());
    break;
  }
  case TapKind::Codes:
    return recordCodes(index, a, b, c);
  case TapKind::Weight:
    return recordWeight(index, a, b, c);
  case TapKind::Output:
    return recordOutput(index, a, b);
  }
}

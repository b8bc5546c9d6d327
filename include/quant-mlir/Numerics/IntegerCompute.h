//===- IntegerCompute.h - Arithmetic of the integer form --------*- C++ -*-===//
//
// docs/numerics.md section 6: biases, multipliers, requantization and the proof
// that an int32 accumulator does not overflow. binary32 unless a parameter says
// double; every written operation rounds on its own.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_NUMERICS_INTEGERCOMPUTE_H
#define QUANT_MLIR_NUMERICS_INTEGERCOMPUTE_H

#include "quant-mlir/Numerics/Params.h"

namespace quant_mlir::numerics {

/// R(double(bias) / (double(sx) * double(sw))) as int32; nullopt where it does
/// not fit, so that the caller keeps the bias in f32.
std::optional<int32_t> quantizeBias(float bias, float sx, float sw);

/// m[c] = float32(double(sx) * double(sw) / double(sy)).
float requantMultiplier(float sx, float sw, float sy);
/// float32(double(sx) * double(sw)): the multiplier of a float output.
float outputMultiplier(float sx, float sw);
/// float32(double(bias) / double(sy)): a float bias inside requantization.
float scaledBias(float bias, float sy);
/// ma = float32(double(sa) / double(sy)) of add and residual.
float addMultiplier(float sa, float sy);
/// m = float32(double(sa) * double(sb) / double(sy)) of mul.
float mulMultiplier(float sa, float sb, float sy);

/// clamp(R(float(acc) * m) + z, range).
int32_t requantize(int32_t acc, float m, int32_t z, CodeRange range);
/// clamp(R(float(acc) * m + b) + z, range): with a float bias already divided
/// by sy.
int32_t requantizeWithBias(int32_t acc, float m, float b, int32_t z,
                           CodeRange range);
/// clamp(R(float(acc) * m + float(qr - zr) * mr) + z, range).
int32_t requantizeWithResidual(int32_t acc, float m, int32_t qr, int32_t zr,
                               float mr, int32_t z, CodeRange range);
/// clamp(R(float(qa - za) * ma + float(qb - zb) * mb) + z, range).
int32_t addCodes(int32_t qa, int32_t za, float ma, int32_t qb, int32_t zb,
                 float mb, int32_t z, CodeRange range);
/// clamp(R(float((qa - za) * (qb - zb)) * m) + z, range).
int32_t mulCodes(int32_t qa, int32_t za, int32_t qb, int32_t zb, float m,
                 int32_t z, CodeRange range);
/// clamp(R(float(sum) / float(n)) + z, range); `sum` of (q - z) over the n
/// elements that the window counts.
int32_t averageCodes(int32_t sum, int32_t n, int32_t z, CodeRange range);

/// The code of a clamp's bound folded into the output: z + R(float32(bound /
/// double(sy))), clamped to `range`.
int32_t boundCode(float bound, float sy, int32_t z, CodeRange range);

/// Whether K * max|qx - zx| * max|qw - zw| + |b| < 2^31, and the left-hand side
/// for messages (exact; saturated at 2^63 - 1).
struct AccumulatorProof {
  bool holds;
  int64_t bound;
};
AccumulatorProof proveAccumulator(int64_t reductionSize, int64_t maxAbsX,
                                  int64_t maxAbsW, int64_t maxAbsBias);
/// Largest reduction size for which the proof holds with bias 0.
int64_t maxReductionSize(int64_t maxAbsX, int64_t maxAbsW);
/// max |q - z| over a range in use.
int64_t maxAbsCode(CodeRange range, int32_t zeroPoint);

} // namespace quant_mlir::numerics

#endif // QUANT_MLIR_NUMERICS_INTEGERCOMPUTE_H

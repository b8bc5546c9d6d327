//===- OneDnn.h - oneDNN as a peer ------------------------------*- C++ -*-===//
//
// The library at its best: weights are reordered beforehand into the layout
// that it asks for, primitives and memory are made once, execution alone is
// timed. Convolutions in int8 read and write NHWC, as ours do; those in f32
// have the library's own (blocked) layout for activations too, untimed.
//
// Compiled only where the library is installed (`QUANT_BENCH_ONEDNN`); for the
// interface of versions 2 (Debian 12) and 3.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_BENCHMARKS_ONEDNN_H
#define QUANT_MLIR_BENCHMARKS_ONEDNN_H

#include "Measure.h"
#include "Problem.h"

#include <optional>

namespace quant_mlir::bench {

/// "2.6.3, AVX512_CORE_BF16"; empty where the program is built without it.
std::string getOneDnnVersion();

/// Keeps the library from tile registers (AMX), before anything is made of it.
/// ONEDNN_MAX_CPU_ISA of the environment does the same.
void keepOneDnnFromTiles();

/// `copies` of the weights are used in turn, so that they come from memory.
/// Nothing where the library has no such primitive or is not there; `why` then
/// says so.
std::optional<Subject> makeOneDnn(const Int8Problem &problem, unsigned threads,
                                  unsigned copies, std::string &why);
std::optional<Subject> makeOneDnn(const FloatProblem &problem, unsigned threads,
                                  unsigned copies, std::string &why);
std::optional<Subject> makeOneDnn(const AttentionProblem &problem,
                                  unsigned threads, std::string &why);

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_ONEDNN_H

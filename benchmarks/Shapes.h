//===- Shapes.h - The shapes that are measured ------------------*- C++ -*-===//

#ifndef QUANT_MLIR_BENCHMARKS_SHAPES_H
#define QUANT_MLIR_BENCHMARKS_SHAPES_H

#include "Problem.h"

namespace quant_mlir::bench {

/// M is 1: weights are read from memory.
std::vector<MatmulShape> getVectorShapes();
std::vector<MatmulShape> getMatrixShapes();
/// What sizes of blocks other than 32 are compared by.
MatmulShape getBlockShape();
/// For tests of this program: quick, and not in a run of everything.
MatmulShape getTinyShape();

/// Scores, q k^T, and probabilities times v: of 12 heads of 64 channels, at
/// sequence lengths 128 and 384 (BERT base), and of a ragged one.
std::vector<AttentionShape> getAttentionShapes();

/// Feature maps of MobileNet v3, and a transformer's hidden layer.
struct ActivationShape {
  Activation activation;
  std::vector<int64_t> shape;
  std::string str() const;
};
std::vector<ActivationShape> getActivationShapes();

/// The convolutions of ResNet-50 (v1.5: the 3x3 ones have the strides) at batch
/// 1, each shape once; the 7x7 layer of 3 channels comes first.
std::vector<ConvShape> getResNetShapes();
/// The depthwise convolutions of MobileNet v1 at 224: 3x3, padded as
/// TensorFlow's SAME.
std::vector<ConvShape> getDepthwiseShapes();

} // namespace quant_mlir::bench

#endif // QUANT_MLIR_BENCHMARKS_SHAPES_H

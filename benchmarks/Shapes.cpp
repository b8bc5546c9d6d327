//===- Shapes.cpp - The shapes that are measured --------------------------===//

#include "Shapes.h"

using namespace quant_mlir::bench;

// M x N x K.
std::vector<MatmulShape> quant_mlir::bench::getVectorShapes() {
  return {{1, 4096, 4096}, {1, 4096, 14336}};
}
std::vector<MatmulShape> quant_mlir::bench::getMatrixShapes() {
  return {{16, 4096, 4096},  {128, 768, 768},    {128, 3072, 768},
          {384, 1024, 1024}, {1024, 1024, 1024}, {97, 333, 517}};
}
MatmulShape quant_mlir::bench::getBlockShape() { return {128, 768, 768}; }
MatmulShape quant_mlir::bench::getTinyShape() { return {3, 17, 19}; }

std::vector<AttentionShape> quant_mlir::bench::getAttentionShapes() {
  std::vector<AttentionShape> shapes;
  for (int64_t length : {128, 384, 197}) {
    shapes.push_back({12, {length, length, 64}, /*isTransposed=*/true});
    shapes.push_back({12, {length, 64, length}, /*isTransposed=*/false});
  }
  return shapes;
}

std::string ActivationShape::str() const {
  std::string text;
  for (int64_t size : shape)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::vector<ActivationShape> quant_mlir::bench::getActivationShapes() {
  return {{Activation::HardSwish, {1, 56, 56, 120}},
          {Activation::Sigmoid, {1, 56, 56, 120}},
          {Activation::Gelu, {384, 3072}}};
}

std::vector<ConvShape> quant_mlir::bench::getResNetShapes() {
  std::vector<ConvShape> shapes;
  auto add = [&](int64_t size, int64_t in, int64_t out, int64_t kernel,
                 int64_t stride) {
    std::string name = std::to_string(size) + "x" + std::to_string(size) + "x" +
                       std::to_string(in) + "->" + std::to_string(out) + " " +
                       std::to_string(kernel) + "x" + std::to_string(kernel) +
                       (stride > 1 ? " /" + std::to_string(stride) : "");
    int64_t padding = kernel / 2;
    shapes.push_back({name, size, size, in, out, kernel, stride, padding,
                      padding, /*depthwise=*/false});
  };
  add(224, 3, 64, 7, 2);
  int64_t size = 56, in = 64;
  for (int64_t width : {64, 128, 256, 512}) {
    int64_t stride = width == 64 ? 1 : 2;
    // First block: the input is wider, or larger, than those of the others.
    add(size, in, width, 1, 1);
    add(size, width, width, 3, stride);
    if (in != 64)
      add(size, in, 4 * width, 1, stride);
    size /= stride;
    add(size, width, 4 * width, 1, 1);
    // The other blocks.
    add(size, 4 * width, width, 1, 1);
    if (stride != 1)
      add(size, width, width, 3, 1);
    in = 4 * width;
  }
  return shapes;
}

std::vector<ConvShape> quant_mlir::bench::getDepthwiseShapes() {
  std::vector<ConvShape> shapes;
  auto add = [&](int64_t size, int64_t channels, int64_t stride) {
    std::string name = std::to_string(size) + "x" + std::to_string(size) + "x" +
                       std::to_string(channels) +
                       (stride > 1 ? " /" + std::to_string(stride) : "");
    shapes.push_back({name, size, size, channels, channels, 3, stride,
                      stride == 1 ? 1 : 0, 1, /*depthwise=*/true});
  };
  add(112, 32, 1);
  add(112, 64, 2);
  add(56, 128, 1);
  add(56, 128, 2);
  add(28, 256, 1);
  add(28, 256, 2);
  add(14, 512, 1);
  add(14, 512, 2);
  add(7, 1024, 1);
  return shapes;
}

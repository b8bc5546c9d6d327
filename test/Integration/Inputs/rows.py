"""rows.py MODEL INPUTS: a perceptron of two layers over any number of rows, and a
convolution over a batch, whose rows differ by orders of magnitude."""
import sys

import numpy as np

random = np.random.default_rng(5)


def constant(name, shape):
  value = (random.standard_normal(shape) * random.uniform(0.2, 2, shape[-1:])).astype(np.float32)
  return '  %%%s = arith.constant dense<"0x%s"> : tensor<%sxf32>' % (
      name, value.tobytes().hex().upper(), "x".join(map(str, shape)))


TEXT = """#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
func.func @main(%%x: tensor<?x5x7x3xf32>) -> tensor<?x9xf32> {
%s
  %%zero = arith.constant 0.0 : f32
  %%c0 = arith.constant 0 : index
  %%n = tensor.dim %%x, %%c0 : tensor<?x5x7x3xf32>
  %%e0 = tensor.empty(%%n) : tensor<?x3x5x6xf32>
  %%i0 = linalg.fill ins(%%zero : f32) outs(%%e0 : tensor<?x3x5x6xf32>) -> tensor<?x3x5x6xf32>
  %%y0 = linalg.conv_2d_nhwc_hwcf ins(%%x, %%w0 : tensor<?x5x7x3xf32>, tensor<3x3x3x6xf32>) outs(%%i0 : tensor<?x3x5x6xf32>) -> tensor<?x3x5x6xf32>
  %%f = tensor.collapse_shape %%y0 [[0], [1, 2, 3]] : tensor<?x3x5x6xf32> into tensor<?x90xf32>
  %%e1 = tensor.empty(%%n) : tensor<?x33xf32>
  %%i1 = linalg.fill ins(%%zero : f32) outs(%%e1 : tensor<?x33xf32>) -> tensor<?x33xf32>
  %%y1 = linalg.matmul ins(%%f, %%w1 : tensor<?x90xf32>, tensor<90x33xf32>) outs(%%i1 : tensor<?x33xf32>) -> tensor<?x33xf32>
  %%r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%%y1 : tensor<?x33xf32>) outs(%%e1 : tensor<?x33xf32>) {
  ^bb0(%%in: f32, %%out: f32):
    %%m = arith.maximumf %%in, %%zero : f32
    linalg.yield %%m : f32
  } -> tensor<?x33xf32>
  %%e2 = tensor.empty(%%n) : tensor<?x9xf32>
  %%i2 = linalg.fill ins(%%zero : f32) outs(%%e2 : tensor<?x9xf32>) -> tensor<?x9xf32>
  %%y2 = linalg.matmul ins(%%r, %%w2 : tensor<?x33xf32>, tensor<33x9xf32>) outs(%%i2 : tensor<?x9xf32>) -> tensor<?x9xf32>
  return %%y2 : tensor<?x9xf32>
}
"""

with open(sys.argv[1], "w") as f:
  f.write(TEXT % "\n".join([constant("w0", (3, 3, 3, 6)), constant("w1", (90, 33)),
                            constant("w2", (33, 9))]))
x = random.standard_normal((8, 5, 7, 3)) * np.exp(random.uniform(-3, 3, (8, 1, 1, 1)))
np.save(sys.argv[2], x.astype(np.float32))

"""quantized_form.py FOLDER ORACLE: runs models in the quantized form before and after
quant-simplify-quantized-form, which have to agree bit for bit, and computes them with
numpy and the oracle's quantization. Prints a line for each, and a count.

moves    pad (of a maximum, of zeros), max pool, concat, transpose, reshape, slice,
         minimum: exact
network  convolution with bias, relu, max pool, fully connected layer with bias, by
         all passes of level 1: codes of the output within one
"""
import os
import subprocess
import sys

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

folder = sys.argv[1]
sys.path.insert(0, sys.argv[2])
import quantize  # noqa: E402: the oracle's

os.makedirs(folder, exist_ok=True)
random = np.random.default_rng(5)
counts = {True: 0, False: 0}
LEVEL1 = "quant-simplify-quantized-form,quant-verify-quantized-form"

MOVES = """
func.func @main(%x: tensor<2x6x6x3xf32>, %y: tensor<2x4x4x2xf32>) -> (tensor<2x5x24xf32>, tensor<2x5xf32>) {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant -3.40282347E+38 : f32
  %highest = arith.constant 0x7F800000 : f32
  %qx = quant.quantize %x P : tensor<2x6x6x3xf32> -> tensor<2x6x6x3xT>
  %dx = quant.dequantize %qx P : tensor<2x6x6x3xT> -> tensor<2x6x6x3xf32>
  %qy = quant.quantize %y P : tensor<2x4x4x2xf32> -> tensor<2x4x4x2xT>
  %dy = quant.dequantize %qy P : tensor<2x4x4x2xT> -> tensor<2x4x4x2xf32>
  %p = tensor.pad %dx low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %lowest : f32
  } : tensor<2x6x6x3xf32> to tensor<2x8x8x3xf32>
  %w = tensor.empty() : tensor<3x3xf32>
  %me = tensor.empty() : tensor<2x3x3x3xf32>
  %mi = linalg.fill ins(%lowest : f32) outs(%me : tensor<2x3x3x3xf32>) -> tensor<2x3x3x3xf32>
  %m = linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%p, %w : tensor<2x8x8x3xf32>, tensor<3x3xf32>) outs(%mi : tensor<2x3x3x3xf32>) -> tensor<2x3x3x3xf32>
  %pz = tensor.pad %m low[0, 1, 0, 0] high[0, 0, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<2x3x3x3xf32> to tensor<2x4x4x3xf32>
  %k = tensor.concat dim(3) %pz, %dy : (tensor<2x4x4x3xf32>, tensor<2x4x4x2xf32>) -> tensor<2x4x4x5xf32>
  %te = tensor.empty() : tensor<2x5x4x4xf32>
  %t = linalg.transpose ins(%k : tensor<2x4x4x5xf32>) outs(%te : tensor<2x5x4x4xf32>) permutation = [0, 3, 1, 2]
  %r = tensor.collapse_shape %t [[0], [1], [2, 3]] : tensor<2x5x4x4xf32> into tensor<2x5x16xf32>
  %s = tensor.extract_slice %r[0, 0, 4] [2, 5, 8] [1, 1, 1] : tensor<2x5x16xf32> to tensor<2x5x8xf32>
  %u = tensor.concat dim(2) %r, %s : (tensor<2x5x16xf32>, tensor<2x5x8xf32>) -> tensor<2x5x24xf32>
  %ne = tensor.empty() : tensor<2x5xf32>
  %ni = linalg.fill ins(%highest : f32) outs(%ne : tensor<2x5xf32>) -> tensor<2x5xf32>
  %n = linalg.reduce { arith.minimumf } ins(%s : tensor<2x5x8xf32>) outs(%ni : tensor<2x5xf32>) dimensions = [2]
  return %u, %n : tensor<2x5x24xf32>, tensor<2x5xf32>
}
"""

NETWORK = """
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
#id4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
func.func @main(%x: tensor<2x8x8x3xf32>) -> tensor<2x5xf32> {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant -3.40282347E+38 : f32
  %qx = quant.quantize %x PX : tensor<2x8x8x3xf32> -> tensor<2x8x8x3xi8>
  %dx = quant.dequantize %qx PX : tensor<2x8x8x3xi8> -> tensor<2x8x8x3xf32>
  %p = tensor.pad %dx low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<2x8x8x3xf32> to tensor<2x10x10x3xf32>
  %w1 = arith.constant W1 : tensor<3x3x3x4xf32>
  %b1 = arith.constant B1 : tensor<4xf32>
  %ce = tensor.empty() : tensor<2x8x8x4xf32>
  %ci = linalg.broadcast ins(%b1 : tensor<4xf32>) outs(%ce : tensor<2x8x8x4xf32>) dimensions = [0, 1, 2]
  %c1 = linalg.conv_2d_nhwc_hwcf ins(%p, %w1 : tensor<2x10x10x3xf32>, tensor<3x3x3x4xf32>) outs(%ci : tensor<2x8x8x4xf32>) -> tensor<2x8x8x4xf32>
  %relu = linalg.generic {indexing_maps = [#id4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c1 : tensor<2x8x8x4xf32>) outs(%ce : tensor<2x8x8x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %v = arith.maximumf %in, %zero : f32
    linalg.yield %v : f32
  } -> tensor<2x8x8x4xf32>
  %q1 = quant.quantize %relu P1 {quant.name = "conv.out0"} : tensor<2x8x8x4xf32> -> tensor<2x8x8x4xi8>
  %d1 = quant.dequantize %q1 P1 : tensor<2x8x8x4xi8> -> tensor<2x8x8x4xf32>
  %w = tensor.empty() : tensor<2x2xf32>
  %me = tensor.empty() : tensor<2x4x4x4xf32>
  %mi = linalg.fill ins(%lowest : f32) outs(%me : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %m = linalg.pooling_nhwc_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%d1, %w : tensor<2x8x8x4xf32>, tensor<2x2xf32>) outs(%mi : tensor<2x4x4x4xf32>) -> tensor<2x4x4x4xf32>
  %q2 = quant.quantize %m P1 {quant.name = "pool.out0"} : tensor<2x4x4x4xf32> -> tensor<2x4x4x4xi8>
  %d2 = quant.dequantize %q2 P1 : tensor<2x4x4x4xi8> -> tensor<2x4x4x4xf32>
  %f = tensor.collapse_shape %d2 [[0], [1, 2, 3]] : tensor<2x4x4x4xf32> into tensor<2x64xf32>
  %w2 = arith.constant W2 : tensor<64x5xf32>
  %b2 = arith.constant B2 : tensor<5xf32>
  %ge = tensor.empty() : tensor<2x5xf32>
  %gi = linalg.fill ins(%zero : f32) outs(%ge : tensor<2x5xf32>) -> tensor<2x5xf32>
  %g = linalg.matmul ins(%f, %w2 : tensor<2x64xf32>, tensor<64x5xf32>) outs(%gi : tensor<2x5xf32>) -> tensor<2x5xf32>
  %h = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %b2 : tensor<2x5xf32>, tensor<5xf32>) outs(%ge : tensor<2x5xf32>) {
  ^bb0(%in: f32, %b: f32, %out: f32):
    %v = arith.addf %in, %b : f32
    linalg.yield %v : f32
  } -> tensor<2x5xf32>
  %q3 = quant.quantize %h P2 {quant.name = "fc.out0"} : tensor<2x5xf32> -> tensor<2x5xi8>
  %d3 = quant.dequantize %q3 P2 : tensor<2x5xi8> -> tensor<2x5xf32>
  return %d3 : tensor<2x5xf32>
}
"""


def make(dtype, scale, zero_point, rank):
  """Parameters for a tensor, and their text."""
  text = "<%s, per_tensor, scale = %s%s>" % (
      dtype, repr(scale), "" if zero_point is None else ", zero_point = %d" % zero_point)
  if dtype in quantize.INT_RANGES:
    lo, hi = quantize.INT_RANGES[dtype]
  else:
    hi = {"float8_e4m3fn": 448.0, "float8_e5m2": 57344.0}[dtype]
    lo = -hi
  zero = None
  if dtype in quantize.INT_RANGES:
    zero = np.full([1] * rank, zero_point or 0, np.int64)
  return text, quantize.Params(dtype, lo, hi, [-1] * rank,
                               np.full([1] * rank, scale, np.float32), zero)


def fake(x, p):
  return quantize.dequantize(quantize.apply(x, p), p)


def run(name, text, passes, inputs, outputs):
  path = os.path.join(folder, name)
  with open(path + ".mlir", "w") as f:
    f.write(text)
  if passes:
    subprocess.run(["quant-opt", path + ".mlir", "-o", path + ".mlir",
                    "--pass-pipeline=builtin.module(%s)" % passes], check=True)
  files = ["%s.out%d.npy" % (path, i) for i in range(outputs)]
  args = []
  for i, x in enumerate(inputs):
    np.save("%s.in%d.npy" % (path, i), x)
    args.append("--input=%s.in%d.npy" % (path, i))
  subprocess.run(["quant-run", path + ".mlir"] + args + ["--output=" + f for f in files],
                 check=True)
  return [np.load(f) for f in files], open(path + ".mlir").read()


def report(name, good):
  counts[bool(good)] += 1
  print("%-50s %s" % (name, "agrees" if good else "FAILED"))


def same(a, b):
  return all(x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in zip(a, b))


def max_pool(x, size, stride):
  windows = sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]
  return windows.max(axis=(-1, -2))


def check_moves(storage, dtype, zero_point):
  text, p = make(dtype, 0.05, zero_point, 4)
  x = random.normal(0, 4, (2, 6, 6, 3)).astype(np.float32)
  y = random.normal(0, 4, (2, 4, 4, 2)).astype(np.float32)
  x.flat[:3] = np.nan, np.inf, -np.inf
  module = MOVES.replace(" P :", " %s :" % text).replace("xT>", "x%s>" % storage)
  before, _ = run("moves_%s" % dtype, module, "", [x, y], 2)
  after, simple = run("moves_%s_simple" % dtype, module, LEVEL1, [x, y], 2)
  dx, dy = fake(x, p), fake(y, p)
  pad = [(0, 0), (1, 1), (1, 1), (0, 0)]
  pool = max_pool(np.pad(dx, pad, constant_values=-np.inf), 3, 2)
  wide = np.pad(pool, [(0, 0), (1, 0), (0, 1), (0, 0)])
  joined = np.concatenate([wide, dy], axis=3).transpose(0, 3, 1, 2).reshape(2, 5, 16)
  cut = joined[:, :, 4:12]
  expected = [np.concatenate([joined, cut], axis=2), cut.min(axis=2)]
  report("moves, %s, before and after" % dtype, same(before, after))
  report("moves, %s, numpy" % dtype, same(expected, after))
  # All of them are on codes: floats come in and go out.
  report("moves, %s, on codes" % dtype,
         not [line for line in simple.splitlines() if "xf32>" in line and not any(
             word in line for word in ("func", "return", "quant.", "tensor<3x3xf32>"))])


def dense(a):
  return "dense<%s>" % np.array2string(
      a, separator=",", threshold=10**6, max_line_width=10**9,
      formatter={"float": lambda v: "%.9e" % v}).replace("\n", "")


def check_network(dtype, weights):
  zero = {"int8": -3, "uint8": 131}[dtype]
  low = quantize.INT_RANGES[dtype][0]
  texts, p = zip(make(dtype, 0.05, zero, 4), make(dtype, 0.031, low, 4),
                 make(dtype, 0.11, zero, 2))
  x = random.normal(0, 2, (2, 8, 8, 3)).astype(np.float32)
  w1 = random.normal(0, 0.4, (3, 3, 3, 4)).astype(np.float32)
  w2 = random.normal(0, 0.2, (64, 5)).astype(np.float32)
  b1 = random.normal(0, 1, 4).astype(np.float32)
  b2 = random.normal(0, 1, 5).astype(np.float32)
  module = NETWORK
  for key, value in (("PX", texts[0]), ("P1", texts[1]), ("P2", texts[2])):
    module = module.replace(" %s " % key, " %s " % value)
  for key, value in (("W1", w1), ("B1", b1), ("W2", w2), ("B2", b2)):
    module = module.replace(" %s :" % key, " %s :" % dense(value))
  first = "quant-quantize-weights{dtype=%s weight-threshold=0}" % weights
  name = "network_%s_%s" % (dtype, weights)
  plain, _ = run(name, module, first + ",quant-quantize-biases", [x], 1)
  level1, simple = run(name + "_level1", module, ",".join((
      first, "quant-simplify-quantized-form", "quant-quantize-biases",
      "quant-verify-quantized-form")), [x], 1)
  report("network, %s, %s weights, before and after" % (dtype, weights),
         same(plain, level1))
  report("network, %s, %s weights, int32 biases" % (dtype, weights),
         simple.count("<int32, per_channel<[0]>") == 2)

  q1 = quantize.quantize(w1, weights, block_sizes=[-1, -1, -1, 1])
  q2 = quantize.quantize(w2, weights, block_sizes=[-1, 1])
  def bias(b, sx, q):
    scale = np.float64(np.float32(sx)) * q.scale.ravel().astype(np.float64)
    return quantize.quantize_bias(b, np.float32(sx), q.scale.ravel()) * scale
  padded = np.pad(fake(x, p[0]), [(0, 0), (1, 1), (1, 1), (0, 0)]).astype(np.float64)
  windows = sliding_window_view(padded, (3, 3), axis=(1, 2))
  conv = np.einsum("nhwcij,ijcf->nhwf", windows, q1.dequantized.astype(np.float64))
  conv = np.maximum(conv + bias(b1, 0.05, q1), 0)
  pool = max_pool(fake(conv, p[1]), 2, 2)
  out = pool.reshape(2, 64).astype(np.float64) @ q2.dequantized.astype(np.float64)
  expected = fake(out + bias(b2, 0.031, q2), p[2])
  steps = np.abs(level1[0] - expected) / 0.11
  report("network, %s, %s weights, numpy" % (dtype, weights),
         steps.max() < 1.01 and (steps > 0.5).mean() < 0.2)


for storage, dtype, zero_point in (
    ("i8", "int8", -3), ("i8", "uint8", 130), ("i4", "int4", 2), ("i4", "uint4", 9),
    ("i2", "int2", None), ("f8E4M3FN", "float8_e4m3fn", None),
    ("f8E5M2", "float8_e5m2", None)):
  check_moves(storage, dtype, zero_point)
for dtype in "int8", "uint8":
  for weights in "int8", "int4":
    check_network(dtype, weights)
print("%d agree, %d fail" % (counts[True], counts[False]))

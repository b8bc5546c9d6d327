#!/usr/bin/env python3
"""Tests of the oracle itself: run directly, or with
`python3 -m unittest discover -s test/oracle`.

Modules are given in generic form, so that most tests need no mlir-opt; those that
do are skipped where there is none."""

import os
import sys
import unittest

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dynamic
import calibrate
import evaluate
import integer_ops
import mlir_text
import npycmp
import ops
import quantize as qz
import simulate

DIGITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                      "examples", "digits")


def have_mlir_opt():
  try:
    return bool(evaluate.find_mlir_opt())
  except evaluate.EvaluationError:
    return False


class Calibration(unittest.TestCase):

  def test_histogram(self):
    h = calibrate.Histogram([-1.0, 3.0, 3.0])
    self.assertEqual((h.width_log2, h.first, len(h.counts)), (-8, -256, 1025))
    self.assertEqual((h.counts[0], h.counts[-1], h.counts.sum()), (1, 2, 3))
    self.assertEqual(h.ends(), (-1, 3 + 2**-8))
    h = calibrate.Histogram([0.0])
    self.assertEqual((h.width_log2, h.first, list(h.counts)), (-149, 0, [1]))
    # 2048 bins are enough up to, not including, 2048 of them.
    self.assertEqual(calibrate.Histogram([2047.9]).width_log2, 0)
    self.assertEqual(calibrate.Histogram([2048.0]).width_log2, 1)

  def test_percentile(self):
    h = calibrate.Histogram((np.arange(4096) + 0.5) / 4096)
    low, high = calibrate.percentile(h, 75)
    self.assertEqual((low, high), (0, np.float32(0.75)))

  def test_moving_average(self):
    low, high = calibrate.moving_average(
        [np.float32([1, 2]), np.float32([]), np.float32([-1, 4])])
    self.assertAlmostEqual(float(low), -0.01, places=8)
    self.assertAlmostEqual(float(high), 2.02, places=6)

  def test_clipping_costs(self):
    # Fewer values than codes: nothing is gained by clipping.
    h = calibrate.Histogram([])
    h.width_log2, h.first = 0, -100
    h.counts = np.ones(201, int)
    ranges = calibrate.candidates(h, "symmetric")
    self.assertEqual(len(ranges), 2048)
    self.assertEqual(tuple(ranges[0]), (-100, 101))
    errors = calibrate.square_errors(h, ranges[::64], "int8", "symmetric")
    self.assertTrue(np.all(np.diff(errors[4:]) > 0))
    self.assertEqual(
        calibrate.divergences(h, ranges[:1], "int8", "symmetric")[0], 0)


class SmallFloats(unittest.TestCase):

  def test_tables(self):
    e4m3 = qz.float_table("float8_e4m3fn")
    self.assertEqual((e4m3[0x7E], e4m3[0x01], e4m3[0x38]), (448, 2**-9, 1))
    self.assertTrue(np.isnan(e4m3[0x7F]) and np.isnan(e4m3[0xFF]))
    e5m2 = qz.float_table("float8_e5m2")
    self.assertEqual((e5m2[0x7B], e5m2[0x7C], e5m2[0x01]),
                     (57344, np.inf, 2**-16))
    self.assertEqual(list(qz.float_table("float4_e2m1fn")[:8]),
                     [0, .5, 1, 1.5, 2, 3, 4, 6])

  def test_encode_inverts_decode(self):
    for name in qz.FLOAT_FORMATS:
      table = qz.float_table(name)
      codes = np.flatnonzero(np.isfinite(table))
      np.testing.assert_array_equal(qz.float_encode(table[codes], name), codes)

  def test_ties_to_even(self):
    x = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, -0.25, -5.0, 0.26]
    np.testing.assert_array_equal(
        qz.float_decode(qz.float_encode(x, "float4_e2m1fn"), "float4_e2m1fn"),
        [0, 1, 1, 2, 2, 4, 4, -0.0, -4, 0.5])

  def test_e5m2_is_the_upper_byte_of_f16(self):
    x = np.random.RandomState(0).randn(4096).astype(np.float16)
    bits = x.view(np.uint16).astype(np.uint32)
    rounded = (bits + 0x7F + ((bits >> 8) & 1)) >> 8
    np.testing.assert_array_equal(qz.float_encode(x, "float8_e5m2"), rounded)

  def test_conversion_out_of_range(self):
    np.testing.assert_array_equal(
        ops.round_small([464., 465., -1e9, np.nan], "f8E4M3FN"),
        [448, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(
        ops.round_small([61439., 61440., -1e9], "f8E5M2"),
        [57344, np.inf, -np.inf])
    np.testing.assert_array_equal(ops.round_small([7., -99], "f4E2M1FN"), [6, -6])

  def test_bf16(self):
    x = np.array([1.00390625, 1.01171875, 1.005, -0.0, 3.4e38, np.inf, np.nan],
                 np.float32)
    np.testing.assert_array_equal(
        qz.round_bf16(x).view(np.uint32) >> 16,
        [0x3F80, 0x3F82, 0x3F81, 0x8000, 0x7F80, 0x7F80, 0x7FC0])


class Quantize(unittest.TestCase):

  def test_schemes_int8(self):
    x = np.array([-1.0, 0.25, 2.0], np.float32)
    r = qz.quantize(x, "int8")
    self.assertEqual(r.scale[0], np.float32(2) / np.float32(127.5))
    np.testing.assert_array_equal(r.codes, [-64, 16, 127])  # 127.5 clamps
    r = qz.quantize(x, "int8", "symmetric_with_clipping")
    self.assertEqual(r.scale[0], np.float32(2) / np.float32(127))
    self.assertEqual(r.params.quant_min, -127)
    np.testing.assert_array_equal(r.codes, [-64, 16, 127])
    r = qz.quantize(x, "int8", "asymmetric")
    self.assertEqual(r.scale[0], np.float32(3) / np.float32(255))
    self.assertEqual(r.zero_point[0], -43)
    np.testing.assert_array_equal(r.codes, [-128, -22, 127])
    r = qz.quantize(x, "uint4")
    self.assertEqual(r.zero_point[0], 8)
    np.testing.assert_array_equal(r.codes, [4, 9, 15])

  def test_asymmetric_zero_point_of_one_sided_ranges(self):
    self.assertEqual(qz.quantize([1., 2.], "uint8", "asymmetric").zero_point, 0)
    self.assertEqual(qz.quantize([-1., -2.], "int8", "asymmetric").zero_point,
                     127)

  def test_minval(self):
    x = np.array([-1.0, 0.5, 2.0], np.float32)
    r = qz.quantize(x, "uint4", "asymmetric", "minval")
    self.assertEqual((r.minval[0], r.scale[0]), (-1, np.float32(3) / np.float32(15)))
    np.testing.assert_array_equal(r.codes, [0, 8, 15])  # 7.5 to even
    r = qz.quantize(x, "int4", "symmetric_with_clipping", "minval")
    self.assertEqual((r.minval[0], r.params.quant_min), (-2, -7))

  def test_scale_is_stored_before_the_data(self):
    x = np.array([0.1, -0.3, 0.7], np.float32)
    r = qz.quantize(x, "int8", scale_dtype="f16")
    scale = np.float32(np.float16(np.float32(.7) / np.float32(127.5)))
    self.assertEqual(r.scale[0], scale)
    np.testing.assert_array_equal(
        r.codes, np.clip(np.rint(x / scale), -128, 127))

  def test_zero_tensor_takes_eps(self):
    r = qz.quantize(np.zeros(4, np.float32), "int8")
    self.assertEqual(r.scale[0], 2.0**-23)
    self.assertFalse(r.dequantized.any())

  def test_mx_scale(self):
    for amax, exponent in ((6.0, 0), (7.9, 0), (8.0, 1), (3.99, -1), (0, -126),
                           (1e-45, -126)):
      r = qz.quantize(np.array([amax, 0], np.float32), "float4_e2m1fn",
                      block_sizes=[32], scale_dtype="f8E8M0FNU")
      self.assertEqual(r.scale[0], 2.0**exponent)
      self.assertEqual(qz.e8m0_bits(r.scale)[0], exponent + 127)

  def test_mx_scale_of_negative_zeros(self):
    r = qz.quantize(np.full(32, -0.0, np.float32), "float4_e2m1fn",
                    block_sizes=[32], scale_dtype="f8E8M0FNU")
    self.assertEqual(r.scale[0], 2.0**-126)

  def test_blocks_with_a_ragged_end(self):
    x = np.random.RandomState(1).randn(70, 3).astype(np.float32)
    r = qz.quantize(x, "int4", "asymmetric", block_sizes=[32, 1])
    self.assertEqual(r.scale.shape, (3, 3))
    for start in (0, 32, 64):
      part = qz.quantize(x[start:start + 32], "int4", "asymmetric",
                         block_sizes=[-1, 1])
      np.testing.assert_array_equal(r.codes[start:start + 32], part.codes)
      np.testing.assert_array_equal(r.dequantized[start:start + 32],
                                    part.dequantized)

  def test_codes_survive_a_round_trip(self):
    x = np.random.RandomState(2).randn(6, 64).astype(np.float32)
    for dtype in list(qz.INT_RANGES) + list(qz.FLOAT_FORMATS):
      scale = "f8E8M0FNU" if dtype == "float4_e2m1fn" else "f16"
      r = qz.quantize(x, dtype, block_sizes=[1, 32], scale_dtype=scale)
      np.testing.assert_array_equal(qz.apply(r.dequantized, r.params), r.codes)

  def test_run_time_values(self):
    p = qz.quantize(np.array([-1., 1.]), "int8", "asymmetric").params
    p.block_sizes = [-1]
    np.testing.assert_array_equal(
        qz.apply(np.array([np.inf, -np.inf, np.nan]), p),
        [127, -128, p.zero_point[0]])

  def test_errors(self):
    for args in (dict(dtype="int8", scale_dtype="f8E8M0FNU"),
                 dict(dtype="float8_e5m2", qscheme="asymmetric"),
                 dict(dtype="float4_e2m1fn"),
                 dict(dtype="int8", float_range=(0.5, None)), dict(dtype="int5")):
      with self.assertRaises(qz.QuantError):
        qz.quantize(np.ones(4), **args)
    for bad in (np.nan, np.inf):
      with self.assertRaisesRegex(qz.QuantError, "first at 2"):
        qz.quantize(np.array([0, 1, bad]), "int8")
    with self.assertRaisesRegex(qz.QuantError, "scale is not finite"):
      qz.quantize(np.array([3e38, -3e38]), "int8", "asymmetric")

  def test_block_sizes(self):
    sizes = qz.block_sizes_for
    self.assertEqual(sizes([3, 3, 64, 8], "per_channel", [3]), [3, 3, 64, 1])
    self.assertEqual(sizes([3, 3, 64, 8], "per_block", [-1], [2], [32]),
                     [3, 3, 32, 1])
    self.assertEqual(sizes([16, 8], "per_block", [1], [0], 32), [16, 1])
    self.assertEqual(sizes([16, 8], "per_block", size=[-1, 4]), [16, 4])


# MLIR text ------------------------------------------------------------------------


def module(inputs, body, results, loops=""):
  """A generic-form module around a body; `inputs` are argument types."""
  arguments = ", ".join("%%arg%d: %s" % (i, t) for i, t in enumerate(inputs))
  return mlir_text.parse('''%s
"builtin.module"() ({
  "func.func"() <{function_type = (%s) -> (%s), sym_name = "main"}> ({
  ^bb0(%s):
%s
  }) : () -> () loc(#loc1)
}) : () -> ()
#loc1 = loc("x.mlir":1:2)
#loc2 = loc("conv")
''' % (loops, ", ".join(inputs), results, arguments, body))


def generic(ins, outs, maps, iterators, block, types, attributes=""):
  return '''"linalg.generic"(%s) <{indexing_maps = [%s], iterator_types = [%s],
      operandSegmentSizes = array<i32: %d, %d>}> ({
%s
    }) : %s loc(#loc2)''' % (
      ", ".join(ins + outs), ", ".join("affine_map<%s>" % m for m in maps),
      ", ".join("#linalg.iterator_type<%s>" % i for i in iterators), len(ins),
      len(outs), block, types)


P, R = "parallel", "reduction"
MULADD = '''^bb0(%a: f32, %b: f32, %o: f32):
      %m = "arith.mulf"(%a, %b) : (f32, f32) -> f32
      %s = "arith.addf"(%o, %m) : (f32, f32) -> f32
      "linalg.yield"(%s) : (f32) -> ()'''


def contraction(x, w, out, maps, iterators):
  text = "    %r = " + generic(["%arg0", "%arg1"], ["%arg2"], maps, iterators,
                               MULADD, "(%s, %s, %s) -> %s" % (x, w, out, out))
  return module([x, w, out], text + '\n    "func.return"(%%r) : (%s) -> ()' % out,
                out)


def first_generic(parsed):
  return [op for top in parsed for op in top.walk()
          if op.name == "linalg.generic"][0]


CONV_LOOPS = "(n, h, w, f, i, j, c) -> "
CONV = contraction(
    "tensor<1x5x6x3xf32>", "tensor<2x3x3x4xf32>", "tensor<1x2x4x4xf32>",
    [CONV_LOOPS + "(n, h * 2 + i, w + j, c)", CONV_LOOPS + "(i, j, c, f)",
     CONV_LOOPS + "(n, h, w, f)"], [P, P, P, P, R, R, R])


class Text(unittest.TestCase):

  def test_elements(self):
    parsed = mlir_text.parse('''
"func.func"() <{function_type = () -> (), sym_name = "main"}> ({
  %0 = "a.b"() {a = dense<[[1.5, 0x7FC00000], [-2.0, 0xFF800000]]> : tensor<2x2xf32>,
    b = dense<"0x0000803F00000040"> : tensor<2xf32>, c = dense<-3> : tensor<2x3xi4>,
    d = dense<"0x080F"> : tensor<2xi4>, e = dense<[true, false]> : tensor<2xi1>,
    f = dense_resource<blob> : tensor<2xf16>, g = dense<> : tensor<0xf32>,
    h = array<i64: 1, -2>, i = @sym, j = [1 : i32, "s", unit], k,
    l = dense<"0x7E80"> : tensor<2xf8E4M3FN>, m = dense<"0xB66D01"> : tensor<17xi1>,
    n = #my.attr<x = [1, "a>b"]>, o = 0x7F800000 : f32, p = (i32) -> f32}
    : () -> tensor<?x4xf32>
}) : () -> ()
{-#
  dialect_resources: { builtin: { blob: "0x02000000003C00C0" } }
#-}''')
    op = list(parsed[0].walk())[1]
    value = lambda k: op.attrs[k].values.tolist()
    self.assertEqual(value("a")[1], [-2, -np.inf])
    self.assertTrue(np.isnan(value("a")[0][1]))
    self.assertEqual(value("b"), [1, 2])
    self.assertEqual(value("c"), [[-3] * 3] * 2)
    self.assertEqual(value("d"), [-8, -1])
    self.assertEqual(value("e"), [True, False])
    self.assertEqual(value("f"), [1, -2])
    self.assertEqual(value("g"), [])
    self.assertEqual(op.attrs["h"], [1, -2])
    self.assertEqual(op.attrs["i"].name, "sym")
    self.assertEqual(op.attrs["j"], [1, "s", True])
    self.assertTrue(op.attrs["k"])
    self.assertEqual(value("l"), [448, 0])
    self.assertEqual(value("m"), [False, True, True] * 5 + [False, True])
    self.assertEqual(op.attrs["o"], np.inf)
    self.assertEqual(op.result_types[0].shape, (None, 4))

  def test_affine(self):
    m = mlir_text.parse_affine_map(
        "(d0, d1)[s0] -> (d0 * 2 + d1 - 1, (d0 + d1) mod 3, d0 floordiv 2 - s0, 0)")
    values = [mlir_text.affine_eval(e, [5, 4], [1]) for e in m.results]
    self.assertEqual(values, [13, 0, 1, 0])
    self.assertEqual(mlir_text.linear(m.results[0], 2), ([2, 1], -1))
    self.assertIsNone(mlir_text.linear(m.results[1], 2))

  def test_locations(self):
    self.assertEqual(first_generic(CONV).loc, "conv")

  def test_errors_have_a_line(self):
    with self.assertRaisesRegex(mlir_text.ParseError, "line 2"):
      mlir_text.parse('"a.b"() : () -> ()\n%0 = a.b : i32')


# Evaluation ---------------------------------------------------------------------------


class Evaluate(unittest.TestCase):

  def setUp(self):
    self.rng = np.random.RandomState(3)

  def test_convolution(self):
    x, w = self.rng.randn(1, 5, 6, 3), self.rng.randn(2, 3, 3, 4)
    init = self.rng.randn(1, 2, 4, 4)
    expected = init.copy()
    for h in range(2):
      for v in range(4):
        expected[0, h, v] += np.einsum(
            "ijc,ijcf->f", x[0, 2 * h:2 * h + 2, v:v + 3], w)
    np.testing.assert_allclose(evaluate.run(CONV, [x, w, init])[0], expected)

  def test_samples_at_once(self):
    x, w = self.rng.randn(7, 5, 6, 3), self.rng.randn(1, 2, 3, 3, 4)
    loops = CONV_LOOPS
    m = contraction("tensor<1x5x6x3xf32>", "tensor<1x2x3x3x4xf32>",
                    "tensor<1x2x4x4xf32>",
                    [loops + "(n, h * 2 + i, w + j, c)", loops + "(n, i, j, c, f)",
                     loops + "(n, h, w, f)"], [P, P, P, P, R, R, R])
    init = np.zeros((1, 2, 4, 4))
    together = evaluate.run(m, [x, w, init], chunk=3)[0]
    single = [evaluate.run(m, [x[i:i + 1], w, init])[0] for i in range(7)]
    np.testing.assert_allclose(together, np.concatenate(single))
    with self.assertRaisesRegex(evaluate.EvaluationError, "input of shape"):
      evaluate.run(m, [x[:, 1:], w, init])

  def run_generic(self, ins, out, maps, iterators, block, values):
    types = "(%s) -> %s" % (", ".join(ins + [out]), out)
    names = ["%%arg%d" % i for i in range(len(ins) + 1)]
    body = "    %r = " + generic(names[:-1], names[-1:], maps, iterators, block,
                                 types)
    m = module(ins + [out],
               body + '\n    "func.return"(%%r) : (%s) -> ()' % out, out)
    return evaluate.run(m, values)[0]

  def test_maximum_over_windows(self):
    x = self.rng.randn(1, 6, 2)
    out = self.run_generic(
        ["tensor<1x6x2xf32>", "tensor<2xf32>"], "tensor<1x3x2xf32>",
        ["(n, w, c, i) -> (n, w * 2 + i, c)", "(n, w, c, i) -> (i)",
         "(n, w, c, i) -> (n, w, c)"], [P, P, P, R],
        '''^bb0(%a: f32, %b: f32, %o: f32):
        %m = "arith.maximumf"(%o, %a) : (f32, f32) -> f32
        "linalg.yield"(%m) : (f32) -> ()''',
        [x, np.zeros(2), np.full((1, 3, 2), -9.)])
    np.testing.assert_array_equal(out, x.reshape(1, 3, 2, 2).max(2))

  def test_sum_over_an_unused_loop(self):
    out = self.run_generic(
        ["tensor<2xf32>", "tensor<5xf32>"], "tensor<2xf32>",
        ["(a, i) -> (a)", "(a, i) -> (i)", "(a, i) -> (a)"], [P, R],
        '''^bb0(%a: f32, %b: f32, %o: f32):
        %m = "arith.addf"(%a, %o) : (f32, f32) -> f32
        "linalg.yield"(%m) : (f32) -> ()''',
        [np.array([1., 2.]), np.zeros(5), np.array([10., 20.])])
    np.testing.assert_array_equal(out, [15, 30])

  def test_sequential_body_with_index(self):
    x = np.array([[1., 5., 5., 2.], [9., 0., 3., 9.]])
    out = self.run_generic(
        ["tensor<2x4xf32>"], "tensor<2xf32>",
        ["(a, i) -> (a, i)", "(a, i) -> (a)"], [P, R],
        '''^bb0(%a: f32, %o: f32):
        %i = "linalg.index"() <{dim = 1 : i64}> : () -> index
        %j = "arith.index_cast"(%i) : (index) -> i32
        %f = "arith.sitofp"(%j) : (i32) -> f32
        %t = "arith.constant"() <{value = 4.0 : f32}> : () -> f32
        %c = "arith.cmpf"(%a, %t) <{predicate = 2 : i64}> : (f32, f32) -> i1
        %s = "arith.select"(%c, %f, %o) : (i1, f32, f32) -> f32
        "linalg.yield"(%s) : (f32) -> ()''', [x, np.array([-1., -1.])])
    np.testing.assert_array_equal(out, [2, 3])

  def test_nonlinear_map(self):
    x = self.rng.randn(6)
    out = self.run_generic(
        ["tensor<6xf32>"], "tensor<12xf32>",
        ["(a) -> (a floordiv 2)", "(a) -> (a)"], [P],
        '''^bb0(%a: f32, %o: f32):
        "linalg.yield"(%a) : (f32) -> ()''', [x, np.zeros(12)])
    np.testing.assert_array_equal(out, np.repeat(x, 2))

  def test_integers_wrap(self):
    m = module(["i8", "i8"], '''
    %0 = "arith.addi"(%arg0, %arg1) : (i8, i8) -> i8
    %1 = "arith.extui"(%0) : (i8) -> i32
    %2 = "arith.shrui"(%0, %arg1) : (i8, i8) -> i8
    %3 = "arith.divsi"(%0, %arg1) : (i8, i8) -> i8
    "func.return"(%0, %1, %2, %3) : (i8, i32, i8, i8) -> ()''', "i8")
    out = evaluate.run(m, [np.array([127]), np.array([3])])
    self.assertEqual([int(a) for a in out], [-126, 130, 16, -42])

  def test_typed_precision(self):
    m = module(["f32"], '''
    %c = "arith.constant"() <{value = 12582912.0 : f32}> : () -> f32
    %0 = "arith.addf"(%arg0, %c) : (f32, f32) -> f32
    %1 = "arith.subf"(%0, %c) : (f32, f32) -> f32
    "func.return"(%1) : (f32) -> ()''', "f32")
    x = np.array([2.5])
    self.assertEqual(evaluate.run(m, [x], precision="typed")[0][0], 2)
    self.assertEqual(evaluate.run(m, [x])[0][0], 2.5)

  def test_tensor_operations(self):
    m = module(["tensor<1x2x3xf32>"], '''
    %z = "arith.constant"() <{value = 7.0 : f32}> : () -> f32
    %0 = "tensor.pad"(%arg0) <{operandSegmentSizes = array<i32: 1, 0, 0>,
      static_high = array<i64: 0, 0, 1>, static_low = array<i64: 0, 1, 0>}> ({
      ^bb0(%i: index, %j: index, %k: index):
        "tensor.yield"(%z) : (f32) -> ()
    }) : (tensor<1x2x3xf32>) -> tensor<1x3x4xf32>
    %1 = "tensor.collapse_shape"(%0) <{reassociation = [[0], [1, 2]]}> :
      (tensor<1x3x4xf32>) -> tensor<1x12xf32>
    %2 = "tensor.extract_slice"(%1) <{operandSegmentSizes = array<i32: 1, 0, 0, 0>,
      static_offsets = array<i64: 0, 4>, static_sizes = array<i64: 1, 4>,
      static_strides = array<i64: 1, 2>}> : (tensor<1x12xf32>) -> tensor<4xf32>
    %3 = "tensor.expand_shape"(%2) <{reassociation = [[0, 1]],
      static_output_shape = array<i64: 1, 4>}> : (tensor<4xf32>) -> tensor<1x4xf32>
    "func.return"(%3) : (tensor<1x4xf32>) -> ()''', "tensor<1x4xf32>")
    x = np.arange(12.).reshape(2, 2, 3)
    np.testing.assert_array_equal(evaluate.run(m, [x])[0],
                                  [[0, 2, 3, 5], [6, 8, 9, 11]])

  def test_unknown_operation_and_hook(self):
    m = module(["f32"], '''
    %0 = "my.double"(%arg0) : (f32) -> f32 loc(#loc2)
    "func.return"(%0) : (f32) -> ()''', "f32")
    with self.assertRaisesRegex(evaluate.EvaluationError,
                                "unknown operation 'my.double' at conv"):
      evaluate.run(m, [np.array([2.])])
    ops.OPS["my.double"] = lambda op, v: 2 * v[0]
    try:
      self.assertEqual(evaluate.run(m, [np.array([2.])])[0], 4)
    finally:
      del ops.OPS["my.double"]

  def test_out_of_bounds(self):
    with self.assertRaisesRegex(evaluate.EvaluationError, "outside"):
      self.run_generic(["tensor<3xf32>"], "tensor<3xf32>",
                       ["(a) -> (a + 1)", "(a) -> (a)"], [P],
                       '''^bb0(%a: f32, %o: f32):
                       "linalg.yield"(%a) : (f32) -> ()''',
                       [np.zeros(3), np.zeros(3)])


# Simulation --------------------------------------------------------------------------


class Roles(unittest.TestCase):

  def check(self, maps, iterators, expected, weight=1):
    rank = lambda m: mlir_text.parse_affine_map(m).results
    t = lambda m: "tensor<%sf32>" % ("2x" * len(rank(m)))
    m = contraction(*[t(s) for s in maps], maps, iterators)
    op = first_generic(m)
    self.assertEqual(sorted(simulate.contraction_inputs(op)), [0, 1])
    self.assertEqual(simulate.roles(op, weight), expected)

  def test_matmul(self):
    d = "(m, n, k) -> "
    self.check([d + "(m, k)", d + "(k, n)", d + "(m, n)"], [P, P, R],
               ([1], [0], False))
    self.check([d + "(m, k)", d + "(n, k)", d + "(m, n)"], [P, P, R],
               ([0], [1], False))
    self.check([d + "(m, k)", d + "(k, n)", d + "(m, n)"], [P, P, R],
               ([0], [1], False), weight=0)

  def test_batch_matmul(self):
    d = "(b, m, n, k) -> "
    self.check([d + "(b, m, k)", d + "(b, k, n)", d + "(b, m, n)"], [P, P, P, R],
               ([0, 2], [1], False))

  def test_convolutions(self):
    d, it = CONV_LOOPS, [P, P, P, P, R, R, R]
    x, out = d + "(n, h + i, w + j, c)", d + "(n, h, w, f)"
    self.check([x, d + "(i, j, c, f)", out], it, ([3], [2], False))
    self.check([x, d + "(f, i, j, c)", out], it, ([0], [3], False))

  def test_depthwise(self):
    d = "(n, h, w, c, m, i, j) -> "
    self.check([d + "(n, h + i, w + j, c)", d + "(i, j, c, m)",
                d + "(n, h, w, c, m)"], [P, P, P, P, P, R, R],
               ([2, 3], [], True))

  def test_grouped(self):
    d = "(n, g, f, h, w, c, i, j) -> "
    self.check([d + "(n, g, c, h + i, w + j)", d + "(g, f, c, i, j)",
                d + "(n, g, f, h, w)"], [P, P, P, P, P, R, R, R],
               ([0, 1], [2], False))


class DynamicRanges(unittest.TestCase):

  def axes(self, maps, iterators):
    text = ", ".join("affine_map<%s>" % m for m in maps)
    op = mlir_text.Parser("[%s]" % text).attr()
    fake = mlir_text.Operation("linalg.generic", [], [], [], [],
                               {"indexing_maps": op, "iterator_types": iterators},
                               [], None)
    return dynamic.row_axes(fake, 1)

  def test_rows(self):
    d = "(b, m, n, k) -> "
    self.assertEqual(self.axes([d + "(b, m, k)", d + "(k, n)", d + "(b, m, n)"], []),
                     [0, 1])
    self.assertEqual(self.axes([d + "(b, m, k)", d + "(b, k, n)", d + "(b, m, n)"],
                               []), [0, 1])
    d = "(n, h, w, c, i, j) -> "
    self.assertEqual(self.axes([d + "(n, h + i, w + j, c)", d + "(i, j, c)",
                                d + "(n, h, w, c)"], []), [0])

  def quantize(self, x, scheme, sizes):
    type_ = type("T", (), {"element": "f32"})
    op = mlir_text.Operation("oracle.dynamic", [], [], [type_], [],
                             {"dtype": "int8", "qscheme": scheme, "sizes": sizes},
                             [], None)
    return dynamic.fake_quantize(op, [np.array(x, np.float32)])

  def test_samples_and_rows_have_ranges_of_their_own(self):
    x = [[[127.5, 0.4], [1.275, 0.4]], [[255, 0.4], [0, 0]]]
    np.testing.assert_allclose(
        self.quantize(x, "symmetric", [1, None]),
        [[[127, 0], [1.27, 0.4]], [[254, 0], [0, 0]]], rtol=1e-6)
    np.testing.assert_allclose(
        self.quantize(x, "symmetric", [None, None])[0], [[127, 0], [1, 0]],
        rtol=1e-6)

  def test_non_finite_elements_are_outside_the_range(self):
    out = self.quantize([[127.5, -np.inf, np.inf, np.nan]], "symmetric", [None])
    np.testing.assert_array_equal(out, [[127, -128, 127, 0]])


class IntegerForm(unittest.TestCase):
  """Numbers worked out by hand."""

  def run_op(self, text, inputs):
    types = text[text.rindex(" : (") + 3:]
    arguments = types[1:types.index(") ->")].split(", ")
    result = types[types.index("-> ") + 3:]
    module = mlir_text.parse(
        '"func.func"() <{function_type = (%s) -> %s, sym_name = "main"}> ({\n^bb0(%s):\n'
        '  %%y = %s\n  "func.return"(%%y) : (%s) -> ()\n}) : () -> ()\n' % (
            ", ".join(arguments), result,
            ", ".join("%%a%d: %s" % a for a in enumerate(arguments)), text, result))
    integer_ops.OUTCOMES.clear()
    return evaluate.run(module, inputs, precision="typed", chunk=1)[0]

  def contract(self, rhs, low="", result="i8", init=True):
    init = ("init_params = #qparams.affine<int8, per_tensor, scale = 1.0, "
            "zero_point = -10>, " if init else "")
    return (
        '"quant.contract"(%%a0, %%a1, %%a2) <{lhs_params = #qparams.affine<int8, '
        'per_tensor, scale = 0.5, zero_point = 1>, %s%smaps = [affine_map<(m, n, k) -> '
        '(m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>], '
        'operandSegmentSizes = array<i32: 1, 0, 0, 1, 0, 0, 0, 0, 0, 1>, rhs_params = '
        '#qparams.affine<%s>}> : (tensor<1x2xi8>, tensor<2x2xi8>, tensor<1x2x%s>) -> '
        'tensor<1x2x%s>' % (init, low, rhs, result, result))

  x = np.array([[3, -4]])  # less the zero point: 2, -5
  w = np.array([[1, -1], [3, -2]])
  o = np.zeros((1, 2))

  def test_contract(self):
    # Sums -13 and 8, times 0.5 * 1 and 0.5 * 0.625: -6.5 (a tie) and 2.5 (another).
    y = self.run_op(self.contract(
        "int8, per_channel<[1]>, scale = dense<[[1.0, 0.625]]> : tensor<1x2xf32>"),
        [self.x, self.w, self.o])
    self.assertEqual(y.tolist(), [[-16, -8]])

  def test_contract_bounds(self):
    y = self.run_op(self.contract("int8, per_tensor, scale = 1.0",
                                  "low = -1.0 : f32, high = 3.0 : f32, "),
                    [self.x, self.w, self.o])
    self.assertEqual(y.tolist(), [[-11, -7]])

  def test_contract_blocks_and_minval(self):
    # Blocks of one: (2 * (1 + 128) * 1 + 2 * 3) * 0.5 + (-5 * (3 + 128) * 2 - 5 * 5) * 0.5
    y = self.run_op(self.contract(
        "int8, per_block<[1, -1]>, scale = dense<[[1.0], [2.0]]> : tensor<2x1xf32>, "
        "minval = dense<[[3.0], [5.0]]> : tensor<2x1xf32>", "", "f32", False),
        [self.x, self.w, self.o])
    self.assertEqual(y.tolist(), [[132 - 667.5, 130 - 642.5]])
    outcome = integer_ops.OUTCOMES[0]
    self.assertTrue(np.all(outcome.low < outcome.value))
    self.assertTrue(np.all(outcome.high - outcome.low < 0.02))

  def test_contract_unsigned(self):
    # 200 is 200, not -56; its zero point is 190: 2 * 10 - 5 * -10.
    y = self.run_op(self.contract("uint8, per_tensor, scale = 1.0, zero_point = 190",
                                  "", "f32", False),
                    [self.x, np.array([[200, 190], [180, 190]]), self.o])
    self.assertEqual(y.tolist(), [[35.0, 0.0]])

  def test_add(self):
    y = self.run_op(
        '"quant.add"(%a0, %a1, %a2) <{init_params = #qparams.affine<int8, per_tensor, '
        'scale = 1.0, zero_point = 3>, lhs_params = #qparams.affine<int8, per_tensor, '
        'scale = 0.5, zero_point = -2>, rhs_params = #qparams.affine<uint8, per_tensor, '
        'scale = 0.25>, maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>, '
        'affine_map<(i) -> (i)>]}> : (tensor<3xi8>, tensor<i8>, tensor<3xi8>) -> '
        'tensor<3xi8>', [np.array([1, 2, 127]), np.array(-2), np.zeros(3)])
    # 0.5 * [3, 4, 129] + 0.25 * 254: 65, 65.5 (a tie), saturated
    self.assertEqual(y.tolist(), [68, 69, 127])

  def pool(self, kind, extra=""):
    return self.run_op(
        '"quant.pool"(%%a0, %%a1) <{kind = %d : i32, maps = [affine_map<(h, i) -> '
        '(h * 2 + i)>, affine_map<(h, i) -> (h)>], padding = array<i64: 1, 0>, params = '
        '#qparams.affine<int8, per_tensor, scale = 1.0, zero_point = 5>, window = '
        'array<i64: 3>%s}> : (tensor<4xi8>, tensor<2xi8>) -> tensor<2xi8>' % (kind, extra),
        [np.array([6, 9, -3, -7]), np.zeros(2)]).tolist()

  def test_pool(self):
    # Less the zero point: [1, 4], [4, -8, -12]; with padding [0, 1, 4].
    self.assertEqual(self.pool(0), [7, 0])
    self.assertEqual(self.pool(0, ", count_padding"), [7, 0])
    self.assertEqual(self.pool(1), [9, 9])


class Digits(unittest.TestCase):

  def setUp(self):
    if not have_mlir_opt():
      self.skipTest("no mlir-opt")
    self.model = os.path.join(DIGITS, "digits.mlir")
    read = lambda name: np.load(os.path.join(DIGITS, name + ".npy"))
    self.inputs = read("test_inputs")
    self.labels, self.reference = read("test_labels"), read("test_float_outputs")

  def outputs(self, *arguments):
    args = simulate.make_parser().parse_args([self.model, *arguments])
    parsed = evaluate.load(self.model)
    rows, _ = simulate.simulate(parsed, args) if args.dtype else ([], None)
    out = evaluate.run(parsed, [self.inputs])[0]
    return rows, npycmp.compare(out, self.reference, self.labels)

  def test_float(self):
    result = self.outputs()[1]
    self.assertLess(result["max_relative"], 1e-6)
    self.assertGreater(result["top1"], 98)

  def test_per_block(self):
    rows, result = self.outputs("--dtype=int4", "--granularity=per_block",
                                "--weight-threshold=0")
    self.assertEqual({r["op"]: r["block_sizes"] for r in rows}, {
        "conv1": [3, 3, 1, 1], "dw1": [3, 3, 1], "pw1": [1, 1, 32, 1],
        "dw2": [3, 3, 1], "pw2": [1, 1, 32, 1], "fc": [32, 1]})
    self.assertTrue(10 < result["sqnr_db"] < 20)
    self.assertGreater(result["top1"], 96)

  def test_float4_leaves_depthwise(self):
    rows, _ = self.outputs("--dtype=float4_e2m1fn", "--granularity=per_block",
                           "--weight-threshold=0")
    self.assertEqual([r["op"] for r in rows if "skipped" in r], ["dw1", "dw2"])

  def test_dynamic_activations(self):
    result = self.outputs("--dtype=int8", "--weight-threshold=0",
                          "--dynamic=per_tensor")[1]
    self.assertTrue(20 < result["sqnr_db"] < 45)
    self.assertGreater(result["top1"], 98)

  def test_threshold(self):
    rows, _ = self.outputs("--dtype=int8")
    self.assertEqual([r["op"] for r in rows if "skipped" not in r],
                     ["pw1", "pw2", "fc"])


class Compare(unittest.TestCase):

  def test_compare(self):
    a = np.array([[1., 2.], [4., 3.]])
    out = npycmp.compare(a + [[0, .5], [0, 0]], a, np.array([1, 1]))
    self.assertEqual((out["max_abs_error"], out["max_relative"],
                      out["different"], out["top1"]), (.5, .125, 1, 50))
    self.assertAlmostEqual(out["sqnr_db"], 10 * np.log10(30 / .25))
    self.assertIsNone(npycmp.compare(a, a)["sqnr_db"])
    with self.assertRaises(ValueError):
      npycmp.compare(a, a[:1])


if __name__ == "__main__":
  unittest.main()

#!/usr/bin/env python3
"""Tests of the oracle: calibrators, small floats, quantization."""

import os
import sys
import unittest

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import calibrate
import ops
import quantize as qz


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


if __name__ == "__main__":
  unittest.main()

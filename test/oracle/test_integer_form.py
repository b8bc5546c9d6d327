#!/usr/bin/env python3
"""Tests of the oracle: ranges at run time, and section 6."""

import os
import sys
import unittest

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dynamic
import evaluate
import integer_ops
import mlir_text


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


if __name__ == "__main__":
  unittest.main()

#!/usr/bin/env python3
"""Tests of the oracle: reading modules, evaluating them, the roles of operands.

Modules are given in generic form, so that the tests need no mlir-opt."""

import os
import sys
import unittest

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import evaluate
import mlir_text
import ops
import simulate


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


if __name__ == "__main__":
  unittest.main()

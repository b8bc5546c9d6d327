#!/usr/bin/env python3
"""Tests of the oracle's tools: a whole model, and the comparison of files.

What needs mlir-opt is skipped where there is none."""

import os
import sys
import unittest

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import evaluate
import npycmp
import simulate


DIGITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                      "examples", "digits")


def have_mlir_opt():
  try:
    return bool(evaluate.find_mlir_opt())
  except evaluate.EvaluationError:
    return False


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

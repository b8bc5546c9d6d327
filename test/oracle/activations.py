#!/usr/bin/env python3
"""Static quantization of activations in numpy, against the tools.

    activations.py model.mlir --calib calib.npy [--calib …] --inputs x.npy [--inputs …]
        [--reference float.npy] [--labels labels.npy] [--dtype int8]
        [--qscheme symmetric] [--batch N]

Only which values are observed is taken from `quant-opt --insert-observers`; from
there on everything is computed again: moving averages of the ranges over the
calibration data (section 5), parameters (section 3), weights int8 per_channel, and
the outputs with every observed value rounded to codes. Then

- each scale of `quant-calibrate` and `quant-opt --ranges` must be within 1 % of
  numpy's, each zero point within 1 % of the codes;
- the SQNR of `quant-run`'s outputs, against those of the float model, must be
  within 1 dB of that of numpy's outputs.

Prints one line for each and ends with a line `… agree, N fail`.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

import ops
import quantize
import simulate
from calibrate import moving_average
from evaluate import EvaluationError, load, run
from npycmp import compare
from quant_ops import Affine


class Observer:
  """What one id asks for, and the samples that pass."""

  def __init__(self, spec):
    body = spec[spec.index("<") + 1:-1]
    parts = [p.strip() for p in body.split(",")]
    self.dtype, self.qscheme = parts[0], parts[1]
    self.fixed = None
    if "float_range" in body:
      ends = body[body.index("[") + 1:body.index("]")].split(",")
      self.fixed = tuple(np.float32(e) for e in ends)
    self.batches = []
    self.range = None

  def params(self, shape):
    lo, hi = self.fixed or self.range
    one = np.zeros((1,) * len(shape), np.float32)
    return quantize.params_from_range(one + lo, one + hi, self.dtype, self.qscheme,
                                      "zp", "f32", list(shape))


class Observers(dict):
  """Evaluates quant.observe: first collects, then rounds."""

  def __init__(self):
    super().__init__()
    self.collecting = True
    self.parts = {}

  def __call__(self, op, values):
    x, name = values[0], op.attrs["id"]
    if op.attrs.get("boundary"):
      return x
    observer = self.setdefault(name, Observer(op.attrs["spec"].text))
    if self.collecting:
      if not op.attrs.get("follows") and not observer.fixed:
        # One call of the function is one batch: the first axis.
        self.parts.setdefault(name, []).append(x.reshape(x.shape[0], -1))
      return x
    params = observer.params(x.shape)
    return quantize.dequantize(quantize.apply(x, params), params)

  def end_chunk(self):
    for name, parts in self.parts.items():
      samples = max(p.shape[0] for p in parts)
      for i in range(samples):
        self[name].batches.append(np.concatenate(
            [p[i if p.shape[0] > 1 else 0] for p in parts]))
    self.parts = {}

  def finish(self):
    for name, observer in self.items():
      if not observer.fixed:
        observer.range = moving_average(observer.batches)
        observer.batches = []
    self.collecting = False


def tool(*command):
  done = subprocess.run(command, capture_output=True, text=True)
  if done.returncode:
    raise EvaluationError("%s failed:\n%s" % (" ".join(command), done.stderr[:2000]))
  return done.stdout


def parameters(path):
  """Affine parameters by id, of a module that quant-opt wrote."""
  found = {}
  for top in load(path, "quant-opt"):
    for op in top.walk():
      if op.name == "quant.quantize" and "quant.name" in op.attrs:
        found[op.attrs["quant.name"]] = Affine(op.attrs["params"].text)
  return found


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("model")
  parser.add_argument("--calib", action="append", required=True)
  parser.add_argument("--inputs", action="append", required=True)
  parser.add_argument("--reference")
  parser.add_argument("--labels")
  parser.add_argument("--dtype", default="int8")
  parser.add_argument("--qscheme", default="symmetric")
  parser.add_argument("--batch")
  args = parser.parse_args()
  folder = tempfile.mkdtemp()
  file = lambda name: os.path.join(folder, name)
  requests = ["--quantize-activations=" + args.dtype,
              "--activation-qscheme=" + args.qscheme]
  batch = ["--batch=" + args.batch] if args.batch else []

  # The tools.
  tool("quant-opt", args.model, "--insert-observers", *requests, "-o",
       file("observed.mlir"))
  tool("quant-calibrate", args.model, *["--input=" + c for c in args.calib],
       *requests, *batch, "-o", file("ranges.json"))
  tool("quant-opt", args.model, "--quantize-weights=int8",
       "--ranges=" + file("ranges.json"), *requests, "-o", file("quantized.mlir"))
  tool("quant-run", file("quantized.mlir"), *["--input=" + x for x in args.inputs],
       *batch, "--output=" + file("found.npy"))
  tool("quant-run", args.model, *["--input=" + x for x in args.inputs], *batch,
       "--output=" + file("float.npy"))
  found = np.load(file("found.npy"))
  reference = np.load(args.reference or file("float.npy"))
  labels = np.load(args.labels) if args.labels else None

  # numpy.
  module = load(file("observed.mlir"), "quant-opt")
  observers = Observers()
  ops.OPS["quant.observe"] = observers
  calib = [np.load(c) for c in args.calib]
  step = 64
  for start in range(0, len(calib[0]), step):
    run(module, [c[start:start + step] for c in calib], chunk=step)
    observers.end_chunk()
  observers.finish()
  simulate.simulate(module, simulate.make_parser().parse_args(
      [args.model, "--dtype", "int8", "--weight-threshold", "0"]))
  expected = run(module, [np.load(x) for x in args.inputs])[0]

  failures = agree = 0

  def expect(condition, message, *values):
    nonlocal failures, agree
    agree += bool(condition)
    if not condition:
      failures += 1
      print("FAILED: " + message % values)

  given = parameters(file("quantized.mlir"))
  expect(set(given) == set(observers), "parameters of %s, observed %s",
         sorted(given), sorted(observers))
  for name, observer in observers.items():
    if name not in given:
      continue
    params = observer.params(())
    scale = float(np.ravel(given[name].values["scale"])[0])
    zero = int(np.ravel(given[name].values.get("zero_point", 0))[0])
    wanted = float(np.ravel(params.scale)[0])
    wanted_zero = (0 if params.zero_point is None else
                   int(np.ravel(params.zero_point)[0]))
    expect(abs(scale - wanted) <= 0.01 * wanted and abs(zero - wanted_zero) <= 2,
           "'%s': scale %g, zero point %d; numpy: %g, %d", name, scale, zero,
           wanted, wanted_zero)
  ours, theirs = compare(found, reference, labels), compare(expected, reference,
                                                            labels)
  print("SQNR %.2f dB, numpy %.2f dB" % (ours["sqnr_db"], theirs["sqnr_db"]))
  if labels is not None:
    print("top-1 %.2f, numpy %.2f" % (ours["top1"], theirs["top1"]))
  expect(abs(ours["sqnr_db"] - theirs["sqnr_db"]) <= 1, "SQNR differs")
  print("%d agree, %d fail" % (agree, failures))
  return failures != 0


if __name__ == "__main__":
  try:
    sys.exit(main())
  except (EvaluationError, OSError, ValueError) as e:
    sys.exit("activations.py: " + str(e))

#!/usr/bin/env python3
"""Every request for weight quantization of a model, against the oracle.

    matrix.py model.mlir… [--inputs x.npy] [--samples 4] [--tolerance 1e-4]
        [--dtypes int8,int4] [--scale-dtypes default|all] [--threshold 0]
        [--block-sizes 32] [--pack]

For every storage type, granularity, scheme, formulation and scale type: what the
contract allows is quantized by quant-opt, run by quant-run, and compared with the
numpy simulation of the same request; what it forbids has to be one error of
quant-opt, with exit code 1 and no output file. Prints a line per disagreement and
a count for each model; exit code 1 where there is any. Inputs are by default the
.npy file beside the model.
"""

import argparse
import copy
import itertools
import os
import subprocess
import sys
import tempfile

import numpy as np

import quantize
import simulate
from evaluate import load, run
from npycmp import compare

DTYPES = ("int8", "uint8", "int4", "uint4", "int2", "uint2", "float8_e4m3fn",
          "float8_e5m2", "float4_e2m1fn")
GRANULARITIES = ("per_tensor", "per_channel", "per_block")


def tool(arguments):
  return subprocess.run(arguments, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE, text=True)


def check_refused(command, output):
  """What is wrong with the way quant-opt refuses a request, or None."""
  if os.path.exists(output):
    os.remove(output)
  done = tool(command)
  errors = [l for l in done.stderr.splitlines() if "error: " in l]
  if done.returncode != 1:
    return "expected exit code 1, found %d" % done.returncode
  if len(errors) != 1:
    return "expected one error, found %d: %s" % (len(errors), done.stderr)
  if os.path.exists(output):
    return "an output file was written"
  return None


def check_model(path, inputs_path, args):
  """Prints what disagrees and the counts; True where nothing does."""
  directory = tempfile.mkdtemp()
  inputs = os.path.join(directory, "inputs.npy")
  output = os.path.join(directory, "out.npy")
  quantized = os.path.join(directory, "quantized.mlir")
  np.save(inputs, np.load(inputs_path)[:args.samples])
  data = [np.load(inputs)]

  scale_dtypes = [None]
  if args.scale_dtypes == "all":
    scale_dtypes += ["f32", "f16", "bf16", "f8E8M0FNU"]
  parsed = load(path, None)
  agreed = refused = 0
  worst = 0.0
  failures = []
  for dtype, granularity, scheme, formulation, scale, size in itertools.product(
      args.dtypes.split(","), GRANULARITIES, quantize.SCHEMES, ("zp", "minval"),
      scale_dtypes, args.block_sizes.split(",")):
    if granularity != "per_block" and size != args.block_sizes.split(",")[0]:
      continue
    request = ["--granularity=" + granularity, "--qscheme=" + scheme,
               "--qformulation=" + formulation, "--block-size=" + size,
               "--weight-threshold=" + args.threshold]
    if scale:
      request.append("--scale-dtype=" + scale)
    command = ["quant-opt", path, "--quantize-weights=" + dtype,
               "-o", quantized] + request + ["--pack"] * args.pack
    name = " ".join([dtype] + request)
    module = copy.deepcopy(parsed)
    try:
      simulate.simulate(module, simulate.make_parser().parse_args(
          [path, "--dtype=" + dtype] + request))
    except quantize.QuantError:
      problem = check_refused(command, quantized)
      refused += problem is None
      if problem:
        failures.append("%s: %s" % (name, problem))
      continue
    expected = run(module, data, "main")[0]
    for command in (command, ["quant-run", quantized, "--input=" + inputs,
                              "--output=" + output]):
      done = tool(command)
      if done.returncode:
        failures.append("%s: %s" % (name, done.stderr.strip()[-500:]))
        break
    else:
      error = compare(np.load(output), expected)["max_relative"]
      worst = max(worst, error)
      if error <= args.tolerance:
        agreed += 1
      else:
        failures.append("%s: differs by %g of the largest output" %
                        (name, error))
  for failure in failures:
    print("FAILED " + failure)
  print("%s: %d agree (worst %.2g), %d are refused, %d fail" % (
      os.path.basename(path), agreed, worst, refused, len(failures)))
  return bool(agreed and not failures)


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("models", nargs="+")
  parser.add_argument("--inputs")
  parser.add_argument("--samples", type=int, default=4)
  parser.add_argument("--tolerance", type=float, default=1e-4)
  parser.add_argument("--dtypes", default=",".join(DTYPES))
  parser.add_argument("--scale-dtypes", default="default",
                      choices=("default", "all"))
  parser.add_argument("--threshold", default="0")
  parser.add_argument("--block-sizes", default="32")
  parser.add_argument("--pack", action="store_true")
  args = parser.parse_args()
  good = [check_model(model, args.inputs or model[:-len(".mlir")] + ".npy", args)
          for model in args.models]
  return 0 if all(good) else 1


if __name__ == "__main__":
  sys.exit(main())

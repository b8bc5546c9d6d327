#!/usr/bin/env python3
"""Runs transformer blocks through every form of quantization, and checks each.

    transformer.py FOLDER [--only NAME]… [--full]

Blocks come from examples/transformer/block.py. Of each,

- every matrix product is one quant.contract, the two of attention between
  activations included, and each has a kernel: quant-run says nothing of loops;
- quant-run --target=cpu gives the bytes of --target=reference, or where sums are of
  values, what differs from them by less than 1e-5 of the largest, or by a code of the
  activations behind such a sum;
- the SQNR against the float model, which is printed, is at least what it was when this
  was written, less 2 dB.

Ends with a line `N agree, N fail`.
"""

import argparse
import os
import re
import subprocess
import sys

import numpy as np

from npycmp import compare

BLOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir,
                     "examples", "transformer", "block.py")
STATIC = "--quantize-weights=int8 --quantize-activations=int8"
DYNAMIC = STATIC + " --dynamic"
INT4 = "--quantize-weights=int4 --granularity=per_block --block-size=32"
# Both operands of products without a weight too.
ATTENTION = " --quant-config={folder}/attention.yaml"
RULES = """op_type: {"linalg.batch_matmul|linalg.generic": {input: {dtype: int8}}}
"""

# Name, options of block.py, flags, contractions of codes at level 2, least SQNR in dB.
CASES = [
    ("static", "", STATIC, 8, 25),
    ("static-tosa", "--form tosa --mask --activation relu", STATIC, 8, 25),
    ("static-unknown-length", "--dynamic --mask --softmax op --kv-heads 2 "
     "--activation silu --length 21", STATIC, 8, 25),
    ("static-uint8", "--projection batched --batch 2 --attention four --length 19",
     "--quantize-weights=uint8 --qscheme=asymmetric --quantize-activations=uint8 "
     "--activation-qscheme=asymmetric", 8, 25),
    ("static-mask-argument", "--scale query --mask argument", STATIC, 8, 25),
    ("dynamic-attention", "--scale query --mask argument", DYNAMIC + "=per_row" + ATTENTION,
     8, 25),
    ("per-row", "--scale query --mask", DYNAMIC + "=per_row", 6, 33),
    ("int4-per-row", "", INT4 + " --quantize-activations=int8 --dynamic=per_row", 6, 15),
    ("weights-int8", "--activation silu --length 17", "--quantize-weights=int8", 6, 38),
    ("float-unknown-length", "--dynamic --attention four --length 21", "", 0, 100),
]
MORE = [
    ("per-tensor", "--form tosa", DYNAMIC, 6, 30),
    ("static-mask-argument-tosa", "--form tosa --scale weights --mask argument --batch 2",
     STATIC, 8, 25),
    ("dynamic-attention-per-tensor", "--attention four --mask", DYNAMIC + ATTENTION, 8, 25),
    ("static-scaled-weights", "--scale weights --kv-heads 1 --attention four", STATIC, 8,
     25),
    ("static-tosa-heads", "--form tosa --kv-heads 2 --activation silu --batch 2", STATIC,
     8, 25),
    ("weights-int4", "--dynamic --length 13", INT4, 6, 15),
    ("static-int4", "", INT4 + " --quantize-activations=int8", 8, 14),
    ("float", "--form tosa", "", 0, 100),
    ("two-blocks", "--blocks 2", STATIC, 16, 15),
]


def run(*command):
  done = subprocess.run(command, capture_output=True, text=True)
  if done.returncode:
    raise RuntimeError("%s: %s" % (" ".join(command), done.stderr[-2000:]))
  return done


def check(folder, block, flags, contracts, least):
  """What is wrong, and the SQNR."""
  path = lambda name: os.path.join(folder, name)
  run(sys.executable, BLOCK, folder, *block.split())
  model = path("model.mlir")
  with open(path("attention.yaml"), "w") as file:
    file.write(RULES)
  flags = flags.replace("{folder}", folder)
  mask = ["--input=" + path(n) for n in ("mask.npy",) if "argument" in block]
  if flags:
    if "activations" in flags and "dynamic" not in flags:
      calib = [m.replace("mask.npy", "calib_mask.npy") for m in mask]
      run("quant-calibrate", model, "--input=" + path("calib.npy"), *calib, "-o",
          path("ranges.json"), *[f for f in flags.split() if "activation" in f])
      flags += " --ranges=" + path("ranges.json")
    run("quant-opt", model, *flags.split(), "--fuse", "-o", path("fused.mlir"))
    model = path("fused.mlir")
    with open(model) as file:
      found = file.read().count("quant.contract ")
    if found != contracts:
      return "expected %d contractions, found %d" % (contracts, found), None
  outputs = {}
  for target in ("cpu", "reference"):
    done = run("quant-run", model, "--target=" + target, "--input=" + path("test.npy"),
               *mask, "--output=" + path(target + ".npy"))
    left = re.findall(r".*(?:no kernel|lowered to loops).*", done.stderr)
    if left:
      return left[0], None
    outputs[target] = np.load(path(target + ".npy")).astype(np.float64)
  cpu, reference = outputs["cpu"], outputs["reference"]
  if contracts % 8 == 0 and contracts and "per_block" not in flags:
    if not np.array_equal(cpu, reference):
      return "%d of %d elements are not those of the reference" % (
          (cpu != reference).sum(), cpu.size), None
  else:
    # A code that is another one shows in a token, or in all that attend to it.
    wrong = np.abs(cpu - reference) > 1e-5 * np.abs(reference).max()
    if wrong.mean() > (0.02 if "dynamic" in flags else 0) or np.abs(
        cpu - reference).max() > 0.02 * np.abs(reference).max():
      return "%d of %d elements differ from the reference" % (wrong.sum(), cpu.size), None
  sqnr = compare(cpu, np.load(path("expected.npy")))["sqnr_db"]
  return (None if sqnr >= least else "expected at least %d dB" % least), sqnr


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("folder")
  parser.add_argument("--only", action="append")
  parser.add_argument("--full", action="store_true")
  args = parser.parse_args()
  failed = count = 0
  for name, *case in CASES + (MORE if args.full or args.only else []):
    if args.only and name not in args.only:
      continue
    reason, sqnr = check(os.path.join(args.folder, name), *case)
    print("%s%s%s" % (name, "" if sqnr is None else ": %.1f dB" % sqnr,
                      "" if reason is None else ": FAILED: " + reason), flush=True)
    count += 1
    failed += reason is not None
  print("%d agree, %d fail" % (count - failed, failed))
  return 1 if failed or not count else 0


if __name__ == "__main__":
  sys.exit(main())

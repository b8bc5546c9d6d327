"""dynamic_ranges.py FOLDER: quantizes activations with ranges found at run time, with
quant-run and with the oracle, which have to agree bit for bit: scales, zero points
and dequantized values, for several storage types, schemes and granularities, on
dynamic shapes, with NaN and infinite elements. Prints a line for each, and a count.
"""
import os
import subprocess
import sys

import numpy as np

folder = sys.argv[1]
sys.path.insert(0, sys.argv[2])
import quantize  # noqa: E402: the oracle's

os.makedirs(folder, exist_ok=True)
random = np.random.default_rng(3)
counts = {True: 0, False: 0}
STORAGE = {"float8_e4m3fn": "f8E4M3FN", "float8_e5m2": "f8E5M2",
           "float4_e2m1fn": "f4E2M1FN"}


def model(dtype, spec, granularity, scale, has_zero_point, params, rank):
  code = STORAGE.get(dtype) or "i" + dtype.lstrip("uint")
  x = "tensor<%sf32>" % ("?x" * rank)
  q = "tensor<%s%s>" % ("?x" * rank, code)
  s = "tensor<%s%s>" % (params, scale)
  z = "tensor<%si32>" % params
  operands = "scale(%%s : %s)" % s + (" zero_point(%%z : %s)" % z if has_zero_point else "")
  results = [x] + ([s] if scale == "f32" else []) + ([z] if has_zero_point else [])
  values = ["%y"] + (["%s"] if scale == "f32" else []) + (["%z"] if has_zero_point else [])
  return "\n".join([
      "func.func @main(%%x: %s) -> (%s) {" % (x, ", ".join(results)),
      "  %%s%s = quant.dynamic_range %%x <%s> : %s -> %s%s" % (
          ", %z" if has_zero_point else "", spec, x, s, ", " + z if has_zero_point else ""),
      "  %%q = quant.quantize %%x %s <%s, %s> : %s -> %s" % (operands, dtype, granularity, x, q),
      "  %%y = quant.dequantize %%q %s <%s, %s> : %s -> %s" % (operands, dtype, granularity, q, x),
      "  return %s : %s" % (", ".join(values), ", ".join(results)), "}"]), len(results)


def check(dtype, scheme, granularity, sizes, shape, scale="f32"):
  spec = "%s, %s, %s, scale_type = %s" % (dtype, scheme, granularity, scale)
  has_zero_point = dtype in quantize.INT_RANGES and (
      scheme == "asymmetric" or dtype.startswith("u"))
  params = "".join("1x" if b is None else "?x" for b in sizes) if granularity != "per_tensor" else ""
  text, count = model(dtype, spec, granularity, scale, has_zero_point, params, len(shape))
  name = os.path.join(folder, "%s_%s_%d" % (dtype, scheme, sum(counts.values())))
  x = (random.standard_normal(shape) * np.exp(random.uniform(-9, 9, shape[:1] + (1,) * (
      len(shape) - 1)))).astype(np.float32)
  x.flat[3], x.flat[-1], x.flat[-2] = np.nan, np.inf, -np.inf
  with open(name + ".mlir", "w") as f:
    f.write(text)
  np.save(name + ".npy", x)
  outputs = ["%s.out%d.npy" % (name, i) for i in range(count)]
  subprocess.run(["quant-run", name + ".mlir", "--input=" + name + ".npy"] +
                 ["--output=" + o for o in outputs], check=True)
  found = [np.load(o) for o in outputs]

  finite = np.where(np.isfinite(x), x, np.float32(0))
  whole = [d if b is None else b for d, b in zip(shape, sizes)]
  lo = np.minimum(np.float32(0), quantize.reduce_blocks(np.minimum, finite, whole))
  hi = np.maximum(np.float32(0), quantize.reduce_blocks(np.maximum, finite, whole))
  p = quantize.params_from_range(lo, hi, dtype, scheme, "zp", scale, whole)
  expected = [quantize.dequantize(quantize.apply(x, p), p)]
  shaped = lambda a: a.reshape(()) if granularity == "per_tensor" else a
  if scale == "f32":
    expected.append(shaped(p.scale))
  if has_zero_point:
    expected.append(shaped(p.zero_point))
  good = all(a.shape == b.shape and (a == b).all() for a, b in zip(found, expected))
  counts[good] += 1
  print("%-70s %s" % (spec, "agrees" if good else "FAILED"))


for dtype, scheme in (("int8", "symmetric"), ("int8", "asymmetric"), ("uint8", "symmetric"),
                      ("uint8", "asymmetric"), ("int4", "asymmetric"),
                      ("float8_e4m3fn", "symmetric")):
  check(dtype, scheme, "per_tensor", [None, None], (5, 70))
  check(dtype, scheme, "per_channel<[0]>", [1, None], (5, 70))
check("int8", "asymmetric", "per_channel<[0, 2]>", [1, None, 1], (2, 7, 3))
check("int8", "asymmetric", "per_block<[1, 32]>", [1, 32], (5, 70))
check("int8", "asymmetric", "per_block<[2, 32]>", [2, 32], (5, 70), "f16")
check("int8", "symmetric", "per_channel<[0]>", [1, None], (5, 70), "bf16")
check("float8_e5m2", "symmetric", "per_channel<[0]>", [1, None], (5, 70), "f8E8M0FNU")
check("float4_e2m1fn", "symmetric", "per_block<[1, 32]>", [1, 32], (5, 70), "f8E8M0FNU")
print("%d agree, %d fail" % (counts[True], counts[False]))

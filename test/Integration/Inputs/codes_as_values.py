#!/usr/bin/env python3
"""Every code beside a value of 1, less zero points at the ends and in between.

    codes_as_values.py FOLDER FLAG...

Runs models of products of one value and one code each with quant-run and the flags, of
one row and of 16, and compares every result with the code less its zero point. Prints
how many there are. On Vulkan values are f32, and codes integers.
"""

import itertools
import os
import subprocess
import sys

import numpy as np

MAPS = ("affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, "
        "affine_map<(m, n, k) -> (m, n)>")


def small_floats(exponents, mantissas, bias, has_infinity):
  """Values of all codes of eight bits: OCP's definition."""
  codes = np.arange(256)
  sign = np.where(codes & 128, -1.0, 1.0)
  e, m = codes >> mantissas & (1 << exponents) - 1, codes & (1 << mantissas) - 1
  normal = (1 + m / 2.0**mantissas) * 2.0**(e - bias)
  value = sign * np.where(e == 0, m / 2.0**mantissas * 2.0**(1 - bias), normal)
  top = e == (1 << exponents) - 1
  if has_infinity:
    return np.where(top, np.where(m == 0, sign * np.inf, np.nan), value)
  return np.where(top & (m == (1 << mantissas) - 1), np.nan, value)


def dense(values, element):
  return "dense<[[%s]]> : tensor<1x%dx%s>" % (", ".join(map(str, values)), len(values),
                                              element)


def main():
  folder, flags = sys.argv[1], sys.argv[2:]
  os.makedirs(folder, exist_ok=True)
  total = 0
  cases = []  # lhs, codes, what they stand for
  is_vulkan = "--target=vulkan" in flags
  for lhs in ("f32",) if is_vulkan else ("f16", "bf16", "f32"):
    for dtype, low, high in (("int4", -8, 7), ("uint4", 0, 15), ("int8", -128, 127),
                             ("uint8", 0, 255)):
      zeros = sorted({low, -1 if low else 1, 0, high // 2, high})
      codes = np.tile(np.arange(low, high + 1), len(zeros))
      points = np.repeat(zeros, high + 1 - low)
      cases.append((lhs, lhs, "%x", dtype, "i" + dtype.lstrip("uint"), codes, points,
                    codes - points))
  for lhs, type_, operand in (("f16", "f16", "%x"),
                              ("fp8", "f8E4M3FN",
                               "%q as <float8_e4m3fn, per_tensor, scale = 1.0>")
                              ) if not is_vulkan else ():
    for dtype, element, values in (
        ("float8_e4m3fn", "f8E4M3FN", small_floats(4, 3, 7, False)),
        ("float8_e5m2", "f8E5M2", small_floats(5, 2, 15, True))):
      cases.append((lhs, type_, operand, dtype, element, None, None, values))
  for number, (rows, (lhs, type_, operand, dtype, element, codes, points,
                      values)) in enumerate(itertools.product((1, 16), cases)):
    n = len(values)
    scale = "scale = dense<1.0> : tensor<1x%dxf32>" % n
    if codes is None:
      # The first one is what kernels read where there is nothing: e5m2's infinity.
      order = np.roll(np.arange(256, dtype=np.uint8), -124)
      values = values[order]
      w = 'dense<"0x%s"> : tensor<1x%dx%s>' % (order.tobytes().hex(), n, element)
      params = "<%s, per_channel<[1]>, %s>" % (dtype, scale)
    else:
      signed = np.where(codes >= 1 << int(element[1:]) - 1, codes - (1 << int(element[1:])),
                        codes)
      w = dense(signed, element)
      params = "<%s, per_channel<[1]>, %s, zero_point = %s>" % (
          dtype, scale, dense(points, "ui8" if dtype[0] == "u" else "i8"))
    is_small = lhs == "fp8"
    argument = "f32" if is_small else lhs
    result = "tensor<%dx%dxf32>" % (rows, n)
    lines = ["func.func @main(%%x: tensor<%dx1x%s>) -> %s {" % (rows, argument, result)]
    if is_small:
      lines.append("%%q = quant.quantize %%x <float8_e4m3fn, per_tensor, scale = 1.0> : "
                   "tensor<%dx1xf32> -> tensor<%dx1xf8E4M3FN>" % (rows, rows))
    lines += ["%%w = arith.constant %s" % w, "%%o = tensor.empty() : %s" % result,
              "%%y = quant.contract lhs(%s : tensor<%dx1x%s>) rhs(%%w as %s : tensor<1x%dx%s>) "
              "outs(%%o : %s) maps [%s] -> %s" % (
                  operand, rows, type_, params, n, element, result, MAPS, result),
              "return %%y : %s" % result, "}"]
    path = os.path.join(folder, "%d" % number)
    with open(path + ".mlir", "w") as f:
      f.write("\n".join(lines) + "\n")
    np.save(path + ".x.npy", np.ones((rows, 1), np.float16 if argument == "f16" else np.float32))
    done = subprocess.run(["quant-run", path + ".mlir", "--input=%s.x.npy" % path,
                           "--output=%s.y.npy" % path] + flags, capture_output=True, text=True)
    if done.returncode or "has no kernel" in done.stderr:
      sys.exit("%s: %s" % (path, done.stderr[-2000:]))
    found = np.load(path + ".y.npy").astype(np.float64)
    wrong = ~((found == values) | (np.isnan(found) & np.isnan(values)))
    if wrong.any():
      row, i = (int(at) for at in np.argwhere(wrong)[0])
      sys.exit("%s beside %s: expected %s in row %d, column %d, found %s" % (
          dtype, lhs, values[i], row, i, found[row, i]))
    total += n
  print("%d codes agree" % total)


if __name__ == "__main__":
  main()

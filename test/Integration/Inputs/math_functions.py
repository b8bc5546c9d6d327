#!/usr/bin/env python3
"""Writes functions.mlir with its inputs and what it gives; --check FUNCTION FILE: looks
at exp, erf or tanh of x.npy."""
import math
import sys

import numpy as np

rng = np.random.default_rng(3)
N = 400000
bits = rng.integers(0, 2**32, N, dtype=np.uint32)
x = np.where(np.arange(N) % 2, bits.view(np.float32),
             rng.uniform(-110, 92, N).astype(np.float32)).astype(np.float32)
x[1::4] = rng.uniform(-5, 5, N // 4)
x[:12] = [0, -0.0, np.inf, -np.inf, np.nan, 88.72284, 88.72283, -103.97208, -103.97207,
          -87.33655, 89, -104]

if sys.argv[1:2] == ["--check"]:
    name, y = sys.argv[2], np.load(sys.argv[3])
    function = {"exp": np.exp, "tanh": np.tanh,
                "erf": lambda x: np.array([math.erf(v) for v in x])}[name]
    limit = {"exp": 1, "erf": 1.4, "tanh": 1.3}[name]
    with np.errstate(all="ignore"):
        exact = function(x.astype(np.float64))
        nearest = exact.astype(np.float32)
    assert np.array_equal(np.isnan(y), np.isnan(x))
    ends = np.isinf(nearest) | (nearest == 0)
    assert np.array_equal(y[ends], nearest[ends])
    known = ~np.isnan(x) & ~ends
    assert np.array_equal(np.signbit(y[~np.isnan(x)]), np.signbit(nearest[~np.isnan(x)]))
    unit = np.spacing(np.abs(nearest[known])).astype(np.float64)
    off = np.abs(y[known].astype(np.float64) - exact[known]) / unit
    print("no result is" if off.max() < limit else f"results are, by {off.max()},",
          f"off by {limit} units in the last place")
    sys.exit()

np.save("x.npy", x)
# Rows of zeros of both signs, of small numbers, and with a NaN at the end.
rows = rng.integers(-2, 3, (300, 83)).astype(np.float32)
rows[:100] = 0
rows *= rng.choice(np.float32([1, -1]), rows.shape)
rows[0], rows[1] = -0.0, 0.0
rows[200:220, 80] = np.nan
np.save("rows.npy", rows)


def extreme(rows, sign):
    """By value, then by the sign of zeros."""
    key = sign * rows.astype(np.float64) + sign * np.where(np.signbit(rows), -0.25, 0.25)
    result = rows[np.arange(len(rows)), np.argmax(np.where(np.isnan(key), -np.inf, key), 1)]
    return np.where(np.isnan(rows).any(1), np.float32(np.nan), result).astype(np.float32)


np.save("expected_max.npy", extreme(rows, 1))
np.save("expected_min.npy", extreme(rows, -1))
relu = np.where(rows <= 0, np.float32(0), rows)
np.save("expected_relu.npy", relu.astype(np.float32))

open("functions.mlir", "w").write(f"""
#row = affine_map<(i, k) -> (i)>
#id = affine_map<(i, k) -> (i, k)>
func.func @exp(%x: tensor<{N}xf32>) -> tensor<{N}xf32> {{
  %0 = math.exp %x : tensor<{N}xf32>
  return %0 : tensor<{N}xf32>
}}
func.func @erf(%x: tensor<{N}xf32>) -> tensor<{N}xf32> {{
  %0 = math.erf %x : tensor<{N}xf32>
  return %0 : tensor<{N}xf32>
}}
func.func @tanh(%x: tensor<{N}xf32>) -> tensor<{N}xf32> {{
  %0 = math.tanh %x : tensor<{N}xf32>
  return %0 : tensor<{N}xf32>
}}
func.func @extremes(%x: tensor<300x83xf32>) -> (tensor<300xf32>, tensor<300xf32>, tensor<300x83xf32>) {{
  %low = arith.constant dense<0xFF800000> : tensor<300xf32>
  %high = arith.constant dense<0x7F800000> : tensor<300xf32>
  %zero = arith.constant dense<0.0> : tensor<300x83xf32>
  %a = linalg.generic {{indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}}
      ins(%x : tensor<300x83xf32>) outs(%low : tensor<300xf32>) {{
  ^bb0(%v: f32, %seen: f32):
    %m = arith.maximumf %v, %seen : f32
    linalg.yield %m : f32
  }} -> tensor<300xf32>
  %b = linalg.generic {{indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}}
      ins(%x : tensor<300x83xf32>) outs(%high : tensor<300xf32>) {{
  ^bb0(%v: f32, %seen: f32):
    %m = arith.minimumf %v, %seen : f32
    linalg.yield %m : f32
  }} -> tensor<300xf32>
  %c = arith.maximumf %x, %zero : tensor<300x83xf32>
  return %a, %b, %c : tensor<300xf32>, tensor<300xf32>, tensor<300x83xf32>
}}
""")

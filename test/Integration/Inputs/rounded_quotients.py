#!/usr/bin/env python3
"""Writes codes.mlir, its inputs, and the codes that numpy gets for them."""
import numpy as np

ROWS, COLUMNS = 600, 1000
rng = np.random.default_rng(7)


def values_near_halves(scales, lo, hi):
    """Multiples of half a scale, from below `lo` to above `hi`, up to four units in
    the last place away; one in eight is any binary32."""
    shape = (len(scales), COLUMNS)
    halves = rng.integers(2 * lo - 8, 2 * hi + 8, shape) * 0.5
    with np.errstate(over="ignore"):
        near = (halves * scales.astype(np.float64)).astype(np.float32)
    near = near.view(np.int32) + rng.integers(-4, 5, shape, dtype=np.int32)
    any_bits = rng.integers(-2**31, 2**31, shape).astype(np.int32)
    return np.where(rng.integers(0, 8, shape) == 0, any_bits, near).view(np.float32)


def codes(x, scale, zero_point, lo, hi):
    x = np.where(np.isnan(x), np.float32(0), x)
    with np.errstate(over="ignore"):
        quotient = x / scale
    assert quotient.dtype == np.float32
    return np.clip(np.rint(quotient.astype(np.float64)) + zero_point, lo, hi)


# Every exponent, the subnormal ones twice as often.
exponents = np.concatenate([np.arange(1, 255), np.zeros(ROWS - 254)]).astype(np.int32)
bits = (exponents << 23) | rng.integers(1, 2**23, ROWS, dtype=np.int32)
bits[-8:] = [1, 2, 0x7FFFFF, 0x800000, 0x7F7FFFFF, 0x3F800000, 0x3FFFFFFF, 0x33FFFFFF]
scale = bits.view(np.float32).reshape(ROWS, 1)
zero_point = rng.integers(-128, 128, (ROWS, 1)).astype(np.int32)
x = values_near_halves(scale, -256, 256)
np.save("x.npy", x)
np.save("scale.npy", scale)
np.save("zero_point.npy", zero_point)
np.save("rows.npy", codes(x, scale, zero_point, -128, 127).astype(np.int8))

constants = np.float32([0.047, 1e-30, 3e34])
y = np.concatenate([values_near_halves(np.full((200, 1), c), lo, hi)
                    for c, lo, hi in zip(constants, [-140, -140, -8], [140, 140, 264])])
np.save("y.npy", y)
np.save("int8.npy", codes(y, constants[0], 11, -128, 127).astype(np.int8))
np.save("narrow.npy", codes(y, constants[1], 0, -127, 127).astype(np.int8))
np.save("uint8.npy", codes(y, constants[2], 0, 0, 255).astype(np.uint8).view(np.int8))

rows, many = f"{ROWS}x{COLUMNS}", f"600x{COLUMNS}"
open("codes.mlir", "w").write(f"""
func.func @rows(%x: tensor<{rows}xf32>, %s: tensor<{ROWS}x1xf32>, %z: tensor<{ROWS}x1xi32>) -> tensor<{rows}xi8> {{
  %q = quant.quantize %x scale(%s : tensor<{ROWS}x1xf32>) zero_point(%z : tensor<{ROWS}x1xi32>) <int8, per_channel<[0]>> : tensor<{rows}xf32> -> tensor<{rows}xi8>
  return %q : tensor<{rows}xi8>
}}
func.func @constants(%y: tensor<{many}xf32>) -> (tensor<{many}xi8>, tensor<{many}xi8>, tensor<{many}xi8>) {{
  %a = quant.quantize %y <int8, per_tensor, scale = {constants[0]:.9e}, zero_point = 11> : tensor<{many}xf32> -> tensor<{many}xi8>
  %b = quant.quantize %y <int8 narrow, per_tensor, scale = {constants[1]:.9e}> : tensor<{many}xf32> -> tensor<{many}xi8>
  %c = quant.quantize %y <uint8, per_tensor, scale = {constants[2]:.9e}> : tensor<{many}xf32> -> tensor<{many}xi8>
  return %a, %b, %c : tensor<{many}xi8>, tensor<{many}xi8>, tensor<{many}xi8>
}}
""")

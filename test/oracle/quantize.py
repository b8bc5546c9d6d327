"""The arithmetic of the numerics contract, sections 1 to 4, in plain numpy.

Written to be read beside the contract and to share nothing with the C++ code.
Every step is one np.float32 operation, so that results are exact, not close:
codes, scales, zero points and minvals are meant to be compared for equality.

    r = quantize(w, "int4", qscheme="asymmetric", block_sizes=[32, 1])
    r.codes, r.scale, r.zero_point, r.minval, r.dequantized

Codes of integer types are int32 values; codes of fp8 and fp4 are bit patterns
(uint8). bf16 arrays are float32 arrays whose values are bf16 values. An E8M0
scale is kept as a float32 power of two; `e8m0_bits` gives its byte.
"""

import dataclasses
import functools

import numpy as np

F32 = np.float32
EPS = F32(2.0**-23)

INT_RANGES = {
    "int8": (-128, 127), "uint8": (0, 255),
    "int4": (-8, 7), "uint4": (0, 15),
    "int2": (-2, 1), "uint2": (0, 3),
}
# name: exponent bits, mantissa bits, bias, largest finite value, emax
FLOAT_FORMATS = {
    "float8_e4m3fn": (4, 3, 7, 448.0, 8),
    "float8_e5m2": (5, 2, 15, 57344.0, 15),
    "float4_e2m1fn": (2, 1, 1, 6.0, 2),
}
SCHEMES = ("symmetric", "symmetric_with_clipping", "asymmetric")
SCALE_TYPES = ("f32", "f16", "bf16", "f8E8M0FNU")


class QuantError(ValueError):
  """A request the contract calls an error."""


# Small floats ------------------------------------------------------------------


@functools.lru_cache(None)
def float_table(name):
  """Values of all codes of a small float format; NaN and infinity as such."""
  ebits, mbits, bias, largest, _ = FLOAT_FORMATS[name]
  width = 1 + ebits + mbits
  values = np.empty(2**width, np.float64)
  for code in range(2**width):
    sign = -1.0 if code >> (width - 1) else 1.0
    exponent = (code >> mbits) & (2**ebits - 1)
    mantissa = code & (2**mbits - 1)
    if exponent == 0:
      value = mantissa * 2.0**(1 - bias - mbits)
    else:
      value = (2**mbits + mantissa) * 2.0**(exponent - bias - mbits)
    if value > largest:  # e4m3fn: NaN; e5m2: one infinity, the rest NaN
      value = (np.inf if name == "float8_e5m2" and mantissa == 0 else np.nan)
    values[code] = sign * value
  return values


def float_encode(x, name):
  """Nearest code, ties to the even code; x within the finite range."""
  half = float_table(name)[:len(float_table(name)) // 2]
  finite = half[np.isfinite(half)]
  x = np.asarray(x, np.float64)
  magnitude = np.abs(x)
  if np.any(~(magnitude <= finite[-1])):
    raise QuantError("%s: value outside the finite range" % name)
  upper = np.clip(np.searchsorted(finite, magnitude), 1, len(finite) - 1)
  lower = upper - 1
  below, above = magnitude - finite[lower], finite[upper] - magnitude
  code = np.where(below < above, lower, upper)
  code = np.where(below == above, np.where(lower % 2 == 0, lower, upper), code)
  sign_bit = len(float_table(name)) // 2
  return (code + np.where(np.signbit(x), sign_bit, 0)).astype(np.uint8)


def float_decode(codes, name):
  return float_table(name)[np.asarray(codes, np.int64)].astype(F32)


def round_bf16(x):
  """float32 to the nearest bf16, ties to even, as float32. NaN is kept."""
  x = np.asarray(x, F32)
  bits = x.view(np.uint32).astype(np.uint64)
  rounded = ((bits + np.uint64(0x7FFF) + ((bits >> np.uint64(16)) & np.uint64(1)))
             & np.uint64(0xFFFF0000)).astype(np.uint32).view(F32)
  return np.where(np.isnan(x), x, rounded).astype(F32)


def round_to(x, dtype):
  """float32 rounded to an expressed or scale type, returned as float32."""
  x = np.asarray(x, F32)
  if dtype == "f32":
    return x
  if dtype == "f16":
    with np.errstate(over="ignore"):
      return x.astype(np.float16).astype(F32)
  if dtype == "bf16":
    return round_bf16(x)
  raise QuantError("unknown type '%s'" % dtype)


def e8m0_bits(scale):
  """The byte of an E8M0 scale: its exponent plus 127."""
  return (np.frexp(np.asarray(scale, np.float64))[1] - 1 + 127).astype(np.uint8)


# Granularity ---------------------------------------------------------------------


def block_sizes_for(shape, granularity, channel_axes=(), block_axes=(), size=32):
  """Section 4: block sizes of a weight. `size` is one size along the block axes,
  or a list with one size per dimension (-1: the whole dimension)."""
  shape = list(shape)
  axis = lambda a: a + len(shape) if a < 0 else a
  if granularity == "per_tensor":
    return shape
  channels = {axis(a) for a in channel_axes}
  if granularity == "per_channel":
    return [1 if i in channels else d for i, d in enumerate(shape)]
  if granularity != "per_block":
    raise QuantError("unknown granularity '%s'" % granularity)
  if isinstance(size, (list, tuple)) and len(size) > 1:
    if len(size) != len(shape):
      raise QuantError("block sizes %s for shape %s" % (size, shape))
    return [d if b == -1 else min(b, d) for b, d in zip(size, shape)]
  if isinstance(size, (list, tuple)):
    size = size[0]
  blocks = {axis(a) for a in block_axes}
  return [1 if i in channels else min(size, d) if i in blocks and size != -1
          else d for i, d in enumerate(shape)]


def reduce_blocks(ufunc, x, block_sizes):
  for axis, size in enumerate(block_sizes):
    if x.shape[axis]:
      x = ufunc.reduceat(x, np.arange(0, x.shape[axis], size), axis=axis)
  return x


def expand(params, shape, block_sizes):
  """Parameters of shape ceil(d / b), repeated to `shape`; b = -1 means d."""
  out = np.asarray(params)
  for axis, (d, b) in enumerate(zip(shape, block_sizes)):
    out = np.repeat(out, d if b == -1 else b, axis=axis)
    out = np.take(out, np.arange(d), axis=axis)
  return out


# Quantization ----------------------------------------------------------------------


@dataclasses.dataclass
class Params:
  """Resolved parameters; scale, zero_point and minval have shape ceil(d / b)."""
  dtype: str
  quant_min: float  # of the range in use
  quant_max: float
  block_sizes: list
  scale: np.ndarray
  zero_point: np.ndarray = None
  minval: np.ndarray = None


@dataclasses.dataclass
class Quantized:
  params: Params
  codes: np.ndarray
  dequantized: np.ndarray

  scale = property(lambda self: self.params.scale)
  zero_point = property(lambda self: self.params.zero_point)
  minval = property(lambda self: self.params.minval)


def check_request(dtype, qscheme, formulation, scale_dtype):
  if qscheme not in SCHEMES:
    raise QuantError("unknown qscheme '%s'" % qscheme)
  if formulation not in ("zp", "minval"):
    raise QuantError("unknown qformulation '%s'" % formulation)
  if scale_dtype not in SCALE_TYPES:
    raise QuantError("unknown scale type '%s'" % scale_dtype)
  if dtype in INT_RANGES:
    if scale_dtype == "f8E8M0FNU":
      raise QuantError("integer storage takes no E8M0 scale")
    return
  if dtype not in FLOAT_FORMATS:
    raise QuantError("unknown storage type '%s'" % dtype)
  if qscheme != "symmetric" or formulation != "zp":
    raise QuantError("%s storage is symmetric, without minval" % dtype)
  # That blocks are 32 long is a matter of the request: kernel dimensions stay
  # whole, so the sizes alone do not show it.
  if dtype == "float4_e2m1fn" and scale_dtype != "f8E8M0FNU":
    raise QuantError("float4_e2m1fn needs an E8M0 scale and blocks of 32")


def params_from_range(lo, hi, dtype, qscheme, formulation, scale_dtype,
                      block_sizes):
  """Section 3: from float32 ranges (lo <= 0 <= hi) to stored parameters."""
  lo, hi = np.asarray(lo, F32), np.asarray(hi, F32)
  amax = np.abs(np.maximum(-lo, hi))  # abs: the exponent bits of -0
  if dtype in FLOAT_FORMATS:
    largest = F32(FLOAT_FORMATS[dtype][3])
    if scale_dtype == "f8E8M0FNU":
      biased = (amax.view(np.uint32) >> 23).astype(np.int64)
      exponent = np.clip(biased - 127 - FLOAT_FORMATS[dtype][4], -126, 127)
      scale = np.ldexp(F32(1), exponent).astype(F32)
    else:
      scale = round_to(np.maximum(amax / largest, EPS), scale_dtype)
    check_finite(scale, "scale")
    return Params(dtype, -float(largest), float(largest), block_sizes, scale)

  qmin, qmax = INT_RANGES[dtype]
  if qscheme == "symmetric_with_clipping" and qmin < 0:
    qmin = -qmax
  with np.errstate(over="ignore"):
    if qscheme == "asymmetric":
      scale = (hi - lo) / F32(qmax - qmin)
    elif qscheme == "symmetric_with_clipping" and qmin < 0:
      scale = amax / F32(qmax)
    else:
      scale = amax / (F32(qmax - qmin) / F32(2))
  scale = round_to(np.maximum(scale.astype(F32), EPS), scale_dtype)
  check_finite(scale, "scale")
  params = Params(dtype, qmin, qmax, block_sizes, scale)
  if formulation == "minval":
    params.minval = round_to(lo if qscheme == "asymmetric" else -amax,
                             scale_dtype)
    check_finite(params.minval, "minval")
  elif qscheme == "asymmetric":
    zero = F32(qmin) - np.rint(lo / scale)
    params.zero_point = np.clip(zero, F32(qmin), F32(qmax)).astype(np.int32)
  else:
    middle = 0 if qmin < 0 else (qmax + 1) // 2
    params.zero_point = np.full(scale.shape, middle, np.int32)
  return params


def check_finite(x, what):
  if not np.all(np.isfinite(x)):
    raise QuantError("%s is not finite in its stored type" % what)


def apply(x, params):
  """Section 2, quantize: codes of x. NaN gets the code of 0.0."""
  x = np.asarray(x, F32)
  full = lambda p: expand(p, x.shape, params.block_sizes)
  scale = full(params.scale)
  x = np.where(np.isnan(x), F32(0), x)
  qmin, qmax = F32(params.quant_min), F32(params.quant_max)
  with np.errstate(over="ignore"):
    if params.dtype in FLOAT_FORMATS:
      return float_encode(np.clip(x / scale, qmin, qmax), params.dtype)
    if params.minval is not None:
      v = (x - full(params.minval)) / scale
      offset = np.full(x.shape, qmin, F32)
    else:
      v = x / scale
      offset = full(params.zero_point).astype(F32)
  # clamp(R(v) + z, a, b) = R(clamp(v, a - z, b - z)) + z
  return (np.rint(np.clip(v, qmin - offset, qmax - offset)) +
          offset).astype(np.int32)


def dequantize(codes, params, expressed="f32"):
  """Section 2, dequantize: values of codes in the expressed type."""
  codes = np.asarray(codes)
  full = lambda p: expand(p, codes.shape, params.block_sizes)
  scale = full(params.scale).astype(F32)
  with np.errstate(over="ignore"):
    if params.dtype in FLOAT_FORMATS:
      out = float_decode(codes, params.dtype) * scale
    elif params.minval is not None:
      out = (codes - params.quant_min).astype(F32) * scale
      out = out + full(params.minval).astype(F32)
    else:
      out = (codes - full(params.zero_point)).astype(F32) * scale
  return round_to(out, expressed)


def quantize(x, dtype, qscheme="symmetric", formulation="zp", block_sizes=None,
             scale_dtype="f32", float_range=(None, None), expressed="f32"):
  """Quantizes a tensor with parameters taken from its own range.

  `block_sizes`: one per dimension, -1 or None for the whole dimension. With
  `float_range` an end of the range is fixed."""
  x = round_to(x, expressed)
  if not np.all(np.isfinite(x)):
    bad = np.flatnonzero(~np.isfinite(x))
    raise QuantError("%d values are not finite, the first at %d" %
                     (len(bad), bad[0]))
  sizes = [d if b in (None, -1) else min(b, d)
           for b, d in zip(block_sizes or [None] * x.ndim, x.shape)]
  check_request(dtype, qscheme, formulation, scale_dtype)
  lo = np.minimum(F32(0), reduce_blocks(np.minimum, x, sizes))
  hi = np.maximum(F32(0), reduce_blocks(np.maximum, x, sizes))
  fixed_lo, fixed_hi = float_range
  if fixed_lo is not None:
    lo = np.full_like(lo, fixed_lo)
  if fixed_hi is not None:
    hi = np.full_like(hi, fixed_hi)
  if np.any(lo > 0) or np.any(hi < 0) or (
      (fixed_lo, fixed_hi) != (None, None) and np.any(lo >= hi)):
    raise QuantError("float_range needs lo <= 0 <= hi and lo < hi")
  params = params_from_range(lo, hi, dtype, qscheme, formulation, scale_dtype,
                             sizes)
  codes = apply(x, params)
  return Quantized(params, codes, dequantize(codes, params, expressed))


def quantize_bias(bias, sx, sw):
  """Section 6: int32 codes of a bias, computed in binary64."""
  b = np.asarray(bias, np.float64)
  codes = np.rint(b / (np.float64(sx) * np.asarray(sw, np.float64)))
  if np.any(np.abs(codes) >= 2.0**31):
    raise QuantError("a bias does not fit into int32")
  return codes.astype(np.int64)

"""The operations of the `quant` dialect for evaluate.py, in numpy.

quantize, dequantize (parameters as attributes or operands), observe and unpack,
after docs/numerics.md sections 1, 2 and 4 as quantize.py computes them. Values
carry a leading sample axis (ops.py). Importing this module adds them to ops.OPS;
the module's text must come from quant-opt (evaluate.py --mlir-opt).
"""

import re

import numpy as np

import ops
import quantize
from mlir_text import Dense, Parser

# Ranges of storage types, section 1.
RANGES = {
    "int8": (-128, 127), "uint8": (0, 255), "int4": (-8, 7), "uint4": (0, 15),
    "int2": (-2, 1), "uint2": (0, 3), "float8_e4m3fn": (-448, 448),
    "float8_e5m2": (-57344, 57344), "float4_e2m1fn": (-6, 6),
    "int32": (-2**31, 2**31 - 1),
}


class Affine:
  """An attribute #qparams.affine<...>, read from its text."""

  def __init__(self, text):
    body = re.fullmatch(r"#qparams\.affine<(.*)>", text, re.S).group(1)
    parser = Parser(body)
    self.dtype = parser.next()
    self.range = RANGES[self.dtype]
    if parser.accept("narrow"):
      self.range = (-self.range[1], self.range[1])
    elif parser.accept("range"):
      parser.expect("<")
      self.range = tuple(parser.attr())
      parser.expect(">")
    parser.expect(",")
    self.granularity, self.sizes = parser.next(), []
    if parser.accept("<"):
      parser.expect("[")
      self.sizes = [int(s) for s in parser.list_of(parser.next, "]")]
      parser.expect(">")
    self.values = {}
    while parser.accept(","):
      key = parser.next()
      parser.expect("=")
      value = parser.attr()
      self.values[key] = value.values if isinstance(value, Dense) else value

  def block_sizes(self, shape):
    if self.granularity == "per_channel":
      return [1 if i in self.sizes else d for i, d in enumerate(shape)]
    if self.granularity == "per_block":
      return [d if s == -1 else min(s, d) for s, d in zip(self.sizes, shape)]
    return list(shape)


def params(op, values, x):
  """Parameters for `x`, whose first axis counts samples."""
  affine = Affine(op.attrs["params"].text)
  operands = dict(zip(("scale", "zero_point"), values[1:]))
  sizes = affine.block_sizes(x.shape[1:])
  units = [-(-d // s) if s else 1 for d, s in zip(x.shape[1:], sizes)]
  samples = max([v.shape[0] for v in operands.values()] or [1])

  def full(name):
    value = operands.get(name, affine.values.get(name))
    if value is None:
      return None
    value = np.asarray(value)
    if name not in operands:
      value = value[None]
    return value.reshape([value.shape[0]] + units)

  scale = full("scale").astype(np.float32)
  zero_point = full("zero_point")
  minval = full("minval")
  integer = not affine.dtype.startswith("float")
  if zero_point is None and minval is None and integer:
    zero_point = np.zeros(scale.shape, np.int64)
  # Operands may differ from sample to sample.
  first = 1 if samples > 1 else x.shape[0]
  return quantize.Params(affine.dtype, *affine.range, [first] + sizes, scale,
                         zero_point, minval)


def signed(codes, dtype):
  """Codes as the interpreter holds them: signless integers, read as signed, and
  small floats as values."""
  if dtype.startswith("float"):
    return quantize.float_decode(codes, dtype)
  return np.asarray(codes, np.int64)


def run_quantize(op, values):
  p = params(op, values, values[0])
  return signed(quantize.apply(values[0], p), p.dtype)


def run_dequantize(op, values):
  x = values[0]
  p = params(op, values, x)
  if p.dtype.startswith("float"):
    # Already values; every code is exact in binary32.
    sizes = p.block_sizes
    scale = quantize.expand(p.scale, x.shape, sizes)
    product = np.asarray(x, np.float32) * scale
    return quantize.round_to(product, op.result_types[0].element)
  if p.dtype.startswith("u"):
    x = ops.unsigned(x, op).astype(np.int64)
  return quantize.dequantize(x, p, op.result_types[0].element)


def run_unpack(op, values):
  type_ = op.result_types[0]
  width = int(type_.element[1:]) if type_.element[0] == "i" else 4
  data = np.asarray(values[0], np.int64).reshape(values[0].shape[0], -1)
  bits = (data[:, :, None] >> np.arange(0, 8, width)) & (2**width - 1)
  codes = bits.reshape(data.shape[0], -1)[:, :int(np.prod(type_.shape))]
  codes = codes.reshape((data.shape[0],) + type_.shape)
  if type_.element == "f4E2M1FN":
    return quantize.float_decode(codes, "float4_e2m1fn")
  return codes


ops.OPS.update({
    "quant.quantize": run_quantize,
    "quant.dequantize": run_dequantize,
    "quant.observe": lambda op, values: values[0],
    "quant.unpack": run_unpack,
})

"""A module of operations of the integer form under construction: its text, its
inputs, and random codes and parameters. integer_cases.py says which there are."""

import numpy as np

import quantize

RANGES = dict(quantize.INT_RANGES)
ELEMENTS = {"float8_e4m3fn": "f8E4M3FN", "float8_e5m2": "f8E5M2",
            "float4_e2m1fn": "f4E2M1FN"}
VALUES = ("f32", "f16", "bf16")


def element_of(dtype):
  return dtype if dtype in VALUES else ELEMENTS.get(dtype) or "i" + dtype.lstrip("uint")


def tensor(shape, element):
  return "tensor<%s%s>" % ("".join("%sx" % ("?" if d is None else d) for d in shape),
                           element)


def dense(a, element):
  def text(v):
    if element[0] == "i" or element[0] == "u":
      return str(int(v))
    return "%.9e" % v if np.isfinite(v) else {"f32": "0x7FC00000"}[element]

  def rows(a):
    return text(a) if a.ndim == 0 else "[" + ", ".join(map(rows, a)) + "]"

  return "dense<%s> : %s" % (rows(np.asarray(a)), tensor(np.shape(a), element))


class Module:
  """The text of a module under construction, and its inputs."""

  def __init__(self, seed):
    self.random = np.random.default_rng(seed)
    self.lines, self.arguments, self.inputs = [], [], []
    self.results, self.types, self.names = [], [], []
    self.count = 0
    self.extreme = False  # codes of the ends of their range

  def name(self):
    self.count += 1
    return "%%v%d" % self.count

  def line(self, text):
    name = self.name()
    self.lines.append("  %s = %s" % (name, text))
    return name

  def argument(self, a, type_):
    name = self.name()
    self.arguments.append("%s: %s" % (name, type_))
    self.inputs.append(a)
    return name

  def constant(self, a, element):
    return self.line("arith.constant " + dense(a, element))

  def empty(self, shape, element, like=None):
    """tensor.empty; sizes of dynamic dimensions (None) are those of `like`, a value,
    its dimension and its type for each."""
    sizes, likes = [], iter(like or [])
    for d in shape:
      if d is None:
        value, dim, type_ = next(likes)
        index = self.line("arith.constant %d : index" % dim)
        sizes.append(self.line("tensor.dim %s, %s : %s" % (value, index, type_)))
    return self.line("tensor.empty(%s) : %s" % (", ".join(sizes),
                                                tensor(shape, element)))

  def result(self, name, value, type_, dtype=None):
    if dtype in ELEMENTS:  # .npy has no such elements; as f32 every code is exact
      wide = type_.replace(ELEMENTS[dtype], "f32")
      value = self.line("quant.dequantize %s <%s, per_tensor, scale = 1.0> : %s -> %s"
                        % (value, dtype, type_, wide))
      type_ = wide
    self.results.append(value)
    self.types.append(type_)
    self.names.append(name)

  def text(self):
    return "\n".join(
        ["func.func @main(%s) -> (%s) {" % (", ".join(self.arguments),
                                           ", ".join(self.types))] + self.lines +
        ["  return %s : %s" % (", ".join(self.results), ", ".join(self.types)),
         "}", ""])

  # Random codes and parameters

  def codes(self, shape, dtype):
    if dtype in VALUES:
      return quantize.round_to(self.random.standard_normal(shape).astype(np.float32), dtype)
    if dtype in ELEMENTS:
      table = quantize.float_table(dtype)
      table = table[np.isfinite(table)]
      return self.random.choice(table, shape)
    lo, hi = RANGES[dtype]
    a = self.random.integers(lo, hi + 1, shape)
    if self.extreme and a.ndim > 1:
      # Rows or columns, whichever are few, in turn of the least and the largest code.
      axis = a.ndim - 1 - int(np.argmin(shape[::-1]))
      turn = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(a.ndim)])
      a = np.choose(turn % 3, [np.full(shape, lo), np.full(shape, hi), a])
    return a

  def scales(self, shape, ties):
    """Powers of two make ties; others make every rounding count."""
    if ties:
      return 2.0**self.random.integers(-6, -3, shape)
    return self.random.uniform(0.004, 0.05, shape).astype(np.float32)

  def scale(self, ties):
    return float(self.scales((), ties))

  def zero_point(self, dtype, kind):
    if kind == "none":
      return 0
    lo, hi = RANGES[dtype]
    return {"low": lo, "high": hi}.get(kind) if kind in ("low", "high") else int(
        self.random.integers(lo, hi + 1))

  def per_tensor(self, dtype, ties, zero="random", scale=None):
    """`zero` is a kind of zero point, or one."""
    text = "<%s, per_tensor, scale = %.9e" % (dtype, self.scale(ties)
                                             if scale is None else scale)
    if dtype not in ELEMENTS:
      z = zero if isinstance(zero, int) else self.zero_point(dtype, zero)
      text += ", zero_point = %d" % z if z else ""
    return text + ">"

  def code_argument(self, shape, dtype, type_=None, near=None):
    """Codes as an argument where .npy has the element, else as a constant; within 3
    of `near` where that is given."""
    a, type_ = self.codes(shape, dtype), type_ or tensor(shape, element_of(dtype))
    if near is not None:
      a = np.clip(near + self.random.integers(-3, 4, shape), *RANGES[dtype])
    if dtype in ("int8", "uint8"):
      return self.argument(a.astype(np.uint8).view(np.int8), type_)
    if dtype in ("f32", "f16"):
      return self.argument(a.astype({"f32": np.float32, "f16": np.float16}[dtype]), type_)
    return self.constant(wrap(a, dtype), element_of(dtype))

  def computed_codes(self, shape, dtype, type_):
    """Codes that no pass takes for a constant: those of less than a byte are bytes that
    are an argument, and become narrow."""
    if dtype not in RANGES or dtype in ("int8", "uint8"):
      return self.code_argument(shape, dtype, type_)
    bytes_type = type_[:type_.rindex("x") + 1] + "i8>"
    codes = self.argument(self.codes(shape, dtype).astype(np.int8), bytes_type)
    return self.line("arith.trunci %s : %s to %s" % (codes, bytes_type, type_))


def wrap(a, dtype):
  """Codes of an unsigned type as the signless literal of its bits."""
  if dtype.startswith("u"):
    bits = int(dtype[4:])
    return np.where(a >= 2**(bits - 1), a - 2**bits, a)
  return a


# Parameters of weights -----------------------------------------------------------


class Weights:
  """dtype, block sizes by name, and zero points or minvals; of values the dtype."""

  def __init__(self, dtype, granularity=None, offset="none", scale="f32"):
    self.dtype, self.granularity = dtype, granularity
    self.offset, self.scale = offset, scale

  def __str__(self):
    if self.dtype in VALUES:
      return self.dtype
    return "%s-%s-%s" % (self.dtype, self.granularity, self.offset)

  def params(self, m, shape, columns, reduction, ties):
    """Text of parameters for `shape`, blocks along dimension `reduction`."""
    if self.granularity == "per_tensor":
      units, how = (), "per_tensor"
    elif self.granularity == "per_channel":
      units = tuple(d if i in columns else 1 for i, d in enumerate(shape))
      how = "per_channel<[%s]>" % ", ".join(map(str, columns))
    else:
      sizes = [1 if i in columns else self.granularity if i == reduction else -1
               for i in range(len(shape))]
      units = tuple(1 if s == -1 else -(-d // s) for s, d in zip(sizes, shape))
      how = "per_block<[%s]>" % ", ".join(map(str, sizes))
    if self.scale == "f8E8M0FNU":
      scale = 2.0**m.random.integers(-8, -3, units)
    else:
      scale = quantize.round_to(m.scales(units, ties), self.scale)
    text = "<%s, %s, scale = %s" % (self.dtype, how, dense(scale, self.scale)
                                    if units else "%.9e" % scale)
    if self.offset == "minval":
      minval = -m.random.uniform(0.05, 0.3, units).astype(np.float32)
      minval = quantize.round_to(minval, self.scale)
      text += ", minval = " + (dense(minval, self.scale) if units
                               else "%.9e" % minval)
    if self.offset == "zero":
      unsigned = self.dtype.startswith("u")
      lo, hi = RANGES[self.dtype]
      z = m.random.integers(lo, hi + 1, units)
      text += ", zero_point = " + (dense(z, "ui8" if unsigned else "i8")
                                   if units else str(int(z)))
    return text + ">"

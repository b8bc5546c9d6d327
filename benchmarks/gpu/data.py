"""Data of a case: random codes, weights as the device has them, and what the result is,
by docs/numerics.md section 6 in numpy, without anything of the compiler's."""

import numpy as np

VALUES = {"f32": np.float32, "f16": np.float16}


def to_bf16(values):
  """Bits of bf16, rounded to nearest even."""
  bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
  return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
  return (bits.astype(np.uint32) << 16).view(np.float32)


def decode_e4m3(codes):
  """Values of codes of e4m3fn."""
  bits = codes.view(np.uint8).astype(np.int32)
  exponent, mantissa = bits >> 3 & 15, bits & 7
  value = np.where(exponent == 0, mantissa * 2.0**-9,
                   (8 + mantissa) * np.exp2(exponent - 10.0))
  return np.where(bits & 128, -value, value).astype(np.float32)


def random_e4m3(random, shape):
  """Codes of finite numbers."""
  codes = random.integers(0, 256, shape, np.uint8)
  codes[codes & 127 == 127] = 0
  return codes.view(np.int8)


def pack(case, layout, codes):
  """Panels: panels of columns, tuples of the reduction, columns, bytes of a group; the
  codes of a byte are a group apart."""
  width = 4 if case.weights == "int4" else 8
  per_byte = 8 // width
  panel, group = layout["panel"], layout["group"]
  tuple_size = group * per_byte
  k, n = codes.shape
  tuples, panels = -(-k // tuple_size), -(-n // panel)
  filled = np.zeros((tuples * tuple_size, panels * panel), np.uint8)
  filled[:k, :n] = (codes.astype(np.int16) + layout["offset"]).astype(np.uint8) & (2**width - 1)
  parts = filled.reshape(tuples, per_byte, group, panels, panel).transpose(3, 0, 4, 1, 2)
  if per_byte == 1:
    return np.ascontiguousarray(parts[:, :, :, 0])
  return np.ascontiguousarray(parts[:, :, :, 0] | parts[:, :, :, 1] << 4)


def gather_windows(case, image):
  """What each position of the result is a product of: a row for each."""
  windows = np.lib.stride_tricks.sliding_window_view(image, case.window,
                                                     axis=(0, 1))
  return np.ascontiguousarray(windows.transpose(0, 1, 2, 4, 5, 3)).reshape(case.m, case.k)


class Host:
  """What a result is compared with is computed here, or on the device: peers.py."""
  checks_all = False  # of products that take long

  @staticmethod
  def put(array):
    """As float64, which codes and their sums are exact in."""
    return np.asarray(array, np.float64)

  @staticmethod
  def get(values):
    return values

  @staticmethod
  def single(values):
    return np.asarray(values, np.float32)

  @staticmethod
  def round(values):
    return np.rint(values)

  @staticmethod
  def clip(values, low, high):
    return np.clip(values, low, high)


def describe(wrong, found, expected):
  """Where a matrix is wrong, for who has to find out why: how much of it, in how many rows
  and columns, which of them first, and the first value."""
  rows, columns = (np.flatnonzero(wrong.any(axis=axis)) for axis in (1, 0))
  if not len(rows):
    return None
  row, column = rows[0], np.flatnonzero(wrong[rows[0]])[0]
  return {"values": int(wrong.sum()), "rows": len(rows), "columns": len(columns),
          "first_rows": rows[:8].tolist(), "first_columns": columns[:8].tolist(),
          "found": float(found[row, column]), "expected": float(expected[row, column])}


class PackData:
  """Codes of a case, and the panels and sums that they have."""

  def __init__(self, case, layout):
    random = np.random.default_rng(1 + sum(map(ord, case.name)))
    kind = np.dtype(case.weights)
    limits = np.iinfo(kind)
    codes = random.integers(limits.min, limits.max + 1, case.shape, kind)
    by_row = codes if case.is_by_columns else codes.transpose(0, 2, 1)
    sums = by_row.sum(axis=1, dtype=np.int32)
    self.panels = np.stack([pack(case, layout, one) for one in by_row])
    self.arguments = [np.full_like(sums, 77), codes]
    # Arguments that are written beside the result.
    self.written = {0: sums}
    self.result_bytes = self.panels.nbytes
    self.where = None

  def check(self, data, rows=None, machine=Host):
    """How many bytes differ."""
    return float(np.sum(np.frombuffer(data, np.uint8) != self.panels.ravel()))


def make_data(case, layout, numbers):
  return Data(case, layout, numbers) if numbers else PackData(case, layout)


class Data:
  written = {}
  where = None  # a result is wrong

  def __init__(self, case, layout, numbers):
    random = np.random.default_rng(1 + sum(map(ord, case.name)))
    self.case, self.numbers = case, numbers
    low, high = (-8, 8) if case.weights == "int4" else (-128, 128)
    shape = (case.k, case.n)
    self.codes = random.integers(low, high, shape, np.int8)
    if case.weights == "float8_e4m3fn":
      self.codes = random_e4m3(random, shape)
    self.bias = None
    stored_shape = (case.m, case.k) if case.is_product else case.image
    if case.is_integer:
      kind = np.int8 if case.lhs == "int8" else np.uint8
      limits = np.iinfo(kind)
      self.x = random.integers(limits.min, limits.max + 1, stored_shape, kind)
      stored = self.x
    elif case.is_small_float:
      stored = random_e4m3(random, stored_shape)
      self.x = decode_e4m3(stored)
    else:
      values = random.standard_normal(stored_shape).astype(np.float32)
      if case.lhs == "bf16":
        stored = to_bf16(values)
        self.x = from_bf16(stored)
      else:
        stored = values.astype(VALUES[case.lhs])
        self.x = stored.astype(np.float32)
    if not case.is_product:
      self.x = gather_windows(case, self.x)
    self.arguments = [stored, pack(case, layout, self.codes)]
    if case.is_integer:
      self.arguments.append(self._sums())
    if case.bias:
      self.bias = random.integers(-20000, 20000, case.n, np.int32)
      self.arguments.append(self.bias)
    size = {"int8": 1, "f16": 2, "bf16": 2, "f32": 4}[case.result]
    self.result_bytes = case.m * case.n * size

  def _blocks(self):
    """The reduction in parts that share a scale."""
    size = self.case.block or self.case.k
    return [slice(begin, min(begin + size, self.case.k))
            for begin in range(0, self.case.k, size)]

  def _centred(self, block, number, machine):
    codes = self.codes[block]
    if self.case.weights == "float8_e4m3fn":
      codes = decode_e4m3(codes)
    codes = machine.put(codes)
    if self.numbers.zeros is not None:
      codes = codes - machine.put(self.numbers.zeros[number])
    return codes

  def _sums(self):
    """Sums of the weights' codes by column: of all, or of each block."""
    sums = [self.codes[block].sum(axis=0, dtype=np.int32) for block in self._blocks()]
    return np.stack(sums) if self.case.block else sums[0]

  def read_result(self, data):
    case = self.case
    if case.result == "int8":
      values = np.frombuffer(data, np.int8)
    elif case.result == "bf16":
      values = from_bf16(np.frombuffer(data, np.uint16))
    else:
      values = np.frombuffer(data, VALUES[case.result])
    return values.reshape(case.m, case.n)

  def check(self, data, rows=None, machine=Host):
    """Compares the result's bytes, in `rows` or all of them, with the definition; the
    greatest error in units of what is allowed: 0 is exact, above 1 is wrong."""
    case, numbers = self.case, self.numbers
    if rows is None:
      rows = slice(None)
    result = machine.put(self.read_result(data)[rows])
    x = machine.put(self.x[rows]) - float(numbers.lhs_zero)
    if case.is_integer and not case.block:
      sums = x @ self._centred(slice(None), 0, machine)
      if self.bias is not None:
        sums = sums + machine.put(self.bias)
      scale = np.float64(numbers.lhs_scale) * numbers.scales[0].astype(np.float64)
      if case.result == "int8":
        scale /= np.float64(numbers.result_scale)
      expected = machine.single(sums) * machine.single(machine.put(scale))
      if case.result == "int8":
        expected = machine.clip(machine.round(expected) + numbers.result_zero, -128, 127)
      wrong = result != expected
      return self._judge(wrong, float(wrong.any()), result, expected, machine)
    # Sums in any order of binary32, within a share of the sum of magnitudes.
    total, bound = 0.0, 0.0
    for number, block in enumerate(self._blocks()):
      weights = self._centred(block, number, machine)
      scale = machine.put(numbers.scales[number])
      part = (x[:, block] @ weights) * scale
      total = total + part
      bound = bound + (abs(part) if case.is_integer else
                       (abs(x[:, block]) @ abs(weights)) * scale)
    if case.is_integer or case.is_small_float:
      total = total * float(numbers.lhs_scale)
      bound = bound * float(numbers.lhs_scale)
    share = 1e-5 if case.is_integer else (case.k + 8) * 2.0**-23
    allowed = share * bound + 1e-30
    if case.result in ("f16", "bf16"):
      allowed = allowed + abs(total) * (2.0**-11 if case.result == "f16" else 2.0**-8)
    error = abs(result - total) / allowed
    # What is no number is no less than 1, either.
    return self._judge(~(error <= 1), float(error.max()), result, total, machine)

  def _judge(self, wrong, error, found, expected, machine):
    if bool(wrong.any()):
      self.where = describe(*(machine.get(values) for values in (wrong, found, expected)))
    return error

"""What is measured on a GPU, and the module that each case is compiled from.

A case is a product of an m x k matrix of activations and constant weights of k x n, or a
convolution: rows are positions then, and the reduction is groups of channels, the window,
the channels of a group. Its module has buffers as arguments, weights among them in the
layout that the compiler chooses, so that kernels do not hold the weights. A case of packing
is codes that are computed, which become such a layout.
"""

import dataclasses
import re

try:
  import numpy as np
except ImportError:
  import sys
  sys.exit("error: expected a Python with numpy, found none in %s: call this script by "
           "another one, such as /usr/bin/python3" % sys.executable)


@dataclasses.dataclass(frozen=True)
class Case:
  work: str  # kind of product
  m: int
  n: int
  k: int
  lhs: str = "int8"  # int8, uint8, float8_e4m3fn, or values: f32, f16, bf16
  weights: str = "int8"  # int8, int4, float8_e4m3fn
  block: int = 0  # weights that share a scale, along k; 0: all of a column
  result: str = "f32"  # f32, f16, bf16 or int8
  asymmetric: bool = False  # zero points on both sides
  bias: bool = False
  timed: bool = True  # else only checked
  image: tuple = ()  # of a convolution: height, width, groups of channels, their channels
  window: tuple = ()  # height and width

  @property
  def name(self):
    return "%s %dx%dx%d" % (self.work, self.m, self.n, self.k)

  @property
  def is_product(self):
    return not self.window

  @property
  def weights_shape(self):
    """Of which the last dimension is columns, the others are the reduction, in order."""
    if self.is_product:
      return self.k, self.n
    groups, channels = self.image[2:]
    return (groups, *self.window, channels, self.n)

  @property
  def result_shape(self):
    if self.is_product:
      return self.m, self.n
    return (*(a - b + 1 for a, b in zip(self.image, self.window)), self.n)

  @property
  def stem(self):
    return re.sub(r"\W+", "-", self.name)

  @property
  def turn(self):
    """What is run first: what is timed."""
    return 0 if self.timed else 2

  @property
  def is_integer(self):
    return self.lhs in ("int8", "uint8")

  @property
  def is_small_float(self):
    return self.lhs == "float8_e4m3fn"

  @property
  def operations(self):
    return 2 * self.m * self.n * self.k

  @property
  def weight_bytes(self):
    """Packed codes and scales, once."""
    bits = 4 if self.weights == "int4" else 8
    scales = self.n * (-(-self.k // self.block) if self.block else 1)
    return self.n * self.k * bits // 8 + 4 * scales


@dataclasses.dataclass(frozen=True)
class PackCase:
  """Codes that are computed, as panels with the sums of their columns: `n` columns of `k`
  in each of `batches` heads. Of keys, the reduction follows each other in memory, of
  values, columns do."""
  work: str  # pack keys, pack values
  batches: int
  n: int
  k: int
  weights: str = "int8"  # or uint8
  timed: bool = True

  is_integer, is_product, block, operations = True, False, 0, 0

  @property
  def name(self):
    return "%s %s %dx%dx%d" % (self.work, self.weights, self.batches, self.n, self.k)

  stem = Case.stem

  @property
  def turn(self):
    return 1 if self.timed else 2

  @property
  def is_by_columns(self):
    return self.work == "pack values"

  @property
  def shape(self):
    return (self.batches, self.k, self.n) if self.is_by_columns else (
        self.batches, self.n, self.k)

  @property
  def weight_bytes(self):
    """Read and written, without what fills up panels."""
    return self.batches * self.n * (2 * self.k + 4)


def pack_cases():
  cases = [PackCase(work, batches, n, k, dtype, timed=False)
           for work in ("pack keys", "pack values")
           for batches, n, k, dtype in [(2, 70, 100, "int8"), (1, 130, 33, "uint8"),
                                        (3, 68, 256, "uint8"), (1, 16, 2000, "int8")]]
  for batches, tokens in (32, 4096), (1, 8192):
    cases += [PackCase("pack keys", batches, tokens, 128),
              PackCase("pack values", batches, 128, tokens)]
  return cases


def convolution(image, window, n, **options):
  """`image`: height, width, channels; with `is_blocked`, 32 channels share a scale."""
  height, width, channels = image
  is_blocked = options.pop("is_blocked", False)
  inner = 32 if is_blocked else channels
  of_window = window[0] * window[1]
  work = "%s x %s conv %dx%d of %dx%dx%d" % (options.get("lhs", "int8"),
                                             options.get("weights", "int8"), *window, *image)
  return Case(work + " blocks" * is_blocked,
              (height - window[0] + 1) * (width - window[1] + 1), n, of_window * channels,
              block=of_window * inner if is_blocked else 0,
              image=(height, width, channels // inner, inner), window=window, **options)


def convolution_cases():
  cases = []
  for image, window, n in [((7, 9, 64), (3, 3), 70), ((12, 20, 96), (1, 3), 130),
                           ((3, 4, 128), (2, 2), 40)]:
    for lhs in "int8", "uint8", "f16":
      few = dict(lhs=lhs, timed=False)
      cases += [convolution(image, window, n, asymmetric=lhs == "uint8", **few),
                convolution(image, window, n, weights="int4", asymmetric=True,
                            is_blocked=True, **few)]
  for lhs in "int8", "f16":
    cases.append(convolution((58, 58, 256), (3, 3), 256, lhs=lhs, result=lhs))
    cases.append(convolution((58, 58, 256), (3, 3), 256, lhs=lhs, weights="int4",
                             is_blocked=True))
  return cases


def all_cases():
  cases = pack_cases() + convolution_cases()
  # Ragged and small, for numbers only.
  for m, n, k in [(1, 96, 160), (3, 40, 100), (17, 72, 96), (40, 200, 1056), (70, 130, 100),
                  (130, 200, 320), (300, 4300, 100)]:
    cases += [
        Case("int8", m, n, k, timed=False),
        Case("int8 zero points", m, n, k, lhs="uint8", result="int8", asymmetric=True,
             bias=True, timed=False),
        Case("int4", m, n, k, weights="int4", timed=False),
    ]
  for m, n, k in [(1, 96, 160), (5, 40, 96), (17, 72, 96), (40, 200, 1056), (130, 200, 320)]:
    for block in 32, 64:
      if k % block:
        continue
      cases += [
          Case("int4 block %d" % block, m, n, k, weights="int4", block=block, timed=False),
          Case("int4 block %d zero points" % block, m, n, k, weights="int4", block=block,
               asymmetric=True, timed=False),
      ]
  for m, n, k in [(1, 96, 160), (5, 40, 96), (17, 72, 96), (40, 200, 1056), (130, 200, 320)]:
    for lhs in "f16", "bf16", "f32":
      values = dict(lhs=lhs, timed=False)
      cases += [
          Case(lhs + " x int8", m, n, k, result=lhs, **values),
          Case(lhs + " x int4 zero points", m, n, k, weights="int4", asymmetric=True,
               **values),
          Case(lhs + " x int4 block 32", m, n, k, weights="int4", block=32,
               asymmetric=True, **values),
      ]
    cases.append(Case("fp8", m, n, k, lhs="float8_e4m3fn", weights="float8_e4m3fn",
                      timed=False))
  for size in 1024, 4096, 8192:
    cases.append(Case("int8", size, size, size, result="int8"))
  cases.append(Case("int8 to f32", 8192, 8192, 8192))
  cases.append(Case("int8 zero points", 4096, 4096, 4096, lhs="uint8", result="int8",
                    asymmetric=True, bias=True))
  for m in 16, 64, 128, 512:
    cases.append(Case("int4 block 32", m, 8192, 8192, weights="int4", block=32))
    cases.append(Case("int4 block 128", m, 8192, 8192, weights="int4", block=128))
  cases.append(Case("int4", 4096, 4096, 4096, weights="int4"))
  cases.append(Case("int4 block 128", 4096, 4096, 4096, weights="int4", block=128))
  for m in 1, 8, 16, 64, 128, 512:
    for block in 32, 128:
      cases.append(Case("f16 x int4 block %d" % block, m, 8192, 8192, lhs="f16",
                        weights="int4", block=block, result="f16"))
    cases.append(Case("f16 x int8", m, 8192, 8192, lhs="f16", result="f16"))
  for m in 1, 8:
    cases.append(Case("f32 x int4 block 32", m, 8192, 8192, lhs="f32", weights="int4",
                      block=32))
  for lhs in "f16", "f32":
    cases.append(Case(lhs + " x int4 block 128", 4096, 4096, 4096, lhs=lhs, weights="int4",
                      block=128, result=lhs))
  cases.append(Case("fp8", 8192, 8192, 8192, lhs="float8_e4m3fn", weights="float8_e4m3fn",
                    result="bf16"))
  for m in 1, 4, 8:
    cases.append(Case("int4 block 32", m, 8192, 8192, weights="int4", block=32))
    cases.append(Case("int8", m, 8192, 8192))
  return cases


def hexadecimal(values):
  return 'dense<"0x%s">' % np.ascontiguousarray(values).tobytes().hex().upper()


class Numbers:
  """Scales and zero points of a case: the same wherever they are asked for."""

  def __init__(self, case):
    random = np.random.default_rng(sum(map(ord, case.name)))
    blocks = -(-case.k // case.block) if case.block else 1
    self.lhs_scale, self.result_scale = np.float32(0.03), np.float32(0.9)
    self.lhs_zero = 5 if case.asymmetric and case.is_integer else 0
    self.result_zero = -3 if case.result == "int8" else 0
    # Few values that come again, so that they compress: not where a tile's columns do.
    choices = random.uniform(0.004, 0.02, 16).astype(np.float32)
    self.scales = np.resize(choices[random.integers(0, 16, (blocks, 1021))].T,
                            (case.n, blocks)).T
    self.zeros = None
    if case.asymmetric and case.weights in ("int8", "int4"):
      self.zeros = random.integers(-8, 8, (blocks, case.n)).astype(np.int8)
    self.result_scale *= np.float32(np.sqrt(case.k))


def weights_text(case, numbers, k):
  """Parameters of the weights of the first `k` of the reduction."""
  last = len(case.weights_shape) - 1
  granularity = "per_channel<[%d]>" % last
  scales, zeros = numbers.scales, numbers.zeros
  if case.block:
    granularity = "per_block<[%s, 1]>" % (case.block if case.is_product else "1, -1, -1, -1")
    count = -(-k // case.block)
    scales = scales[:count]
    zeros = zeros[:count] if zeros is not None else None
  shape = "%dx%s%d" % (scales.shape[0], "1x" * (last - 1), scales.shape[1])
  text = "%s, %s, scale = %s : tensor<%sxf32>" % (case.weights, granularity,
                                                  hexadecimal(scales), shape)
  if zeros is not None:
    text += ", zero_point = %s : tensor<%sxi8>" % (hexadecimal(zeros), shape)
  return "<%s>" % text


def element(name, kind):
  """Buffers have codes of fp8 as bytes."""
  names = {"int8": "i8", "uint8": "i8", "int4": "i4",
           "float8_e4m3fn": "i8" if kind == "memref" else "f8E4M3FN"}
  return names.get(name, name)


def operands_text(case, numbers, k, kind, rhs):
  """quant.contract on tensors or buffers (`kind`)."""
  shaped = lambda shape, name: "%s<%sx%s>" % (kind, "x".join(map(str, shape)),
                                              element(name, kind))
  lhs_type = shaped((case.m, k) if case.is_product else case.image, case.lhs)
  init_type = shaped(case.result_shape, case.result)
  lhs = "%x"
  if case.is_integer:
    lhs += " as <%s, per_tensor, scale = %.9e, zero_point = %d>" % (
        case.lhs, numbers.lhs_scale, numbers.lhs_zero)
  elif case.is_small_float:
    lhs += " as <%s, per_tensor, scale = %.9e>" % (case.lhs, numbers.lhs_scale)
  init = "%y"
  if case.result == "int8":
    init += " as <int8, per_tensor, scale = %.9e, zero_point = %d>" % (
        numbers.result_scale, numbers.result_zero)
  text = "quant.contract lhs(%s : %s) rhs(%s) " % (lhs, lhs_type, rhs)
  if case.bias:
    text += "bias(%%b : %s<%dxi32>) " % (kind, case.n)
  text += "outs(%s : %s) maps [#x, #w, %s#y]" % (init, init_type,
                                                "#b, " if case.bias else "")
  return text, lhs_type, init_type


def maps_text(case):
  loops, lhs, rhs, result = "m, n, k", "m, k", "k, n", "m, n"
  if not case.is_product:
    loops, lhs = "h, w, n, g, i, j, c", "h + i, w + j, g, c"
    rhs, result = "g, i, j, c, n", "h, w, n"
  return "".join("#%s = affine_map<(%s) -> (%s)>\n" % (name, loops, operand)
                 for name, operand in zip("xwby", (lhs, rhs, "n", result)))


def pack_probe_module(case):
  """A product with codes that are computed, to see how the compiler lays them out."""
  maps = [(0, 1, 3), (0, 3, 2) if case.is_by_columns else (0, 2, 3), (0, 1, 2)]
  maps = ["affine_map<(d0, d1, d2, d3) -> (%s)>" % ", ".join("d%d" % d for d in m)
          for m in maps]
  lhs, rhs, result = "%dx64x%dxi8" % (case.batches, case.k), "%dx%dx%dxi8" % case.shape, (
      "%dx64x%dxf32" % (case.batches, case.n))
  return """func.func @probe(%%x: tensor<%s>, %%w: tensor<%s>, %%y: tensor<%s>) -> tensor<%s> {
  %%r = quant.contract lhs(%%x as <int8, per_tensor, scale = 1.0> : tensor<%s>)
    rhs(%%w as <%s, per_tensor, scale = 1.0> : tensor<%s>) outs(%%y : tensor<%s>)
    maps [%s] -> tensor<%s>
  return %%r : tensor<%s>
}
""" % (lhs, rhs, result, result, lhs, case.weights, rhs, result, ", ".join(maps), result,
       result)


def pack_module(case, layout, packed_bytes):
  """The case on buffers: sums of columns, codes, panels."""
  codes = "memref<%dx%dx%dxi8>" % case.shape
  sums, panels = "memref<%dx%dxi32>" % (case.batches, case.n), "memref<%dxi8>" % packed_bytes
  return """func.func @kernel(%%s: %s, %%x: %s, %%y: %s) {
  quant.pack_columns ins(%%x as <%s, per_tensor> : %s) in %s outs(%%y, %%s : %s, %s)
  return
}
""" % (sums, codes, panels, case.weights, codes, layout, panels, sums)


def probe_module(case, numbers, k):
  """The case with `k` of its reduction and constant weights, to see how the compiler lays
  them out."""
  code = element(case.weights, "tensor")
  one = "1.0" if code[0] == "f" else "1"
  shape = (k, case.n) if case.is_product else case.weights_shape
  weights_type = "tensor<%sx%s>" % ("x".join(map(str, shape)), code)
  rhs = "%%c as %s : %s" % (weights_text(case, numbers, k), weights_type)
  text, lhs_type, init_type = operands_text(case, numbers, k, "tensor", rhs)
  bias = ", %%b: tensor<%dxi32>" % case.n if case.bias else ""
  return maps_text(case) + """func.func @probe(%%x: %s, %%y: %s%s) -> %s {
  %%c = arith.constant dense<%s> : %s
  %%r = %s -> %s
  return %%r : %s
}
""" % (lhs_type, init_type, bias, init_type, one, weights_type, text, init_type, init_type)


def case_module(case, numbers, layout, packed_bytes, sums_shape):
  """The case on buffers: x, weights, the sums of their columns, the bias, y."""
  sums = ""
  if sums_shape:
    sums = " sums %%s : memref<%sxi32>," % sums_shape
  rhs = "%%w as %s in %s%s : memref<%dxi8>" % (weights_text(case, numbers, case.k), layout,
                                               sums, packed_bytes)
  text, lhs_type, init_type = operands_text(case, numbers, case.k, "memref", rhs)
  arguments = ["%%x: %s" % lhs_type, "%%w: memref<%dxi8>" % packed_bytes]
  if sums_shape:
    arguments.append("%%s: memref<%sxi32>" % sums_shape)
  if case.bias:
    arguments.append("%%b: memref<%dxi32>" % case.n)
  arguments.append("%%y: %s" % init_type)
  return maps_text(case) + """func.func @kernel(%s) {
  %s
  return
}
""" % (", ".join(arguments), text)

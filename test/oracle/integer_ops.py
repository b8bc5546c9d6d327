"""The operations of the integer form for evaluate.py, in numpy.

quant.contract, add, mul and pool after section 6 of docs/numerics.md: integers
are exact (in float64, far from 2^53), every other step is one np.float32
operation. Importing this module adds them to ops.OPS.

OUTCOMES has, for every one evaluated since it was last cleared, the result and its
ends: where section 6 leaves the order of a sum open, what any order may give, else
the result itself. Integer codes are as their type means them (uint8: 0 to 255).
"""

import collections

import numpy as np
from numpy.lib.stride_tricks import as_strided

import ops
import quantize
import quant_ops
from mlir_text import int_width, linear

F32, F64 = np.float32, np.float64
Outcome = collections.namedtuple("Outcome", "value low high")
OUTCOMES = []

# Maps and loops ------------------------------------------------------------------


def loop_of(expr):
  return expr[1] if expr[0] == "d" else None


def loop_sizes(maps, shapes, padding, known=()):
  sizes = dict(known)
  for i, (amap, shape) in enumerate(zip(maps, shapes)):
    for dim, expr in enumerate(amap.results):
      padded = i == 0 and padding and any(padding[2 * dim:2 * dim + 2])
      if loop_of(expr) is not None and not padded:
        sizes.setdefault(loop_of(expr), shape[dim])
  return [sizes[i] for i in range(maps[-1].num_dims)]


def pad(a, padding, value):
  if not padding:
    return a
  return np.pad(a, list(zip(padding[::2], padding[1::2])), constant_values=value)


def view(a, amap, sizes):
  """`a` with one axis per loop of its map, and those loops."""
  a = np.ascontiguousarray(a)
  strides, offset = [0] * len(sizes), 0
  used = set()
  for expr, stride in zip(amap.results, a.strides):
    factors, constant = linear(expr, len(sizes))
    offset += constant * stride // a.itemsize
    for i, factor in enumerate(factors):
      strides[i] += factor * stride
      used |= {i} if factor else set()
  used = sorted(used)
  flat = a.reshape(-1)[offset:]
  return as_strided(flat, [sizes[i] for i in used],
                    [strides[i] for i in used]), used


def spread(a, loops, result):
  """`a`, whose axes are `loops`, with axes of the loops `result`."""
  a = np.transpose(a, np.argsort([result.index(i) for i in loops]))
  shape = iter(a.shape)
  return a.reshape([next(shape) if i in loops else 1 for i in result])


def to_result(a, amap, result):
  return spread(np.asarray(a), [loop_of(e) for e in amap.results], result)


# Parameters ------------------------------------------------------------------------


class Params(quant_ops.Affine):

  def __init__(self, raw):
    super().__init__(raw.text)
    self.integer = not self.dtype.startswith("float")

  @property
  def scale(self):
    return F32(np.asarray(self.values["scale"]).reshape(()))

  @property
  def zero_point(self):
    return float(np.asarray(self.values.get("zero_point", 0)).reshape(()))

  def codes(self, a):
    """As the type means them, in float64."""
    if self.dtype.startswith("u"):
      a = np.asarray(a, np.int64) & (2**int(self.dtype[4:]) - 1)
    return np.asarray(a, F64)

  def of_elements(self, name, shape):
    """A parameter at every element of a tensor, or None."""
    if name not in self.values:
      return None
    sizes = self.block_sizes(shape)
    units = [-(-d // s) for d, s in zip(shape, sizes)]
    # As the attribute has it: what its text says is rounded once.
    a = np.asarray(self.values[name], F64 if name == "zero_point" else F32)
    a = a.astype(F64).reshape(units)
    if name == "zero_point" and self.dtype.startswith("u"):
      a = np.where(a < 0, a + 256, a)
    return a[np.ix_(*[np.arange(d) // s for d, s in zip(shape, sizes)])]

  def bounded(self, low, high):
    """The range in use, narrower by bounds on values."""
    def code(bound):
      v = float(F32(F64(F32(bound)) / F64(self.scale)))
      v = np.rint(v) + self.zero_point if self.integer else v
      return min(max(v, self.range[0]), self.range[1])
    return (self.range[0] if low is None else code(low),
            self.range[1] if high is None else code(high))

  def requantize(self, v, bounds):
    """clamp(R(v) + z), or the value of the float code."""
    v = np.where(np.isnan(v), F32(0), v)
    v = np.clip(v.astype(F64), bounds[0] - self.zero_point,
                bounds[1] - self.zero_point)
    if self.integer:
      return np.rint(v) + self.zero_point
    return quantize.float_decode(quantize.float_encode(v, self.dtype), self.dtype)


def attr(op, name, make=lambda x: x):
  return make(op.attrs[name]) if name in op.attrs else None


def multiplier(sx, sw, sy):
  m = F64(sx) * np.asarray(sw, F64)
  return (m if sy is None else m / F64(sy)).astype(F32)


# Contraction -------------------------------------------------------------------------


def unpack_panels(data, layout):
  raise NotImplementedError("rhs in " + layout.text)


class Contract:

  def __init__(self, op, operands):
    names = ("lhs", "scale", "zero_point", "rhs", "rhs_scale", "rhs_zero_point", "sums",
             "bias", "residual", "init")
    self.op = op
    present = [n for n, count in zip(names, op.attrs["operandSegmentSizes"]) if count]
    self.types = dict(zip(present, op.operand_types))
    self.operands = dict(zip(present, operands))
    self.lhs_params, self.rhs_params, self.init_params, self.residual_params = (
        attr(op, n + "_params", Params) for n in ("lhs", "rhs", "init", "residual"))
    if "layout" in op.attrs:
      unpack_panels(self.operands["rhs"], op.attrs["layout"])
    mapped = [n for n in ("lhs", "rhs", "bias", "residual", "init") if n in present]
    self.maps = dict(zip(mapped, op.attrs["maps"]))
    self.padding = attr(op, "padding")
    self.sizes = loop_sizes(op.attrs["maps"], [self.operands[n].shape for n in mapped],
                            self.padding)
    self.result = [loop_of(e) for e in self.maps["init"].results]
    self.shape = [self.sizes[i] for i in self.result]
    self.rhs_loops = [loop_of(e) for e in self.maps["rhs"].results]
    self.integer = bool(self.lhs_params and self.lhs_params.integer and
                        self.rhs_params and self.rhs_params.integer)
    self.sy = self.init_params.scale if self.init_params else None

  def centred_lhs(self):
    x = self.operands["lhs"]
    if not self.lhs_params:
      return np.asarray(x, F64)
    x = self.lhs_params.codes(x)
    if "scale" not in self.operands:
      return x - self.lhs_params.zero_point
    return x - np.asarray(self.operands.get("zero_point", 0), F64)

  def sum(self, x, w, reduction=None, span=None):
    """Products summed over reductions, those of one loop over a span only."""
    (x, x_loops), w_loops = x, self.rhs_loops
    if reduction is not None:
      x = np.take(x, range(*span), x_loops.index(reduction))
      w = np.take(w, range(*span), w_loops.index(reduction))
    total = np.einsum(x, x_loops, w, w_loops, self.result_in(x_loops, w_loops),
                      optimize=True)
    return np.broadcast_to(spread(total, self.result_in(x_loops, w_loops),
                                  self.result), self.shape)

  def result_in(self, *loops):
    return [i for i in self.result if any(i in some for some in loops)]

  def of_columns(self, a, at=0, reduction=None):
    """A parameter at every element of rhs as one of the result's."""
    index = [slice(None) if loop in self.result else at if loop == reduction else 0
             for loop in self.rhs_loops]
    return spread(a[tuple(index)], [i for i in self.rhs_loops if i in self.result],
                  self.result)

  def of_rows(self, a):
    """A scale operand: one number, or one for each row."""
    a = np.asarray(a, F64)
    if a.ndim == 0:
      return a
    loops = [loop_of(e) if d != 1 else None
             for e, d in zip(self.maps["lhs"].results, a.shape)]
    return spread(a.reshape([d for d in a.shape if d != 1]),
                  [i for i in loops if i is not None], self.result)

  def scaled_sums(self):
    """The sums times their multipliers, in binary32, and how far another order of
    adding may be from them."""
    scale = zero_point = minval = None
    if self.rhs_params:
      w = self.rhs_params.codes(self.operands["rhs"])
      scale, zero_point, minval = (self.rhs_params.of_elements(name, w.shape) for name in
                                   ("scale", "zero_point", "minval"))
      if "rhs_scale" in self.operands:  # one number, or one for each column
        scale, zero_point = (np.broadcast_to(np.asarray(self.operands.get(name, 0), F64),
                                             w.shape)
                             for name in ("rhs_scale", "rhs_zero_point"))
    else:
      w = np.asarray(self.operands["rhs"], F64)
    lhs_scale = (self.of_rows(self.operands["scale"]) if "scale" in self.operands
                 else self.lhs_params.scale if self.lhs_params else F32(1))
    x = view(pad(self.centred_lhs(), self.padding, 0), self.maps["lhs"], self.sizes)
    w = w - (self.rhs_params.range[0] if minval is not None else
             0 if zero_point is None else zero_point)
    if not self.integer:
      if scale is not None:
        w = w.astype(F32) * scale.astype(F32)
      if minval is not None:
        w = w + minval.astype(F32)
      m = multiplier(lhs_scale, 1, self.sy)
      total = self.sum(x, w.astype(F64))
      size = np.prod([self.sizes[i] for i in self.rhs_loops if i not in self.result])
      error = self.sum((np.abs(x[0]), x[1]), np.abs(w.astype(F64)))
      return total.astype(F32) * m, error * np.abs(m) * (size + 8) * 2.0**-23

    sizes = self.rhs_params.block_sizes(w.shape)
    blocked = [(loop, size, d) for loop, size, d in
               zip(self.rhs_loops, sizes, w.shape)
               if loop not in self.result and size < d]
    loop, size, length = blocked[0] if blocked else (None, 1, 1)
    total, error = None, 0
    for start in range(0, length, size):
      span = (start, min(start + size, length))
      acc = self.sum(x, w, loop, span)
      assert "wide" in self.op.attrs or np.all(np.abs(acc) < 2**31), "overflow"
      if "bias" in self.operands and self.types["bias"].element == "i32":
        acc = acc + to_result(self.operands["bias"], self.maps["bias"], self.result)
      m = multiplier(lhs_scale, self.of_columns(scale, start, loop), self.sy)
      terms = [acc.astype(F32) * m]
      if minval is not None:
        m = multiplier(lhs_scale, self.of_columns(minval, start, loop), self.sy)
        rows = self.sum(x, np.ones_like(w), loop, span)
        terms.append(rows.astype(F32) * m)
      block = terms[0] if len(terms) == 1 else terms[0] + terms[1]
      total = block if total is None else total + block
      if blocked:
        error = error + 1e-5 * sum(np.abs(t.astype(F64)) for t in terms)
    return total, error

  def finish(self, v):
    """Bias, residual, bounds and rounding; monotone in v."""
    op, params = self.op, self.init_params
    low, high = attr(op, "low"), attr(op, "high")
    if "bias" in self.operands and self.types["bias"].element == "f32":
      bias = to_result(self.operands["bias"], self.maps["bias"], self.result)
      bias = np.asarray(bias, F64)
      v = v + (bias if params is None else bias / F64(self.sy)).astype(F32)
    if "residual" in self.operands:
      r = to_result(self.operands["residual"], self.maps["residual"], self.result)
      if self.residual_params:
        p = self.residual_params
        r = (p.codes(r) - p.zero_point).astype(F32) * multiplier(p.scale, 1, self.sy)
      elif params is not None:
        r = np.asarray(r, F64) / F64(self.sy)
      v = v + np.asarray(r, F32)
    if params is not None:
      return params.requantize(v, params.bounded(low, high))
    v = v if low is None else np.where(v < F32(low), F32(low), v)
    v = v if high is None else np.where(v > F32(high), F32(high), v)
    return quantize.round_to(v, self.types["init"].element)

  def run(self):
    v, error = self.scaled_sums()
    if np.all(error == 0):
      y = self.finish(v)
      return Outcome(y, y, y)
    down, up = v.astype(F64) - error, v.astype(F64) + error
    down = np.nextafter(down.astype(F32), F32(-np.inf))
    up = np.nextafter(up.astype(F32), F32(np.inf))
    return Outcome(self.finish(v), self.finish(down), self.finish(up))


# Elementwise and pools --------------------------------------------------------------


def elementwise(op, operands, combine):
  lhs, rhs, out = (Params(op.attrs[n + "_params"]) for n in ("lhs", "rhs", "init"))
  maps = op.attrs["maps"]
  result = [loop_of(e) for e in maps[-1].results]
  a, b = (to_result(p.codes(x) - p.zero_point, m, result)
          for p, x, m in zip((lhs, rhs), operands, maps))
  y = out.requantize(combine(a, b, lhs.scale, rhs.scale, out.scale),
                     out.bounded(attr(op, "low"), attr(op, "high")))
  y = np.broadcast_to(y, operands[-1].shape)
  return Outcome(y, y, y)


def add(a, b, sa, sb, sy):
  return a.astype(F32) * multiplier(sa, 1, sy) + b.astype(F32) * multiplier(sb, 1, sy)


def mul(a, b, sa, sb, sy):
  return (a * b).astype(F32) * multiplier(sa, sb, sy)


def pool(op, operands):
  params, maps, padding = Params(op.attrs["params"]), op.attrs["maps"], attr(op, "padding")
  x = params.codes(operands[0])
  result = [loop_of(e) for e in maps[1].results]
  window = [i for i in range(maps[0].num_dims) if i not in result]
  known = {i: n for i, n in zip(window, op.attrs["window"]) if n != -1}
  sizes = loop_sizes(maps, [x.shape, operands[1].shape], padding, known)
  bounds = params.bounded(attr(op, "low"), attr(op, "high"))

  def reduce(a, outside, how):
    a, loops = view(pad(a, padding, outside), maps[0], sizes)
    a = how(a, axis=tuple(loops.index(i) for i in window))
    return spread(a, [i for i in loops if i in result], result)

  if op.attrs["kind"] == 1:
    y = np.clip(reduce(x, -np.inf, np.max), *bounds)
  else:
    total = reduce(x - params.zero_point, 0, np.sum)
    inside = 1 if attr(op, "count_padding") else 0
    count = reduce(np.ones_like(x), inside, np.sum)
    with np.errstate(all="ignore"):
      y = params.requantize(total.astype(F32) / count.astype(F32), bounds)
  return Outcome(y, y, y)


# Registration -------------------------------------------------------------------------


def over_samples(run):
  """Values carry a leading sample axis: runs once for each sample."""

  def evaluate(op, values):
    count = max(v.shape[0] for v in values)
    outcomes = [run(op, [v[s if v.shape[0] > 1 else 0] for v in values])
                for s in range(count)]
    OUTCOMES.append(Outcome(*[np.stack(part) for part in zip(*outcomes)]))
    y = OUTCOMES[-1].value
    return y.astype(np.int64) if int_width(op.result_types[0].element) else y

  return evaluate


ops.OPS.update({
    "quant.contract": over_samples(lambda op, v: Contract(op, v).run()),
    "quant.add": over_samples(lambda op, v: elementwise(op, v, add)),
    "quant.mul": over_samples(lambda op, v: elementwise(op, v, mul)),
    "quant.pool": over_samples(pool),
})

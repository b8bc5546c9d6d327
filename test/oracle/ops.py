"""Operations without regions, as numpy functions: OPS[name] = fn(op, operands).

Every value has one leading axis of extent 1 or B: B samples evaluated at once,
1 where all samples share the value. A `tensor<4x5xf32>` is an array (B|1, 4, 5),
a scalar an array (B|1,); inside a linalg body the axes after the first are the
iteration space. A function returns one array, or a list with one per result;
the interpreter then rounds and wraps them to the result types, so that functions
need not. Further operations are added by assignment:

    OPS["my.op"] = lambda op, operands: operands[0] * 2
"""

import math

import numpy as np

from mlir_text import SMALL_FLOATS, Dense, affine_eval, int_width, is_float
from quantize import FLOAT_FORMATS, float_decode, float_encode, round_bf16

OPS = {}
DYNAMIC = -(2**63)  # ShapedType::kDynamic in static_... arrays


def simple(**table):
  for name, fn in table.items():
    OPS[name.replace("__", ".")] = lambda op, v, fn=fn: fn(*v)


# arith -----------------------------------------------------------------------


def constant(op, _):
  value = op.attrs["values" if op.name.startswith("tosa.") else "value"]
  type_ = op.result_types[0]
  if isinstance(value, Dense):
    return value.values[None]
  dtype = (float if is_float(type_.element) else
           bool if type_.element == "i1" else np.int64)
  return np.array([value], dtype)


def unsigned(a, op, index=0):
  """The unsigned reading of an integer operand, as uint64."""
  width = int_width(op.operand_types[index].element)
  a = np.asarray(a, np.int64).view(np.uint64)
  return a & np.uint64(2**width - 1)


def unsigned_op(fn):
  return lambda op, v: fn(*[unsigned(a, op, i) for i, a in enumerate(v)])


def signed_div(a, b):
  """Truncating division."""
  q = np.abs(a) // np.maximum(np.abs(b), 1)
  return np.where((a < 0) != (b < 0), -q, q)


def shift(fn):
  return lambda op, v: np.where(
      unsigned(v[1], op, 1) < int_width(op.operand_types[0].element),
      fn(op, v[0], np.clip(v[1], 0, 63)), 0)


def maxnum(pick):
  return lambda a, b: np.where(np.isnan(a), b, np.where(np.isnan(b), a,
                                                        pick(a, b)))


def compare(op, v):
  a, b = v
  predicate = op.attrs["predicate"]
  if op.name == "arith.cmpf":
    unordered = np.isnan(a) | np.isnan(b)
    test = {0: np.equal, 1: np.equal, 2: np.greater, 3: np.greater_equal,
            4: np.less, 5: np.less_equal, 6: np.not_equal}
    if predicate in (0, 15):
      return np.full(np.broadcast(a, b).shape, predicate == 15)
    if predicate in (7, 14):
      return unordered == (predicate == 14)
    if predicate < 7:
      return test[predicate](a, b) & ~unordered
    return test[predicate - 7](a, b) | unordered
  if predicate >= 6:
    a, b = unsigned(a, op), unsigned(b, op, 1)
    predicate -= 4
  return {0: np.equal, 1: np.not_equal, 2: np.less, 3: np.less_equal,
          4: np.greater, 5: np.greater_equal}[predicate](a, b)


def select(c, a, b):
  """A scalar condition may choose between tensors."""
  c = c.reshape(c.shape + (1,) * (np.ndim(a) - c.ndim))
  return np.where(c, a, b)


def float_to_int(a):
  return np.trunc(np.where(np.isfinite(a), a, 0)).astype(np.int64)


def bitcast(op, v):
  source, target = op.operand_types[0].element, op.result_types[0].element
  names = {"f64": ("f8", "i8"), "f32": ("f4", "i4"), "f16": ("f2", "i2")}
  if source in names and int_width(target):
    f, i = names[source]
    return np.ascontiguousarray(v[0], f).view(i).astype(np.int64)
  if target in names and int_width(source):
    f, i = names[target]
    return np.ascontiguousarray(v[0], "i8").astype(i).view(f).astype(float)
  if target == "bf16":
    bits = (np.asarray(v[0], np.int64) & 0xFFFF).astype(np.uint32) << 16
    return bits.view(np.float32).astype(float)
  if source == "bf16":
    return (np.ascontiguousarray(v[0], "f4").view(np.uint32) >> 16).astype(
        np.int64)
  if source in SMALL_FLOATS:
    return float_encode(v[0], SMALL_FLOATS[source]).astype(np.int64)
  if target in SMALL_FLOATS:
    bits = 4 if target.startswith("f4") else 8
    return float_decode(np.asarray(v[0]) & (2**bits - 1), SMALL_FLOATS[target])
  return v[0]


OPS["arith.constant"] = OPS["tosa.const"] = constant
# Left behind, unused, by the lowering of tosa.reshape.
OPS["tosa.const_shape"] = constant
OPS["arith.cmpf"] = OPS["arith.cmpi"] = compare
OPS["arith.bitcast"] = OPS["tensor.bitcast"] = bitcast
simple(
    arith__addf=np.add, arith__subf=np.subtract, arith__mulf=np.multiply,
    arith__divf=np.divide, arith__remf=np.fmod, arith__negf=np.negative,
    arith__maximumf=np.maximum, arith__minimumf=np.minimum,
    arith__maxnumf=maxnum(np.maximum), arith__minnumf=maxnum(np.minimum),
    arith__addi=np.add, arith__subi=np.subtract, arith__muli=np.multiply,
    arith__divsi=signed_div, arith__remsi=lambda a, b: a - signed_div(a, b) * b,
    arith__floordivsi=np.floor_divide,
    arith__ceildivsi=lambda a, b: -np.floor_divide(-a, b),
    arith__andi=np.bitwise_and, arith__ori=np.bitwise_or,
    arith__xori=np.bitwise_xor, arith__maxsi=np.maximum,
    arith__minsi=np.minimum, arith__select=select,
    arith__extf=lambda a: a, arith__truncf=lambda a: a,
    # i1 is kept as bool, whose sign extension is -1.
    arith__extsi=lambda a: -a.astype(np.int64) if a.dtype == bool else a,
    arith__trunci=lambda a: a, arith__index_cast=lambda a: a,
    arith__fptosi=float_to_int, arith__fptoui=float_to_int,
    arith__sitofp=lambda a: (-a.astype(float) if a.dtype == bool else
                             a.astype(float)),
)
OPS["arith.extui"] = OPS["arith.index_castui"] = unsigned_op(
    lambda a: a.view(np.int64))
OPS["arith.uitofp"] = unsigned_op(lambda a: a.astype(float))
OPS["arith.divui"] = unsigned_op(lambda a, b: (a // np.maximum(b, 1)).view("i8"))
OPS["arith.remui"] = unsigned_op(lambda a, b: (a % np.maximum(b, 1)).view("i8"))
OPS["arith.maxui"] = unsigned_op(lambda a, b: np.maximum(a, b).view("i8"))
OPS["arith.minui"] = unsigned_op(lambda a, b: np.minimum(a, b).view("i8"))
OPS["arith.shli"] = shift(lambda op, a, n: np.left_shift(a, n))
OPS["arith.shrui"] = shift(lambda op, a, n: (
    unsigned(a, op) >> n.astype(np.uint64)).view("i8"))
OPS["arith.shrsi"] = lambda op, v: np.right_shift(v[0], np.clip(v[1], 0, 63))

# math ---------------------------------------------------------------------------

simple(
    math__exp=np.exp, math__exp2=np.exp2, math__expm1=np.expm1, math__log=np.log,
    math__log2=np.log2, math__log10=np.log10, math__log1p=np.log1p,
    math__sqrt=np.sqrt, math__rsqrt=lambda a: 1 / np.sqrt(a),
    math__cbrt=np.cbrt, math__tanh=np.tanh, math__sinh=np.sinh,
    math__cosh=np.cosh, math__sin=np.sin, math__cos=np.cos, math__tan=np.tan,
    math__atan=np.arctan, math__atan2=np.arctan2, math__absf=np.abs,
    math__absi=np.abs, math__ceil=np.ceil, math__floor=np.floor,
    math__trunc=np.trunc, math__roundeven=np.rint,
    math__round=lambda a: np.copysign(np.floor(np.abs(a) + 0.5), a),
    math__copysign=np.copysign, math__powf=np.power,
    math__fpowi=lambda a, n: np.power(a, n.astype(float)),
    math__fma=lambda a, b, c: a * b + c,
    math__erf=lambda a: np.vectorize(math.erf, otypes=[float])(a),
    math__erfc=lambda a: np.vectorize(math.erfc, otypes=[float])(a),
)

# tensor ----------------------------------------------------------------------------


def mixed(op, static_name, dynamic):
  """A mix of static sizes and dynamic operands: a list of ints."""
  dynamic = iter(dynamic)
  return [int(np.ravel(next(dynamic))[0]) if s == DYNAMIC else s
          for s in op.attrs[static_name]]


def segments(op, operands):
  out, start = [], 0
  for n in op.attrs["operandSegmentSizes"]:
    out.append(operands[start:start + n])
    start += n
  return out


def dynamic_shape(type_, sizes):
  sizes = iter(sizes)
  return [int(np.ravel(next(sizes))[0]) if d is None else d for d in type_.shape]


def empty(op, operands):
  """Uninitialized: NaN, or an unlikely integer, so that a use shows."""
  type_ = op.result_types[0]
  shape = [1] + dynamic_shape(type_, operands)
  if is_float(type_.element):
    return np.broadcast_to(np.nan, shape)
  return np.broadcast_to(np.int64(-86), shape)


def collapse_shape(op, operands):
  a, shape = operands[0], [operands[0].shape[0]]
  for group in op.attrs["reassociation"]:
    shape.append(int(np.prod([a.shape[1 + i] for i in group], dtype=int)))
  return a.reshape(shape)


def expand_shape(op, operands):
  shape = mixed(op, "static_output_shape", operands[1:])
  return operands[0].reshape([operands[0].shape[0]] + shape)


def reshape(op, operands):
  shape = [int(d) for d in operands[1][0]]
  return operands[0].reshape([operands[0].shape[0]] + shape)


def slices(op, groups):
  offsets = mixed(op, "static_offsets", groups[0])
  sizes = mixed(op, "static_sizes", groups[1])
  strides = mixed(op, "static_strides", groups[2])
  return sizes, (slice(None),) + tuple(
      slice(o, o + (n - 1) * s + 1 if n else o, s)
      for o, n, s in zip(offsets, sizes, strides))


def extract_slice(op, operands):
  (source,), *rest = segments(op, operands)
  _, index = slices(op, rest)
  out = source[index]
  shape = op.result_types[0].shape
  if len(shape) == out.ndim - 1:
    return out
  # Rank-reduced: the static result type says which unit dimensions stay.
  kept = iter([d for d in out.shape[1:] if d != 1])
  return out.reshape([out.shape[0]] +
                     [next(kept, 1) if d is None else d for d in shape])


def insert_slice(op, operands):
  (source,), (dest,), *rest = segments(op, operands)
  sizes, index = slices(op, rest)
  samples = max(source.shape[0], dest.shape[0])
  out = np.array(np.broadcast_to(dest, (samples,) + dest.shape[1:]))
  out[index] = source.reshape([source.shape[0]] + sizes)
  return out


def extract(op, operands):
  """Gathers; inside a body the indices span the iteration space."""
  source, indices = operands[0], operands[1:]
  if not indices:
    return source
  rank = max(np.ndim(i) for i in indices)
  indices = [i.reshape(i.shape + (1,) * (rank - i.ndim)) for i in indices]
  samples = np.zeros(1, int) if source.shape[0] == 1 else np.arange(
      source.shape[0])
  return source[(samples.reshape((-1,) + (1,) * (rank - 1)),) + tuple(indices)]


def insert(op, operands):
  value, dest, indices = operands[0], operands[1], operands[2:]
  samples = max([v.shape[0] for v in operands])
  out = np.array(np.broadcast_to(dest, (samples,) + dest.shape[1:]))
  out[(np.arange(samples),) + tuple(indices)] = value
  return out


def from_elements(op, operands):
  samples = max(v.shape[0] for v in operands)
  flat = np.stack([np.broadcast_to(v, (samples,)) for v in operands], axis=1)
  return flat.reshape((samples,) + op.result_types[0].shape)


def gather(op, operands):
  source, indices = operands
  dims = op.attrs["gather_dims"]
  if source.shape[0] > 1 or indices.shape[0] > 1:
    parts = range(max(source.shape[0], indices.shape[0]))
    pick = lambda a, i: a[i % a.shape[0]][None]
    return np.concatenate([gather(op, [pick(source, i), pick(indices, i)])
                           for i in parts])
  rest = [d for d in range(source.ndim - 1) if d not in dims]
  moved = source[0].transpose(list(dims) + rest)
  out = moved[tuple(indices[0][..., i] for i in range(len(dims)))]
  return out.reshape((1,) + op.result_types[0].shape)


def concat(op, operands):
  samples = max(v.shape[0] for v in operands)
  return np.concatenate([np.broadcast_to(v, (samples,) + v.shape[1:])
                         for v in operands], axis=op.attrs["dim"] + 1)


def splat(op, operands):
  shape = dynamic_shape(op.result_types[0], operands[1:])
  a = operands[0].reshape((-1,) + (1,) * len(shape))
  return np.broadcast_to(a, [a.shape[0]] + shape)


def softmax(op, operands):
  a, axis = operands[0], op.attrs["dimension"] + 1
  e = np.exp(a - a.max(axis=axis, keepdims=True))
  return e / e.sum(axis=axis, keepdims=True)


def affine_apply(op, operands):
  m = op.attrs["map"]
  return affine_eval(m.results[0], operands[:m.num_dims], operands[m.num_dims:])


OPS.update({
    "tensor.empty": empty, "tensor.collapse_shape": collapse_shape,
    "tensor.expand_shape": expand_shape, "tensor.reshape": reshape,
    "tensor.extract_slice": extract_slice, "tensor.insert_slice": insert_slice,
    "tensor.extract": extract, "tensor.insert": insert,
    "tensor.from_elements": from_elements, "tensor.gather": gather,
    "tensor.concat": concat, "tensor.splat": splat,
    "tensor.cast": lambda op, v: v[0],
    "tensor.dim": lambda op, v: np.array([v[0].shape[1 + int(v[1][0])]]),
    "tensor.rank": lambda op, v: np.array([v[0].ndim - 1]),
    "linalg.softmax": softmax, "affine.apply": affine_apply,
})


# Results as their types hold them ---------------------------------------------------


def round_small(a, element):
  """To fp8 or fp4: half to even; out of range gives NaN or infinity, and for
  fp4, which has neither, the largest value."""
  name = SMALL_FLOATS[element]
  largest = FLOAT_FORMATS[name][3]
  a = np.asarray(a, float)
  inside = np.clip(np.where(np.isnan(a), 0, a), -largest, largest)
  out = float_decode(float_encode(inside, name), name).astype(float)
  if name == "float4_e2m1fn":
    return out
  # Half a step beyond the largest value the tie goes to the even neighbour, which
  # is 448 for e4m3fn and infinity for e5m2.
  if name == "float8_e4m3fn":
    out = np.where(np.abs(a) > 464, np.nan, out)
  else:
    out = np.where(np.abs(a) >= 61440, np.copysign(np.inf, a), out)
  return np.where(np.isnan(a), np.nan, out)


def round_float(a, element):
  if element == "f16":
    return a.astype(np.float16)
  if element == "bf16":
    return round_bf16(a)
  if element in SMALL_FLOATS:
    return round_small(a, element)
  return a

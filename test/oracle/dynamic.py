"""Dynamic quantization of activations for simulate.py: which operands of
contractions are quantized by what rows, and their quantization sample by sample.

Imported, it adds `oracle.dynamic` to ops.OPS, an operation that quantizes and
dequantizes its operand with the range of its own values.
"""

import numpy as np

import ops
import quantize
from evaluate import Env, Interpreter
from mlir_text import Operation

PARALLEL_MOVES = ("tensor.collapse_shape", "tensor.expand_shape", "tensor.cast",
                  "tensor.reshape", "tensor.extract_slice", "tensor.pad")


def fake_quantize(op, values):
  dtype, scheme, sizes = (op.attrs[k] for k in ("dtype", "qscheme", "sizes"))
  out = np.empty(values[0].shape, np.float32)
  for sample, x in zip(out, np.asarray(values[0], np.float32)):
    blocks = [d if b is None else b for d, b in zip(x.shape, sizes)]
    finite = np.where(np.isfinite(x), x, np.float32(0))
    lo = np.minimum(np.float32(0), quantize.reduce_blocks(np.minimum, finite, blocks))
    hi = np.maximum(np.float32(0), quantize.reduce_blocks(np.maximum, finite, blocks))
    p = quantize.params_from_range(lo, hi, dtype, scheme, "zp", "f32", blocks)
    sample[...] = quantize.dequantize(quantize.apply(x, p), p,
                                      op.result_types[0].element)
  return out


ops.OPS["oracle.dynamic"] = fake_quantize


def row_axes(op, weight_index):
  """Axes of the data that index rows of the output: a plain dimension of both; one
  that the weight has too only where nothing is a window."""
  maps = op.attrs["indexing_maps"]
  weight, data, out = maps[weight_index], maps[1 - weight_index], maps[2]
  plain = lambda m: {e[1] for e in m.results if e[0] == "d"}
  windowed = any(e[0] != "d" for m in (data, out) for e in m.results)
  rows = plain(data) & plain(out)
  if windowed:
    rows -= plain(weight)
  return [axis for axis, e in enumerate(data.results)
          if e[0] == "d" and e[1] in rows]


def is_non_negative(module, defs, name):
  """Whether a body gave the value, before moves, that is 0 for all large negative
  inputs and negative for none: a relu, alone or behind other operations."""
  op = defs.get(name)
  while op is not None and op.name in PARALLEL_MOVES:
    op = defs.get(op.operands[0])
  if op is None or op.name != "linalg.generic" or any(
      "reduction" in i.text for i in op.attrs["iterator_types"]):
    return False
  block = op.regions[0][0]
  random = np.random.RandomState(0)
  trials = np.concatenate([-np.exp(random.uniform(0, 9, 500)),
                           random.standard_normal(500) * 100])
  env = ops_env(module, defs, op)
  with np.errstate(all="ignore"):
    _, results = Interpreter(module).body(
        block, [trials.reshape(-1) for _ in block.args], [], env)
  low, rest = np.split(np.broadcast_to(results[0], trials.shape), 2)
  return bool((low == 0).all() and (rest >= 0).all() and (rest > 0).any())


def ops_env(module, defs, op):
  """Scalars from outside that the body of `op` uses."""
  env = Env()
  inner = {r for o in op.regions[0][0].ops for r in o.results}
  for o in op.regions[0][0].ops:
    for name in o.operands:
      if name in defs and name not in inner:
        d = defs[name]
        env.set(name, ops.OPS[d.name](d, []), d.result_types[0])
  return env


def quantize_activations(module, function, contractions, args):
  """Puts an `oracle.dynamic` before every contraction of the list, (operation,
  index of its weight); returns a row for each."""
  block = function.regions[0][0]
  defs = {r: op for op in block.ops for r in op.results}
  rows, inserted = [], []
  for number, (op, weight_index) in enumerate(contractions):
    data = 1 - weight_index
    name, type_ = op.operands[data], op.operand_types[data]
    if name in defs and defs[name].name == "oracle.dynamic":
      continue
    axes = row_axes(op, weight_index) if args.dynamic == "per_row" else []
    sizes = [1 if i in axes else None for i in range(len(type_.shape))]
    scheme = args.activation_qscheme
    if args.activation_dtype in quantize.INT_RANGES and is_non_negative(
        module, defs, name):
      scheme = "asymmetric"
    fake = Operation("oracle.dynamic", [name], ["%%dynamic%d" % number], [type_],
                     [type_], {"dtype": args.activation_dtype, "qscheme": scheme,
                               "sizes": sizes}, [], None)
    inserted.append((op, fake))
    op.operands[data] = fake.results[0]
    rows.append({"op": op.loc or op.name, "rows": axes, "qscheme": scheme})
  for op, fake in inserted:
    block.ops.insert(block.ops.index(op), fake)
  return rows

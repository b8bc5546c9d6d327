#!/usr/bin/env python3
"""Evaluates a module's function in numpy: an oracle for compiled results.

    evaluate.py model.mlir --inputs x.npy [--inputs y.npy] -o out.npy
        [--entry main] [--precision float64|typed] [--mlir-opt PATH]

The module goes through `mlir-opt` first: TOSA to linalg where there is any,
linalg named operations to linalg.generic, generic form. `mlir-opt` is taken from
--mlir-opt, the environment variable MLIR_OPT, or PATH; a `quant-opt` does as well.

With `float64` (default) f32 and f64 are both computed in float64: what the model
means. With `typed` every operation rounds to its result type: what a plain
execution computes, except for the order of sums in a contraction.

An array with more leading entries than the argument's static leading dimension is
evaluated sample by sample, all at once: every value carries a leading sample axis
(see ops.py). Operations: func, arith, math, tensor, linalg.generic with any
indexing maps; others by adding to ops.OPS.
"""

import argparse
import os
import shutil
import subprocess
import sys

import numpy as np
from numpy.lib.stride_tricks import as_strided

import ops
import integer_ops  # adds the integer form to ops.OPS
import quant_ops  # adds the quant dialect to ops.OPS
from mlir_text import affine_eval, int_width, is_float, linear, parse, wrap_int


class EvaluationError(RuntimeError):
  pass


# Loading -------------------------------------------------------------------------


def find_mlir_opt(path=None):
  for candidate in (path, os.environ.get("MLIR_OPT"), "mlir-opt", "mlir-opt-22"):
    found = candidate and shutil.which(candidate)
    if found:
      return found
  raise EvaluationError("no mlir-opt found: pass --mlir-opt or set MLIR_OPT")


def load(path, mlir_opt=None):
  """The operations of a file, in generic form with linalg.generic only."""
  with open(path, errors="replace") as f:
    tosa = "tosa." in f.read()
  command = [find_mlir_opt(mlir_opt), path, "--mlir-print-op-generic",
             "--mlir-print-debuginfo"]
  if tosa:
    command += ["--tosa-to-linalg-pipeline", "--tosa-to-tensor",
                "--tosa-to-arith"]
  command += ["--linalg-generalize-named-ops"]
  done = subprocess.run(command, capture_output=True, text=True)
  if done.returncode:
    raise EvaluationError("%s failed:\n%s" % (command[0], done.stderr[:2000]))
  return parse(done.stdout)


def functions(module):
  return {op.attrs["sym_name"]: op for top in module for op in top.walk()
          if op.name == "func.func"}


# Interpreter -----------------------------------------------------------------------


class Env:
  """Values by name. In a body over `rank` loops, scalars captured from outside
  get that many axes after the sample axis."""

  def __init__(self, parent=None, rank=0):
    self.parent, self.rank, self.values = parent, rank, {}

  def set(self, name, value, type_):
    self.values[name] = (value, type_)

  def find(self, name):
    if name in self.values:
      return self.values[name]
    value, type_ = self.parent.find(name)
    if type_.kind == "scalar" and self.rank:
      value = value.reshape(value.shape + (1,) * (self.rank + 1 - value.ndim))
    return value, type_

  def get(self, name):
    return self.find(name)[0]


class Interpreter:

  def __init__(self, module, precision="float64"):
    self.functions = functions(module)
    self.typed = precision == "typed"
    self.loops = None  # extents of the loops around the body being evaluated

  def call(self, name, arguments):
    if name not in self.functions:
      raise EvaluationError("no function '%s'" % name)
    function = self.functions[name]
    if not function.regions or not function.regions[0]:
      raise EvaluationError("function '%s' has no body" % name)
    block = function.regions[0][0]
    env = Env()
    for arg, type_, value in zip(block.args, block.arg_types, arguments):
      env.set(arg, self.normalize(value, type_), type_)
    with np.errstate(all="ignore"):
      return self.run(block.ops, env)

  def run(self, operations, env):
    """Runs a block; returns the operands of its terminator."""
    for op in operations:
      values = [env.get(name) for name in op.operands]
      if op.name in ("func.return", "linalg.yield", "tensor.yield"):
        return values
      try:
        results = self.evaluate(op, values, env)
      except EvaluationError:
        raise
      except Exception as e:
        raise EvaluationError("%s%s: %s: %s" % (
            op.name, " at " + op.loc if op.loc else "", type(e).__name__,
            e)) from e
      for name, type_, value in zip(op.results, op.result_types, results):
        env.set(name, self.normalize(value, type_), type_)
    return []

  def evaluate(self, op, values, env):
    if op.name in REGION_OPS:
      return REGION_OPS[op.name](self, op, values, env)
    if op.name not in ops.OPS:
      raise EvaluationError("unknown operation '%s'%s" %
                            (op.name, " at " + op.loc if op.loc else ""))
    results = ops.OPS[op.name](op, values)
    return results if isinstance(results, (list, tuple)) else [results]

  def normalize(self, value, type_):
    """Rounds floats and wraps integers to what the type holds."""
    element = type_.element
    if is_float(element):
      value = ops.round_float(np.asarray(value), element)
      narrow = self.typed and element != "f64"
      return np.asarray(value, np.float32 if narrow else np.float64)
    if int_width(element):
      if value.dtype == bool and element == "i1":
        return value
      if value.dtype == bool:
        value = value.astype(np.int64)
      return wrap_int(value, element)
    return value

  # Operations with regions

  def body(self, block, arguments, extents, env):
    """Runs a block over an iteration space; values are (samples, *extents),
    with 1 where a value does not depend on a loop."""
    inner = Env(env, len(extents))
    for arg, type_, value in zip(block.args, block.arg_types, arguments):
      inner.set(arg, value, type_)
    outer, self.loops = self.loops, extents
    try:
      return inner, self.run(block.ops, inner)
    finally:
      self.loops = outer

  def index(self, op, values, env):
    d = op.attrs["dim"]
    shape = [1] * (len(self.loops) + 1)
    shape[d + 1] = -1
    if isinstance(self.loops[d], range):  # one step of a sequential reduction
      return [np.arange(self.loops[d].start, self.loops[d].stop).reshape(shape)]
    return [np.arange(self.loops[d]).reshape(shape)]

  def over_indices(self, block, shape, env):
    """A block whose arguments are the indices of a tensor of this shape."""
    grids = np.ogrid[tuple(slice(0, d) for d in shape)] if shape else []
    _, (value,) = self.body(block, [g[None] for g in grids], list(shape), env)
    value = value.reshape(value.shape + (1,) * (len(shape) + 1 - value.ndim))
    return np.broadcast_to(value, (value.shape[0],) + tuple(shape))

  def pad(self, op, values, env):
    (source,), low, high = ops.segments(op, values)
    low = ops.mixed(op, "static_low", low)
    high = ops.mixed(op, "static_high", high)
    shape = [l + d + h for l, d, h in zip(low, source.shape[1:], high)]
    fill = self.over_indices(op.regions[0][0], shape, env)
    samples = max(source.shape[0], fill.shape[0])
    out = np.array(np.broadcast_to(fill, [samples] + shape))
    inside = tuple(slice(l, l + d) for l, d in zip(low, source.shape[1:]))
    out[(slice(None),) + inside] = source
    return [out]

  def generate(self, op, values, env):
    shape = ops.dynamic_shape(op.result_types[0], values)
    return [self.over_indices(op.regions[0][0], shape, env)]

  def call_op(self, op, values, env):
    return self.call(op.attrs["callee"].name, values)

  def generic(self, op, values, env):
    return Generic(self, op, values, env).run()


REGION_OPS = {
    "linalg.generic": Interpreter.generic, "linalg.index": Interpreter.index,
    "tensor.pad": Interpreter.pad, "tensor.generate": Interpreter.generate,
    "func.call": Interpreter.call_op,
}

# linalg.generic ----------------------------------------------------------------------

REDUCERS = {
    "arith.addf": np.add, "arith.addi": np.add, "arith.mulf": np.multiply,
    "arith.muli": np.multiply, "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum, "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin, "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum, "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or, "arith.xori": np.bitwise_xor,
}
PRODUCTS = ("arith.mulf", "arith.muli")


def view(a, amap, extents, loops):
  """The operand as seen from the loops: (samples, *extents), 1 for a loop the
  map does not use. `loops`: for each loop a range of its values. No copy when
  all expressions are linear."""
  n = amap.num_dims
  forms = [linear(e, n) for e in amap.results]
  used = [any(f is None or f[0][d] for f in forms) for d in range(n)]
  shape = [e if u else 1 for e, u in zip(extents, used)]
  if any(f is None for f in forms):
    grids = [np.arange(r.start, r.stop).reshape(
        [1] + [-1 if i == d else 1 for i in range(n)])
             for d, r in enumerate(loops)]
    index = [np.asarray(affine_eval(e, grids)) for e in amap.results]
    index = [i.reshape((1,) * (n + 1 - i.ndim) + i.shape) for i in index]
    out = a[(np.arange(a.shape[0]).reshape((-1,) + (1,) * n),) + tuple(index)]
    return np.broadcast_to(out, (a.shape[0],) + tuple(
        max(s, o) for s, o in zip(shape, out.shape[1:])))
  strides, start = [0] * n, []
  for axis, (coefficients, offset) in enumerate(forms):
    first = offset + sum(c * r.start for c, r in zip(coefficients, loops))
    low = first + sum(min(0, c * (e - 1)) for c, e in zip(coefficients, extents))
    high = first + sum(max(0, c * (e - 1)) for c, e in zip(coefficients, extents))
    if low < 0 or high >= a.shape[axis + 1]:
      raise EvaluationError("index %d..%d outside dimension %d of %s" %
                            (low, high, axis, a.shape[1:]))
    start.append(slice(first, None))
    for d, c in enumerate(coefficients):
      strides[d] += c * a.strides[axis + 1]
  return as_strided(a[(slice(None),) + tuple(start)], [a.shape[0]] + shape,
                    [a.strides[0]] + strides)


class Generic:
  """One evaluation of a linalg.generic."""

  def __init__(self, interpreter, op, values, env):
    self.interpreter, self.op, self.env = interpreter, op, env
    self.block = op.regions[0][0]
    self.maps = op.attrs["indexing_maps"]
    self.num_inputs = op.attrs["operandSegmentSizes"][0]
    self.values = [np.asarray(v) for v in values]
    self.reduction = ["reduction" in i.text for i in op.attrs["iterator_types"]]
    self.rank = len(self.reduction)
    self.extents = self.loop_extents()
    self.loops = [range(e) for e in self.extents]

  def loop_extents(self):
    extents = [None] * self.rank
    for value, amap in zip(self.values, self.maps):
      for axis, e in enumerate(amap.results):
        if e[0] == "d" and extents[e[1]] is None:
          extents[e[1]] = value.shape[axis + 1]
    if None in extents:
      raise EvaluationError("loop %d has no extent" % extents.index(None))
    return extents

  def run(self):
    outs = self.values[self.num_inputs:]
    if 0 in self.extents:
      return outs
    views = [view(v, m, self.extents, self.loops)
             for v, m in zip(self.values, self.maps)]
    if not any(self.reduction):
      results = self.interpreter.body(self.block, views, self.extents,
                                      self.env)[1]
    else:
      results = self.contraction(views) or self.reductions(views)
      results = results or self.sequential(views)
    return [self.store(result, out, amap) for result, out, amap in
            zip(results, outs, self.maps[self.num_inputs:])]

  def store(self, result, out, amap):
    result = np.asarray(result)
    result = result.reshape(result.shape + (1,) * (self.rank + 1 - result.ndim))
    samples = max(result.shape[0], out.shape[0])
    shape = (samples,) + out.shape[1:]
    dims = [e[1] if e[0] == "d" else None for e in amap.results]
    parallel = [d for d in range(self.rank) if not self.reduction[d]]
    if sorted(d for d in dims if d is not None) == parallel and None not in dims:
      # A permutation of the parallel loops covers the whole tensor.
      drop = tuple(d + 1 for d in range(self.rank) if self.reduction[d])
      squeezed = result.squeeze(drop) if drop else result
      order = [0] + [1 + parallel.index(d) for d in dims]
      return np.broadcast_to(squeezed.transpose(order), shape)
    full = np.array(np.broadcast_to(out, shape), dtype=result.dtype)
    extents = [1 if r else e for r, e in zip(self.reduction, self.extents)]
    view(full, amap, extents, [range(e) for e in extents])[...] = result
    return full

  # The body as `out <reducer> t`, t free of the outputs

  def accumulators(self):
    """Per result (reducer, name of t, op), or None where one has another form."""
    defs = {op.results[0]: op for op in self.block.ops if op.results}
    uses = [n for op in self.block.ops for n in op.operands]
    found = []
    for out, name in zip(self.block.args[self.num_inputs:],
                         self.block.ops[-1].operands):
      op = defs.get(name)
      if (op is None or op.name not in REDUCERS or uses.count(out) != 1 or
          uses.count(name) != 1 or out not in op.operands):
        return None
      term = op.operands[1 - op.operands.index(out)]
      found.append((REDUCERS[op.name], term, op))
    return found

  def without(self, skipped, views):
    """Values of the body, leaving out some operations."""
    inner = Env(self.env, self.rank)
    for arg, type_, v in zip(self.block.args, self.block.arg_types, views):
      inner.set(arg, v, type_)
    interpreter = self.interpreter
    outer, interpreter.loops = interpreter.loops, self.extents
    interpreter.run([o for o in self.block.ops[:-1] if o not in skipped], inner)
    interpreter.loops = outer
    return inner

  def contraction(self, views):
    """sum(u * v) as a matrix product."""
    found = self.accumulators()
    if not found or len(found) != 1 or found[0][0] is not np.add:
      return None
    _, term, add = found[0]
    product = [o for o in self.block.ops if o.results[:1] == [term]]
    uses = [n for o in self.block.ops for n in o.operands]
    if not product or product[0].name not in PRODUCTS or uses.count(term) != 1:
      return None
    inner = self.without([add, product[0]], views)
    u, v = [inner.get(n) for n in product[0].operands]
    total = self.einsum(u, v)
    return [self.interpreter.normalize(views[-1] + total, add.result_types[0])]

  def einsum(self, u, v):
    """Sums u * v over the reduction loops; both are (samples, *loops)."""
    u, v = [a.reshape(a.shape + (1,) * (self.rank + 1 - a.ndim)) for a in (u, v)]
    integer = u.dtype.kind != "f"
    axes = range(self.rank + 1)
    reduced = [False] + self.reduction
    present = [[i for i in axes if a.shape[i] > 1] for a in (u, v)]
    u, v = [a.reshape([a.shape[i] for i in p]) if 1 in a.shape else a
            for a, p in zip((u, v), present)]
    kept = [i for i in axes if not reduced[i] and
            (i in present[0] or i in present[1])]
    factor = int(np.prod([self.extents[i - 1] for i in axes if reduced[i] and
                          i not in present[0] and i not in present[1]],
                         dtype=int))
    if integer:
      # Through float64, and so BLAS, where that is exact.
      terms = int(np.prod(self.extents, dtype=float))
      bound = (np.abs(u).max(initial=0).astype(float) *
               np.abs(v).max(initial=0).astype(float) * terms)
      dtype = np.float64 if bound < 2.0**53 else np.int64
      u, v = u.astype(dtype), v.astype(dtype)
    total = np.einsum(u, present[0], v, present[1], kept, optimize=True)
    sizes = dict(list(zip(present[0], u.shape)) + list(zip(present[1], v.shape)))
    total = total.reshape([sizes[i] if i in kept else 1 for i in axes]) * factor
    return total.astype(np.int64) if integer else total

  def reductions(self, views):
    """Any associative reducers, the terms evaluated over all loops at once."""
    found = self.accumulators()
    if not found:
      return None
    inner = self.without([op for _, _, op in found], views)
    axes = tuple(d + 1 for d in range(self.rank) if self.reduction[d])
    results = []
    for (reducer, term, op), init in zip(found, views[self.num_inputs:]):
      t = inner.get(term)
      t = t.reshape(t.shape + (1,) * (self.rank + 1 - t.ndim))
      shape = [self.extents[d] if self.reduction[d] else t.shape[d + 1]
               for d in range(self.rank)]
      t = np.broadcast_to(t, [t.shape[0]] + shape)
      value = reducer(init, reducer.reduce(t, axis=axes, keepdims=True))
      results.append(self.interpreter.normalize(value, op.result_types[0]))
    return results

  def sequential(self, views):
    """The definition: one reduction step after the other, all parallel loops at
    once. For bodies such as argmax."""
    accumulators = views[self.num_inputs:]
    if any(v.shape[d + 1] > 1 for v in accumulators for d in range(self.rank)
           if self.reduction[d]):
      raise EvaluationError("an output indexed by a reduction loop")
    steps = [e if r else 1 for e, r in zip(self.extents, self.reduction)]
    for step in np.ndindex(*steps):
      at = tuple(slice(s, s + 1) if r else slice(None)
                 for s, r in zip(step, self.reduction))
      inputs = [v[(slice(None),) + tuple(
          a if n > 1 else slice(None) for a, n in zip(at, v.shape[1:]))]
                for v in views[:self.num_inputs]]
      loops = [range(s, s + 1) if r else range(e) for s, r, e in
               zip(step, self.reduction, self.extents)]
      accumulators = self.interpreter.body(
          self.block, inputs + accumulators, loops, self.env)[1]
    return accumulators


# Whole data sets ------------------------------------------------------------------------


def run(module, inputs, entry="main", precision="float64", chunk=64):
  """Evaluates `entry` on arrays, one per argument, sample by sample where the
  arrays have more leading entries than the arguments. Returns a list of arrays."""
  interpreter = Interpreter(module, precision)
  if entry not in interpreter.functions:
    raise EvaluationError("no function '%s'" % entry)
  types = interpreter.functions[entry].attrs["function_type"].inputs
  if len(types) != len(inputs):
    raise EvaluationError("'%s' takes %d inputs, not %d" %
                          (entry, len(types), len(inputs)))
  split = []
  for x, type_ in zip(inputs, types):
    shape = tuple(type_.shape)
    if not shape:  # a scalar, or a tensor of rank 0: one entry per sample
      split.append(x.reshape(-1))
      continue
    if len(shape) != x.ndim or any(
        d is not None and d != e for d, e in zip(shape[1:], x.shape[1:])):
      raise EvaluationError("input of shape %s for %s" % (x.shape, shape))
    lead = x.shape[0] if shape[0] is None else shape[0]
    if x.shape[0] % lead:
      raise EvaluationError("%d samples in batches of %d" % (x.shape[0], lead))
    split.append(x.reshape((-1, lead) + x.shape[1:]))
  samples = max([x.shape[0] for x in split], default=1)
  if any(x.shape[0] not in (1, samples) for x in split):
    raise EvaluationError("inputs with different numbers of samples")
  parts = []
  for start in range(0, samples, chunk):
    some = [x if x.shape[0] == 1 else x[start:start + chunk] for x in split]
    count = min(chunk, samples - start)
    parts.append([np.broadcast_to(r, (count,) + r.shape[1:])
                  for r in interpreter.call(entry, some)])
  joined = [np.concatenate(p) for p in zip(*parts)]
  return [a.reshape((-1,) + a.shape[2:]) if a.ndim > 1 else a for a in joined]


def main(arguments=None):
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("model")
  parser.add_argument("--inputs", action="append", default=[])
  parser.add_argument("-o", "--output", help="npy file of the first result")
  parser.add_argument("--entry", default="main")
  parser.add_argument("--precision", choices=("float64", "typed"),
                      default="float64")
  parser.add_argument("--mlir-opt")
  args = parser.parse_args(arguments)
  module = load(args.model, args.mlir_opt)
  results = run(module, [np.load(x) for x in args.inputs], args.entry,
                args.precision)
  if args.output:
    dtype = results[0].dtype
    np.save(args.output, results[0].astype(np.float32 if dtype.kind == "f" else
                                           dtype))
  else:
    print(results[0])


if __name__ == "__main__":
  try:
    main()
  except (EvaluationError, OSError, ValueError) as e:
    sys.exit("evaluate.py: " + str(e))

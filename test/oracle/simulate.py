#!/usr/bin/env python3
"""Simulates weight quantization of a model: what quantized weights do to outputs.

    simulate.py model.mlir --inputs x.npy --dtype int4 --granularity per_block
        [--block-size 32] [--qscheme symmetric] [--qformulation zp]
        [--scale-dtype f32] [--weight-threshold 1024] [--axis N] [-o out.npy]
        [--dynamic per_row [--activation-dtype int8] [--activation-qscheme symmetric]]
        [--reference ref.npy] [--labels labels.npy] [--params params.npz] [--json]

Finds every constant that is an operand of a contraction (matrix product,
convolution, depthwise convolution), also behind transposes and reshapes, replaces
it by its dequantized value (quantize.py) and evaluates the model in float64
(evaluate.py). Which dimension of a weight is what comes from the indexing maps
alone. Without a dtype the float model is evaluated. `--params` keeps codes, scales,
zero points and minvals of every weight. With `--dynamic`, what contractions with a
quantized weight read is quantized with the range of its own values (dynamic.py).
"""

import argparse
import json
import sys

import numpy as np

import dynamic
import quantize
from evaluate import Env, EvaluationError, Interpreter, load, run
from mlir_text import Dense, ParseError, is_float, linear
from npycmp import compare

CASTS = ("arith.extf", "arith.truncf")
MOVES = ("tensor.collapse_shape", "tensor.expand_shape", "tensor.reshape",
         "tensor.cast", "tensor.extract_slice")


class Weight:
  """One constant and the one operand of a contraction that reads it. Shape and
  dimensions are those of the operand."""

  def __init__(self, op, index, name, root, operand, channels, blocks, depthwise):
    self.op, self.index = op, index
    self.name, self.root, self.operand = name, root, operand
    self.channels, self.blocks, self.depthwise = channels, blocks, depthwise


# Roles -----------------------------------------------------------------------------


def contraction_inputs(op):
  """Numbers of the two inputs multiplied by a generic `out + a * b`, or None."""
  if (op.name != "linalg.generic" or op.attrs["operandSegmentSizes"] != [2, 1] or
      not any("reduction" in i.text for i in op.attrs["iterator_types"])):
    return None
  block = op.regions[0][0]
  defs = {o.results[0]: o for o in block.ops if o.results}
  add = defs.get(block.ops[-1].operands[0])
  if add is None or add.name != "arith.addf" or block.args[2] not in add.operands:
    return None
  mul = defs.get([n for n in add.operands if n != block.args[2]][0])
  if mul is None or mul.name != "arith.mulf":
    return None

  def source(name):
    while name in defs and defs[name].name in CASTS:
      name = defs[name].operands[0]
    return block.args.index(name) if name in block.args[:2] else None

  inputs = [source(n) for n in mul.operands]
  return inputs if sorted(inputs, key=str) == [0, 1] else None


def roles(op, weight_index):
  """(channel axes, reduction axes, depthwise) of the weight, or None.

  A loop of the weight and the output alone is an output channel; of weight,
  input and output, a batch or depthwise channel; of weight and input, as a plain
  dimension of both, an input channel; the others run over the kernel."""
  maps = op.attrs["indexing_maps"]
  weight, data, out = maps[weight_index], maps[1 - weight_index], maps[2]
  if any(e[0] != "d" for e in weight.results):
    return None
  plain = {e[1] for e in data.results if e[0] == "d"}
  compound = set()
  for e in data.results:
    form = linear(e, data.num_dims)
    if form is None:
      return None
    if e[0] != "d":
      compound |= {d for d, c in enumerate(form[0]) if c}
  results = {e[1] for e in out.results if e[0] == "d"}
  channels, batch, reduced = [], [], []
  for axis, (_, d) in enumerate(weight.results):
    if d in results:
      (batch if d in plain | compound else channels).append(axis)
    elif d in plain:
      reduced.append(axis)
  return sorted(channels + batch), reduced, bool(batch) and not reduced


# Weights ---------------------------------------------------------------------------


def is_constant(op):
  value = op.attrs.get("value", op.attrs.get("values"))
  return op.name in ("arith.constant", "tosa.const") and isinstance(
      value, Dense) and is_float(value.type.element)


def is_move(op):
  """Moves elements of its first operand without changing them."""
  if op.name in MOVES:
    return True
  if op.name != "linalg.generic" or op.attrs["operandSegmentSizes"] != [1, 1]:
    return False
  block = op.regions[0][0]
  return len(block.ops) == 1 and block.ops[0].operands == block.args[:1]


def find_weights(function):
  block = function.regions[0][0]
  defs = {r: op for op in block.ops for r in op.results}
  found = []
  for number, op in enumerate(block.ops):
    inputs = contraction_inputs(op)
    if not inputs:
      continue
    roots = []
    for i in inputs:
      source = defs.get(op.operands[i])
      while source is not None and is_move(source):
        source = defs.get(source.operands[0])
      roots.append(source if source is not None and is_constant(source) else None)
    if (roots[0] is None) == (roots[1] is None):
      continue
    index = inputs[0] if roots[0] is not None else inputs[1]
    root = roots[0] if roots[0] is not None else roots[1]
    found_roles = roles(op, index)
    if found_roles:
      found.append(Weight(op, index, op.loc or "%s#%d" % (op.name, number), root,
                          op.operands[index], *found_roles))
  return found


def operand_positions(module, function, weight):
  """For each element of the operand its position in the constant: the ops between
  are run on the numbers 0, 1, 2, ..."""
  block = function.regions[0][0]
  defs = {r: op for op in block.ops for r in op.results}
  needed, queue = set(), [weight.operand]
  while queue:
    op = defs.get(queue.pop())
    if op is not None and op is not weight.root and id(op) not in needed:
      needed.add(id(op))
      queue += op.operands
  env = Env()
  type_ = weight.root.result_types[0]
  count = int(np.prod(type_.shape, dtype=int))
  env.set(weight.root.results[0], np.arange(float(count)).reshape(
      (1,) + type_.shape), type_)
  Interpreter(module).run([op for op in block.ops if id(op) in needed], env)
  return env.get(weight.operand)[0].astype(np.int64)


def simulate(module, args):
  """Replaces weights in place; returns (report rows, parameters by name)."""
  functions = [op for top in module for op in top.walk()
               if op.name == "func.func" and op.attrs["sym_name"] == args.entry]
  if not functions:
    raise EvaluationError("no function '%s'" % args.entry)
  scale_dtype = args.scale_dtype or (
      "f8E8M0FNU" if args.dtype == "float4_e2m1fn" else "f32")
  if args.dtype == "float4_e2m1fn" and (args.granularity != "per_block" or
                                        args.block_size != [32]):
    raise quantize.QuantError("float4_e2m1fn needs per_block and block size 32")
  # A request that is forbidden is forbidden whatever the model holds.
  quantize.quantize(np.ones((1, 32), np.float32), args.dtype, args.qscheme,
                    args.qformulation, [1, 32], scale_dtype)
  rows, params, done, contractions = [], {}, {}, []
  for weight in find_weights(functions[0]):
    key = "values" if weight.root.name.startswith("tosa.") else "value"
    row = {"op": weight.name}
    rows.append(row)
    positions = operand_positions(module, functions[0], weight)
    row["shape"] = list(positions.shape)
    constant = done.get(id(weight.root), (weight.root.attrs[key], None))[0]
    flat = constant.values.reshape(-1)
    blockless = args.granularity == "per_block" and not weight.blocks
    if positions.size != flat.size or (np.sort(positions.ravel()) !=
                                       np.arange(flat.size)).any():
      row["skipped"] = "the operand is not the whole constant"
    elif flat.size < args.weight_threshold:
      row["skipped"] = "fewer than %d elements" % args.weight_threshold
    elif blockless and args.dtype == "float4_e2m1fn":
      row["skipped"] = "no reduction dimension for blocks"
    if "skipped" in row:
      continue
    contractions.append((weight.op, weight.index))
    channels = weight.channels if args.axis is None else [args.axis]
    sizes = quantize.block_sizes_for(
        positions.shape, "per_channel" if blockless else args.granularity,
        channels, [a for a in weight.blocks if a not in channels][-1:],
        args.block_size)
    w = flat[positions].astype(np.float32)
    q = quantize.quantize(w, args.dtype, args.qscheme, args.qformulation, sizes,
                          scale_dtype, expressed=constant.type.element)
    row.update(block_sizes=sizes, sqnr_db=compare(q.dequantized, w)["sqnr_db"])
    new = np.empty(flat.size)
    new[positions.ravel()] = q.dequantized.ravel()
    if id(weight.root) in done:
      if (new != done[id(weight.root)][1]).any():
        raise quantize.QuantError("'%s' and an earlier consumer disagree about a "
                                  "weight" % weight.name)
      continue
    done[id(weight.root)] = (constant, new)
    weight.root.attrs[key] = Dense(constant.type,
                                   new.reshape(constant.type.shape))
    for what in ("codes", "scale", "zero_point", "minval"):
      if getattr(q, what) is not None:
        params["%s.%s" % (weight.name.replace("/", "_"), what)] = getattr(q, what)
  if args.dynamic:
    dynamic.quantize_activations(module, functions[0], contractions, args)
  return rows, params


def make_parser():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("model")
  parser.add_argument("--inputs", action="append", default=[])
  parser.add_argument("--dtype")
  parser.add_argument("--granularity", default="per_channel",
                      choices=("per_tensor", "per_channel", "per_block"))
  parser.add_argument("--block-size", default=[32],
                      type=lambda s: [int(v) for v in s.split(",")])
  parser.add_argument("--axis", type=int)
  parser.add_argument("--qscheme", default="symmetric", choices=quantize.SCHEMES)
  parser.add_argument("--qformulation", default="zp", choices=("zp", "minval"))
  parser.add_argument("--scale-dtype", choices=quantize.SCALE_TYPES)
  parser.add_argument("--weight-threshold", type=int, default=1024)
  parser.add_argument("--dynamic", choices=("per_tensor", "per_row"))
  parser.add_argument("--activation-dtype", default="int8")
  parser.add_argument("--activation-qscheme", default="symmetric",
                      choices=quantize.SCHEMES)
  parser.add_argument("--entry", default="main")
  parser.add_argument("--mlir-opt")
  parser.add_argument("--reference", help="npy file to compare outputs with")
  parser.add_argument("--labels", help="npy file of labels, for top-1")
  parser.add_argument("--params", help="npz file for codes and parameters")
  parser.add_argument("--json", action="store_true")
  parser.add_argument("-o", "--output")
  return parser


def main(arguments=None):
  args = make_parser().parse_args(arguments)
  module = load(args.model, args.mlir_opt)
  rows, params = simulate(module, args) if args.dtype else ([], {})
  if args.params:
    np.savez(args.params, **params)
  report = {"weights": rows}
  if args.inputs:
    result = run(module, [np.load(x) for x in args.inputs], args.entry)[0]
    if args.output:
      np.save(args.output, result.astype(np.float32))
    if args.reference:
      report["compare"] = compare(result, np.load(args.reference))
    if args.labels:
      report["top1"] = compare(result, result, np.load(args.labels))["top1"]
  if args.json:
    print(json.dumps(report))
    return
  for row in rows:
    print("%-40s %-18s %s" % (
        row["op"][-40:], "x".join(map(str, row["shape"])),
        row.get("skipped") or "%s  %s dB" % (
            row["block_sizes"], "inf" if row["sqnr_db"] is None else
            "%.2f" % row["sqnr_db"])))
  for key in ("compare", "top1"):
    if key in report:
      print(key, json.dumps(report[key]))


if __name__ == "__main__":
  try:
    main()
  except (EvaluationError, ParseError, quantize.QuantError, OSError) as e:
    sys.exit("simulate.py: " + str(e))

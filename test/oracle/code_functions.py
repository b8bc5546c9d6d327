#!/usr/bin/env python3
"""Runs functions of one code on a target and compares them with the reference.

    code_functions.py FOLDER [--quick] [--function NAME]... [--runner COMMAND]
                      [-- FLAG...]

Modules of activations between codes (hard-swish, GELU, sigmoid, tanh, swish, and some
that are no tables), for codes of 8 and 4 bits and of fp8 (--quick: int8 and int4), over
all codes. Each runs with quant-run --target=reference, and with --runner (default:
quant-run; run_object.py for another processor) and the flags after `--`: every code has
to be the same. Where there is no function of math, evaluate.py has to find the same
codes, too, and where there is one, at most the next ones. Prints each function that
differs, and a count; exit code 1 where there is any.
"""

import argparse
import os
import subprocess
import sys

import numpy as np

import evaluate
from integer_module import ELEMENTS, Module, element_of, tensor

# By name: lines of a function of %x, of which the last one is the result, and whether
# functions of math are in it.
FUNCTIONS = {
    "hard_swish": (["arith.addf %x, %three", "arith.maximumf %0, %zero",
                    "arith.minimumf %1, %six", "arith.mulf %x, %2",
                    "arith.mulf %3, %sixth"], False),
    "leaky": (["arith.mulf %x, %sixth", "arith.maximumf %0, %x"], False),
    "square": (["arith.mulf %x, %x", "arith.divf %0, %three",
                "arith.subf %1, %x"], False),
    "sigmoid": (["arith.negf %x", "math.exp %0", "arith.addf %1, %one",
                 "arith.divf %one, %2"], True),
    "tanh": (["math.tanh %x"], True),
    "gelu_erf": (["arith.mulf %x, %sqrt", "math.erf %0", "arith.addf %1, %one",
                  "arith.mulf %x, %2", "arith.mulf %3, %half"], True),
    "gelu_tanh": (["arith.mulf %x, %x", "arith.mulf %0, %x", "arith.mulf %1, %cubic",
                   "arith.addf %x, %2", "arith.mulf %3, %root", "math.tanh %4",
                   "arith.addf %5, %one", "arith.mulf %x, %6",
                   "arith.mulf %7, %half"], True),
    "softplus": (["math.exp %x", "math.log1p %0"], True),
}
CONSTANTS = {"zero": 0.0, "one": 1.0, "three": 3.0, "six": 6.0, "half": 0.5,
             "sixth": 1 / 6, "sqrt": 0.5**0.5, "root": (2 / np.pi)**0.5,
             "cubic": 0.044715}

# Codes before and behind, with scales that let a function show its bends.
FORMS = [("int8", "int8", 0.07, 0.045, -3, -100), ("uint8", "int8", 0.05, 0.04, 121, 7),
         ("int8", "uint8", 0.0625, 0.03125, 17, 30), ("int4", "int4", 0.7, 0.5, 1, -4),
         ("uint4", "int8", 0.6, 0.04, 9, -20), ("float8_e4m3fn", "float8_e4m3fn",
                                                0.25, 0.125, 0, 0)]


def params(dtype, scale, zero_point):
  zero = ", zero_point = %d" % zero_point if zero_point else ""
  return "<%s, per_tensor, scale = %.9e%s>" % (dtype, scale, zero)


class FunctionModule(Module):
  """One function of codes in every shape in which a model has it."""

  def __init__(self, function, form):
    super().__init__([1])
    self.function, self.transcendental = FUNCTIONS[function]
    self.before, self.behind, self.scale, self.out_scale, self.zero, self.out = form
    # More than every code, and an end that fills no register.
    self.shape = (3, 5, 97)

  def values(self, shape):
    """Codes, those of narrow types and of values first quantized."""
    count = int(np.prod(shape))
    if self.before in ("int8", "uint8"):
      a = (np.arange(count) % 256).astype(np.uint8).view(np.int8).reshape(shape)
      return self.argument(a, tensor(shape, "i8"))
    high = 3.0 * self.scale * (1 if self.before in ELEMENTS else 16)
    a = np.linspace(-high, high, count, dtype=np.float32).reshape(shape)
    return self.line("quant.quantize %s %s : %s -> %s" % (
        self.argument(a, tensor(shape, "f32")), self.params(), tensor(shape, "f32"),
        self.type(shape)))

  def params(self):
    return params(self.before, self.scale, self.zero)

  def out_params(self):
    return params(self.behind, self.out_scale, self.out)

  def type(self, shape):
    return tensor(shape, element_of(self.before))

  def apply(self, x, shape):
    wide = tensor(shape, "f32")
    names = {"x": self.line("quant.dequantize %s %s : %s -> %s" % (
        x, self.params(), self.type(shape), wide))}
    for name, value in CONSTANTS.items():
      if any("%" + name in line for line in self.function):
        names[name] = self.line("arith.constant dense<%.9e> : %s" % (value, wide))
    for i, line in enumerate(self.function):
      op, operands = line.split(" ", 1)
      names[str(i)] = self.line("%s %s : %s" % (
          op, ", ".join(names[o.strip(" %")] for o in operands.split(",")), wide))
    return names[str(len(self.function) - 1)]

  def quantize(self, y, shape):
    return self.line("quant.quantize %s %s : %s -> %s" % (
        y, self.out_params(), tensor(shape, "f32"), tensor(shape, element_of(self.behind))))

  def finish(self, name, codes, shape):
    """Of codes that .npy does not have, values."""
    type_ = tensor(shape, element_of(self.behind))
    if self.behind not in ("int8", "uint8"):
      wide = tensor(shape, "f32")
      codes = self.line("quant.dequantize %s %s : %s -> %s" % (
          codes, self.out_params(), type_, wide))
      type_ = wide
    self.result(name, codes, type_)

  def build(self):
    shape = self.shape
    x = self.values(shape)
    y = self.apply(x, shape)
    codes = self.quantize(y, shape)
    self.finish("codes", codes, shape)
    self.result("values", self.apply(x, shape), tensor(shape, "f32"))
    moved = (97, 3, 5)
    e = self.empty(moved, "f32")
    turned = self.line(
        "linalg.transpose ins(%s : %s) outs(%s : %s) permutation = [2, 0, 1]" % (
            self.apply(x, shape), tensor(shape, "f32"), e, tensor(moved, "f32")))
    self.finish("transposed", self.quantize(turned, moved), moved)
    if self.before == self.behind == "int8":
      loops = "affine_map<(a, b, c) -> (a, b, c)>"
      for op, scale in (("mul", self.out_scale), ("add", 2 * self.out_scale)):
        type_ = tensor(shape, "i8")
        value = self.line(
            "quant.%s lhs(%s as %s : %s) rhs(%s as %s : %s) outs(%s as %s : %s) maps "
            "[%s, %s, %s] -> %s" % (
                op, x, self.params(), type_, codes, self.out_params(), type_,
                self.empty(shape, "i8"), params("int8", scale, 5), type_, loops, loops,
                loops, type_))
        self.result(op, value, type_)
    return self


def run(command, path, flags, module, outputs):
  # Of the shapes and types of the results; run_object.py wants to know them.
  for output, type_ in zip(outputs, module.types):
    *sizes, element = type_[type_.index("<") + 1:-1].split("x")
    np.save(output, np.full([int(s) for s in sizes], 99,
                            np.int8 if element == "i8" else np.float32))
  inputs = []
  for i, a in enumerate(module.inputs):
    np.save("%s.in%d.npy" % (path, i), a)
    inputs.append("--input=%s.in%d.npy" % (path, i))
  done = subprocess.run(command + [path] + flags + inputs +
                        ["--output=" + o for o in outputs], capture_output=True, text=True)
  if done.returncode:
    raise RuntimeError("%s: %s" % (path, done.stderr.strip()[-2000:]))
  return [np.load(o) for o in outputs]


def compare(found, expected, what, limit=0):
  if found.dtype.kind == "f":
    wrong = found.view(np.uint32) != expected.astype(np.float32).view(np.uint32)
  else:
    # Neighbours of unsigned codes are neighbours as bytes, too.
    step = found.astype(np.int16) - expected.astype(np.int16)
    wrong = np.abs((step + 128) % 256 - 128) > limit
  if not wrong.any():
    return None
  at = tuple(int(i) for i in np.argwhere(wrong)[0])
  return "%d of %d elements differ from %s, the first at %s: expected %s, found %s" % (
      wrong.sum(), wrong.size, what, list(at), expected[at], found[at])


def check(folder, name, module, runner, flags):
  path = os.path.join(folder, name + ".mlir")
  with open(path, "w") as f:
    f.write(module.text())
  outputs = ["%s.out%d.npy" % (path, i) for i in range(len(module.results))]
  expected = run(["quant-run"], path, ["--target=reference"], module, outputs)
  found = run(runner, path, flags, module, outputs)
  oracle = evaluate.run(evaluate.load(path, "quant-opt"), module.inputs,
                        precision="typed", chunk=1)
  wrong = 0
  for what, f, r, o in zip(module.names, found, expected, oracle):
    messages = [compare(f, r, "the reference")]
    if r.dtype == np.int8:
      messages.append(compare(r, np.asarray(o).astype(np.uint8).view(np.int8).reshape(
          r.shape), "the oracle", 1 if module.transcendental else 0))
    for message in filter(None, messages):
      print("FAILED %s %s: %s" % (path, what, message), flush=True)
    wrong += any(messages)
  return len(module.results) - wrong, wrong


def main():
  arguments = sys.argv[1:]
  split = arguments.index("--") if "--" in arguments else len(arguments)
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("folder")
  parser.add_argument("--quick", action="store_true")
  parser.add_argument("--function", action="append", choices=FUNCTIONS)
  parser.add_argument("--runner", default="quant-run", type=str.split)
  args = parser.parse_args(arguments[:split])
  os.makedirs(args.folder, exist_ok=True)
  right = wrong = 0
  for function in args.function or FUNCTIONS:
    for i, form in enumerate(FORMS):
      if args.quick and i not in (0, 3):
        continue
      module = FunctionModule(function, form).build()
      counts = check(args.folder, "%s%d" % (function, i), module, args.runner,
                     arguments[split + 1:])
      right, wrong = right + counts[0], wrong + counts[1]
  print("%d agree, %d fail" % (right, wrong))
  return 1 if wrong or not right else 0


if __name__ == "__main__":
  sys.exit(main())

#!/usr/bin/env python3
"""Runs the operations of the integer form and compares them with the oracle.

    integer_form.py FOLDER [--full] [--group matmul]... [--seed N]
                    [--jobs N] [--runner COMMAND] [--pack OPTIONS] [-- FLAG...]

Makes modules that cover the cross of element forms, block sizes, zero points and
shapes (integer_cases.py), runs each with quant-run and the flags after `--`
(--target=cpu, --threads=2), and compares every element with integer_ops.py: integers
have to be equal, and where docs/numerics.md section 6 leaves the order of a sum open,
elements lie within its bound. Modules, inputs and outputs stay in FOLDER. Prints
each operation that differs, and a count; exit code 1 where there is any.

Without --full one case in five of the cross of matmul's forms, with one M each, and
one in three of add and mul; with it all, with every M: 6,456 operations in 235
modules, of which --jobs run at a time. quant-opt and quant-run come
from PATH; --runner is run in place of quant-run (run_object.py, for code of another
processor). With --pack, weights are packed by quant-pack-weights with these options
before, for a target that may be another one.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys

import numpy as np

import evaluate
import integer_cases
import integer_ops


def matches(found, outcome, type_):
  """Elements of `found` that are not between the ends."""
  low, value, high = (np.asarray(a)[0] for a in (outcome.low, outcome.value,
                                                 outcome.high))
  if type_.endswith("xi8>") and value.min(initial=0) >= 0 and value.max(initial=0) > 127:
    found = found.astype(np.uint8)
  found = found.astype(np.float64)
  if found.shape != value.shape:
    return "expected shape %s, found %s" % (value.shape, found.shape)
  same = (found == value) | (np.isnan(found) & np.isnan(value))
  wrong = ~(same | ((found >= low) & (found <= high)))
  if not wrong.any():
    return None
  at = tuple(int(i) for i in np.argwhere(wrong)[0])
  return "%d of %d elements differ, the first at %s: expected %s in [%s, %s], found %s" % (
      wrong.sum(), wrong.size, list(at), value[at], low[at], high[at], found[at])


def check(folder, name, module, runner, flags, pack=None):
  """(operations, messages of those that differ) of one module."""
  path = os.path.join(folder, name + ".mlir")
  with open(path, "w") as f:
    f.write(module.text())
  program = path
  if pack:
    program = path + ".packed.mlir"
    subprocess.run(["quant-opt", path, "--quant-pack-weights=" + pack, "-o", program],
                   check=True, stderr=subprocess.DEVNULL)
  command = runner + [program] + flags
  for i, a in enumerate(module.inputs):
    np.save("%s.in%d.npy" % (path, i), a)
    command.append("--input=%s.in%d.npy" % (path, i))
  outputs = ["%s.out%d.npy" % (path, i) for i in range(len(module.results))]
  integer_ops.OUTCOMES.clear()
  inputs = [a.astype(np.float32) if a.dtype == np.float16 else a for a in module.inputs]
  evaluate.run(evaluate.load(path, "quant-opt"), inputs, precision="typed", chunk=1)
  if len(integer_ops.OUTCOMES) != len(outputs):
    raise RuntimeError("%d operations for %d results" % (len(integer_ops.OUTCOMES),
                                                         len(outputs)))
  # Other numbers than those expected, of the shape and type of the results: what a
  # runner finds, and what is compared where it writes nothing.
  for type_, output, outcome in zip(module.types, outputs, integer_ops.OUTCOMES):
    element = type_[type_.rfind("x") + 1:-1]
    np.save(output, np.full(np.shape(outcome.value)[1:], 99,
                            {"i8": np.int8, "f16": np.float16}.get(element, np.float32)))
  done = subprocess.run(command + ["--output=" + o for o in outputs],
                        capture_output=True, text=True)
  if done.returncode:
    message = "FAILED %s: %s: %s" % (path, runner[0], done.stderr.strip()[-2000:])
    return len(outputs), [message] * len(outputs)
  wrong = []
  for name, type_, output, outcome in zip(module.names, module.types, outputs,
                                          integer_ops.OUTCOMES):
    message = matches(np.load(output), outcome, type_)
    if message:
      wrong.append("FAILED %s: %s (%s)" % (name, message, output))
  return len(outputs), wrong


def check_one(arguments):
  return check(*arguments)


def main():
  arguments = sys.argv[1:]
  split = arguments.index("--") if "--" in arguments else len(arguments)
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("folder")
  parser.add_argument("--full", action="store_true")
  parser.add_argument("--group", action="append", choices=integer_cases.GROUPS)
  parser.add_argument("--seed", type=int, default=1)
  parser.add_argument("--jobs", type=int, default=1)
  parser.add_argument("--runner", default="quant-run", type=str.split)
  parser.add_argument("--pack")
  args = parser.parse_args(arguments[:split])
  os.makedirs(args.folder, exist_ok=True)
  modules = ((args.folder, "%s%d" % (group, i), module, args.runner,
              arguments[split + 1:], args.pack)
             for group in args.group or (
                 group for group in integer_cases.GROUPS
                 if args.full or group not in integer_cases.LARGE)
             for i, module in enumerate(integer_cases.GROUPS[group](not args.full,
                                                                    args.seed)))
  total = failed = 0
  with multiprocessing.Pool(args.jobs) as pool:
    for count, wrong in pool.imap(check_one, modules):
      total, failed = total + count, failed + len(wrong)
      for message in dict.fromkeys(wrong):
        print(message, flush=True)
  print("%d agree, %d fail" % (total - failed, failed))
  return 1 if failed or not total else 0


if __name__ == "__main__":
  sys.exit(main())

#!/usr/bin/env python3
"""Runs quant.pack_columns and compares panels and sums with numpy's, bit for bit.

    pack_columns.py [--unknown] FOLDER [-- FLAG...]

One module of operations that cover what a kernel tells apart: what follows each other
in memory and how it is aligned, codes of 2, 4 and 8 bits with and without signs and
offsets, several loops of batches, columns and reductions, blocks, sizes that fill no
panel and no group, few and many workgroups. It is run with quant-run and the flags
after `--`; exit code 1 where anything differs. With --unknown, only the run time knows
sizes, but for those of reductions beside blocks.
"""

import argparse
import os
import subprocess
import sys

import numpy as np

from integer_module import tensor

RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int4": (-8, 7), "uint4": (0, 15),
          "int2": (-2, 1)}
OFFSETS = {"uint8": -128, "int4": 8, "int2": 2}
GROUP = 16


def ceil(a, b):
  return -(-a // b)


def pack(codes, case, width, offset):
  """The panels of quant.pack: docs/reference/qparams.md, layout."""
  batch, columns, reduction, run, panel = (case[k] for k in (
      "batch", "columns", "reduction", "run", "panel"))
  size = lambda dims: int(np.prod([codes.shape[d] for d in dims], dtype=np.int64))
  outer = reduction[:len(reduction) - run]
  ordered = codes.transpose(batch + columns + reduction).reshape(
      size(batch), size(columns), size(outer), size(reduction[len(outer):]))
  b, n, o, k = ordered.shape
  per = 8 // width
  panels, tuples = ceil(n, panel), ceil(k, GROUP * per)
  # Positions without a code hold 0.
  full = np.zeros((b, panels * panel, o, tuples * per * GROUP), np.int64)
  full[:, :n, :, :k] = (ordered.astype(np.int64) + offset) & ((1 << width) - 1)
  full = full.reshape(b, panels, panel, o, tuples, per, GROUP)
  packed = sum(full[..., i, :] << (i * width) for i in range(per))
  return packed.transpose(0, 1, 3, 4, 2, 5).astype(np.uint8).ravel()


def add_up(codes, case):
  shape = codes.shape
  kept = case["batch"] + case["columns"]
  codes = codes.astype(np.int64)
  if not case["block"]:
    sums = codes.transpose(kept + case["reduction"])
    return sums.sum(axis=tuple(range(len(kept), len(shape)))).astype(np.int32)
  dim, size = case["reduction"][0], case["block"]
  parts = [np.take(codes, range(i, min(i + size, shape[dim])), dim)
           for i in range(0, shape[dim], size)]
  return np.stack([p.transpose(kept + case["reduction"]).sum(
      axis=tuple(range(len(kept), len(shape)))) for p in parts]).astype(np.int32)


def cases():
  def case(shape, columns, reduction, batch=(), run=None, panel=64, block=0, dtype="int8"):
    return dict(shape=shape, batch=list(batch), columns=list(columns),
                reduction=list(reduction), run=len(reduction) if run is None else run,
                panel=panel, block=block, dtype=dtype)

  # A run follows each other in memory: pieces of 16, 8 and 4 bytes, single ones.
  for n, k in ((64, 64), (70, 64), (33, 72), (5, 36), (65, 70), (1, 16), (129, 3),
               (40, 1000), (300, 16), (3, 5)):
    for dtype in ("int8", "uint8"):
      yield case((n, k), [0], [1], panel=32 if k == 16 else 64, dtype=dtype)
      # Columns do.
      yield case((k, n), [1], [0], panel=128 if k < 70 else 32, dtype=dtype)
  yield case((16, 1024), [1], [0], panel=128)
  yield case((2048, 32), [1], [0], panel=32, dtype="uint8")
  yield case((16, 2048), [0], [1], panel=32)
  # Batches, together and apart; heads between columns and reductions.
  for dtype in ("int8", "uint8"):
    yield case((2, 3, 40, 24), [2], [3], batch=[0, 1], dtype=dtype)
    yield case((2, 3, 40, 24), [3], [2], batch=[0, 1], dtype=dtype)
    yield case((2, 40, 3, 24), [1], [3], batch=[0, 2], dtype=dtype)
    yield case((2, 40, 3, 24), [3], [1], batch=[2, 0], dtype=dtype)
    yield case((20, 2, 24, 3), [2], [0], batch=[1, 3], dtype=dtype)
    # Several columns and reductions, some of them one loop, some not.
    yield case((4, 5, 6, 32), [0, 1], [2, 3], dtype=dtype)
    yield case((4, 5, 6, 32), [1, 0], [3, 2], dtype=dtype)
    yield case((4, 5, 6, 32), [0, 1], [2, 3], run=1, dtype=dtype)
    yield case((4, 5, 6, 32), [0, 2], [1, 3], run=1, dtype=dtype)
    yield case((5, 6, 4, 32), [2, 3], [0, 1], run=1, dtype=dtype)
    yield case((5, 6, 4, 32), [2, 3], [0, 1], dtype=dtype)
    yield case((5, 3, 4, 32), [0, 3], [1, 2], run=0, dtype=dtype)
    # Blocks, of which the last is shorter.
    for block in (16, 32, 64, 192):
      yield case((40, 200), [0], [1], block=block, dtype=dtype)
      yield case((200, 40), [1], [0], block=block, dtype=dtype)
    yield case((3, 72, 256), [1], [2], batch=[0], block=64, panel=32, dtype=dtype)
    yield case((3, 256, 70), [2], [1], batch=[0], block=128, panel=32, dtype=dtype)
  # Codes that share bytes.
  for dtype in ("int4", "uint4", "int2"):
    for n, k in ((64, 128), (70, 72), (5, 33), (34, 257)):
      yield case((n, k), [0], [1], panel=32, dtype=dtype)
      yield case((k, n), [1], [0], panel=32, dtype=dtype)
    yield case((36, 256), [0], [1], block=64, dtype=dtype)
    yield case((224, 36), [1], [0], block=64, dtype=dtype)


def make(i, c, random, lines, unknown):
  """Adds an operation; types and values of its inputs, types of its results, and what
  panels and sums have to be."""
  dtype, shape = c["dtype"], c["shape"]
  low, high = RANGES[dtype]
  width, offset = int(dtype.lstrip("uint")), OFFSETS.get(dtype, 0)
  codes = random.integers(low, high + 1, shape)
  panels, sums = pack(codes, c, width, offset), add_up(codes, c)
  element = "i%d" % width
  known = [] if unknown else range(len(shape))
  if c["block"]:
    known = list(known) + c["reduction"]
  typed = [n if d in known else None for d, n in enumerate(shape)]
  codes_type = tensor(typed, element)
  layout = "<panels, %s" % codes_type
  for name in ("batch", "columns", "reduction"):
    if c[name]:
      layout += ", %s = %s" % (name, c[name])
  if c["run"]:
    layout += ", run = %d" % c["run"]
  layout += ", panel = %d, group = %d" % (c["panel"], GROUP)
  layout += ", offset = %d>" % offset if offset else ">"
  params = "<%s, per_tensor>" % dtype
  if c["block"]:
    sizes = [-1 if n is None else n for n in typed]
    sizes[c["reduction"][0]] = c["block"]
    params = "<%s, per_block<%s>>" % (dtype, sizes)
  outs = [np.zeros(panels.shape, np.int8), np.zeros(sums.shape, np.int32)]
  dims = ([None], ([sums.shape[0]] if c["block"] else []) +
          [typed[d] for d in c["batch"] + c["columns"]]) if unknown else (
              panels.shape, sums.shape)
  types = (tensor(dims[0], "i8"), tensor(dims[1], "i32"))
  bytes_type, name = tensor(typed, "i8"), "%%x%d" % i
  if width < 8:
    lines += ["  %%c%d = arith.trunci %s : %s to %s" % (i, name, bytes_type, codes_type)]
    name = "%%c%d" % i
  if not unknown:
    lines += ["  %%e%d = tensor.empty() : %s" % (i, types[0]),
              "  %%f%d = tensor.empty() : %s" % (i, types[1])]
  lines += ["  %%r%d:2 = quant.pack_columns ins(%s as %s : %s) in %s outs(%%e%d, %%f%d : "
            "%s, %s) -> %s, %s" % (
                (i, name, params, codes_type, layout, i, i) + types + types)]
  # Bits above the width are any.
  bytes_ = codes if width == 8 else codes & ((1 << width) - 1) if i % 2 else codes & 0xFF
  inputs = [("%%x%d" % i, bytes_type, bytes_.astype(np.uint8).view(np.int8))]
  if unknown:
    inputs += [("%%e%d" % i, types[0], outs[0]), ("%%f%d" % i, types[1], outs[1])]
  return inputs, types, (panels.view(np.int8), sums)


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("folder")
  parser.add_argument("--unknown", action="store_true", help="sizes are '?'")
  parser.add_argument("flags", nargs="*", help="of quant-run")
  args = parser.parse_args()
  os.makedirs(args.folder, exist_ok=True)
  random = np.random.default_rng(5)
  lines, made = [], []
  all_ = list(cases())
  for i, c in enumerate(all_):
    made.append(make(i, c, random, lines, args.unknown))
  path = os.path.join(args.folder, "pack.mlir")
  types = [t for _, both, _ in made for t in both]
  inputs = [one for some, _, _ in made for one in some]
  with open(path, "w") as f:
    f.write("func.func @main(%s) -> (%s) {\n%s\n  return %s : %s\n}\n" % (
        ", ".join("%s: %s" % one[:2] for one in inputs), ", ".join(types),
        "\n".join(lines), ", ".join("%%r%d#0, %%r%d#1" % (i, i) for i in range(len(made))),
        ", ".join(types)))
  command, outputs = ["quant-run", path] + args.flags, []
  for i, (_, _, value) in enumerate(inputs):
    np.save("%s.in%d.npy" % (path, i), value)
    command.append("--input=%s.in%d.npy" % (path, i))
  for i in range(len(made)):
    for what in ("panels", "sums"):
      outputs.append("%s.%s%d.npy" % (path, what, i))
  done = subprocess.run(command + ["--output=" + o for o in outputs], text=True,
                        stderr=subprocess.PIPE)
  sys.stderr.write(done.stderr)
  if done.returncode:
    sys.exit("FAILED: quant-run")
  failed = 0
  for i, (c, m) in enumerate(zip(all_, made)):
    for what, expected, output in zip(("panels", "sums"), m[2], outputs[2 * i:]):
      found = np.load(output)
      if found.shape == expected.shape and (found == expected).all():
        continue
      failed += 1
      at = np.argwhere(found != expected)
      print("FAILED %s of %s: %d differ, the first at %s: expected %d, found %d" % (
          what, c, len(at), list(at[0]), expected[tuple(at[0])], found[tuple(at[0])]))
  print("%d agree, %d fail" % (2 * len(made) - failed, failed))
  sys.exit(failed != 0)


if __name__ == "__main__":
  main()

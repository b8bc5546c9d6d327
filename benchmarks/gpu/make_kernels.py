#!/usr/bin/env python3
"""Writes the kernels that run.py measures, where LLVM and quant-opt are.

    make_kernels.py BUILD FOLDER [--arch=sm_80,sm_90a] [--filter=REGEX] [--emulated]

For every case and architecture: the module, compiled by `quant-opt --lower-to=nvvm`,
whose host code is linked with recorder.c to learn what it launches. FOLDER gets the PTX,
the constants of kernels (compressed), and manifest.json; it travels to the machine with
the GPU together with this one. With --emulated kernels are LLVM IR as text, which the
driver of the test tree runs.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import zlib

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
LAYOUT = re.compile(r"in (<panels, tensor<([\dx]+)x\w+>,[^>]*>)")
PACK_LAYOUT = re.compile(r"quant.pack_columns .* in (<panels, tensor<[^>]*>,[^>]*>)")


class Failure(Exception):
  pass


class Tools:

  def __init__(self, build):
    self.opt = os.path.join(build, "bin", "quant-opt")
    if not os.path.exists(self.opt):
      raise Failure("expected a built project, found no %s" % self.opt)
    found = subprocess.run(["llvm-config-22", "--bindir"], capture_output=True, text=True)
    folder = found.stdout.strip() if found.returncode == 0 else "/usr/lib/llvm-22/bin"
    self.llvm = lambda name: os.path.join(folder, name)

  @staticmethod
  def run(command, **options):
    done = subprocess.run(command, capture_output=True, **options)
    if done.returncode != 0:
      error = done.stderr.decode() if isinstance(done.stderr, bytes) else done.stderr
      raise Failure("%s: %s" % (" ".join(command[:2]), error.strip()[:2000]))
    return done


def find_layout(tools, case, numbers, arch):
  """How the compiler lays out the weights: text of the attribute, and what is in it."""
  number = lambda name: int((re.search(r"\b%s = (-?\d+)" % name, text) or [0, 0])[1])
  numbers_of = lambda: {name: number(name) for name in ("panel", "group", "offset", "block")}
  if isinstance(case, cases.PackCase):
    options = "=gpu=nvvm gpu-arch=%s" % arch
    done = tools.run([tools.opt, "-", "--quant-pack-weights" + options,
                      "--quant-prepare-kernels" + options],
                     input=cases.pack_probe_module(case).encode())
    found = PACK_LAYOUT.search(done.stdout.decode())
    if not found:
      raise Failure("the compiler does not pack codes of this kind")
    text = found[1]
    return text, numbers_of()
  k = min(case.k, max(case.block, 32) * 8)
  if case.k % 32 or not case.is_product:
    k = case.k
  module = cases.probe_module(case, numbers, k)
  done = tools.run([tools.opt, "-", "--quant-pack-weights=gpu=nvvm gpu-arch=%s" % arch],
                   input=module.encode())
  found = LAYOUT.search(done.stdout.decode())
  if not found:
    raise Failure("the compiler does not pack weights of this kind")
  text = found[1].replace("tensor<%sx" % found[2],
                          "tensor<%sx" % "x".join(map(str, case.weights_shape)), 1)
  return text, numbers_of()


def packed_size(case, layout):
  per_byte = 2 if case.weights == "int4" else 1
  tuple_size = layout["group"] * per_byte
  tuples = -(-case.k // tuple_size)
  panels = -(-case.n // layout["panel"])
  return panels * tuples * layout["panel"] * layout["group"]


def compile_case(tools, case, arch, emulated, folder, scratch):
  is_pack = isinstance(case, cases.PackCase)
  numbers = None if is_pack else cases.Numbers(case)
  text, layout = find_layout(tools, case, numbers, arch)
  if layout["block"]:
    raise Failure("its blocks do not begin where tuples do")
  size = packed_size(case, layout)
  if is_pack:
    module = cases.pack_module(case, text, case.batches * size)
  else:
    sums = None
    if case.is_integer:
      sums = "%dx%d" % (-(-case.k // case.block), case.n) if case.block else "%d" % case.n
    module = cases.case_module(case, numbers, text, size, sums)
  path = lambda name: os.path.join(scratch, name)
  with open(path("case.mlir"), "w") as f:
    f.write(module)
  target = "nvvm-emulator" if emulated else "nvvm"
  done = tools.run([tools.opt, path("case.mlir"), "--lower-to=" + target, "--gpu-arch=" + arch,
                    "-o", path("case.llvm.mlir")], text=True)
  remarks = [line for line in done.stderr.splitlines() if "remark:" in line]
  tools.run([tools.llvm("mlir-translate"), "--mlir-to-llvmir", path("case.llvm.mlir"), "-o",
             path("case.ll")])
  tools.run([tools.llvm("llc"), "-O1", "-filetype=obj", "-relocation-model=pic",
             path("case.ll"), "-o", path("case.o")])
  tools.run([tools.llvm("clang"), path("recorder.o"), path("case.o"), "-lm", "-o",
             path("record")])
  prefix = "%s.%s" % (case.stem, arch)
  done = tools.run([path("record"), scratch, prefix], text=True)
  launches = [json.loads(line) for line in done.stdout.splitlines()]
  for launch in launches:
    launch["file"] = keep_kernel(tools, launch["file"], emulated, folder, scratch)
    for buffer in launch["buffers"]:
      if "constant" in buffer:
        buffer["constant"] = keep_constant(buffer["constant"], folder, scratch)
  return {"case": case.name, "arch": arch, "layout": layout, "launches": launches,
          "remarks": [re.sub(r"^.*remark: ", "", line) for line in remarks]}


def keep_kernel(tools, name, emulated, folder, scratch):
  source = os.path.join(scratch, name)
  target = name.replace(".kernel", ".ll" if emulated else ".ptx")
  if emulated:
    tools.run([tools.llvm("llvm-dis"), source, "-o", os.path.join(folder, target)])
  else:
    with open(source, "rb") as f, open(os.path.join(folder, target), "wb") as out:
      out.write(f.read().rstrip(b"\0"))
  return target


def keep_constant(name, folder, scratch):
  with open(os.path.join(scratch, name), "rb") as f:
    data = zlib.compress(f.read(), 9)
  with open(os.path.join(folder, name + ".z"), "wb") as out:
    out.write(data)
  return name + ".z"


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("build", help="where the project is built")
  parser.add_argument("folder", help="what travels")
  parser.add_argument("--arch", default="sm_80,sm_90a")
  parser.add_argument("--filter", default="", help="only cases whose name has a match")
  parser.add_argument("--emulated", action="store_true")
  options = parser.parse_args()
  os.makedirs(options.folder, exist_ok=True)
  entries, left_out = [], []
  with tempfile.TemporaryDirectory() as scratch:
    try:
      tools = Tools(options.build)
      tools.run([tools.llvm("clang"), "-O1", "-Wall", "-c", os.path.join(HERE, "recorder.c"),
                 "-o", os.path.join(scratch, "recorder.o")])
    except Failure as failure:
      sys.exit("make_kernels: error: %s" % failure)
    for case in cases.all_cases():
      if not re.search(options.filter, case.name):
        continue
      for arch in options.arch.split(","):
        print("%s %s" % (case.name, arch), flush=True)
        try:
          entries.append(compile_case(tools, case, arch, options.emulated, options.folder,
                                      scratch))
        except Failure as failure:
          print("  left out: %s" % failure)
          left_out.append({"case": case.name, "arch": arch, "reason": str(failure)})
  manifest = {"version": 1, "emulated": options.emulated, "kernels": entries,
              "left_out": left_out}
  with open(os.path.join(options.folder, "manifest.json"), "w") as f:
    json.dump(manifest, f, indent=1)
  print("%d kernels, %d left out" % (len(entries), len(left_out)))
  return 0 if entries else 1


if __name__ == "__main__":
  sys.exit(main())

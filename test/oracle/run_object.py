#!/usr/bin/env python3
"""Runs a model as an object of a processor, in place of quant-run.

    run_object.py MODEL --target-cpu=CPU --cc=COMMAND [--run=COMMAND]
                  --input=X.npy… --output=Y.npy…

quant-opt --lower-to=cpu, mlir-translate and llc make the object, COMMAND links it
with a main function in C, and --run (an emulator; default: none) starts it. The
output files have to exist already, as arrays of the shapes of the results: who calls
a compiled function gives it the buffers. MODEL has the function @main. The tools come
from PATH.
"""

import argparse
import re
import subprocess
import sys

import numpy as np

MAIN = """#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
%(declaration)s
static void *transfer(const char *path, void *data, size_t size, const char *mode) {
  FILE *file = fopen(path, mode);
  if (!file) exit(2);
  if ((mode[0] == 'r' ? fread(data, 1, size, file) : fwrite(data, 1, size, file)) != size)
    exit(3);
  fclose(file);
  return data;
}
int main(int argc, char **argv) {
  static const size_t sizes[] = {%(sizes)s};
  void *data[%(count)d];
  for (int i = 0; i < %(count)d; ++i) {
    /* As long as the array and no longer, so that an emulator or a sanitizer can see
       what reaches past its end. */
    data[i] = malloc(sizes[i]);
    if (i < %(inputs)d) transfer(argv[1 + i], data[i], sizes[i], "rb");
  }
%(call)s
  for (int i = %(inputs)d; i < %(count)d; ++i)
    transfer(argv[1 + i], data[i], sizes[i], "wb");
  return 0;
}
"""


def descriptor(i, array):
  """A buffer as MLIR's C interface passes it: strides behind as many sizes."""
  numbers = list(array.shape) + [int(np.prod(array.shape[d + 1:]))
                                 for d in range(array.ndim)]
  return "  struct { void *base, *data; int64_t offset, dims[%d]; } b%d = {data[%d], data[%d], 0, {%s}};" % (
      max(1, 2 * array.ndim), i, i, i, ", ".join(map(str, numbers)) or "0")


def elements(signature):
  """The element types of arguments and results, in order."""
  return [t.split("x")[-1] for t in re.findall(r"tensor<([^>]*)>", signature)]


def to_memory(array, element):
  """An array as quant-run takes it, as it lies in memory: bf16 is a float32 there,
  rounded half to even."""
  if element != "bf16":
    return array
  bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
  return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("model")
  parser.add_argument("--target-cpu", required=True)
  parser.add_argument("--cc", required=True)
  parser.add_argument("--run", default="")
  parser.add_argument("--input", action="append", default=[])
  parser.add_argument("--output", action="append", default=[])
  args = parser.parse_args()

  stem = args.model + "." + args.target_cpu
  subprocess.run(["quant-opt", args.model, "--lower-to=cpu",
                  "--target-cpu=" + args.target_cpu, "-o", stem + ".llvm.mlir"],
                 check=True, stderr=subprocess.DEVNULL)
  subprocess.run(["mlir-translate", "--mlir-to-llvmir", stem + ".llvm.mlir", "-o",
                  stem + ".ll"], check=True)
  subprocess.run(["llc", "-O3", "-filetype=obj", "-relocation-model=pic", stem + ".ll",
                  "-o", stem + ".o"], check=True)

  with open(stem + ".llvm.mlir") as f:
    text = f.read()
  by_descriptor = "@_mlir_ciface_model_main(" in text
  if not by_descriptor and not re.search(r"llvm\.func @model_main\(", text):
    sys.exit("run_object.py: expected a function @main in " + args.model)
  with open(args.model) as f:
    signature = re.search(r"func\.func @main\((.*?)\{$", f.read(), re.M).group(1)
  arrays = [to_memory(np.load(p), element) for p, element in
            zip(args.input + args.output, elements(signature))]
  name = "_mlir_ciface_model_main" if by_descriptor else "model_main"
  call = [descriptor(i, a) for i, a in enumerate(arrays)] if by_descriptor else []
  values = ["&b%d" % i if by_descriptor else "data[%d]" % i for i in range(len(arrays))]
  call.append("  %s(%s);" % (name, ", ".join(values)))
  with open(stem + ".c", "w") as f:
    f.write(MAIN % {
        "declaration": "void %s(%s);" % (name, ", ".join(["void *"] * len(arrays))),
        "sizes": ", ".join(str(a.nbytes) for a in arrays), "count": len(arrays),
        "inputs": len(args.input), "call": "\n".join(call)})
  subprocess.run(args.cc.split() + ["-x", "c", stem + ".c", "-x", "none", stem + ".o",
                                    "-o", stem + ".exe"], check=True)
  raw = ["%s.%d" % (stem, i) for i in range(len(arrays))]
  for path, array in zip(raw, arrays):
    np.ascontiguousarray(array).tofile(path)
  subprocess.run(args.run.split() + [stem + ".exe"] + raw, check=True)
  for path, raw_path, array in zip(args.output, raw[len(args.input):],
                                   arrays[len(args.input):]):
    found = np.fromfile(raw_path, array.dtype).reshape(array.shape)
    if array.dtype == np.uint16:  # bf16: the upper half of a float32
      found = (found.astype(np.uint32) << 16).view(np.float32)
    np.save(path, found)


if __name__ == "__main__":
  main()

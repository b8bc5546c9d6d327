"""quantize_io.py model.mlir ranges.json x.npy: with --quantize-io the model takes and
gives codes. With the parameters that the function's attributes say, the same inputs
must give the codes of the outputs of the model without it, exactly."""
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "oracle"))
import quantize
from quant_ops import Affine

model, ranges, inputs = sys.argv[1:]
folder = tempfile.mkdtemp()
file = lambda name: os.path.join(folder, name)


def tool(*command):
  subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def quantized(name, *flags):
  tool("quant-opt", model, "--quantize-weights=int8", "--quantize-activations=int8",
       "--ranges=" + ranges, *flags, "-o", file(name))
  return file(name)


def codes(affine, x):
  scale = np.float32(affine.values["scale"]).reshape((1,) * x.ndim)
  zero = np.asarray(affine.values.get("zero_point", 0)).reshape((1,) * x.ndim)
  params = quantize.Params(affine.dtype, *affine.range, list(x.shape), scale, zero)
  return quantize.apply(x, params).astype(np.int8)


tool("quant-run", quantized("float-io.mlir"), "--input=" + inputs,
     "--output=" + file("expected.npy"))
coded = quantized("io.mlir", "--quantize-io")
attrs = re.findall(r"quant.params = (#qparams.affine<[^>]*>)", open(coded).read())
first, last = Affine(attrs[0]), Affine(attrs[-1])
np.save(file("codes.npy"), codes(first, np.load(inputs)))
tool("quant-run", coded, "--input=" + file("codes.npy"),
     "--output=" + file("found.npy"))
found = np.load(file("found.npy"))
expected = codes(last, np.load(file("expected.npy")))
print("%s, %d of %d codes equal" % (found.dtype, (found == expected).sum(),
                                    expected.size))
sys.exit(found.dtype != np.int8 or not np.array_equal(found, expected))

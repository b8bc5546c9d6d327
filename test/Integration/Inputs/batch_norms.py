"""batch_norms.py FOLDER: folds the batch norm of one small model per layout and way
of writing it, runs both, and compares their outputs with each other and with the
formula in float64. Prints a line for each, and a count.

A folded model must be without multiplications and square roots outside its
contraction; its outputs may differ by what the roundings of sums in another order
make of them: 1e-6 of the largest output, in f16 four units in its last place.
"""
import os
import subprocess
import sys

import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
random = np.random.default_rng(11)


def hexed(array):
  return 'dense<"0x%s">' % array.tobytes().hex().upper()


def tensor(shape, element="f32"):
  return "tensor<%s%s>" % ("".join("%sx" % d for d in shape), element)


def parameters(count, element):
  """mean, variance, gamma, beta and the bias before them."""
  dtype = np.float16 if element == "f16" else np.float32
  p = {name: random.uniform(*ends, count).astype(dtype) for name, ends in
       (("mean", (-1, 1)), ("var", (0.5, 2)), ("gamma", (-2, 2)), ("beta", (-3, 3)),
        ("bias", (-1, 1)))}
  return p


def norm(y, p, epsilon=2.0**-10):
  """On the last axis, in float64."""
  p = {k: v.astype(np.float64) for k, v in p.items()}
  return (y + p["bias"] - p["mean"]) / np.sqrt(p["var"] + epsilon) * p["gamma"] + p["beta"]


# linalg ---------------------------------------------------------------------------


def linalg(x, w, y, op, p, channel, element="f32", moves=None, form="chain"):
  """A function around `op`, whose result has the channels in `channel`; `moves` are
  (text, shape) of operations between the two."""
  text = ["func.func @main(%%x: %s) -> %s {" % (tensor(x.shape, element),
                                               tensor(moves[1] if moves else y, element)),
          "  %%w = arith.constant %s : %s" % (hexed(w), tensor(w.shape, element))]
  text += ["  %%%s = arith.constant %s : %s" % (k, hexed(v), tensor(v.shape, element))
           for k, v in p.items()]
  text += ["  %%eps = arith.constant 0.0009765625 : %s" % element,
           "  %%zero = arith.constant 0.0 : %s" % element,
           "  %%e = tensor.empty() : %s" % tensor(y, element),
           "  %%init = linalg.fill ins(%%zero : %s) outs(%%e : %s) -> %s" % (
               element, tensor(y, element), tensor(y, element)),
           "  %y = " + op.format(x=tensor(x.shape, element), w=tensor(w.shape, element),
                                 y=tensor(y, element))]
  value, shape = "%y", y
  if moves:
    text.append("  " + moves[0].format(x=tensor(y, element), y=tensor(moves[1], element)))
    value, shape = "%moved", moves[1]
  type_ = tensor(shape, element)
  dims = ", ".join("d%d" % i for i in range(len(shape)))
  maps = "affine_map<(%s) -> (%s)>" % (dims, dims)
  along = "affine_map<(%s) -> (d%d)>" % (dims, channel)
  text.append("  %%d = tensor.empty() : %s" % type_)
  count = tensor(p["mean"].shape, element)

  def generic(result, inputs, body):
    all_maps = ", ".join(along if t == count else maps for _, t in inputs)
    args = ", ".join("%%a%d: %s" % (i, element) for i in range(len(inputs)))
    text.append(
        "  %s = linalg.generic {indexing_maps = [%s, %s], iterator_types = [%s]} ins(%s : %s)"
        " outs(%%d : %s) {\n  ^bb0(%s, %%out: %s):" % (
            result, all_maps, maps, ", ".join(['"parallel"'] * len(shape)),
            ", ".join(n for n, _ in inputs), ", ".join(t for _, t in inputs), type_, args,
            element))
    text.extend("    " + line.replace("ELT", element) for line in body)
    text.append("  } -> %s" % type_)

  step = lambda op: ["%%r = arith.%s %%a0, %%a1 : ELT" % op, "linalg.yield %r : ELT"]
  if form == "one":
    generic("%out0", [(value, type_)] + [("%" + k, count) for k in
                                         ("bias", "mean", "var", "gamma", "beta")],
            ["%0 = arith.addf %a1, %a0 : ELT", "%1 = arith.subf %0, %a2 : ELT",
             "%2 = arith.addf %a3, %eps : ELT", "%3 = math.rsqrt %2 : ELT",
             "%4 = arith.mulf %1, %3 : ELT", "%5 = arith.mulf %4, %a4 : ELT",
             "%6 = arith.addf %5, %a5 : ELT", "linalg.yield %6 : ELT"])
  else:
    text.append("  %%epsilons = tensor.splat %%eps : %s" % count
                if form == "splat" else
                "  %%epsilons = arith.constant dense<0.0009765625> : %s" % count)
    text += ["  %%v = arith.addf %%var, %%epsilons : %s" % count,
             "  %%s = math.sqrt %%v : %s" % count]
    generic("%0", [(value, type_), ("%bias", count)], step("addf"))
    generic("%1", [("%0", type_), ("%mean", count)], step("subf"))
    generic("%2", [("%1", type_), ("%s", count)], step("divf"))
    generic("%3", [("%2", type_), ("%gamma", count)], step("mulf"))
    generic("%out0", [("%3", type_), ("%beta", count)], step("addf"))
  text += ["  return %%out0 : %s" % type_, "}"]
  return "\n".join(text) + "\n"


# tosa -----------------------------------------------------------------------------


def tosa(x, w, y, op, p, element="f32", bias=True):
  """(x - mean) * rsqrt(variance + epsilon) * gamma + beta behind `op`."""
  names = {"x": tensor(x.shape, element), "w": tensor(w.shape, element),
           "y": tensor(y, element), "b": tensor(p["bias"].shape, element),
           "z": tensor((1,), element), "e": element}
  count = len(p["mean"])
  ones = (1,) * (len(y) - 1)
  constant = lambda name, value, shape, t=element: (
      '  %%%s = "tosa.const"() {values = %s : %s} : () -> %s' % (
          name, value, tensor(shape, t), tensor(shape, t)))
  text = ["func.func @main(%%x: %s) -> %s {" % (names["x"], names["y"]),
          constant("w", hexed(w), w.shape), constant("z", "dense<0.0>", (1,)),
          constant("eps", "dense<0.0009765625>", ones + (1,)),
          constant("shift", "dense<0>", (1,), "i8")]
  for name, value in p.items():
    text.append(constant(name + "_", hexed(value), value.shape))
    text.append("  %%%s_shape = tosa.const_shape {values = dense<%s> : tensor<%dxindex>} : "
                "() -> !tosa.shape<%d>" % (name, list(ones) + [count], len(y), len(y)))
    text.append("  %%%s = tosa.reshape %%%s_, %%%s_shape : (%s, !tosa.shape<%d>) -> %s" % (
        name, name, name, tensor(value.shape, element), len(y),
        tensor(ones + (count,), element)))
  text.append("  %y = " + op.format(**names))
  per = tensor(ones + (count,), element)
  one = tensor(ones + (1,), element)
  value = "%y"
  if not bias:
    text.append("  %%biased = tosa.add %%y, %%bias : (%s, %s) -> %s" % (
        names["y"], per, names["y"]))
    value = "%biased"
  text += ["  %%v = tosa.add %%var, %%eps : (%s, %s) -> %s" % (per, one, per),
           "  %%r = tosa.rsqrt %%v : (%s) -> %s" % (per, per),
           "  %%0 = tosa.sub %s, %%mean : (%s, %s) -> %s" % (value, names["y"], per, names["y"]),
           "  %%1 = tosa.mul %%0, %%r, %%shift : (%s, %s, tensor<1xi8>) -> %s" % (
               names["y"], per, names["y"]),
           "  %%2 = tosa.mul %%1, %%gamma, %%shift : (%s, %s, tensor<1xi8>) -> %s" % (
               names["y"], per, names["y"]),
           "  %%3 = tosa.add %%2, %%beta : (%s, %s) -> %s" % (names["y"], per, names["y"]),
           "  return %%3 : %s" % names["y"], "}"]
  return "\n".join(text) + "\n"


# Contractions in float64 ------------------------------------------------------------


def conv(x, w):
  """NHWC by HWCF, stride 1."""
  kh, kw = w.shape[:2]
  h, v = x.shape[1] - kh + 1, x.shape[2] - kw + 1
  return sum(np.einsum("nhwc,cf->nhwf", x[:, i:i + h, j:j + v], w[i, j])
             for i in range(kh) for j in range(kw))


def depthwise(x, w):
  """NHWC by HWCM; channels and multipliers joined."""
  kh, kw = w.shape[:2]
  h, v = x.shape[1] - kh + 1, x.shape[2] - kw + 1
  y = sum(np.einsum("nhwc,cm->nhwcm", x[:, i:i + h, j:j + v], w[i, j])
          for i in range(kh) for j in range(kw))
  return y.reshape(y.shape[:3] + (-1,))


def conv_transpose(x, w, stride):
  """NHWC by OHWI."""
  n, h, v, _ = x.shape
  o, kh, kw, _ = w.shape
  y = np.zeros((n, (h - 1) * stride + kh, (v - 1) * stride + kw, o))
  for i in range(kh):
    for j in range(kw):
      y[:, i:i + h * stride:stride, j:j + v * stride:stride] += np.einsum(
          "nhwi,oi->nhwo", x, w[:, i, j])
  return y


def data(shape, element):
  dtype = np.float16 if element == "f16" else np.float32
  return random.standard_normal(shape).astype(dtype)


counts = {True: 0, False: 0}


def run(name, text, x, expected, element="f32"):
  path = os.path.join(folder, name)
  with open(path + ".mlir", "w") as f:
    f.write(text)
  np.save(path + ".npy", x)

  def tool(*arguments):
    subprocess.run(arguments, check=True)

  tool("quant-opt", path + ".mlir", "--quant-lower-tosa", "--quant-fold-batch-norm",
       "-o", path + ".folded.mlir")
  outputs = []
  for model in (path + ".mlir", path + ".folded.mlir"):
    tool("quant-run", model, "--input=" + path + ".npy", "--output=" + path + ".out.npy")
    outputs.append(np.load(path + ".out.npy").astype(np.float64))
  largest = np.abs(expected).max()
  before, after = [np.abs(out - expected).max() / largest for out in outputs]
  change = np.abs(outputs[0] - outputs[1]).max() / largest
  with open(path + ".folded.mlir") as f:
    folded = f.read()
  is_folded = not any(word in folded for word in ("sqrt", "arith.divf", "arith.subf", "arith.mulf"))
  bound = 4 * 2.0**-10 if element == "f16" else 1e-6
  good = is_folded and change <= bound and after <= bound
  counts[good] += 1
  print("%-28s change %.1e, error %.1e before and %.1e after%s%s" % (
      name, change, before, after, "" if is_folded else ", NOT FOLDED", "" if good else " FAILED"))


for element in ("f32", "f16"):
  x, w = data((1, 6, 7, 5), element), data((3, 2, 5, 8), element)
  y = conv(x.astype(float), w.astype(float))
  p = parameters(8, element)
  for form in ("chain", "one"):
    run("conv_nhwc_hwcf_%s_%s" % (form, element), linalg(
        x, w, y.shape, "linalg.conv_2d_nhwc_hwcf ins(%x, %w : {x}, {w}) outs(%init : {y}) -> {y}",
        p, 3, element, form=form), x, norm(y, p), element)
  xt, wt = x.transpose(0, 3, 1, 2).copy(), w.transpose(3, 2, 0, 1).copy()
  run("conv_nchw_fchw_" + element, linalg(
      xt, wt, y.transpose(0, 3, 1, 2).shape,
      "linalg.conv_2d_nchw_fchw ins(%x, %w : {x}, {w}) outs(%init : {y}) -> {y}", p, 1, element),
      xt, norm(y, p).transpose(0, 3, 1, 2), element)
  wt = w.transpose(3, 0, 1, 2).copy()
  run("tosa_conv2d_" + element, tosa(
      x, wt, y.shape, "tosa.conv2d %x, %w, %bias_, %z, %z {{acc_type = f32, pad = array<i64: 0, 0, "
      "0, 0>, stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>}} : ({x}, {w}, {b}, {z}, {z}) "
      "-> {y}", p, element), x, norm(y, p), element)

  w = data((3, 2, 5, 2), element)
  y = depthwise(x.astype(float), w.astype(float))
  p = parameters(10, element)
  run("depthwise_" + element, linalg(
      x, w, y.shape[:3] + (5, 2),
      "linalg.depthwise_conv_2d_nhwc_hwcm ins(%x, %w : {x}, {w}) outs(%init : {y}) -> {y}", p, 3,
      element, moves=("%moved = tensor.collapse_shape %y [[0], [1], [2], [3, 4]] : {x} into {y}",
                      y.shape)), x, norm(y, p), element)
  run("tosa_depthwise_" + element, tosa(
      x, w, y.shape, "tosa.depthwise_conv2d %x, %w, %bias_, %z, %z {{acc_type = f32, pad = "
      "array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>, dilation = array<i64: 1, 1>}} : "
      "({x}, {w}, {b}, {z}, {z}) -> {y}", p, element), x, norm(y, p), element)

  x, w = data((6, 33), element), data((33, 9), element)
  y = x.astype(float) @ w.astype(float)
  p = parameters(9, element)
  run("matmul_" + element, linalg(
      x, w, y.shape, "linalg.matmul ins(%x, %w : {x}, {w}) outs(%init : {y}) -> {y}", p, 1,
      element, form="one"), x, norm(y, p), element)
  wt = w.transpose().copy()
  run("contract_" + element, linalg(
      x, wt, y.shape, "linalg.contract indexing_maps = [affine_map<(m, n, k) -> (m, k)>, "
      "affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%x, %w : {x}, {w}) "
      "outs(%init : {y}) -> {y}", p, 1, element), x, norm(y, p), element)
  xb, wb = x[None], w[None]
  run("tosa_matmul_" + element, tosa(
      xb, wb, (1,) + y.shape, "tosa.matmul %x, %w, %z, %z : ({x}, {w}, {z}, {z}) -> {y}", p,
      element, bias=False), xb, norm(y, p)[None], element)

# Upstream decomposes a strided transposed convolution, here with moves of the result.
x, w = data((1, 4, 5, 3), "f32"), data((6, 4, 4, 3), "f32")
y = conv_transpose(x.astype(float), w.astype(float), 2)
p = parameters(6, "f32")
run("tosa_transpose_conv2d", tosa(
    x, w, y.shape, "tosa.transpose_conv2d %x, %w, %bias_, %z, %z {{acc_type = f32, out_pad = "
    "array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>}} : ({x}, {w}, {b}, {z}, {z}) -> {y}", p),
    x, norm(y, p))
print("%d agree, %d fail" % (counts[True], counts[False]))

#!/usr/bin/env python3
"""Trains the bundled digits network and writes it as MLIR with its data.

Needs numpy and scikit-learn (for the data only). One run takes about 75 seconds
on one core:

    python3 examples/digits/train.py [--out DIR] [--epochs N] [--seed N]

The network, NHWC, biases everywhere, relu after every convolution:

    8x8x1 -> conv1 3x3x1x32 -> dw1 3x3x32 -> pw1 1x1x32x64 -> max pool 2x2
          -> dw2 3x3x64 -> pw2 1x1x64x64 -> average pool 2x2 -> flatten 256
          -> fc 256x10 -> logits

Training uses batch normalization after each convolution; the written model has
it folded into weights and biases, as a deployment exporter would. All training
arithmetic is float32; `test_float_outputs.npy` comes from a separate float64
evaluation of the folded float32 weights (`evaluate64`), written as plain loops
over the kernel window rather than with the code used in training.
"""

import argparse
import os

import numpy as np

BN_EPS = 1e-3
BN_MOMENTUM = 0.95
CONVS = ("conv1", "dw1", "pw1", "dw2", "pw2")


# Data ------------------------------------------------------------------------


def load_data(seed):
  """Pixels 0..16 scaled to [0, 1]; a fixed random split 1197 train / 600 test."""
  from sklearn.datasets import load_digits
  digits = load_digits()
  x = (digits.images.astype(np.float32) / np.float32(16.0))[..., None]
  y = digits.target.astype(np.int64)
  order = np.random.RandomState(seed).permutation(len(x))
  train, test = order[:-600], order[-600:]
  return x[train], y[train], x[test], y[test]


def augment(x, rng):
  """Shifts each image by -1, 0 or 1 pixel in both directions."""
  padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  out = np.empty_like(x)
  shift = rng.randint(0, 3, size=(len(x), 2))
  shift[rng.rand(len(x)) < 0.4] = 1
  for i, (dy, dx) in enumerate(shift):
    out[i] = padded[i, dy:dy + 8, dx:dx + 8]
  return out


# Layers: forward returns what backward needs ----------------------------------


def windows(x):
  """3x3 windows of x padded by one: (N, H, W, 9, C)."""
  h, w = x.shape[1:3]
  p = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  return np.stack([p[:, i:i + h, j:j + w] for i in range(3) for j in range(3)],
                  axis=3)


def windows_backward(g):
  n, h, w, _, c = g.shape
  p = np.zeros((n, h + 2, w + 2, c), g.dtype)
  for k in range(9):
    i, j = divmod(k, 3)
    p[:, i:i + h, j:j + w] += g[:, :, :, k]
  return p[:, 1:-1, 1:-1]


def conv_forward(name, x, w):
  if name.startswith("dw"):
    cols = windows(x)
    return np.einsum("nhwkc,kc->nhwc", cols, w.reshape(9, -1)), cols
  if name.startswith("pw"):
    return x @ w[0, 0], x
  cols = windows(x).reshape(x.shape[:3] + (-1,))
  return cols @ w.reshape(-1, w.shape[3]), cols


def conv_backward(name, g, cols, w):
  """Gradients for the input and the weight."""
  if name.startswith("dw"):
    gw = np.einsum("nhwkc,nhwc->kc", cols, g).reshape(w.shape)
    return windows_backward(g[:, :, :, None, :] * w.reshape(9, -1)), gw
  flat = cols.reshape(-1, cols.shape[-1])
  gw = (flat.T @ g.reshape(-1, g.shape[-1])).reshape(w.shape)
  gcols = g @ w.reshape(-1, w.shape[3]).T
  if name.startswith("pw"):
    return gcols, gw
  return None, gw  # conv1 reads the image


def pool_view(x):
  n, h, w, c = x.shape
  return x.reshape(n, h // 2, 2, w // 2, 2, c)


def init_params(rng):
  shapes = {"conv1": (3, 3, 1, 32), "dw1": (3, 3, 32), "pw1": (1, 1, 32, 64),
            "dw2": (3, 3, 64), "pw2": (1, 1, 64, 64)}
  params = {}
  for name, shape in shapes.items():
    fan_in = 9 if name[:2] == "dw" else int(np.prod(shape[:-1]))
    params[name + ".w"] = rng.randn(*shape) * np.sqrt(2.0 / fan_in)
    params[name + ".gamma"] = np.ones(shape[-1])
    params[name + ".beta"] = np.zeros(shape[-1])
  params["fc.w"] = rng.randn(256, 10) * np.sqrt(1.0 / 256)
  params["fc.b"] = np.zeros(10)
  return {k: v.astype(np.float32) for k, v in params.items()}


def loss_and_grads(params, stats, x, y):
  saved, grads = {}, {}
  h = x
  for name in CONVS:
    z, cols = conv_forward(name, h, params[name + ".w"])
    mean, var = z.mean((0, 1, 2)), z.var((0, 1, 2))
    for key, value in ((".mean", mean), (".var", var)):
      stats[name + key] = (BN_MOMENTUM * stats[name + key] +
                           (1 - BN_MOMENTUM) * value)
    inv = (1 / np.sqrt(var + BN_EPS)).astype(np.float32)
    norm = (z - mean) * inv
    a = norm * params[name + ".gamma"] + params[name + ".beta"]
    h = np.maximum(a, 0)
    saved[name] = (cols, norm, inv, a > 0)
    if name == "pw1":
      v = pool_view(h)
      h = v.max((2, 4))
      mask = v == h[:, :, None, :, None, :]
      saved["max"] = mask / mask.sum((2, 4), keepdims=True, dtype=np.float32)
  h = pool_view(h).mean((2, 4))
  flat = h.reshape(len(x), -1)
  logits = flat @ params["fc.w"] + params["fc.b"]
  p = np.exp(logits - logits.max(1, keepdims=True))
  p /= p.sum(1, keepdims=True)
  loss = -np.log(p[np.arange(len(y)), y] + 1e-12).mean()

  g = p.copy()
  g[np.arange(len(y)), y] -= 1
  g /= len(y)
  grads["fc.w"], grads["fc.b"] = flat.T @ g, g.sum(0)
  g = (g @ params["fc.w"].T).reshape(h.shape)
  g = np.repeat(np.repeat(g, 2, axis=1), 2, axis=2) / 4
  for name in reversed(CONVS):
    cols, norm, inv, positive = saved[name]
    if name == "pw1":
      g = (saved["max"] * g[:, :, None, :, None, :]).reshape(positive.shape)
    g = g * positive
    grads[name + ".gamma"] = (g * norm).sum((0, 1, 2))
    grads[name + ".beta"] = g.sum((0, 1, 2))
    g = g * params[name + ".gamma"]
    g = inv * (g - g.mean((0, 1, 2)) - norm * (g * norm).mean((0, 1, 2)))
    g, grads[name + ".w"] = conv_backward(name, g, cols, params[name + ".w"])
  return loss, grads


def train(x, y, epochs, seed, batch=32, rate=2e-3, decay=1e-4):
  rng = np.random.RandomState(seed + 1)
  params = init_params(rng)
  stats = {}
  for name in CONVS:
    channels = params[name + ".gamma"].shape
    stats[name + ".mean"] = np.zeros(channels, np.float32)
    stats[name + ".var"] = np.ones(channels, np.float32)
  m = {k: np.zeros_like(v) for k, v in params.items()}
  v = {k: np.zeros_like(p) for k, p in params.items()}
  steps_per_epoch = len(x) // batch
  total, step = epochs * steps_per_epoch, 0
  for epoch in range(epochs):
    order, losses = rng.permutation(len(x)), []
    for i in range(steps_per_epoch):
      index = order[i * batch:(i + 1) * batch]
      loss, grads = loss_and_grads(params, stats, augment(x[index], rng),
                                   y[index])
      losses.append(loss)
      step += 1
      lr = rate * 0.5 * (1 + np.cos(np.pi * step / total))
      for k, grad in grads.items():
        m[k] = 0.9 * m[k] + 0.1 * grad
        v[k] = 0.999 * v[k] + 0.001 * grad * grad
        update = (m[k] / (1 - 0.9**step)) / (np.sqrt(v[k] / (1 - 0.999**step)) +
                                             1e-8)
        if k.endswith(".w"):
          update = update + decay / rate * params[k]
        params[k] = (params[k] - lr * update).astype(np.float32)
    if epoch % 5 == 4 or epoch == epochs - 1:
      print("epoch %3d  loss %.4f" % (epoch + 1, np.mean(losses)), flush=True)
  return params, stats


def fold(params, stats):
  """Folds batch normalization; returns float32 weights and biases."""
  model = {"fc.w": params["fc.w"], "fc.b": params["fc.b"]}
  for name in CONVS:
    scale = params[name + ".gamma"].astype(np.float64) / np.sqrt(
        stats[name + ".var"].astype(np.float64) + BN_EPS)
    model[name + ".w"] = params[name + ".w"] * scale
    model[name + ".b"] = params[name + ".beta"] - stats[name + ".mean"] * scale
  return {k: np.ascontiguousarray(v, dtype=np.float32)
          for k, v in model.items()}


def evaluate64(model, x):
  """The folded model in float64."""
  w = {k: v.astype(np.float64) for k, v in model.items()}

  def conv(name, x):
    kernel = w[name + ".w"]
    n, height, width, _ = x.shape
    out = np.zeros((n, height, width, kernel.shape[-1])) + w[name + ".b"]
    r = kernel.shape[0] // 2
    p = np.pad(x, ((0, 0), (r, r), (r, r), (0, 0)))
    for i in range(kernel.shape[0]):
      for j in range(kernel.shape[1]):
        patch = p[:, i:i + height, j:j + width]
        out += patch * kernel[i, j] if kernel.ndim == 3 else patch @ kernel[i, j]
    return np.maximum(out, 0)

  def corners(x):
    return [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]

  h = conv("pw1", conv("dw1", conv("conv1", x.astype(np.float64))))
  h = np.maximum.reduce(corners(h))
  h = conv("pw2", conv("dw2", h))
  h = sum(corners(h)) / 4
  return h.reshape(len(x), 256) @ w["fc.w"] + w["fc.b"]


# MLIR --------------------------------------------------------------------------


def ttype(shape):
  return "tensor<%sxf32>" % "x".join(map(str, shape))


class Writer:
  """Writes the model op by op. Every op gets the name of its layer as location
  (conv1, conv1/bias, ...): names are unique, so that reports show them bare."""

  def __init__(self, model):
    self.model, self.lines, self.constants, self.last = model, [], [], "%image"

  def constant(self, ssa, key):
    a = self.model[key]
    self.constants.append(
        '    %s = arith.constant dense<"0x%s"> : %s loc("%s")' %
        (ssa, a.astype("<f4").tobytes().hex().upper(), ttype(a.shape),
         key.replace(".w", "/weight").replace(".b", "/bias")))
    return ssa

  def op(self, ssa, text, name):
    self.lines.append("    %s = %s loc(\"%s\")" % (ssa, text, name))
    return ssa

  def generic(self, ssa, maps, ins, outs, body, name):
    """body is a list of lines; ins and outs are (ssa, shape)."""
    args = lambda values: "%s : %s" % (", ".join(v for v, _ in values),
                                       ", ".join(ttype(s) for _, s in values))
    block = "".join("%%a%d: f32, " % i for i in range(len(ins))) + "%out: f32"
    rank = len(outs[1])
    text = ("linalg.generic {indexing_maps = [%s], iterator_types = [%s]} "
            "ins(%s) outs(%s) {\n    ^bb0(%s):\n" %
            (", ".join(maps), ", ".join(['"parallel"'] * rank), args(ins),
             args([outs]), block))
    text += "".join("      %s\n" % line for line in body)
    return self.op(ssa, text + "    } -> " + ttype(outs[1]), name)

  def conv(self, name, shape, relu=True):
    """Pads where the kernel is 3x3; stride 1, output as large as the input."""
    n, h, w, c = shape
    kernel = self.model[name + ".w"].shape
    depthwise = len(kernel) == 3
    out_shape = (n, h, w, kernel[-1])
    weight = self.constant("%%%s_w" % name, name + ".w")
    bias = self.constant("%%%s_b" % name, name + ".b")
    x, in_shape = self.last, shape
    if kernel[0] == 3:
      in_shape = (n, h + 2, w + 2, c)
      x = self.op(
          "%%%s_pad" % name,
          "tensor.pad %s low[0, 1, 1, 0] high[0, 1, 1, 0] {\n"
          "    ^bb0(%%i: index, %%j: index, %%k: index, %%l: index):\n"
          "      tensor.yield %%zero : f32\n    } : %s to %s" %
          (x, ttype(shape), ttype(in_shape)), name + "/pad")
    empty = self.op("%%%s_empty" % name, "tensor.empty() : " + ttype(out_shape),
                    name + "/empty")
    init = self.generic("%%%s_init" % name, ["#channel", "#all"],
                        [(bias, (kernel[-1],))], (empty, out_shape),
                        ["linalg.yield %a0 : f32"], name + "/broadcast")
    out = self.op(
        "%%%s" % name, "linalg.%s {dilations = dense<1> : tensor<2xi64>, "
        "strides = dense<1> : tensor<2xi64>} ins(%s, %s : %s, %s) "
        "outs(%s : %s) -> %s" %
        ("depthwise_conv_2d_nhwc_hwc" if depthwise else "conv_2d_nhwc_hwcf", x,
         weight, ttype(in_shape), ttype(kernel), init, ttype(out_shape),
         ttype(out_shape)), name)
    self.last = self.generic(
        "%%%s_relu" % name, ["#all", "#all"], [(out, out_shape)],
        (empty, out_shape),
        ["%r = arith.maximumf %a0, %zero : f32", "linalg.yield %r : f32"],
        name + "/relu")
    return out_shape

  def pool(self, name, kind, init, shape):
    n, h, w, c = shape
    out_shape = (n, h // 2, w // 2, c)
    empty = self.op("%%%s_empty" % name, "tensor.empty() : " + ttype(out_shape),
                    name + "/empty")
    fill = self.op(
        "%%%s_init" % name, "linalg.fill ins(%s : f32) outs(%s : %s) -> %s" %
        (init, empty, ttype(out_shape), ttype(out_shape)), name + "/init")
    window = self.op("%%%s_window" % name, "tensor.empty() : tensor<2x2xf32>",
                     name + "/window")
    self.last = self.op(
        "%%%s" % name, "linalg.%s {dilations = dense<1> : tensor<2xi64>, "
        "strides = dense<2> : tensor<2xi64>} ins(%s, %s : %s, tensor<2x2xf32>) "
        "outs(%s : %s) -> %s" % (kind, self.last, window, ttype(shape), fill,
                                 ttype(out_shape), ttype(out_shape)), name)
    return out_shape, empty

  def module(self):
    shape = (1, 8, 8, 1)
    for name in ("conv1", "dw1", "pw1"):
      shape = self.conv(name, shape)
    shape, _ = self.pool("maxpool", "pooling_nhwc_max", "%lowest", shape)
    for name in ("dw2", "pw2"):
      shape = self.conv(name, shape)
    shape, empty = self.pool("avgpool", "pooling_nhwc_sum", "%zero", shape)
    mean = self.generic(
        "%avgpool_mean", ["#all", "#all"], [(self.last, shape)], (empty, shape),
        ["%m = arith.divf %a0, %count : f32", "linalg.yield %m : f32"],
        "avgpool/mean")
    flat = self.op(
        "%flatten", "tensor.collapse_shape %s [[0], [1, 2, 3]] : %s into "
        "tensor<1x256xf32>" % (mean, ttype(shape)), "flatten")
    weight = self.constant("%fc_w", "fc.w")
    bias = self.constant("%fc_b", "fc.b")
    empty = self.op("%fc_empty", "tensor.empty() : tensor<1x10xf32>", "fc/empty")
    init = self.op(
        "%fc_init", "linalg.fill ins(%%zero : f32) outs(%s : tensor<1x10xf32>) "
        "-> tensor<1x10xf32>" % empty, "fc/init")
    out = self.op(
        "%fc", "linalg.matmul ins(%s, %s : tensor<1x256xf32>, "
        "tensor<256x10xf32>) outs(%s : tensor<1x10xf32>) -> tensor<1x10xf32>" %
        (flat, weight, init), "fc")
    logits = self.generic(
        "%logits", ["#row", "#last", "#row"],
        [(out, (1, 10)), (bias, (10,))], (empty, (1, 10)),
        ["%s = arith.addf %a0, %a1 : f32", "linalg.yield %s : f32"], "logits")
    return "\n".join([
        "// A convolutional network for 8x8 handwritten digits. Written by train.py;",
        "// input: pixels scaled to [0, 1], output: 10 logits. See README.md.",
        "#all = affine_map<(n, h, w, c) -> (n, h, w, c)>",
        "#channel = affine_map<(n, h, w, c) -> (c)>",
        "#row = affine_map<(n, c) -> (n, c)>",
        "#last = affine_map<(n, c) -> (c)>",
        "module {",
        "  func.func @main(%image: tensor<1x8x8x1xf32>) -> tensor<1x10xf32> {",
        "    %zero = arith.constant 0.000000e+00 : f32",
        "    %lowest = arith.constant 0xFF800000 : f32",
        "    %count = arith.constant 4.000000e+00 : f32",
    ] + self.constants + self.lines + [
        "    return %s : tensor<1x10xf32>" % logits, "  }", "}", ""
    ])


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
  parser.add_argument("--epochs", type=int, default=50)
  parser.add_argument("--seed", type=int, default=0)
  args = parser.parse_args()

  x, y, test_x, test_y = load_data(args.seed)
  params, stats = train(x, y, args.epochs, args.seed)
  model = fold(params, stats)
  outputs = evaluate64(model, test_x)
  print("train top-1 %.2f %%" % (100 * (evaluate64(model, x).argmax(1) == y).mean()))
  print("test  top-1 %.2f %% of %d" %
        (100 * (outputs.argmax(1) == test_y).mean(), len(test_y)))

  os.makedirs(args.out, exist_ok=True)
  path = lambda name: os.path.join(args.out, name)
  with open(path("digits.mlir"), "w") as f:
    f.write(Writer(model).module())
  np.save(path("calib_inputs.npy"), x[:100])
  np.save(path("test_inputs.npy"), test_x)
  np.save(path("test_labels.npy"), test_y)
  np.save(path("test_float_outputs.npy"), outputs.astype(np.float32))


if __name__ == "__main__":
  main()

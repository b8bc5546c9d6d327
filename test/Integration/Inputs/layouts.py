"""layouts.py FOLDER: writes one small model per layout of a weight, with its inputs:
convolutions of 1, 2 and 3 dimensions in several layouts, grouped and depthwise,
matrix products transposed, batched and with vectors, lookups, f16 and bf16 weights,
a dynamic batch; sizes that no block size divides."""
import os
import sys

import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
random = np.random.default_rng(7)


def hexed(array):
  return 'dense<"0x%s">' % array.tobytes().hex().upper()


def tensor(shape, element="f32"):
  return "tensor<%s%s>" % ("".join("%sx" % d for d in shape), element)


def write(name, x_shape, w_shape, y_shape, op, element="f32", dynamic=False,
          x=None):
  """`op` is the text of one operation, with the types of its operands left open."""
  w = random.standard_normal(w_shape) * random.uniform(0.1, 3, w_shape[-1:])
  if element == "f16":
    data = w.astype(np.float16)
  elif element == "bf16":
    data = (w.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
  else:
    data = w.astype(np.float32)
  batch = "?" if dynamic else x_shape[0]
  x_type = tensor((batch,) + tuple(x_shape[1:]))
  y_type = tensor(((batch if dynamic else y_shape[0]),) + tuple(y_shape[1:]))
  lines = ["func.func @main(%%x: %s) -> %s {" % (x_type, y_type),
           "  %%weight = arith.constant %s : %s" % (
               hexed(data), tensor(w_shape, element)),
           "  %zero = arith.constant 0.0 : f32"]
  size = ""
  if dynamic:
    lines += ["  %c0 = arith.constant 0 : index",
              "  %%n = tensor.dim %%x, %%c0 : %s" % x_type]
    size = "%n"
  lines += ["  %%e = tensor.empty(%s) : %s" % (size, y_type),
            "  %%init = linalg.fill ins(%%zero : f32) outs(%%e : %s) -> %s" % (
                y_type, y_type)]
  lines.append("  " + op.format(x=x_type, y=y_type, w=tensor(w_shape, element)))
  lines += ["  return %%y : %s" % y_type, "}"]
  with open(os.path.join(folder, name + ".mlir"), "w") as f:
    f.write("\n".join(lines) + "\n")
  if x is None:
    x = random.standard_normal((4,) + tuple(x_shape[1:])).astype(np.float32)
    if not dynamic:
      x = random.standard_normal(
          (x_shape[0] * 2,) + tuple(x_shape[1:])).astype(np.float32)
  np.save(os.path.join(folder, name + ".npy"), x)


def named(op, attributes=""):
  return ("%y = linalg." + op + " " + attributes +
          " ins(%x, %weight : {x}, {w}) outs(%init : {y}) -> {y}")


maps = ("%y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, "
        "affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] "
        "ins(%x, %weight : {x}, {w}) outs(%init : {y}) -> {y}")
strides = "{{strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}}"
write("matmul", (4, 70), (70, 24), (4, 24), named("matmul"))
write("matmul_dynamic", (4, 70), (70, 24), (4, 24), named("matmul"), dynamic=True)
write("matmul_transposed", (4, 70), (24, 70), (4, 24), maps)
write("matmul_f16", (4, 70), (70, 24), (4, 24), named("matmul"), element="f16")
write("matmul_bf16", (4, 70), (70, 24), (4, 24), named("matmul"), element="bf16")
write("batch_matmul", (2, 3, 35), (2, 35, 9), (2, 3, 9), named("batch_matmul"))
write("vecmat", (70,), (70, 24), (24,), named("vecmat"),
      x=random.standard_normal(70).astype(np.float32))
write("conv_1d_nwc_wcf", (1, 9, 35), (3, 35, 5), (1, 7, 5), named("conv_1d_nwc_wcf"))
write("conv_1d_ncw_fcw", (1, 35, 9), (5, 35, 3), (1, 5, 7), named("conv_1d_ncw_fcw"))
write("conv_2d_nchw_fchw", (1, 35, 7, 7), (5, 35, 3, 3), (1, 5, 3, 3),
      named("conv_2d_nchw_fchw", strides))
write("conv_2d_ngchw_fgchw", (1, 2, 35, 5, 5), (3, 2, 35, 3, 3), (1, 2, 3, 3, 3),
      named("conv_2d_ngchw_fgchw"))
write("conv_3d_ndhwc_dhwcf", (1, 4, 4, 4, 35), (2, 2, 2, 35, 3), (1, 3, 3, 3, 3),
      named("conv_3d_ndhwc_dhwcf"))
write("depthwise_conv_2d_nchw_chw", (1, 9, 5, 5), (9, 3, 3), (1, 9, 3, 3),
      named("depthwise_conv_2d_nchw_chw"))
write("depthwise_conv_2d_nhwc_hwcm", (1, 5, 5, 9), (3, 3, 9, 2), (1, 3, 3, 9, 2),
      named("depthwise_conv_2d_nhwc_hwcm"))

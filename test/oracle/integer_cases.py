"""Modules of integer-form operations that cover the cross of their forms.

Every module has one function whose results are those of its operations, in order;
weights and biases are constants, as targets pack them, all else is an argument.
"""

import itertools

import numpy as np

from integer_contract import (LHS_FORMS, RESULTS, add_contract, options,
                              options_of_any_rank, weight_forms)
from integer_module import ELEMENTS, RANGES, VALUES, Module, Weights, dense, tensor


# Contractions ----------------------------------------------------------------------


def matmuls(quick, seed):
  """Element forms x M x ragged N and K, spread over modules."""
  rows, depths, widths = (1, 2, 3, 7, 16, 33), (70, 300, 64, 33), (24, 65, 5, 1, 130)
  forms = weight_forms((16, 32, 256) if quick else (16, 32, 64, 128, 256))
  pairs = list(itertools.product(forms, LHS_FORMS))
  cases = [(w, x, rows[(i + i // 6) % 6]) for i, (w, x) in enumerate(pairs)] if quick else [
      (w, x, r) for w, x in pairs for r in rows]
  step = 7 if quick else 1  # no divisor of how many forms of lhs there are
  for number, start in enumerate(range(0, len(cases), 24 * step)):
    m = Module([seed, number])
    for i, (weights, lhs, count) in enumerate(cases[start:start + 24 * step:step]):
      n = widths[(start + i) % len(widths)]
      k = depths[(start + i * 3 + number) % len(depths)]
      out = RESULTS[(start // 5 + i) % len(RESULTS)]
      ties = (i + number) % 3 == 0
      dynamic = (0, 0) if i % 4 == 1 and lhs != "float8_e4m3fn" else None
      transposed = i % 5 == 2
      shape = (n, k) if transposed else (k, n)
      add_contract(
          m, "matmul %dx%dx%d %s %s -> %s" % (count, n, k, lhs, weights, out),
          ("m, n, k", "m, k", "n, k" if transposed else "k, n", "m, n"), lhs, (count, k),
          [0], weights, shape, [0 if transposed else 1], 1 if transposed else 0, out,
          (count, n), dynamic=dynamic, **options(m, out, ties))
    yield m


def requantized(seed):
  """Exact sums to codes, where every tie shows: there is one result, and no other."""
  m = Module([seed, 500])
  forms = [w for w in weight_forms((256,)) if w.dtype in RANGES and w.granularity != 32]
  for i, weights in enumerate(forms):
    lhs, out = LHS_FORMS[i % 3], RESULTS[i // 3 % 2]
    count, n, k = (1, 2, 3, 7, 16, 33)[i % 6], (24, 65, 5, 130)[i % 4], (70, 64, 33)[i % 3]
    add_contract(m, "ties %dx%dx%d %s %s -> %s" % (count, n, k, lhs, weights, out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights,
                 (k, n), [1], 0, out, (count, n), **options(m, out, True))
  yield m


def multipliers(seed):
  """Scales whose product, rounded to float32 before it is divided, gives a multiplier of
  1/2: a tie at every odd sum, where the true one is just below and rounds down."""
  m = Module([seed, 600])
  rows, n, k = 16, 24, 33
  while True:
    lhs, rhs = (np.float32(m.scale(False)) for _ in range(2))
    product = np.float64(lhs) * np.float64(rhs)
    out = np.float32(2 * product)
    if np.float32(product / np.float64(out)) < 0.5:
      break
  lhs_type, rhs_type, out_type = (tensor(s, "i8") for s in ((rows, k), (k, n), (rows, n)))
  x = m.code_argument((rows, k), "int8", lhs_type, near=0)
  w = m.constant(m.random.integers(-3, 4, (k, n)), "i8")
  scales = rhs * np.float32(2.0)**-m.random.integers(0, 3, (1, n)).astype(np.float32)
  amap = lambda results: "affine_map<(m, n, k) -> (%s)>" % results
  y = m.line(
      "quant.contract lhs(%s as %s : %s) rhs(%s as <int8, per_channel<[1]>, scale = %s> : "
      "%s) outs(%s as %s : %s) maps [%s] -> %s" % (
          x, m.per_tensor("int8", False, "none", lhs), lhs_type, w, dense(scales, "f32"),
          rhs_type, m.empty((rows, n), "i8"), m.per_tensor("int8", False, "none", out),
          out_type, ", ".join(map(amap, ("m, k", "k, n", "m, n"))), out_type))
  m.result("multipliers", y, out_type, "int8")
  yield m


def wide(seed):
  """Sums at the edge of an int32, and beyond it: rows and columns of the least and the
  largest codes, lengths around what a piece of a kernel holds."""
  m = Module([seed, 700])
  m.extreme = True
  forms = [  # lhs, rhs, products, whether they need more than an int32
      ("uint8", Weights("int8", "per_tensor"), 65794, True),
      ("uint8", Weights("int8", "per_channel", "zero"), 70001, True),
      ("int8", Weights("int8", "per_channel"), 131073, True),
      ("int8", Weights("uint8", "per_tensor", "zero"), 98305, True),
      ("int8-symmetric", Weights("int8", "per_tensor"), 131071, False),
      ("int8-per_row", Weights("int8", "per_channel", "zero"), 65537, True),
      ("uint8-per_row", Weights("int8", "per_channel"), 98307, True),
      ("uint8", Weights("int8", "per_channel", "minval"), 65535, True),
      ("uint8", Weights("int4", "per_channel", "zero"), 600000, True),
      ("int8", Weights("int8", 70000, "zero"), 140000, True)]
  for i, (lhs, weights, k, is_wide) in enumerate(forms):
    count, n, out = (1, 7, 3)[i % 3], (3, 2, 1)[i // 2 % 3], RESULTS[i % 5]
    opts = options(m, out, i % 3 == 0)
    if not is_wide:
      opts["bias_dims"] = None
    add_contract(m, "wide %dx%dx%d %s %s -> %s" % (count, n, k, lhs, weights, out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights, (k, n),
                 [1], 0, out, (count, n), wide=is_wide, is_computed=i == 3, **opts)
  add_contract(m, "wide windows", ("h, k, i, c", "h + i, c", "i, c, k", "h, k"), "uint8",
               (4, 35001), [0], Weights("int8", "per_channel", "zero"), (2, 35001, 2), [2], 1,
               "int8", (3, 2), [1], wide=True)
  yield m


def values(quick, seed):
  """Sums in binary32: weights of codes and of values, every M and ragged N and K."""
  rows, depths, widths = (1, 2, 3, 7, 16, 33), (70, 300, 64, 33), (24, 65, 5, 1, 130)
  forms = weight_forms((16, 32, 256) if quick else (16, 32, 64, 128, 256))
  cases = [(w, "f32") for w in forms]
  cases += [(Weights(dtype), lhs) for dtype in VALUES for lhs in VALUES for _ in range(2)]
  cases += [(w, lhs) for lhs in ("float8_e4m3fn", "float8_e5m2") for w in forms
            if w.dtype in ELEMENTS]
  cases = [(i, *case) for i, case in enumerate(cases)]
  if quick:  # the others belong to other seeds, with which other targets are tested
    cases = cases[seed % 3::3]
  for number in range(1 if quick else len(rows)):
    m = Module([seed, 4000 + number])
    for i, weights, lhs in cases:
      count, n = rows[(i + number) % 6], widths[i % 5]
      k, out = depths[(i + i // 5) % 4], RESULTS[(i + i // 6) % 6]
      transposed = i % 5 == 2
      add_contract(m, "values %dx%dx%d %s %s -> %s" % (count, n, k, lhs, weights, out),
                   ("m, n, k", "m, k", "n, k" if transposed else "k, n", "m, n"), lhs,
                   (count, k), [0], weights, (n, k) if transposed else (k, n),
                   [0 if transposed else 1], 1 if transposed else 0, out, (count, n),
                   dynamic=(0, 0) if i % 4 == 1 and lhs in VALUES else None,
                   **options(m, out, False))
    yield m
  forms = [Weights("f32"), Weights("int8", "per_channel", "zero"), Weights("f16"),
           Weights("float8_e4m3fn", "per_channel"), Weights("bf16")]
  yield from convolutions(seed, 5000, forms, VALUES[:1] * 3 + VALUES + ("float8_e4m3fn",))


def convolutions(seed, number=1000, forms=None, lhs_forms=None):
  """Strides, dilations, padding, layouts, groups, depthwise, one dimension."""
  m = Module([seed, number])
  forms = forms or [Weights("int8", "per_channel"), Weights("int8", "per_channel", "zero"),
                    Weights("int4", 16, "zero"), Weights("uint8", "per_tensor", "zero")]
  lhs_forms = lhs_forms or ("int8", "uint8", "int8-symmetric", "int8-per_tensor", "f32")
  for i, (stride, dilation, layout) in enumerate(itertools.product(
      (1, 2), (1, 2), ("nhwc", "nchw", "grouped", "depthwise", "1d", "batched"))):
    weights = forms[i % len(forms)]
    lhs = lhs_forms[i % len(lhs_forms)]
    if weights.dtype in VALUES and lhs not in VALUES:
      lhs = "f32"
    out = RESULTS[i % 6]
    opts = options_of_any_rank(m, out, i % 3 == 0)
    step = lambda a, b: "%s * %d + %s * %d" % (a, stride, b, dilation)
    size = lambda d, low, high: (d + low + high - dilation * 2 - 1) // stride + 1
    oh, ow = size(9, 1, 2), size(8, 0, 1)
    name = "%s stride %d dilation %d %s %s -> %s" % (layout, stride, dilation, lhs,
                                                     weights, out)
    hw = "%s, %s" % (step("h", "i"), step("w", "j"))
    if layout == "nhwc":
      add_contract(m, name, ("n, h, w, k, i, j, c", "n, %s, c" % hw, "i, j, c, k",
                             "n, h, w, k"), lhs, (2, 9, 8, 20), [0], weights, (3, 3, 20, 11),
                   [3], 2, out, (2, oh, ow, 11), [3], [0, 0, 1, 2, 0, 1, 0, 0], **opts)
    elif layout == "nchw":
      add_contract(m, name, ("n, k, h, w, c, i, j", "n, c, %s" % hw, "k, c, i, j",
                             "n, k, h, w"), lhs, (1, 20, 9, 8), [0], weights, (11, 20, 3, 3),
                   [0], 1, out, (1, 11, oh, ow), [1], [0, 0, 0, 0, 1, 2, 0, 1], **opts)
    elif layout == "grouped":
      add_contract(m, name, ("n, h, w, g, k, i, j, c", "n, %s, g, c" % hw,
                             "g, i, j, c, k", "n, h, w, g, k"), lhs, (1, 9, 8, 2, 18), [0],
                   weights, (2, 3, 3, 18, 5), [0, 4], 3, out, (1, oh, ow, 2, 5), [3, 4],
                   [0, 0, 1, 2, 0, 1, 0, 0, 0, 0], **opts)
    elif layout == "depthwise":
      # Blocks along channels and windows are another matter.
      depthwise_form = forms[i % 2] if number == 1000 else weights
      add_contract(m, name, ("n, h, w, c, i, j", "n, %s, c" % hw, "i, j, c",
                             "n, h, w, c"), lhs, (1, 9, 8, 37), [0],
                   depthwise_form, (3, 3, 37), [2], 0, out, (1, oh, ow, 37), [3],
                   [0, 0, 1, 2, 0, 1, 0, 0], **opts)
    elif layout == "1d":
      add_contract(m, name, ("n, h, k, i, c", "n, %s, c" % step("h", "i"), "i, c, k",
                             "n, h, k"), lhs, (2, 9, 20), [0], weights, (3, 20, 11), [2], 1,
                   out, (2, oh, 11), [2], [0, 0, 1, 2, 0, 0], **opts)
    else:
      add_contract(m, name, ("b, m, n, k", "b, m, k", "b, k, n", "b, m, n"), lhs,
                   (3, 5, 40), [0, 1], weights, (3, 40, 7), [0, 2], 1, out, (3, 5, 7), [2],
                   **opts)
  yield m


def products(seed):
  """Products of two activations: layouts of both, batches, few and many rows, ragged
  sizes."""
  m = Module([seed, 1500])
  forms = [Weights("int8", "per_tensor"), Weights("uint8", "per_tensor", "zero"),
           Weights("int8", "per_tensor", "zero"), Weights("uint8", "per_tensor"),
           Weights("int8", "per_channel", "zero")]
  # Loops of lhs, rhs and result; b and h are batches.
  layouts = [("b, h, m, k", "b, h, n, k", "b, h, m, n"),
             ("b, h, m, k", "b, h, k, n", "b, h, m, n"),
             ("b, m, h, k", "b, n, h, k", "b, h, m, n"),
             ("b, h, m, k", "b, k, h, n", "b, m, h, n"),
             ("m, k, b, h", "k, b, h, n", "b, h, m, n"),
             ("k, m", "n, k", "m, n"), ("m, k", "k, n", "m, n"), ("m, k", "n, k", "m, n")]
  sizes = [dict(b=2, h=3, m=33, n=65, k=70), dict(b=1, h=2, m=7, n=24, k=64),
           dict(b=3, h=1, m=1, n=130, k=33), dict(b=1, h=1, m=16, n=5, k=300),
           dict(b=2, h=2, m=3, n=80, k=16), dict(b=1, h=1, m=97, n=1, k=128)]
  for i, (maps, s) in enumerate(itertools.product(layouts, sizes)):
    shapes = [tuple(s[d] for d in e.split(", ")) for e in maps]
    names = [e.split(", ") for e in maps]
    lhs = LHS_FORMS[i % 5]
    weights = forms[i // 2 % 5]
    out = RESULTS[(i // 3) % 5]
    opts = options_of_any_rank(m, out, i % 3 == 0)
    columns = [d for d, name in enumerate(names[1]) if name == "n"]
    # A number of samples that is not known.
    open_ = (0, 0) if maps[0][0] == maps[2][0] and maps[1][0] != maps[0][0] and i % 4 == 1 else None
    loops = ", ".join(dict.fromkeys(names[2] + names[0]))
    add_contract(m, "%s x %s -> %s %s %s %s -> %s" % (*maps, s, lhs, weights, out),
                 (loops, *maps), lhs, shapes[0],
                 [d for d, name in enumerate(names[0]) if name == "m"], weights, shapes[1],
                 columns, 0, out, shapes[2],
                 [len(names[2]) - 1] if i % 4 else None, dynamic=open_, is_computed=True,
                 **opts)
  yield m


def tiles(seed):
  """Sizes around those of tile registers (16 rows, 64 codes, 32 columns), lines of rows
  that are parts of tiles, and rows that are gathered; and what is so large that threads
  share its rows, evenly or not."""
  rows, depths, widths = (4, 15, 17, 32, 97, 400), (4, 27, 64, 65, 144, 517), (16, 33, 70, 130)
  forms = [Weights("int8", "per_channel"), Weights("uint8", "per_tensor", "zero"),
           Weights("int8", "per_channel", "minval"), Weights("int4", 32, "zero", "f16"),
           Weights("uint4", 64), Weights("int2", "per_channel", "zero"),
           Weights("uint4", 128, "zero"), Weights("int4", 16, "zero", "bf16")]
  m = Module([seed, 1600])
  for i, (count, k) in enumerate(itertools.product(rows, depths)):
    n, lhs = widths[(i + i // 6) % 4], LHS_FORMS[i % 7]
    weights, out = forms[(i + i // 8) % 8], RESULTS[(i // 5) % 5]
    add_contract(m, "tiles %dx%dx%d %s %s -> %s" % (count, n, k, lhs, weights, out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights, (k, n),
                 [1], 0, out, (count, n), dynamic=(0, 0) if i % 3 == 1 else None,
                 **options(m, out, i % 3 == 0))
  yield m
  m = Module([seed, 1601])
  for i, (w, n, stride) in enumerate(itertools.product((5, 14, 18, 33), (24, 150), (1, 2))):
    lhs, weights, out = LHS_FORMS[i % 5], forms[i // 2 % 4], RESULTS[i % 5]
    if weights.granularity == 32:  # of one of several reductions
      weights = Weights("int4", "per_channel", "zero")
    opts = options(m, out, i % 3 == 0)
    opts.pop("bias_dims")
    c, h = (16, 3, 20)[i % 3], 3
    step = "n, h * %d + i, w * %d + j, c" % (stride, stride)
    size = lambda out: (out - 1) * stride + 3
    add_contract(m, "tiles conv %d /%d %d->%d %s %s -> %s" % (w, stride, c, n, lhs, weights,
                                                             out),
                 ("n, h, w, k, i, j, c", step, "i, j, c, k", "n, h, w, k"), lhs,
                 (2, size(h) - 2, size(w) - 2, c), [0], weights, (3, 3, c, n), [3], 2, out,
                 (2, h, w, n), [3], [0, 0, 1, 1, 1, 1, 0, 0],
                 dynamic=(0, 0) if i % 4 == 1 else None, **opts)
  yield m
  m = Module([seed, 1602])
  for i, (count, k) in enumerate(itertools.product((128, 331, 1000), (512, 517, 1024))):
    lhs, weights, out = LHS_FORMS[i % 5], forms[i % 3], RESULTS[i % 5]
    add_contract(m, "tiles %dx300x%d %s %s -> %s" % (count, k, lhs, weights, out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights, (k, 300),
                 [1], 0, out, (count, 300), dynamic=(0, 0) if i % 3 == 1 else None,
                 **options(m, out, i % 3 == 0))
  for i, w in enumerate((30, 43)):
    lhs, weights, out = LHS_FORMS[i], forms[i], RESULTS[i]
    opts = options(m, out, False)
    opts.pop("bias_dims")
    add_contract(m, "tiles conv of threads %d %s %s -> %s" % (w, lhs, weights, out),
                 ("n, h, w, k, i, j, c", "n, h + i, w + j, c", "i, j, c, k", "n, h, w, k"),
                 lhs, (1, 19, w + 2, 64), [0], weights, (3, 3, 64, 70), [3], 2, out,
                 (1, 17, w, 70), [3], None, **opts)
  yield m


def streams(seed):
  """Few rows of weights that are larger than caches, whose panels are read beside each
  other; the last panels are fewer, or not whole."""
  m = Module([seed, 1650])
  forms = [Weights("int4", 32, "none"), Weights("int8", "per_channel"),
           Weights("uint4", 128, "zero", "f16"), Weights("int8", "per_channel", "minval"),
           Weights("uint8", 64, "zero"), Weights("int4", "per_channel", "zero"),
           Weights("int2", 16, "minval", "bf16")]
  for i, (count, weights) in enumerate(itertools.product((1, 2, 3, 5), forms)):
    n, k = ((531, 1029), (672, 1056), (520, 2056))[i % 3]
    lhs = "f32" if i % 9 == 8 else LHS_FORMS[i % 6]
    out = RESULTS[(0, 1, 2, 3, 4)[i % 5] if weights.granularity == "per_channel" and
                  lhs != "f32" else 2 + i % 3]
    add_contract(m, "streams %dx%dx%d %s %s -> %s" % (count, n, k, lhs, weights, out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights, (k, n),
                 [1], 0, out, (count, n), dynamic=(0, 0) if i % 4 == 3 else None,
                 **options(m, out, False))
  yield m


def blocks(seed):
  """Blocks of scales around what a stage of a kernel holds, few rows and many, sums that
  end within a stage, with it, and several stages later."""
  m = Module([seed, 1700])
  forms = [("int4", "zero"), ("uint4", "none"), ("int8", "zero"), ("uint4", "minval"),
           ("int4", "none"), ("uint8", "zero"), ("int8", "minval")]
  depths, widths = (256, 640, 517, 1024, 96), (33, 70, 16)
  for i, (block, count) in enumerate(itertools.product((32, 64, 128, 256, 16),
                                                       (1, 3, 8, 17, 40, 70))):
    dtype, offset = forms[i % 7]
    weights = Weights(dtype, block, offset, ("f32", "f16", "bf16")[i % 3])
    k, n, lhs, out = depths[i % 5], widths[i % 3], LHS_FORMS[i % 6], RESULTS[2 + i // 2 % 3]
    add_contract(m, "blocks %dx%dx%d %s %s -> %s" % (count, n, k, lhs, weights, out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights, (k, n),
                 [1], 0, out, (count, n), dynamic=(0, 0) if i % 4 == 3 else None,
                 **options(m, out, False))
  yield m


def attention(seed):
  """Products of two activations, of codes and of values, whose sequence lengths only
  the run time knows: of rows, columns and reductions, in several layouts."""
  m = Module([seed, 1650])
  forms = [Weights("int8", "per_tensor"), Weights("uint8", "per_tensor", "zero"),
           Weights("int8", "per_tensor", "zero")]
  layouts = [("b, h, m, k", "b, h, n, k", "b, h, m, n"),
             ("b, h, m, k", "b, h, k, n", "b, h, m, n"),
             ("b, m, h, k", "b, n, h, k", "b, h, m, n"), ("m, k", "k, n", "m, n")]
  sizes = [dict(b=2, h=3, m=33, n=65, k=70), dict(b=1, h=2, m=7, n=64, k=64),
           dict(b=3, h=1, m=1, n=130, k=33), dict(b=1, h=1, m=16, n=5, k=3),
           dict(b=2, h=2, m=3, n=80, k=17), dict(b=1, h=1, m=13, n=1, k=128)]
  unknown = [("m", "n", "k"), ("n",), ("k",), ("b", "m", "n"), ("m", "k")]
  for i, (maps, s) in enumerate(itertools.product(layouts, sizes)):
    shapes = [tuple(s[d] for d in e.split(", ")) for e in maps]
    names = [e.split(", ") for e in maps]
    is_value = i % 4 == 3
    lhs = ("f32", "f16")[i // 4 % 2] if is_value else LHS_FORMS[i % 5]
    weights = Weights(("f32", "f16")[i // 4 % 2]) if is_value else forms[i // 2 % 3]
    out = "f32" if is_value else RESULTS[(i // 3) % 5]
    opts = options_of_any_rank(m, out, i % 3 == 0)
    opens = unknown[i % 5]
    loops = ", ".join(dict.fromkeys(names[2] + names[0]))
    add_contract(m, "%s x %s -> %s %s %s %s %s -> %s" % (*maps, s, opens, lhs, weights, out),
                 (loops, *maps), lhs, shapes[0],
                 [d for d, name in enumerate(names[0]) if name == "m"], weights, shapes[1],
                 [d for d, name in enumerate(names[1]) if name == "n"], 0, out, shapes[2],
                 is_computed=True, unknown=opens, **opts)
  # Values of known sizes: columns that follow each other, and that do not.
  for i, (maps, s) in enumerate(itertools.product(layouts[:2], sizes[:3])):
    shapes = [tuple(s[d] for d in e.split(", ")) for e in maps]
    loops = ", ".join(dict.fromkeys(maps[2].split(", ") + maps[0].split(", ")))
    dtype = ("f32", "f16")[i % 2]
    add_contract(m, "%s x %s -> %s %s %s" % (*maps, s, dtype), (loops, *maps), dtype,
                 shapes[0], [2], Weights(dtype), shapes[1], [2], 0, "f32", shapes[2],
                 is_computed=True)
  yield m


def depthwise(seed):
  """Channels that fill registers, and those that do not, x windows, strides, dilations
  and padding: none, on one side, wider than the window, over an image that is smaller."""
  m = Module([seed, 1700])
  channels = (64, 5, 37, 16, 32, 100, 8, 24)
  windows = (((3, 3), (1, 1), (1, 1)), ((3, 3), (2, 2), (1, 1)), ((5, 5), (1, 1), (1, 1)),
             ((3, 3), (1, 1), (2, 2)), ((3, 3), (3, 2), (1, 1)), ((2, 4), (1, 2), (3, 1)),
             ((1, 3), (1, 1), (1, 1)), ((3, 1), (1, 1), (1, 1)), ((3, 5), (1, 1), (1, 3)),
             ((3, 3), (1, 4), (1, 1)))
  # Low and high, by rows and by columns of the image.
  paddings = (((1, 1), (1, 1)), ((0, 0), (0, 0)), ((0, 1), (0, 1)), ((2, 2), (3, 1)),
              ((4, 0), (0, 5)))
  sizes = ((9, 13), (25, 5), (3, 3), (7, 20), (1, 8), (6, 1))
  i = 0
  for (kernel, stride, dilation), pads in itertools.product(windows, paddings):
    size, c = sizes[i % 6], channels[i % 8]
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    out = [(n + sum(p) - e) // s + 1 for n, p, e, s in zip(size, pads, extent, stride)]
    i += 1
    if min(out) < 1:
      continue
    lhs, result = ("int8", "uint8", "int8-symmetric")[i % 3], ("int8", "uint8")[i // 3 % 2]
    hw = ", ".join("%s * %d + %s * %d" % (a, s, b, d)
                   for a, b, s, d in zip("hw", "ij", stride, dilation))
    bounds = ((None, None), (0.0, None), (0.0, 6.0), (-1.0, 1.0))[i % 4]
    add_contract(
        m, "depthwise %dx%d window %dx%d stride %s dilation %s padding %s channels %d %s -> "
        "%s" % (size + kernel + (stride, dilation, pads, c, lhs, result)),
        ("n, h, w, c, i, j", "n, %s, c" % hw, "i, j, c", "n, h, w, c"), lhs,
        (1 + i % 5 // 4,) + size + (c,), [0],
        Weights("int8", ("per_channel", "per_tensor")[i % 2]), kernel + (c,), [2], 0, result,
        (1 + i % 5 // 4, *out, c), [3] if i % 3 else None,
        [0, 0, *pads[0], *pads[1], 0, 0], bounds=bounds, ties=i % 4 == 0)
  yield m


def depthwise_forms(quick, seed):
  """Element forms of both sides x results, with padding, bias and residuals of codes and
  values, for each pixel, channel or image."""
  forms = [Weights("int8", "per_channel"), Weights("int8", "per_channel", "zero"),
           Weights("uint8", "per_tensor", "zero"), Weights("uint8", "per_channel"),
           Weights("int8", "per_tensor", "minval"), Weights("uint8", "per_channel", "minval"),
           Weights("int4", "per_channel", "zero"), Weights("uint4", "per_tensor"),
           Weights("int2", "per_channel", "minval"), Weights("uint2", "per_channel", "zero")]
  windows = (((3, 3), (1, 1)), ((5, 3), (2, 1)), ((1, 4), (1, 1)), ((3, 3), (2, 2)))
  cases = list(enumerate(itertools.product(forms, LHS_FORMS[:6], RESULTS[:5])))
  if quick:
    cases = cases[seed % 7::7]
  for number, start in enumerate(range(0, len(cases), 25)):
    m = Module([seed, 1720 + number])
    for i, (weights, lhs, result) in cases[start:start + 25]:
      kernel, stride = windows[i // 3 % 4]
      c, (h, w) = (64, 5, 37, 16, 100, 24)[i // 2 % 6], ((7, 13), (5, 4), (9, 8))[i % 3]
      images, pads = 1 + i // 5 % 2, ((0, 0), (1, 1), (0, 2))[i // 4 % 3]
      out = [(n + sum(pads) - k) // s + 1 for n, k, s in zip((h, w), kernel, stride)]
      opts = options_of_any_rank(m, result, i % 4 == 0)
      opts["residual_dims"] = (None, None, [3], [0, 1, 2], [])[m.random.integers(5)]
      hw = ", ".join("%s * %d + %s" % (a, s, b) for a, b, s in zip("hw", "ij", stride))
      add_contract(
          m, "depthwise forms %s %s -> %s %s channels %d window %s residual %s %s" % (
              lhs, weights, result, out, c, kernel, opts["residual"], opts["residual_dims"]),
          ("n, h, w, c, i, j", "n, %s, c" % hw, "i, j, c", "n, h, w, c"), lhs,
          (images, h, w, c), [0], weights, kernel + (c,), [2], 0, result,
          (images, *out, c), [3] if i % 3 else None, [0, 0, *pads, *pads, 0, 0], **opts)
    yield m


def dynamic_products(quick, seed):
  """Products of two activations whose second scales only the run time knows, for all or
  for each column, beside scales of the first that it knows too, or not."""
  m = Module([seed, 1550])
  layouts = [("b, h, m, k", "b, h, n, k", "b, h, m, n"),
             ("b, h, m, k", "b, h, k, n", "b, h, m, n"),
             ("b, m, h, k", "b, n, h, k", "b, h, m, n"), ("m, k", "k, n", "m, n"),
             ("m, k", "n, k", "m, n"), ("k, m", "n, k", "m, n")]
  sizes = [dict(b=2, h=3, m=33, n=65, k=70), dict(b=1, h=2, m=7, n=24, k=64),
           dict(b=3, h=1, m=1, n=130, k=33), dict(b=1, h=1, m=16, n=5, k=300),
           dict(b=2, h=2, m=3, n=80, k=16), dict(b=1, h=1, m=97, n=6, k=128)]
  unknown = [(), ("m", "n", "k"), (), ("n",), (), ("b", "m"), ()]
  cases = list(enumerate(itertools.product(layouts, sizes)))
  for i, (maps, s) in cases[seed % 3::3] if quick else cases:
    shapes = [tuple(s[d] for d in e.split(", ")) for e in maps]
    names = [e.split(", ") for e in maps]
    lhs, out = LHS_FORMS[(i + i // 6) % 6], RESULTS[i // 2 % 5]
    weights = Weights(("int8", "uint8")[i // 3 % 2], "per_tensor", ("zero", "none")[i // 4 % 2])
    units = ([], [d for d, name in enumerate(names[1]) if name == "n"],
             [d for d, name in enumerate(names[1]) if name != "k"])[i % 3]
    opens = [d for d in unknown[i % 7] if d in names[0] + names[1]]
    loops = ", ".join(dict.fromkeys(names[2] + names[0]))
    add_contract(
        m, "dynamic %s x %s -> %s %s %s %s %s along %s -> %s" % (*maps, s, opens, lhs, weights,
                                                              units, out),
        (loops, *maps), lhs, shapes[0], [d for d, name in enumerate(names[0]) if name == "m"],
        weights, shapes[1], [d for d, name in enumerate(names[1]) if name == "n"], 0, out,
        shapes[2], [len(names[2]) - 1] if i % 4 and not opens else None, is_computed=True,
        unknown=opens, rhs_dynamic=units,
        **options_of_any_rank(m, out, i % 3 == 0))
  yield m


ROWS = {
    "conv": ("n, k, h, w, c, i, j", "n, c, %s", "k, c, i, j", "n, k, h, w"),
    "depthwise": ("n, k, h, w, i, j", "n, k, %s", "k, i, j", "n, k, h, w"),
    "grouped": ("n, g, k, h, w, c, i, j", "n, g, c, %s", "g, k, c, i, j", "n, g, k, h, w"),
    "pointwise": ("n, k, h, w, c", "n, c, %s", "k, c", "n, k, h, w"),
    "matmul": ("w, k, c", "w, c", "c, k", "k, w"),
}


def add_by_rows(m, i, kind, width, stride, weights, lhs, out):
  loops, x, w, y = ROWS[kind]
  taps = 3 if "i" in loops.split(", ") else 1
  step = "h * %d + i, w * %d + j" if taps == 3 else "h * %d, w * %d"
  x = x % (step % (stride, stride)) if "%" in x else x
  low = taps // 2
  size = dict(n=1 + i % 2, k=(5, 13, 26)[i % 3], g=2, c=(20, 3)[i % 2], i=3, j=3,
              h=(width - 1) // stride + 1, w=(width - 1) // stride + 1)
  if width > 20:
    size["h"] = 2
  names = w.split(", ")
  shape = lambda text: tuple(size[d] for d in text.split(", "))
  spatial = [(size[d] - 1) * stride + (taps if not low else 1) for d in "hw"]
  lhs_shape = [size[d] for d in x.split(", ") if d in size]
  lhs_shape = tuple(lhs_shape + spatial) if kind != "matmul" else shape("w, c")
  opts = options_of_any_rank(m, out, i % 3 == 0)
  results = y.split(", ")
  padding = [0] * 2 * (len(lhs_shape) - 2) + [low] * 4 if low else None
  add_contract(m, "%s %d stride %d %s %s -> %s" % (kind, width, stride, lhs, weights, out),
               (loops, x, w, y), lhs, lhs_shape, [0], weights, shape(w),
               [d for d, name in enumerate(names) if name in ("k", "g")],
               names.index("c") if "c" in names else 0, out, shape(y),
               [d for d, name in enumerate(results) if name in ("k", "g")] if i % 4 else None,
               padding, **opts)


def by_rows(quick, seed):
  """Results whose columns do not follow each other: NCHW, depthwise and grouped too,
  and transposed products; short and long rows, strides."""
  m = Module([seed, 1700])
  forms = [Weights("int8", "per_channel"), Weights("int8", "per_channel", "zero"),
           Weights("uint8", "per_tensor", "zero"), Weights("uint8", "per_channel")]
  for i, (kind, width, stride) in enumerate(itertools.product(ROWS, (7, 14, 80), (1, 2))):
    add_by_rows(m, i, kind, width, stride, forms[i % 4],
                ("int8", "uint8", "int8-symmetric")[i % 3], RESULTS[i % 5])
  yield m
  # What a kernel with channels innermost computes.
  forms = [("f32", Weights("f32")), ("f32", Weights("int8", "per_channel", "zero")),
           ("int8-per_tensor", Weights("int8", "per_channel")), ("f16", Weights("f16")),
           ("int8-per_row", Weights("int8", "per_channel", "zero")),
           ("uint8", Weights("int4", "per_channel", "zero")),
           ("int8", Weights("int4", 16, "zero")), ("uint8-per_row", Weights("uint4", 4)),
           ("uint8", Weights("int8", "per_channel", "minval")),
           ("int8", Weights("uint4", 8, "minval")), ("f32", Weights("int4", 16, "zero")),
           ("float8_e4m3fn", Weights("float8_e4m3fn", "per_channel"))]
  cases = list(enumerate(itertools.product(ROWS, forms, ((7, 1), (14, 2)))))
  m = Module([seed, 1710])
  for i, (kind, (lhs, weights), (width, stride)) in cases[seed % 3::3] if quick else cases:
    if kind == "depthwise" and isinstance(weights.granularity, int):
      weights = Weights(weights.dtype, "per_channel", weights.offset)
    add_by_rows(m, i, kind, width, stride, weights, lhs, RESULTS[i // 2 % 5])
  yield m


# Elementwise and pools -------------------------------------------------------------


def elementwise(quick, seed):
  m = Module([seed, 2000])
  loops = "a, b, c"
  shape, broadcasts = (2, 9, 70), ("a, b, c", "c", "a, b", "b, c", "")
  kinds = ("int8", "uint8")
  for i, (op, lhs, rhs, out, b) in enumerate(itertools.product(
      ("add", "mul"), kinds, kinds, kinds, broadcasts)):
    if quick and i % 3:
      continue
    amap = lambda results: "affine_map<(%s) -> (%s)>" % (loops, results)
    dims = {"a": 2, "b": 9, "c": 70}
    b_shape = [dims[d] for d in b.replace(" ", "").split(",") if d]
    ties = i % 2 == 0
    bounds = ("", " low 0.0", " low 0.0 high 6.0")[i % 7 % 3 if op == "add" else 0]
    x, y = m.code_argument(shape, lhs), m.code_argument(b_shape, rhs)
    type_ = tensor(shape, "i8")
    scale = m.scale(ties) * (64 if op == "mul" else 2) / (1 if op == "add" else 32)
    o = m.empty(shape, "i8")
    value = m.line(
        "quant.%s lhs(%s as %s : %s) rhs(%s as %s : %s) outs(%s as %s : %s) maps "
        "[%s, %s, %s]%s -> %s" % (
            op, x, m.per_tensor(lhs, ties), type_, y, m.per_tensor(rhs, ties),
            tensor(b_shape, "i8"), o, m.per_tensor(out, ties, scale=scale), type_,
            amap(loops), amap(b), amap(loops), bounds, type_))
    m.result("%s %s %s (%s) -> %s" % (op, lhs, rhs, b, out), value, type_, out)
  yield m


def pools(seed):
  m = Module([seed, 3000])
  layouts = {
      "nhwc": ("n, h * 2 + i, w * 2 + j, c", "n, h, w, c", (2, 9, 8, 37)),
      "nchw": ("n, c, h * 2 + i, w * 2 + j", "n, c, h, w", (1, 5, 9, 8)),
  }
  for i, (kind, dtype, layout, padded, counted) in enumerate(itertools.product(
      ("average", "max"), ("int8", "uint8"), layouts, (False, True), (False, True))):
    if counted and (kind == "max" or not padded):
      continue
    x_map, y_map, shape = layouts[layout]
    spatial = [i for i, e in enumerate(x_map.split(", ")) if "*" in e]
    padding = [1 if d in spatial and padded else 0
               for d in range(4) for _ in range(2)]
    out = tuple((d + 2 * padded - 3) // 2 + 1 if j in spatial else d
                for j, d in enumerate(shape))
    text = "quant.pool %s ins(%s as %s : %s) outs(%s : %s) maps [%s, %s] window [3, 3]" % (
        kind, m.code_argument(shape, dtype), m.per_tensor(dtype, False),
        tensor(shape, "i8"), m.empty(out, "i8"), tensor(out, "i8"),
        *("affine_map<(n, h, w, c, i, j) -> (%s)>" % e for e in (x_map, y_map)))
    text += " padding [%s]" % ", ".join(map(str, padding)) if padded else ""
    text += " count_padding" if counted else ""
    text += " low 0.0" if i % 3 == 0 else ""
    m.result("pool %s %s %s padded=%s counted=%s" % (kind, dtype, layout, padded, counted),
             m.line(text + " -> " + tensor(out, "i8")), tensor(out, "i8"), dtype)
  for dtype, kind, sizes in itertools.product(("int8", "uint8"), ("average", "max"),
                                              ((4, 12, 12, 64), (1, 5, 7, 3))):
    out = sizes[:1] + sizes[3:]
    m.result("global pool %s %s" % (kind, dtype), m.line(
        "quant.pool %s ins(%s as %s : %s) outs(%s : %s) maps [%s, %s] window [-1, -1] -> %s"
        % (kind, m.code_argument(sizes, dtype), m.per_tensor(dtype, True),
           tensor(sizes, "i8"), m.empty(out, "i8"), tensor(out, "i8"),
           *("affine_map<(n, c, i, j) -> (%s)>" % e for e in ("n, i, j, c", "n, c")),
           tensor(out, "i8"))), tensor(out, "i8"), dtype)
  yield m


GROUPS = {
    "matmul": matmuls,
    "ties": lambda quick, seed: requantized(seed),
    "multipliers": lambda quick, seed: multipliers(seed),
    "wide": lambda quick, seed: wide(seed),
    "conv": lambda quick, seed: convolutions(seed),
    "rows": by_rows,
    "product": lambda quick, seed: products(seed),
    "tiles": lambda quick, seed: tiles(seed),
    "streams": lambda quick, seed: streams(seed),
    "blocks": lambda quick, seed: blocks(seed),
    "attention": lambda quick, seed: attention(seed),
    "dynamic": dynamic_products,
    "depthwise": lambda quick, seed: itertools.chain(depthwise(seed),
                                                     depthwise_forms(quick, seed)),
    "values": values,
    "elementwise": elementwise,
    "pool": lambda quick, seed: pools(seed),
}

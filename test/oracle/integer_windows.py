"""Modules of convolutions, by channels and by rows, of depthwise ones, and of pools."""

import itertools

from integer_contract import LHS_FORMS, RESULTS, add_contract, options_of_any_rank
from integer_module import VALUES, Module, Weights, tensor


def convolutions(seed, number=1000, forms=None, lhs_forms=None, is_computed=False):
  """Strides, dilations, padding, layouts, groups, depthwise, one dimension; with
  filters that are constants or computed."""
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
    opts = dict(options_of_any_rank(m, out, i % 3 == 0), is_computed=is_computed)
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


def blocks(seed):
  """Windows over channels that blocks of scales split: those of a stage and longer ones,
  whole and with a rest; few rows of the result, and more than a tile has."""
  m = Module([seed, 1020])
  forms = [("int4", "zero"), ("uint4", "none"), ("int8", "none"), ("int4", "none"),
           ("uint8", "zero"), ("int4", "minval"), ("int8", "zero"), ("uint4", "zero")]
  lhs_forms = ("int8", "f16", "uint8", "f32", "int8-per_tensor", "bf16", "int8-per_row")
  windows = ((3, 3), (1, 3), (2, 2), (1, 1))
  for i, (channels, block, size) in enumerate(itertools.product(
      (64, 96, 40), (32, 16, 64), (3, 5, 10))):
    dtype, offset = forms[i % 8]
    weights = Weights(dtype, block, offset, ("f32", "f16")[i % 2])
    lhs, out, columns = lhs_forms[i % 7], RESULTS[i // 2 % 5], (70, 9, 130)[i % 3]
    wh, ww = windows[i % 4]
    name = "blocks %dx%d of %d, %dx%d %s %s -> %s" % (wh, ww, channels, size, columns, lhs,
                                                      weights, out)
    opts = options_of_any_rank(m, out, i % 3 == 0)
    if i % 5 == 4:
      add_contract(m, name + " nchw", ("n, k, h, w, c, i, j", "n, c, h + i, w + j",
                                       "k, c, i, j", "n, k, h, w"), lhs,
                   (1, channels, size, size), [0], weights, (columns, channels, wh, ww), [0], 1,
                   out, (1, columns, size - wh + 3, size - ww + 1), [1],
                   [0, 0, 0, 0, 1, 1, 0, 0], **opts)
    else:
      add_contract(m, name, ("n, h, w, k, i, j, c", "n, h + i, w + j, c", "i, j, c, k",
                             "n, h, w, k"), lhs, (1, size, size, channels), [0], weights,
                   (wh, ww, channels, columns), [3], 2, out,
                   (1, size - wh + 3, size - ww + 1, columns), [3],
                   [0, 0, 1, 1, 0, 0, 0, 0], **opts)
  yield m


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

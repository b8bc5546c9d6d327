"""Modules of products of matrices with weights, or of values with them."""

import itertools

import numpy as np

from integer_contract import LHS_FORMS, RESULTS, add_contract, options, weight_forms
from integer_module import ELEMENTS, RANGES, VALUES, Module, Weights, dense, tensor
from integer_windows import convolutions


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
  # Values of which none follow each other along the reduction, and an odd number of them.
  m = Module([seed, 4900])
  for i, (lhs, weights) in enumerate(itertools.product(
      VALUES, (Weights("int8", "per_channel", "zero"), Weights("uint4", 32, "zero")))):
    count, n, k = (5, 18, 40)[i % 3], (24, 65)[i % 2], (65, 70, 97)[i // 2 % 3]
    add_contract(m, "values transposed %dx%dx%d %s %s" % (count, n, k, lhs, weights),
                 ("m, n, k", "k, m", "k, n", "m, n"), lhs, (k, count), [1], weights, (k, n),
                 [1], 0, "f32", (count, n))
  yield m
  forms = [Weights("f32"), Weights("int8", "per_channel", "zero"), Weights("f16"),
           Weights("float8_e4m3fn", "per_channel"), Weights("bf16")]
  yield from convolutions(seed, 5000, forms, VALUES[:1] * 3 + VALUES + ("float8_e4m3fn",))


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
  # More panels than are unpacked together.
  for i, weights in enumerate((Weights("uint4", 32, "zero"), Weights("int4", 64, "none", "f16"))):
    n = 530 + 4 * i
    add_contract(m, "tiles 260x%dx1000 %s" % (n, weights), ("m, n, k", "m, k", "k, n", "m, n"),
                 LHS_FORMS[i], (260, 1000), [0], weights, (1000, n), [1], 0, RESULTS[3], (260, n),
                 dynamic=(0, 0) if i else None, **options(m, RESULTS[3], i == 0))
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
  for i, (block, count) in enumerate(itertools.product((32, 64, 128, 256, 16, 96, 160),
                                                       (1, 3, 8, 17, 40, 70))):
    dtype, offset = forms[i % 7]
    weights = Weights(dtype, block, offset, ("f32", "f16", "bf16")[i % 3])
    k, n, lhs, out = depths[i % 5], widths[i % 3], LHS_FORMS[i % 6], RESULTS[2 + i // 2 % 3]
    add_contract(m, "blocks %dx%dx%d %s %s -> %s" % (count, n, k, lhs, weights, out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights, (k, n),
                 [1], 0, out, (count, n), dynamic=(0, 0) if i % 4 == 3 else None,
                 **options(m, out, False))
  yield m


def groups(quick, seed):
  """Panels of 128 columns and rows for several groups of lanes: weights whose blocks end
  in a stage, that have zero points, or stand beside values; of rows that are known, and of
  as many as there are at run time."""
  m = Module([seed, 1750])
  rows, depths, widths = (33, 64, 100, 129), (64, 96, 130, 256, 333), (65, 130)
  integers = [("int4", 128, "none"), ("uint4", 32, "zero"), ("int8", 64, "none"),
              ("int4", 64, "zero"), ("int4", "per_channel", "zero"), ("int8", 128, "zero"),
              ("uint4", "per_tensor", "zero"), ("int8", 32, "none"), ("uint4", 128, "zero"),
              ("int4", 256, "none"), ("uint2", 64, "zero"), ("int4", 32, "minval"),
              ("int8", 128, "none"), ("uint8", "per_channel", "zero"),
              ("int8", "per_channel", "minval"), ("int8", "per_tensor", "zero")]
  values = [("int4", 128, "none"), ("int8", "per_channel", "zero"), ("f16", None, None),
            ("uint4", 64, "zero"), ("float8_e4m3fn", 64, "none"), ("int4", 32, "zero"),
            ("uint8", 256, "zero"), ("int4", "per_channel", "none"), ("int8", 16, "none"),
            ("uint4", 192, "zero"), ("float8_e5m2", "per_channel", "none"), ("int4", 64, "minval")]
  # What becomes a value on its way to shared memory.
  decoded = [("float8_e4m3fn", "per_channel", "none", "float8_e4m3fn"),
             ("float8_e5m2", 64, "none", "float8_e4m3fn"),
             ("float8_e4m3fn", 32, "none", "float8_e5m2"), ("int4", 32, "zero", "f32"),
             ("int8", "per_channel", "zero", "f32"), ("uint4", 128, "zero", "f32"),
             ("int4", "per_channel", "none", "f32")]
  for i, (dtype, unit, offset, lhs) in enumerate(decoded):
    count, k, n, unknown = rows[i % 4], depths[i % 5], widths[i % 2], i >= 4
    weights, out = Weights(dtype, unit, offset), RESULTS[2 + i % 3]
    add_contract(m, "groups %s%dx%dx%d %s %s -> %s" % ("?" * unknown, count, n, k, lhs, weights,
                                                      out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights, (k, n),
                 [1], 0, out, (count, n), dynamic=(0, 0) if unknown else None,
                 **options(m, out, False))
  for i, c in enumerate((24, 3, 4)):
    dtype, _, _, lhs = decoded[(0, 2, 4)[i]]
    add_contract(m, "groups conv %d->70 %s %s" % (c, lhs, dtype),
                 ("n, h, w, k, i, j, c", "n, h + i, w + j, c", "i, j, c, k", "n, h, w, k"), lhs,
                 (1, 7, 12, c), [0], Weights(dtype, "per_channel"), (3, 3, c, 70), [3], 2, "f32",
                 (1, 7, 12, 70), [3], [0, 0, 1, 1, 1, 1, 0, 0])
  for i, (dtype, unit, offset) in enumerate(integers * 2 + values * 2):
    if quick and i % 2 != seed % 2:  # the others belong to other seeds
      continue
    is_value = i >= 2 * len(integers)
    weights = Weights(dtype, unit, offset) if unit else Weights(dtype)
    lhs = LHS_FORMS[i % 6]
    if is_value:
      is_half = "float8" in dtype or dtype == "f16" or i % 4 < 2
      lhs = "f16" if is_half else "bf16"
    count, k, n = rows[i % 4], depths[(i + i // 5) % 5], widths[i // 2 % 2]
    out = ("f32", "f16", "bf16")[i % 3] if unit != "per_channel" or is_value else RESULTS[i % 5]
    unknown = i >= 2 * len(integers) + len(values) or len(integers) <= i < 2 * len(integers)
    add_contract(m, "groups %sx%dx%d %s %s -> %s" % ("?" * unknown + str(count), n, k, lhs,
                                                    weights, out),
                 ("m, n, k", "m, k", "k, n", "m, n"), lhs, (count, k), [0], weights, (k, n),
                 [1], 0, out, (count, n), dynamic=(0, 0) if unknown else None,
                 **options(m, out, False))
  # A stage that ends behind the last block.
  add_contract(m, "groups 100x65x570 beyond the last block", ("m, n, k", "m, k", "k, n", "m, n"),
               "f16", (100, 570), [0], Weights("uint4", 192, "zero"), (570, 65), [1], 0, "f32",
               (100, 65))
  # More rows than workgroups of one strip have.
  for unknown in (False, True):
    weights = Weights(("int8", "int4")[unknown], "per_channel")
    add_contract(m, "groups %s2100x130x33 %s" % ("?" * unknown, weights),
                 ("m, n, k", "m, k", "k, n", "m, n"), "int8", (2100, 33), [0], weights,
                 (33, 130), [1], 0, "int8", (2100, 130), dynamic=(0, 0) if unknown else None)
  yield m


def panels(quick, seed):
  """Products that are large enough for all cores of a GPU to have tiles of two panels, of 192
  and of 128 rows; and of an odd number of panels."""
  m = Module([seed, 1760])
  for count, n in ((4300, 1000), (2200, 1024), (4300, 850))[:2 if quick else 3]:
    add_contract(m, "panels %dx%dx40" % (count, n), ("m, n, k", "m, k", "k, n", "m, n"),
                 ("int8", "uint8")[count == 2200], (count, 40), [0],
                 Weights("int8", "per_channel", ("none", "zero")[n == 1000]), (40, n), [1], 0,
                 "int8", (count, n), **options(m, "int8", False))
  yield m

"""One quant.contract of given forms, and the forms that there are."""

import itertools

import numpy as np

import quantize
from integer_module import ELEMENTS, RANGES, VALUES, Weights, element_of, tensor, wrap


def weight_forms(blocks=(16, 32, 64, 128, 256)):
  forms = [Weights(dtype, granularity, offset)
           for dtype in ("int8", "uint8") for granularity in
           ("per_tensor", "per_channel") for offset in ("none", "zero")]
  forms += [Weights("int8", "per_channel", "minval"), Weights("int8", 32, "zero")]
  for dtype, block in itertools.product(("int4", "uint4", "int2", "uint2"), blocks):
    for offset in ("none", "zero", "minval"):
      scale = ("f32", "f16", "bf16")[len(forms) % 3]
      forms.append(Weights(dtype, block, offset, scale))
  forms += [Weights("int4", "per_channel", "zero"), Weights("uint4", "per_channel")]
  forms += [Weights(dtype, "per_channel", "none", scale)
            for dtype in ("float8_e4m3fn", "float8_e5m2") for scale in ("f32", "f8E8M0FNU")]
  forms += [Weights("float8_e4m3fn", 32, "none", "f32"),
            Weights("float4_e2m1fn", 32, "none", "f8E8M0FNU")]
  return forms


LHS_FORMS = ("int8", "int8-symmetric", "uint8", "int8-per_tensor", "int8-per_row",
             "uint8-per_row", "f32", "f16", "bf16", "float8_e4m3fn")
RESULTS = ("int8", "uint8", "f32", "f16", "bf16", "float8_e4m3fn")


def dynamic_params(m, dtype, type_shape, shape, dims, ties, has_zero_point=True):
  """Parameters whose scale and zero point are operands: one number, or one for each
  index of `dims`."""
  units = [d if i in dims else 1 for i, d in enumerate(shape)] if dims else []
  type_ = [d if i in dims else 1 for i, d in enumerate(type_shape)] if dims else []
  text = "<%s, %s>" % (dtype, "per_channel<[%s]>" % ", ".join(map(str, dims)) if dims
                       else "per_tensor")
  operands = [("scale", np.asarray(m.scales(units, ties), np.float32), "f32")]
  if has_zero_point:
    zero = np.asarray(m.random.integers(*RANGES[dtype], units), np.int32)
    operands.append(("zero_point", zero, "i32"))
  for name, a, element in operands:
    type_text = tensor(type_, element)
    text += " %s %s : %s," % (name, m.argument(a, type_text), type_text)
  return text


def add_contract(m, name, maps, lhs_form, lhs_shape, rows, weights, rhs_shape, columns,
                 reduction, out_form, out_shape, bias_dims=None, padding=None,
                 residual=None, bounds=(None, None), ties=False, dynamic=None,
                 is_computed=False, unknown=(), residual_dims=None, wide=False,
                 rhs_dynamic=None):
  """One quant.contract. `maps` are those of lhs, rhs and result as text after the
  loops; `rows` the dimensions of lhs that are rows; `bias_dims` and `residual_dims`
  those of the result that a bias and a residual have (None: no bias, all of them);
  `dynamic` a row dimension of lhs and of the result; `is_computed` whether rhs is no
  constant; `unknown` loops whose sizes only the run time knows; `rhs_dynamic` the
  dimensions of rhs along which its scales are operands (None: they are not)."""
  loops, lhs_map, rhs_map, out_map = maps
  amap = lambda results: "affine_map<(%s) -> (%s)>" % (loops, results)
  kind, _, unit = lhs_form.partition("-")
  lhs_scale = m.scale(ties)
  is_float = kind in ("f32", "f16", "bf16")
  is_dynamic = unit in ("per_tensor", "per_row")
  open_ = lambda shape, dim: [None if dim is not None and i == dim else d
                              for i, d in enumerate(shape)]
  known = lambda shape, loops_of: [None if e.strip() in unknown else d
                                   for d, e in zip(shape, loops_of.split(","))]
  lhs_type = tensor(known(open_(lhs_shape, dynamic and dynamic[0]), lhs_map),
                    kind if is_float else element_of(kind))
  rhs_type = tensor(known(rhs_shape, rhs_map), element_of(weights.dtype))
  if is_float:
    x = quantize.round_to(m.random.standard_normal(lhs_shape).astype(np.float32), kind)
    lhs = m.argument(x.astype(np.float16) if kind == "f16" else x, lhs_type)
    lhs_text = lhs
  elif is_dynamic:
    lhs = m.code_argument(lhs_shape, kind, lhs_type)
    lhs_text = lhs + " as " + dynamic_params(
        m, kind, known(open_(lhs_shape, dynamic and dynamic[0]), lhs_map), lhs_shape,
        rows if unit == "per_row" else [], ties)
  else:
    near = None
    if kind not in ELEMENTS:
      zero = m.zero_point(kind, "none" if unit == "symmetric" else "random")
      near = zero if ties else None
    lhs = m.code_argument(lhs_shape, kind, lhs_type, near)
    lhs_text = lhs + " as " + m.per_tensor(kind, ties, zero if kind in RANGES else "none",
                                           lhs_scale)

  rhs = m.computed_codes(rhs_shape, weights.dtype, rhs_type) if is_computed else m.constant(
      wrap(m.codes(rhs_shape, weights.dtype), weights.dtype), element_of(weights.dtype))
  is_value_rhs = weights.dtype in VALUES
  rhs_text = rhs if is_value_rhs else "%s as %s" % (
      rhs, weights.params(m, rhs_shape, columns, reduction, ties) if rhs_dynamic is None
      else dynamic_params(m, weights.dtype, known(rhs_shape, rhs_map), rhs_shape,
                          rhs_dynamic, ties, weights.offset == "zero"))
  out_element = element_of(out_form) if out_form not in ("f32", "f16", "bf16") else out_form
  out_dims = known(open_(out_shape, dynamic and dynamic[1]), out_map)
  out_type = tensor(out_dims, out_element)
  likes = [(lhs, dynamic[0], lhs_type)] if dynamic else []
  for e in out_map.split(", "):
    if e in unknown:
      inside, value, type_ = ((lhs_map, lhs, lhs_type) if e in lhs_map.split(", ")
                              else (rhs_map, rhs, rhs_type))
      likes.append((value, inside.split(", ").index(e), type_))
  out = m.empty(out_dims, out_element, likes)
  all_maps = [amap(lhs_map), amap(rhs_map)]
  text = ["quant.contract lhs(%s : %s)" % (lhs_text, lhs_type),
          "rhs(%s : %s)" % (rhs_text, rhs_type)]
  loops_of_out = [e.strip() for e in out_map.split(",")]
  integer_sum = not is_float and kind not in ELEMENTS and weights.dtype in RANGES
  depth = int(np.prod([d for i, d in enumerate(rhs_shape) if i not in columns]))
  if bias_dims is not None:
    integer = (integer_sum and not is_dynamic and rhs_dynamic is None and weights.offset != "minval" and
               (isinstance(weights.granularity, str)) and m.random.random() < 0.7)
    shape = [out_shape[i] for i in bias_dims]
    if integer:
      b, element = m.random.integers(-3000, 3000, shape), "i32"
    else:
      b, element = m.random.normal(0, 3, shape).astype(np.float32), "f32"
    text.append("bias(%s : %s)" % (m.constant(b, element), tensor(shape, element)))
    all_maps.append(amap(", ".join(loops_of_out[i] for i in bias_dims)))
  if residual:
    dims = range(len(out_shape)) if residual_dims is None else residual_dims
    pick = lambda a: [a[i] for i in dims]
    shape, type_shape = pick(out_shape), pick(out_dims)
    if residual == "values":
      form = out_form if out_form in VALUES else VALUES[m.random.integers(3)]
      type_ = tensor(type_shape, form)
      r = quantize.round_to(m.random.normal(0, 3, shape).astype(np.float32), form)
      r = m.argument(r.astype(np.float16) if form == "f16" else r, type_)
      text.append("residual(%s : %s)" % (r, type_))
    else:
      type_ = tensor(type_shape, "i8")
      r = m.code_argument(shape, residual, type_)
      text.append("residual(%s as %s : %s)" % (r, m.per_tensor(residual, ties), type_))
    all_maps.append(amap(", ".join(pick(loops_of_out))))
  if out_form in ("f32", "f16", "bf16"):
    text.append("outs(%s : %s)" % (out, out_type))
  else:
    # As large as sums are, so that few codes saturate and many differ.
    spread = 2.0**np.round(np.log2(0.02 * np.sqrt(depth) + 0.02))
    scale = spread if ties else spread * m.random.uniform(0.8, 1.2)
    if not is_value_rhs and (weights.dtype[-1] == "2" or is_float):
      scale = scale / 64
    if ties and integer_sum and not is_dynamic:
      # Sums of codes near the zero point, times a power of two that is not small: one
      # result in some ten is a tie.
      lo, hi = RANGES[weights.dtype]
      size = 2 * np.sqrt(depth) * (hi - lo) / 3
      scale = lhs_scale * 2.0**-5 * 2.0**np.round(np.log2(size / 60))
    text.append("outs(%s as %s : %s)" % (
        out, m.per_tensor(out_form, ties, scale=float(np.float32(scale))), out_type))
  all_maps.append(amap(out_map))
  text.append("maps [%s]" % ", ".join(all_maps))
  if padding:
    text.append("padding [%s]" % ", ".join(map(str, padding)))
  for key, bound in zip(("low", "high"), bounds):
    if bound is not None:
      text.append("%s %.9e" % (key, bound))
  text.append("wide" if wide else "")
  y = m.line(" ".join(text) + " -> " + out_type)
  m.result(name, y, out_type, out_form)


def options(m, out_form, ties):
  """Some residual, bounds and bias, at random."""
  r = m.random
  residual = r.choice(["", "", "int8", "uint8", "values"])
  bounds = [(None, None), (None, None), (0.0, None), (0.0, 6.0), (-1.0, 1.0)][
      r.integers(5)]
  residual_dims = [None, None, None, [0], [1], []][r.integers(6)]
  return dict(residual=str(residual), bounds=bounds, ties=ties,
              bias_dims=[1] if r.random() < 0.7 else None, residual_dims=residual_dims)


def options_of_any_rank(m, out_form, ties):
  """Without what is said of two dimensions."""
  return {key: value for key, value in options(m, out_form, ties).items()
          if not key.endswith("_dims")}

"""Modules of products of two activations, and of what is quantized at run time."""

import itertools

from integer_contract import LHS_FORMS, RESULTS, add_contract, options_of_any_rank
from integer_module import Module, Weights


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
           dict(b=2, h=2, m=3, n=80, k=16), dict(b=1, h=1, m=97, n=1, k=128),
           dict(b=1, h=2, m=150, n=130, k=128)]
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


def packed_products(quick, seed):
  """Products of two activations whose right-hand side has blocks along the reduction,
  codes of less than a byte, or several loops of columns and reductions."""
  m = Module([seed, 1600])
  one = [("m, k", "n, k", "m, n"), ("m, k", "k, n", "m, n"),
         ("b, h, m, k", "b, h, n, k", "b, h, m, n"), ("b, m, h, k", "b, k, h, n", "b, h, m, n")]
  several = [("m, k, l", "n, p, k, l", "m, n, p"), ("m, k, l", "k, l, n, p", "m, n, p"),
             ("b, m, k, l", "b, k, n, l", "b, m, n"), ("m, l, k", "k, n, l", "m, n"),
             ("m, k, l", "p, k, n, l", "m, n, p"), ("b, k, m, l", "l, n, b, k, p", "m, b, n, p")]
  forms = [Weights("int8", 32), Weights("uint8", 64, "zero"), Weights("int4", "per_tensor"),
           Weights("int4", "per_channel", "zero"), Weights("uint4", 64, "minval"),
           Weights("int8", 16, "zero"), Weights("uint4", "per_tensor", "zero"),
           Weights("int4", 32), Weights("int8", 128, "minval"), Weights("int2", "per_tensor"),
           Weights("int8", 24), Weights("int4", 16)]
  whole = [Weights("int8", "per_tensor"), Weights("uint8", "per_channel", "zero"),
           Weights("int4", "per_tensor", "zero")]
  sizes = [dict(b=2, h=3, m=33, n=65, k=200, p=3, l=16), dict(b=1, h=2, m=5, n=24, k=64, p=4, l=8),
           dict(b=2, h=1, m=130, n=136, k=150, p=1, l=2)]
  cases = list(itertools.product(one, forms, sizes)) + list(
      itertools.product(several, whole, sizes))
  numbers = [i for i, case in enumerate(cases) if case[0] in several or (i + i // 36) % 3 == 0]
  for i in numbers[seed % 3::3] if quick else numbers:
    maps, weights, s = cases[i]
    if maps in several:
      s = dict(s, n=s["n"] // 4, k=s["k"] // 8)
    shapes = [tuple(s[d] for d in e.split(", ")) for e in maps]
    names = [e.split(", ") for e in maps]
    lhs, out = LHS_FORMS[(i + i // 5) % 6], RESULTS[i // 3 % 5]
    columns = [d for d, name in enumerate(names[1]) if name in ("n", "p")]
    loops = ", ".join(dict.fromkeys(names[2] + names[0] + names[1]))
    add_contract(m, "%s x %s -> %s %s %s %s -> %s" % (*maps, s, lhs, weights, out),
                 (loops, *maps), lhs, shapes[0],
                 [d for d, name in enumerate(names[0]) if name == "m"], weights, shapes[1],
                 columns, names[1].index("k"), out, shapes[2],
                 [len(names[2]) - 1] if i % 4 else None, is_computed=True,
                 **options_of_any_rank(m, out, i % 3 == 0))
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

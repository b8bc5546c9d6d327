"""Modules of integer-form operations that cover the cross of their forms.

Every module has one function whose results are those of its operations, in order;
weights and biases are constants, as targets pack them, all else is an argument.
"""

import itertools

import integer_matmuls
import integer_products
import integer_windows
from integer_module import Module, Weights, tensor


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


GROUPS = {
    "matmul": integer_matmuls.matmuls,
    "ties": lambda quick, seed: integer_matmuls.requantized(seed),
    "multipliers": lambda quick, seed: integer_matmuls.multipliers(seed),
    "wide": lambda quick, seed: integer_matmuls.wide(seed),
    "conv": lambda quick, seed: itertools.chain(
        integer_windows.convolutions(seed),
        integer_windows.convolutions(
            seed, 1010, is_computed=True, lhs_forms=("int8", "uint8", "int8-per_tensor"),
            forms=[Weights("int8", "per_channel"), Weights("uint8", "per_tensor", "zero"),
                   Weights("int8", "per_tensor"), Weights("int4", "per_channel", "zero")])),
    "rows": integer_windows.by_rows,
    "product": lambda quick, seed: integer_products.products(seed),
    "packed": integer_products.packed_products,
    "tiles": lambda quick, seed: integer_matmuls.tiles(seed),
    "streams": lambda quick, seed: integer_matmuls.streams(seed),
    "blocks": lambda quick, seed: itertools.chain(integer_matmuls.blocks(seed),
                                                  integer_windows.blocks(seed)),
    "groups": integer_matmuls.groups,
    "panels": integer_matmuls.panels,
    "attention": lambda quick, seed: integer_products.attention(seed),
    "dynamic": integer_products.dynamic_products,
    "depthwise": lambda quick, seed: itertools.chain(
        integer_windows.depthwise(seed), integer_windows.depthwise_forms(quick, seed)),
    "values": integer_matmuls.values,
    "elementwise": elementwise,
    "pool": lambda quick, seed: integer_windows.pools(seed),
}
# Large, for the tiles of one target: in a short run, where it is asked for.
LARGE = {"panels"}

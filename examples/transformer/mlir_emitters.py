"""The emitters of MLIR: see emitters.py."""

import math

import numpy as np

from emitters import EPSILON, HIDDEN, causal


class Value:
    """An SSA value of f32: its name, and its shape, of which an element is an integer
    or, where it is a multiple of the dynamic length, a tuple of that factor."""

    def __init__(self, name, shape):
        self.name, self.shape = name, tuple(shape)

    @property
    def type(self):
        return "tensor<%sxf32>" % "x".join(map(text_of, self.shape))


def text_of(size):
    return "?" if isinstance(size, tuple) else str(size)


def product(sizes):
    factor = math.prod(s[0] if isinstance(s, tuple) else s for s in sizes)
    return (factor,) if any(isinstance(s, tuple) for s in sizes) else factor


def elements(array):
    array = np.ascontiguousarray(array, dtype=np.float32)
    if array.size == 1:
        return "dense<%s>" % number(array.flat[0])
    return 'dense<"0x%s">' % array.astype("<f4").tobytes().hex().upper()


def number(value):
    return "%.9e" % float(np.float32(value))


class Text:
    """What the two MLIR emitters share."""

    def __init__(self, args):
        self.args = args
        self.lines = []
        self.count = 0
        self.arguments = {}  # behind the first: shapes

    def name(self):
        self.count += 1
        return "%%%d" % (self.count - 1)

    def define(self, shape, text, *values):
        result = Value(self.name(), shape)
        self.emit(result.name + " = " + text, *values, r=result)
        return result

    def emit(self, text, *values, **named):
        self.lines.append("    " + text.format(*values, **named))

    def input(self):
        length = (1,) if self.args.dynamic else self.args.length
        self.argument = Value("%x", (self.args.batch, length, self.args.width))
        return self.argument

    def mask(self, lead):
        """What is added to scores, of rank 2 behind `lead`."""
        array = causal(self.args).reshape(lead + (self.args.length,) * 2)
        if self.args.mask == "argument":
            self.arguments["%mask"] = array.shape
            return Value("%mask", array.shape)
        return self.constant(array)

    def finish(self, x):
        self.emit("return {0.name} : {0.type}", x)
        arguments = [self.argument] + [Value(*a) for a in self.arguments.items()]
        return "func.func @main({0}) -> {1.type} {{\n{2}\n}}\n".format(
            ", ".join("%s: %s" % (a.name, a.type) for a in arguments), x,
            "\n".join(self.lines))


class Linalg(Text):
    """As torch-mlir writes it: named contractions, linalg.generic for the rest."""

    def __init__(self, args):
        super().__init__(args)
        self.sizes = {}

    def size(self, size):
        """The name of a dynamic size."""
        if size not in self.sizes:
            name = self.name()
            if size == (1,):
                self.emit("%axis = arith.constant 1 : index")
                self.emit(name + " = tensor.dim {0.name}, %axis : {0.type}",
                          self.argument)
            else:
                length, factor = self.size((1,)), self.name()
                self.emit("%s = arith.constant %d : index" % (factor, size[0]))
                self.emit("%s = arith.muli %s, %s : index" % (name, length, factor))
            self.sizes[size] = name
        return self.sizes[size]

    def empty(self, shape):
        sizes = [self.size(s) for s in shape if isinstance(s, tuple)]
        return self.define(shape, "tensor.empty(%s) : {r.type}" % ", ".join(sizes))

    def filled(self, shape, value):
        scalar, empty = self.name(), self.empty(shape)
        self.emit("%s = arith.constant %s : f32" % (scalar, number(value)))
        return self.define(
            shape, "linalg.fill ins(%s : f32) outs({0.name} : {0.type}) -> {0.type}"
            % scalar, empty)

    def constant(self, array):
        return self.define(array.shape, "arith.constant %s : {r.type}"
                           % elements(array).replace("{", "{{"))

    def generic(self, inputs, maps, out, out_map, rank, body, reductions=()):
        """`body`: operations on %a0, %a1, … and %out; the last one is %r."""
        dims = ", ".join("d%d" % i for i in range(rank))

        def map_of(dims_of):
            return "affine_map<(%s) -> (%s)>" % (
                dims, ", ".join("d%d" % d for d in dims_of))

        kinds = ", ".join('"reduction"' if i in reductions else '"parallel"'
                          for i in range(rank))
        arguments = ", ".join("%%a%d: f32" % i for i in range(len(inputs)))
        return self.define(
            out.shape,
            "linalg.generic {{indexing_maps = [%s], iterator_types = [%s]}} "
            "ins(%s : %s) outs({0.name} : {0.type}) {{\n"
            "    ^bb0(%s, %%out: f32):\n%s\n"
            "      linalg.yield %%r : f32\n    }} -> {0.type}" % (
                ", ".join(map(map_of, list(maps) + [out_map])), kinds,
                ", ".join(i.name for i in inputs), ", ".join(i.type for i in inputs),
                arguments, "\n".join("      " + line for line in body)), out)

    def elementwise(self, inputs, body, maps=None):
        """Of the shape of the first input, whose dimensions `maps` speak of."""
        shape = inputs[0].shape
        every = list(range(len(shape)))
        return self.generic(inputs, maps or [every] * len(inputs), self.empty(shape),
                            every, len(shape), body)

    def reduce_last(self, x, body, first):
        rank = len(x.shape)
        return self.generic([x], [range(rank)], self.filled(x.shape[:-1], first),
                            range(rank - 1), rank, body, reductions=(rank - 1,))

    def reshape(self, x, shape, groups, op):
        text = "[%s]" % ", ".join(str(list(g)) for g in groups)
        if op == "collapse":
            return self.define(shape, "tensor.collapse_shape {0.name} %s : {0.type} "
                               "into {r.type}" % text, x)
        sizes = ", ".join(self.size(s) if isinstance(s, tuple) else str(s)
                          for s in shape)
        return self.define(shape, "tensor.expand_shape {0.name} %s output_shape [%s] : "
                           "{0.type} into {r.type}" % (text, sizes), x)

    def join_first(self, x):
        rank = len(x.shape)
        return self.reshape(x, (product(x.shape[:2]),) + x.shape[2:],
                            [(0, 1)] + [(i,) for i in range(2, rank)], "collapse")

    def split_first(self, x, first):
        rank = len(x.shape)
        return self.reshape(x, tuple(first) + x.shape[1:],
                            [(0, 1)] + [(i + 1,) for i in range(1, rank)], "expand")

    def linear(self, x, w, b):
        stored = self.constant(np.ascontiguousarray(w.T))
        w = self.transpose(stored, (1, 0))
        if self.args.projection == "batched":
            batch = x.shape[0]
            each = self.broadcast_first(w, batch)
            y = self.contract("batch_matmul", x, each, x.shape[:2] + w.shape[1:])
        else:
            first = x.shape[:2]
            y = self.split_first(self.contract(
                "matmul", self.join_first(x), w, (product(first), w.shape[1])), first)
        return self.elementwise([y, self.constant(b)],
                                ["%r = arith.addf %a0, %a1 : f32"], [range(3), (2,)])

    def broadcast_first(self, w, batch):
        return self.define(
            (batch,) + w.shape,
            "linalg.broadcast ins({0.name} : {0.type}) outs({1.name} : {1.type}) "
            "dimensions = [0]", w, self.empty((batch,) + w.shape))

    def contract(self, op, a, b, shape):
        return self.define(
            shape, "linalg.%s ins({0.name}, {1.name} : {0.type}, {1.type}) "
            "outs({2.name} : {2.type}) -> {2.type}" % op, a, b, self.filled(shape, 0))

    def layer_norm(self, x, gamma, beta):
        width = "%%w = arith.constant %s : f32" % number(x.shape[-1])
        rows = [range(3), (0, 1)]

        def mean(v):
            total = self.reduce_last(v, ["%r = arith.addf %a0, %out : f32"], 0)
            return self.elementwise([total], [width, "%r = arith.divf %a0, %w : f32"])

        centred = self.elementwise([x, mean(x)], ["%r = arith.subf %a0, %a1 : f32"],
                                   rows)
        square = self.elementwise([centred], ["%r = arith.mulf %a0, %a0 : f32"])
        factor = self.elementwise([mean(square)], [
            "%%e = arith.constant %s : f32" % number(EPSILON),
            "%v = arith.addf %a0, %e : f32", "%r = math.rsqrt %v : f32"])
        normal = self.elementwise([centred, factor], ["%r = arith.mulf %a0, %a1 : f32"],
                                  rows)
        last = [range(3), (2,)]
        scaled = self.elementwise([normal, self.constant(gamma)],
                                  ["%r = arith.mulf %a0, %a1 : f32"], last)
        return self.elementwise([scaled, self.constant(beta)],
                                ["%r = arith.addf %a0, %a1 : f32"], last)

    def split_last(self, x, heads):
        return self.reshape(x, x.shape[:2] + (heads, x.shape[2] // heads),
                            [(0,), (1,), (2, 3)], "expand")

    def join_last(self, x):
        return self.reshape(x, x.shape[:2] + (product(x.shape[2:]),),
                            [(0,), (1,), (2, 3)], "collapse")

    def transpose(self, x, order):
        return self.define(
            [x.shape[i] for i in order],
            "linalg.transpose ins({0.name} : {0.type}) outs({1.name} : {1.type}) "
            "permutation = %s" % list(order), x,
            self.empty([x.shape[i] for i in order]))

    def repeat_heads(self, x, count):
        shape = x.shape[:2] + (count,) + x.shape[2:]
        wide = self.define(
            shape, "linalg.broadcast ins({0.name} : {0.type}) "
            "outs({1.name} : {1.type}) dimensions = [2]", x, self.empty(shape))
        return self.reshape(wide, (x.shape[0], x.shape[1] * count) + x.shape[2:],
                            [(0,), (1, 2), (3,), (4,)], "collapse")

    def matmul(self, a, b):
        shape = a.shape[:3] + (b.shape[3],)
        if self.args.attention == "four":
            return self.generic(
                [a, b], [(0, 1, 2, 4), (0, 1, 4, 3)], self.filled(shape, 0),
                (0, 1, 2, 3), 5, ["%m = arith.mulf %a0, %a1 : f32",
                                  "%r = arith.addf %out, %m : f32"], reductions=(4,))
        first = a.shape[:2]
        return self.split_first(self.contract(
            "batch_matmul", self.join_first(a), self.join_first(b),
            (product(first),) + shape[2:]), first)

    def scale(self, x, factor):
        return self.elementwise([x], [
            "%%c = arith.constant %s : f32" % number(factor),
            "%r = arith.mulf %a0, %c : f32"])

    def causal_mask(self, x):
        if not self.args.dynamic:
            return self.elementwise([x, self.mask(())],
                                    ["%r = arith.addf %a0, %a1 : f32"],
                                    [range(4), (2, 3)])
        return self.elementwise([x], [
            "%i = linalg.index 2 : index", "%j = linalg.index 3 : index",
            "%c = arith.cmpi sle, %j, %i : index",
            "%%h = arith.constant %s : f32" % number(HIDDEN),
            "%r = arith.select %c, %a0, %h : f32"])

    def softmax(self, x):
        if self.args.softmax == "op":
            return self.define(
                x.shape, "linalg.softmax dimension(3) ins({0.name} : {0.type}) "
                "outs({1.name} : {1.type}) -> {1.type}", x, self.empty(x.shape))
        rows = [range(4), (0, 1, 2)]
        peak = self.reduce_last(x, ["%r = arith.maximumf %a0, %out : f32"], -3.4028235e38)
        shifted = self.elementwise([x, peak], ["%r = arith.subf %a0, %a1 : f32"], rows)
        terms = self.elementwise([shifted], ["%r = math.exp %a0 : f32"])
        total = self.reduce_last(terms, ["%r = arith.addf %a0, %out : f32"], 0)
        return self.elementwise([terms, total], ["%r = arith.divf %a0, %a1 : f32"], rows)

    def add(self, a, b):
        return self.elementwise([a, b], ["%r = arith.addf %a0, %a1 : f32"])

    def relu(self, x):
        return self.elementwise([x], ["%c = arith.constant 0.0 : f32",
                                      "%g = arith.cmpf ugt, %a0, %c : f32",
                                      "%r = arith.select %g, %a0, %c : f32"])

    def gelu(self, x):
        return self.elementwise([x], [
            "%%s = arith.constant %s : f32" % number(2 ** 0.5),
            "%one = arith.constant 1.0 : f32", "%half = arith.constant 0.5 : f32",
            "%d = arith.divf %a0, %s : f32", "%e = math.erf %d : f32",
            "%p = arith.addf %e, %one : f32", "%h = arith.mulf %p, %half : f32",
            "%r = arith.mulf %a0, %h : f32"])

    def silu(self, x):
        sigmoid = self.elementwise([x], [
            "%one = arith.constant 1.0 : f32", "%n = arith.negf %a0 : f32",
            "%e = math.exp %n : f32", "%p = arith.addf %e, %one : f32",
            "%r = arith.divf %one, %p : f32"])
        return self.elementwise([sigmoid, x], ["%r = arith.mulf %a0, %a1 : f32"])


class Tosa(Text):
    """Rank is kept through every step, constants broadcast by dimensions of 1."""

    def __init__(self, args):
        super().__init__(args)
        if args.dynamic:
            raise SystemExit("--dynamic: expected --form linalg, since tosa.reshape "
                             "cannot split batches off where two sizes are dynamic")

    def constant(self, array):
        return self.define(array.shape, '"tosa.const"() <{{values = %s : {r.type}}}> '
                           ": () -> {r.type}" % elements(array))

    def splat(self, value, rank):
        return self.constant(np.full((1,) * rank, value, np.float32))

    def unary(self, op, x):
        return self.define(x.shape, "tosa.%s {0.name} : ({0.type}) -> {0.type}" % op, x)

    def binary(self, op, a, b):
        shape = [t if s == 1 else s for s, t in zip(a.shape, b.shape)]
        if op != "mul":
            return self.define(shape, "tosa.%s {0.name}, {1.name} : ({0.type}, "
                               "{1.type}) -> {r.type}" % op, a, b)
        shift = self.name()
        self.emit(shift + ' = "tosa.const"() <{{values = dense<0> : tensor<1xi8>}}> : '
                  "() -> tensor<1xi8>")
        return self.define(shape, "tosa.mul {0.name}, {1.name}, %s : ({0.type}, "
                           "{1.type}, tensor<1xi8>) -> {r.type}" % shift, a, b)

    def reduce(self, op, x):
        axis = len(x.shape) - 1
        return self.define(x.shape[:-1] + (1,), "tosa.reduce_%s {0.name} {{axis = %d : "
                           "i32}} : ({0.type}) -> {r.type}" % (op, axis), x)

    def reshape(self, x, shape):
        name = self.name()
        self.emit("%s = tosa.const_shape {{values = dense<%s> : tensor<%dxindex>}} : "
                  "() -> !tosa.shape<%d>" % (name, list(shape), len(shape), len(shape)))
        return self.define(shape, "tosa.reshape {0.name}, %s : ({0.type}, "
                           "!tosa.shape<%d>) -> {r.type}" % (name, len(shape)), x)

    def product3(self, a, b):
        zero = self.splat(0, 1)
        return self.define(
            a.shape[:2] + (b.shape[2],), "tosa.matmul {0.name}, {1.name}, {2.name}, "
            "{2.name} : ({0.type}, {1.type}, {2.type}, {2.type}) -> {r.type}",
            a, b, zero)

    def linear(self, x, w, b):
        flat = self.reshape(x, (1, product(x.shape[:2]), x.shape[2]))
        y = self.binary("add", self.product3(flat, self.constant(w[None])),
                        self.constant(b[None, None]))
        return self.reshape(y, x.shape[:2] + (w.shape[1],))

    def layer_norm(self, x, gamma, beta):
        def mean(v):
            return self.binary("mul", self.reduce("sum", v),
                               self.splat(1 / x.shape[-1], 3))

        centred = self.binary("sub", x, mean(x))
        square = self.binary("mul", centred, centred)
        variance = self.binary("add", mean(square), self.splat(EPSILON, 3))
        normal = self.binary("mul", centred, self.unary("rsqrt", variance))
        scaled = self.binary("mul", normal, self.constant(gamma[None, None]))
        return self.binary("add", scaled, self.constant(beta[None, None]))

    def split_last(self, x, heads):
        return self.reshape(x, x.shape[:2] + (heads, x.shape[2] // heads))

    def join_last(self, x):
        return self.reshape(x, x.shape[:2] + (product(x.shape[2:]),))

    def transpose(self, x, order):
        return self.define([x.shape[i] for i in order], "tosa.transpose {0.name} "
                           "{{perms = array<i32: %s>}} : ({0.type}) -> {r.type}"
                           % ", ".join(map(str, order)), x)

    def repeat_heads(self, x, count):
        tall = self.reshape(x, (x.shape[0] * x.shape[1], 1) + x.shape[2:])
        name = self.name()
        self.emit("%s = tosa.const_shape {{values = dense<[1, %d, 1, 1]> : "
                  "tensor<4xindex>}} : () -> !tosa.shape<4>" % (name, count))
        wide = self.define((tall.shape[0], count) + x.shape[2:], "tosa.tile {0.name}, "
                           "%s : ({0.type}, !tosa.shape<4>) -> {r.type}" % name, tall)
        return self.reshape(wide, (x.shape[0], x.shape[1] * count) + x.shape[2:])

    def matmul(self, a, b):
        def flat(v):
            return self.reshape(v, (v.shape[0] * v.shape[1],) + v.shape[2:])

        return self.reshape(self.product3(flat(a), flat(b)),
                            a.shape[:3] + (b.shape[3],))

    def scale(self, x, factor):
        return self.binary("mul", x, self.splat(factor, len(x.shape)))

    def causal_mask(self, x):
        return self.binary("add", x, self.mask((1, 1)))

    def softmax(self, x):
        terms = self.unary("exp", self.binary("sub", x, self.reduce("max", x)))
        return self.binary("mul", terms, self.unary("reciprocal",
                                                    self.reduce("sum", terms)))

    def add(self, a, b):
        return self.binary("add", a, b)

    def relu(self, x):
        return self.define(x.shape, "tosa.clamp {0.name} {{max_val = 3.40282347E+38 : "
                           "f32, min_val = 0.000000e+00 : f32}} : ({0.type}) -> "
                           "{0.type}", x)

    def gelu(self, x):
        rank = len(x.shape)
        erf = self.unary("erf", self.scale(x, 0.5 ** 0.5))
        half = self.scale(self.binary("add", erf, self.splat(1, rank)), 0.5)
        return self.binary("mul", x, half)

    def silu(self, x):
        return self.binary("mul", x, self.unary("sigmoid", x))

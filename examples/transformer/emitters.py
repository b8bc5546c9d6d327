"""One graph, written in four ways: see block.py.

An emitter has a method for each step of a block; what a method gives and takes is its
own. Numpy gives an array, Onnx a model; Linalg and Tosa (mlir_emitters.py) give text.
"""

import math

import numpy as np

EPSILON = 1e-5
# What a mask adds, or sets, where a token must not be seen.
HIDDEN = -1e9


def causal(args):
    """What is added to scores: 0 where a token may be seen."""
    hidden = np.tri(args.length, dtype=bool)
    return np.where(hidden, 0, HIDDEN).astype(np.float32)


class Numpy:
    """Computes in binary64."""

    def __init__(self, args, data):
        self.args, self.data = args, data

    def input(self):
        return self.data.astype(np.float64)

    def finish(self, x):
        return x

    def linear(self, x, w, b):
        return x @ w.astype(np.float64) + b

    def layer_norm(self, x, gamma, beta):
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred ** 2).mean(-1, keepdims=True)
        return centred / np.sqrt(variance + EPSILON) * gamma + beta

    def split_last(self, x, heads):
        return x.reshape(*x.shape[:-1], heads, -1)

    def join_last(self, x):
        return x.reshape(*x.shape[:-2], -1)

    def transpose(self, x, order):
        return x.transpose(order)

    def repeat_heads(self, x, count):
        return np.repeat(x, count, axis=1)

    def matmul(self, a, b):
        return a @ b

    def scale(self, x, factor):
        return x * np.float64(np.float32(factor))

    def causal_mask(self, x):
        return np.where(np.tri(x.shape[-1], dtype=bool), x, HIDDEN)

    def softmax(self, x):
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def add(self, a, b):
        return a + b

    def relu(self, x):
        return np.maximum(x, 0)

    def gelu(self, x):
        return x * 0.5 * (1 + np.vectorize(math.erf)(x * 0.5 ** 0.5))

    def silu(self, x):
        return x / (1 + np.exp(-x))


class Onnx:
    """Of opset 17, as exporters write it."""

    def __init__(self, args):
        self.args, self.nodes, self.constants = args, [], []

    def node(self, op, *inputs, **attributes):
        from onnx import helper
        name = "v%d" % len(self.nodes)
        inputs = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def constant(self, array):
        from onnx import numpy_helper
        name = "c%d" % len(self.constants)
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def input(self):
        return "x"

    def finish(self, x):
        from onnx import TensorProto, helper
        length = "length" if self.args.dynamic else self.args.length
        shape = [self.args.batch, length, self.args.width]
        graph = helper.make_graph(
            self.nodes + [helper.make_node("Identity", [x], ["y"])], "block",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
            self.constants)
        return helper.make_model(graph, ir_version=8,
                                 opset_imports=[helper.make_opsetid("", 17)])

    def linear(self, x, w, b):
        return self.node("Add", self.node("MatMul", x, w), b)

    def layer_norm(self, x, gamma, beta):
        return self.node("LayerNormalization", x, gamma, beta, axis=-1,
                         epsilon=EPSILON)

    def split_last(self, x, heads):
        return self.node("Reshape", x, np.array([0, 0, heads, -1], np.int64))

    def join_last(self, x):
        return self.node("Reshape", x, np.array([0, 0, -1], np.int64))

    def transpose(self, x, order):
        return self.node("Transpose", x, perm=list(order))

    def repeat_heads(self, x, count):
        raise SystemExit("--onnx: expected as many --kv-heads as --heads")

    def matmul(self, a, b):
        return self.node("MatMul", a, b)

    def scale(self, x, factor):
        return self.node("Mul", x, np.float32(factor))

    def causal_mask(self, x):
        if self.args.dynamic:
            raise SystemExit("--onnx --mask: expected a static length")
        return self.node("Add", x, causal(self.args))

    def softmax(self, x):
        return self.node("Softmax", x, axis=-1)

    def add(self, a, b):
        return self.node("Add", a, b)

    def relu(self, x):
        return self.node("Relu", x)

    def gelu(self, x):
        erf = self.node("Erf", self.node("Div", x, np.float32(2 ** 0.5)))
        half = self.node("Mul", self.node("Add", erf, np.float32(1)), np.float32(0.5))
        return self.node("Mul", x, half)

    def silu(self, x):
        return self.node("Mul", x, self.node("Sigmoid", x))

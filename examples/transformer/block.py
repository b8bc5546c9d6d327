#!/usr/bin/env python3
"""Writes a transformer block, as exporters write one, with data to run it on.

    block.py FOLDER [--form linalg|tosa] [--length 16] [--dynamic] [--width 64]
             [--heads 4] [--kv-heads N] [--hidden 128] [--batch 1]
             [--activation gelu|relu|silu] [--softmax op|generic] [--mask [argument]]
             [--scale scores|query|weights] [--projection collapsed|batched]
             [--attention batched|four] [--blocks 1] [--seed 1] [--onnx]

FOLDER gets model.mlir, calib.npy (32 samples), test.npy (4 samples), expected.npy
(what numpy computes of the test samples, in binary64), and with --onnx model.onnx. A
mask that is an argument has mask.npy and calib_mask.npy beside test.npy and calib.npy.

  y = x + attention(norm(x));  y + mlp(norm(y))

Layer norm with weight and bias, projections with bias, softmax(q k^T / sqrt(d)) v in
several heads (--kv-heads: fewer heads of keys and values, each used by several of
queries), a causal mask, an MLP whose SiLU is x * sigmoid(x). One graph is written by
four emitters (linalg, tosa, numpy, ONNX), so that they are the same model. --dynamic
leaves the length to the run time; --softmax op, --projection and --attention are forms
of linalg only: exporters differ in them.
"""

import argparse
import os

import numpy as np

import emitters
import mlir_emitters


def parse(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--form", choices=["linalg", "tosa"], default="linalg")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--length", type=int, default=16)
    parser.add_argument("--dynamic", action="store_true")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--kv-heads", type=int)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--activation", choices=["gelu", "relu", "silu"],
                        default="gelu")
    parser.add_argument("--softmax", choices=["op", "generic"], default="generic")
    parser.add_argument("--mask", nargs="?", const="constant",
                        choices=["constant", "argument"])
    parser.add_argument("--scale", choices=["scores", "query", "weights"],
                        default="scores")
    parser.add_argument("--projection", choices=["collapsed", "batched"],
                        default="collapsed")
    parser.add_argument("--attention", choices=["batched", "four"], default="batched")
    parser.add_argument("--blocks", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--onnx", action="store_true")
    args = parser.parse_args(arguments)
    args.kv_heads = args.kv_heads or args.heads
    if args.mask == "argument" and (args.dynamic or args.onnx):
        parser.error("--mask argument: expected a static length, and no --onnx")
    return args


class Weights:
    """Random ones of the usual sizes, the same for every emitter."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def matrix(self, rows, columns):
        # A few channels are larger than the others, as trained ones are.
        scale = np.exp(self.random.normal(0, 0.3, columns))
        values = self.random.normal(0, rows ** -0.5, (rows, columns)) * scale
        return values.astype(np.float32)

    def vector(self, size, mean=0.0):
        return self.random.normal(mean, 0.1, size).astype(np.float32)


def linear(e, x, weights, rows, columns, factor=1.0):
    w = weights.matrix(rows, columns) * np.float32(factor)
    b = weights.vector(columns) * np.float32(factor)
    return e.linear(x, w, b)


def norm(e, x, weights, width):
    return e.layer_norm(x, weights.vector(width, 1.0), weights.vector(width))


def attention(e, x, weights, args):
    width, heads, kv_heads = args.width, args.heads, args.kv_heads
    size = width // heads
    factor = size ** -0.5
    q = linear(e, x, weights, width, width, factor if args.scale == "weights" else 1)
    k = linear(e, x, weights, width, kv_heads * size)
    v = linear(e, x, weights, width, kv_heads * size)
    if args.scale == "query":
        q = e.scale(q, factor)
    q = e.transpose(e.split_last(q, heads), (0, 2, 1, 3))
    k = e.transpose(e.split_last(k, kv_heads), (0, 2, 3, 1))
    v = e.transpose(e.split_last(v, kv_heads), (0, 2, 1, 3))
    if kv_heads != heads:
        k = e.repeat_heads(k, heads // kv_heads)
        v = e.repeat_heads(v, heads // kv_heads)
    scores = e.matmul(q, k)
    if args.scale == "scores":
        scores = e.scale(scores, factor)
    if args.mask:
        scores = e.causal_mask(scores)
    mixed = e.matmul(e.softmax(scores), v)
    mixed = e.join_last(e.transpose(mixed, (0, 2, 1, 3)))
    return linear(e, mixed, weights, width, width)


def mlp(e, x, weights, args):
    h = linear(e, x, weights, args.width, args.hidden)
    h = {"gelu": e.gelu, "relu": e.relu, "silu": e.silu}[args.activation](h)
    return linear(e, h, weights, args.hidden, args.width)


def build(e, args):
    """The model as `e` writes it."""
    weights = Weights(args.seed)
    x = e.input()
    for _ in range(args.blocks):
        x = e.add(x, attention(e, norm(e, x, weights, args.width), weights, args))
        x = e.add(x, mlp(e, norm(e, x, weights, args.width), weights, args))
    return e.finish(x)


def make_data(args, samples, seed):
    random = np.random.default_rng(seed)
    shape = (samples * args.batch, args.length, args.width)
    # Tokens of a few kinds, with noise.
    kinds = random.normal(0, 1, (8, args.width))
    chosen = random.integers(0, len(kinds), shape[:2])
    return (kinds[chosen] + random.normal(0, 0.5, shape)).astype(np.float32)


def main():
    args = parse()
    os.makedirs(args.folder, exist_ok=True)

    def path(name):
        return os.path.join(args.folder, name)

    emitter = {"linalg": mlir_emitters.Linalg,
               "tosa": mlir_emitters.Tosa}[args.form]
    with open(path("model.mlir"), "w") as file:
        file.write(build(emitter(args), args))
    if args.mask == "argument":
        mask = emitters.causal(args)
        if args.form == "tosa":
            mask = mask[None, None]
        for name, samples in (("mask.npy", 4), ("calib_mask.npy", 32)):
            np.save(path(name), np.concatenate([mask] * samples))
    test = make_data(args, 4, args.seed + 2)
    np.save(path("calib.npy"), make_data(args, 32, args.seed + 1))
    np.save(path("test.npy"), test)
    np.save(path("expected.npy"),
            np.concatenate([build(emitters.Numpy(args, part), args)
                            for part in np.split(test, 4)]).astype(np.float32))
    if args.onnx:
        import onnx
        onnx.save(build(emitters.Onnx(args), args), path("model.onnx"))


if __name__ == "__main__":
    main()

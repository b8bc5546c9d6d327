#!/usr/bin/env python3
"""Arrays and references for numerics.mlir, into the current folder. The bf16 and
f16 operands are every bit pattern against a permutation of all."""
import numpy as np

np.seterr(all="ignore")
rng = np.random.default_rng(1)


def bf16(x):
    """Rounds float32 half to even to bf16, as float32."""
    bits = x.astype("f4").view("u4").astype("u8")
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype("u4")
    return np.where(np.isnan(x), np.float32(np.nan), rounded.view("f4"))


def save(**arrays):
    for name, array in arrays.items():
        np.save(name + ".npy", array)


a, b, c = (rng.standard_normal(1024).astype("f4") for _ in range(3))
save(a=a, b=b, c=c, multiply_add=a * b + c)

m = rng.standard_normal((17, 301)).astype("f4")
n = rng.standard_normal((301, 33)).astype("f4")
total = np.zeros((17, 33), "f4")
for k in range(301):
    total = total + m[:, k : k + 1] * n[k : k + 1, :]
# Each product and sum rounded once: both are exact in 64 bits, but for sums that do
# not matter here.
fused = np.zeros((17, 33), "f4")
for k in range(301):
    product = m[:, k : k + 1].astype("g") * n[k : k + 1, :].astype("g")
    fused = (fused.astype("g") + product).astype("f4")
assert (fused != total).any()
save(m=m, n=n, matmul=total, fused=fused)

p = (np.arange(65536, dtype="u4") << 16).view("f4")
q = p[rng.permutation(65536)]
save(p=p, q=q, add_bf16=bf16(p + q), mul_bf16=bf16(p * q))

h = np.arange(65536, dtype="u2").view("f2")
k = h[rng.permutation(65536)]
save(h=h, k=k, mul_f16=(h.astype("f4") * k.astype("f4")).astype("f2"))

// A product of two activations that is large enough for threads: each iteration
// packs panels on a stack of its own, and gives the bytes of the reference.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python -c "import numpy as np; r = np.random.default_rng(0); [np.save(n, r.integers(-128, 128, (12, 128, 64)).astype(np.int8)) for n in ('q.npy', 'k.npy')]"
// RUN: quant-run %s --input=q.npy --input=k.npy --output=y.npy --target=reference
// RUN: quant-run %s --input=q.npy --input=k.npy --compare=y.npy | FileCheck %s
// RUN: quant-run %s --input=q.npy --input=k.npy --compare=y.npy --threads=2 | FileCheck %s
// CHECK: exact match

#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

func.func @main(%q: tensor<12x128x64xi8>, %k: tensor<12x128x64xi8>) -> tensor<12x128x128xi8> {
  %o = tensor.empty() : tensor<12x128x128xi8>
  %y = quant.contract lhs(%q as <int8, per_tensor, scale = 0.05, zero_point = 3> : tensor<12x128x64xi8>)
    rhs(%k as <int8, per_tensor, scale = 0.05, zero_point = -2> : tensor<12x128x64xi8>)
    outs(%o as <int8, per_tensor, scale = 4.0> : tensor<12x128x128xi8>) maps [#q, #k, #y] -> tensor<12x128x128xi8>
  return %y : tensor<12x128x128xi8>
}

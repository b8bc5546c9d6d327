// REQUIRES: numpy, vulkan
// RUN: %python -c "import numpy as np; np.save('%t.x.npy', np.array([0, 1, -3, 0.5, 1.5, 2.5, 1e-38, -1e-45, np.inf, -np.inf, np.nan, 3e38, 7, 0.1, -0.0, 5.0], np.float32))"

// Any model runs; what kernels do not compute, the host does.
// RUN: quant-run %s --input=%t.x.npy --target=vulkan --output=%t.q.npy --output=%t.d.npy
// RUN: quant-run %s --input=%t.x.npy --target=reference --output=%t.rq.npy --output=%t.rd.npy
// RUN: cmp %t.q.npy %t.rq.npy
// RUN: cmp %t.d.npy %t.rd.npy

// RUN: quant-run %s --input=%t.x.npy --target=vulkan --bench=3 --json | FileCheck %s --check-prefix=BENCH
// BENCH: "runs":3

// Without a device there is an error, before anything is compiled.
// RUN: not env VK_ICD_FILENAMES=%t.none VK_DRIVER_FILES=%t.none quant-run %s --input=%t.x.npy --target=vulkan --bench=3 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: quant-run: error: {{.*}}Vulkan

// RUN: not env QUANT_VULKAN_DEVICE=no-such-name quant-run %s --input=%t.x.npy --target=vulkan --bench=3 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: quant-run: error: {{.*}}expected a Vulkan device that kernels can run on, found '{{.*}}' lacks the name in QUANT_VULKAN_DEVICE

func.func @main(%x: tensor<16xf32>) -> (tensor<16xi8>, tensor<16xf32>) {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.3, zero_point = -3> : tensor<16xf32> -> tensor<16xi8>
  %d = quant.dequantize %q <int8, per_tensor, scale = 0.3, zero_point = -3> : tensor<16xi8> -> tensor<16xf32>
  %e = math.exp %d : tensor<16xf32>
  %r = arith.divf %e, %x : tensor<16xf32>
  return %q, %r : tensor<16xi8>, tensor<16xf32>
}

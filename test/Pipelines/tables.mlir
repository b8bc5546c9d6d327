// RUN: quant-opt %s --lower-to=cpu --target-cpu=znver4 | FileCheck %s
// RUN: quant-opt %s --lower-to=nvvm 2>&1 | FileCheck %s --check-prefix=GPU

#id = affine_map<(i) -> (i)>

// From level 2 on, a swish is one lookup: its sigmoid and its product, which kernels
// would compute one after the other, are functions of the same code. No function is
// called, and nothing is left to the host.
// CHECK-LABEL: llvm.func @swish
// CHECK-NOT: exp
// CHECK-COUNT-2: vpermi2var.qi.512
// CHECK-NOT: vpermi2var
// CHECK: llvm.return
// GPU-NOT: remark
// GPU: llvm.mlir.global {{.*}} @quant.kernel.elementwise.slot
// GPU-NOT: @quant.kernel.elementwise_0
func.func @swish(%x: tensor<64xi8>) -> tensor<64xi8> {
  %one = arith.constant dense<1.0> : tensor<64xf32>
  %v = quant.dequantize %x <int8, per_tensor, scale = 0.05, zero_point = 3>
    : tensor<64xi8> -> tensor<64xf32>
  %0 = arith.negf %v : tensor<64xf32>
  %1 = math.exp %0 : tensor<64xf32>
  %2 = arith.addf %1, %one : tensor<64xf32>
  %3 = arith.divf %one, %2 : tensor<64xf32>
  %s = quant.quantize %3 <int8, per_tensor, scale = 3.906250e-03, zero_point = -128>
    : tensor<64xf32> -> tensor<64xi8>
  %e = tensor.empty() : tensor<64xi8>
  %y = quant.mul lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = 3> : tensor<64xi8>)
    rhs(%s as <int8, per_tensor, scale = 3.906250e-03, zero_point = -128> : tensor<64xi8>)
    outs(%e as <int8, per_tensor, scale = 0.03> : tensor<64xi8>)
    maps [#id, #id, #id] -> tensor<64xi8>
  return %y : tensor<64xi8>
}

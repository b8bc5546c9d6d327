// TOSA models, static and dynamic, with control flow.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %{npy} make x.npy "arange(6, dtype='f4').reshape(2, 3)"
// RUN: %{npy} make p.npy "array(True)"

// RUN: quant-run %s --entry=dynamic --input=x.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=DYNAMIC
// DYNAMIC: float32 (2, 3) 0.0 2.0 4.0 6.0 8.0 9.0
func.func @dynamic(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = tosa.add %a, %a : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  %1 = tosa.clamp %0 {min_val = 0.0 : f32, max_val = 9.0 : f32} : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %1 : tensor<?x3xf32>
}

// RUN: quant-run %s --entry=branch --input=p.npy --input=x.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=BRANCH
// BRANCH: int32 (2,) 2 2
func.func @branch(%p: tensor<i1>, %a: tensor<2x3xf32>) -> tensor<2xi32> {
  %0 = tosa.cond_if %p : tensor<i1> -> tensor<2x3xf32> {
    %1 = tosa.add %a, %a : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    tosa.yield %1 : tensor<2x3xf32>
  } else {
    tosa.yield %a : tensor<2x3xf32>
  }
  %2 = tosa.argmax %0 {axis = 1 : i32} : (tensor<2x3xf32>) -> tensor<2xi32>
  return %2 : tensor<2xi32>
}

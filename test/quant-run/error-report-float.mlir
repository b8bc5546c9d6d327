// What computes in floating point is named with what prepares its operands.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python %S/Inputs/npy.py make x.npy "array([[1, 2]], 'f4')"
// RUN: quant-run %s --reference=%s --input=x.npy | FileCheck %s --check-prefix=ONE
// ONE: {{^}}in float: softmax: softmax has no integer kernel; with 1 operation that prepares its operands{{$}}
// RUN: quant-run %s --entry=two --reference=%s --input=x.npy | FileCheck %s --check-prefix=TWO
// TWO: {{^}}in float: softmax: softmax has no integer kernel; with 2 operations that prepare its operands{{$}}

#map = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %c = arith.constant 0.25 : f32
  %e = tensor.empty() : tensor<1x2xf32>
  %s = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.mulf %p, %c : f32
    linalg.yield %r : f32
  } -> tensor<1x2xf32>
  %y = linalg.softmax dimension(1) ins(%s : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32> loc("softmax")
  return %y : tensor<1x2xf32>
}

func.func @two(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %c = arith.constant 0.25 : f32
  %e = tensor.empty() : tensor<1x2xf32>
  %s = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.mulf %p, %c : f32
    linalg.yield %r : f32
  } -> tensor<1x2xf32>
  %t = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<1x2xf32>
  %y = linalg.softmax dimension(1) ins(%t : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32> loc("softmax")
  return %y : tensor<1x2xf32>
}

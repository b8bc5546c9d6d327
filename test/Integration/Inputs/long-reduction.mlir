#in = affine_map<(i, k, l) -> (i, k, l)>
#out = affine_map<(i, k, l) -> (i)>
func.func @main(%x: tensor<3x70000x2xi32>) -> tensor<3xi32> {
  %zero = arith.constant 0 : i32
  %o = tensor.empty() : tensor<3xi32>
  %f = linalg.fill ins(%zero : i32) outs(%o : tensor<3xi32>) -> tensor<3xi32>
  %y = linalg.generic {indexing_maps = [#in, #out], iterator_types = ["parallel", "reduction", "reduction"]}
      ins(%x : tensor<3x70000x2xi32>) outs(%f : tensor<3xi32>) {
  ^bb0(%in: i32, %sum: i32):
    %0 = arith.addi %in, %sum : i32
    linalg.yield %0 : i32
  } -> tensor<3xi32>
  return %y : tensor<3xi32>
}

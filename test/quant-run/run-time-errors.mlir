// What only shows when the model runs is an error like any other.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %{npy} make ids.npy "array([0, 2, 1], 'i4')"
// RUN: %{npy} make bad.npy "array([0, 3, 1], 'i4')"
// RUN: %{npy} make negative.npy "array([0, -1, 1], 'i4')"
// RUN: %{npy} make six.npy "arange(6, dtype='f4')"
// RUN: %{npy} make five.npy "arange(5, dtype='f4')"
// RUN: %{npy} make zero.npy "array(0, 'i4')"

// An index out of bounds.
// RUN: quant-run %s --entry=gather --input=ids.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=GATHER
// GATHER: float32 (3, 2) 1.0 2.0 5.0 6.0 3.0 4.0
// RUN: not quant-run %s --entry=gather --input=bad.npy --output=n.npy 2>&1 | FileCheck %s --check-prefix=BOUNDS
// RUN: not quant-run %s --entry=gather --input=negative.npy --output=n.npy 2>&1 | FileCheck %s --check-prefix=BOUNDS
// RUN: not quant-run %s --entry=gather --input=bad.npy --output=n.npy --threads=2 2>&1 | FileCheck %s --check-prefix=BOUNDS
// BOUNDS: {{^}}quant-run: error: {{.*}}failed at run time: out-of-bounds access, at loc("{{.*}}run-time-errors.mlir":{{[0-9:]+}}){{.*$}}
func.func @gather(%ids: tensor<3xi32>) -> tensor<3x2xf32> {
  %table = arith.constant dense<[[1., 2.], [3., 4.], [5., 6.]]> : tensor<3x2xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<3xi32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%id: i32, %out: f32):
    %row = arith.index_cast %id : i32 to index
    %column = linalg.index 1 : index
    %value = tensor.extract %table[%row, %column] : tensor<3x2xf32>
    linalg.yield %value : f32
  } -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// RUN: quant-run %s --entry=reshape --input=six.npy --output=y.npy
// RUN: not quant-run %s --entry=reshape --input=five.npy --output=n.npy 2>&1 | FileCheck %s --check-prefix=RESHAPE
// RESHAPE: error: '{{.*}}': failed at run time: reshape changes the number of elements{{$}}
func.func @reshape(%a: tensor<?xf32>) -> tensor<2x3xf32> {
  %shape = arith.constant dense<[2, 3]> : tensor<2xindex>
  %0 = tensor.reshape %a(%shape) : (tensor<?xf32>, tensor<2xindex>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// RUN: not quant-run %s --entry=assert --input=five.npy --output=n.npy 2>&1 | FileCheck %s --check-prefix=ASSERT
// ASSERT: error: '{{.*}}': failed at run time: the array must be empty{{$}}
func.func @assert(%a: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %size = tensor.dim %a, %c0 : tensor<?xf32>
  %empty = arith.cmpi eq, %size, %c0 : index
  cf.assert %empty, "the array must be empty"
  return %a : tensor<?xf32>
}

// RUN: not quant-run %s --entry=allocate --output=n.npy 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: error: '{{.*}}': out of memory: the model asked for 4000000000000000 bytes{{$}}
func.func @allocate() -> tensor<1000000000x1000000xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1000000000x1000000xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1000000000x1000000xf32>)
    -> tensor<1000000000x1000000xf32>
  return %f : tensor<1000000000x1000000xf32>
}

// RUN: not ls n.npy

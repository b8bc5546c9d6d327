// A dynamic leading dimension takes the whole array unless --batch is given.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// RUN: %{npy} make x.npy "arange(12, dtype='f4').reshape(6, 2)"
// RUN: %{npy} make x0.npy "np.zeros((0, 2), 'f4')"
// RUN: %{npy} make w.npy "np.ones((2, 3), 'f4')"
// RUN: %{npy} make w3.npy "np.ones((3, 3), 'f4')"

// RUN: quant-run %s --input=x.npy --output=y.npy --output=n.npy
// RUN: %{npy} show y.npy n.npy | FileCheck %s --check-prefix=WHOLE
// WHOLE: float32 (6, 2) 0.0 2.0 4.0 6.0 8.0 10.0 12.0 14.0 16.0 18.0 20.0 22.0
// WHOLE: int64 () 6
// RUN: quant-run %s --batch=2 --input=x.npy --output=y.npy --output=n.npy
// RUN: %{npy} show y.npy n.npy | FileCheck %s --check-prefix=BATCH
// BATCH: float32 (6, 2) 0.0 2.0 4.0 6.0 8.0 10.0 12.0 14.0 16.0 18.0 20.0 22.0
// BATCH: int64 (3,) 2 2 2
// RUN: quant-run %s --batch=6 --input=x.npy --output=y.npy --output=n.npy
// RUN: %{npy} show n.npy | FileCheck %s --check-prefix=ONE
// ONE: int64 () 6
// RUN: quant-run %s --input=x0.npy --output=y.npy --output=n.npy
// RUN: %{npy} show y.npy n.npy | FileCheck %s --check-prefix=EMPTY
// EMPTY: float32 (0, 2)
// EMPTY: int64 () 0
// RUN: not quant-run %s --batch=4 --input=x.npy --output=y.npy --output=n.npy 2>&1 | FileCheck %s --check-prefix=REMAINDER
// REMAINDER: error: 'x.npy' has 6 entries, which is no multiple of 4 (--batch){{$}}
func.func @main(%a: tensor<?x2xf32>) -> (tensor<?x2xf32>, index) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %a, %c0 : tensor<?x2xf32>
  %0 = arith.addf %a, %a : tensor<?x2xf32>
  return %0, %n : tensor<?x2xf32>, index
}

// Sizes that do not fit together are found when the model runs, with one thread
// as with more.
// RUN: quant-run %s --entry=matmul --input=x.npy --input=w.npy --output=y.npy
// RUN: %{npy} show y.npy | FileCheck %s --check-prefix=MATMUL
// MATMUL: float32 (6, 3) 1.0 1.0 1.0 5.0 5.0 5.0 9.0 9.0 9.0 13.0 13.0 13.0 17.0 17.0 17.0 21.0 21.0 21.0
// RUN: not quant-run %s --entry=matmul --input=x.npy --input=w3.npy --output=n.npy 2>&1 | FileCheck %s --check-prefix=MISFIT
// RUN: not quant-run %s --entry=matmul --input=x.npy --input=w3.npy --output=n.npy --threads=2 2>&1 | FileCheck %s --check-prefix=MISFIT
// MISFIT: {{^}}quant-run: error: '{{.*}}dynamic-shapes.mlir': failed at run time: dimension #0 of operand #1 has another size than dimension #1 of operand #0, at loc("{{.*}}dynamic-shapes.mlir":[[#@LINE+9]]:8)
func.func @matmul(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %a, %c0 : tensor<?x?xf32>
  %n = tensor.dim %b, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>)
                     outs(%f : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// RUN: quant-opt %s --quant-to-gpu=target=nvvm --canonicalize 2>&1 | FileCheck %s --check-prefix=MOVED
// RUN: quant-opt %s --quant-to-gpu=target=spirv --canonicalize 2>&1 | FileCheck %s --check-prefix=LEFT

// Floats of 16 bits are moved where contractions have buffers of them; nothing is
// computed with them.
// MOVED: remark: 'linalg.generic' is computed by the host: it computes with f16
// MOVED-LABEL: func.func @transposed(
// MOVED: gpu.launch_func
// MOVED-LABEL: func.func @negated(
// MOVED-NOT: gpu.launch_func
// MOVED: gpu.func
// MOVED: %[[X:.*]] = memref.load %{{.*}} : memref<?xf16>
// MOVED: memref.store %[[X]], %{{.*}} : memref<?xf16>
// LEFT-COUNT-2: remark: 'linalg.generic' is computed by the host: it has a buffer of f16
// LEFT-NOT: gpu.launch_func
#x = affine_map<(i, j) -> (j, i)>
#y = affine_map<(i, j) -> (i, j)>
func.func @transposed(%x: memref<7x64xf16>, %y: memref<64x7xf16>) {
  linalg.generic {indexing_maps = [#x, #y], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<7x64xf16>) outs(%y : memref<64x7xf16>) {
  ^bb0(%a: f16, %b: f16):
    linalg.yield %a : f16
  }
  return
}

func.func @negated(%x: memref<7x64xf16>, %y: memref<64x7xf16>) {
  linalg.generic {indexing_maps = [#x, #y], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<7x64xf16>) outs(%y : memref<64x7xf16>) {
  ^bb0(%a: f16, %b: f16):
    %n = arith.negf %a : f16
    linalg.yield %n : f16
  }
  return
}

// RUN: quant-opt %s --quant-prepare-kernels=cpu=cascadelake --split-input-file 2>%t.cpu | FileCheck %s --check-prefix=CPU
// RUN: quant-opt %s --quant-prepare-kernels=gpu=nvvm --split-input-file 2>%t.nvvm | FileCheck %s --check-prefix=GPU
// RUN: quant-opt %s --quant-prepare-kernels=gpu=spirv --split-input-file 2>%t.spirv | FileCheck %s --check-prefix=GPU
// RUN: FileCheck %s --check-prefix=CPU-SAYS --input-file=%t.cpu
// RUN: FileCheck %s --check-prefix=GPU-SAYS --input-file=%t.nvvm
// RUN: FileCheck %s --check-prefix=GPU-SAYS --input-file=%t.spirv

// Weights that are packed for another target are no kernel's.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// CPU-SAYS: remark: 'quant.contract' has no kernel and is lowered to loops: its right-hand side is in another layout than avx512vnni reads: undo that first, with quant-pack-weights{undo}
// CPU-LABEL: func.func @group_of_gpus
// CPU-NOT: quant.contract
// CPU: return
// GPU-LABEL: func.func @group_of_gpus
// GPU: quant.contract
// GPU: return
func.func @group_of_gpus(%x: tensor<4x16xi8>, %o: tensor<4x128xf32>) -> tensor<4x128xf32> {
  %w = arith.constant dense<1> : tensor<2048xi8>
  %s = arith.constant dense<16> : tensor<128xi32>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x16xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<16x128xi8>, columns = [1], reduction = [0], run = 1, panel = 128, group = 16> sums %s : tensor<128xi32>, : tensor<2048xi8>) outs(%o : tensor<4x128xf32>) maps [#x, #w, #y] -> tensor<4x128xf32>
  return %y : tensor<4x128xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// GPU-SAYS: remark: 'quant.contract' has no kernel and is lowered to loops: its right-hand side is in another layout than {{nvvm|spirv}} reads: undo that first, with quant-pack-weights{undo}
// CPU-LABEL: func.func @group_of_vnni
// CPU: quant.contract
// CPU: return
// GPU-LABEL: func.func @group_of_vnni
// GPU-NOT: quant.contract
// GPU: return
func.func @group_of_vnni(%x: tensor<4x16xi8>, %o: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %w = arith.constant dense<1> : tensor<1024xi8>
  %s = arith.constant dense<16> : tensor<64xi32>
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x16xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<16x64xi8>, columns = [1], reduction = [0], run = 1, panel = 64, group = 4> sums %s : tensor<64xi32>, : tensor<1024xi8>) outs(%o : tensor<4x64xf32>) maps [#x, #w, #y] -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Sums of values on a CPU have no groups; a panel is whole registers.
// CPU-SAYS: remark: 'quant.contract' has no kernel and is lowered to loops: its right-hand side is in another layout than avx512vnni reads
// CPU-LABEL: func.func @narrow_panel
// CPU-NOT: quant.contract
// CPU: return
func.func @narrow_panel(%x: tensor<4x16xf32>, %o: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %w = arith.constant dense<1> : tensor<256xi8>
  %y = quant.contract lhs(%x : tensor<4x16xf32>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<16x16xi8>, columns = [1], reduction = [0], run = 1, panel = 8, group = 1> : tensor<256xi8>) outs(%o : tensor<4x16xf32>) maps [#x, #w, #y] -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

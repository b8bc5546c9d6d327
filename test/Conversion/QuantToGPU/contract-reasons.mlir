// RUN: quant-opt %s --quant-pack-weights=gpu=spirv --quant-prepare-kernels=gpu=spirv --split-input-file -verify-diagnostics -o /dev/null
// RUN: quant-opt %s --quant-pack-weights=gpu=nvvm --quant-prepare-kernels=gpu=nvvm --split-input-file -verify-diagnostics -o /dev/null

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @blocks_of_8(%x: tensor<9x64xi8>, %o: tensor<9x24xf32>) -> tensor<9x24xf32> {
  %w = arith.constant dense<1> : tensor<64x24xi4>
  // expected-remark@+1 {{has no kernel and is lowered to loops: blocks of its right-hand side are not of 16, 32 or a multiple of 64 codes}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<9x64xi8>)
    rhs(%w as <int4, per_block<[8, 1]>, scale = dense<0.5> : tensor<8x24xf32>> : tensor<64x24xi4>)
    outs(%o : tensor<9x24xf32>) maps [#x, #w, #y] -> tensor<9x24xf32>
  return %y : tensor<9x24xf32>
}

// -----

#x = affine_map<(m, n, i, k) -> (m, i, k)>
#w = affine_map<(m, n, i, k) -> (i, k, n)>
#y = affine_map<(m, n, i, k) -> (m, n)>
func.func @blocks_of_one_of_two(%x: tensor<9x3x64xi8>, %o: tensor<9x24xf32>) -> tensor<9x24xf32> {
  %w = arith.constant dense<1> : tensor<3x64x24xi4>
  // expected-remark@+1 {{has no kernel and is lowered to loops: its right-hand side has blocks along one of several reductions}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<9x3x64xi8>)
    rhs(%w as <int4, per_block<[-1, 32, 1]>, scale = dense<0.5> : tensor<1x2x24xf32>> : tensor<3x64x24xi4>)
    outs(%o : tensor<9x24xf32>) maps [#x, #w, #y] -> tensor<9x24xf32>
  return %y : tensor<9x24xf32>
}

// -----

#x = affine_map<(h, c, i) -> (h + i, c)>
#w = affine_map<(h, c, i) -> (i, c)>
#y = affine_map<(h, c, i) -> (h, c)>
func.func @scale_of_channels(%x: tensor<12x16xi8>, %w: tensor<3x16xi8>, %s: tensor<1x16xf32>, %o: tensor<10x16xf32>) -> tensor<10x16xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: weights of channels have a scale that is an operand}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<12x16xi8>)
    rhs(%w as <int8, per_tensor> scale %s : tensor<1x16xf32>, : tensor<3x16xi8>)
    outs(%o : tensor<10x16xf32>) maps [#x, #w, #y] -> tensor<10x16xf32>
  return %y : tensor<10x16xf32>
}

// -----

#x = affine_map<(m, a, b, k) -> (m, k)>
#w = affine_map<(m, a, b, k) -> (a, b, k)>
#y = affine_map<(m, a, b, k) -> (m, a, b)>
func.func @scale_of_outer_columns(%x: tensor<12x64xi8>, %w: tensor<4x8x64xi8>, %s: tensor<4x1x1xf32>, %o: tensor<12x4x8xf32>) -> tensor<12x4x8xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: columns do not follow each other in the bias, the residual or a scale}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<12x64xi8>)
    rhs(%w as <int8, per_tensor> scale %s : tensor<4x1x1xf32>, : tensor<4x8x64xi8>)
    outs(%o : tensor<12x4x8xf32>) maps [#x, #w, #y] -> tensor<12x4x8xf32>
  return %y : tensor<12x4x8xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// Weights of two bits become nibbles; what is computed does not.
func.func @computed_pairs(%x: tensor<16x64xi8>, %w: tensor<32x64xi2>, %o: tensor<16x32xf32>) -> tensor<16x32xf32> {
  // expected-remark@+1 {{has no kernel and is lowered to loops: codes of its right-hand side have two bits}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<16x64xi8>)
    rhs(%w as <int2, per_tensor, scale = 0.5> : tensor<32x64xi2>)
    outs(%o : tensor<16x32xf32>)
    maps [#x, #w, #y] -> tensor<16x32xf32>
  return %y : tensor<16x32xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Columns are workgroups along y, of which there are 65535.
func.func @wide(%x: tensor<1x4xi8>, %o: tensor<1x2097121xf32>) -> tensor<1x2097121xf32> {
  %w = arith.constant dense<1> : tensor<4x2097121xi8>
  // expected-remark@+1 {{has no kernel and is lowered to loops: it has more than 2097120 columns, which are 65535 workgroups}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<1x4xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<4x2097121xi8>)
    outs(%o : tensor<1x2097121xf32>)
    maps [#x, #w, #y] -> tensor<1x2097121xf32>
  return %y : tensor<1x2097121xf32>
}

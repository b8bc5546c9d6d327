// RUN: quant-opt %s --quant-pack-weights=gpu=spirv --quant-prepare-kernels=gpu=spirv --split-input-file -verify-diagnostics -o /dev/null
// RUN: quant-opt %s --quant-pack-weights=gpu=nvvm --quant-prepare-kernels=gpu=nvvm --split-input-file -verify-diagnostics -o /dev/null

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @blocks_of_8(%x: tensor<9x64xi8>, %o: tensor<9x24xf32>) -> tensor<9x24xf32> {
  %w = arith.constant dense<1> : tensor<64x24xi4>
  // expected-remark@+1 {{has no kernel and is lowered to loops: blocks of its right-hand side are not of 16 or a multiple of 32 codes}}
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
func.func @blocks_in_pieces(%x: tensor<9x3x64xi8>, %o: tensor<9x24xf32>) -> tensor<9x24xf32> {
  %w = arith.constant dense<1> : tensor<3072xi8>
  %s = arith.constant dense<96> : tensor<2x24xi32>
  // expected-remark@+1 {{has no kernel and is lowered to loops: its layout has blocks of its right-hand side in pieces}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<9x3x64xi8>)
    rhs(%w as <int4, per_block<[-1, 32, 1]>, scale = dense<0.5> : tensor<1x2x24xf32>> in <panels, tensor<3x64x24xi4>, columns = [2], reduction = [0, 1], run = 1, panel = 32, group = 16, offset = 8> sums %s : tensor<2x24xi32>, : tensor<3072xi8>)
    outs(%o : tensor<9x24xf32>) maps [#x, #w, #y] -> tensor<9x24xf32>
  return %y : tensor<9x24xf32>
}

// -----

#x = affine_map<(m, n, b, i, k) -> (m, i, b, k)>
#w = affine_map<(m, n, b, i, k) -> (b, i, k, n)>
#y = affine_map<(m, n, b, i, k) -> (m, n)>
func.func @runs_of_half_a_chunk(%x: tensor<9x4x2x16xi8>, %o: tensor<9x24xf32>) -> tensor<9x24xf32> {
  %w = arith.constant dense<1> : tensor<4096xi8>
  %s = arith.constant dense<64> : tensor<2x24xi32>
  // expected-remark@+1 {{has no kernel and is lowered to loops: its layout fills up parts of a block}}
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<9x4x2x16xi8>)
    rhs(%w as <int4, per_block<[1, -1, -1, 1]>, scale = dense<0.5> : tensor<2x1x1x24xf32>> in <panels, tensor<2x4x16x24xi4>, columns = [3], reduction = [0, 1, 2], run = 1, panel = 32, group = 16, offset = 8> sums %s : tensor<2x24xi32>, : tensor<4096xi8>)
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

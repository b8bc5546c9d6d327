// RUN: quant-opt %s -split-input-file -verify-diagnostics

// Every line of the verifiers of the integer form.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @too_few_maps(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected one map for each of its 3 mapped operands, the result last, found 2}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>
#z = affine_map<(m, n) -> (m, n)>

func.func @maps_of_other_loops(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected maps over the same loops, without symbols, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #z] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>
#z = affine_map<(m, n, k) -> (m + n, n)>

func.func @result_not_loops(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected each dimension of the result to be a loop of its own, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #z] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @result_of_other_type(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected a result of the type of outs,}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x25xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @tensors_and_buffers(%x: memref<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected all operands to be tensors, and a result, or all to be buffers, and none; found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : memref<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @padding_size(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected low and high padding for each of 2 dimensions, found 3 numbers}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] padding [0, 0, 1] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @padding_negative(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected padding of at least 0, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] padding [0, 0, -1, 0] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @map_of_other_rank(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected a map with 2 results for 'tensor<4x70xi8>', found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#b, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>
#z = affine_map<(m, n, k) -> (k * 2, n)>

func.func @map_of_rhs_not_loops(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected a loop in each dimension of 'tensor<70x24xi8>', found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #z, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>
#z = affine_map<(m, n, k) -> (m, k floordiv 2)>

func.func @map_not_linear(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected a sum of loops times constants in each dimension of}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#z, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @loop_sizes(%x: tensor<4x70xi8>, %w: tensor<71x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected loop 2 to be of one size, found 70 and 71, that of dimension 0 of}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<71x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#px = affine_map<(n, h, w, c, i) -> (n, h + i, w, c)>
#py = affine_map<(n, h, w, c, i) -> (n, h, w, c)>

func.func @loop_without_size(%x: tensor<1x8x8x2xi8>, %o: tensor<1x7x8x2xi8>) {
  // expected-error @below {{expected a dimension that is loop 4 alone, found none: nothing says how often it runs}}
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5> : tensor<1x8x8x2xi8>) outs(%o : tensor<1x7x8x2xi8>) maps [#px, #py] window [-1] -> tensor<1x7x8x2xi8>
  return
}

// -----

#px = affine_map<(n, h, w, c, i) -> (n, h + i, w, c)>
#py = affine_map<(n, h, w, c, i) -> (n, h, w, c)>

func.func @window_outside(%x: tensor<1x8x8x2xi8>, %o: tensor<1x8x8x2xi8>) {
  // expected-error @below {{expected windows within dimension 1 of 'tensor<1x8x8x2xi8>' and its padding, 9 elements, found position 9}}
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5> : tensor<1x8x8x2xi8>) outs(%o : tensor<1x8x8x2xi8>) maps [#px, #py] window [3] padding [0, 0, 0, 1, 0, 0, 0, 0] -> tensor<1x8x8x2xi8>
  return
}

// -----

#px = affine_map<(n, h, w, c, i) -> (n, h + i * 4, w, c)>
#py = affine_map<(n, h, w, c, i) -> (n, h, w, c)>

func.func @window_beyond_64_bits(%x: tensor<1x8x8x2xi8>, %o: tensor<1x8x8x2xi8>) {
  // expected-error @below {{expected windows within dimension 1 of 'tensor<1x8x8x2xi8>', found positions beyond 64 bits}}
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5> : tensor<1x8x8x2xi8>) outs(%o : tensor<1x8x8x2xi8>) maps [#px, #py] window [9223372036854775807] -> tensor<1x8x8x2xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @reduction_of_one(%x: tensor<4x70xi8>, %w: tensor<24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected loop 2, a reduction, in lhs and in rhs, found it in lhs only}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #b, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>
#k = affine_map<(m, n, k) -> (k)>

func.func @loop_of_none(%x: tensor<4x70xi8>, %w: tensor<70xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected loop 1 in lhs or rhs, found it in neither}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #k, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>
#z = affine_map<(m, n, k) -> (k, n, n)>

func.func @rhs_not_permutation(%x: tensor<4x70xi8>, %w: tensor<70x24x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected each dimension of rhs to be a loop of its own, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #z, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>
#k = affine_map<(m, n, k) -> (k)>

func.func @bias_with_reduction(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %b: tensor<70xi32>) {
  // expected-error @below {{expected bias and residual to have loops of the result, found reduction 2 in}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) bias(%b : tensor<70xi32>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #k, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @rhs_without_params(%x: tensor<4x70xf32>, %w: tensor<70x24xi8>, %o: tensor<4x24xf32>) {
  // expected-error @below {{expected parameters for rhs, found codes of 'i8' without: write 'as'}}
  %y = quant.contract lhs(%x : tensor<4x70xf32>) rhs(%w : tensor<70x24xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @codes_times_values(%x: tensor<4x70xi8>, %w: tensor<70x24xf32>, %o: tensor<4x24xf32>) {
  // expected-error-re @below {{expected lhs of values beside rhs of values, found codes {{.*}}: dequantize them, or quantize rhs}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w : tensor<70x24xf32>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

// expected-error @below {{expected no offset of values, found 8}}
#offset = #qparams.layout<panels, tensor<70x24xf32>, columns = [1], reduction = [0], run = 1, panel = 16, group = 1, offset = 8>

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @lhs_without_params(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected parameters for lhs, found codes of 'i8' without: write 'as'}}
  %y = quant.contract lhs(%x  : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @scale_of_values(%x: tensor<4x70xf32>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %s: tensor<f32>) {
  // expected-error @below {{expected scale and zero point operands for lhs of codes only, found lhs of values}}
  %y = quant.contract lhs(%x scale %s : tensor<f32>, : tensor<4x70xf32>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @lhs_of_other_storage(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected lhs of 'i4', the storage type of its parameters, found 'i8'}}
  %y = quant.contract lhs(%x as <int4, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @lhs_minval(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{minval is for weights: expected lhs with a zero point, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5, minval = -1.0> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @lhs_without_scale(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected the scale of lhs in its parameters or as an operand, found neither}}
  %y = quant.contract lhs(%x as <int8, per_tensor> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @lhs_two_scales(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %s: tensor<f32>) {
  // expected-error @below {{expected the scale of lhs in its parameters or as an operand, found both}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> scale %s : tensor<f32>, : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @zero_point_alone(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %s: tensor<i32>) {
  // expected-error @below {{expected a scale operand beside the zero point operand, found none}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> zero_point %s : tensor<i32>, : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @lhs_per_channel(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected one scale for lhs, found}}
  %y = quant.contract lhs(%x as <int8, per_channel<[0]>, scale = dense<0.5> : tensor<4x1xf32>> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @scale_rank(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %s: tensor<1xf32>) {
  // expected-error @below {{expected scale and zero point of rank 0 or 2, that of lhs, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor> scale %s : tensor<1xf32>, : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @scale_along_reduction(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %s: tensor<1x70xf32>) {
  // expected-error @below {{expected one scale for all of dimension 1 of lhs, or one for each row, found}}
  %y = quant.contract lhs(%x as <int8, per_channel<[1]>> scale %s : tensor<1x70xf32>, : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @rhs_dynamic(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected the scale of rhs in its parameters or as an operand, found neither}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @rhs_scale_along_reduction(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %s: tensor<70x1xf32>) {
  // expected-error @below {{expected one scale for all of dimension 0 of rhs, or one for each column, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_channel<[0]>> scale %s : tensor<70x1xf32>, : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @rhs_scale_twice(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %s: tensor<f32>) {
  // expected-error @below {{expected the scale of rhs in its parameters or as an operand, found both}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> scale %s : tensor<f32>, : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @rhs_scale_beside_values(%x: tensor<4x70xf32>, %w: tensor<70x24xi8>, %o: tensor<4x24xf32>, %s: tensor<f32>) {
  // expected-error @below {{expected a scale operand of rhs beside integer codes on both sides, found other ones: dequantize them first}}
  %y = quant.contract lhs(%x : tensor<4x70xf32>) rhs(%w as <int8, per_tensor> scale %s : tensor<f32>, : tensor<70x24xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @rhs_values_with_scale(%x: tensor<4x70xf32>, %w: tensor<70x24xf32>, %o: tensor<4x24xf32>, %s: tensor<f32>) {
  // expected-error @below {{expected scale and zero point operands for rhs of codes only, found rhs of values}}
  %y = quant.contract lhs(%x : tensor<4x70xf32>) rhs(%w scale %s : tensor<f32>, : tensor<70x24xf32>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @rhs_scale_of_blocks(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xf32>, %s: tensor<f32>) {
  // expected-error @below {{expected scale operands of rhs for all of a reduction, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_block<[35, 1]>> scale %s : tensor<f32>, : tensor<70x24xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k, l) -> (m, k, l)>
#w = affine_map<(m, n, k, l) -> (k, l, n)>
#y = affine_map<(m, n, k, l) -> (m, n)>

func.func @rhs_blocks_twice(%x: tensor<4x8x8xi8>, %w: tensor<8x8x24xi8>, %o: tensor<4x24xf32>) {
  // expected-error @below {{expected rhs split into blocks along one reduction, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x8x8xi8>) rhs(%w as <int8, per_block<[4, 4, 1]>, scale = dense<0.5> : tensor<2x2x24xf32>> : tensor<8x8x24xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @packed_canonical(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected packed rhs to be bytes of rank 1 in a layout of panels, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <canonical> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @packed_without_sums(%x: tensor<4x70xi8>, %w: tensor<2304xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected sums beside packed rhs, and only there}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> : tensor<2304xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @packed_size(%x: tensor<4x70xi8>, %w: tensor<2300xi8>, %s: tensor<24xi32>, %o: tensor<4x24xf32>) {
  // expected-error @below {{expected packed rhs of 2304 bytes in its layout, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> sums %s : tensor<24xi32>, : tensor<2300xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @packed_reduction_as_column(%x: tensor<4x70xi8>, %w: tensor<1920xi8>, %s: tensor<24xi32>, %o: tensor<4x24xf32>) {
  // expected-error @below {{expected the layout to list dimension 0 of rhs, a reduction, in reduction, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<70x24xi8>, columns = [0], reduction = [1], run = 1, panel = 16, group = 4> sums %s : tensor<24xi32>, : tensor<1920xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @packed_column_as_reduction(%x: tensor<4x70xi8>, %w: tensor<26880xi8>, %s: tensor<1xi32>, %o: tensor<4x24xf32>) {
  // expected-error @below {{expected the layout to list dimension 1 of rhs, a loop of the result, in batch or columns, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<70x24xi8>, reduction = [0, 1], run = 1, panel = 16, group = 4> sums %s : tensor<1xi32>, : tensor<26880xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @packed_sums(%x: tensor<4x70xi8>, %w: tensor<2304xi8>, %s: tensor<70xi32>, %o: tensor<4x24xf32>) {
  // expected-error @below {{expected sums of 'tensor<24xi32>', that is, of blocks along a reduction, batches and columns, found 'tensor<70xi32>'}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> in <panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> sums %s : tensor<70xi32>, : tensor<2304xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @packed_sums_of_blocks(%x: tensor<4x70xi8>, %w: tensor<2304xi8>, %s: tensor<24xi32>, %o: tensor<4x24xf32>) {
  // expected-error @below {{expected sums of 'tensor<3x24xi32>', that is, of blocks along a reduction, batches and columns, found 'tensor<24xi32>'}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_block<[32, 1]>, scale = dense<0.5> : tensor<3x24xf32>> in <panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4> sums %s : tensor<24xi32>, : tensor<2304xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @outs_without_params(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected parameters for outs, found codes of 'i8' without: write 'as'}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o  : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @outs_per_channel(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected per_tensor parameters with a scale and without minval for outs, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x24xf32>> : tensor<4x24xi8>) maps [#x, #w, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @residual_of_codes_without_parameters(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %r: tensor<4x24xi8>) {
  // expected-error @below {{expected a residual of codes, or of values of f32, f16 or bf16, found 'tensor<4x24xi8>'}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) residual(%r : tensor<4x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @residual_per_channel(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %r: tensor<4x24xi8>) {
  // expected-error @below {{expected per_tensor parameters with a scale and without minval for residual, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) residual(%r as <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x24xf32>> : tensor<4x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @integer_bias_of_dynamic(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>, %s: tensor<f32>, %b: tensor<24xi32>) {
  // expected-error @below {{expected an f32 bias where a scale is an operand, rhs has blocks or minval, or sums are not of integers, found}}
  %y = quant.contract lhs(%x as <int8, per_tensor> scale %s : tensor<f32>, : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) bias(%b : tensor<24xi32>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #b, #y] -> tensor<4x24xi8>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @bounds(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xi8>) {
  // expected-error @below {{expected low <= high, found 1.000000e+00 and 0.000000e+00}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x24xi8>) maps [#x, #w, #y] low 1.0 high 0.0 -> tensor<4x24xi8>
  return
}

// -----

#id = affine_map<(i) -> (i)>

func.func @add_of_floats(%a: tensor<4xf8E4M3FN>, %o: tensor<4xi8>) {
  // expected-error @below {{expected integer codes for lhs, found}}
  %y = quant.add lhs(%a as <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4xf8E4M3FN>) rhs(%a as <float8_e4m3fn, per_tensor, scale = 0.5> : tensor<4xf8E4M3FN>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4xi8>) maps [#id, #id, #id] -> tensor<4xi8>
  return
}

// -----

#id = affine_map<(i) -> (i)>

func.func @add_per_channel(%a: tensor<4xi8>, %o: tensor<4xi8>) {
  // expected-error @below {{expected per_tensor parameters with a scale and without minval for lhs, found}}
  %y = quant.add lhs(%a as <int8, per_channel<[0]>, scale = dense<0.5> : tensor<4xf32>> : tensor<4xi8>) rhs(%a as <int8, per_channel<[0]>, scale = dense<0.5> : tensor<4xf32>> : tensor<4xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4xi8>) maps [#id, #id, #id] -> tensor<4xi8>
  return
}

// -----

#a = affine_map<(i, j) -> (i, j)>
#y = affine_map<(i, j) -> (i)>

func.func @add_reduction(%a: tensor<4x2xi8>, %o: tensor<4xi8>) {
  // expected-error @below {{expected all loops in the result, found}}
  %y = quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x2xi8>) rhs(%a as <int8, per_tensor, scale = 0.5> : tensor<4x2xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4xi8>) maps [#a, #a, #y] -> tensor<4xi8>
  return
}

// -----

#a = affine_map<(i) -> (i * 2)>
#id = affine_map<(i) -> (i)>

func.func @add_strided(%a: tensor<8xi8>, %o: tensor<4xi8>) {
  // expected-error @below {{expected each dimension to be a loop of its own, found}}
  %y = quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : tensor<8xi8>) rhs(%o as <int8, per_tensor, scale = 0.5> : tensor<4xi8>) outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4xi8>) maps [#a, #id, #id] -> tensor<4xi8>
  return
}

// -----

#px = affine_map<(c, i) -> (i, c)>
#py = affine_map<(c, i) -> (c)>

func.func @pool_window(%x: tensor<8x4xi8>, %o: tensor<4xi8>) {
  // expected-error @below {{expected a size of at least 1, or -1, for each of 1 reductions, found}}
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5> : tensor<8x4xi8>) outs(%o : tensor<4xi8>) maps [#px, #py] window [8, 1] -> tensor<4xi8>
  return
}

// -----

#pz = affine_map<(c, i) -> (i)>
#py = affine_map<(c, i) -> (c)>

func.func @pool_loop(%x: tensor<8xi8>, %o: tensor<4xi8>) {
  // expected-error @below {{expected each loop in the input, found}}
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5> : tensor<8xi8>) outs(%o : tensor<4xi8>) maps [#pz, #py] window [8] -> tensor<4xi8>
  return
}

// -----

#px = affine_map<(c, i) -> (i, c)>
#py = affine_map<(c, i) -> (c)>

func.func @pool_types(%x: tensor<8x4xi8>, %o: tensor<4xf8E5M2>) {
  // expected-error @below {{expected input and result of one element type, found}}
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5> : tensor<8x4xi8>) outs(%o : tensor<4xf8E5M2>) maps [#px, #py] window [8] -> tensor<4xf8E5M2>
  return
}

// -----

#px = affine_map<(c, i) -> (i, c)>
#py = affine_map<(c, i) -> (c)>

func.func @pool_average_of_floats(%x: tensor<8x4xf8E5M2>, %o: tensor<4xf8E5M2>) {
  // expected-error @below {{expected integer codes for an average, found}}
  %y = quant.pool average ins(%x as <float8_e5m2, per_tensor, scale = 0.5> : tensor<8x4xf8E5M2>) outs(%o : tensor<4xf8E5M2>) maps [#px, #py] window [8] -> tensor<4xf8E5M2>
  return
}

// -----

#px = affine_map<(c, i) -> (i, c)>
#py = affine_map<(c, i) -> (c)>

func.func @pool_per_channel(%x: tensor<8x4xi8>, %o: tensor<4xi8>) {
  // expected-error @below {{expected per_tensor parameters with a scale and without minval for ins, found}}
  %y = quant.pool max ins(%x as <int8, per_channel<[1]>, scale = dense<0.5> : tensor<1x4xf32>> : tensor<8x4xi8>) outs(%o : tensor<4xi8>) maps [#px, #py] window [8] -> tensor<4xi8>
  return
}

// -----

// expected-error @below {{expected the type of the codes behind panels, found none}}
func.func private @panels_without_type() attributes {a = #qparams.layout<panels>}

// -----

// expected-error @below {{expected codes of elements of at most 8 bits, or values of f32, f16 or bf16, found 'tensor<?x24xi32>'}}
func.func private @panels_elements() attributes {a = #qparams.layout<panels, tensor<?x24xi32>, columns = [1], reduction = [0], panel = 16, group = 4>}

// -----

// expected-error @below {{expected dimensions in [0, 1], found 2}}
func.func private @panels_dimension() attributes {a = #qparams.layout<panels, tensor<70x24xi8>, columns = [2], reduction = [0], panel = 16, group = 4>}

// -----

// expected-error @below {{expected dimension 0 once in batch, columns and reduction, found it 0 times}}
func.func private @panels_role() attributes {a = #qparams.layout<panels, tensor<70x24xi8>, columns = [1], panel = 16, group = 4>}

// -----

// expected-error @below {{expected a run of at most 1 reduction dimensions, found 2}}
func.func private @panels_run() attributes {a = #qparams.layout<panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 2, panel = 16, group = 4>}

// -----

// expected-error @below {{expected a panel and a group of at least 1, found 16 and 0}}
func.func private @panels_group() attributes {a = #qparams.layout<panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16>}

// -----

// expected-error @below {{expected batch, columns, reduction, run, panel, group, block or offset, found 'rows'}}
func.func private @panels_keyword() attributes {a = #qparams.layout<panels, tensor<70x24xi8>, rows = [1]>}

// -----

// expected-error @below {{expected a block of at least 1, or 0 for none, found -1}}
func.func private @panels_block() attributes {a = #qparams.layout<panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4, block = -1>}

// -----

// expected-error @below {{expected a panel times a group of at most 65536 bytes, found 65536 and 4}}
func.func private @panels_bytes() attributes {a = #qparams.layout<panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 65536, group = 4>}

// -----

// expected-error @below {{expected codes that fit in memory, found 'tensor<4000000000x4000000000xi8>'}}
func.func private @panels_memory() attributes {a = #qparams.layout<panels, tensor<4000000000x4000000000xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4>}

// -----

// expected-error @below {{expected an offset in [-128, 127], found 128}}
func.func private @panels_offset() attributes {a = #qparams.layout<panels, tensor<70x24xi8>, columns = [1], reduction = [0], run = 1, panel = 16, group = 4, offset = 128>}

// -----

// expected-error @below {{canonical is the same for every tensor: expected nothing behind it}}
func.func private @canonical_with_type() attributes {a = #qparams.layout<canonical, tensor<70x24xi8>>}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @residual_of_other_values(%x: tensor<4x70xi8>, %w: tensor<70x24xi8>, %o: tensor<4x24xf32>, %r: tensor<4x24xf16>) {
  // expected-error @below {{expected a residual of codes, or of values like outs, found 'tensor<4x24xf16>'}}
  %y = quant.contract lhs(%x as <int8, per_tensor, scale = 0.5> : tensor<4x70xi8>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) residual(%r : tensor<4x24xf16>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y, #y] -> tensor<4x24xf32>
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @wide_sum_of_values(%x: tensor<4x70xf32>, %w: tensor<70x24xi8>, %o: tensor<4x24xf32>) {
  // expected-error @below {{expected a wide sum to be of integers, found codes or values in floating point: drop 'wide'}}
  %y = quant.contract lhs(%x : tensor<4x70xf32>) rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<70x24xi8>) outs(%o : tensor<4x24xf32>) maps [#x, #w, #y] wide -> tensor<4x24xf32>
  return
}

// -----

func.func @wide_maximum(%x: tensor<4x8xi8>, %o: tensor<4xi8>) {
  // expected-error @below {{expected a wide sum to be that of an average, found a maximum: drop 'wide'}}
  %y = quant.pool max ins(%x as <int8, per_tensor, scale = 0.5> : tensor<4x8xi8>) outs(%o : tensor<4xi8>) maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] window [8] wide -> tensor<4xi8>
  return
}

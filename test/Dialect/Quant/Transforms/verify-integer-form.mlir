// RUN: quant-opt %s --quant-verify-integer-form --split-input-file --verify-diagnostics

// What belongs in the integer form, and what does not.

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @codes_between_kernels(%x: tensor<4x2xf32>, %w: tensor<2x2xi8>) -> tensor<4x2xf32> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4x2xf32> -> tensor<4x2xi8>
  %o = tensor.empty() : tensor<4x2xi8>
  %a = quant.contract lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<4x2xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<2x2xi8>)
    outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4x2xi8>) maps [#x, #w, #y] -> tensor<4x2xi8>
  %d = quant.dequantize %a <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %t = math.tanh %d : tensor<4x2xf32>
  return %t : tensor<4x2xf32>
}

// -----

func.func @forgotten_kernel(%q: tensor<4x2xi8>, %c: tensor<2x2xi8>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  // expected-error@below {{'linalg.matmul' op does not belong in the integer form: expected one operation on codes for this kernel, or the attribute quant.not_fused with the reason, found neither: run quant-fuse first}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

func.func @explained_kernel(%q: tensor<4x2xi8>, %c: tensor<2x2xi8>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %x = quant.dequantize %q <int8, per_tensor, scale = 0.5> : tensor<4x2xi8> -> tensor<4x2xf32>
  %w = quant.dequantize %c <int8, per_tensor, scale = 0.5> : tensor<2x2xi8> -> tensor<2x2xf32>
  %0 = linalg.matmul {quant.not_fused = "a reason"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

func.func @forgotten_maximum(%x: tensor<4x2xf32>, %i: tensor<4xi8>) -> tensor<4xi8> {
  %q = quant.quantize %x <int8, per_tensor, scale = 0.5> : tensor<4x2xf32> -> tensor<4x2xi8>
  // expected-error@below {{expected one operation on codes for this kernel}}
  %0 = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%q : tensor<4x2xi8>) outs(%i : tensor<4xi8>) {
  ^bb0(%in: i8, %out: i8):
    %1 = arith.maxsi %in, %out : i8
    linalg.yield %1 : i8
  } -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @overflow(%q: tensor<1x70000xi8>, %w: tensor<70000x2xi8>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // expected-error@below {{expected a sum that an int32 holds: the sum may overflow an int32: 70000 * 255 * 128 + 0 is not below 2^31: write 'wide' behind its maps, which quant-fuse does}}
  %0 = quant.contract lhs(%q as <uint8, per_tensor, scale = 0.5> : tensor<1x70000xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<70000x2xi8>)
    outs(%o : tensor<1x2xf32>) maps [#x, #w, #y] -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

// The codes and biases of each channel are what counts: 2 * 128 * 3 fits beside
// the bias of channel 0, and 2 * 128 * 127 not beside that of channel 1.
func.func @overflow_of_one_channel(%q: tensor<4x2xi8>, %o: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[3, 127], [-3, 5]]> : tensor<2x2xi8>
  %b = arith.constant dense<[2147482879, -2147482879]> : tensor<2xi32>
  // expected-error@below {{the sum of channel 1 of 2 may overflow an int32: 2 * 128 * 127 + 2147482879 is not below 2^31}}
  %0 = quant.contract lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<4x2xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<2x2xi8>) bias(%b : tensor<2xi32>)
    outs(%o : tensor<4x2xf32>) maps [#x, #w, #b, #y] -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Each block is a sum of its own: 70000 products would not fit.
func.func @blocks(%q: tensor<1x70000xi8>, %w: tensor<70000x1xi8>, %o: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %0 = quant.contract lhs(%q as <uint8, per_tensor, scale = 0.5> : tensor<1x70000xi8>)
    rhs(%w as <int8, per_block<[35000, 1]>, scale = dense<0.25> : tensor<2x1xf32>> : tensor<70000x1xi8>)
    outs(%o : tensor<1x1xf32>) maps [#x, #w, #y] -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// The lowering checks it, for factors of any size.
func.func @dynamic_sum(%q: tensor<1x?xi8>, %w: tensor<?x2xi8>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %0 = quant.contract lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<1x?xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<?x2xi8>)
    outs(%o : tensor<1x2xf32>) maps [#x, #w, #y] -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @dynamic_sum_and_bias(%q: tensor<1x?xi8>, %w: tensor<?x2xi8>, %b: tensor<2xi32>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // expected-error@below {{the number of products in a sum is known at run time only, so that with its bias it may overflow an int32}}
  %0 = quant.contract lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<1x?xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<?x2xi8>)
    bias(%b : tensor<2xi32>)
    outs(%o : tensor<1x2xf32>) maps [#x, #w, #b, #y] -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// Of wide sums nothing is to be proven.
func.func @wide_sums(%q: tensor<1x?xi8>, %w: tensor<?x2xi8>, %o: tensor<1x2xf32>, %p: tensor<1x9000000xi8>, %a: tensor<1xi8>) -> (tensor<1x2xf32>, tensor<1xi8>) {
  %0 = quant.contract lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<1x?xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<?x2xi8>)
    outs(%o : tensor<1x2xf32>) maps [#x, #w, #y] wide -> tensor<1x2xf32>
  %1 = quant.pool average ins(%p as <uint8, per_tensor, scale = 0.5> : tensor<1x9000000xi8>)
    outs(%a : tensor<1xi8>) maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] window [9000000] wide -> tensor<1xi8>
  return %0, %1 : tensor<1x2xf32>, tensor<1xi8>
}

// -----

#x = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>

func.func @average_overflow(%q: tensor<1x9000000xi8>, %o: tensor<1xi8>) -> tensor<1xi8> {
  // expected-error@below {{the sum may overflow an int32: 9000000 * 255 is not below 2^31}}
  %0 = quant.pool average ins(%q as <uint8, per_tensor, scale = 0.5> : tensor<1x9000000xi8>)
    outs(%o : tensor<1xi8>) maps [#x, #y] window [9000000] -> tensor<1xi8>
  return %0 : tensor<1xi8>
}

// -----

// Codes only move, as at level 1.
func.func @computes_with_codes(%q: tensor<4xi8>, %o: tensor<4xi8>) -> tensor<4xi8> {
  // expected-error@below {{does not belong in the integer form: expected codes from quantize, constants and moves}}
  %0 = arith.addi %q, %q : tensor<4xi8>
  %1 = quant.add lhs(%0 as <int8, per_tensor, scale = 0.5> : tensor<4xi8>) rhs(%q as <int8, per_tensor, scale = 0.5> : tensor<4xi8>)
    outs(%o as <int8, per_tensor, scale = 0.5> : tensor<4xi8>) maps [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>] -> tensor<4xi8>
  return %1 : tensor<4xi8>
}

// -----

func.func @observer(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@below {{does not belong in the integer form: expected every observer to be folded}}
  %0 = quant.observe %x "in" <int8, symmetric, moving_average> : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#b = affine_map<(m, n, k) -> (n)>
#y = affine_map<(m, n, k) -> (m, n)>

func.func @bias_of_run_time(%q: tensor<4x2xi8>, %w: tensor<2x2xi8>, %b: tensor<2xi32>, %o: tensor<4x2xf32>) -> tensor<4x2xf32> {
  // expected-error@below {{the int32 bias is no constant, so that the sum may overflow an int32}}
  %0 = quant.contract lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<4x2xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<2x2xi8>) bias(%b : tensor<2xi32>)
    outs(%o : tensor<4x2xf32>) maps [#x, #w, #b, #y] -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>

// By its range a weight of int8 allows no sum of 140000, by its codes it does.
func.func @small_codes(%q: tensor<1x140000xi8>, %o: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<3> : tensor<140000x2xi8>
  %0 = quant.contract lhs(%q as <int8, per_tensor, scale = 0.5> : tensor<1x140000xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.25> : tensor<140000x2xi8>)
    outs(%o : tensor<1x2xf32>) maps [#x, #w, #y] -> tensor<1x2xf32>
  return %0 : tensor<1x2xf32>
}

// Constants of 2- and 4-bit codes to the canonical layout: element i in bits
// (i * width) mod 8 upwards of byte floor(i * width / 8).

// RUN: quant-opt %s --quant-pack-constants -split-input-file -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s --quant-pack-constants --quant-pack-constants -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @int4
func.func @int4() -> tensor<3xi4> {
  // CHECK: %[[PACKED:.*]] = arith.constant dense<[-31, 3]> : tensor<2xi8>
  // CHECK: %[[CODES:.*]] = quant.unpack %[[PACKED]] <canonical> : tensor<2xi8> -> tensor<3xi4>
  // CHECK: return %[[CODES]]
  %c = arith.constant dense<[1, -2, 3]> : tensor<3xi4>
  return %c : tensor<3xi4>
}

// -----

// CHECK-LABEL: func @int4_rows
func.func @int4_rows() -> tensor<2x3xi4> {
  // Rows are not padded to bytes.
  // CHECK: arith.constant dense<[33, 67, 101]> : tensor<3xi8>
  %c = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi4>
  return %c : tensor<2x3xi4>
}

// -----

// CHECK-LABEL: func @int2
func.func @int2() -> tensor<5xi2> {
  // 0b11100100, 0b01
  // CHECK: arith.constant dense<[-28, 1]> : tensor<2xi8>
  %c = arith.constant dense<[0, 1, -2, -1, 1]> : tensor<5xi2>
  return %c : tensor<5xi2>
}

// -----

// CHECK-LABEL: func @float4
func.func @float4() -> tensor<3xf4E2M1FN> {
  // 6 is 0b0111, -0.5 is 0b1001, -0 is 0b1000.
  // CHECK: arith.constant dense<[-105, 8]> : tensor<2xi8>
  %c = arith.constant dense<[6.0, -0.5, -0.0]> : tensor<3xf4E2M1FN>
  return %c : tensor<3xf4E2M1FN>
}

// -----

// CHECK-LABEL: func @splat
func.func @splat() -> tensor<5xi4> {
  // CHECK: arith.constant dense<[-18, -18, 14]> : tensor<3xi8>
  %c = arith.constant dense<-2> : tensor<5xi4>
  return %c : tensor<5xi4>
}

// -----

// CHECK-LABEL: func @splat_of_whole_bytes
func.func @splat_of_whole_bytes() -> tensor<4xi4> {
  // CHECK: arith.constant dense<-18> : tensor<2xi8>
  %c = arith.constant dense<-2> : tensor<4xi4>
  return %c : tensor<4xi4>
}

// -----

// A splat costs what it stores.
// CHECK-LABEL: func @huge_splat
func.func @huge_splat() -> tensor<1000000x1000000xi4> {
  // CHECK: arith.constant dense<-18> : tensor<500000000000xi8>
  %c = arith.constant dense<-2> : tensor<1000000x1000000xi4>
  return %c : tensor<1000000x1000000xi4>
}

// -----

// CHECK-LABEL: func @scalar
func.func @scalar() -> tensor<i4> {
  // CHECK: arith.constant dense<5> : tensor<1xi8>
  // CHECK: quant.unpack %{{.*}} <canonical> : tensor<1xi8> -> tensor<i4>
  %c = arith.constant dense<5> : tensor<i4>
  return %c : tensor<i4>
}

// -----

// CHECK-LABEL: func @resource
func.func @resource() -> tensor<3xi4> {
  // CHECK: arith.constant dense<[-31, 3]> : tensor<2xi8>
  %c = arith.constant dense_resource<codes> : tensor<3xi4>
  return %c : tensor<3xi4>
}
{-# dialect_resources: { builtin: { codes: "0x01000000010E03" } } #-}

// -----

// CHECK-LABEL: func @not_packed
func.func @not_packed() -> (tensor<2xi8>, tensor<0xi4>, tensor<2xi1>, i4, vector<2xi4>) {
  // CHECK-NOT: quant.unpack
  %a = arith.constant dense<[1, 2]> : tensor<2xi8>
  %b = arith.constant dense<> : tensor<0xi4>
  %c = arith.constant dense<[true, false]> : tensor<2xi1>
  %d = arith.constant 1 : i4
  %e = arith.constant dense<[1, 2]> : vector<2xi4>
  return %a, %b, %c, %d, %e : tensor<2xi8>, tensor<0xi4>, tensor<2xi1>, i4, vector<2xi4>
}

// -----

func.func @missing_resource() -> tensor<3xi4> {
  // expected-error @below {{expected a constant whose elements are in memory, found a resource that is missing or has the wrong size: print the module with its resources}}
  %c = arith.constant dense_resource<__elided__> : tensor<3xi4>
  return %c : tensor<3xi4>
}

// RUN: quant-opt %s --quant-tabulate=cpu=znver4 --split-input-file -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s --quant-tabulate=cpu=haswell --split-input-file | FileCheck %s --check-prefix=AVX2
// RUN: quant-opt %s --quant-tabulate="cpu=znver4 on-gpu" --split-input-file | FileCheck %s --check-prefix=GPU

#id = affine_map<(i) -> (i)>

// Entries by the bits of the code: 0 to 127, then -128 to -1.
// CHECK: memref.global "private" constant @quant.table : memref<256xi8> = dense<"0x000001010202{{.*}}3F3FC0C1C1{{.*}}FFFF00"> {alignment = 64 : i64}
// CHECK-LABEL: func @halves
// CHECK: %[[TABLE:.*]] = memref.get_global @quant.table
// CHECK: linalg.generic
// CHECK: ^bb0(%[[CODE:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: %[[I:.*]] = arith.index_castui %[[CODE]] : i8 to index
// CHECK-NEXT: %[[Y:.*]] = memref.load %[[TABLE]][%[[I]]] : memref<256xi8>
// CHECK-NEXT: linalg.yield %[[Y]]
//
// A few operations are shorter than sixteen rows of vpshufb, and on a GPU shorter
// than a load.
// AVX2-LABEL: func @halves
// AVX2-NOT: memref.load
// GPU-LABEL: func @halves
// GPU-NOT: memref.load
func.func @halves(%x: memref<64xi8>, %y: memref<64xi8>) {
  %half = arith.constant 0.5 : f32
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%in: i8, %out: i8):
    %0 = arith.sitofp %in : i8 to f32
    %1 = arith.mulf %0, %half : f32
    %2 = arith.fptosi %1 : f32 to i8
    linalg.yield %2 : i8
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// A maximum of bytes is one instruction.
// CHECK-LABEL: func @short
// CHECK: arith.maxsi
// CHECK-NOT: memref.load
func.func @short(%x: memref<64xi8>, %y: memref<64xi8>) {
  %zero = arith.constant 0 : i8
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%in: i8, %out: i8):
    %0 = arith.maxsi %in, %zero : i8
    linalg.yield %0 : i8
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// Calls have tables everywhere, of values too. Of codes of four bits, sixteen entries
// sixteen times, which a shuffle of sixteen bytes looks up.
// CHECK: memref.global "private" constant @quant.table_0 : memref<256xf32>
// CHECK: memref.global "private" constant @quant.table : memref<256xi8>
// CHECK-LABEL: func @calls
// CHECK-COUNT-2: memref.load
// CHECK-NOT: math
// AVX2-LABEL: func @calls
// AVX2-COUNT-2: memref.load
// GPU-LABEL: func @calls
// GPU-COUNT-2: memref.load
func.func @calls(%x: memref<64xi8>, %y: memref<64xi8>, %z: memref<64xf32>) {
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y, %z : memref<64xi8>, memref<64xf32>) {
  ^bb0(%in: i8, %out: i8, %value: f32):
    %0 = arith.trunci %in : i8 to i4
    %1 = arith.sitofp %0 : i4 to f32
    %2 = math.exp %1 : f32
    %3 = arith.addf %2, %2 : f32
    %4 = math.tanh %1 : f32
    %5 = arith.fptosi %4 : f32 to i8
    linalg.yield %5, %3 : i8, f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// CHECK-LABEL: func @does_not_fold
// CHECK: math.rsqrt
func.func @does_not_fold(%x: memref<64xi8>, %y: memref<64xi8>) {
  // expected-remark@+1 {{computes a function of one code for each element rather than reads it from a table: 'math.rsqrt' does not fold for code 0}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%in: i8, %out: i8):
    %0 = arith.uitofp %in : i8 to f32
    %1 = math.rsqrt %0 : f32
    %2 = arith.fptosi %1 : f32 to i8
    linalg.yield %2 : i8
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// 300 is no code: what it becomes is not defined.
// CHECK-LABEL: func @out_of_range
// CHECK: arith.fptoui
func.func @out_of_range(%x: memref<64xi8>, %y: memref<64xi8>) {
  %five = arith.constant 5.0 : f32
  // expected-remark@+1 {{'arith.fptoui' does not fold for code 52}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%in: i8, %out: i8):
    %0 = arith.uitofp %in : i8 to f32
    %1 = arith.mulf %0, %five : f32
    %2 = arith.fptoui %1 : f32 to i8
    linalg.yield %2 : i8
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// CHECK-LABEL: func @fast_math
// CHECK: arith.mulf
func.func @fast_math(%x: memref<64xi8>, %y: memref<64xi8>) {
  // expected-remark@+1 {{'arith.mulf' has fast-math flags, so that its results depend on the code around it}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%in: i8, %out: i8):
    %0 = arith.sitofp %in : i8 to f32
    %1 = arith.mulf %0, %0 fastmath<contract> : f32
    %2 = math.exp %1 : f32
    %3 = arith.fptosi %2 : f32 to i8
    linalg.yield %3 : i8
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// Two codes have 65536 results, and what was there before is no code.
// CHECK-LABEL: func @two_codes
// CHECK-COUNT-2: math.exp
// CHECK-NOT: memref.load
func.func @two_codes(%x: memref<64xi8>, %z: memref<64xi8>, %y: memref<64xi8>) {
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %z : memref<64xi8>, memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%a: i8, %b: i8, %out: i8):
    %0 = arith.addi %a, %b : i8
    %1 = arith.sitofp %0 : i8 to f32
    %2 = math.exp %1 : f32
    %3 = arith.fptosi %2 : f32 to i8
    linalg.yield %3 : i8
  }
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%y : memref<64xi8>) {
  ^bb0(%out: i8):
    %0 = arith.sitofp %out : i8 to f32
    %1 = math.exp %0 : f32
    %2 = arith.fptosi %1 : f32 to i8
    linalg.yield %2 : i8
  }
  return
}

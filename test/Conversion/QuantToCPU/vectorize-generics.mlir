// RUN: quant-opt %s --quant-vectorize-generics=cpu=znver4 --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --quant-vectorize-generics="cpu=znver4 parallel" --canonicalize --cse | FileCheck %s --check-prefix=PARALLEL

#id = affine_map<(i, k) -> (i, k)>
#row = affine_map<(i, k) -> (i)>
#block = affine_map<(i, k) -> (i, k floordiv 32)>
#swapped = affine_map<(i, k) -> (k, i)>
#three = affine_map<(h, w, c) -> (h, w, c)>
#one = affine_map<(i) -> (i)>

// What belongs to a row is loaded, computed and broadcast once for it.
// CHECK-LABEL: func @rows
func.func @rows(%x: memref<4x40xf32>, %s: memref<4xf32>, %y: memref<4x40xi8>) {
  // CHECK: scf.for %[[I:.*]] = %c0 to %c4
  // CHECK: %[[S:.*]] = memref.load %{{.*}}[%[[I]]]
  // CHECK: %[[HALF:.*]] = arith.mulf %[[S]], %{{.*}} : f32
  // CHECK: %[[ALL:.*]] = vector.broadcast %[[HALF]] : f32 to vector<16xf32>
  // CHECK: scf.for %{{.*}} = %c0 to %c32 step %c16
  // CHECK: %[[X:.*]] = vector.load {{.*}}, vector<16xf32>
  // CHECK: %[[Q:.*]] = arith.divf %[[X]], %[[ALL]] : vector<16xf32>
  // CHECK: %[[C:.*]] = arith.fptosi %[[Q]] : vector<16xf32> to vector<16xi8>
  // CHECK: vector.store %[[C]]
  // CHECK: arith.divf {{.*}} : vector<8xf32>
  // CHECK-NOT: arith.divf
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<4x40xf32>, memref<4xf32>) outs(%y : memref<4x40xi8>) {
  ^bb0(%value: f32, %scale: f32, %out: i8):
    %half = arith.constant 0.5 : f32
    %0 = arith.mulf %scale, %half : f32
    %1 = arith.divf %value, %0 : f32
    %2 = arith.fptosi %1 : f32 to i8
    linalg.yield %2 : i8
  }
  return
}

// Vectors stay inside a block of parameters; the last block is shorter.
// CHECK-LABEL: func @blocks
func.func @blocks(%x: memref<4x72xf32>, %s: memref<4x3xf32>, %y: memref<4x72xf32>) {
  // CHECK: scf.for %[[I:.*]] = %c0 to %c4
  // CHECK: scf.for %[[BLOCK:.*]] = %c0 to %c2
  // CHECK: %[[ROW:.*]] = arith.muli %[[I]], %c3
  // CHECK: %[[AT:.*]] = arith.addi %[[ROW]], %[[BLOCK]]
  // CHECK: %[[S:.*]] = memref.load %{{.*}}[%[[AT]]]
  // CHECK: vector.broadcast %[[S]]
  // CHECK: scf.for {{.*}} = %c0 to %c32 step %c16
  // CHECK: %[[LAST:.*]] = arith.addi %{{.*}}, %c2
  // CHECK: memref.load %{{.*}}[%[[LAST]]]
  // CHECK: vector.load {{.*}}, vector<8xf32>
  linalg.generic {indexing_maps = [#id, #block, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<4x72xf32>, memref<4x3xf32>) outs(%y : memref<4x72xf32>) {
  ^bb0(%value: f32, %scale: f32, %out: f32):
    %0 = arith.mulf %value, %scale : f32
    linalg.yield %0 : f32
  }
  return
}

// The greatest of what passes a condition: four vectors, one, the last sixteen
// elements, of which some have been seen, and their lanes.
// CHECK-LABEL: func @greatest
func.func @greatest(%x: memref<4x85xf32>, %y: memref<4xf32>) {
  // CHECK: scf.for %[[I:.*]] = %c0 to %c4
  // CHECK: %[[SEEN:.*]] = memref.load %{{.*}}[%[[I]]]
  // CHECK: %[[START:.*]] = vector.broadcast %[[SEEN]] : f32 to vector<16xf32>
  // CHECK-COUNT-5: arith.select {{.*}} : vector<16xi1>, vector<16xf32>
  // CHECK: arith.addi %{{.*}}, %c69
  // CHECK: vector.shuffle {{.*}} : vector<16xf32>, vector<16xf32>
  // CHECK: vector.shuffle {{.*}} : vector<2xf32>, vector<2xf32>
  // CHECK: %[[RESULT:.*]] = vector.extract
  // CHECK: memref.store %[[RESULT]], %{{.*}}[%[[I]]]
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x85xf32>) outs(%y : memref<4xf32>) {
  ^bb0(%value: f32, %seen: f32):
    %most = arith.constant 100.0 : f32
    %0 = arith.cmpf olt, %value, %most : f32
    %1 = arith.cmpf ogt, %value, %seen : f32
    %2 = arith.andi %0, %1 : i1
    %3 = arith.select %2, %value, %seen : f32
    linalg.yield %3 : f32
  }
  return
}

// Loops that continue each other are one; of a size that is not known, single
// elements are left.
// CHECK-LABEL: func @sizes
func.func @sizes(%x: memref<?x5xf32>, %y: memref<?x5xf32>) {
  // CHECK: %[[DIM:.*]] = memref.dim
  // CHECK: %[[SIZE:.*]] = arith.muli %[[DIM]], %c5
  // CHECK: %[[REST:.*]] = arith.remui %[[SIZE]], %c16
  // CHECK: %[[WHOLE:.*]] = arith.subi %[[SIZE]], %[[REST]]
  // CHECK: scf.for {{.*}} = %c0 to %[[WHOLE]] step %c16
  // CHECK: arith.negf {{.*}} : vector<16xf32>
  // CHECK: scf.for {{.*}} = %[[WHOLE]] to %[[SIZE]] step %c1
  // CHECK: arith.negf {{.*}} : vector<1xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?x5xf32>) outs(%y : memref<?x5xf32>) {
  ^bb0(%value: f32, %out: f32):
    %0 = arith.negf %value : f32
    linalg.yield %0 : f32
  }
  return
}

// A sum of floats keeps its order: it is no loop over vectors.
// CHECK-LABEL: func @sum
// CHECK: linalg.generic
func.func @sum(%x: memref<4x85xf32>, %y: memref<4xf32>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x85xf32>) outs(%y : memref<4xf32>) {
  ^bb0(%value: f32, %seen: f32):
    %0 = arith.addf %value, %seen : f32
    linalg.yield %0 : f32
  }
  return
}

// Along another loop it does.
// CHECK-LABEL: func @sum_of_columns
func.func @sum_of_columns(%x: memref<85x32xf32>, %y: memref<32xf32>) {
  // CHECK: scf.for {{.*}} = %c0 to %c85
  // CHECK: scf.for {{.*}} = %c0 to %c32 step %c16
  // CHECK: %[[SUM:.*]] = arith.addf {{.*}} : vector<16xf32>
  // CHECK: vector.store %[[SUM]]
  linalg.generic {indexing_maps = [#id, affine_map<(i, k) -> (k)>], iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<85x32xf32>) outs(%y : memref<32xf32>) {
  ^bb0(%value: f32, %seen: f32):
    %0 = arith.addf %value, %seen : f32
    linalg.yield %0 : f32
  }
  return
}

// CHECK-LABEL: func @transposition
// CHECK: linalg.generic
func.func @transposition(%x: memref<32x16xf32>, %y: memref<16x32xf32>) {
  linalg.generic {indexing_maps = [#swapped, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<32x16xf32>) outs(%y : memref<16x32xf32>) {
  ^bb0(%value: f32, %out: f32):
    linalg.yield %value : f32
  }
  return
}

// A function of one element.
// CHECK-LABEL: func @exponential
// CHECK: linalg.generic
func.func @exponential(%x: memref<64xf32>, %y: memref<64xf32>) {
  linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%x : memref<64xf32>) outs(%y : memref<64xf32>) {
  ^bb0(%value: f32, %out: f32):
    %0 = math.exp %value : f32
    linalg.yield %0 : f32
  }
  return
}

// Three channels are too few for vectors, but rows of pixels are not.
// CHECK-LABEL: func @few_channels
func.func @few_channels(%x: memref<20x20x3xi8>, %y: memref<20x20x3xi8, strided<[78, 3, 1], offset: 81>>) {
  // CHECK: scf.for %{{.*}} = %c0 to %c20 step %c1
  // CHECK-NOT: scf.for
  // CHECK: vector.load {{.*}} vector<32xi8>
  linalg.generic {indexing_maps = [#three, #three], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : memref<20x20x3xi8>) outs(%y : memref<20x20x3xi8, strided<[78, 3, 1], offset: 81>>) {
  ^bb0(%value: i8, %out: i8):
    linalg.yield %value : i8
  }
  return
}

// Codes of quotients by what a row has in common are products with its reciprocal, which
// two steps correct.
// CHECK-LABEL: func @rounded_quotients
func.func @rounded_quotients(%x: memref<4x64xf32>, %s: memref<4xf32>, %y: memref<4x64xi8>) {
  // CHECK: %[[S:.*]] = memref.load
  // CHECK: arith.bitcast %[[S]] : f32 to i32
  // CHECK: %[[POWER:.*]] = arith.bitcast %{{.*}} : i32 to f32
  // CHECK: %[[NEAR:.*]] = arith.mulf %[[S]], %[[POWER]] : f32
  // CHECK: arith.divf %{{.*}}, %[[NEAR]] : f32
  // CHECK: scf.for
  // CHECK: %[[X:.*]] = vector.load
  // CHECK: arith.mulf %[[X]], %{{.*}} : vector<16xf32>
  // CHECK: %[[V:.*]] = arith.select
  // CHECK: %[[V1:.*]] = arith.select
  // CHECK: %[[Q:.*]] = arith.mulf %[[V1]], %[[Y:.*]] : vector<16xf32>
  // CHECK: %[[R:.*]] = math.fma %[[Q]], %[[MINUS:.*]], %[[V1]]
  // CHECK: %[[Q1:.*]] = math.fma %[[R]], %[[Y1:.*]], %[[Q]]
  // CHECK: %[[R1:.*]] = math.fma %[[Q1]], %{{.*}}, %[[V1]]
  // CHECK: %[[Q2:.*]] = math.fma %[[R1]], %{{.*}}, %[[Q1]]
  // CHECK: arith.addf %[[Q2]]
  // CHECK-NOT: arith.divf
  // CHECK: return
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<4x64xf32>, memref<4xf32>) outs(%y : memref<4x64xi8>) {
  ^bb0(%value: f32, %scale: f32, %out: i8):
    %lo = arith.constant -128.0 : f32
    %hi = arith.constant 127.0 : f32
    %magic = arith.constant 0x4B400000 : f32
    %0 = arith.divf %value, %scale : f32
    %1 = arith.cmpf ogt, %0, %lo : f32
    %2 = arith.select %1, %0, %lo : f32
    %3 = arith.cmpf olt, %2, %hi : f32
    %4 = arith.select %3, %2, %hi : f32
    %5 = arith.addf %4, %magic : f32
    %6 = arith.bitcast %5 : f32 to i32
    %7 = arith.trunci %6 : i32 to i8
    linalg.yield %7 : i8
  }
  return
}

// Quotients that are not rounded to integers stay, and those by what every element has.
// CHECK-LABEL: func @other_quotients
func.func @other_quotients(%x: memref<4x64xf32>, %s: memref<4x64xf32>, %y: memref<4x64xi8>, %v: memref<4x64xf32>, %t: memref<4xf32>) {
  // CHECK: scf.for
  // CHECK: arith.divf {{.*}} : vector<16xf32>
  // CHECK: scf.for
  // CHECK: arith.divf {{.*}} : vector<16xf32>
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<4x64xf32>, memref<4x64xf32>) outs(%y : memref<4x64xi8>) {
  ^bb0(%value: f32, %scale: f32, %out: i8):
    %lo = arith.constant -128.0 : f32
    %hi = arith.constant 127.0 : f32
    %magic = arith.constant 0x4B400000 : f32
    %0 = arith.divf %value, %scale : f32
    %1 = arith.cmpf ogt, %0, %lo : f32
    %2 = arith.select %1, %0, %lo : f32
    %3 = arith.cmpf olt, %2, %hi : f32
    %4 = arith.select %3, %2, %hi : f32
    %5 = arith.addf %4, %magic : f32
    %6 = arith.bitcast %5 : f32 to i32
    %7 = arith.trunci %6 : i32 to i8
    linalg.yield %7 : i8
  }
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %t : memref<4x64xf32>, memref<4xf32>) outs(%v : memref<4x64xf32>) {
  ^bb0(%value: f32, %scale: f32, %out: f32):
    %0 = arith.divf %value, %scale : f32
    linalg.yield %0 : f32
  }
  return
}

// Threads share rows, or pieces of one long row.
// PARALLEL-LABEL: func @large_rows
func.func @large_rows(%x: memref<300x300xf32>, %s: memref<300xf32>, %y: memref<300x300xf32>) {
  // PARALLEL: scf.parallel ({{.*}}) = (%c0) to (%c300) step (%c1)
  // PARALLEL: arith.mulf {{.*}} : vector<16xf32>
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : memref<300x300xf32>, memref<300xf32>) outs(%y : memref<300x300xf32>) {
  ^bb0(%value: f32, %scale: f32, %out: f32):
    %0 = arith.mulf %value, %scale : f32
    linalg.yield %0 : f32
  }
  return
}

// PARALLEL-LABEL: func @large_row
func.func @large_row(%x: memref<70000xf32>, %y: memref<70000xf32>) {
  // PARALLEL: scf.parallel ({{.*}}) = (%c0) to (%c65536) step (%c8192)
  // PARALLEL: scf.for {{.*}} = %c0 to %c8192 step %c16
  // PARALLEL: scf.for {{.*}} = %c0 to %c4464 step %c16
  linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%x : memref<70000xf32>) outs(%y : memref<70000xf32>) {
  ^bb0(%value: f32, %out: f32):
    %0 = arith.addf %value, %value : f32
    linalg.yield %0 : f32
  }
  return
}

// PARALLEL-LABEL: func @small_row
// PARALLEL-NOT: scf.parallel
func.func @small_row(%x: memref<700xf32>, %y: memref<700xf32>) {
  linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%x : memref<700xf32>) outs(%y : memref<700xf32>) {
  ^bb0(%value: f32, %out: f32):
    %0 = arith.addf %value, %value : f32
    linalg.yield %0 : f32
  }
  return
}

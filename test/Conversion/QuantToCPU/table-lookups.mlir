// RUN: quant-opt %s --quant-vectorize-generics=cpu=znver4 --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --quant-vectorize-generics=cpu=cascadelake --canonicalize --cse | FileCheck %s --check-prefix=AVX512
// RUN: quant-opt %s --quant-vectorize-generics=cpu=haswell --canonicalize --cse | FileCheck %s --check-prefix=AVX2
// RUN: quant-opt %s --quant-vectorize-generics=cpu=x86-64-v2 --canonicalize --cse | FileCheck %s --check-prefix=SSSE3
// RUN: quant-opt %s --quant-vectorize-generics=cpu=x86-64 --canonicalize --cse | FileCheck %s --check-prefix=SCALAR
// RUN: quant-opt %s --quant-vectorize-generics=cpu=neoverse-n1 --canonicalize --cse | FileCheck %s --check-prefix=NEON

// Bytes out of a table, by what a processor looks them up with.

#id = affine_map<(i) -> (i)>
#row = affine_map<(i, j) -> (i, j)>
#left = affine_map<(i, j) -> (i)>
memref.global "private" constant @table : memref<256xi8> = dense<"0x05091018222E3B4B5C6E8399B1CBE6042343668AB0D8012D5A88B9EB1F558CC6013D7CBCFE4287CF1862AFFD4D9FF2489FF752AE0C6CCD3196FC65CF3BA9188AFD71E860DA56D353D456DB61E973FE8C1BAB3ED268009935D27011B357FDA44EF9A55404B66A1FD7904A07C585470AD0975F2AF6C49465390EE4BD9773513012F5D9C0A8927E6B5B4C3E3329211B16141313161A2028313D4A58697B8FA5BCD6F10D2C4C6E92B7DF08325F8DBDEF22588FC7023E7CBCFD4186CC155FABF9489AED4198F04AA60363C4268BF159C32E9C0B7BEE62D850C945C240C143C74DD45EE975049426BA4FE7801AB755F5973AE0872FDA8634E49549FEB46D27E3A16022">
memref.global "private" constant @nibbles : memref<256xi8> = dense<"0x000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F">
memref.global "private" constant @stairs : memref<256xi8> = dense<"0x00000000000000000000000000000000000000000000000000000000000000000707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070707070909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909090909">

// Two halves of 128 entries, of which the top bit of the code chooses. What fills no
// register is in one of its own.
// CHECK-LABEL: func @bytes
// CHECK-SAME: %[[X:.*]]: memref<164xi8>
// CHECK: scf.for %{{.*}} = %c0 to %c128 step %c64
// CHECK: %[[C:.*]] = vector.load %{{.*}} : {{.*}}, vector<64xi8>
// CHECK: %[[L:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"(%{{.*}}, %[[C]], %{{.*}})
// CHECK: %[[H:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"(%{{.*}}, %[[C]], %{{.*}})
// CHECK: %[[TOP:.*]] = arith.cmpi slt, %[[C]], %{{.*}} : vector<64xi8>
// CHECK: %[[Y:.*]] = arith.select %[[TOP]], %[[H]], %[[L]]
// CHECK: vector.store %[[Y]]
// CHECK: %[[REST:.*]] = vector.load %{{.*}} : {{.*}}, vector<32xi8>
// CHECK: %[[WIDE:.*]] = vector.shuffle %[[REST]], %[[REST]] [0, 1, {{.*}} 31, -1, {{.*}}] : vector<32xi8>, vector<32xi8>
// CHECK: arith.select %{{.*}} : vector<64xi1>, vector<64xi8>
// CHECK: vector.shuffle {{.*}} 31] : vector<64xi8>, vector<64xi8>
//
// AVX512-LABEL: func @bytes
// AVX512-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
// AVX512: vector.store
//
// Sixteen rows, each but the first of a half of what differs from the row before.
// AVX2-LABEL: func @bytes
// AVX2: %[[C:.*]] = vector.load %{{.*}} : {{.*}}, vector<32xi8>
// AVX2: %[[R0:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"(%{{.*}}, %[[C]])
// AVX2: %[[C1:.*]] = llvm.intr.ssub.sat(%[[C]], %{{.*}})
// AVX2: %[[D1:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"(%{{.*}}, %[[C1]])
// AVX2: %[[R1:.*]] = arith.xori %[[R0]], %[[D1]]
// AVX2-COUNT-6: pshuf.b
// AVX2: %[[HIGH:.*]] = arith.xori %[[C]], %{{.*}} : vector<32xi8>
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"(%{{.*}}, %[[HIGH]])
// AVX2-COUNT-7: pshuf.b
// AVX2: vector.store
//
// SSSE3-LABEL: func @bytes
// SSSE3-COUNT-16: llvm.call_intrinsic "llvm.x86.ssse3.pshuf.b.128"
// SSSE3: vector.store
//
// SCALAR-LABEL: func @bytes
// SCALAR: linalg.generic
//
// NEON-LABEL: func @bytes
// NEON: %[[C:.*]] = vector.load %{{.*}} : {{.*}}, vector<16xi8>
// NEON: %[[R0:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.tbl4.v16i8"({{.*}}, %[[C]])
// NEON: %[[C1:.*]] = arith.xori %[[C]], %{{.*}}
// NEON: %[[R1:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.tbx4.v16i8"(%[[R0]], {{.*}}, %[[C1]])
// NEON-COUNT-2: tbx4
// NEON: vector.store
func.func @bytes(%x: memref<164xi8>, %y: memref<164xi8>) {
  %table = memref.get_global @table : memref<256xi8>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<164xi8>) outs(%y : memref<164xi8>) {
  ^bb0(%code: i8, %out: i8):
    %i = arith.index_castui %code : i8 to index
    %0 = memref.load %table[%i] : memref<256xi8>
    linalg.yield %0 : i8
  }
  return
}

// Four bits choose from one row.
// CHECK-LABEL: func @four_bits
// CHECK: %[[LOW:.*]] = arith.andi %{{.*}}, %{{.*}} : vector<64xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"(%{{.*}}, %[[LOW]])
// CHECK-NEXT: vector.store
// AVX2-LABEL: func @four_bits
// AVX2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// AVX2-NEXT: vector.store
// NEON-LABEL: func @four_bits
// NEON: llvm.call_intrinsic "llvm.aarch64.neon.tbl1.v16i8"
// NEON-NEXT: vector.store
func.func @four_bits(%x: memref<64xi8>, %y: memref<64xi8>) {
  %table = memref.get_global @nibbles : memref<256xi8>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<64xi8>) outs(%y : memref<64xi8>) {
  ^bb0(%code: i8, %out: i8):
    %i = arith.index_castui %code : i8 to index
    %0 = memref.load %table[%i] : memref<256xi8>
    linalg.yield %0 : i8
  }
  return
}

// Rows that repeat the one before are left out: 0, then 7 from 32 on; 9 from 128 on.
// AVX2-LABEL: func @steps
// AVX2: llvm.intr.ssub.sat(%{{.*}}, %{{.*}})
// AVX2-COUNT-2: pshuf.b
// AVX2-NOT: pshuf.b
// AVX2: vector.store
func.func @steps(%x: memref<32xi8>, %y: memref<32xi8>) {
  %table = memref.get_global @stairs : memref<256xi8>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<32xi8>) outs(%y : memref<32xi8>) {
  ^bb0(%code: i8, %out: i8):
    %i = arith.index_castui %code : i8 to index
    %0 = memref.load %table[%i] : memref<256xi8>
    linalg.yield %0 : i8
  }
  return
}

// Of an unknown size the last ones are loaded one by one.
// CHECK-LABEL: func @unknown_size
// CHECK: vpermi2var
// CHECK: scf.for
// CHECK: %[[V:.*]] = vector.load %{{.*}} : {{.*}}, vector<1xi8>
// CHECK: %[[E:.*]] = vector.extract %[[V]][0]
// CHECK: %[[I:.*]] = arith.index_castui %[[E]] : i8 to index
// CHECK: memref.load %{{.*}}[%[[I]]] : memref<256xi8>
func.func @unknown_size(%x: memref<?xi8>, %y: memref<?xi8>) {
  %table = memref.get_global @table : memref<256xi8>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<?xi8>) outs(%y : memref<?xi8>) {
  ^bb0(%code: i8, %out: i8):
    %i = arith.index_castui %code : i8 to index
    %0 = memref.load %table[%i] : memref<256xi8>
    linalg.yield %0 : i8
  }
  return
}

// Beside another operand, and of a code that all of a row have.
// CHECK-LABEL: func @beside
// CHECK: scf.for
// CHECK: memref.load
// CHECK: vpermi2var
// CHECK: arith.addi %{{.*}} : vector<64xi8>
func.func @beside(%x: memref<4xi8>, %z: memref<4x64xi8>, %y: memref<4x64xi8>) {
  %table = memref.get_global @table : memref<256xi8>
  linalg.generic {indexing_maps = [#left, #row, #row], iterator_types = ["parallel", "parallel"]}
      ins(%x, %z : memref<4xi8>, memref<4x64xi8>) outs(%y : memref<4x64xi8>) {
  ^bb0(%code: i8, %other: i8, %out: i8):
    %i = arith.index_castui %code : i8 to index
    %0 = memref.load %table[%i] : memref<256xi8>
    %1 = arith.addi %0, %other : i8
    linalg.yield %1 : i8
  }
  return
}

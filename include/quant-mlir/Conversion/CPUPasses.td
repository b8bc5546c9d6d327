//===- CPUPasses.td - Level 2 to kernels of a CPU ----------*- tablegen -*-===//
//
// Part of Passes.td: what has a kernel and what has not, kernels, loops over vectors
// for the rest, and buffers.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_CPUPASSES_TD
#define QUANT_MLIR_CONVERSION_CPUPASSES_TD

include "mlir/Pass/PassBase.td"

def QuantToCPUPass : Pass<"quant-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Make loops over vectors of the integer form on buffers";
  let description = [{
    Each operation of the integer form on buffers becomes its kernel: loops whose
    accesses are sums of strides times loops, vectors as wide as the processor
    has them, and its dot products. Integers are those of the reference lowering,
    bit for bit; sums of values are f32, of fused multiply-adds where the processor
    has them, in an order of their own that does not depend on threads.

    ```mlir
    #id = affine_map<(i) -> (i)>
    func.func @f(%a: memref<16xi8>, %b: memref<16xi8>, %y: memref<16xi8>) {
      quant.add lhs(%a as <int8, per_tensor, scale = 0.5> : memref<16xi8>)
        rhs(%b as <int8, per_tensor, scale = 0.25> : memref<16xi8>)
        outs(%y as <int8, per_tensor, scale = 0.5> : memref<16xi8>)
        maps [#id, #id, #id]
      return
    }
    ```

    becomes, for vectors of 64 bytes

    ```mlir
    …
    %a = vector.load %flat_a[%c0] : memref<?xi8, strided<[1], offset: ?>>, vector<16xi8>
    %wide = arith.extsi %a : vector<16xi8> to vector<16xi32>
    %value = arith.sitofp %wide : vector<16xi32> to vector<16xf32>
    …
    %sum = arith.addf %scaled_a, %scaled_b : vector<16xf32>
    …                                          // clamp to -128 and 127
    %shifted = arith.addf %clamped, %magic : vector<16xf32>
    %bits = arith.bitcast %shifted : vector<16xf32> to vector<16xi32>
    %code = arith.trunci %bits : vector<16xi32> to vector<16xi8>
    vector.store %code, %flat_y[%c0] : memref<?xi8, strided<[1], offset: ?>>, vector<16xi8>
    ```

    Limits: what has no kernel here is an error that names it; the pipeline lowers
    it to linalg before buffers are made, with a remark that says why.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "",
           "Processor as LLVM calls it (default: this one)">,
    Option<"features", "features", "std::string", "",
           "Features beside those of the processor: +avx2,-avx512f">,
    Option<"triple", "triple", "std::string", "",
           "Architecture and system (default: those of this machine, or of the "
           "processor)">,
    Option<"threads", "threads", "unsigned", "0",
           "Threads that work is divided for; 0: any number">,
    Option<"gpu", "gpu", "std::string", "\"\"",
           "Kernels of a GPU instead: spirv, nvvm or rocdl">,
    Option<"gpuArch", "gpu-arch", "std::string", "\"\"",
           "Architecture of the GPU (default: its plainest)">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect",
    "::mlir::quant::QuantDialect",
    "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect",
    "::quant_mlir::QParamsDialect",
  ];
  let statistics = [
    Statistic<"numKernels", "kernels", "Operations that became kernels">,
  ];
}

def OrderChannelsPass : Pass<"quant-order-channels", "::mlir::ModuleOp"> {
  let summary = "Compute with channels innermost what has no kernel otherwise";
  let description = [{
    Runs on tensors, before `quant-pack-weights`. Kernels write columns of the result,
    output channels, that follow each other in memory. Where rows do (NCHW), there is
    a kernel for static codes of 8 bits. For all else (values, a scale of lhs that is
    an operand, weights in blocks or of less than 8 bits) this pass lets the contraction
    have channels innermost, in its result and what it adds, and in lhs, between
    transpositions of those:

    ```mlir
    #x = affine_map<(c, h, w, k) -> (k, h, w)>
    #w = affine_map<(c, h, w, k) -> (c, k)>
    #y = affine_map<(c, h, w, k) -> (c, h, w)>
    func.func @f(%x: tensor<8x4x5xf32>, %w: tensor<16x8xf32>, %o: tensor<16x4x5xf32>)
        -> tensor<16x4x5xf32> {
      %y = quant.contract lhs(%x : tensor<8x4x5xf32>) rhs(%w : tensor<16x8xf32>)
        outs(%o : tensor<16x4x5xf32>) maps [#x, #w, #y] -> tensor<16x4x5xf32>
      return %y : tensor<16x4x5xf32>
    }
    ```

    becomes

    ```mlir
    …
    #x = affine_map<(c, h, w, k) -> (h, w, k)>
    #y = affine_map<(c, h, w, k) -> (h, w, c)>
    %t = linalg.transpose ins(%x : …) outs(… : tensor<4x5x8xf32>) permutation = [1, 2, 0]
    %r = quant.contract lhs(%t : …) … -> tensor<4x5x16xf32>
    %y = linalg.transpose ins(%r : …) outs(… : tensor<16x4x5xf32>) permutation = [2, 0, 1]
    ```

    with a remark. Of two such contractions in a row, the second one reads the first
    one's result before it is transposed. Numbers do not change: the operation is the
    same. Weights stay as they are: `quant-pack-weights` lays them out anyway.

    For a GPU (`gpu`) no kernel writes rows, so all contractions are moved whose types a
    kernel of it has.
  }];
  let options = [
    Option<"gpu", "gpu", "std::string", "\"\"",
           "order for a GPU instead: spirv, nvvm or rocdl">,
    Option<"gpuArch", "gpu-arch", "std::string", "\"\"",
           "architecture of the GPU; default: its plainest">,
  ];
  let dependentDialects = quantLoweringDialects;
  let statistics = [
    Statistic<"numOrdered", "ordered", "Contractions with channels moved">,
  ];
}

def PrepareKernelsPass : Pass<"quant-prepare-kernels", "::mlir::ModuleOp"> {
  let summary = "Lower what has no kernel, and give padding a value of its own";
  let description = [{
    Runs on tensors, after `quant-pack-weights`. An operation of the integer form
    for which `quant-to-cpu` has no kernel on the target is lowered as
    `quant-to-linalg` does it, with a remark that says why. Of the others, a
    contraction's padding is done beforehand, where its kernel does not leave it
    out by itself, as those of depthwise convolutions do.

    ```mlir
    #x = affine_map<(n, c, k) -> (n + k)>
    #w = affine_map<(n, c, k) -> (k, c)>
    #y = affine_map<(n, c, k) -> (n, c)>
    func.func @f(%x: tensor<8xi8>, %w: tensor<3x16xi8>, %o: tensor<8x16xi8>)
        -> tensor<8x16xi8> {
      %y = quant.contract
        lhs(%x as <int8, per_tensor, scale = 0.5, zero_point = -3> : tensor<8xi8>)
        rhs(%w as <int8, per_tensor, scale = 0.5> : tensor<3x16xi8>)
        outs(%o as <int8, per_tensor, scale = 1.0> : tensor<8x16xi8>)
        maps [#x, #w, #y] padding [1, 1] -> tensor<8x16xi8>
      return %y : tensor<8x16xi8>
    }
    ```

    becomes

    ```mlir
    …
    %c-3_i8 = arith.constant -3 : i8
    %e = tensor.empty() : tensor<10xi8>
    %f = linalg.fill ins(%c-3_i8 : i8) outs(%e : tensor<10xi8>) -> tensor<10xi8>
    %in = tensor.insert_slice %x into %f[1] [8] [1] : tensor<8xi8> into tensor<10xi8>
    %y = quant.contract lhs(%in as …) … maps [#x, #w, #y] -> tensor<8x16xi8>
    ```

    The filled tensor stands before the `tensor.empty` that the input is computed
    into, where there is one, so that `eliminate-empty-tensors` lets the input be
    computed in its place.

    Where sums are of values, in f32, kernels read f32: codes of lhs are dequantized
    in front, f16 and bf16 widened, and a result of codes that are no bytes (8-bit
    floats) is quantized behind.

    For a GPU (`gpu`), a right-hand side of codes that is computed is packed first, by
    `quant.pack_columns`: kernels of GPUs read panels only.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "",
           "Processor as LLVM calls it (default: this one)">,
    Option<"features", "features", "std::string", "",
           "Features beside those of the processor: +avx2,-avx512f">,
    Option<"triple", "triple", "std::string", "",
           "Architecture and system (default: those of this machine, or of the "
           "processor)">,
    Option<"gpu", "gpu", "std::string", "\"\"",
           "Kernels of a GPU instead: spirv, nvvm or rocdl">,
    Option<"gpuArch", "gpu-arch", "std::string", "\"\"",
           "Architecture of the GPU (default: its plainest)">,
  ];
  let dependentDialects = quantLoweringDialects # [
    "::mlir::affine::AffineDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::scf::SCFDialect",
  ];
  let statistics = [
    Statistic<"numWithout", "without-kernel", "Operations lowered to linalg">,
    Statistic<"numPadded", "padded", "Paddings that became values">,
  ];
}

def VectorizeGenericsPass
    : Pass<"quant-vectorize-generics", "::mlir::ModuleOp"> {
  let summary = "Run linalg.generic on buffers over vectors";
  let description = [{
    Codes and their parameters at run time, the reference lowering, and what a
    model computes element by element are `linalg.generic` on buffers in the end.
    Each that has a loop along which all operands move by one element, or not at
    all, becomes loops around vectors as wide as the processor has them.

    ```mlir
    #id = affine_map<(i, k) -> (i, k)>
    #row = affine_map<(i, k) -> (i)>
    func.func @f(%x: memref<4x32xf32>, %s: memref<4xf32>, %y: memref<4x32xf32>) {
      linalg.generic {indexing_maps = [#id, #row, #id],
                      iterator_types = ["parallel", "parallel"]}
          ins(%x, %s : memref<4x32xf32>, memref<4xf32>)
          outs(%y : memref<4x32xf32>) {
      ^bb0(%value: f32, %scale: f32, %out: f32):
        %0 = arith.divf %value, %scale : f32
        linalg.yield %0 : f32
      }
      return
    }
    ```

    becomes, for vectors of 64 bytes

    ```mlir
    …
    scf.for %i = %c0 to %c4 step %c1 {
      %scale = memref.load %flat_s[%i] : memref<?xf32, strided<[1], offset: ?>>
      scf.for %k = %c0 to %c32 step %c16 {
        %at = arith.addi %row, %k : index
        %value = vector.load %flat_x[%at] : …, vector<16xf32>
        %scales = vector.broadcast %scale : f32 to vector<16xf32>
        %0 = arith.divf %value, %scales : vector<16xf32>
        vector.store %0, %flat_y[%at] : …, vector<16xf32>
      }
    }
    ```

    What does not move with the vectors is loaded and computed once, before them;
    maps of parameters in blocks (`k floordiv 32`) make a loop over blocks around.
    Bytes out of a table of 256 (`quant-tabulate`) are looked up by the instructions
    that the processor has for them. A minimum or maximum, also one of elements that
    pass a condition, as ranges of activations are, is reduced in several vectors.
    Every result is, bit for bit, that of the loops one element at a time: sums of
    floats keep their order, along a loop that is no vector.

    Limits: bodies of `math` functions, of `linalg.index` or of elements that are
    not whole bytes, and transpositions are left as they are.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "",
           "Processor as LLVM calls it (default: this one)">,
    Option<"features", "features", "std::string", "",
           "Features beside those of the processor: +avx2,-avx512f">,
    Option<"triple", "triple", "std::string", "",
           "Architecture and system (default: those of this machine, or of the "
           "processor)">,
    Option<"parallel", "parallel", "bool", "false",
           "Make the outermost loop of what is large scf.parallel">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect",
  ];
  let statistics = [
    Statistic<"numVectorized", "vectorized", "Operations on vectors">,
    Statistic<"numLeft", "left", "Operations without a loop over vectors">,
  ];
}

def PlanBuffersPass : Pass<"quant-plan-buffers", "::mlir::ModuleOp"> {
  let summary = "Give all buffers of a function places in one arena";
  let description = [{
    Allocating and freeing buffers on every call costs more than small networks
    compute. Static buffers that a function allocates and frees itself get places
    in one arena, whose size is known: two of them share bytes where their uses do
    not overlap. Each is followed by 64 bytes that kernels may read, and aligned
    to 64.

    The arena is taken at entry out of a slot of the module, by an atomic exchange
    that leaves the slot empty, and put back on return: a call that finds the slot
    empty (the first one, or one that runs beside another) allocates an arena, one
    that finds another on return frees that. So calls may run at the same time and
    nest, and a lone one allocates nothing. A destructor of the module frees what
    is left.

    ```mlir
    func.func @f(%x: memref<16xi8>, %y: memref<16xi8>) {
      %a = memref.alloc() {alignment = 64 : i64} : memref<16xi8>
      memref.copy %x, %a : memref<16xi8> to memref<16xi8>
      memref.copy %a, %y : memref<16xi8> to memref<16xi8>
      memref.dealloc %a : memref<16xi8>
      return
    }
    ```

    becomes

    ```mlir
    …
    %slot = llvm.mlir.addressof @quant.arena.f : !llvm.ptr
    %bytes = llvm.mlir.constant(128 : i64) : i64
    %arena = llvm.call @quant.take_arena(%slot, %bytes) : (!llvm.ptr, i64) -> !llvm.ptr
    %buffer = builtin.unrealized_conversion_cast %descriptor : … to memref<128xi8>
    %a = memref.view %buffer[%c0][] : memref<128xi8> to memref<16xi8>
    memref.copy %x, %a : memref<16xi8> to memref<16xi8>
    memref.copy %a, %y : memref<16xi8> to memref<16xi8>
    llvm.call @quant.give_back_arena(%slot, %arena) : (!llvm.ptr, !llvm.ptr) -> ()
    ```

    Where memory is a run time's (`allocate` is another function than the C
    library's), buffers whose size only the run time knows are arenas of their own,
    of a power of two of bytes. Each of them waits in a slot for its power: a size
    that grows from call to call allocates once in as many calls as it has.

    Limits: runs behind the deallocation passes, which say what a function frees.
    Buffers of dynamic size of the C library's memory, results, those in bodies of
    parallel loops, and functions of more than one block stay as they are.
  }];
  let options = [
    Option<"allocate", "allocate", "std::string", "\"aligned_alloc\"",
           "Function that gives an arena: (alignment, bytes)">,
    Option<"free", "free", "std::string", "\"free\"",
           "Function that takes it back">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect",
  ];
  let statistics = [
    Statistic<"numPlanned", "planned", "Buffers with a place in an arena">,
  ];
}

#endif // QUANT_MLIR_CONVERSION_CPUPASSES_TD

//===- Passes.td - Conversion passes -----------------------*- tablegen -*-===//
//
// Every pass lists the dialects that our operations and their lowerings are
// made of, so that each can be run on its own.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_PASSES_TD
#define QUANT_MLIR_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

defvar quantLoweringDialects = [
  "::mlir::arith::ArithDialect",
  "::mlir::linalg::LinalgDialect",
  "::mlir::math::MathDialect",
  "::mlir::quant::QuantDialect",
  "::mlir::tensor::TensorDialect",
  "::quant_mlir::QParamsDialect",
];

//===----------------------------------------------------------------------===//
// QuantToLinalg
//===----------------------------------------------------------------------===//

def QuantToLinalgPass : Pass<"quant-to-linalg"> {
  let summary = "Lower quant operations of both levels to linalg and arith";
  let description = [{
    Defines what the operations of both levels compute: each becomes
    `linalg.generic` whose bodies are the formulas of docs/numerics.md, operation
    by operation, in binary32 and without fast-math flags. It is what an embedder
    without our kernels gets, what a target without a kernel falls back to, and
    what every kernel is compared with, bit for bit.

    Level 1: one `linalg.generic` for each operation, two for
    `quant.dynamic_range`, a reduction to the ends of ranges and what makes
    parameters of them.

    Level 2: `quant.contract` becomes lhs less its zero point in i32, a `tensor.pad`
    with 0 where it has padding, the sums of products in i32 over its own loops
    and maps, and one elementwise operation for all that follows. Where rhs is
    split into blocks along a reduction, an `scf.for` goes over the blocks: an
    exact sum of each, added to a binary32 total in order. Multipliers are formed
    in binary64 at compile time, or in f64 where the scale of lhs is an operand.
    Packed rhs is unpacked first. `quant.add` and `quant.mul` are one elementwise
    operation, `quant.pool` a reduction and what follows it.

    Parameters that are the same for all elements become constants in the body,
    others a tensor read through an indexing map (`floordiv` by the block size,
    so the last block may be shorter). Rounding is `(v + 0x1.8p23) - 0x1.8p23`
    after the clamp: exact half-to-even for what the clamp leaves, and the same
    on every target.

    ```mlir
    %q = quant.quantize %x <int8, per_tensor, scale = 0.5, zero_point = -3>
           : tensor<4xf32> -> tensor<4xi8>
    ```

    becomes

    ```mlir
    %empty = tensor.empty() : tensor<4xi8>
    %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : tensor<4xf32>) outs(%empty : tensor<4xi8>) {
    ^bb0(%in: f32, %out: i8):
      %nan = arith.cmpf uno, %in, %in : f32
      %value = arith.select %nan, %c0, %in : f32
      %quotient = arith.divf %value, %scale : f32
      %above = arith.cmpf ogt, %quotient, %lo : f32       // lo = -125
      %v0 = arith.select %above, %quotient, %lo : f32
      %below = arith.cmpf olt, %v0, %hi : f32             // hi = 130
      %v1 = arith.select %below, %v0, %hi : f32
      %sum = arith.addf %v1, %magic : f32
      %rounded = arith.subf %sum, %magic : f32
      %integer = arith.fptosi %rounded : f32 to i32
      %code = arith.addi %integer, %zero_point : i32
      %byte = arith.trunci %code : i32 to i8
      linalg.yield %byte : i8
    } -> tensor<4xi8>
    ```

    Limits: a scale operand must be positive and finite and a zero point operand
    inside the range in use, as the contract says; otherwise the codes are
    unspecified. Accumulators of level 2 are taken to be proven not to overflow.
    Operations on buffers are an error, as the lowering is one of tensors; those on
    other dialects' `!quant.uniform` types are left alone.
  }];
  let options = [
    Option<"integerForm", "integer-form", "bool", "true",
           "Also the operations of level 2; otherwise they are left to kernels">,
  ];
  let dependentDialects = quantLoweringDialects # [
    "::mlir::affine::AffineDialect",
    "::mlir::scf::SCFDialect",
  ];
  let statistics = [
    Statistic<"numLowered", "lowered", "Operations lowered to linalg">,
  ];
}

//===----------------------------------------------------------------------===//
// WidenStorage
//===----------------------------------------------------------------------===//

def WidenStoragePass : Pass<"quant-widen-storage", "::mlir::ModuleOp"> {
  let summary = "Store codes narrower than a byte, and narrow floats, as i8";
  let description = [{
    Memory of elements narrower than a byte is broken below the tensor level
    (loads and vector loads disagree on where an i4 lies, resources of i4 do not
    translate), and the 8-bit floats have no memory form on most targets. After
    this pass no tensor of integers of 2 to 7 bits or of floats of at most 8 bits
    exists anywhere in the module: every one is a tensor of i8 that holds one
    code per byte, the bit pattern *zero-extended* whatever the signedness of the
    code. Function signatures change with it, declarations included.

    Values in registers keep their types: the body of a `linalg.generic` gets its
    i4 from the byte by `arith.trunci`, its f8 by `arith.bitcast`, and yields the
    byte by `arith.extui` or `arith.bitcast`.

    ```mlir
    func.func @f(%x: tensor<4xi4>) -> tensor<4xi32> {
      %0 = linalg.generic … ins(%x : tensor<4xi4>) … {
      ^bb0(%in: i4, %out: i32):
        %1 = arith.extsi %in : i4 to i32
        linalg.yield %1 : i32
      } -> tensor<4xi32>
    ```

    becomes

    ```mlir
    func.func @f(%x: tensor<4xi8>) -> tensor<4xi32> {
      %0 = linalg.generic … ins(%x : tensor<4xi8>) … {
      ^bb0(%in: i8, %out: i32):
        %code = arith.trunci %in : i8 to i4
        %1 = arith.extsi %code : i4 to i32
        linalg.yield %1 : i32
      } -> tensor<4xi32>
    ```

    Constants, `dense_resource` ones included, are rewritten to bytes. Named
    linalg operations on such tensors are generalized first, since their bodies
    follow from their element types, and elementwise operations on tensors become
    `linalg.generic`.

    Limits: it knows `func`, `scf`, `cf`, `tensor`, `linalg`, and
    `arith.constant`, `arith.select`, `vector.transfer_read` and
    `vector.transfer_write`. Any other operation on such a tensor might mean
    something else on bytes, so it is an error that names the operation, and so
    is a `quant` operation that was not lowered first and any memref of these
    elements. The module is left half converted by an error.
  }];
  let dependentDialects = quantLoweringDialects;
  let statistics = [
    Statistic<"numConstants", "constants", "Constants rewritten to bytes">,
  ];
}

//===----------------------------------------------------------------------===//
// SmallFloatToArith
//===----------------------------------------------------------------------===//

def SmallFloatToArithPass : Pass<"quant-small-float-to-arith"> {
  let summary = "Expand casts of fp8, fp4 and E8M0 into integer arithmetic";
  let description = [{
    `arith`'s own expansions of these casts are unusable: f8E4M3FN does not
    legalize at all, f4E2M1FN rounds ties up and loses -0, and f32 to f8E8M0FNU
    truncates at run time where constants are rounded. This pass replaces
    `arith.extf` and `arith.truncf` from and to f8E4M3FN, f8E5M2, f4E2M1FN and
    f8E8M0FNU, on scalars and vectors, by the integer arithmetic that the
    reference lowering uses, rounding half to even.

    ```mlir
    %y = arith.extf %x : f8E8M0FNU to f32
    ```

    becomes

    ```mlir
    %code = arith.bitcast %x : f8E8M0FNU to i8
    %wide = arith.extui %code : i8 to i32
    %shifted = arith.shli %wide, %c23 : i32
    %is_zero = arith.cmpi eq, %wide, %c0 : i32
    %finite = arith.select %is_zero, %denormal, %shifted : i32   // 2^-127
    %is_nan = arith.cmpi eq, %wide, %c255 : i32
    %bits = arith.select %is_nan, %nan, %finite : i32
    %y = arith.bitcast %bits : i32 to f32
    ```

    Limits: the other side is f32, f16, bf16 or again a small float; casts from
    and to f64 and a truncf with another rounding mode are left alone. So are
    casts of tensors, which `quant-widen-storage` turns into scalar ones. Other
    arithmetic on these types is not touched.
  }];
  let dependentDialects = quantLoweringDialects;
}

//===----------------------------------------------------------------------===//
// ObserveToCall
//===----------------------------------------------------------------------===//

def ObserveToCallPass : Pass<"quant-observe-to-call", "::mlir::ModuleOp"> {
  let summary = "Let observers call the calibration run time";
  let description = [{
    Instruments a model for calibration: every `quant.observe` that needs data
    hands its tensor to a function of the run time
    (`quant-mlir-runtime/Calibration.h`) and is replaced by its operand, as is
    every other one. `quant-calibrate` runs this pass; an embedder who compiles
    models to object files runs it and links the run time, or functions of its
    own.

    ```mlir
    func.func @f(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %o = quant.observe %x "x" <int8, symmetric, per_channel<[1]>, moving_average> : tensor<4x8xf32>
      return %o : tensor<4x8xf32>
    }
    ```

    becomes

    ```mlir
    module attributes {quant.observers = ["x"]} {
      func.func private @quant_observe_f32(i64, i64, memref<*xf32>)
      func.func @f(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
        %m = bufferization.to_buffer %x read_only {quant.call = 0 : i64}
               : tensor<4x8xf32> to memref<4x8xf32, strided<[?, ?], offset: ?>>
        %d = memref.cast %m : memref<4x8xf32, strided<[?, ?], offset: ?>>
               to memref<?x?xf32, strided<[?, ?], offset: ?>>
        %number = arith.constant 0 : i64
        %channels = arith.constant 2 : i64
        call @quant_observe_f32_rank2(%number, %channels, %d)
               : (i64, i64, memref<?x?xf32, strided<[?, ?], offset: ?>>) -> ()
        return %x : tensor<4x8xf32>
      }
      func.func private @quant_observe_f32_rank2(%number: i64, %channels: i64,
          %d: memref<?x?xf32, strided<[?, ?], offset: ?>>) attributes {no_inline} {
        %u = memref.cast %d : memref<?x?xf32, strided<[?, ?], offset: ?>> to memref<*xf32>
        call @quant_observe_f32(%number, %channels, %u) : (i64, i64, memref<*xf32>) -> ()
        return
      }
    }
    ```

    The first number is an index into `quant.observers`, the second a mask of the
    channel dimensions. The tensor is read where it lies, whatever its strides:
    nothing is copied for observing. The function per rank keeps the descriptor
    of the unranked memref out of the caller's frame, which a loop would fill.

    Limits: statistics are per tensor or per channel, not per block; observers
    stand in functions of the module itself; operations of one id have equal
    specs. Between the pass and bufferization nothing may move the call away from
    `to_buffer`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect",
    "::mlir::memref::MemRefDialect",
    "::mlir::quant::QuantDialect",
    "::quant_mlir::QParamsDialect",
  ];
  let statistics = [
    Statistic<"numCalls", "calls", "Observers that call the run time">,
  ];
}

//===----------------------------------------------------------------------===//
// QuantToCPU
//===----------------------------------------------------------------------===//

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
    Option<"gpu", "gpu", "std::string", "\"\"",
           "Kernels of a GPU instead: nvvm">,
    Option<"gpuArch", "gpu-arch", "std::string", "\"\"",
           "Architecture of the GPU (default: its plainest)">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect",
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
           "Kernels of a GPU instead: nvvm">,
    Option<"gpuArch", "gpu-arch", "std::string", "\"\"",
           "Architecture of the GPU (default: its plainest)">,
  ];
  let dependentDialects = quantLoweringDialects # [
    "::mlir::affine::AffineDialect", "::mlir::scf::SCFDialect",
  ];
  let statistics = [
    Statistic<"numWithout", "without-kernel", "Operations lowered to linalg">,
    Statistic<"numPadded", "padded", "Paddings that became values">,
  ];
}

//===----------------------------------------------------------------------===//
// QuantToGPU
//===----------------------------------------------------------------------===//

def QuantToGPUPass : Pass<"quant-to-gpu", "::mlir::ModuleOp"> {
  let summary = "Make kernels of a GPU of operations on buffers";
  let description = [{
    Each `linalg` operation on buffers, and each copy, becomes a `gpu.func` in a
    `gpu.module` of its own and a `gpu.launch_func`. Kernels take flat buffers and
    numbers; `quant.access` on the launch says, by operand, whether a buffer is
    read (1), written (2) or both (3).

    ```mlir
    #id = affine_map<(i) -> (i)>
    func.func @f(%x: memref<64xi8>, %y: memref<64xi32>) {
      linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
          ins(%x : memref<64xi8>) outs(%y : memref<64xi32>) {
      ^bb0(%in: i8, %out: i32):
        %0 = arith.extsi %in : i8 to i32
        linalg.yield %0 : i32
      }
      return
    }
    ```

    becomes

    ```mlir
    func.func @f(%x: memref<64xi8>, %y: memref<64xi32>) {
      …
      gpu.launch_func @elementwise::@elementwise blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1)
        args(%flat_x : memref<?xi8>, %flat_y : memref<?xi32>) {quant.access = array<i32: 1, 2>}
      return
    }
    gpu.module @elementwise {
      gpu.func @elementwise(%x: memref<?xi8>, %y: memref<?xi32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
        %group = gpu.block_id x
        %thread = gpu.thread_id x
        %first = arith.muli %group, %c64 : index
        %i = arith.addi %first, %thread : index
        %0 = memref.load %x[%i] : memref<?xi8>
        %1 = arith.extsi %0 : i8 to i32
        memref.store %1, %y[%i] : memref<?xi32>
        gpu.return
      }
    }
    ```

    With `target=nvvm`, `quant.contract` with packed weights becomes a kernel on
    tensor cores; `quant-prepare-kernels{gpu=nvvm}` has left no others.

    Limits: what the target does not promise to compute exactly (on SPIR-V
    `f64`, 64-bit integers and functions of `math`) stays as it is, for the host, with a
    remark.
  }];
  let options = [
    Option<"targetName", "target", "std::string", "\"spirv\"",
           "What kernels are made for: spirv or nvvm">,
    Option<"arch", "arch", "std::string", "\"\"",
           "Architecture of the target (default: its plainest)">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::nvgpu::NVGPUDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
  ];
  let statistics = [
    Statistic<"numKernels", "kernels", "Operations that became kernels">,
    Statistic<"numHost", "host", "Operations that are left to the host">,
  ];
}

def PrepareSPIRVPass : Pass<"quant-prepare-spirv", "::mlir::ModuleOp"> {
  let summary = "Give copies of kernels the interface of Vulkan";
  let description = [{
    Each `gpu.module` is copied into a `builtin.module` of its own, beside which
    launches find it unchanged. In the copy buffers of a kernel become storage
    buffers, numbers words of push constants, each in the order of the arguments;
    divisions become integer operations that round as IEEE 754 says, which Vulkan
    does not promise; and the module gets the environment that
    `convert-gpu-to-spirv` asks for: Vulkan 1.3 with 8-bit storage and integer dot
    products.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::spirv::SPIRVDialect",
  ];
}

def SerializeSPIRVPass : Pass<"quant-serialize-spirv", "::mlir::ModuleOp"> {
  let summary = "Make gpu.binary of spirv.module";
  let description = [{
    Replaces each `gpu.module` of which `quant-prepare-spirv` has made a copy, and
    `convert-gpu-to-spirv` a `spirv.module`, by a `gpu.binary` of that name. Before that, the
    arithmetic of docs/numerics.md is asked for: `NoContraction` on sums and
    products, rounding to nearest, NaN and infinities kept.
  }];
  let dependentDialects = [
    "::mlir::gpu::GPUDialect", "::mlir::spirv::SPIRVDialect",
  ];
  let statistics = [
    Statistic<"numBinaries", "binaries", "Modules that became binaries">,
  ];
}

def PrepareNVVMPass : Pass<"quant-prepare-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Give kernels the parameters that a driver passes";
  let description = [{
    Parameters of a kernel become one address for each buffer, then one `i64` for
    each number, each in the order of the arguments: what a run time can pass that
    knows no types.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::nvgpu::NVGPUDialect",
  ];
}

def LaunchToRuntimePass : Pass<"quant-launch-to-runtime", "::mlir::ModuleOp"> {
  let summary = "Make calls of a run time of launches";
  let description = [{
    Each `gpu.binary` becomes a constant, each `gpu.launch_func` a call of
    `quant_<run time>_launch` (`quant-mlir-runtime/GPU.h`) with the constant, the
    kernel's name, its grid, where its buffers lie and what it does with them, and
    its numbers. What the run time has made of a kernel waits in a slot of the
    module, and is released when the module is unloaded. An error, which the call
    returns as text, ends the run as a failed assertion does.
  }];
  let options = [
    Option<"runtime", "runtime", "std::string", "\"vulkan\"",
           "Run time that is called">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect",
  ];
  let statistics = [
    Statistic<"numLaunches", "launches", "Launches that became calls">,
  ];
}

//===----------------------------------------------------------------------===//
// PlanBuffers
//===----------------------------------------------------------------------===//

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
    A minimum or maximum, also one of elements that pass a condition, as ranges of
    activations are, is reduced in several vectors. Every result is, bit for bit,
    that of the loops one element at a time: sums of floats keep their order, along
    a loop that is no vector.

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
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
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

    Limits: runs behind the deallocation passes, which say what a function frees.
    Buffers of dynamic size, results, those in bodies of parallel loops, and
    functions of more than one block stay as they are.
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

#endif // QUANT_MLIR_CONVERSION_PASSES_TD

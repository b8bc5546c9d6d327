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

include "quant-mlir/Conversion/CPUPasses.td"
include "quant-mlir/Conversion/GPUPasses.td"
include "quant-mlir/Conversion/TablePasses.td"

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
    operation, `quant.pool` a reduction and what follows it. Of a reduction whose
    size only the run time knows, a `cf.assert` checks that an int32 holds it.

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
      %bits = arith.bitcast %sum : f32 to i32
      %integer = arith.subi %bits, %magic_bits : i32
      %code = arith.addi %integer, %zero_point : i32
      %byte = arith.trunci %code : i32 to i8
      linalg.yield %byte : i8
    } -> tensor<4xi8>
    ```

    Limits: a scale operand must be positive and finite and a zero point operand
    inside the range in use, as the contract says; otherwise the codes are
    unspecified. Accumulators of level 2 are taken to be proven not to overflow
    where they are not `wide`.
    Operations on buffers are an error, as the lowering is one of tensors; those on
    other dialects' `!quant.uniform` types are left alone.
  }];
  let options = [
    Option<"integerForm", "integer-form", "bool", "true",
           "Also the operations of level 2; otherwise they are left to kernels">,
  ];
  let dependentDialects = quantLoweringDialects # [
    "::mlir::affine::AffineDialect",
    "::mlir::cf::ControlFlowDialect",
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
// MathToArith
//===----------------------------------------------------------------------===//

def MathToArithPass : Pass<"quant-math-to-arith"> {
  let summary = "Expand functions of f32 into arithmetic of every target";
  let description = [{
    A C library, a GPU's device library and a Vulkan driver each compute an
    exponential of their own, for one element at a time. This pass makes it of
    products, sums and operations on integers, on scalars and vectors of f32, so
    that every target computes the same bits, and computes them on vectors:

    - `math.exp` is less than one unit in the last place from the exact value,
      and the nearest number for nine in ten arguments; subnormal results are
      rounded, not flushed;
    - `math.erf` is less than 1.4 units from it, `math.tanh` less than 1.3, both
      the nearest number for more than nine in ten;
    - `arith.maximumf` and `arith.minimumf` order -0 before +0, which the
      expansion of `arith` leaves to the order of operands, so that a reduction
      is the same in any order. NaN is one NaN.

    ```mlir
    %zero = arith.constant 0.0 : f32
    %y = arith.maximumf %x, %zero : f32
    ```

    becomes

    ```mlir
    %zero = arith.constant 0.0 : f32
    %is_bound = arith.cmpf ole, %x, %zero : f32
    %y = arith.select %is_bound, %zero, %x : f32
    ```

    Limits: other functions and types are left alone, those of tensors too;
    fast-math flags are not looked at.
  }];
  let options = [
    Option<"extremes", "extremes", "bool", "true",
           "Also arith.maximumf and arith.minimumf">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
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

#endif // QUANT_MLIR_CONVERSION_PASSES_TD

//===- GPUPasses.td - Buffers to kernels of a GPU ----------*- tablegen -*-===//
//
// Part of Passes.td: from linalg on buffers to binaries and the calls that launch them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_CONVERSION_GPUPASSES_TD
#define QUANT_MLIR_CONVERSION_GPUPASSES_TD

include "mlir/Pass/PassBase.td"

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

    `quant.contract` with packed weights becomes a kernel on the target's matrix
    units: tensor cores (`nvvm`), MFMA or WMMA (`rocdl`), integer dot products
    (`spirv`). Depthwise contractions and `quant.pool` become kernels of words of
    four channels on all of them.
    `quant-prepare-kernels{gpu=…}` has left no others.

    Limits: what the target does not promise to compute exactly (on SPIR-V
    `f64`, 64-bit integers and functions of `math`) stays as it is, for the host, with a
    remark.
  }];
  let options = [
    Option<"targetName", "target", "std::string", "\"spirv\"",
           "What kernels are made for: spirv, nvvm or rocdl">,
    Option<"arch", "arch", "std::string", "\"\"",
           "Architecture of the target (default: its plainest)">,
  ];
  let dependentDialects = [
    "::mlir::amdgpu::AMDGPUDialect", "::mlir::arith::ArithDialect",
    "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::nvgpu::NVGPUDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::spirv::SPIRVDialect",
    "::mlir::vector::VectorDialect",
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

def PrepareParametersPass
    : Pass<"quant-prepare-parameters", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Give kernels the parameters that a driver passes";
  let description = [{
    Parameters of a kernel become one address for each buffer, then one `i64` for
    each number, each in the order of the arguments: what a run time can pass that
    knows no types. `gpu.dynamic_shared_memory` becomes the variable without a size
    that is as large as a launch says.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
  ];
}

def LinkROCDLPass : Pass<"quant-link-rocdl", "::mlir::ModuleOp"> {
  let summary = "Make code objects of assembly for GPUs of AMD's";
  let description = [{
    In each `gpu.binary`, assembly for a GPU of AMD's becomes the shared object that a
    driver loads: LLVM assembles it, and `ld.lld`, which has to be installed, links
    it. ROCm is not needed.
  }];
  let dependentDialects = [
    "::mlir::gpu::GPUDialect", "::mlir::ROCDL::ROCDLDialect",
  ];
  let statistics = [
    Statistic<"numLinked", "linked", "Objects that were assembled and linked">,
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

#endif // QUANT_MLIR_CONVERSION_GPUPASSES_TD

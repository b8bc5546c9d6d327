// Kernels through NVIDIA's driver, of which a library of the test tree records and
// checks every call (unittests/Runtime/MockCuda).
// REQUIRES: numpy, mock-cuda
// DEFINE: %{run} = quant-run %s --target=nvvm --input=%t/x.npy --output=%t/y.npy
// DEFINE: %{mock} = env LD_LIBRARY_PATH=%mock_cuda
// RUN: rm -rf %t && mkdir %t
// RUN: %python -c "import numpy as np; np.save(r'%t/x.npy', np.zeros((96, 64), np.int8))"

// Three batches: weights and the sums of their columns are uploaded once, each
// batch is copied in, computed and copied out; everything is freed.
// RUN: %{mock} MOCK_CUDA_LOG=%t/log %{run}
// RUN: FileCheck %s --check-prefix=CALLS --input-file=%t/log --implicit-check-not=FAULT
// CALLS: cuModuleLoadDataEx
// CALLS-NEXT: cuModuleGetFunction contract
// CALLS-NEXT: cuMemAlloc 2048
// CALLS-NEXT: cuMemcpyHtoDAsync 2048
// CALLS-NEXT: cuMemAlloc 128
// CALLS-NEXT: cuMemcpyHtoDAsync 128
// CALLS: cuMemcpyHtoDAsync 2048
// CALLS: cuMemcpyHtoDAsync 1024
// CALLS-NEXT: cuLaunchKernel contract
// CALLS-NEXT: cuMemcpyDtoHAsync 1024
// CALLS-NEXT: cuStreamSynchronize
// CALLS-COUNT-2: cuLaunchKernel
// CALLS-NOT: cuMemAlloc
// CALLS-COUNT-2: cuMemFree
// CALLS-NEXT: cuModuleUnload

// Kernels are for the device that is there, unless another is asked for.
// RUN: not %{mock} MOCK_CUDA=capability=75 %{run} 2>&1 | FileCheck %s --check-prefix=OLD
// OLD: error: expected a GPU of compute capability 8.0 or more, found Mock 0 (compute capability 7.5): choose another one by QUANT_CUDA_DEVICE
// RUN: not %{mock} %{run} --gpu-arch=sm_70 2>&1 | FileCheck %s --check-prefix=ARCH
// ARCH: expected one of sm_80, {{.*}} as architecture of nvvm, found 'sm_70'
// RUN: not quant-run %s --input=%t/x.npy --output=%t/y.npy --gpu-arch=sm_80 2>&1 | FileCheck %s --check-prefix=EFFECT
// EFFECT: error: --gpu-arch has no effect without --target=nvvm, rocdl, nvvm-emulator or rocdl-emulator

// Without a device there is one error, before anything is compiled; and one for
// each way in which a driver may fail, which says what to do.
// RUN: not %{mock} MOCK_CUDA=devices=0 %{run} 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: cuInit failed: CUDA_ERROR_NO_DEVICE (100), no CUDA-capable device is detected; the driver sees no GPU: look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use --target=cpu or --target=nvvm-emulator{{$}}
// RUN: not %{mock} MOCK_CUDA=fail=cuInit:803 %{run} 2>&1 | FileCheck %s --check-prefix=MISMATCH
// MISMATCH: error: cuInit failed: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803), {{.*}} restart the machine after an update{{$}}
// RUN: not %{mock} MOCK_CUDA=fail=cuModuleLoadDataEx:222 %{run} 2>&1 | FileCheck %s --check-prefix=VERSION
// VERSION: error: {{.*}}kernel 'contract': cuModuleLoadDataEx failed: CUDA_ERROR_UNSUPPORTED_PTX_VERSION (222), {{.*}} the driver is older than the PTX: update it
// RUN: not %{mock} MOCK_CUDA=fail=cuMemAlloc:2 %{run} 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: error: {{.*}}kernel 'contract': cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY (2), out of memory; free memory of the device
// RUN: not %{mock} MOCK_CUDA=fail=cuStreamSynchronize:700 %{run} 2>&1 | FileCheck %s --check-prefix=ADDRESS
// ADDRESS: error: {{.*}}cuStreamSynchronize failed: CUDA_ERROR_ILLEGAL_ADDRESS (700), {{.*}} run the model with --target=nvvm-emulator, which says where
// RUN: not env QUANT_CUDA_DEVICE=x LD_LIBRARY_PATH=%mock_cuda %{run} 2>&1 | FileCheck %s --check-prefix=NUMBER
// NUMBER: error: QUANT_CUDA_DEVICE expects a number below 1, found 'x'{{$}}

// A device that cannot share memory at all times leaves it with the host.
// RUN: %{mock} MOCK_CUDA=managed=0 MOCK_CUDA_LOG=%t/log.host quant-run %s --entry=arena --target=nvvm --input=%t/x.npy --output=%t/y.npy
// RUN: FileCheck %s --check-prefix=HOST --input-file=%t/log.host --implicit-check-not=FAULT
// HOST: cuMemHostAlloc
// HOST: cuMemFreeHost
// RUN: %{mock} MOCK_CUDA_LOG=%t/log.arena quant-run %s --entry=arena --target=nvvm --input=%t/x.npy --output=%t/y.npy
// RUN: FileCheck %s --check-prefix=MANAGED --input-file=%t/log.arena --implicit-check-not=FAULT
// MANAGED: cuMemAllocManaged
// MANAGED: cuMemAdvise

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @main(%x: tensor<32x64xi8>) -> tensor<32x32xi8> {
  %w = arith.constant dense<3> : tensor<64x32xi8>
  %o = tensor.empty() : tensor<32x32xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<32x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> : tensor<64x32xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1, zero_point = 3> : tensor<32x32xi8>)
    maps [#x, #w, #y] -> tensor<32x32xi8>
  return %y : tensor<32x32xi8>
}
// What lies between two kernels is in the arena.
func.func @arena(%x: tensor<32x64xi8>) -> tensor<32x64xi8> {
  %w = arith.constant dense<3> : tensor<64x64xi8>
  %o = tensor.empty() : tensor<32x64xi8>
  %y = quant.contract
    lhs(%x as <int8, per_tensor, scale = 0.05, zero_point = -3> : tensor<32x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> : tensor<64x64xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1, zero_point = 3> : tensor<32x64xi8>)
    maps [#x, #w, #y] -> tensor<32x64xi8>
  %z = quant.contract
    lhs(%y as <int8, per_tensor, scale = 0.1, zero_point = 3> : tensor<32x64xi8>)
    rhs(%w as <int8, per_tensor, scale = 0.01> : tensor<64x64xi8>)
    outs(%o as <int8, per_tensor, scale = 0.1, zero_point = 3> : tensor<32x64xi8>)
    maps [#x, #w, #y] -> tensor<32x64xi8>
  return %z : tensor<32x64xi8>
}

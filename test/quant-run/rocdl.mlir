// Kernels through AMD's HIP, of which a library of the test tree records and checks
// every call (unittests/Runtime/MockHip).
// REQUIRES: numpy, mock-hip
// DEFINE: %{run} = quant-run %s --target=rocdl --input=%t/x.npy --output=%t/y.npy
// DEFINE: %{mock} = env LD_LIBRARY_PATH=%mock_hip
// RUN: rm -rf %t && mkdir %t
// RUN: %python -c "import numpy as np; np.save(r'%t/x.npy', np.zeros((96, 64), np.int8))"

// The code object is loaded once, weights and sums are uploaded once; each of three
// batches is copied in, computed and copied out; everything is freed.
// RUN: %{mock} MOCK_HIP_LOG=%t/log %{run}
// RUN: FileCheck %s --check-prefix=CALLS --input-file=%t/log --implicit-check-not=FAULT
// CALLS: hipModuleLoadData
// CALLS-NEXT: hipModuleGetFunction contract
// CALLS-NEXT: hipMalloc 2048
// CALLS-NEXT: hipMemcpyHtoDAsync 2048
// CALLS-NEXT: hipMalloc 128
// CALLS-NEXT: hipMemcpyHtoDAsync 128
// CALLS: hipModuleLaunchKernel contract
// CALLS-NEXT: hipMemcpyDtoHAsync 1024
// CALLS-NEXT: hipStreamSynchronize
// CALLS-COUNT-2: hipModuleLaunchKernel
// CALLS-NOT: hipMalloc
// CALLS-COUNT-2: hipFree
// CALLS-NEXT: hipModuleUnload

// Kernels are for the device that is there.
// RUN: %{mock} MOCK_HIP=arch=gfx1100 %{run}
// RUN: not %{mock} MOCK_HIP=arch=gfx906 %{run} 2>&1 | FileCheck %s --check-prefix=OLD
// OLD: error: expected a GPU of CDNA3 or RDNA3 (gfx942, gfx11..), found Mock gfx 0 (gfx906): choose another one by QUANT_HIP_DEVICE
// RUN: not %{mock} MOCK_HIP=devices=0 %{run} 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: hipInit failed: hipErrorNoDevice (100), no ROCm-capable device is detected; the driver sees no GPU: look at rocminfo
// RUN: not %{mock} MOCK_HIP=fail=hipModuleLoadData:209 %{run} 2>&1 | FileCheck %s --check-prefix=BINARY
// BINARY: error: {{.*}}kernel 'contract': hipModuleLoadData failed: hipErrorNoBinaryForGpu (209), {{.*}} compile with the --gpu-arch of this one
// RUN: not env QUANT_HIP_DEVICE=1 LD_LIBRARY_PATH=%mock_hip %{run} 2>&1 | FileCheck %s --check-prefix=NUMBER
// NUMBER: error: QUANT_HIP_DEVICE expects a number below 1, found '1'{{$}}

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

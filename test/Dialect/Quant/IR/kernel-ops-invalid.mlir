// RUN: quant-opt %s -split-input-file -verify-diagnostics

func.func @canonical(%k: tensor<70x64xi8>, %p: tensor<8192xi8>, %s: tensor<70xi32>) {
  // expected-error@+1 {{expected a layout of panels, found #qparams.layout<canonical>}}
  %r:2 = quant.pack_columns ins(%k as <int8, per_tensor> : tensor<70x64xi8>) in <canonical> outs(%p, %s : tensor<8192xi8>, tensor<70xi32>) -> tensor<8192xi8>, tensor<70xi32>
  return
}

// -----

func.func @floats(%k: tensor<70x64xi8>, %p: tensor<8192xi8>, %s: tensor<70xi32>) {
  // expected-error@+1 {{expected integer codes, found #qparams.affine<float8_e4m3fn, per_tensor>}}
  %r:2 = quant.pack_columns ins(%k as <float8_e4m3fn, per_tensor> : tensor<70x64xi8>) in <panels, tensor<70x64xi8>, columns = [0], reduction = [1], run = 1, panel = 64, group = 16> outs(%p, %s : tensor<8192xi8>, tensor<70xi32>) -> tensor<8192xi8>, tensor<70xi32>
  return
}

// -----

func.func @codes(%k: tensor<70x60xi8>, %p: tensor<8192xi8>, %s: tensor<70xi32>) {
  // expected-error@+1 {{expected codes of the type that the layout names, 'tensor<70x64xi8>', of #qparams.affine<int8, per_tensor>, found 'tensor<70x60xi8>'}}
  %r:2 = quant.pack_columns ins(%k as <int8, per_tensor> : tensor<70x60xi8>) in <panels, tensor<70x64xi8>, columns = [0], reduction = [1], run = 1, panel = 64, group = 16> outs(%p, %s : tensor<8192xi8>, tensor<70xi32>) -> tensor<8192xi8>, tensor<70xi32>
  return
}

// -----

func.func @storage(%k: tensor<70x64xi8>, %p: tensor<8192xi8>, %s: tensor<70xi32>) {
  // expected-error@+1 {{expected codes of the type that the layout names, 'tensor<70x64xi8>', of #qparams.affine<int4, per_tensor>}}
  %r:2 = quant.pack_columns ins(%k as <int4, per_tensor> : tensor<70x64xi8>) in <panels, tensor<70x64xi8>, columns = [0], reduction = [1], run = 1, panel = 64, group = 16> outs(%p, %s : tensor<8192xi8>, tensor<70xi32>) -> tensor<8192xi8>, tensor<70xi32>
  return
}

// -----

func.func @two_splits(%k: tensor<70x64x64xi8>, %p: tensor<524288xi8>, %s: tensor<2x70xi32>) {
  // expected-error@+1 {{expected codes split into blocks along one reduction, found #qparams.per_block<[1, 32, 32]>}}
  %r:2 = quant.pack_columns ins(%k as <int8, per_block<[1, 32, 32]>> : tensor<70x64x64xi8>) in <panels, tensor<70x64x64xi8>, columns = [0], reduction = [1, 2], run = 2, panel = 64, group = 16> outs(%p, %s : tensor<524288xi8>, tensor<2x70xi32>) -> tensor<524288xi8>, tensor<2x70xi32>
  return
}

// -----

func.func @panels(%k: tensor<70x64xi8>, %p: tensor<4480xi8>, %s: tensor<70xi32>) {
  // expected-error@+1 {{expected panels of rank 1 and 8192 bytes, found 'tensor<4480xi8>'}}
  %r:2 = quant.pack_columns ins(%k as <int8, per_tensor> : tensor<70x64xi8>) in <panels, tensor<70x64xi8>, columns = [0], reduction = [1], run = 1, panel = 64, group = 16> outs(%p, %s : tensor<4480xi8>, tensor<70xi32>) -> tensor<4480xi8>, tensor<70xi32>
  return
}

// -----

func.func @sums(%k: tensor<70x64xi8>, %p: tensor<8192xi8>, %s: tensor<70xi32>) {
  // expected-error@+1 {{expected sums of 'tensor<2x70xi32>', that is, of blocks along a reduction, batches and columns, found 'tensor<70xi32>'}}
  %r:2 = quant.pack_columns ins(%k as <int8, per_block<[1, 32]>> : tensor<70x64xi8>) in <panels, tensor<70x64xi8>, columns = [0], reduction = [1], run = 1, panel = 64, group = 16> outs(%p, %s : tensor<8192xi8>, tensor<70xi32>) -> tensor<8192xi8>, tensor<70xi32>
  return
}

// Q * K^T, and what comes out times V, for as many keys as the run time says: one loop
// over numbers of keys, whose body is compiled once.
#q = affine_map<(b, m, n, k) -> (b, m, k)>
#k = affine_map<(b, m, n, k) -> (b, n, k)>
#v = affine_map<(b, m, n, k) -> (b, k, n)>
#y = affine_map<(b, m, n, k) -> (b, m, n)>

func.func @main(%q: tensor<3x49x64xi8>, %k: tensor<3x200x64xi8>, %v: tensor<3x200x48xi8>,
                %t: tensor<3x1x64xf32>, %l: tensor<3x200x64xf32>, %w: tensor<3x200x48xf32>)
    -> (tensor<7x3x49x200xi8>, tensor<7x3x49x48xi8>, tensor<7x3x1x200xf32>, tensor<7x3x1x48xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %sizes = arith.constant dense<[1, 7, 64, 65, 200, 80, 0]> : tensor<7xindex>
  %a = arith.constant dense<0> : tensor<7x3x49x200xi8>
  %b = arith.constant dense<0> : tensor<7x3x49x48xi8>
  %c = arith.constant dense<0.0> : tensor<7x3x1x200xf32>
  %d = arith.constant dense<0.0> : tensor<7x3x1x48xf32>
  %r:4 = scf.for %i = %c0 to %c7 step %c1 iter_args(%ra = %a, %rb = %b, %rc = %c, %rd = %d)
      -> (tensor<7x3x49x200xi8>, tensor<7x3x49x48xi8>, tensor<7x3x1x200xf32>, tensor<7x3x1x48xf32>) {
    %n = tensor.extract %sizes[%i] : tensor<7xindex>
    // Parts of buffers. Neither side fills a panel, and zero points are everywhere.
    %kn = tensor.extract_slice %k[0, 0, 0] [3, %n, 64] [1, 1, 1] : tensor<3x200x64xi8> to tensor<3x?x64xi8>
    %vn = tensor.extract_slice %v[0, 0, 0] [3, %n, 48] [1, 1, 1] : tensor<3x200x48xi8> to tensor<3x?x48xi8>
    %so = tensor.empty(%n) : tensor<3x49x?xi8>
    %s = quant.contract
      lhs(%q as <int8, per_tensor, scale = 0.05, zero_point = 7> : tensor<3x49x64xi8>)
      rhs(%kn as <int8, per_tensor, scale = 0.04, zero_point = -5> : tensor<3x?x64xi8>)
      outs(%so as <uint8, per_tensor, scale = 9.0, zero_point = 120> : tensor<3x49x?xi8>)
      maps [#q, #k, #y] -> tensor<3x49x?xi8>
    %zo = tensor.empty() : tensor<3x49x48xi8>
    %z = quant.contract
      lhs(%s as <uint8, per_tensor, scale = 9.0, zero_point = 120> : tensor<3x49x?xi8>)
      rhs(%vn as <uint8, per_tensor, scale = 0.03, zero_point = 131> : tensor<3x?x48xi8>)
      outs(%zo as <int8, per_tensor, scale = 170.0, zero_point = -2> : tensor<3x49x48xi8>)
      maps [#q, #v, #y] -> tensor<3x49x48xi8>
    // Scales and zero points of each query, key and column of values, of a single query.
    %ln = tensor.extract_slice %l[0, 0, 0] [3, %n, 64] [1, 1, 1] : tensor<3x200x64xf32> to tensor<3x?x64xf32>
    %wn = tensor.extract_slice %w[0, 0, 0] [3, %n, 48] [1, 1, 1] : tensor<3x200x48xf32> to tensor<3x?x48xf32>
    %ts, %tz = quant.dynamic_range %t <int8, asymmetric, per_channel<[0, 1]>> : tensor<3x1x64xf32> -> tensor<3x1x1xf32>, tensor<3x1x1xi32>
    %tc = quant.quantize %t scale(%ts : tensor<3x1x1xf32>) zero_point(%tz : tensor<3x1x1xi32>) <int8, per_channel<[0, 1]>> : tensor<3x1x64xf32> -> tensor<3x1x64xi8>
    %ls = quant.dynamic_range %ln <int8, symmetric, per_channel<[0, 1]>> : tensor<3x?x64xf32> -> tensor<3x?x1xf32>
    %lc = quant.quantize %ln scale(%ls : tensor<3x?x1xf32>) <int8, per_channel<[0, 1]>> : tensor<3x?x64xf32> -> tensor<3x?x64xi8>
    %ws, %wz = quant.dynamic_range %wn <int8, asymmetric, per_channel<[0, 2]>> : tensor<3x?x48xf32> -> tensor<3x1x48xf32>, tensor<3x1x48xi32>
    %wc = quant.quantize %wn scale(%ws : tensor<3x1x48xf32>) zero_point(%wz : tensor<3x1x48xi32>) <int8, per_channel<[0, 2]>> : tensor<3x?x48xf32> -> tensor<3x?x48xi8>
    %uo = tensor.empty(%n) : tensor<3x1x?xf32>
    %u = quant.contract
      lhs(%tc as <int8, per_tensor> scale %ts : tensor<3x1x1xf32>, zero_point %tz : tensor<3x1x1xi32>, : tensor<3x1x64xi8>)
      rhs(%lc as <int8, per_tensor> scale %ls : tensor<3x?x1xf32>, : tensor<3x?x64xi8>)
      outs(%uo : tensor<3x1x?xf32>)
      maps [#q, #k, #y] -> tensor<3x1x?xf32>
    %us = quant.dynamic_range %u <int8, symmetric, per_channel<[0, 1]>> : tensor<3x1x?xf32> -> tensor<3x1x1xf32>
    %uc = quant.quantize %u scale(%us : tensor<3x1x1xf32>) <int8, per_channel<[0, 1]>> : tensor<3x1x?xf32> -> tensor<3x1x?xi8>
    %xo = tensor.empty() : tensor<3x1x48xf32>
    %x = quant.contract
      lhs(%uc as <int8, per_tensor> scale %us : tensor<3x1x1xf32>, : tensor<3x1x?xi8>)
      rhs(%wc as <int8, per_tensor> scale %ws : tensor<3x1x48xf32>, zero_point %wz : tensor<3x1x48xi32>, : tensor<3x?x48xi8>)
      outs(%xo : tensor<3x1x48xf32>)
      maps [#q, #v, #y] -> tensor<3x1x48xf32>
    %na = tensor.insert_slice %s into %ra[%i, 0, 0, 0] [1, 3, 49, %n] [1, 1, 1, 1] : tensor<3x49x?xi8> into tensor<7x3x49x200xi8>
    %nb = tensor.insert_slice %z into %rb[%i, 0, 0, 0] [1, 3, 49, 48] [1, 1, 1, 1] : tensor<3x49x48xi8> into tensor<7x3x49x48xi8>
    %nc = tensor.insert_slice %u into %rc[%i, 0, 0, 0] [1, 3, 1, %n] [1, 1, 1, 1] : tensor<3x1x?xf32> into tensor<7x3x1x200xf32>
    %nd = tensor.insert_slice %x into %rd[%i, 0, 0, 0] [1, 3, 1, 48] [1, 1, 1, 1] : tensor<3x1x48xf32> into tensor<7x3x1x48xf32>
    scf.yield %na, %nb, %nc, %nd : tensor<7x3x49x200xi8>, tensor<7x3x49x48xi8>, tensor<7x3x1x200xf32>, tensor<7x3x1x48xf32>
  }
  return %r#0, %r#1, %r#2, %r#3 : tensor<7x3x49x200xi8>, tensor<7x3x49x48xi8>, tensor<7x3x1x200xf32>, tensor<7x3x1x48xf32>
}

// Arrays that cannot be read, or do not fit.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// DEFINE: %{run} = not quant-run %s --output=y.npy
// RUN: %{npy} make i4.npy "array([1, 2], 'i4')"
// RUN: %{npy} make f8.npy "array([1, 2], 'f8')"
// RUN: %{npy} make long.npy "array([[1, 2, 3]], 'f4')"
// RUN: %{npy} make big.npy "array([1, 2], '>f4')"
// RUN: %{npy} make fortran.npy "np.zeros((2, 2), 'f4', order='F')"
// RUN: %{npy} make object.npy "array([1, None])"
// RUN: %{npy} make x.npy "array([1, 2], 'f4')"
// RUN: head -c 130 x.npy > cut.npy

// RUN: %{run} --input=none.npy 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: {{^}}quant-run: error: 'none.npy': cannot be read: No such file or directory{{$}}
// RUN: %{run} --input=. 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: error: '.': cannot be read: Is a directory{{$}}
// RUN: %{run} --input=%s 2>&1 | FileCheck %s --check-prefix=NOT-NPY
// NOT-NPY: error: '{{.*}}bad-data.mlir': is not a .npy file: expected the bytes \93NUMPY at its start, found '// Array'; write it with numpy.save(){{$}}
// RUN: %{run} --input=cut.npy 2>&1 | FileCheck %s --check-prefix=CUT
// CUT: error: 'cut.npy': is cut off: expected 8 bytes of data for 2 float32, found 2{{$}}
// RUN: %{run} --input=big.npy 2>&1 | FileCheck %s --check-prefix=BIG
// BIG: error: 'big.npy': is big-endian (dtype '>f4'); expected little-endian: save it after .astype('float32'){{$}}
// RUN: %{run} --input=fortran.npy 2>&1 | FileCheck %s --check-prefix=FORTRAN
// FORTRAN: error: 'fortran.npy': is in Fortran order; expected C order: save it after numpy.ascontiguousarray(){{$}}
// RUN: %{run} --input=object.npy 2>&1 | FileCheck %s --check-prefix=OBJECT
// OBJECT: error: 'object.npy': holds Python objects (dtype '|O'); expected numbers: save it after .astype('float32'){{$}}

// RUN: %{run} --input=i4.npy 2>&1 | FileCheck %s --check-prefix=INTEGER
// INTEGER: error: 'i4.npy': argument 0 is tensor<2xf32>, which takes float32, found 2 int32; convert it with .astype('float32'){{$}}
// RUN: %{run} --input=f8.npy 2>&1 | FileCheck %s --check-prefix=DOUBLE
// DOUBLE: error: 'f8.npy': argument 0 is tensor<2xf32>, which takes float32, found 2 float64; convert it with .astype('float32'){{$}}
// Codes are no cast of the data.
// RUN: not quant-run %s --entry=codes --output=y.npy --input=x.npy 2>&1 | FileCheck %s --check-prefix=CODES
// CODES: error: 'x.npy': argument 0 is tensor<2xi8>, which takes int8, found 2 float32; its values are codes: quantize the data by the argument's attribute quant.params{{$}}
// RUN: not quant-run %s --entry=codes --output=y.npy --input=i4.npy 2>&1 | FileCheck %s --check-prefix=WIDE-CODES
// WIDE-CODES: error: 'i4.npy': argument 0 is tensor<2xi8>, which takes int8, found 2 int32; convert it with .astype('int8'){{$}}
// RUN: %{run} --input=long.npy 2>&1 | FileCheck %s --check-prefix=RANK
// RANK: error: 'long.npy': argument 0 is tensor<2xf32>, found 1x3 float32{{$}}
// RUN: not ls y.npy
func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}
func.func @codes(%a: tensor<2xi8> {quant.params = #qparams.affine<int8, per_tensor, scale = 0.5>}) -> tensor<2xi8> {
  return %a : tensor<2xi8>
}

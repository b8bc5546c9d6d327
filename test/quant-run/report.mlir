// What --compare, --labels and --bench print.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// DEFINE: %{run} = quant-run %s --input=x.npy
// RUN: %{npy} make x.npy "array([[1, 2, 3], [6, 5, 4], [7, 7, 7], [8, 9, 9]], 'f4')"
// RUN: %{npy} make off.npy "array([[1, 2, 3], [6, 5, 4.5], [7, 7, 7], [8, 9, 9]], 'f4')"
// RUN: %{npy} make zero.npy "np.zeros((4, 3), 'f4')"
// RUN: %{npy} make nan.npy "np.full((4, 3), np.nan, 'f4')"
// RUN: %{npy} make labels.npy "array([2, 0, 0, 2], 'i8')"

// RUN: %{run} --compare=x.npy --compare=off.npy --labels=labels.npy --bench=3 | FileCheck %s --check-prefix=TEXT
// TEXT:      {{^}}max abs error 0, exact match{{$}}
// TEXT-NEXT: {{^}}max abs error 0.5, SQNR 32.73 dB{{$}}
// TEXT-NEXT: {{^}}top-1 75.00 % (3 of 4){{$}}
// TEXT-NEXT: {{^}}latency min {{[0-9.]+}} us, median {{[0-9.]+}} us (3 runs, 1 thread){{$}}

// RUN: %{run} --compare=x.npy --compare=off.npy --labels=labels.npy --bench=3 --threads=2 --json > json
// RUN: FileCheck %s --check-prefix=JSON < json
// RUN: %python -c "import json; [json.loads(line) for line in open('json')]"
// JSON:      {{^}}{"compare":{"max_abs_error":0,"sqnr_db":null}}{{$}}
// JSON-NEXT: {{^}}{"compare":{"max_abs_error":0.5,"sqnr_db":32.7253{{[0-9]*}}}}{{$}}
// JSON-NEXT: {{^}}{"labels":{"top1":75,"count":4}}{{$}}
// JSON-NEXT: {{^}}{"bench":{"min_us":{{[0-9.e-]+}},"median_us":{{[0-9.e-]+}},"runs":3,"threads":2}}{{$}}
// JSON-NOT: {{.}}

// RUN: not %{run} --compare=zero.npy 2>&1 | FileCheck %s --check-prefix=ZERO
// ZERO: {{^}}quant-run: error: cannot compare: 'zero.npy' is zero everywhere, so that SQNR is undefined (max abs error 9){{$}}
// RUN: not %{run} --compare=nan.npy 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: {{^}}quant-run: error: cannot compare: element 0 of result 0 is 1, of 'nan.npy' nan{{$}}
// RUN: not %{run} --compare=labels.npy 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: error: cannot compare: result 0 is 4x3, 'labels.npy' is 4{{$}}
// RUN: not %{run} --labels=x.npy 2>&1 | FileCheck %s --check-prefix=LABEL-TYPE
// LABEL-TYPE: error: 'x.npy' is float32; expected labels of an integer type{{$}}
// RUN: not %{run} --compare=x.npy --compare=x.npy --compare=x.npy 2>&1 | FileCheck %s --check-prefix=TOO-MANY
// TOO-MANY: error: '{{.*}}report.mlir': 'main' has 2 results, found 3 --compares{{$}}

// Nothing is written, and nothing printed, when a later step fails; what was
// there stays.
// RUN: %{npy} make kept.npy "array(1)"
// RUN: not %{run} --output=new.npy --output=kept.npy --compare=x.npy --labels=x.npy > out
// RUN: not ls new.npy
// RUN: %{npy} show kept.npy | FileCheck %s --check-prefix=KEPT
// KEPT: int64 () 1
// RUN: count 0 < out
// RUN: not %{run} --output=new.npy --output=missing/y.npy --compare=x.npy > out 2> err
// RUN: FileCheck %s --check-prefix=MISSING < err
// MISSING: error: 'missing/y.npy': cannot be written: No such file or directory{{$}}
// RUN: not ls new.npy
// RUN: ls | FileCheck %s --check-prefix=NO-LEFTOVERS
// NO-LEFTOVERS-NOT: .tmp-
// RUN: count 0 < out
func.func @main(%a: tensor<1x3xf32>) -> (tensor<1x3xf32>, tensor<1x3xf32>) {
  return %a, %a : tensor<1x3xf32>, tensor<1x3xf32>
}

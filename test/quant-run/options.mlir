// The command line. Every error is one line, and exit code 1.
// REQUIRES: numpy
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{npy} = %python %S/Inputs/npy.py
// DEFINE: %{run} = quant-run %s
// DEFINE: %{full} = quant-run %s --input=x.npy --output=y.npy
// RUN: %{npy} make x.npy "array([1, 2], 'f4')"

// RUN: quant-run --help | FileCheck %s --check-prefix=HELP
// HELP: USAGE: quant-run <model.mlir> [options]
// HELP: --batch=<N>
// RUN: quant-run --version | FileCheck %s --check-prefix=VERSION
// VERSION: quant-run (quant-mlir {{[0-9.]+}}, LLVM 22.{{.*}})

// Values may stand apart.
// RUN: %{run} --input x.npy --output y.npy --entry main --target cpu --threads 1
// RUN: %{full} --target=reference

// RUN: not %{full} --target=gpu 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: --target expects cpu, reference, vulkan, nvvm, rocdl, nvvm-emulator or rocdl-emulator, found 'gpu'{{$}}
// RUN: not quant-run 2>&1 | FileCheck %s --check-prefix=NO-MODEL
// NO-MODEL: error: expected a model: quant-run <model.mlir>
// RUN: not %{full} x.npy 2>&1 | FileCheck %s --check-prefix=TWO-MODELS
// TWO-MODELS: error: expected one model, found '{{.*}}options.mlir' and 'x.npy'; arrays are given with --input{{$}}
// RUN: not %{full} --thread=2 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: unknown option '--thread=2'; did you mean '--threads=2'?
// RUN: not %{full} -x 2>&1 | FileCheck %s --check-prefix=UNKNOWN-SHORT
// UNKNOWN-SHORT: error: unknown option '-x'; --help lists all of them{{$}}
// RUN: not %{run} --input=x.npy --output 2>&1 | FileCheck %s --check-prefix=NO-VALUE
// NO-VALUE: error: the option --output has no value{{$}}
// RUN: not %{run} --input= --output=y.npy 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: error: --input= has no value{{$}}
// RUN: not %{full} --entry=a --entry=b 2>&1 | FileCheck %s --check-prefix=TWICE
// TWICE: error: --entry is given 2 times; expected once{{$}}
// RUN: not %{full} --output=y.npy 2>&1 | FileCheck %s --check-prefix=SAME
// SAME: error: --output=y.npy is given twice; expected one file per result{{$}}
// RUN: not %{full} --threads=0 2>&1 | FileCheck %s --check-prefix=THREADS
// THREADS: error: --threads expects a number from 1 to 1024, found '0'{{$}}
// RUN: not %{full} --bench=1.5 2>&1 | FileCheck %s --check-prefix=BENCH
// BENCH: error: --bench expects a number from 1 to 1000000000, found '1.5'{{$}}
// RUN: not %{full} --batch=-1 2>&1 | FileCheck %s --check-prefix=BATCH
// BATCH: error: --batch expects a number from 1 to 2147483647, found '-1'{{$}}
// RUN: not %{full} --json 2>&1 | FileCheck %s --check-prefix=JSON
// JSON: error: --json has no effect without --compare, --labels, --bench or --reference alone{{$}}
// RUN: not %{run} --input=x.npy 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: error: nothing to do: give --output, --compare, --labels, --bench or --reference{{$}}

// RUN: not %{full} --input=x.npy 2>&1 | FileCheck %s --check-prefix=INPUTS
// INPUTS: error: '{{.*}}options.mlir': 'main' takes 1 argument, found 2 --inputs; give one per argument, in order{{$}}
// RUN: not %{full} --output=z.npy 2>&1 | FileCheck %s --check-prefix=OUTPUTS
// OUTPUTS: error: '{{.*}}options.mlir': 'main' has 1 result, found 2 --outputs; give one per result, in order{{$}}
// RUN: not %{run} --entry=nothing --labels=x.npy 2>&1 | FileCheck %s --check-prefix=NO-RESULT
// NO-RESULT: error: '{{.*}}options.mlir': 'nothing' has no result to compare with --labels{{$}}
func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> {
  return %a : tensor<2xf32>
}
func.func @nothing() {
  return
}

// Real models against an independent evaluation in double precision, with one
// thread and with two.
// REQUIRES: numpy, shared-models
// RUN: rm -rf %t && mkdir %t && cd %t
// DEFINE: %{models} = %shared
// DEFINE: %{near} = %python %S/Inputs/near.py
// DEFINE: %{kws} = --input=%{models}/kws_test_inputs.npy --output=y.npy
// DEFINE: %{resnet8} = --input=%{models}/resnet8_inputs.npy --output=y.npy
// DEFINE: %{ad01} = --input=%{models}/ad01_inputs.npy --output=y.npy

// RUN: quant-run %{models}/kws.linalg.mlir %{kws} --labels=%{models}/kws_test_labels.npy --json | FileCheck %s
// RUN: %{near} y.npy %{models}/kws_test_float_outputs.npy 1e-4
// RUN: quant-run %{models}/kws.tosa.mlir %{kws} --labels=%{models}/kws_test_labels.npy --json --threads=2 | FileCheck %s
// RUN: %{near} y.npy %{models}/kws_test_float_outputs.npy 1e-4
// CHECK: {"labels":{"top1":91{{(\.0*[0-9]?)?}},"count":300}}

// RUN: quant-run %{models}/resnet8.linalg.mlir %{resnet8}
// RUN: %{near} y.npy %{models}/resnet8_float_outputs.npy 1e-4
// RUN: quant-run %{models}/resnet8.tosa.mlir %{resnet8} --threads=2
// RUN: %{near} y.npy %{models}/resnet8_float_outputs.npy 1e-4

// RUN: quant-run %{models}/ad01.tosa.mlir %{ad01}
// RUN: %{near} y.npy %{models}/ad01_float_outputs.npy 3e-4
// RUN: quant-run %{models}/ad01_mm.linalg.mlir %{ad01}
// RUN: %{near} y.npy %{models}/ad01_float_outputs.npy 3e-4
// RUN: quant-run %{models}/ad01_mm.tosa.mlir %{ad01} --threads=2
// RUN: %{near} y.npy %{models}/ad01_float_outputs.npy 3e-4

#!/usr/bin/env python3
"""Makes the ONNX model of one benchmark: make-onnx.py FOLDER

FOLDER has spec.json (the kind and the shape) and the constants as .npy, in our
layouts: matmul weights k x n, convolution weights HWIO (HWC where depthwise).
Writes FOLDER/model.onnx. Convolutions in int8 are ONNX Runtime's QLinearConv
with channels last, which saves it the transpositions from and to NCHW.
"""

import json
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"


def conv_weight(weight, spec):
    """HWIO or HWC to OIHW."""
    if spec["depthwise"]:
        return np.ascontiguousarray(weight.transpose(2, 0, 1)[:, None])
    return np.ascontiguousarray(weight.transpose(3, 2, 0, 1))


def conv_attributes(spec):
    kernel, stride = spec["kernel"], spec["stride"]
    before, after = spec["pad_before"], spec["pad_after"]
    return {
        "kernel_shape": [kernel, kernel],
        "strides": [stride, stride],
        "pads": [before, before, after, after],
        "group": spec["in"] if spec["depthwise"] else 1,
    }


def pack_blocks(codes, block, num_blocks):
    """k x n codes in [0, 15] to n x blocks x block/2 bytes, low nibble first."""
    k, n = codes.shape
    padded = np.full((num_blocks * block, n), 8, np.uint8)
    padded[:k] = codes
    by_block = padded.T.reshape(n, num_blocks, block)
    return (by_block[..., 0::2] | (by_block[..., 1::2] << 4)).astype(np.uint8)


def pack_zero_points(zero_points):
    """blocks x n zero points to n x ceil(blocks / 2) bytes."""
    by_column = zero_points.T.astype(np.uint8)
    if by_column.shape[1] % 2:
        by_column = np.pad(by_column, ((0, 0), (0, 1)), constant_values=8)
    return (by_column[:, 0::2] | (by_column[:, 1::2] << 4)).astype(np.uint8)


class Model:
    def __init__(self, folder):
        self.folder = folder
        self.constants = []
        with open(os.path.join(folder, "spec.json")) as file:
            self.spec = json.load(file)

    def load(self, name):
        return np.load(os.path.join(self.folder, name + ".npy"))

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def quantization(self):
        """Scales and zero points of a static int8 problem."""
        spec = self.spec
        return {
            "a_scale": self.constant("a_scale", np.float32(spec["scale_a"])),
            "a_zp": self.constant("a_zp", np.uint8(spec["zp_a"])),
            "w_scale": self.constant("w_scale", self.load("scale_w")),
            "w_zp": self.constant(
                "w_zp", np.zeros(self.load("scale_w").shape, np.int8)),
            "y_scale": self.constant("y_scale", np.float32(spec["scale_out"])),
            "y_zp": self.constant("y_zp", np.uint8(spec["zp_out"])),
        }

    def activation(self):
        """A function of each element between codes."""
        spec = self.spec
        a = [self.constant("a_scale", np.float32(spec["scale_a"])),
             self.constant("a_zp", np.int8(spec["zp_a"]))]
        y = [self.constant("y_scale", np.float32(spec["scale_out"])),
             self.constant("y_zp", np.int8(spec["zp_out"]))]
        operation = spec["operation"]
        if operation.startswith("QLinear"):
            return [helper.make_node(operation, ["a"] + a + y, ["y"],
                                     domain=MICROSOFT)]
        domain = MICROSOFT if operation == "Gelu" else ""
        return [helper.make_node("DequantizeLinear", ["a"] + a, ["x"]),
                helper.make_node(operation, ["x"], ["v"], domain=domain),
                helper.make_node("QuantizeLinear", ["v"] + y, ["y"])]

    def build(self):
        spec = self.spec
        kind = spec["kind"]
        input_type = output_type = TensorProto.FLOAT
        if kind == "int8_matmul":
            input_type = output_type = TensorProto.UINT8
            q = self.quantization()
            node = helper.make_node(
                "QLinearMatMul",
                ["a", q["a_scale"], q["a_zp"], self.constant("w", self.load("w")),
                 q["w_scale"], q["w_zp"], q["y_scale"], q["y_zp"]], ["y"])
        elif kind == "int8_conv":
            input_type = output_type = TensorProto.UINT8
            q = self.quantization()
            node = helper.make_node(
                "QLinearConv",
                ["a", q["a_scale"], q["a_zp"],
                 self.constant("w", conv_weight(self.load("w"), spec)),
                 q["w_scale"], q["w_zp"], q["y_scale"], q["y_zp"],
                 self.constant("bias", self.load("bias"))], ["y"],
                domain=MICROSOFT, channels_last=1, **conv_attributes(spec))
        elif kind == "float_matmul":
            node = helper.make_node(
                "MatMul", ["a", self.constant("w", self.load("w"))], ["y"])
        elif kind == "float_conv":
            node = helper.make_node(
                "Conv",
                ["a", self.constant("w", conv_weight(self.load("w"), spec)),
                 self.constant("bias", self.load("bias"))], ["y"],
                **conv_attributes(spec))
        elif kind == "blocks":
            codes = self.load("codes")
            scales = self.load("scales")
            k, n = codes.shape
            inputs = ["a"]
            if not spec["zero_points"]:
                codes = codes + 8
            inputs.append(self.constant("b", pack_blocks(
                codes.astype(np.uint8), spec["block"], scales.shape[0])))
            inputs.append(self.constant(
                "scales", np.ascontiguousarray(scales.T).reshape(-1)))
            if spec["zero_points"]:
                inputs.append(self.constant(
                    "zp", pack_zero_points(self.load("zero_points")).reshape(-1)))
            node = helper.make_node(
                "MatMulNBits", inputs, ["y"], domain=MICROSOFT, K=k, N=n, bits=4,
                block_size=spec["block"], accuracy_level=4)
        elif kind == "dynamic":
            node = helper.make_node(
                "DynamicQuantizeMatMul",
                ["a", self.constant("w", self.load("w")),
                 self.constant("w_scale", self.load("scale_w"))], ["y"],
                domain=MICROSOFT)
        elif kind == "activation":
            input_type = output_type = TensorProto.INT8
            node = None
        else:
            sys.exit("error: expected a known kind in spec.json, found " + kind)
        graph = helper.make_graph(
            [node] if node else self.activation(), "benchmark",
            [helper.make_tensor_value_info("a", input_type, spec["input_shape"])],
            [helper.make_tensor_value_info("y", output_type,
                                           spec["output_shape"])],
            self.constants)
        model = helper.make_model(graph, opset_imports=[
            helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)])
        model.ir_version = 8
        onnx.save(model, os.path.join(self.folder, "model.onnx"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("error: expected one argument, the folder with spec.json")
    Model(sys.argv[1]).build()

"""bits_per_weight.py model.mlir BOUND: quantizes the model's weights to packed
int4, writes bytecode, and divides what the file has beyond the parts that stay in
floating point by the number of quantized weights."""
import json
import os
import subprocess
import sys
import tempfile

model, bound = sys.argv[1], float(sys.argv[2])
directory = tempfile.mkdtemp()
path = os.path.join(directory, "model.mlirbc")
report_path = os.path.join(directory, "report.json")
float_path = os.path.join(directory, "float.mlirbc")
subprocess.run(["quant-opt", model, "--quantize-weights=int4",
                "--granularity=per_block", "--block-size=32",
                "--qscheme=symmetric", "--scale-dtype=f16", "--pack",
                "--quant-report=" + report_path, "-o", path],
               check=True, stderr=subprocess.DEVNULL)
subprocess.run(["quant-opt", model, "-o", float_path], check=True)
report = json.load(open(report_path))
count = sum(entry["bytes_before"] // 4 for entry in report["weights"])
left = os.path.getsize(float_path) - report["totals"]["bytes_before"]
bits = 8 * (os.path.getsize(path) - left) / count
print("%d weights, %.3f bits each" % (count, bits))
sys.exit(bits > bound)

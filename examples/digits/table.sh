#!/usr/bin/env bash
# Quantizes digits.mlir in several ways with the quant-opt and quant-run on PATH,
# runs each on the test images, and prints one table. table.sh FOLDER, where the
# quantized models and reports are left.
set -euo pipefail

mkdir -p "$1"
out=$(cd "$1" && pwd)
# Bytecode holds the path of its source: the same one wherever this is called.
cd "$(dirname "$0")"

# row NAME FLAGS…: one row of the table, as JSON lines for the printer below.
row() {
  local name=$1 stem
  shift
  stem=$out/$(echo "$name" | tr ' ,' '__')
  rm -f "$stem.json"
  if [ $# -gt 0 ]; then
    quant-opt digits.mlir "$@" --weight-threshold=0 --pack \
      --quant-report="$stem.json" -o "$stem.mlirbc" 2>"$stem.log" ||
      { cat "$stem.log" >&2; exit 1; }
  else
    quant-opt digits.mlir -o "$stem.mlirbc"
  fi
  printf '{"name": "%s", "file": "%s.mlirbc", "report": "%s.json", "run": [' \
    "$name" "$stem" "$stem"
  # Kernels add floats in the order that suits a processor: the last digit of an
  # SQNR of float would depend on it.
  quant-run "$stem.mlirbc" --target=reference --input=test_inputs.npy \
    --labels=test_labels.npy \
    --compare=test_float_outputs.npy --json | paste -sd, | tr -d '\n'
  printf ']}\n'
}

quant-calibrate digits.mlir --input=calib_inputs.npy -o "$out/ranges.json"

rows=$out/rows.jsonl
{
  row "float"
  row "int8 per_channel" --quantize-weights=int8 --granularity=per_channel
  row "int8 per_channel, int8 activations" --quantize-weights=int8 \
    --quantize-activations=int8 --ranges="$out/ranges.json"
  row "int4 per_block 32, symmetric" --quantize-weights=int4 \
    --granularity=per_block --block-size=32 --qscheme=symmetric \
    --scale-dtype=f16
  row "int4 per_block 32, asymmetric" --quantize-weights=int4 \
    --granularity=per_block --block-size=32 --qscheme=asymmetric \
    --scale-dtype=f16
} >"$rows"

python3 - "$rows" <<'PYTHON'
import json, os, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
float_bytes = None
for row in rows:
    if os.path.exists(row["report"]):
        float_bytes = json.load(open(row["report"]))["totals"]["bytes_before"]
print("| weights | file (bytes) | weight bytes | top-1 (%) | SQNR (dB) |")
print("|---|---:|---:|---:|---:|")
for row in rows:
    run = {}
    for part in row["run"]:
        run.update(part)
    size = float_bytes
    if os.path.exists(row["report"]):
        size = json.load(open(row["report"]))["totals"]["bytes_after"]
    sqnr = run["compare"]["sqnr_db"]
    print("| %s | %d | %d | %.2f | %s |" % (
        row["name"], os.path.getsize(row["file"]), size,
        run["labels"]["top1"], "exact" if sqnr is None else "%.1f" % sqnr))
PYTHON

#!/usr/bin/env bash
# Builds everything and runs every test; the last line is
# `N passed, N failed, N skipped`. check.sh [preset]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
# Benchmarks are not in a build of everything; they are tested here, too.
targets=(all)
if [ "$preset" != asan-ubsan ]; then
  targets+=(quant-bench)
fi
utils/build.sh "$preset" "${targets[@]}"
case $preset in
  release) directory=build ;;
  dev) directory=build-dev ;;
  asan-ubsan) directory=build-asan ;;
esac

lit=$(command -v lit-22 || echo /usr/lib/llvm-22/bin/lit)
results=$directory/test-results
mkdir -p "$results"
status=0
"$lit" -sv "$directory/test" --output "$results/suite.json" || status=1
# The same IR once more, through printing and parsing.
"$lit" -sv "$directory/test" --filter '^quant-mlir \(round trip\)' \
  --param roundtrip=1 --output "$results/roundtrip.json" || status=1

python3 - "$results"/suite.json "$results"/roundtrip.json <<'PYTHON'
import json, sys
counts = {"passed": 0, "failed": 0, "skipped": 0}
kind = {"PASS": "passed", "XFAIL": "passed", "FLAKYPASS": "passed",
        "UNSUPPORTED": "skipped", "SKIPPED": "skipped", "EXCLUDED": None}
for path in sys.argv[1:]:
    for test in json.load(open(path))["tests"]:
        key = kind.get(test["code"], "failed")
        if key:
            counts[key] += 1
print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
if counts["passed"] == 0:
    sys.exit(1)
PYTHON
exit $status

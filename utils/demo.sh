#!/usr/bin/env bash
# From nothing to the result: installs, builds, quantizes the weights of the
# bundled model in several ways, runs each on the test images, and prints one
# table. See examples/digits/README.md for the model.
set -euo pipefail
cd "$(dirname "$0")/.."

utils/build.sh release quant-opt quant-calibrate quant-run
PATH=$PWD/build/bin:$PATH examples/digits/table.sh build/demo

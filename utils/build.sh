#!/usr/bin/env bash
# Installs, configures and builds: build.sh [preset] [targets…]. A second run
# rebuilds what changed. Presets: release (default), dev, asan-ubsan.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
shift || true
utils/install-dependencies.sh "$preset"

case $preset in
  release) directory=build ;;
  dev) directory=build-dev ;;
  asan-ubsan) directory=build-asan ;;
  *)
    echo "error: expected a preset release, dev or asan-ubsan, found '$preset'" >&2
    exit 1
    ;;
esac
log=$directory/configure.log
mkdir -p "$directory"
if ! cmake --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
# Two jobs fit into 4 GB; more only where the machine has more cores.
jobs=$(nproc)
cmake --build "$directory" -j "$jobs" ${1:+--target "$@"}

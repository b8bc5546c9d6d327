#!/usr/bin/env bash
# The benchmark in one command: installs the peers, builds, measures, prints one
# table and writes build/benchmarks/results.json. Options go to quant-bench, for
# example --filter='int4', --quick, --threads=1,2 (the default), --peers-only.
# Without network or npm what is missing is left out, and the table says so.
set -euo pipefail
cd "$(dirname "$0")/.."

onnxruntime_version=1.30.0
# Has ggml, built for every kind of x86-64 and AArch64.
node_llama_version=3.22.1

as_root=()
if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
  as_root=(sudo)
fi
missing=()
for package in libdnnl-dev ocl-icd-opencl-dev python3-onnx; do
  if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
      grep -q 'install ok installed'; then
    missing+=("$package")
  fi
done
# Debian's, or whoever's.
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
  "${as_root[@]}" apt-get update -qq || true
fi
for package in "${missing[@]}"; do
  echo "installing $package" >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
    echo "note: $package could not be installed, its peer is left out" >&2
done

utils/build.sh release quant-bench quant-calibrate >&2

# install_npm FOLDER PACKAGE VERSION: into build/benchmarks/FOLDER.
install_npm() {
  local folder=build/benchmarks/$1 package=$2 version=$3
  grep -qs "\"version\": \"$version\"" \
    "$folder/node_modules/$package/package.json" && return
  mkdir -p "$folder"
  # Scripts would only fetch GPU libraries, or build what is there.
  (cd "$folder" && npm install --silent --no-audit --no-fund --ignore-scripts \
    "$package@$version" >&2) ||
    echo "note: $package could not be installed, it is left out" >&2
}

case $(uname -m) in
  x86_64) architecture=x64 ;;
  aarch64) architecture=arm64 ;;
  *) architecture=none ;;
esac
install_npm onnxruntime onnxruntime-node "$onnxruntime_version"
install_npm ggml "@node-llama-cpp/linux-$architecture" "$node_llama_version"
options=()
library=$(find build/benchmarks/onnxruntime/node_modules \
  -path "*/linux/$architecture/libonnxruntime.so*" 2>/dev/null | head -1)
if [ -n "$library" ]; then
  options+=("--onnxruntime=$library")
fi
library=$(find build/benchmarks/ggml/node_modules -name libggml-base.so \
  2>/dev/null | head -1)
if [ -n "$library" ]; then
  options+=("--ggml=$(dirname "$library")")
fi
for default in --threads=1,2 --json=build/benchmarks/results.json; do
  case " $* " in
    *" ${default%%=*}"*) ;;
    *) options+=("$default") ;;
  esac
done
exec build/bin/quant-bench "${options[@]}" "$@"

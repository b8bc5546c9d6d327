#!/usr/bin/env bash
# Installs what building and testing need, from Debian's packages; does nothing
# where it is all there. Sourced or run by demo.sh and check.sh.
set -euo pipefail

packages=(
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools clang-22 lld-22
  libomp-22-dev zlib1g-dev libzstd-dev libxml2-dev
  cmake ninja-build ccache python3
  # Tests: unit tests and the oracle.
  libgtest-dev python3-numpy
  # Arm code, built and run on any machine.
  qemu-user libc6-dev-arm64-cross libgcc-12-dev-arm64-cross
  # GPUs: headers, the loader, a device in software, the validator of SPIR-V.
  libvulkan-dev libvulkan1 mesa-vulkan-drivers spirv-tools
)

# The sanitizers' runtime, for the preset that needs it.
if [ "${1:-}" = asan-ubsan ]; then
  packages+=(libclang-rt-22-dev)
fi

missing=()
for package in "${packages[@]}"; do
  if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
      grep -q 'install ok installed'; then
    missing+=("$package")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "error: expected root or sudo to install: ${missing[*]}" >&2
    echo "install them yourself and run this again" >&2
    exit 1
  fi
  sudo=(sudo)
fi
echo "installing: ${missing[*]}"
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
  --no-install-recommends "${missing[@]}" >/dev/null

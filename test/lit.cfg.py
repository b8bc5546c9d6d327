# Configuration of the test suite.
#
# Features, each present where the machine has what it needs:
#   numpy          a Python with numpy: runs against the oracle in test/oracle
#   shared-models  real models beside the checkout, or in QUANT_SHARED_MODELS
#   asan           built with AddressSanitizer
#   mpi            quant-calibrate has its MPI module, and there is an mpirun
#   avx2           this processor has it
#   amx            the same of tile registers, and the system grants their use
#   aarch64        programs for AArch64 can be linked, and run in qemu
#   vulkan         quant-run is built with Vulkan, and Mesa's lavapipe is there
#   spirv-val      the validator of SPIR-V
#   ptxas          NVIDIA's assembler
#   mock-cuda      the library that stands in for NVIDIA's driver is built
#   mock-hip       the library that stands in for AMD's HIP is built
#   benchmarks     quant-bench, which a build of everything leaves out, is built
#   onnxruntime    benchmarks/run.sh has installed it
#   ggml           the same of ggml
#   embedding      programs can be linked with the libraries as they were built
#
# Parameters:
#   --param roundtrip=1   every quant-opt also verifies that its IR survives
#                         printing and parsing, as text and as bytecode

import ctypes
import glob
import os
import platform
import sys

import lit.formats
import lit.util

config.name = "quant-mlir"
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "oracle"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.quant_build_dir, "test")
# DEFINEd substitutions may use others.
config.recursiveExpansionLimit = 4
config.test_format = lit.formats.ShTest(execute_external=False)

tools = os.path.join(config.quant_build_dir, "bin")
config.environment["PATH"] = os.pathsep.join(
    [tools, config.llvm_tools_dir, os.environ.get("PATH", "")])
# Output of tests does not depend on the terminal or on the number of cores.
config.environment["OMP_NUM_THREADS"] = "2"

if lit_config.params.get("roundtrip"):
    config.name += " (round trip)"
    config.substitutions.append(
        (r"\bquant-opt\b(?!\S| --verify-roundtrip)",
         "quant-opt --verify-roundtrip"))
    # Nothing to learn there; IR whose resources are left out on purpose; and
    # upstream reads its copy of bytecode with resources from unaligned memory.
    config.excludes += ["invalid.mlir", "integer-invalid.mlir", "quant-run",
                        "Integration", "docs", "resources.mlir", "bytecode.mlir"]

config.substitutions.append(
    ("%plugin", os.path.join(config.quant_build_dir, "lib", "QuantPlugin.so")))
# Any Python; %python has numpy.
config.substitutions.append(("%lit_python", sys.executable))
config.substitutions.append(("%source_dir", config.quant_source_dir))
config.substitutions.append(
    ("%digits", os.path.join(config.quant_source_dir, "examples", "digits")))
config.substitutions.append(("%oracle", os.path.join(
    config.test_source_root, "oracle")))

if config.python:
    config.available_features.add("numpy")
    config.environment["MLIR_OPT"] = os.path.join(config.llvm_tools_dir,
                                                  "mlir-opt")
    config.substitutions.append(("%python", config.python))

shared = os.environ.get("QUANT_SHARED_MODELS", os.path.join(
    config.quant_source_dir, os.pardir, "shared", "models"))
if os.path.isdir(shared):
    config.available_features.add("shared-models")
    config.substitutions.append(("%shared", os.path.realpath(shared)))

config.substitutions.append(("%build_dir", config.quant_build_dir))
config.substitutions.append(("%cxx", config.cxx))
if "address" in config.sanitizers:
    config.available_features.add("asan")
    config.environment["ASAN_OPTIONS"] = config.asan_options
if config.mpirun and not config.sanitizers:
    config.available_features.add("mpi")
    # As root, and with more processes than cores, as tests are run.
    config.substitutions.append(("%mpirun", "env OMPI_ALLOW_RUN_AS_ROOT=1 "
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 %s --oversubscribe" % config.mpirun))
# Software for a GPU, so that kernels run on any machine. The driver's own leaks are
# not ours.
lavapipe = glob.glob("/usr/share/vulkan/icd.d/lvp_icd*.json")
if config.vulkan and lavapipe and not config.sanitizers:
    config.available_features.add("vulkan")
    config.environment["VK_ICD_FILENAMES"] = lavapipe[0]
ptxas = lit.util.which("ptxas", os.pathsep.join(
    [config.environment["PATH"], "/usr/local/cuda/bin"]))
if ptxas:
    config.available_features.add("ptxas")
    config.substitutions.append(("%ptxas", ptxas))
# Libraries that stand in for drivers, and record and check calls.
for name, library in (("mock-cuda", "libcuda.so.1"), ("mock-hip", "libamdhip64.so.6")):
    folder = os.path.join(config.quant_build_dir, "unittests", "lib", name)
    if os.path.exists(os.path.join(folder, library)) and not config.sanitizers:
        config.available_features.add(name)
        config.substitutions.append(("%" + name.replace("-", "_"), folder))
if lit.util.which("spirv-val", config.environment["PATH"]):
    config.available_features.add("spirv-val")
if os.path.exists("/proc/cpuinfo"):
    with open("/proc/cpuinfo") as cpuinfo:
        flags = cpuinfo.read()
    if " avx2 " in flags:
        config.available_features.add("avx2")
    # arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA), as CPUTarget asks.
    if " amx_int8 " in flags and ctypes.CDLL(None).syscall(158, 0x1023, 18) == 0:
        config.available_features.add("amx")
qemu = lit.util.which("qemu-aarch64", config.environment["PATH"])
if qemu and os.path.exists("/usr/aarch64-linux-gnu/lib/libc.a"):
    config.available_features.add("aarch64")
    # The most capable processor there is: dotprod and i8mm among its features.
    config.substitutions.append(("%run_aarch64", qemu + " -cpu max"))
    config.substitutions.append(
        ("%cc_aarch64", config.cxx + " --target=aarch64-linux-gnu -fuse-ld=lld "
         "-static -nostdlib++ -Wno-deprecated"))
if not config.sanitizers:
    if os.path.exists(os.path.join(tools, "quant-bench")):
        config.available_features.add("benchmarks")
    architecture = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    onnxruntime = glob.glob(os.path.join(
        config.quant_build_dir, "benchmarks", "onnxruntime", "node_modules",
        "onnxruntime-node", "bin", "*", "linux", str(architecture),
        "libonnxruntime.so*"))
    if onnxruntime and config.python:
        config.available_features.add("onnxruntime")
        config.substitutions.append(("%onnxruntime", onnxruntime[0]))
    ggml = glob.glob(os.path.join(
        config.quant_build_dir, "benchmarks", "ggml", "node_modules", "@node-llama-cpp",
        "*", "bins", "*", "libggml-base.so"))
    if ggml:
        config.available_features.add("ggml")
        config.substitutions.append(("%ggml", os.path.dirname(ggml[0])))
    config.available_features.add("embedding")

//===- GPU.h - What a GPU offers to quantized kernels -----------*- C++ -*-===//
//
// What lowerings ask a GPU: its limits, what its arithmetic promises, and how
// weights are packed for it. Its matrix instruction is in the target's folder
// of lib/Conversion/QuantToGPU.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_TARGET_GPU_H
#define QUANT_MLIR_TARGET_GPU_H

#include "quant-mlir/Target/Panels.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>

namespace quant_mlir {

/// What a kernel is written in at last.
enum class GPUKind {
  SPIRV, ///< Vulkan compute shaders
  NVVM,  ///< PTX, for GPUs of NVIDIA's with tensor cores of 8-bit integers
  ROCDL, ///< code objects, for GPUs of AMD's with MFMA or WMMA of such
};

/// Values on the left-hand side of a product: beside the same or codes of
/// integers, f32 beside those alone, codes of fp8 beside such or f16.
enum class ValueKind { F16, BF16, F32, SmallFloat };

/// "spirv", "nvvm", "rocdl".
llvm::StringRef getName(GPUKind kind);
std::optional<GPUKind> symbolizeGPUKind(llvm::StringRef name);

/// What `--lower-to` and `--gpu-arch` say.
struct GPUTargetOptions {
  GPUKind kind = GPUKind::SPIRV;
  /// A name of the target's; empty is its plainest one.
  std::string arch;
  /// NVVM and ROCDL: kernels are left as LLVM IR, which GPUEmulator.h runs.
  bool isEmulated = false;
};

class GPUTarget : public PanelTarget {
public:
  /// Fails on an architecture that the target does not know.
  static llvm::Expected<GPUTarget> get(const GPUTargetOptions &options = {});
  /// Of what options of passes say; fails on a `kind` that is none, too.
  static llvm::Expected<GPUTarget> get(llvm::StringRef kind,
                                       llvm::StringRef arch);

  GPUKind getKind() const { return kind; }
  llvm::StringRef getArch() const { return arch; }
  llvm::StringRef getName() const override { return quant_mlir::getName(kind); }

  /// Invocations of a workgroup, and the most workgroups along one dimension.
  int64_t getGroupSize() const;
  int64_t getMaxGroups() const { return 65535; }
  /// Invocations that run as one, as far as kernels mind.
  int64_t getWaveSize() const {
    return kind == GPUKind::ROCDL && !isRDNA() ? 64 : 32;
  }
  /// Whether kernels say what all lanes of a wave have in common, and it is
  /// loaded once. Of RDNA's the emulator could not tell how wide a wave is.
  bool sharesInWaves() const { return kind == GPUKind::ROCDL && !isRDNA(); }
  bool isRDNA() const { return getArch().starts_with("gfx11"); }
  /// Bits of an index.
  unsigned getIndexWidth() const { return isSPIRV() ? 32 : 64; }
  /// Workgroups that run at the same time, at least: fewer leave cores idle.
  int64_t getNumCores() const { return 100; }
  /// Rows of the result beside each other that workgroups at one time have; 0
  /// for all. A square of 2048 is what 128 tiles of 256 by 128 are.
  int64_t getStripRows() const { return kind == GPUKind::NVVM ? 2048 : 0; }
  /// Columns of a workgroup, where several share a panel of weights.
  int64_t getMinTileColumns() const { return kind == GPUKind::NVVM ? 32 : 128; }

  /// Bytes of shared memory that a kernel has without asking for them when it
  /// is launched.
  int64_t getStaticSharedBytes() const { return 48 << 10; }

  /// Whether f64 and 64-bit integers are as IEEE 754 and two's complement say.
  /// Where they are not promised, the host does what needs them.
  bool hasExactDoubles() const { return !isSPIRV(); }
  bool hasWideIntegers() const { return !isSPIRV(); }
  /// Iterations of an invocation's loops, where there is a limit: Mesa's device
  /// in software (llvmpipe) leaves a loop after so many, without a word.
  std::optional<uint64_t> getMaxIterations() const {
    return isSPIRV() ? std::optional<uint64_t>(65535) : std::nullopt;
  }
  /// Whether buffers of contractions are of 16-bit floats, too.
  bool hasHalfBuffers() const { return !isSPIRV(); }

  /// Whether `codes` of a reduction may share a scale: those of a chunk, or of
  /// whole steps of products.
  static bool hasBlocksOf(int64_t codes) {
    return codes == 16 || (codes != 0 && codes % 32 == 0);
  }
  bool splitsTuples() const override { return true; }
  bool takesPanelsInOrder() const override { return true; }

  /// Whether there are kernels for sums of these values, and for f32 beside
  /// f32.
  bool multiplies(ValueKind value) const;
  bool multipliesFloats() const { return isSPIRV(); }
  /// Whether few rows of values are columns of the matrix instruction, and the
  /// most columns that a lane has where they are not.
  bool streamsOnMatrixUnits() const { return kind == GPUKind::NVVM; }
  int64_t getStreamColumns() const { return isSPIRV() ? 4 : 2; }

  /// What one lane copies: 16 bytes of a column.
  int64_t getDotGroup() const override { return 16; }
  int64_t getValueGroup(unsigned width) const override {
    return width > 8 ? 128 / width : 16;
  }
  int64_t getDepthwiseGroup() const override { return 4; }
  bool readsPanels(int64_t width) const override {
    return width == 32 || width == 64 || width == 128;
  }
  int64_t getPanelColumns(int64_t columns) const override;

private:
  GPUTarget() = default;
  bool isSPIRV() const { return kind == GPUKind::SPIRV; }

  GPUKind kind = GPUKind::SPIRV;
  std::string arch;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_TARGET_GPU_H

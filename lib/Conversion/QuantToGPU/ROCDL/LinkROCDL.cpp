//===- LinkROCDL.cpp - Assembly to code objects ---------------------------===//
//
// What a driver of AMD's loads is a shared object. LLVM assembles it in memory;
// lld, which is a program, links it: upstream looks for that in an installation
// of ROCm, and there need not be one.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Conversion/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Target/LLVM/ROCDL/Utils.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

namespace quant_mlir {
#define GEN_PASS_DEF_LINKROCDLPASS
#include "quant-mlir/Conversion/Passes.h.inc"
} // namespace quant_mlir

using namespace mlir;

/// An empty file, which goes with its owner.
static std::unique_ptr<llvm::FileRemover> makeFile(StringRef suffix,
                                                   SmallString<64> &path) {
  if (llvm::sys::fs::createTemporaryFile("quant-rocdl", suffix, path))
    return nullptr;
  return std::make_unique<llvm::FileRemover>(path);
}

/// The shared object of a relocatable one.
static FailureOr<std::string> link(gpu::BinaryOp op, ArrayRef<char> object) {
  llvm::ErrorOr<std::string> linker = std::error_code();
  for (StringRef name : {"ld.lld-22", "ld.lld"})
    if ((linker = llvm::sys::findProgramByName(name)))
      break;
  if (!linker)
    return op.emitOpError()
           << "needs ld.lld-22 or ld.lld to link kernels, and found neither on "
              "PATH: install lld";
  SmallString<64> input, output, messages;
  auto inputFile = makeFile("o", input), outputFile = makeFile("so", output),
       messageFile = makeFile("txt", messages);
  if (!inputFile || !outputFile || !messageFile)
    return op.emitOpError() << "could not create temporary files";
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(input, error);
    if (!error)
      stream.write(object.data(), object.size());
    stream.close();
    if (error || stream.has_error()) {
      stream.clear_error();
      return op.emitOpError() << "could not write " << input;
    }
  }
  std::string text;
  std::optional<StringRef> redirects[] = {StringRef(), messages.str(),
                                          messages.str()};
  int status = llvm::sys::ExecuteAndWait(
      *linker, {*linker, "-shared", input.str(), "-o", output.str()},
      std::nullopt, redirects, /*SecondsToWait=*/0, /*MemoryLimit=*/0, &text);
  if (status != 0) {
    if (auto buffer = llvm::MemoryBuffer::getFile(messages))
      text += (*buffer)->getBuffer();
    return op.emitOpError() << "was not linked by " << *linker << ": " << text;
  }
  auto buffer = llvm::MemoryBuffer::getFile(output);
  if (!buffer)
    return op.emitOpError() << "could not read " << output;
  return (*buffer)->getBuffer().str();
}

namespace {
struct LinkROCDLPass
    : public quant_mlir::impl::LinkROCDLPassBase<LinkROCDLPass> {
  void runOnOperation() override {
    for (auto op : llvm::to_vector(getOperation().getOps<gpu::BinaryOp>())) {
      SmallVector<Attribute> objects;
      for (Attribute attribute : op.getObjects()) {
        auto object = cast<gpu::ObjectAttr>(attribute);
        auto target = dyn_cast<ROCDL::ROCDLTargetAttr>(object.getTarget());
        if (!target || object.getFormat() != gpu::CompilationTarget::Assembly) {
          objects.push_back(object);
          continue;
        }
        FailureOr<SmallVector<char, 0>> assembled = ROCDL::assembleIsa(
            object.getObject().getValue(), target.getTriple(), target.getChip(),
            target.getFeatures(), [&] { return op.emitOpError(); });
        if (failed(assembled))
          return signalPassFailure();
        FailureOr<std::string> linked = link(op, *assembled);
        if (failed(linked))
          return signalPassFailure();
        objects.push_back(
            gpu::ObjectAttr::get(target, gpu::CompilationTarget::Binary,
                                 StringAttr::get(&getContext(), *linked),
                                 object.getProperties(), object.getKernels()));
        ++numLinked;
      }
      op.setObjectsAttr(ArrayAttr::get(&getContext(), objects));
    }
  }
};
} // namespace

//===- OutputFile.cpp -----------------------------------------------------===//

#include "quant-mlir/Support/OutputFile.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>

using namespace quant_mlir;

struct OutputFile::Impl {
  std::string path;
  std::string target; // `path` with links followed
  std::optional<llvm::sys::fs::TempFile>
      temp; // none: `content` is written late
  std::string content;

  ~Impl() {
    if (temp)
      llvm::consumeError(temp->discard());
  }
};

OutputFile::OutputFile(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
OutputFile::OutputFile(OutputFile &&) = default;
OutputFile &OutputFile::operator=(OutputFile &&) = default;
OutputFile::~OutputFile() = default;

static llvm::Error cannotWrite(llvm::StringRef path, const llvm::Twine &why) {
  return makeFileError(path, "cannot be written: " + why);
}

llvm::Expected<OutputFile>
OutputFile::stage(llvm::StringRef path,
                  llvm::function_ref<void(llvm::raw_ostream &)> write) {
  auto impl = std::make_unique<Impl>();
  impl->path = path.str();
  impl->target = path.str();

  llvm::sys::fs::file_status status;
  bool exists = !llvm::sys::fs::status(path, status);
  if (exists && llvm::sys::fs::is_directory(status))
    return cannotWrite(path, "it is a directory; give the name of a file");
  if (path == "-" || (exists && !llvm::sys::fs::is_regular_file(status))) {
    llvm::raw_string_ostream os(impl->content);
    write(os);
    return OutputFile(std::move(impl));
  }
  if (exists) {
    llvm::SmallString<128> real;
    if (!llvm::sys::fs::real_path(path, real))
      impl->target = real.str().str();
    if (std::error_code ec = llvm::sys::fs::access(
            impl->target, llvm::sys::fs::AccessMode::Write))
      return cannotWrite(path, ec.message());
  }

  auto temp = llvm::sys::fs::TempFile::create(impl->target + ".tmp-%%%%%%%%");
  if (!temp)
    return cannotWrite(path, llvm::toString(temp.takeError()));
  impl->temp.emplace(std::move(*temp));
  llvm::raw_fd_ostream os(impl->temp->FD, /*shouldClose=*/false);
  write(os);
  os.flush();
  if (os.has_error()) {
    std::error_code ec = os.error();
    os.clear_error();
    return cannotWrite(path, ec.message());
  }
  return OutputFile(std::move(impl));
}

llvm::Error OutputFile::commit() {
  if (impl->temp) {
    llvm::Error error = impl->temp->keep(impl->target);
    impl->temp.reset();
    if (error)
      return cannotWrite(impl->path, llvm::toString(std::move(error)));
    return llvm::Error::success();
  }
  std::error_code ec;
  llvm::raw_fd_ostream os(impl->path, ec);
  if (ec)
    return cannotWrite(impl->path, ec.message());
  os << impl->content;
  os.flush();
  if (os.has_error()) {
    ec = os.error();
    os.clear_error();
    return cannotWrite(impl->path, ec.message());
  }
  return llvm::Error::success();
}

llvm::Error quant_mlir::writeFileAtomically(
    llvm::StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write) {
  llvm::Expected<OutputFile> file = OutputFile::stage(path, write);
  if (!file)
    return file.takeError();
  return file->commit();
}

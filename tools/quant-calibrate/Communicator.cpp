//===- Communicator.cpp - Processes that share a calibration --------------===//

#include "Communicator.h"

#include "MpiModule.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstdlib>

using namespace quant_mlir;

Communicator::~Communicator() = default;

llvm::Error Communicator::agree(llvm::Error error) {
  if (size == 1)
    return error;
  std::string message;
  bool failed = static_cast<bool>(error);
  if (failed)
    message = llvm::toString(std::move(error));
  else
    llvm::consumeError(std::move(error));
  std::string first;
  bool anyFailed = false;
  // A message of a failure is never empty here: the first byte says so.
  for (llvm::StringRef other : gather((failed ? "!" : "") + message))
    if (!anyFailed && other.consume_front("!")) {
      anyFailed = true;
      first = other.str();
    }
  anyFailed = broadcast(anyFailed ? "!" : "") == "!";
  if (!anyFailed)
    return llvm::Error::success();
  return makeError(first);
}

namespace {
class OneProcess : public Communicator {
public:
  std::vector<std::string> gather(llvm::StringRef bytes) override {
    return {bytes.str()};
  }
  std::string broadcast(llvm::StringRef bytes) override { return bytes.str(); }
};

class MpiProcesses : public Communicator {
public:
  explicit MpiProcesses(const quant_mpi_api &api) : api(api) {
    api.init(&rank, &size);
  }
  ~MpiProcesses() override { api.finalize(); }

  std::vector<std::string> gather(llvm::StringRef bytes) override {
    std::vector<std::string> all;
    api.gather(
        bytes.data(), static_cast<int64_t>(bytes.size()),
        [](void *context, const char *data, int64_t size) {
          static_cast<std::vector<std::string> *>(context)->emplace_back(
              data, static_cast<size_t>(size));
        },
        &all);
    return all;
  }
  std::string broadcast(llvm::StringRef bytes) override {
    std::string received;
    api.broadcast(
        bytes.data(), static_cast<int64_t>(bytes.size()),
        [](void *context, const char *data, int64_t size) {
          static_cast<std::string *>(context)->assign(
              data, static_cast<size_t>(size));
        },
        &received);
    return received;
  }

private:
  const quant_mpi_api &api;
};
} // namespace

/// Processes that a launcher says it has started: 0 where there is none, or
/// where it does not say how many.
static int64_t getLaunched(bool &isLaunched) {
  // Open MPI, MPICH and its relatives.
  for (const char *name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char *text = std::getenv(name)) {
      int64_t size = 0;
      isLaunched = !llvm::StringRef(text).getAsInteger(10, size) && size > 1;
      return size;
    }
  // PMIx does not say.
  isLaunched = std::getenv("PMIX_RANK") != nullptr;
  return 0;
}

static llvm::Expected<const quant_mpi_api *> loadModule(const char *program) {
  static int anchor;
  llvm::SmallString<256> path(
      llvm::sys::fs::getMainExecutable(program, &anchor));
  llvm::sys::path::remove_filename(path);
  llvm::sys::path::append(path, "..", QUANT_MPI_MODULE);
  llvm::sys::path::remove_dots(path, /*remove_dot_dot=*/true);
  if (!llvm::sys::fs::exists(path))
    return makeError("is started by an MPI launcher, but was built without "
                     "MPI; start it without, or install Open MPI "
                     "(libopenmpi-dev, openmpi-bin) and build it again");
  std::string message;
  // MPI loads components of its own that need its symbols: visible to all.
  auto library =
      llvm::sys::DynamicLibrary::getPermanentLibrary(path.c_str(), &message);
  if (!library.isValid())
    return makeFileError(path, "cannot be loaded: " + message);
  auto get = reinterpret_cast<decltype(&quant_get_mpi_api)>(
      library.getAddressOfSymbol("quant_get_mpi_api"));
  if (!get)
    return makeFileError(path, "is no MPI module of quant-calibrate");
  return get();
}

llvm::Expected<std::unique_ptr<Communicator>>
Communicator::create(const char *program) {
  bool isLaunched = false;
  int64_t launched = getLaunched(isLaunched);
  if (!isLaunched)
    return std::make_unique<OneProcess>();
  auto api = loadModule(program);
  if (!api)
    return api.takeError();
  auto processes = std::make_unique<MpiProcesses>(**api);
  if (launched > 1 && processes->getSize() == 1)
    return makeError("is started as one of " + llvm::Twine(launched) +
                     " processes, but its MPI knows of no other; start it with "
                     "the mpirun of the MPI that it was built with");
  return processes;
}

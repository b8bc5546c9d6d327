//===- MockDriver.cpp - What drivers that are none have in common ---------===//

#include "MockDriver.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

using namespace mock;

/// Set in addresses of the device's own memory: no address of the host's.
static constexpr uint64_t deviceBit = uint64_t(1) << 62;
static constexpr size_t alignment = 256;

/// Ends with the code that a call fails with, where it does.
#define ENTER(...)                                                             \
  if (int failure = enter(__VA_ARGS__))                                        \
  return failure

void Library::readEnvironment(
    const std::string &prefix,
    const std::function<bool(const std::string &, const std::string &)> &set) {
  if (const char *path = std::getenv((prefix + "_LOG").c_str()))
    log = path;
  const char *text = std::getenv(prefix.c_str());
  std::istringstream entries(text ? text : "");
  for (std::string entry; std::getline(entries, entry, ',');) {
    size_t at = entry.find('=');
    std::string key = entry.substr(0, at), value = entry.substr(at + 1);
    if (key == "devices")
      driver.devices = std::stoi(value);
    else if (key == "managed")
      driver.managed = std::stoi(value);
    else if (key == "shared")
      driver.sharedBytes = std::stoi(value);
    else if (key == "fail")
      driver.failing[value.substr(0, value.find(':'))] =
          std::stoi(value.substr(value.find(':') + 1));
    else if (!set(key, value))
      fault(prefix + " has no " + key);
  }
}

void Library::write(const std::string &line) {
  if (log.empty())
    return;
  if (FILE *file = std::fopen(log.c_str(), "a")) {
    std::fprintf(file, "%s\n", line.c_str());
    std::fclose(file);
  }
}

void Library::fault(const std::string &text) {
  driver.faults.push_back(text);
  write("FAULT " + text);
}

int Library::enter(const char *call, const std::string &detail) {
  driver.calls.push_back(call);
  write(call + (detail.empty() ? "" : " " + detail));
  auto failing = driver.failing.find(call);
  if (failing != driver.failing.end())
    return failing->second;
  if (!isReady) {
    fault(std::string(call) + " before the library is initialized");
    return notInitialized;
  }
  return checkCall(call);
}

//===----------------------------------------------------------------------===//
// Devices and streams
//===----------------------------------------------------------------------===//

/// What the driver calls a stream.
static char streamObject;

int Library::initialize(const char *call, unsigned flags) {
  isReady = true;
  ENTER(call);
  if (driver.devices == 0)
    return noDevice;
  return flags == 0 ? success : invalidValue;
}

int Library::countDevices(const char *call, int *count) {
  ENTER(call);
  *count = driver.devices;
  return success;
}

int Library::createStream(const char *call, void **stream, unsigned flags) {
  ENTER(call);
  *stream = &streamObject;
  return flags <= 1 ? success : invalidValue;
}

int Library::synchronize(const char *call, void *stream) {
  ENTER(call);
  return stream == &streamObject ? success : invalidHandle;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

int Library::keep(std::unique_ptr<Module> made, void **handle) {
  *handle = made.get();
  modules.insert(made.release());
  ++driver.liveModules;
  return success;
}

int Library::unload(const char *call, void *handle) {
  ENTER(call);
  auto *known = static_cast<Module *>(handle);
  if (!modules.erase(known)) {
    fault("unloaded no module");
    return invalidHandle;
  }
  delete known;
  --driver.liveModules;
  return success;
}

int Library::getFunction(const char *call, void **function, void *handle,
                         const char *name) {
  ENTER(call, name);
  auto *known = static_cast<Module *>(handle);
  if (!modules.count(known))
    return invalidHandle;
  auto found = known->functions.find(name);
  if (found == known->functions.end())
    return notFound;
  *function = found->second.get();
  return success;
}

int Library::launch(const char *call, void *handle, MockLaunch launch,
                    void *stream, void **parameters, void **extra) {
  auto *function = static_cast<Function *>(handle);
  ENTER(call, function->name);
  if (stream != &streamObject || extra)
    return invalidHandle;
  const unsigned *grid = launch.grid, *block = launch.block;
  if (!grid[0] || !grid[1] || !grid[2] || !block[0] || !block[1] || !block[2] ||
      grid[1] > 65535 || grid[2] > 65535 ||
      block[0] * block[1] * block[2] > 1024)
    return invalidValue;
  std::string wrong;
  Result result = function->check(launch, wrong);
  if (!wrong.empty())
    fault(wrong);
  if (result)
    return result;
  std::vector<uint64_t> words;
  std::vector<void *> buffers;
  for (size_t i = 0; i < function->numParameters(); ++i) {
    words.push_back(*static_cast<uint64_t *>(parameters[i]));
    bool isBuffer = function->isAddress(i, words[i]) && words[i] != 0;
    buffers.push_back(isBuffer ? locate(words[i], i) : nullptr);
  }
  launch.words = words.data();
  launch.buffers = buffers.data();
  if (runOfTest(function->name, launch))
    return success;
  std::string error = function->run(launch, allocations);
  if (!error.empty())
    fault(error);
  return error.empty() ? success : illegalAddress;
}

bool Library::runOfTest(const std::string &name, const MockLaunch &launch) {
  auto added = driver.kernels.find(name);
  if (added != driver.kernels.end()) {
    added->second(launch);
    return true;
  }
  using Kernel = void (*)(const MockLaunch *);
  std::string symbol = "mock_kernel_" + name;
  auto kernel = reinterpret_cast<Kernel>(dlsym(RTLD_DEFAULT, symbol.c_str()));
  if (kernel)
    kernel(&launch);
  return kernel;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Where the host reaches what is at an address.
static char *toHost(uint64_t address) {
  return reinterpret_cast<char *>(address & ~deviceBit);
}

Allocation *Library::find(uint64_t address, uint64_t bytes, const char *what) {
  auto found = allocations.upper_bound(address);
  if (found != allocations.begin()) {
    --found;
    uint64_t offset = address - found->first;
    if (offset < std::max<uint64_t>(found->second.bytes, 1) &&
        offset + bytes <= found->second.bytes)
      return &found->second;
  }
  fault(std::string(what) + " outside of the device's memory");
  return nullptr;
}

int Library::allocate(const char *call, uint64_t *address, size_t bytes,
                      bool isManaged, bool isHost) {
  ENTER(call, std::to_string(bytes));
  if (bytes == 0)
    return invalidValue;
  int64_t used = 0;
  for (auto &[at, allocation] : allocations)
    used += int64_t(allocation.bytes);
  if (used + int64_t(bytes) > driver.memoryLimit)
    return outOfMemory;
  size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  char *data = static_cast<char *>(std::aligned_alloc(alignment, rounded));
  // Nobody may rely on what is there.
  std::memset(data, 0xA5, rounded);
  bool isDevice = !isManaged && !isHost;
  *address = reinterpret_cast<uint64_t>(data) | (isDevice ? deviceBit : 0);
  allocations[*address] = {data, bytes, isDevice, isHost};
  ++driver.liveAllocations;
  return success;
}

int Library::release(const char *call, uint64_t address, bool isHost) {
  ENTER(call);
  auto found = allocations.find(address);
  if (found == allocations.end() || found->second.isHost != isHost) {
    fault("freed what was not allocated so");
    return invalidValue;
  }
  std::free(found->second.data);
  allocations.erase(found);
  --driver.liveAllocations;
  return success;
}

int Library::advise(const char *call, uint64_t address, size_t bytes,
                    bool isKnown) {
  ENTER(call);
  return find(address, bytes, "advice") && isKnown ? success : invalidValue;
}

int Library::upload(const char *call, uint64_t to, const void *from,
                    size_t bytes, void *stream) {
  ENTER(call, std::to_string(bytes));
  if (stream != &streamObject || !find(to, bytes, "a copy to the device"))
    return invalidValue;
  std::memcpy(toHost(to), from, bytes);
  driver.uploadedBytes += int64_t(bytes);
  return success;
}

int Library::download(const char *call, void *to, uint64_t from, size_t bytes,
                      void *stream) {
  ENTER(call, std::to_string(bytes));
  if (stream != &streamObject || !find(from, bytes, "a copy to the host"))
    return invalidValue;
  std::memcpy(to, toHost(from), bytes);
  driver.downloadedBytes += int64_t(bytes);
  return success;
}

int Library::copy(const char *call, uint64_t to, uint64_t from, size_t bytes,
                  void *stream) {
  ENTER(call, std::to_string(bytes));
  if (stream != &streamObject || !find(from, bytes, "a copy") ||
      !find(to, bytes, "a copy"))
    return invalidValue;
  std::memcpy(toHost(to), toHost(from), bytes);
  return success;
}

void *Library::locate(uint64_t word, size_t number) {
  if (word % 16 != 0)
    fault("parameter " + std::to_string(number) + " is not aligned");
  return find(word, 0, "a parameter") ? toHost(word) : nullptr;
}

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

void Memory::readEnvironment(
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

void Memory::write(const std::string &line) {
  if (log.empty())
    return;
  if (FILE *file = std::fopen(log.c_str(), "a")) {
    std::fprintf(file, "%s\n", line.c_str());
    std::fclose(file);
  }
}

void Memory::fault(const std::string &text) {
  driver.faults.push_back(text);
  write("FAULT " + text);
}

int Memory::enter(const char *call, const std::string &detail) {
  driver.calls.push_back(call);
  write(call + (detail.empty() ? "" : " " + detail));
  auto failing = driver.failing.find(call);
  return failing == driver.failing.end() ? 0 : failing->second;
}

Allocation *Memory::find(uint64_t address, uint64_t bytes, const char *what) {
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

char *Memory::toHost(uint64_t address) {
  return reinterpret_cast<char *>(address & ~deviceBit);
}

int Memory::allocate(uint64_t *address, size_t bytes, bool isDevice,
                     bool isHost) {
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
  *address = reinterpret_cast<uint64_t>(data) | (isDevice ? deviceBit : 0);
  allocations[*address] = {data, bytes, isDevice, isHost};
  ++driver.liveAllocations;
  return 0;
}

int Memory::release(uint64_t address, bool isHost) {
  auto found = allocations.find(address);
  if (found == allocations.end() || found->second.isHost != isHost) {
    fault("freed what was not allocated so");
    return invalidValue;
  }
  std::free(found->second.data);
  allocations.erase(found);
  --driver.liveAllocations;
  return 0;
}

int Memory::upload(uint64_t to, const void *from, size_t bytes) {
  if (!find(to, bytes, "a copy to the device"))
    return invalidValue;
  std::memcpy(toHost(to), from, bytes);
  driver.uploadedBytes += int64_t(bytes);
  return 0;
}

int Memory::download(void *to, uint64_t from, size_t bytes) {
  if (!find(from, bytes, "a copy to the host"))
    return invalidValue;
  std::memcpy(to, toHost(from), bytes);
  driver.downloadedBytes += int64_t(bytes);
  return 0;
}

void *Memory::locate(uint64_t word, size_t number) {
  if (word % 16 != 0)
    fault("parameter " + std::to_string(number) + " is not aligned");
  return find(word, 0, "a parameter") ? toHost(word) : nullptr;
}

bool Memory::run(const std::string &name, const MockLaunch &launch) {
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

//===- MockImage.cpp - What a driver is given to run ----------------------===//

#include "MockImage.h"

#include <regex>
#include <sstream>

using namespace quant_mlir;

/// The kernels that `entry` matches: name, parameters, what follows them.
static bool findKernels(const std::string &text, const std::regex &entry,
                        const char *address, const char *number,
                        MockImage &image) {
  for (std::sregex_iterator it(text.begin(), text.end(), entry), end; it != end;
       ++it) {
    auto function = std::make_unique<MockFunction>();
    function->emulator = image.emulator.get();
    function->name = (*it)[1];
    std::istringstream parameters((*it)[2]);
    for (std::string parameter; std::getline(parameters, parameter, ',');) {
      bool isAddress = parameter.find(address) != std::string::npos;
      if (!isAddress && parameter.find(number) == std::string::npos)
        return false;
      function->isAddressOf.push_back(isAddress);
    }
    std::smatch block;
    std::string rest = (*it)[3];
    if (std::regex_search(rest, block, std::regex(R"(\.maxntid\s+(\d+))")))
      function->block = unsigned(std::stoul(block[1]));
    image.functions[function->name] = std::move(function);
  }
  return !image.functions.empty();
}

std::unique_ptr<MockImage> MockImage::parse(const std::string &text,
                                            std::string &error) {
  static const std::regex ptx(R"(\.version\s+\d+\.\d+[\s\S]*\.target\s+\w+)");
  static const std::regex ptxEntry(
      R"(\.visible\s+\.entry\s+(\w+)\(([^)]*)\)([^{]*)\{)");
  static const std::regex irEntry(
      R"(define ptx_kernel void @(\w+)\(((?:[^()]|\(\w+\))*)\)([^{]*)\{)");
  auto image = std::make_unique<MockImage>();
  if (std::regex_search(text, ptx)) {
    if (!findKernels(text, ptxEntry, ".ptr", ".u64", *image)) {
      error = "expected kernels with parameters of 64 bits";
      return nullptr;
    }
    return image;
  }
  if (text.find("define ptx_kernel") == std::string::npos) {
    error = "line 1; expected PTX";
    return nullptr;
  }
  auto emulator = GPUEmulator::create(text);
  if (!emulator) {
    error = llvm::toString(emulator.takeError());
    return nullptr;
  }
  image->emulator = std::move(*emulator);
  if (!findKernels(text, irEntry, "ptr", "i64", *image)) {
    error = "expected kernels with parameters of 64 bits";
    return nullptr;
  }
  return image;
}

mock::Result MockFunction::check(const MockLaunch &launch, std::string &wrong) {
  unsigned size = launch.block[0] * launch.block[1] * launch.block[2];
  if (block && block != size)
    wrong = "a block of " + std::to_string(size) + " where PTX says " +
            std::to_string(block);
  return launch.sharedBytes > dynamicBytes ? mock::invalidValue : mock::success;
}

std::string
MockFunction::run(const MockLaunch &launch,
                  const std::map<uint64_t, mock::Allocation> &memory) {
  if (!emulator)
    return "";
  std::vector<EmulatedBuffer> buffers;
  for (auto &[address, allocation] : memory)
    buffers.push_back({allocation.data, allocation.bytes, true});
  std::vector<uint64_t> words;
  for (size_t i = 0; i < isAddressOf.size(); ++i)
    words.push_back(isAddressOf[i]
                        ? reinterpret_cast<uint64_t>(launch.buffers[i])
                        : launch.words[i]);
  std::vector<void *> parameters;
  for (uint64_t &word : words)
    parameters.push_back(&word);
  EmulatedLaunch emulated;
  emulated.grid = {launch.grid[0], launch.grid[1], launch.grid[2]};
  emulated.block = {launch.block[0], launch.block[1], launch.block[2]};
  emulated.dynamicSharedBytes = launch.sharedBytes;
  emulated.parameters = parameters;
  emulated.buffers = buffers;
  if (llvm::Error error = emulator->launch(name, emulated))
    return llvm::toString(std::move(error));
  return "";
}

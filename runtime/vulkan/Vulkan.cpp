//===- Vulkan.cpp - Launches through Vulkan -------------------------------===//
//
// quant-mlir-runtime/GPU.h. One launch at a time: a lock around each.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir-runtime/GPU.h"

#include "../DeviceEntry.h"
#include "../LaunchUses.h"
#include "../Staging.h"
#include "Device.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <vector>

using namespace quant_mlir;
using namespace quant_mlir::vulkan;

#define CHECK(call, ...) check(device.call(__VA_ARGS__), #call)

namespace {

/// A part of a block, where a kernel finds a buffer.
struct Place {
  VkBuffer buffer = VK_NULL_HANDLE;
  int64_t offset = 0;
};

class Copies;

/// The device, and what lies in its memory.
struct Runtime {
  Runtime();

  Device device;
  /// By address: what quant_vulkan_alloc gave.
  std::map<char *, Block> blocks;
  /// For copies of the host's buffers.
  BlockPool<Block> spare;

  Block take(int64_t bytes) {
    return spare.take(bytes,
                      [&](int64_t size) { return device.allocate(size); });
  }
  /// Of launches that are recorded, and read them.
  std::vector<std::unique_ptr<Copies>> pending;

  LaunchUses<VkBuffer> uses;

  /// Waits for all launches: those of other threads may be among them.
  void finish();
  /// The same where there is an error already.
  void finishQuietly();
  /// Where `data` lies, if a kernel reaches it there.
  bool find(const QuantGpuBuffer &buffer, Place &place) const;
};

bool Runtime::find(const QuantGpuBuffer &buffer, Place &place) const {
  char *data = static_cast<char *>(buffer.data);
  auto found = blocks.upper_bound(data);
  if (found == blocks.begin())
    return false;
  const Block &block = std::prev(found)->second;
  place = {block.buffer, data - block.data};
  return place.offset + buffer.bytes <= block.bytes &&
         place.offset % device.getOffsetAlignment() == 0;
}

/// Pieces of the host's memory that a launch uses, copied to blocks.
class Copies : public HostPieces<Block> {
public:
  explicit Copies(Runtime &runtime) : runtime(runtime) {}
  ~Copies() {
    for (Piece &piece : pieces)
      if (piece.block.buffer)
        runtime.spare.giveBack(piece.block);
  }

  void copyIn() {
    for (Piece &piece : pieces) {
      piece.block = runtime.take(piece.bytes());
      // Also what is written: a kernel may write parts of a buffer.
      std::memcpy(piece.block.data, piece.begin,
                  static_cast<size_t>(piece.bytes()));
    }
  }

  bool isAnyWritten() const {
    return std::any_of(pieces.begin(), pieces.end(),
                       [](const Piece &piece) { return piece.isWritten; });
  }

  void copyOut() {
    for (Piece &piece : pieces)
      if (piece.isWritten)
        std::memcpy(piece.begin, piece.block.data,
                    static_cast<size_t>(piece.bytes()));
  }

  Place place(const QuantGpuBuffer &buffer) const {
    const Piece &piece = find(buffer);
    int64_t offset = static_cast<char *>(buffer.data) - piece.begin;
    if (offset % runtime.device.getOffsetAlignment() != 0)
      throw Error("two buffers of a kernel overlap, and the second is not "
                  "where the device can reach it");
    return {piece.block.buffer, offset};
  }

private:
  Runtime &runtime;
};

Runtime::Runtime() = default;

void Runtime::finish() {
  uses.clear();
  try {
    device.submit();
  } catch (...) {
    pending.clear();
    throw;
  }
  pending.clear();
}

void Runtime::finishQuietly() {
  try {
    finish();
  } catch (const std::exception &) {
  }
}

/// A pipeline, its bindings, and its constants.
class Kernel {
public:
  Kernel(Runtime &runtime, const void *binary, int64_t size, const char *name,
         uint32_t numBuffers, uint32_t numNumbers);
  ~Kernel();

  void launch(const int64_t *shape, const QuantGpuBuffer *buffers,
              const int64_t *numbers);

private:
  void destroy();
  Place placeConstant(const QuantGpuBuffer &buffer);

  Runtime &runtime;
  Device &device;
  uint32_t numBuffers, numNumbers;
  VkShaderModule shader = VK_NULL_HANDLE;
  VkDescriptorSetLayout bindings = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkDescriptorPool pool = VK_NULL_HANDLE;
  VkDescriptorSet set = VK_NULL_HANDLE;
  /// Where `set` was recorded last: it must not change before that is done.
  uint64_t submission = 0;
  struct Constant {
    Block block;
    int64_t bytes = 0; ///< that are copied
  };
  std::map<void *, Constant> constants; ///< by address
};

Kernel::Kernel(Runtime &runtime, const void *binary, int64_t size,
               const char *name, uint32_t numBuffers, uint32_t numNumbers)
    : runtime(runtime), device(runtime.device), numBuffers(numBuffers),
      numNumbers(numNumbers) {
  try {
    VkShaderModuleCreateInfo shaderInfo = {};
    shaderInfo.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
    shaderInfo.codeSize = static_cast<size_t>(size);
    shaderInfo.pCode = static_cast<const uint32_t *>(binary);
    CHECK(vkCreateShaderModule, device.device, &shaderInfo, nullptr, &shader);

    std::vector<VkDescriptorSetLayoutBinding> slots(numBuffers);
    for (uint32_t i = 0; i < numBuffers; ++i)
      slots[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
                  VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
    VkDescriptorSetLayoutCreateInfo bindingInfo = {};
    bindingInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
    bindingInfo.bindingCount = numBuffers;
    bindingInfo.pBindings = slots.data();
    CHECK(vkCreateDescriptorSetLayout, device.device, &bindingInfo, nullptr,
          &bindings);

    VkPushConstantRange words = {VK_SHADER_STAGE_COMPUTE_BIT, 0,
                                 numNumbers * 4};
    VkPipelineLayoutCreateInfo layoutInfo = {};
    layoutInfo.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    layoutInfo.setLayoutCount = 1;
    layoutInfo.pSetLayouts = &bindings;
    layoutInfo.pushConstantRangeCount = numNumbers != 0;
    layoutInfo.pPushConstantRanges = &words;
    CHECK(vkCreatePipelineLayout, device.device, &layoutInfo, nullptr, &layout);

    VkComputePipelineCreateInfo pipelineInfo = {};
    pipelineInfo.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    pipelineInfo.stage.sType =
        VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    pipelineInfo.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    pipelineInfo.stage.module = shader;
    pipelineInfo.stage.pName = name;
    pipelineInfo.layout = layout;
    CHECK(vkCreateComputePipelines, device.device, VK_NULL_HANDLE, 1,
          &pipelineInfo, nullptr, &pipeline);

    VkDescriptorPoolSize poolSize = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                     std::max(numBuffers, 1u)};
    VkDescriptorPoolCreateInfo poolInfo = {};
    poolInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
    poolInfo.maxSets = 1;
    poolInfo.poolSizeCount = 1;
    poolInfo.pPoolSizes = &poolSize;
    CHECK(vkCreateDescriptorPool, device.device, &poolInfo, nullptr, &pool);
    VkDescriptorSetAllocateInfo setInfo = {};
    setInfo.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    setInfo.descriptorPool = pool;
    setInfo.descriptorSetCount = 1;
    setInfo.pSetLayouts = &bindings;
    CHECK(vkAllocateDescriptorSets, device.device, &setInfo, &set);
  } catch (...) {
    destroy();
    throw;
  }
}

Kernel::~Kernel() { destroy(); }

void Kernel::destroy() {
  if (submission == device.getSubmission())
    runtime.finishQuietly();
  for (auto &[data, constant] : constants)
    if (constant.block.buffer)
      device.free(constant.block);
  device.vkDestroyDescriptorPool(device.device, pool, nullptr);
  device.vkDestroyPipeline(device.device, pipeline, nullptr);
  device.vkDestroyPipelineLayout(device.device, layout, nullptr);
  device.vkDestroyDescriptorSetLayout(device.device, bindings, nullptr);
  device.vkDestroyShaderModule(device.device, shader, nullptr);
}

Place Kernel::placeConstant(const QuantGpuBuffer &buffer) {
  Constant &constant = constants[buffer.data];
  // A launch may see more of a constant than the one before it.
  if (constant.bytes < buffer.bytes) {
    runtime.finish();
    if (constant.block.buffer)
      device.free(constant.block);
    constant.block = device.allocate(buffer.bytes);
    constant.bytes = buffer.bytes;
    std::memcpy(constant.block.data, buffer.data,
                static_cast<size_t>(buffer.bytes));
  }
  return {constant.block.buffer, 0};
}

void Kernel::launch(const int64_t *shape, const QuantGpuBuffer *buffers,
                    const int64_t *numbers) {
  if (submission == device.getSubmission())
    runtime.finish();
  auto owned = std::make_unique<Copies>(runtime);
  Copies &copies = *owned;
  std::vector<Place> places(numBuffers);
  std::vector<bool> isPlaced(numBuffers);
  for (uint32_t i = 0; i < numBuffers; ++i) {
    if (buffers[i].bytes > device.getMaxRange())
      throw Error("a buffer of " + std::to_string(buffers[i].bytes) +
                  " bytes is larger than the " +
                  std::to_string(device.getMaxRange()) + " that '" +
                  device.getName() + "' takes");
    isPlaced[i] = runtime.find(buffers[i], places[i]);
    if (!isPlaced[i] && buffers[i].is_constant &&
        !(buffers[i].access & QUANT_GPU_WRITE)) {
      places[i] = placeConstant(buffers[i]);
      isPlaced[i] = true;
    }
    if (!isPlaced[i])
      copies.add(buffers[i]);
  }
  copies.copyIn();

  std::vector<VkDescriptorBufferInfo> infos(numBuffers);
  std::vector<VkWriteDescriptorSet> writes(numBuffers);
  std::vector<LaunchUse<VkBuffer>> next;
  for (uint32_t i = 0; i < numBuffers; ++i) {
    if (!isPlaced[i])
      places[i] = copies.place(buffers[i]);
    // Whole words, for kernels that read them, and one at least, since there is
    // no range without bytes; blocks have room.
    int64_t bytes = std::max<int64_t>(buffers[i].bytes, 1);
    infos[i] = {places[i].buffer, static_cast<VkDeviceSize>(places[i].offset),
                static_cast<VkDeviceSize>(bytes + 3) / 4 * 4};
    next.push_back({places[i].buffer, places[i].offset,
                    places[i].offset + buffers[i].bytes,
                    (buffers[i].access & QUANT_GPU_WRITE) != 0});
    writes[i] = {};
    writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    writes[i].dstSet = set;
    writes[i].dstBinding = i;
    writes[i].descriptorCount = 1;
    writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    writes[i].pBufferInfo = &infos[i];
  }
  device.vkUpdateDescriptorSets(device.device, numBuffers, writes.data(), 0,
                                nullptr);
  std::vector<uint32_t> words(numbers, numbers + numNumbers);
  device.add(runtime.uses.add(next), [&](VkCommandBuffer commands) {
    device.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                             pipeline);
    device.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                                   layout, 0, 1, &set, 0, nullptr);
    if (!words.empty())
      device.vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT,
                                0, numNumbers * 4, words.data());
    device.vkCmdDispatch(commands, static_cast<uint32_t>(shape[0]),
                         static_cast<uint32_t>(shape[1]),
                         static_cast<uint32_t>(shape[2]));
  });
  submission = device.getSubmission();
  // The host looks at its own memory.
  if (shape[7] != 0 && !copies.isAnyWritten()) {
    runtime.pending.push_back(std::move(owned));
    return;
  }
  runtime.finish();
  copies.copyOut();
}

using Entry = quant_mlir::DeviceEntry<Runtime>;

} // namespace

extern "C" const char *
quant_vulkan_launch(void **kernel, const void *binary, int64_t size,
                    const char *name, const int64_t *shape, int64_t num_buffers,
                    const QuantGpuBuffer *buffers, int64_t num_numbers,
                    const int64_t *numbers) {
  return Entry::run(name, shape, [&](Runtime &runtime) {
    if (!*kernel)
      *kernel = new Kernel(runtime, binary, size, name,
                           static_cast<uint32_t>(num_buffers),
                           static_cast<uint32_t>(num_numbers));
    try {
      static_cast<Kernel *>(*kernel)->launch(shape, buffers, numbers);
    } catch (...) {
      runtime.finishQuietly();
      throw;
    }
  });
}

extern "C" void quant_vulkan_release(void **kernel) {
  std::lock_guard<std::mutex> guard(Entry::lock);
  delete static_cast<Kernel *>(*kernel);
  *kernel = nullptr;
}

extern "C" void *quant_vulkan_alloc(int64_t alignment, int64_t bytes) {
  return Entry::allocate(alignment, bytes, [&](Runtime &runtime) {
    Block block = runtime.device.allocate(std::max<int64_t>(bytes, 4));
    runtime.blocks.emplace(block.data, block);
    return block.data;
  });
}

extern "C" void quant_vulkan_free(void *data) {
  std::lock_guard<std::mutex> guard(Entry::lock);
  if (Runtime *runtime = Entry::getRuntime()) {
    auto found = runtime->blocks.find(static_cast<char *>(data));
    if (found != runtime->blocks.end()) {
      runtime->device.free(found->second);
      runtime->blocks.erase(found);
      return;
    }
  }
  std::free(data);
}

extern "C" const char *quant_vulkan_device(const char **error) {
  return Entry::getName(error);
}

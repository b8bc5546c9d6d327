//===- Device.h - The Vulkan device that kernels run on ---------*- C++ -*-===//
//
// The loader is opened at run time: this library needs Vulkan's headers only.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_RUNTIME_VULKAN_DEVICE_H
#define QUANT_MLIR_RUNTIME_VULKAN_DEVICE_H

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace quant_mlir::vulkan {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws with the call's name where `result` is no success.
void check(VkResult result, const char *call);

// Functions that are called, by level of dispatch.
#define QUANT_VULKAN_INSTANCE_FUNCTIONS(F)                                     \
  F(vkDestroyInstance)                                                         \
  F(vkEnumeratePhysicalDevices)                                                \
  F(vkGetPhysicalDeviceProperties2)                                            \
  F(vkGetPhysicalDeviceFeatures2)                                              \
  F(vkGetPhysicalDeviceMemoryProperties)                                       \
  F(vkGetPhysicalDeviceQueueFamilyProperties)                                  \
  F(vkCreateDevice)                                                            \
  F(vkGetDeviceProcAddr)
#define QUANT_VULKAN_DEVICE_FUNCTIONS(F)                                       \
  F(vkGetDeviceQueue)                                                          \
  F(vkCreateBuffer)                                                            \
  F(vkDestroyBuffer)                                                           \
  F(vkGetBufferMemoryRequirements)                                             \
  F(vkAllocateMemory)                                                          \
  F(vkFreeMemory)                                                              \
  F(vkBindBufferMemory)                                                        \
  F(vkMapMemory)                                                               \
  F(vkCreateShaderModule)                                                      \
  F(vkDestroyShaderModule)                                                     \
  F(vkCreateDescriptorSetLayout)                                               \
  F(vkDestroyDescriptorSetLayout)                                              \
  F(vkCreatePipelineLayout)                                                    \
  F(vkDestroyPipelineLayout)                                                   \
  F(vkCreateComputePipelines)                                                  \
  F(vkDestroyPipeline)                                                         \
  F(vkCreateDescriptorPool)                                                    \
  F(vkDestroyDescriptorPool)                                                   \
  F(vkAllocateDescriptorSets)                                                  \
  F(vkUpdateDescriptorSets)                                                    \
  F(vkCreateCommandPool)                                                       \
  F(vkAllocateCommandBuffers)                                                  \
  F(vkBeginCommandBuffer)                                                      \
  F(vkEndCommandBuffer)                                                        \
  F(vkCmdBindPipeline)                                                         \
  F(vkCmdBindDescriptorSets)                                                   \
  F(vkCmdPushConstants)                                                        \
  F(vkCmdDispatch)                                                             \
  F(vkCmdPipelineBarrier)                                                      \
  F(vkCreateFence)                                                             \
  F(vkResetFences)                                                             \
  F(vkWaitForFences)                                                           \
  F(vkQueueSubmit)

/// A buffer that both sides reach.
struct Block {
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  char *data = nullptr;
  int64_t bytes = 0;
};

class Device {
public:
  /// Throws where no device has what kernels need: Vulkan 1.3, 8-bit storage,
  /// integer dot products, rounding to nearest. Of several the fastest kind is
  /// taken; QUANT_VULKAN_DEVICE chooses by a part of the name.
  Device();

  const std::string &getName() const { return name; }
  int64_t getOffsetAlignment() const { return offsetAlignment; }
  int64_t getMaxRange() const { return maxRange; }

  Block allocate(int64_t bytes);
  void free(Block &block);

  /// Records with `record`; with `isDependent`, behind all that is recorded
  /// already and what it writes.
  template <typename Record> void add(bool isDependent, Record record) {
    begin(isDependent);
    record(commands);
  }
  /// Waits until the device has done what is recorded.
  void submit();
  /// The number of what is being recorded.
  uint64_t getSubmission() const { return submission; }

  VkDevice device = VK_NULL_HANDLE;
#define QUANT_DECLARE(name) PFN_##name name = nullptr;
  QUANT_VULKAN_INSTANCE_FUNCTIONS(QUANT_DECLARE)
  QUANT_VULKAN_DEVICE_FUNCTIONS(QUANT_DECLARE)
#undef QUANT_DECLARE

private:
  void createInstance();
  void choosePhysicalDevice();
  void createDevice();
  void begin(bool isDependent);

  PFN_vkGetInstanceProcAddr vkGetInstanceProcAddr = nullptr;
  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkPhysicalDeviceMemoryProperties memory = {};
  std::string name;
  uint32_t queueFamily = 0;
  int64_t offsetAlignment = 0, maxRange = 0;
  VkQueue queue = VK_NULL_HANDLE;
  VkCommandPool pool = VK_NULL_HANDLE;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  VkFence fence = VK_NULL_HANDLE;
  bool recording = false;
  uint64_t submission = 1;
};

} // namespace quant_mlir::vulkan

#endif // QUANT_MLIR_RUNTIME_VULKAN_DEVICE_H

//===- Device.cpp - The Vulkan device that kernels run on -----------------===//

#include "Device.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <vector>

using namespace quant_mlir::vulkan;

void quant_mlir::vulkan::check(VkResult result, const char *call) {
  if (result == VK_SUCCESS)
    return;
  throw Error(std::string(call) + " failed with code " +
              std::to_string(static_cast<int>(result)));
}

#define CHECK(call, ...) check(call(__VA_ARGS__), #call)

Device::Device() {
  createInstance();
  choosePhysicalDevice();
  createDevice();
}

//===----------------------------------------------------------------------===//
// Setting up
//===----------------------------------------------------------------------===//

void Device::createInstance() {
  void *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw Error("expected the Vulkan loader, libvulkan.so.1: install it "
                "(libvulkan1), and a driver (mesa-vulkan-drivers)");
  vkGetInstanceProcAddr = reinterpret_cast<PFN_vkGetInstanceProcAddr>(
      dlsym(library, "vkGetInstanceProcAddr"));
  if (!vkGetInstanceProcAddr)
    throw Error("libvulkan.so.1 is not a Vulkan loader");
  auto create = reinterpret_cast<PFN_vkCreateInstance>(
      vkGetInstanceProcAddr(nullptr, "vkCreateInstance"));
  VkApplicationInfo application = {};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "quant-mlir";
  application.apiVersion = VK_API_VERSION_1_3;
  VkInstanceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  VkResult result = create(&info, nullptr, &instance);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
    throw Error("expected a Vulkan driver, found none: install one, such as "
                "mesa-vulkan-drivers");
  check(result, "vkCreateInstance");
#define QUANT_LOAD(name)                                                       \
  name = reinterpret_cast<PFN_##name>(vkGetInstanceProcAddr(instance, #name)); \
  if (!name)                                                                   \
    throw Error("the Vulkan loader lacks " #name);
  QUANT_VULKAN_INSTANCE_FUNCTIONS(QUANT_LOAD)
#undef QUANT_LOAD
}

namespace {
/// What is asked of a device, and what it says.
struct Features {
  VkPhysicalDeviceFeatures2 base = {};
  VkPhysicalDeviceVulkan12Features v12 = {};
  VkPhysicalDeviceVulkan13Features v13 = {};

  Features() {
    base.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    base.pNext = &v12;
    v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    v12.pNext = &v13;
    v13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES;
  }
  Features(const Features &) = delete;
};
} // namespace

/// Larger is faster.
static int getRank(VkPhysicalDeviceType type) {
  switch (type) {
  case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    return 4;
  case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
    return 3;
  case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
    return 2;
  default:
    return 1;
  }
}

void Device::choosePhysicalDevice() {
  uint32_t count = 0;
  CHECK(vkEnumeratePhysicalDevices, instance, &count, nullptr);
  std::vector<VkPhysicalDevice> devices(count);
  CHECK(vkEnumeratePhysicalDevices, instance, &count, devices.data());
  const char *wanted = std::getenv("QUANT_VULKAN_DEVICE");
  std::string passed; // over, and why
  int best = 0;
  for (VkPhysicalDevice candidate : devices) {
    VkPhysicalDeviceProperties2 properties = {};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    VkPhysicalDeviceVulkan12Properties floats = {};
    floats.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES;
    properties.pNext = &floats;
    vkGetPhysicalDeviceProperties2(candidate, &properties);
    std::string found = properties.properties.deviceName;
    const char *missing = nullptr;
    Features features;
    if (properties.properties.apiVersion < VK_API_VERSION_1_3)
      missing = "Vulkan 1.3";
    else
      vkGetPhysicalDeviceFeatures2(candidate, &features.base);
    if (missing)
      ;
    else if (!features.v12.shaderInt8 || !features.v12.storageBuffer8BitAccess)
      missing = "8-bit storage";
    else if (!features.base.features.shaderInt16)
      missing = "16-bit integers";
    else if (!features.v13.shaderIntegerDotProduct)
      missing = "integer dot products";
    else if (!floats.shaderRoundingModeRTEFloat32 ||
             !floats.shaderSignedZeroInfNanPreserveFloat32)
      missing = "rounding to nearest, or infinities and NaN";
    else if (wanted && found.find(wanted) == std::string::npos)
      missing = "the name in QUANT_VULKAN_DEVICE";
    if (missing) {
      passed += "; '" + found + "' lacks " + missing;
      continue;
    }
    int rank = getRank(properties.properties.deviceType);
    if (rank <= best)
      continue;
    best = rank;
    physical = candidate;
    name = found;
    const VkPhysicalDeviceLimits &limits = properties.properties.limits;
    offsetAlignment =
        static_cast<int64_t>(limits.minStorageBufferOffsetAlignment);
    maxRange = limits.maxStorageBufferRange;
  }
  if (!physical)
    throw Error("expected a Vulkan device that kernels can run on, found " +
                (passed.empty() ? std::string("none") : passed.substr(2)) +
                ": install a driver, such as mesa-vulkan-drivers");
}

void Device::createDevice() {
  vkGetPhysicalDeviceMemoryProperties(physical, &memory);
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
  while (queueFamily < count &&
         !(families[queueFamily].queueFlags & VK_QUEUE_COMPUTE_BIT))
    ++queueFamily;
  if (queueFamily == count)
    throw Error("'" + name + "' has no queue that computes");

  float priority = 1;
  VkDeviceQueueCreateInfo queueInfo = {};
  queueInfo.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queueInfo.queueFamilyIndex = queueFamily;
  queueInfo.queueCount = 1;
  queueInfo.pQueuePriorities = &priority;
  Features features;
  features.base.features.shaderInt16 = VK_TRUE;
  features.v12.shaderInt8 = VK_TRUE;
  features.v12.storageBuffer8BitAccess = VK_TRUE;
  features.v13.shaderIntegerDotProduct = VK_TRUE;
  VkDeviceCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &features.base;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queueInfo;
  CHECK(vkCreateDevice, physical, &info, nullptr, &device);
#define QUANT_LOAD(name)                                                       \
  name = reinterpret_cast<PFN_##name>(vkGetDeviceProcAddr(device, #name));     \
  if (!name)                                                                   \
    throw Error("the Vulkan driver lacks " #name);
  QUANT_VULKAN_DEVICE_FUNCTIONS(QUANT_LOAD)
#undef QUANT_LOAD

  vkGetDeviceQueue(device, queueFamily, 0, &queue);
  VkCommandPoolCreateInfo poolInfo = {};
  poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  poolInfo.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  poolInfo.queueFamilyIndex = queueFamily;
  CHECK(vkCreateCommandPool, device, &poolInfo, nullptr, &pool);
  VkCommandBufferAllocateInfo commandInfo = {};
  commandInfo.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  commandInfo.commandPool = pool;
  commandInfo.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  commandInfo.commandBufferCount = 1;
  CHECK(vkAllocateCommandBuffers, device, &commandInfo, &commands);
  VkFenceCreateInfo fenceInfo = {};
  fenceInfo.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
  CHECK(vkCreateFence, device, &fenceInfo, nullptr, &fence);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Block Device::allocate(int64_t bytes) {
  Block block;
  // Kernels may read whole words.
  block.bytes = (bytes + 15) / 16 * 16;
  try {
    VkBufferCreateInfo info = {};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.size = static_cast<VkDeviceSize>(block.bytes);
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
    CHECK(vkCreateBuffer, device, &info, nullptr, &block.buffer);
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(device, block.buffer, &needs);
    // Of the memory that the host sees too, what is nearest to the device.
    constexpr VkMemoryPropertyFlags shared =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
        VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    for (VkMemoryPropertyFlags wanted :
         {shared | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, shared})
      for (uint32_t type = 0;
           type < memory.memoryTypeCount && result != VK_SUCCESS; ++type) {
        if (!(needs.memoryTypeBits >> type & 1) ||
            (memory.memoryTypes[type].propertyFlags & wanted) != wanted)
          continue;
        VkMemoryAllocateInfo allocation = {};
        allocation.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
        allocation.allocationSize = needs.size;
        allocation.memoryTypeIndex = type;
        result = vkAllocateMemory(device, &allocation, nullptr, &block.memory);
      }
    check(result, "vkAllocateMemory");
    CHECK(vkBindBufferMemory, device, block.buffer, block.memory, 0);
    void *data = nullptr;
    CHECK(vkMapMemory, device, block.memory, 0, VK_WHOLE_SIZE, 0, &data);
    block.data = static_cast<char *>(data);
  } catch (...) {
    free(block);
    throw;
  }
  return block;
}

void Device::free(Block &block) {
  vkDestroyBuffer(device, block.buffer, nullptr);
  vkFreeMemory(device, block.memory, nullptr);
  block = Block();
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

void Device::begin(bool isDependent) {
  if (recording && !isDependent)
    return;
  if (recording) {
    // A dispatch sees what those before it have written.
    VkMemoryBarrier barrier = {};
    barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
    barrier.dstAccessMask =
        VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                         VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0, 1, &barrier,
                         0, nullptr, 0, nullptr);
    return;
  }
  VkCommandBufferBeginInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  CHECK(vkBeginCommandBuffer, commands, &info);
  recording = true;
}

void Device::submit() {
  if (!recording)
    return;
  recording = false;
  ++submission;
  // What the device has written is seen by the host.
  VkMemoryBarrier barrier = {};
  barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
  vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                       VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, nullptr,
                       0, nullptr);
  CHECK(vkEndCommandBuffer, commands);
  VkSubmitInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.commandBufferCount = 1;
  info.pCommandBuffers = &commands;
  CHECK(vkQueueSubmit, queue, 1, &info, fence);
  CHECK(vkWaitForFences, device, 1, &fence, VK_TRUE, UINT64_MAX);
  CHECK(vkResetFences, device, 1, &fence);
}

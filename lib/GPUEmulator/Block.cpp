//===- Block.cpp - The lanes of a block and how they meet -----------------===//

#include "Block.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

#include <sys/mman.h>

using namespace quant_mlir;
using namespace quant_mlir::emulator;

static thread_local Block *currentBlock = nullptr;

Block &Block::getCurrent() { return *currentBlock; }

//===----------------------------------------------------------------------===//
// Fibers
//===----------------------------------------------------------------------===//

void *Stacks::get(unsigned number) {
  while (stacks.size() <= number) {
    void *stack = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED)
      llvm::report_fatal_error("no memory for the stacks of a block's lanes");
    // A stack that is too small ends with a signal, not with wrong numbers.
    mprotect(stack, 4096, PROT_NONE);
    stacks.push_back(stack);
  }
  return stacks[number];
}

Stacks::~Stacks() {
  for (void *stack : stacks)
    munmap(stack, size);
}

/// Arguments of fibers are ints: a pointer travels as two.
void Block::enter(unsigned low, unsigned high) {
  auto *block = reinterpret_cast<Block *>(uint64_t(high) << 32 | low);
  block->kernel(block->launch.parameters.data());
  block->current->state = Lane::State::Done;
  setcontext(&block->scheduler);
}

void Block::wait(const Site &site) {
  Lane &lane = *current;
  lane.state = Lane::State::Waiting;
  lane.waitsAt = &site;
  swapcontext(&lane.context, &scheduler);
}

void Block::fail(const std::string &message) {
  error = message;
  if (current)
    error = "lane " + std::to_string(current->number) + ": " + error;
  // Nothing that the lane's stack holds has to be destroyed: it is compiled
  // code and instructions, which own nothing while they may fail.
  setcontext(&scheduler);
  llvm_unreachable("the scheduler ends the block");
}

unsigned Block::chooseReady() {
  if (launch.seed == 0)
    return ready[nextReady++];
  size_t chosen = nextReady + random() % (ready.size() - nextReady);
  std::swap(ready[chosen], ready[nextReady]);
  return ready[nextReady++];
}

std::string Block::run(Kernel kernel, EmulatedSize position) {
  currentBlock = this;
  this->kernel = kernel;
  this->position = position;
  uint64_t count = launch.block.getCount();
  uint64_t numWarps = llvm::divideCeil(count, warpSize);
  lanes.clear();
  lanes.resize(count);
  visits.clear();
  visits.resize(count);
  warpMoments.assign(numWarps, 0);
  products.assign(numWarps, {});
  meetings.clear();
  meetings.resize(numWarps);
  barriers.clear();
  gathered.clear();
  blockMoment = 0;
  ready.clear();
  nextReady = 0;
  error.clear();
  auto self = reinterpret_cast<uint64_t>(this);
  for (unsigned number = 0; number < count; ++number) {
    Lane &lane = lanes[number];
    lane.number = number;
    lane.position = {number % launch.block.x,
                     number / launch.block.x % launch.block.y,
                     number / launch.block.x / launch.block.y};
    getcontext(&lane.context);
    lane.context.uc_stack.ss_sp = stacks.get(number);
    lane.context.uc_stack.ss_size = Stacks::size;
    lane.context.uc_link = nullptr;
    makecontext(&lane.context, reinterpret_cast<void (*)()>(&Block::enter), 2,
                unsigned(self), unsigned(self >> 32));
    ready.push_back(number);
  }
  while (nextReady < ready.size() && error.empty()) {
    current = &lanes[chooseReady()];
    swapcontext(&scheduler, &current->context);
    if (nextReady > 4096) {
      ready.erase(ready.begin(), ready.begin() + nextReady);
      nextReady = 0;
    }
  }
  current = nullptr;
  if (error.empty() && llvm::any_of(lanes, [](const Lane &lane) {
        return lane.state != Lane::State::Done;
      }))
    error = describeWaiting();
  settleGathered();
  currentBlock = nullptr;
  return error;
}

std::string Block::describeWaiting() const {
  std::map<const Site *, std::pair<unsigned, unsigned>> waiting;
  unsigned done = 0;
  for (const Lane &lane : lanes) {
    if (lane.state == Lane::State::Done) {
      ++done;
      continue;
    }
    auto [it, isNew] = waiting.insert({lane.waitsAt, {0, lane.number}});
    ++it->second.first;
  }
  std::string text = "lanes wait for each other for ever: ";
  for (const auto &[site, who] : waiting)
    text += std::to_string(who.first) + " (lane " + std::to_string(who.second) +
            " first) at " + site->name + " (call " +
            std::to_string(site->number) + "), ";
  return text + std::to_string(done) + " have ended";
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

void Block::call(const Site &site, char *scratch) {
  Call call(site, scratch);
  switch (site.instruction->scope) {
  case Scope::Lane:
    ++counts.instructions[site.name];
    return site.instruction->lane(*this, *current, call);
  case Scope::Warp:
    return meetWarp(site, call);
  case Scope::Block:
    return meetBlock(site, call);
  }
}

void Block::meetWarp(const Site &site, const Call &call) {
  unsigned warp = current->number / warpSize, lane = current->number % warpSize;
  unsigned inWarp =
      std::min<unsigned>(lanes.size() - warp * warpSize, warpSize);
  uint64_t all = llvm::maskTrailingOnes<uint64_t>(inWarp), members = all;
  int mask = site.instruction->mask;
  if (mask >= 0)
    members = call.get<uint32_t>(mask) & all;
  else if (inWarp != warpSize)
    fail(site.name + " in a warp of " + std::to_string(inWarp) + " lanes");
  if (!(members >> lane & 1))
    fail(site.name + " with a mask that leaves out the lane itself");

  std::vector<Meeting> &open = meetings[warp];
  auto it = llvm::find_if(open, [&](const Meeting &meeting) {
    return meeting.site == &site && meeting.expected == members;
  });
  if (it == open.end()) {
    open.push_back({&site, members, 0, std::vector<Call>(warpSize)});
    it = open.end() - 1;
  }
  it->calls[lane] = call;
  it->arrived |= uint64_t(1) << lane;
  if (it->arrived != members)
    return wait(site);

  Meeting meeting = std::move(*it);
  open.erase(it);
  ++counts.instructions[site.name];
  if (site.instruction->warp)
    site.instruction->warp(*this, warp * warpSize, meeting.calls);
  if (site.instruction->ordersMemory)
    ++warpMoments[warp];
  for (unsigned other = 0; other < warpSize; ++other)
    if (other != lane && members >> other & 1) {
      lanes[warp * warpSize + other].state = Lane::State::Ready;
      ready.push_back(warp * warpSize + other);
    }
}

void Block::meetBlock(const Site &site, const Call &call) {
  uint32_t id = site.offsets.empty() ? 0 : call.get<uint32_t>(0);
  Barrier &barrier = barriers[id];
  barrier.sites.resize(warpMoments.size());
  const Site *&ofWarp = barrier.sites[current->number / warpSize];
  if (ofWarp && ofWarp != &site)
    fail("is at another barrier than lanes of its warp");
  ofWarp = &site;
  if (++barrier.arrived != lanes.size())
    return wait(site);
  barriers.erase(id);
  ++counts.instructions[site.name];
  ++blockMoment;
  for (Lane &other : lanes)
    if (&other != current) {
      other.state = Lane::State::Ready;
      ready.push_back(other.number);
    }
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Accessor Block::getAccessor(unsigned number) const {
  uint16_t warp = number / warpSize;
  // Lanes in lockstep are one to everybody.
  uint16_t lane = isLockstep ? warp : number;
  return {lane, warp, {blockMoment, warpMoments[warp]}};
}

/// What an access of this alignment has wrong.
static std::string checkAlignment(uint64_t address, size_t size,
                                  size_t alignment) {
  if (alignment == 0 || address % alignment == 0)
    return "";
  return "accesses " + std::to_string(size) + " bytes at an address that is " +
         std::to_string(address % alignment) + " beyond a multiple of " +
         std::to_string(alignment);
}

void Block::checkRead(unsigned number, uint64_t address, size_t size,
                      size_t alignment) {
  std::string message = checkAlignment(address, size, alignment);
  if (message.empty())
    message = memory.read(getAccessor(number), address, size);
  if (!message.empty())
    fail(message);
}

void Block::checkWrite(unsigned number, uint64_t address, size_t size,
                       size_t alignment) {
  std::string message = checkAlignment(address, size, alignment);
  if (message.empty())
    message = memory.write(getAccessor(number), address, size);
  if (!message.empty())
    fail(message);
}

void Block::access(uint64_t address, uint64_t size, uint32_t alignment,
                   bool isWrite, bool isAtomic, uint32_t site) {
  if (isAtomic) {
    std::string message = memory.checkBounds(address, size, isWrite);
    if (message.empty())
      message = checkAlignment(address, size, alignment);
    if (!message.empty())
      fail(message);
    return;
  }
  if (isWrite)
    checkWrite(current->number, address, size, alignment);
  else
    checkRead(current->number, address, size, alignment);
  gather(site, address, size);
}

void Block::startCopy(Lane &lane, const AsyncCopy &copy, uint32_t site) {
  if (copy.fromBytes != 0)
    checkRead(lane.number, copy.from, copy.fromBytes, copy.bytes);
  std::string message = checkAlignment(copy.to, copy.bytes, copy.bytes);
  if (message.empty())
    message = memory.beginCopy(getAccessor(lane.number), copy.to, copy.bytes);
  if (!message.empty())
    fail(message);
  lane.openCopies.push_back(copy);
  gather(site, copy.to, copy.bytes);
}

void Block::finishCopies(Lane &lane, size_t left) {
  while (lane.copyGroups.size() > left) {
    for (const AsyncCopy &copy : lane.copyGroups.front()) {
      memory.finishCopy(getAccessor(lane.number), copy.to, copy.bytes);
      auto *to = reinterpret_cast<char *>(copy.to);
      std::memcpy(to, reinterpret_cast<const char *>(copy.from),
                  copy.fromBytes);
      std::memset(to + copy.fromBytes, 0, copy.bytes - copy.fromBytes);
    }
    lane.copyGroups.pop_front();
  }
}

void Block::startProduct(unsigned first, AsyncProduct product) {
  AsyncProducts &all = products[first / warpSize];
  if (!all.isFenced)
    fail("multiplies by wgmma.mma_async without wgmma.fence behind the last "
         "wait");
  for (uint64_t chunk : product.chunks) {
    std::string message =
        checkAlignment(chunk, product.chunkBytes, product.chunkBytes);
    if (message.empty())
      message =
          memory.beginProduct(getAccessor(first), chunk, product.chunkBytes);
    if (!message.empty())
      fail(message);
  }
  all.open.push_back(std::move(product));
}

void Block::commitProducts(unsigned first) {
  AsyncProducts &all = products[first / warpSize];
  all.groups.push_back(std::move(all.open));
  all.open.clear();
}

void Block::finishProducts(unsigned first, size_t left) {
  AsyncProducts &all = products[first / warpSize];
  all.isFenced = false;
  while (all.groups.size() > left) {
    for (const AsyncProduct &product : all.groups.front())
      for (uint64_t chunk : product.chunks)
        memory.finishProduct(getAccessor(first), chunk, product.chunkBytes);
    all.groups.pop_front();
  }
}

void Block::checkResults(llvm::ArrayRef<unsigned> sites) {
  const AsyncProducts &all = products[current->number / warpSize];
  auto check = [&](const AsyncProduct &product) {
    if (llvm::is_contained(sites, product.site))
      fail("uses results of wgmma.mma_async (call " +
           std::to_string(product.site) + ") that it has not waited for");
  };
  for (const std::vector<AsyncProduct> &group : all.groups)
    llvm::for_each(group, check);
  llvm::for_each(all.open, check);
}

//===----------------------------------------------------------------------===//
// Banks
//===----------------------------------------------------------------------===//

void Block::countShared(llvm::ArrayRef<uint64_t> addresses, size_t size) {
  ++counts.sharedAccesses;
  counts.bankConflicts += countBankConflicts(addresses, size);
}

void Block::gather(uint32_t site, uint64_t address, size_t size) {
  if (!memory.isShared(address))
    return;
  unsigned number = current->number, warp = number / warpSize;
  uint32_t visit = visits[number][site]++;
  auto key = std::make_tuple(warp, site, visit);
  Gathered &access = gathered[key];
  access.addresses.resize(warpSize);
  access.addresses[number % warpSize] = address;
  access.size = size;
  if (++access.arrived == warpSize) {
    countShared(access.addresses, access.size);
    gathered.erase(key);
  }
}

void Block::settleGathered() {
  for (auto &[key, access] : gathered)
    countShared(access.addresses, access.size);
  gathered.clear();
}

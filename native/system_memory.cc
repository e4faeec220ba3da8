#include "system_memory.h"

#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>

namespace nb {
namespace {

constexpr size_t kAlignment = 64;
// From this size on a block is mapped by itself, so that it goes back to the system at once, and is
// asked for in pages of this size: a batch's rows, which lie all over the data set, and large
// weights then need few entries of the processor's page cache.
constexpr size_t kHugePage = size_t{2} << 20;

size_t page_size() {
  static const long size = sysconf(_SC_PAGESIZE);
  return size > 0 ? static_cast<size_t>(size) : 4096;
}

struct Account {
  std::mutex mutex;
  // What may be taken before the system is asked again.
  size_t budget = 0;
  // A part of what was left when it was asked last.
  std::atomic<size_t> part{SIZE_MAX};
  // Mapped blocks of which some pages were never touched, and their bytes. Smaller ones are soon
  // filled.
  std::map<void*, size_t> fresh;
};

// Never destroyed: worker threads may outlive static objects.
Account& account() {
  static Account& one = *new Account;
  return one;
}

#ifdef __APPLE__
using Residency = char;
#else
using Residency = unsigned char;
#endif

size_t untouched_in(void* data, size_t bytes) {
  const size_t page = page_size();
  constexpr size_t kPages = 4096;
  std::array<Residency, kPages> resident;
  size_t untouched = 0;
  for (size_t at = 0; at < bytes; at += kPages * page) {
    const size_t length = std::min(kPages * page, bytes - at);
    if (mincore(static_cast<char*>(data) + at, length, resident.data()) != 0) return 0;
    for (size_t i = 0; i * page < length; ++i) {
      if ((resident[i] & 1) == 0) untouched += page;
    }
  }
  return untouched;
}

// The account's mutex is held.
size_t count_untouched(Account& account) {
  size_t sum = 0;
  for (auto block = account.fresh.begin(); block != account.fresh.end();) {
    const size_t untouched = untouched_in(block->first, block->second);
    sum += untouched;
    block = untouched == 0 ? account.fresh.erase(block) : std::next(block);
  }
  return sum;
}

// The same.
bool reserve(Account& account, size_t bytes, const Available& available) {
  if (bytes > account.budget) {
    const size_t promised = count_untouched(account), room = available();
    const size_t left = room > promised ? room - promised : 0;
    account.part = left / 8;
    if (bytes > left) return false;
    // Others take memory, too: after a part of it the system is asked again.
    account.budget = std::max(bytes, left / 8);
  }
  account.budget -= bytes;
  return true;
}

void* map_aligned(size_t bytes) {
  const size_t whole = bytes + kHugePage;
  void* mapped = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(mapped);
  const size_t before = -reinterpret_cast<uintptr_t>(begin) % kHugePage;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + bytes, kHugePage - before);
#ifdef MADV_HUGEPAGE
  madvise(begin + before, bytes, MADV_HUGEPAGE);  // no matter if it is refused
#endif
  return begin + before;
}

}  // namespace

void* take_memory(size_t bytes, const Available& available) {
  Account& account = nb::account();
  const std::lock_guard<std::mutex> lock(account.mutex);
  if (!reserve(account, bytes, available)) return nullptr;
  void* data = bytes < kHugePage ? std::aligned_alloc(kAlignment, bytes) : map_aligned(bytes);
  if (data == nullptr) {
    account.budget += bytes;
  } else if (bytes >= kHugePage) {
    account.fresh.emplace(data, bytes);
  }
  return data;
}

void give_memory(void* data, size_t bytes) noexcept {
  Account& account = nb::account();
  const std::lock_guard<std::mutex> lock(account.mutex);
  account.budget += bytes;
  if (bytes < kHugePage) {
    std::free(data);
  } else {
    account.fresh.erase(data);
    munmap(data, bytes);
  }
}

size_t pool_limit() noexcept {
  constexpr size_t kMost = size_t{512} << 20;
  return std::min<size_t>(kMost, account().part);
}

void flush_memory() noexcept {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

size_t untouched_memory() {
  Account& account = nb::account();
  const std::lock_guard<std::mutex> lock(account.mutex);
  return count_untouched(account);
}

size_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  return pages > 0 ? static_cast<size_t>(pages) * page_size() : SIZE_MAX;
}

}  // namespace nb

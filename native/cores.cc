#include "cores.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <thread>

namespace nb {
namespace {

// Whole processors of a cgroup quota ("max 100000" or "200000 100000"), or none.
size_t cgroup_cores() {
  double quota = -1, period = 0;
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  if (!(v2 >> quota >> period)) {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  if (quota <= 0 || period <= 0) return SIZE_MAX;
  return std::max<size_t>(1, static_cast<size_t>(quota / period));
}

}  // namespace

size_t usable_cores() {
  size_t cores = std::max(1u, std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) cores = static_cast<size_t>(CPU_COUNT(&mask));
#endif
  return std::min(cores, cgroup_cores());
}

}  // namespace nb

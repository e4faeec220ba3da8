#include "cores.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <thread>

namespace nb {
namespace {

// Processors' worth of time of one cgroup; 0 without a quota. Version 2 has both numbers in one
// file
// ("max 100000", "150000 100000"), version 1 a file for each, with a quota of -1 for none.
double quota_of(const std::string& folder) {
  double quota = 0, period = 0;
  std::ifstream v2(folder + "/cpu.max");
  if (!(v2 >> quota >> period)) {
    std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

// The least quota of the cgroup at `path` below a mount and of all around it. In a container the
// path may be the host's, which is not to be found; then the mount itself is the container's
// cgroup.
double least_quota(const std::string& mount, std::string path) {
  double least = 0;
  for (;;) {
    const double quota = quota_of(mount + path);
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
    if (path.empty()) return least;
    path.erase(path.find_last_of('/'));
  }
}

bool contains(const std::string& list, const std::string& word) {
  std::istringstream words(list);
  for (std::string item; std::getline(words, item, ',');) {
    if (item == word) return true;
  }
  return false;
}

}  // namespace

size_t processors() {
#ifdef __linux__
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
    return std::max<size_t>(1, static_cast<size_t>(CPU_COUNT(&mask)));
  }
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

size_t quota_cores(const std::string& root) {
  const std::string mounts = root + "/sys/fs/cgroup";
  double least = 0;
  // Lines of hierarchy:controllers:path; version 2 names no controllers.
  std::ifstream cgroups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(cgroups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && !contains(controllers, "cpu")) continue;
    std::string path = line.substr(second + 1);
    if (path.empty() || path.front() != '/' || path == "/") path.clear();
    const double quota = least_quota(controllers.empty() ? mounts : mounts + "/cpu", path);
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
  }
  if (least == 0) return SIZE_MAX;
  return std::max<size_t>(1, static_cast<size_t>(least));
}

size_t usable_cores() { return std::min(processors(), quota_cores()); }

}  // namespace nb

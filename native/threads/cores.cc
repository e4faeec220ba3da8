#include "cores.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "text.h"

namespace nb {
namespace {

// Empty where it cannot be read.
std::string text_of(const std::string& path) {
  std::string text;
  FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return text;
  char part[512];
  for (size_t size; (size = std::fread(part, 1, sizeof part, file)) > 0;) text.append(part, size);
  std::fclose(file);
  return text;
}

// 0 where it begins with none; `rest` is what follows it.
double number_in(const char* text, const char** rest = nullptr) {
  char* end;
  const double number = std::strtod(text, &end);
  if (rest != nullptr) *rest = end;
  return number;
}

// Processors' worth of time of one cgroup; 0 without a quota. Version 2 has both numbers in one
// file
// ("max 100000", "150000 100000"), version 1 a file for each, with a quota of -1 for none.
double quota_of(const std::string& folder) {
  const std::string both = text_of(folder + "/cpu.max");
  const char* second;
  double quota = number_in(both.c_str(), &second), period = number_in(second);
  if (both.empty()) {
    quota = number_in(text_of(folder + "/cpu.cfs_quota_us").c_str());
    period = number_in(text_of(folder + "/cpu.cfs_period_us").c_str());
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
  const auto words = split(list, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
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
  for (const std::string& line : split(text_of(root + "/proc/self/cgroup"), '\n')) {
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

// What quota_cores makes of cgroup files as systems and containers have them.
#include "threads/cores.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr size_t kNone = SIZE_MAX;

struct Case {
  const char* what;
  size_t expected;
  std::vector<std::pair<const char*, const char*>> files;
};

const char* const kSelf = "/proc/self/cgroup";

const std::vector<Case> kCases = {
    {"no cgroups", kNone, {}},
    {"no quota", kNone, {{kSelf, "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "max 100000\n"}}},
    {"one core", 1, {{kSelf, "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "100000 100000\n"}}},
    {"four cores, another period",
     4,
     {{kSelf, "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "200000 50000\n"}}},
    {"below one core", 1, {{kSelf, "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "20000 100000\n"}}},
    {"two and a half", 2, {{kSelf, "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "250000 100000\n"}}},
    {"nested: the outer one is tighter",
     2,
     {{kSelf, "0::/user/build/job\n"},
      {"/sys/fs/cgroup/user/cpu.max", "200000 100000\n"},
      {"/sys/fs/cgroup/user/build/cpu.max", "max 100000\n"},
      {"/sys/fs/cgroup/user/build/job/cpu.max", "800000 100000\n"}}},
    {"nested: the inner one is tighter",
     3,
     {{kSelf, "0::/user/job\n"},
      {"/sys/fs/cgroup/user/cpu.max", "800000 100000\n"},
      {"/sys/fs/cgroup/user/job/cpu.max", "300000 100000\n"}}},
    {"a neighbour's quota",
     kNone,
     {{kSelf, "0::/user/job\n"}, {"/sys/fs/cgroup/user/other/cpu.max", "100000 100000\n"}}},
    {"the host's path in a container",
     2,
     {{kSelf, "0::/docker/0123\n"}, {"/sys/fs/cgroup/cpu.max", "200000 100000\n"}}},
    {"version 1",
     2,
     {{kSelf, "5:memory:/job\n4:cpu,cpuacct:/job\n"},
      {"/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "200000\n"},
      {"/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n"}}},
    {"version 1 without a quota",
     kNone,
     {{kSelf, "4:cpu,cpuacct:/\n"},
      {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
      {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}},
    {"cpuacct is not cpu",
     kNone,
     {{kSelf, "4:cpuset,cpuacct:/\n"},
      {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n"},
      {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}},
    {"both versions",
     1,
     {{kSelf, "4:cpu:/job\n0::/job\n"},
      {"/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "100000\n"},
      {"/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n"},
      {"/sys/fs/cgroup/job/cpu.max", "max 100000\n"}}},
    {"files of nonsense",
     kNone,
     {{kSelf, "\n:\n0:\n0::\n0::job\n0::/../..\n"}, {"/sys/fs/cgroup/cpu.max", "many 0\n"}}},
    {"a period of nothing", kNone, {{kSelf, "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "100000 0\n"}}},
};

}  // namespace

int main() {
  const fs::path root = fs::temp_directory_path() / "neuroblas-cores-test";
  int failed = 0;
  for (const Case& c : kCases) {
    fs::remove_all(root);
    for (const auto& [path, text] : c.files) {
      const fs::path file = root.string() + path;
      fs::create_directories(file.parent_path());
      std::ofstream(file) << text;
    }
    const size_t found = nb::quota_cores(root.string());
    if (found == c.expected) continue;
    std::printf("%s: expected %zu, got %zu\n", c.what, c.expected, found);
    ++failed;
  }
  fs::remove_all(root);
  if (nb::usable_cores() < 1 || nb::usable_cores() > nb::processors()) {
    std::printf("usable_cores: got %zu of %zu\n", nb::usable_cores(), nb::processors());
    ++failed;
  }
  std::printf("cores: %zu cases, %d failed\n", kCases.size(), failed);
  return failed > 0 ? 1 : 0;
}

// How many processors there are to compute on.
#pragma once

#include <cstddef>
#include <string>

namespace nb {

// Those that this process may run on: its affinity mask; at least 1.
size_t processors();

// The whole processors that the quotas of this process's cgroup, and of those around it, leave it;
// at least 1, SIZE_MAX without a quota. Files are looked for below `root`.
size_t quota_cores(const std::string& root = "");

// What it may use by both.
size_t usable_cores();

}  // namespace nb

// How many processors there are to compute on.
#pragma once

#include <cstddef>

namespace nb {

// Those this process may use: its affinity mask, capped by the cgroup's quota; at least 1.
size_t usable_cores();

}  // namespace nb

// OpenBLAS, one-threaded.
#pragma once

#include <cblas.h>

namespace nb {

// OpenBLAS's own threads are woken at every call, slow small products down, belong to the whole
// process and change results with their number: the addon never uses them. A build for OpenMP keeps
// their number for each thread that calls it, so every thread says so before its first call.
inline void use_one_blas_thread() {
  static thread_local const bool is_one = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(is_one);
}

}  // namespace nb

#include "openblas.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstring>

namespace nb {
namespace {

// The first that the system has decides: it is by this name that a system says which library it
// wants (Debian's alternatives, LD_LIBRARY_PATH, a symbolic link).
constexpr const char* kNames[] = {
#ifdef __APPLE__
    "libopenblas.dylib",
    // Homebrew links it to no folder that is searched.
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.dylib",
#else
    "libopenblas.so.0",
    "libopenblas.so",
#endif
};

struct Library {
  OpenBlas functions{};
  void (*set_threads)(int) = nullptr;
  // Empty where the library can be used.
  char problem[256] = "";
};

template <class F>
bool find(void* handle, const char* name, F*& function) {
  function = reinterpret_cast<F*>(dlsym(handle, name));
  return function != nullptr;
}

template <class T>
bool find_routines(void* handle, char precision, Cblas<T>& routines) {
  const auto routine = [=](const char* name, auto*& function) {
    char symbol[16];
    std::snprintf(symbol, sizeof symbol, "cblas_%c%s", precision, name);
    return find(handle, symbol, function);
  };
  return routine("gemm", routines.gemm) && routine("gemv", routines.gemv) &&
         routine("ger", routines.ger) && routine("axpy", routines.axpy) &&
         routine("dot", routines.dot);
}

const char* threading_of(int parallel) {
  if (parallel == 0) return "none";
  return parallel == 1 ? "pthreads" : "OpenMP";
}

// What is wrong with the library for us; nullptr where nothing is, and it is filled in.
const char* examine(void* handle, Library& library) {
  OpenBlas& blas = library.functions;
  char* (*config)() = nullptr;
  char* (*core)() = nullptr;
  int (*parallel)() = nullptr;
  // Netlib's BLAS, ATLAS and MKL have the same routines, but only OpenBLAS has these.
  if (!find(handle, "openblas_get_config", config) ||
      !find(handle, "openblas_get_corename", core) ||
      !find(handle, "openblas_get_parallel", parallel) ||
      !find(handle, "openblas_get_num_threads", blas.threads) ||
      !find(handle, "openblas_set_num_threads", library.set_threads)) {
    return "it is another library than OpenBLAS";
  }
  if (!find_routines(handle, 's', blas.floats) || !find_routines(handle, 'd', blas.doubles)) {
    return "it was built without CBLAS";
  }
  std::snprintf(blas.config, sizeof blas.config, "%s", config());
  if (std::strstr(blas.config, "USE64BITINT") != nullptr) return "it was built for 64-bit integers";
  std::snprintf(blas.core, sizeof blas.core, "%s", core());
  blas.threading = threading_of(parallel());
  return nullptr;
}

Library open() noexcept {
  Library library;
  for (const char* name : kNames) {
    // Local: its names are those of every BLAS, and not to be found by other addons. Never closed:
    // threads may be computing with it until the process ends.
    void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      // What is said of the usual name says most.
      if (name == kNames[0]) {
        std::snprintf(library.problem, sizeof library.problem, "%s", dlerror());
      }
      continue;
    }
    const char* problem = examine(handle, library);
    std::snprintf(library.problem, sizeof library.problem, problem == nullptr ? "" : "%s: %s", name,
                  problem);
    break;
  }
  return library;
}

const Library& library() noexcept {
  static const Library result = open();
  return result;
}

// OpenBLAS's own threads are woken at every call, slow small products down, belong to the whole
// process and change results with their number: the addon never uses them. A build for OpenMP keeps
// their number for each thread that calls it, so every thread says so before its first call.
void use_one_thread(const Library& library) {
  static thread_local const bool is_one = [&] {
    library.set_threads(1);
    return true;
  }();
  static_cast<void>(is_one);
}

}  // namespace

const OpenBlas* openblas() noexcept {
  const Library& opened = library();
  if (opened.problem[0] != '\0') return nullptr;
  use_one_thread(opened);
  return &opened.functions;
}

const char* openblas_problem() noexcept {
  const Library& opened = library();
  return opened.problem[0] == '\0' ? nullptr : opened.problem;
}

}  // namespace nb

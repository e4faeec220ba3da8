// Old versions of the functions that a new GNU C library has new versions of, so that a binary that
// was linked with a new one loads with glibc 2.28, which is the oldest that Node's own binaries
// load with. The linker leads every call of NAME that is in its list of --wrap to __wrap_NAME. Only
// what lies in the packed tarball is linked with this; what is built where it runs needs none of
// it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <time.h>

// The version that the first release for the processor gave to everything.
#if defined(__x86_64__)
#define FIRST "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define FIRST "GLIBC_2.17"
#endif

#define WRAP(result, name, parameters, ...)           \
  __asm__(".symver old_" #name ", " #name "@" FIRST); \
  result old_##name parameters;                       \
  result __wrap_##name parameters { return old_##name(__VA_ARGS__); }

// 2.29: differs from the first version in errno alone.
WRAP(double, pow, (double x, double y), x, y)

// 2.34: what was in libdl and libpthread, which Node has loaded, is in libc since.
WRAP(int, dladdr, (const void* address, Dl_info* info), address, info)
WRAP(char*, dlerror, (void))
WRAP(void*, dlopen, (const char* file, int mode), file, mode)
WRAP(void*, dlsym, (void* handle, const char* name), handle, name)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument),
     thread, attributes, run, argument)
WRAP(int, pthread_detach, (pthread_t thread), thread)
WRAP(int, pthread_once, (pthread_once_t * control, void (*run)(void)), control, run)
WRAP(int, __pthread_key_create, (pthread_key_t * key, void (*destroy)(void*)), key, destroy)

// 2.30: to wait until a time by another clock than that of the calendar. As the C++ library does
// where it is missing, by converting the time.
int __wrap_pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                  clockid_t clock, const struct timespec* until) {
  struct timespec now, calendar;
  if (clock_gettime(clock, &now) != 0 || clock_gettime(CLOCK_REALTIME, &calendar) != 0)
    return EINVAL;
  calendar.tv_sec += until->tv_sec - now.tv_sec;
  calendar.tv_nsec += until->tv_nsec - now.tv_nsec;
  if (calendar.tv_nsec < 0) {
    calendar.tv_nsec += 1000000000;
    --calendar.tv_sec;
  } else if (calendar.tv_nsec >= 1000000000) {
    calendar.tv_nsec -= 1000000000;
    ++calendar.tv_sec;
  }
  return pthread_cond_timedwait(condition, mutex, &calendar);
}

// 2.32: whether there is but one thread, which saves atomic operations. There are always more.
char __libc_single_threaded = 0;

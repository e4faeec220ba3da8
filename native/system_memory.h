// Memory from the system, and how much of it there is to be had: one account for the whole process,
// as several environments (worker threads) take from it.
#pragma once

#include <cstddef>
#include <functional>

namespace nb {

// The bytes that the system would still give this process, as it sees it: asked now and then only.
using Available = std::function<size_t()>;

// A block of undefined content, aligned to 64 bytes; nullptr where there is no such memory. The
// system promises more than it has and kills the process that touches it, so what is available is
// asked for, less what was promised before and has not been touched yet.
void* take_memory(size_t bytes, const Available& available);

// Gives a block of so many bytes back.
void give_memory(void* data, size_t bytes) noexcept;

// Hands the system what give_memory left to the C library.
void flush_memory() noexcept;

// How many released bytes one environment may keep for reuse. Others cannot have them, so that it
// is a part of what is left.
size_t pool_limit() noexcept;

// Bytes that were taken and not touched yet, by any environment.
size_t untouched_memory();

// Bytes of memory this machine has; SIZE_MAX where it does not say.
size_t physical_memory();

}  // namespace nb

// Random words from a counter: Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", 2011).
//
// state: two words of key and a 64-bit block counter, low word first. Element i takes word i mod 4
// of block counter + i / 4, so any chunk can compute its part by itself. The words are the same in
// the JavaScript backend. A kernel's `run` only reads the state; it is advanced when all chunks are
// done.
#pragma once

#include "kernel.h"
#include "simd/simd.h"

namespace nb {

constexpr size_t kBlockWords = 4;
constexpr size_t kWords = 256;  // made at a time; a multiple of the grain of a chunk
constexpr size_t kState = 4;

struct Generator {
  uint32_t key[2];
  uint64_t counter;
};

inline Generator generator_of(IntsInout state) {
  const auto word = [=](size_t i) { return static_cast<uint32_t>(state[i]); };
  return {{word(0), word(1)}, word(2) | uint64_t{word(3)} << 32};
}

inline size_t blocks_of(size_t words) { return words / kBlockWords + (words % kBlockWords != 0); }

inline void advance(IntsInout state, size_t words) {
  const uint64_t counter = generator_of(state).counter + blocks_of(words);
  state[2] = static_cast<int32_t>(static_cast<uint32_t>(counter));
  state[3] = static_cast<int32_t>(static_cast<uint32_t>(counter >> 32));
}

// kWords words from word `first` on, a multiple of 4. 32-bit words in 64-bit lanes: the products
// need them.
NB_INLINE void philox(const Generator& g, size_t first, uint32_t* words) {
  constexpr uint64_t kLow = 0xFFFFFFFF;
  for (size_t i = 0; i < kWords / kBlockWords; ++i) {
    const uint64_t counter = g.counter + first / kBlockWords + i;
    uint64_t x0 = counter & kLow, x1 = counter >> 32, x2 = 0, x3 = 0;
    uint32_t key0 = g.key[0], key1 = g.key[1];
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = 0xD2511F53 * x0;
      const uint64_t p1 = 0xCD9E8D57 * x2;
      x0 = (p1 >> 32) ^ x1 ^ key0;
      x1 = p1 & kLow;
      x2 = (p0 >> 32) ^ x3 ^ key1;
      x3 = p0 & kLow;
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    words[4 * i] = static_cast<uint32_t>(x0);
    words[4 * i + 1] = static_cast<uint32_t>(x1);
    words[4 * i + 2] = static_cast<uint32_t>(x2);
    words[4 * i + 3] = static_cast<uint32_t>(x3);
  }
}

// A number in [0, 1) that float32 holds exactly.
NB_INLINE float unit(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

}  // namespace nb

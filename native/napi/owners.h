// The JavaScript objects that native memory is freed with, when V8 collects them.
//
// JavaScript's own means, FinalizationRegistry and WeakRef, free nothing before the job ends, so
// that a loop that never pauses would pile up all it makes. A weak reference of N-API is empty as
// soon as V8 has collected its object, and V8 collects within the job where it is told of so much
// memory. So: what V8 collects by itself is freed on a later turn of the event loop; and when much
// was made since the last look, the references are looked through, after a collection where it
// takes one.
//
// What that cannot free: memory whose tensor a variable, a graph or a closure still reaches.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nb {

// Used on the environment's thread only.
class Owners {
 public:
  enum class Kind : uint8_t { buffer, program };
  // Something that is freed with an object: a handle or a program's number.
  struct Owned {
    Kind kind;
    double name;
  };
  // Gives it back and removes its tie.
  using Free = void (*)(napi_env env, Owned owned);

  Owners(napi_env env, Free free);
  Owners(const Owners&) = delete;
  Owners& operator=(const Owners&) = delete;

  // Frees what belongs to collected objects when so much is owned that it may be worthwhile; says
  // whether it looked. To be called before something new is made.
  bool make_room() {
    if (bytes_ <= bound_) return false;
    look();
    return true;
  }
  // Has V8 collect, and frees what belongs to collected objects.
  void collect();
  // Frees what belongs to objects that were collected by now.
  void sweep();
  // Ties `bytes` of memory to an object; gives the number of the tie, from 1 on. 0: it is no
  // object.
  uint32_t add(napi_value owner, Owned owned, size_t bytes);
  // Unties it; of 0 nothing.
  void remove(uint32_t tie);
  // How much released memory to keep for reuse after a look.
  size_t pool_bound() const;

 private:
  struct Tie {
    napi_ref reference = nullptr;  // nullptr: it is free
    Owned owned{};
    size_t bytes = 0;
  };

  void look();
  void free(uint32_t tie) { free_(env_, ties_[tie].owned); }
  void survive(size_t bytes);
  // Tells V8 how much memory goes with its objects.
  void tell();
  void leave() noexcept;

  napi_env env_;
  Free free_;
  std::vector<Tie> ties_;  // the first is never used
  std::vector<uint32_t> free_ties_;
  size_t bytes_ = 0;
  size_t told_ = 0;
  size_t survived_ = 0;
  size_t bound_;
};

}  // namespace nb

#include "owners.h"

namespace nb {
namespace {

// Memory that may wait to be freed, beyond as much again as survived the last collection: less than
// V8 lets grow (64 MiB) before it marks its whole heap.
constexpr size_t kSlack = size_t{48} << 20;
// Released memory that is kept for reuse after a look, beyond as much as survived.
constexpr size_t kPool = size_t{128} << 20;
// What a buffer takes beside its memory: its slot, its tie, the weak reference.
constexpr size_t kOverhead = 256;
// V8 is told of changes from this size on: a call for each would cost as much as the tie.
constexpr size_t kStep = size_t{4} << 20;
// More than V8 lets JavaScript hold outside its heap: told of that, it collects before it returns.
constexpr int64_t kPressure = int64_t{1} << 42;

void adjust(napi_env env, int64_t change) {
  int64_t total;
  napi_adjust_external_memory(env, change, &total);
}

// Has V8 collect its young objects, by filling their space. It takes a few milliseconds however
// large the heap is, and most tensors that nobody refers to any more are young.
void collect_young(napi_env env) {
  constexpr size_t kMost = size_t{32} << 20, kPiece = size_t{64} << 10;
  napi_ref youngest = nullptr;
  for (size_t made = 0; made < kMost; made += kPiece) {
    napi_handle_scope scope;
    napi_value filler, found = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_create_array_with_length(env, kPiece / sizeof(double), &filler);
    if (youngest == nullptr) {
      napi_create_reference(env, filler, 0, &youngest);
    } else {
      napi_get_reference_value(env, youngest, &found);
      if (found == nullptr) made = kMost;
    }
    napi_close_handle_scope(env, scope);
  }
  napi_delete_reference(env, youngest);
}

}  // namespace

Owners::Owners(napi_env env, Free free) : env_(env), free_(free), ties_(1), bound_(kSlack) {
  // Earlier than the environment's own end, whose finalizers would find nothing here any more.
  napi_add_env_cleanup_hook(
      env, [](void* self) { static_cast<Owners*>(self)->leave(); }, this);
}

uint32_t Owners::add(napi_value owner, Owned owned, size_t bytes) {
  if (free_ties_.empty()) {
    ties_.emplace_back();
    free_ties_.push_back(static_cast<uint32_t>(ties_.size() - 1));
  }
  const uint32_t number = free_ties_.back();
  Tie& tie = ties_[number];
  const auto collected = [](napi_env, void* data, void* owners) {
    const auto number = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(data));
    static_cast<Owners*>(owners)->free(number);
  };
  void* const data = reinterpret_cast<void*>(static_cast<uintptr_t>(number));
  if (napi_add_finalizer(env_, owner, data, collected, this, &tie.reference) != napi_ok) return 0;
  free_ties_.pop_back();
  tie.owned = owned;
  tie.bytes = bytes + kOverhead;
  bytes_ += tie.bytes;
  if (bytes_ >= told_ + kStep) tell();
  return number;
}

void Owners::remove(uint32_t number) {
  if (number == 0) return;
  Tie& tie = ties_[number];
  napi_delete_reference(env_, tie.reference);
  tie.reference = nullptr;
  free_ties_.push_back(number);
  bytes_ -= tie.bytes;
  if (bytes_ < survived_) survive(bytes_);
  if (bytes_ + kStep <= told_) tell();
}

void Owners::look() {
  const size_t garbage = bytes_ - survived_;
  const auto is_enough = [&] { return bytes_ - survived_ <= garbage / 2; };
  // V8 may have collected meanwhile.
  sweep();
  if (is_enough()) return;
  collect_young(env_);
  sweep();
  if (!is_enough()) collect();
}

void Owners::collect() {
  adjust(env_, kPressure);
  adjust(env_, -kPressure);
  sweep();
  survive(bytes_);
}

void Owners::sweep() {
  napi_handle_scope scope;
  for (uint32_t number = 1; number < ties_.size(); ++number) {
    if (ties_[number].reference == nullptr) continue;
    napi_value owner;
    napi_open_handle_scope(env_, &scope);
    napi_get_reference_value(env_, ties_[number].reference, &owner);
    napi_close_handle_scope(env_, scope);
    if (owner == nullptr) free(number);
  }
}

void Owners::survive(size_t bytes) {
  survived_ = bytes;
  bound_ = 2 * bytes + kSlack;
}

void Owners::tell() {
  adjust(env_, static_cast<int64_t>(bytes_) - static_cast<int64_t>(told_));
  told_ = bytes_;
}

size_t Owners::pool_bound() const { return survived_ + kPool; }

void Owners::leave() noexcept {
  for (Tie& tie : ties_) {
    if (tie.reference != nullptr) napi_delete_reference(env_, tie.reference);
    tie.reference = nullptr;
  }
  adjust(env_, -static_cast<int64_t>(told_));
  told_ = bytes_ = 0;
}

}  // namespace nb

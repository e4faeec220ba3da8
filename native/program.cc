#include "program.h"

#include <cmath>
#include <map>

#include "gemm/panels.h"

namespace nb {

Program::Program(Buffers& buffers, size_t arena_bytes, const std::vector<Place>& places,
                 const std::vector<Step>& steps, const std::vector<Weights>& weights)
    : buffers_(buffers), arena_(buffers.allocate(arena_bytes, DType::uint8)) {
  try {
    pinned_.reserve(places.size());
    for (const Place& place : places) table_.push_back(locate(place, arena_bytes));
    iteration_ = bind(steps);
    for (const NamedCall& step : iteration_) weight_ += step.call->weight();
    list_held(steps, weights);
  } catch (...) {
    leave_memory();
    throw;
  }
}

Program::~Program() { leave_memory(); }

Program::Calls Program::bind(const std::vector<Step>& steps) const {
  Calls calls;
  for (const Step& step : steps) {
    calls.push_back({step.kernel->name.c_str(), step.kernel->bind(*this, step.arguments.data())});
  }
  return calls;
}

void Program::leave_memory() {
  for (uint32_t slot : pinned_) buffers_.unpin(slot);
  buffers_.release(arena_);
}

Buffer Program::locate(const Place& place, size_t arena_bytes) {
  if (place.home == Home::view) return part(place.where, place.offset, place.length);
  if (place.home == Home::shared) {
    const Buffer* buffer = buffers_.find(place.where);
    if (buffer == nullptr) throw KernelFault("a buffer of the program is not in use");
    pinned_.push_back(buffers_.pin(place.where));
    return *buffer;
  }
  const size_t bytes = product(place.length, element_size(place.dtype));
  const bool is_aligned = place.where >= 0 && place.where <= static_cast<double>(arena_bytes) &&
                          std::fmod(place.where, 64) == 0;
  if (!is_aligned || total(static_cast<size_t>(place.where), bytes) > arena_bytes) {
    throw KernelFault("a buffer of the program lies outside its arena");
  }
  Buffer local = *buffers_.find(arena_);
  local.data = static_cast<char*>(local.data) + static_cast<size_t>(place.where);
  local.length = place.length;
  local.dtype = place.dtype;
  local.contents = nullptr;
  return local;
}

Buffer Program::part(double where, size_t offset, size_t length) const {
  const Buffer* whole = find(where);
  if (whole == nullptr || offset > whole->length || length > whole->length - offset) {
    throw KernelFault("a view of the program lies outside its buffer");
  }
  Buffer view = *whole;
  view.data = static_cast<char*>(view.data) + offset * element_size(view.dtype);
  view.length = length;
  return view;
}

void Program::list_held(const std::vector<Step>& steps, const std::vector<Weights>& weights) {
  const uint32_t arena = buffers_.find(arena_)->root;
  std::map<uint32_t, Hold> holds;
  for (const Step& step : steps) {
    for (size_t i = 0; i < step.arguments.size(); ++i) {
      const Use use = step.kernel->kinds[i].use;
      if (!is_buffer(use)) continue;
      const Buffer& buffer = *find(step.arguments[i]);
      if (buffer.root == arena) continue;
      Hold& hold = holds.try_emplace(buffer.root, Hold{buffer.root, false}).first->second;
      hold.writes |= is_written(use);
    }
  }
  for (const auto& [place, panels] : weights) {
    const Buffer* buffer = find(place);
    const auto held = buffer == nullptr ? holds.end() : holds.find(buffer->root);
    // Others share what is only read.
    if (held == holds.end() || !held->second.writes) {
      throw KernelFault("weights in panels are not written by any of its steps");
    }
    const bool is_whole = buffer->data == buffer->contents->data &&
                          buffer->dtype == DType::float32 &&
                          buffer->length == buffer->contents->length &&
                          buffer->length == product(panels.rows, panels.cols);
    if (!is_whole) throw KernelFault("weights in panels are not all of a buffer of float32");
    held->second.panels = panels;
  }
  for (const auto& [root, hold] : holds) held_.push_back(hold);
  for (const Hold& hold : held_) contents_.push_back(buffers_.root(hold.root).contents);
}

Fault Program::arrange() const noexcept {
  for (size_t i = 0; i < held_.size(); ++i) {
    if (!lay_out(*contents_[i], held_[i].panels)) {
      return Fault::of("expected memory to lay out weights anew, got none");
    }
  }
  return {};
}

const Buffer* Program::find(double name) const {
  if (!(name >= 0 && name < static_cast<double>(table_.size()))) return nullptr;
  const size_t position = static_cast<size_t>(name);
  return static_cast<double>(position) == name ? &table_[position] : nullptr;
}

}  // namespace nb

#include "program.h"

#include <cmath>
#include <map>

namespace nb {

Program::Program(Buffers& buffers, size_t arena_bytes, const std::vector<Place>& places,
                 const Steps& steps)
    : buffers_(buffers), arena_(buffers.allocate(arena_bytes, DType::uint8)) {
  try {
    pinned_.reserve(places.size());
    for (const Place& place : places) table_.push_back(locate(place, arena_bytes));
    before_ = bind(steps.before);
    iteration_ = bind(steps.iteration);
    after_ = bind(steps.after);
    for (const NamedCall& step : iteration_) weight_ += step.call->weight();
    list_held(steps);
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

void Program::list_held(const Steps& steps) {
  const uint32_t arena = buffers_.find(arena_)->root;
  std::map<uint32_t, bool> writes;
  for (const auto* list : {&steps.before, &steps.iteration, &steps.after}) {
    for (const Step& step : *list) {
      for (size_t i = 0; i < step.arguments.size(); ++i) {
        const Use use = step.kernel->kinds[i].use;
        if (!is_buffer(use)) continue;
        const uint32_t root = find(step.arguments[i])->root;
        if (root != arena) writes[root] |= is_written(use);
      }
    }
  }
  for (const auto& [root, written] : writes) held_.push_back({root, written});
}

const Buffer* Program::find(double name) const {
  if (!(name >= 0 && name < static_cast<double>(table_.size()))) return nullptr;
  const size_t position = static_cast<size_t>(name);
  return static_cast<double>(position) == name ? &table_[position] : nullptr;
}

}  // namespace nb

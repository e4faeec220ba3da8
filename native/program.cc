#include "program.h"

namespace nb {

Program::Program(Buffers& buffers, size_t arena_bytes, const std::vector<Place>& places,
                 const Steps& steps)
    : buffers_(buffers), arena_(buffers.allocate(arena_bytes, DType::uint8)) {
  try {
    pinned_.reserve(places.size());
    for (const Place& p : places) place(p, arena_bytes);
    before_ = bind(steps.before);
    pass_ = bind(steps.pass);
    after_ = bind(steps.after);
    for (const Step& step : steps.pass) names_.push_back(step.kernel->name.c_str());
    for (const auto& call : pass_) weight_ += call->weight();
  } catch (...) {
    leave_memory();
    throw;
  }
}

Program::~Program() { leave_memory(); }

Program::Calls Program::bind(const std::vector<Step>& steps) const {
  Calls calls;
  for (const Step& step : steps) {
    calls.push_back(step.kernel->bind(*this, step.arguments.data()));
  }
  return calls;
}

void Program::leave_memory() {
  for (uint32_t slot : pinned_) buffers_.unpin(slot);
  buffers_.release(arena_);
}

void Program::place(const Place& place, size_t arena_bytes) {
  if (!place.in_arena) {
    const Buffer* buffer = buffers_.find(place.where);
    if (buffer == nullptr) throw KernelFault("a buffer of the program is not in use");
    pinned_.push_back(buffers_.pin(place.where));
    Buffer shared = *buffer;
    shared.busy = 0;
    table_.push_back(shared);
    return;
  }
  const size_t offset = static_cast<size_t>(place.where);
  const size_t bytes = product(static_cast<size_t>(place.length), element_size(place.dtype));
  if (offset % 64 != 0 || total(offset, bytes) > arena_bytes) {
    throw KernelFault("a buffer of the program lies outside its arena");
  }
  Buffer local;
  local.data = static_cast<char*>(buffers_.find(arena_)->data) + offset;
  local.length = static_cast<size_t>(place.length);
  local.dtype = place.dtype;
  table_.push_back(local);
}

const Buffer* Program::find(double name) const {
  if (!(name >= 0 && name < static_cast<double>(table_.size()))) return nullptr;
  return &table_[static_cast<size_t>(name)];
}

bool Program::occupy() {
  for (uint32_t slot : pinned_) {
    if (buffers_.is_busy(slot)) return false;
  }
  for (uint32_t slot : pinned_) buffers_.occupy(slot, true);
  return true;
}

void Program::vacate() {
  for (uint32_t slot : pinned_) buffers_.occupy(slot, false);
}

}  // namespace nb

#include "capture.h"

#include "values.h"

namespace nb {

namespace {

// Five numbers each: home, where, element offset, length, dtype.
std::vector<Program::Place> read_places(napi_env env, const std::vector<double>& values) {
  constexpr size_t kFields = 5;
  if (values.size() % kFields != 0) refuse(env, "program: expected places of 5 numbers");
  std::vector<Program::Place> places;
  for (size_t i = 0; i < values.size(); i += kFields) {
    const double *place = &values[i], home = place[0];
    if (home != 0 && home != 1 && home != 2) refuse(env, "program: no such kind of place");
    const size_t dtype = size_of(env, place[4], kProgram);
    if (dtype >= kDTypeCount) refuse(env, "program: no such dtype");
    places.push_back({static_cast<Program::Home>(home), place[1], size_of(env, place[2], kProgram),
                      size_of(env, place[3], kProgram), static_cast<DType>(dtype)});
  }
  return places;
}

// Each step: the kernel's position in the addon's list, then its arguments.
std::vector<Program::Step> read_steps(napi_env env, const std::vector<double>& values) {
  std::vector<Program::Step> steps;
  for (size_t i = 0; i < values.size();) {
    const size_t index = size_of(env, values[i++], kProgram);
    if (index >= registry().size()) refuse(env, "program: no such kernel");
    const Kernel& kernel = registry()[index];
    if (values.size() - i < kernel.kinds.size()) refuse(env, "program: arguments are missing");
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(i);
    i += kernel.kinds.size();
    steps.push_back({&kernel, {first, values.begin() + static_cast<std::ptrdiff_t>(i)}});
  }
  return steps;
}

// Three numbers each: place, rows, cols.
std::vector<Program::Weights> read_weights(napi_env env, const std::vector<double>& values) {
  constexpr size_t kFields = 3;
  if (values.size() % kFields != 0) refuse(env, "program: expected weights of 3 numbers");
  std::vector<Program::Weights> weights;
  for (size_t i = 0; i < values.size(); i += kFields) {
    const auto extent = [&](size_t field) { return size_of(env, values[i + field], kProgram); };
    weights.push_back({values[i], {extent(1), extent(2)}});
  }
  return weights;
}

}  // namespace

double Programs::compile(const Napi::CallbackInfo& info) {
  const size_t arena_bytes = size_of(env_, number_at(env_, info[0]), kProgram);
  const auto places = read_places(env_, numbers_of(info[1], kProgram));
  const auto steps = read_steps(env_, numbers_of(info[2], kProgram));
  const auto weights = read_weights(env_, numbers_of(info[3], kProgram));
  auto entry = std::make_unique<Entry>();
  entry->id = next_id_;
  const auto make = [&] {
    entry->program = std::make_unique<Program>(buffers_, arena_bytes, places, steps, weights);
  };
  try {
    try {
      make();
    } catch (const std::bad_alloc&) {
      owners_.collect();
      make();
    }
  } catch (const std::bad_alloc&) {
    refuse(env_, "program: no memory for an arena of " + std::to_string(arena_bytes) + " bytes",
           "MEMORY");
  } catch (const KernelFault& fault) {
    refuse(env_, std::string("program: ") + fault.what());
  }
  if (!info[4].IsUndefined()) {
    const Owners::Owned owned{Owners::Kind::program, static_cast<double>(next_id_)};
    entry->owner = owners_.add(info[4], owned, arena_bytes);
    if (entry->owner == 0) refuse(env_, "program: expected an object as its owner");
  }
  entries_.emplace(next_id_, std::move(entry));
  return static_cast<double>(next_id_++);
}

Programs::Entry& Programs::entry(double id) {
  const auto found = is_size(id) ? entries_.find(static_cast<uint64_t>(id)) : entries_.end();
  if (found == entries_.end() || found->second->disposed)
    refuse(env_, "program: it was disposed of");
  return *found->second;
}

void Programs::cancel(double id) {
  Entry& entry = this->entry(id);
  if (entry.activity) entry.activity->run.cancelled = true;
}

double Programs::progress(double id) {
  Entry& entry = this->entry(id);
  return entry.activity ? static_cast<double>(entry.part->iterations_done.load()) : 0;
}

void Programs::dispose(double id) {
  Entry& entry = this->entry(id);
  entry.disposed = true;
  owners_.remove(entry.owner);
  if (entry.activity) {
    entry.activity->run.cancelled = true;
  } else {
    entries_.erase(static_cast<uint64_t>(id));
  }
}

}  // namespace nb

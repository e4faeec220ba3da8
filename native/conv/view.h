// One direction of a convolution, and the tables by which the tiles of a band find their rows.
#pragma once

#include <array>

#include "padded.h"
#include "room.h"
#include "shape.h"
#include "task.h"

namespace nb {
namespace {

// Floats of the results of a band that is pooled, if it has more than two steps.
constexpr size_t kPooledBand = size_t{1} << 15;

// Bands of whole rows of windows, where results [steps, step] are pooled.
Bands bands_of_pools(Bands bands, const Walk& height, size_t step) {
  const size_t steps = static_cast<size_t>(height.end - height.begin);
  const size_t most = std::max(kPooledBand / step, kWindow) / kWindow * kWindow;
  bands.steps = std::min((bands.steps + kWindow - 1) / kWindow * kWindow, most);
  bands.count = (steps + bands.steps - 1) / bands.steps;
  bands.rows = (bands.steps - 1) * static_cast<size_t>(height.step) +
               static_cast<size_t>(height.most - height.least) + 1;
  return bands;
}

// What is the same for every band, in one direction.
struct Pass {
  const ConvShape& shape;
  const bool back;
  const bool pools = false;  // results are kept for a band alone
  const Walk height = back ? walk_back(shape.height) : walk_forward(shape.height);
  const Walk width = back ? walk_back(shape.width) : walk_forward(shape.width);
  // Channels of what is read and of what is computed.
  const size_t channels = back ? shape.filters : shape.channels;
  const size_t results = back ? shape.channels : shape.filters;
  const size_t columns = back ? shape.width.in : shape.width.out;
  const Bands bands =
      pools ? bands_of_pools(bands_of(shape.batch, height, width, channels), height, row())
            : bands_of(shape.batch, height, width, channels);

  size_t steps_across() const { return static_cast<size_t>(width.end - width.begin); }
  size_t image() const { return back ? shape.result() : shape.image(); }
  size_t result() const { return back ? shape.image() : shape.result(); }
  size_t row() const { return columns * results; }
  // Taps of a row that lie side by side in the padded copy and among the weights: one segment.
  bool joins_columns() const { return !back && shape.groups == 1 && shape.width.dilation == 1; }
  // Likewise of all rows.
  bool joins_rows() const {
    return joins_columns() && shape.height.dilation * bands.width == shape.width.kernel;
  }
};

// The tables of a band and kind of results.
class View {
 public:
  View(const Pass& pass, Room& room)
      : pass_(pass),
        from_(room.take<ptrdiff_t>(most(pass))),
        to_(room.take<size_t>(most(pass))),
        live_(room.take<Live>(most(pass) / kLiveGroup + 1)),
        row_live_(room.take<Live>(pass.bands.steps)),
        a_offsets_(room.take<ptrdiff_t>(pass.shape.taps())),
        b_offsets_(room.take<size_t>(pass.shape.taps())),
        row_taps_(room.take<Tap>(pass.shape.height.kernel)),
        column_taps_(room.take<Tap>(pass.shape.width.kernel)) {}

  static constexpr size_t kParts = 8;
  static size_t bytes(const Pass& pass) {
    return most(pass) * (sizeof(ptrdiff_t) + sizeof(size_t)) +
           (most(pass) / kLiveGroup + 1 + pass.bands.steps) * sizeof(Live) +
           pass.shape.taps() * (sizeof(ptrdiff_t) + sizeof(size_t)) +
           (pass.shape.height.kernel + pass.shape.width.kernel) * sizeof(Tap);
  }

  // Results of the steps of a band, from `begin` to before `end`.
  void fill(int64_t begin, int64_t end, size_t row_phase, size_t column_phase) {
    const std::array<int64_t, 4> wanted{begin, end, static_cast<int64_t>(row_phase),
                                        static_cast<int64_t>(column_phase)};
    if (wanted == filled_) return;
    filled_ = wanted;
    const Phase rows = phase(pass_.shape.height, pass_.height, row_phase);
    const Phase columns = phase(pass_.shape.width, pass_.width, column_phase);
    begin_ = begin;
    first_ = std::max(begin, rows.begin);
    last_ = std::min(end, rows.end);
    rows_ = rows;
    columns_ = columns;
    fill_taps(row_phase, column_phase);
    fill_results();
    fill_live();
  }

  ConvTask task() const {
    ConvTask task{};
    task.rows = count_;
    task.from = from_;
    task.to = to_;
    task.live = live_;
    task.a_offsets = a_offsets_;
    task.b_offsets = b_offsets_;
    task.run = run_;
    task.step = 1;
    return task;
  }

 private:
  // Of a band: results of one kind.
  static size_t most(const Pass& pass) { return pass.bands.steps * pass.steps_across(); }

  Phase phase(const ConvAxis& axis, const Walk& walk, size_t phase) const {
    return pass_.back ? phase_back(axis, phase) : Phase{walk.begin, walk.end, 0, 1};
  }
  size_t taps(const ConvAxis& axis, size_t phase, Tap* taps) const {
    return pass_.back ? taps_back(axis, phase, taps) : taps_forward(axis, taps);
  }

  void fill_taps(size_t row_phase, size_t column_phase) {
    const ConvShape& shape = pass_.shape;
    const size_t tap = shape.group_channels() * shape.filters;
    tap_rows_ = taps(shape.height, row_phase, row_taps_);
    size_t across = taps(shape.width, column_phase, column_taps_);
    run_ = pass_.channels / shape.groups;
    if (pass_.joins_columns()) {
      run_ *= across;
      across = 1;
    }
    segments_ = across;
    size_t at = 0;
    for (size_t r = 0; r < tap_rows_; ++r) {
      for (size_t c = 0; c < across; ++c, ++at) {
        const Tap &row = row_taps_[r], &column = column_taps_[c];
        a_offsets_[at] = place(row.offset - pass_.height.least, column.offset - pass_.width.least);
        b_offsets_[at] = (row.index * shape.width.kernel + column.index) * tap;
      }
    }
    if (pass_.joins_rows()) run_ *= tap_rows_;
  }

  ptrdiff_t place(int64_t row, int64_t column) const {
    return (row * static_cast<int64_t>(pass_.bands.width) + column) *
           static_cast<int64_t>(pass_.channels);
  }

  void fill_results() {
    const int64_t across = columns_.end - columns_.begin;
    const ptrdiff_t step = place(0, pass_.width.step);
    const size_t stride = columns_.stride * pass_.results;
    count_ = 0;
    for (int64_t i = first_; i < last_; ++i) {
      const ptrdiff_t from = place((i - begin_) * pass_.height.step,
                                   (columns_.begin - pass_.width.begin) * pass_.width.step);
      const size_t row = rows_.first + static_cast<size_t>(i - rows_.begin) * rows_.stride;
      const size_t before = pass_.pools ? static_cast<size_t>(begin_) : 0;
      const size_t to = ((row - before) * pass_.columns + columns_.first) * pass_.results;
      for (int64_t j = 0; j < across; ++j) {
        from_[count_ + static_cast<size_t>(j)] = from + j * step;
        to_[count_ + static_cast<size_t>(j)] = to + static_cast<size_t>(j) * stride;
      }
      count_ += static_cast<size_t>(across);
    }
  }

  // Rows of the kernel that lie in zeros, for all results of a group, are left out.
  void fill_live() {
    const auto across = static_cast<size_t>(columns_.end - columns_.begin);
    const auto source = static_cast<int64_t>(pass_.height.source);
    for (int64_t i = first_; i < last_; ++i) {
      Live live{UINT32_MAX, 0};
      for (size_t t = 0; t < tap_rows_; ++t) {
        const int64_t row = i * pass_.height.step + row_taps_[t].offset;
        if (row >= 0 && row < source) extend(live, t);
      }
      row_live_[i - first_] = live;
    }
    for (size_t begin = 0; begin < count_; begin += kLiveGroup) {
      const size_t end = std::min(count_, begin + kLiveGroup);
      Live live{UINT32_MAX, 0};
      for (size_t row = begin / across; row * across < end; ++row) {
        live.first = std::min(live.first, row_live_[row].first);
        live.last = std::max(live.last, row_live_[row].last);
      }
      const auto segments = static_cast<uint32_t>(segments_);
      live = live.last == 0 ? Live{0, 0} : Live{live.first * segments, live.last * segments};
      live_[begin / kLiveGroup] = pass_.joins_rows() ? Live{0, 1} : live;
    }
  }
  static void extend(Live& live, size_t t) {
    live.first = std::min(live.first, static_cast<uint32_t>(t));
    live.last = std::max(live.last, static_cast<uint32_t>(t + 1));
  }

  const Pass& pass_;
  ptrdiff_t* from_;
  size_t* to_;
  Live* live_;
  Live* row_live_;
  ptrdiff_t* a_offsets_;
  size_t* b_offsets_;
  Tap* row_taps_;
  Tap* column_taps_;
  std::array<int64_t, 4> filled_{-1};  // with what; no band begins before 0
  int64_t begin_, first_, last_;
  Phase rows_, columns_;
  size_t tap_rows_, segments_, run_, count_;
};

}  // namespace
}  // namespace nb

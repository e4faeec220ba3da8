// The loops of pools, compiled for one level; see lanes.h for where this is included.
//
// Channels go side by side in vectors. Those that are left over take one vector, too, with idle
// lanes that lie over the next pixel of the same row: what they write there is written again, or 0
// where nothing else belongs. So a few channels are no loop over one after the other. The last
// window of a row, and one at the image's edge, have no such pixel.
#include "simd/lanes.h"

// Calls f(Lanes, rows, cols, from, to) for the channels of every window of the rows of windows:
// from the element of x that the channels of its image begin with, to that of y.
template <class F>
NB_INLINE void for_windows(const Geometry& g, Range range, const F& f) {
  for (size_t i = range.first; i < range.second; ++i) {
    const size_t image = i / g.out_height * g.height * g.row();
    const Clipped rows = clip_rows(g, i % g.out_height);
    for (size_t col = 0; col < g.out_width; ++col) {
      const Clipped cols = clip_cols(g, col);
      const size_t to = i * g.out_row() + col * g.channels;
      const bool has_room = col + 1 < g.out_width && cols.end < g.width;
      for_lanes(g.channels, has_room,
                [&](auto lanes, size_t c, size_t) { f(lanes, rows, cols, image + c, to + c); });
    }
  }
}

// Whether no element of the image is part of two windows.
NB_INLINE bool are_apart(const Geometry& g) {
  return g.stride_height >= g.window_height && g.stride_width >= g.window_width;
}

// Calls f(Lanes, count, rows, cols, place row, from, to) for the channels of the windows that every
// row of dx is part of, in their order: from the element of y, to that of dx at the first of the
// window's columns. A row begins with 0; where all of it is set afterwards, that is left out.
template <bool kSets, class F>
NB_INLINE void for_covering(const Geometry& g, Range range, float* dx, const F& f) {
  const bool has_gaps =
      g.left > 0 || g.stride_width != g.window_width || g.out_width * g.window_width != g.width;
  for (size_t i = range.first; i < range.second; ++i) {
    const size_t row = i % g.height + g.top;
    const size_t out_image = i / g.height * g.out_height;
    const size_t first = row < g.window_height ? 0 : (row - g.window_height) / g.stride_height + 1;
    const size_t end = std::min(g.out_height, row / g.stride_height + 1);
    if (!kSets || has_gaps || first >= end) std::fill_n(dx + i * g.row(), g.row(), 0.0f);
    for (size_t out = first; out < end; ++out) {
      const Clipped rows = clip_rows(g, out);
      const size_t place_row = row - out * g.stride_height;
      for (size_t col = 0; col < g.out_width; ++col) {
        const Clipped cols = clip_cols(g, col);
        const size_t from = (out_image + out) * g.out_row() + col * g.channels;
        const size_t to = i * g.row() + cols.begin * g.channels;
        const bool has_room = kSets && col + 1 < g.out_width && cols.end < g.width;
        for_lanes(g.channels, has_room, [&](auto lanes, size_t c, size_t count) {
          f(lanes, count, rows, cols, place_row, from + c, to + c);
        });
      }
    }
  }
}

// Sets pixels, or adds to them.
template <bool kSets, class Floats>
NB_INLINE void put(float* pixel, Floats value) {
  store(pixel, kSets ? value : load<Floats>(pixel) + value);
}

// The first `count` lanes of a vector, and 0.
template <size_t L>
NB_INLINE typename Lanes<L>::Floats first_lanes(typename Lanes<L>::Floats vector, size_t count) {
  if constexpr (L == 1) {
    return vector;
  } else {
    constexpr int32_t kIndices[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    using Ints = typename Lanes<L>::Ints;
    const Ints limit = Ints{} + static_cast<int32_t>(count);
    return load<Ints>(kIndices) < limit ? vector : typename Lanes<L>::Floats{};
  }
}

// As PyTorch: of equal ones the first wins, and NaN wins over what is before it.
template <size_t L, typename Place>
NB_INLINE void max_window(Lanes<L>, const Geometry& g, Clipped rows, Clipped cols, const float* x,
                          float* y, Place* places) {
  using Floats = typename Lanes<L>::Floats;
  using Ints = typename Lanes<L>::Ints;
  const size_t first = rows.first * g.window_width + cols.first;
  Floats most = Floats{} - std::numeric_limits<float>::infinity();
  Ints winner = Ints{} + static_cast<int32_t>(first);
  for (size_t h = rows.begin; h < rows.end; ++h) {
    const float* pixel = x + h * g.row() + cols.begin * g.channels;
    Ints place = Ints{} + static_cast<int32_t>(first + (h - rows.begin) * g.window_width);
    for (size_t w = cols.begin; w < cols.end; ++w, pixel += g.channels, place += 1) {
      const Floats value = load<Floats>(pixel);
      const auto wins = (value > most) | (value != value);
      most = wins ? value : most;
      winner = wins ? place : winner;
    }
  }
  store(y, most);
  store_ints<L>(places, winner);
}

template <size_t L>
NB_INLINE void average_window(Lanes<L>, const Geometry& g, Clipped rows, Clipped cols, float by,
                              const float* x, float* y) {
  using Floats = typename Lanes<L>::Floats;
  Floats sum = {};
  for (size_t h = rows.begin; h < rows.end; ++h) {
    const float* pixel = x + h * g.row() + cols.begin * g.channels;
    // Row by row, so that the error of a large window's sum grows with its sides, not its area.
    Floats part = {};
    for (size_t w = cols.begin; w < cols.end; ++w, pixel += g.channels) {
      part += load<Floats>(pixel);
    }
    sum += part;
  }
  store(y, sum / by);
}

template <bool kSets, size_t L, typename Place>
NB_INLINE void max_window_grad(Lanes<L>, size_t count, const Geometry& g, Clipped cols,
                               size_t place_row, const float* dy, const Place* places, float* dx) {
  using Floats = typename Lanes<L>::Floats;
  using Ints = typename Lanes<L>::Ints;
  const Ints winner = load_ints<L>(places);
  const Floats gradient = first_lanes<L>(load<Floats>(dy), count);
  Ints place = Ints{} + static_cast<int32_t>(place_row * g.window_width + cols.first);
  for (size_t w = cols.begin; w < cols.end; ++w, dx += g.channels, place += 1) {
    put<kSets>(dx, winner == place ? gradient : Floats{});
  }
}

template <bool kSets, size_t L>
NB_INLINE void average_window_grad(Lanes<L>, size_t count, const Geometry& g, Clipped cols,
                                   float by, const float* dy, float* dx) {
  using Floats = typename Lanes<L>::Floats;
  const Floats share = first_lanes<L>(load<Floats>(dy) / by, count);
  for (size_t w = cols.begin; w < cols.end; ++w, dx += g.channels) {
    put<kSets>(dx, share);
  }
}

struct Loops {
  template <typename Place>
  static void max(const Geometry& g, Range range, const float* x, float* y, Place* places) {
    for_windows(g, range, [&](auto lanes, Clipped rows, Clipped cols, size_t from, size_t to) {
      max_window(lanes, g, rows, cols, x + from, y + to, places + to);
    });
  }

  static void average(const Geometry& g, Range range, bool counts_padding, const float* x,
                      float* y) {
    for_windows(g, range, [&](auto lanes, Clipped rows, Clipped cols, size_t from, size_t to) {
      const float by = divisor(g, counts_padding, rows, cols);
      average_window(lanes, g, rows, cols, by, x + from, y + to);
    });
  }

  template <typename Place>
  static void max_grad(const Geometry& g, Range range, const float* dy, const Place* places,
                       float* dx) {
    const auto run = [&](auto sets) {
      constexpr bool kSets = decltype(sets)::value;
      for_covering<kSets>(g, range, dx,
                          [&](auto lanes, size_t count, Clipped, Clipped cols, size_t place_row,
                              size_t from, size_t to) {
                            max_window_grad<kSets>(lanes, count, g, cols, place_row, dy + from,
                                                   places + from, dx + to);
                          });
    };
    are_apart(g) ? run(std::true_type()) : run(std::false_type());
  }

  static void average_grad(const Geometry& g, Range range, bool counts_padding, const float* dy,
                           float* dx) {
    const auto run = [&](auto sets) {
      constexpr bool kSets = decltype(sets)::value;
      for_covering<kSets>(g, range, dx,
                          [&](auto lanes, size_t count, Clipped rows, Clipped cols, size_t,
                              size_t from, size_t to) {
                            const float by = divisor(g, counts_padding, rows, cols);
                            average_window_grad<kSets>(lanes, count, g, cols, by, dy + from,
                                                       dx + to);
                          });
    };
    are_apart(g) ? run(std::true_type()) : run(std::false_type());
  }
};

// The loops of pools, compiled for one level; see lanes.h for where this is included, and for the
// idle lanes: they lie over the next pixels of a row, which are written afterwards.
#include "simd/lanes.h"

// The gradient through the relu, as of activations.h.
template <size_t L>
NB_INLINE typename Lanes<L>::Floats relu_gradient(const ResultGradient& pools, size_t at) {
  using Floats = typename Lanes<L>::Floats;
  return load<Floats>(pools.y + at) <= Floats{} ? Floats{} : load<Floats>(pools.dy + at);
}

// What of it belongs to one place of the windows.
template <size_t L>
NB_INLINE typename Lanes<L>::Floats at_place(typename Lanes<L>::Floats gradient,
                                             typename Lanes<L>::Ints places, int32_t place) {
  return places == typename Lanes<L>::Ints{} + place ? gradient : typename Lanes<L>::Floats{};
}

struct Loops {
  static void max(const float* x, size_t rows, size_t windows, size_t channels, float* y,
                  uint8_t* places) {
    const size_t line = windows * kWindow * channels;
    for (size_t i = 0; i < rows; ++i, x += kWindow * line) {
      for (size_t w = 0; w < windows; ++w, y += channels, places += channels) {
        const float* window = x + w * kWindow * channels;
        for_lanes(channels, w + 1 < windows, [&](auto lanes, size_t c, size_t) {
          max_window(lanes, window + c, line, channels, y + c, places + c);
        });
      }
    }
  }

  static void unpool(const ConvShape& shape, const ResultGradient& pools, size_t image, size_t row,
                     float* to) {
    const Pools extents{shape};
    const size_t channels = shape.filters;
    const size_t first = row % kWindow * kWindow;
    size_t from = extents.row(image, row / kWindow);
    for (size_t w = 0; w < extents.width; ++w, from += channels, to += kWindow * channels) {
      for_lanes(channels, w + 1 < extents.width, [&](auto lanes, size_t c, size_t) {
        unpool_window(lanes, pools, from + c, first, channels, to + c);
      });
    }
  }

  static void sum_runs(const ConvShape& shape, const ResultGradient& pools, size_t run, size_t end,
                       float* sums) {
    const size_t results = shape.height.out * shape.width.out, channels = shape.filters;
    const size_t all = shape.batch * results;
    for (; run < end; ++run, sums += channels) {
      RunOfPools of;
      of.fill(shape, run * kRun, std::min(all, (run + 1) * kRun));
      // Behind the last image there are no pools.
      const bool has_room = run + 1 < end && (run + 1) * kRun <= all - results;
      for_lanes(channels, has_room,
                [&](auto lanes, size_t c, size_t) { of.sum(lanes, pools, c, sums + c); });
    }
  }

 private:
  template <size_t L>
  NB_INLINE static void max_window(Lanes<L>, const float* x, size_t line, size_t channels, float* y,
                                   uint8_t* places) {
    using Floats = typename Lanes<L>::Floats;
    using Ints = typename Lanes<L>::Ints;
    Floats most = load<Floats>(x);
    Ints winner = {};
    for (size_t place = 1; place < kWindow * kWindow; ++place) {
      const Floats value = load<Floats>(x + place / kWindow * line + place % kWindow * channels);
      const auto wins = (value > most) | (value != value);
      most = wins ? value : most;
      winner = wins ? Ints{} + static_cast<int32_t>(place) : winner;
    }
    store(y, most);
    store_ints<L>(places, winner);
  }

  template <size_t L>
  NB_INLINE static void unpool_window(Lanes<L>, const ResultGradient& pools, size_t from,
                                      size_t first, size_t channels, float* to) {
    const auto gradient = relu_gradient<L>(pools, from);
    const auto places = load_ints<L>(pools.places + from);
    for (size_t place = 0; place < kWindow; ++place) {
      store(to + place * channels,
            at_place<L>(gradient, places, static_cast<int32_t>(first + place)));
    }
  }

  // Results that are added up together: the pools that they may have won, by the bits of their
  // places there. Two of one window share a row of it, and at most one of them has won.
  struct RunOfPools {
    size_t count = 0;
    size_t from[kRun];
    int32_t bits[kRun];
    int32_t places[kRun];

    void fill(const ConvShape& shape, size_t begin, size_t end) {
      const Pools extents{shape};
      const size_t width = shape.width.out, height = shape.height.out;
      size_t col = begin % width, row = begin / width % height, image = begin / width / height;
      while (begin < end) {
        size_t step = 1;
        if (row / kWindow < extents.height && col / kWindow < extents.width) {
          step = std::min(kWindow - col % kWindow, end - begin);
          from[count] = extents.row(image, row / kWindow) + col / kWindow * shape.filters;
          bits[count] = step == 1 ? kWindow * kWindow - 1 : kWindow;
          places[count++] = static_cast<int32_t>(row % kWindow * kWindow + col % kWindow);
        }
        begin += step;
        col += step;
        if (col < width) continue;
        col = 0;
        if (++row < height) continue;
        row = 0;
        ++image;
      }
    }

    template <size_t L>
    NB_INLINE void sum(Lanes<L>, const ResultGradient& pools, size_t c, float* to) const {
      typename Lanes<L>::Floats total = {};
      for (size_t i = 0; i < count; ++i) {
        const size_t at = from[i] + c;
        const auto places_of = load_ints<L>(pools.places + at) & bits[i];
        total += at_place<L>(relu_gradient<L>(pools, at), places_of, places[i]);
      }
      store(to, total);
    }
  };
};

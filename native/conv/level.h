// Convolutions at one level of vector instructions: rows and columns cut into tiles. Included by a
// level's file in an unnamed namespace; no include guard. A Level also says what is best for a few
// columns (`Narrow`: itself, or another), and whether parts of vectors can be stored
// (`kWritesParts`: store(p, v, mask)).
#include "tile.h"

// A strip of V vectors of columns, all rows.
template <class Level, size_t V, bool kGradient, bool kByLane, bool kPart>
void conv_strip(const ConvTask& task, size_t col, size_t part) {
  // As many sums as there are registers for, and few for the last rows.
  constexpr size_t R = 6 * Level::kVectors / V, kRest = R / 3;
  const ConvTile tile{task, col, part};
  const float* a = task.a + (kByLane ? col : 0);
  float* y = task.y + col;
  const float* rows[R];
  float* to[R];
  for (size_t begin = 0; begin < task.rows; begin += kLiveGroup) {
    const size_t end = std::min(task.rows, begin + kLiveGroup);
    const Live live = task.live[begin / kLiveGroup];
    size_t row = begin;
    for (; row + R <= end; row += R) {
      for (size_t i = 0; i < R; ++i) {
        rows[i] = a + task.from[row + i];
        to[i] = y + task.to[row + i];
      }
      conv_tile<Level, V, R, kGradient, kByLane, kPart>(tile, live, rows, to, R);
    }
    for (; row < end; row += kRest) {
      for (size_t i = 0; i < kRest; ++i) {
        const size_t at = std::min(row + i, end - 1);
        rows[i] = a + task.from[at];
        to[i] = y + task.to[at];
      }
      conv_tile<Level, V, kRest, kGradient, kByLane, kPart>(tile, live, rows, to,
                                                            std::min(kRest, end - row));
    }
  }
}

template <class Level, size_t V, bool kGradient, bool kByLane>
void conv_strip(const ConvTask& task, size_t col) {
  const size_t part = (task.cols - col) % Level::kLanes;
  if (part == 0 || task.cols - col >= V * Level::kLanes) {
    conv_strip<Level, V, kGradient, kByLane, false>(task, col, 0);
  } else {
    conv_strip<Level, V, kGradient, kByLane, true>(task, col, part);
  }
}

template <class Level, bool kGradient>
void conv_task(const ConvTask& task) {
  if (task.by_lane) {
    for (size_t col = 0; col < task.cols; col += Level::kLanes) {
      conv_strip<Level, 1, kGradient, true>(task, col);
    }
    return;
  }
  for (size_t col = 0; col < task.cols; col += Level::kVectors * Level::kLanes) {
    switch ((task.cols - col + Level::kLanes - 1) / Level::kLanes) {
      case 1:
        if (task.cols - col <= Level::Narrow::kLanes) {
          conv_strip<typename Level::Narrow, 1, kGradient, false>(task, col);
        } else {
          conv_strip<Level, 1, kGradient, false>(task, col);
        }
        break;
      case 2:
        conv_strip<Level, 2, kGradient, false>(task, col);
        break;
      case 3:
        conv_strip<Level, std::min<size_t>(3, Level::kVectors), kGradient, false>(task, col);
        break;
      default:
        conv_strip<Level, Level::kVectors, kGradient, false>(task, col);
    }
  }
}

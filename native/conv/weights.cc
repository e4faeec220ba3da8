// The gradient of the weights: rows of its matrix [taps · channels, filters] are the rows of the
// tiles, and what is added up are the results, row by row of a band: so the padded images are read
// in place, as forward.
#include "level_in_use.h"
#include "padded.h"
#include "pass.h"
#include "room.h"

namespace nb {
namespace {

constexpr size_t kBlockColumns = 64;

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

// The blocks of the gradient, and where its rows begin in a padded band.
struct Blocks {
  const ConvShape& shape;
  const bool by_lane = shape.is_depthwise();
  const size_t groups = by_lane ? 1 : shape.groups;
  const size_t channels = by_lane ? 1 : shape.group_channels();
  const size_t cols = by_lane ? shape.filters : shape.group_filters();
  const size_t rows = shape.taps() * channels;
  const size_t row_blocks = ceil_div(rows, kLiveGroup);
  const size_t column_blocks = ceil_div(cols, kBlockColumns);

  size_t count() const { return groups * column_blocks * row_blocks; }
  size_t row_of_kernel(size_t row) const { return row / (channels * shape.width.kernel); }
};

// The tables of a band.
struct Tables {
  ptrdiff_t* from;       // [rows]
  size_t* to;            // [rows]
  Live* live;            // [row_blocks]
  ptrdiff_t* a_offsets;  // [steps of a band]
  size_t* b_offsets;
};

void fill_tables(const Blocks& blocks, const Bands& bands, size_t columns, const Tables& tables) {
  const ConvShape& s = blocks.shape;
  const size_t line = bands.width * s.channels;
  size_t i = 0;
  for (size_t r = 0; r < s.height.kernel; ++r) {
    for (size_t c = 0; c < s.width.kernel; ++c) {
      const size_t tap = r * s.height.dilation * line + c * s.width.dilation * s.channels;
      for (size_t channel = 0; channel < blocks.channels; ++channel, ++i) {
        tables.from[i] = static_cast<ptrdiff_t>(tap + channel);
        tables.to[i] = i * s.filters;
      }
    }
  }
  for (size_t step = 0; step < bands.steps; ++step) {
    tables.a_offsets[step] = static_cast<ptrdiff_t>(step * s.height.stride * line);
    tables.b_offsets[step] = step * columns * s.filters;
  }
}

// Results, from `begin` to before `end`, whose taps in a row of the kernel lie in the image.
Live live_of(const ConvAxis& axis, size_t tap, size_t begin, size_t end) {
  const auto inside = [&](size_t step) {
    const size_t place = step * axis.stride + tap * axis.dilation;
    return place >= axis.pad && place < axis.pad + axis.in;
  };
  Live live{UINT32_MAX, 0};
  for (size_t step = begin; step < end; ++step) {
    if (!inside(step)) continue;
    live.first = std::min(live.first, static_cast<uint32_t>(step - begin));
    live.last = static_cast<uint32_t>(step - begin + 1);
  }
  return live;
}

void fill_live(const Blocks& blocks, size_t begin, size_t end, Live* lives) {
  for (size_t block = 0; block < blocks.row_blocks; ++block) {
    const size_t last = std::min(blocks.rows, (block + 1) * kLiveGroup) - 1;
    Live live{UINT32_MAX, 0};
    for (size_t tap = blocks.row_of_kernel(block * kLiveGroup); tap <= blocks.row_of_kernel(last);
         ++tap) {
      const Live own = live_of(blocks.shape.height, tap, begin, end);
      live.first = std::min(live.first, own.first);
      live.last = std::max(live.last, own.last);
    }
    lives[block] = live.last == 0 ? Live{0, 0} : live;
  }
}

// Blocks from `block` to before `end`: as many rows at once as lie below each other.
void add_blocks(const Blocks& blocks, const ConvTask& given, size_t block, size_t end) {
  while (block < end) {
    const size_t row = block % blocks.row_blocks, column = block / blocks.row_blocks;
    const size_t count = std::min(blocks.row_blocks - row, end - block);
    const size_t group = column / blocks.column_blocks;
    const size_t col = column % blocks.column_blocks * kBlockColumns;
    ConvTask task = given;
    const size_t begin = row * kLiveGroup;
    task.rows = std::min(blocks.rows - begin, count * kLiveGroup);
    task.cols = std::min(kBlockColumns, blocks.cols - col);
    task.from += begin;
    task.to += begin;
    task.live += row;
    task.a += group * blocks.channels + (task.by_lane ? col : 0);
    task.b += group * blocks.cols + col;
    task.y += group * blocks.cols + col;
    weight_gradient_at_level(task);
    block += count;
  }
}

}  // namespace

size_t blocks_of(const ConvShape& shape) noexcept { return Blocks{shape}.count(); }

Fault weight_gradient_units(const ConvShape& shape, const float* x, const ResultGradient& dy,
                            float* dw, size_t unit, size_t end, size_t block,
                            size_t blocks_end) noexcept {
  const Blocks blocks{shape};
  const Walk height = walk_forward(shape.height), width = walk_forward(shape.width);
  const Bands bands = bands_of(shape.batch, height, width, shape.channels);
  const size_t floats = bands.floats(shape.channels);
  // Of a pool's gradient, the results that are part of a window: the others are zeros.
  const ConvShape used = dy.is_pooled() ? shape.pooled() : shape;
  const size_t row = used.width.out * shape.filters;
  const size_t unpooled = dy.is_pooled() ? bands.steps * row : 0;
  Room room(
      (floats + unpooled) * sizeof(float) + blocks.rows * (sizeof(ptrdiff_t) + sizeof(size_t)) +
          blocks.row_blocks * sizeof(Live) + bands.steps * (sizeof(ptrdiff_t) + sizeof(size_t)),
      7);
  if (!room) return no_memory_to_compute();
  float* copy = room.take<float>(floats);
  float* gradient = room.take<float>(unpooled);
  const Tables tables{room.take<ptrdiff_t>(blocks.rows), room.take<size_t>(blocks.rows),
                      room.take<Live>(blocks.row_blocks), room.take<ptrdiff_t>(bands.steps),
                      room.take<size_t>(bands.steps)};
  fill_tables(blocks, bands, used.width.out, tables);
  ConvTask task{};
  task.from = tables.from;
  task.to = tables.to;
  task.live = tables.live;
  task.a_offsets = tables.a_offsets;
  task.b_offsets = tables.b_offsets;
  task.y = dw;
  task.b_stride = shape.filters;
  task.by_lane = blocks.by_lane;
  // Of results in a single column, those of a band are one segment.
  const bool joins = used.width.out == 1;
  task.step = joins ? shape.height.stride * bands.width * shape.channels
                    : shape.width.stride * shape.channels;
  for (; unit < end; ++unit) {
    const size_t image = unit / bands.count;
    const size_t begin = unit % bands.count * bands.steps;
    const size_t stop = std::min(shape.height.out, begin + bands.steps);
    const size_t rows = (stop - 1 - begin) * shape.height.stride +
                        (shape.height.kernel - 1) * shape.height.dilation + 1;
    task.a = padded(x + image * shape.image(), shape.height.in, shape.width.in, shape.channels,
                    bands, static_cast<int64_t>(begin) * height.step + height.least, rows, copy);
    const size_t end_used = std::min(stop, used.height.out);
    if (dy.is_pooled()) {
      for (size_t r = begin; r < end_used; ++r) {
        unpool_row(shape, dy, image, r, gradient + (r - begin) * row);
      }
      task.b = gradient;
    } else {
      task.b = dy.dy + image * shape.result() + begin * row;
    }
    task.run = joins ? stop - begin : used.width.out;
    if (joins) {
      std::fill_n(tables.live, blocks.row_blocks, Live{0, 1});
    } else {
      fill_live(blocks, begin, end_used, tables.live);
    }
    add_blocks(blocks, task, block, blocks_end);
    task.adds = true;
  }
  return {};
}

}  // namespace nb

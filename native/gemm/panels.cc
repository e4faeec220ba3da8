#include "panels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "product.h"

namespace nb {
namespace {

struct Free {
  void operator()(float* memory) const { std::free(memory); }
};

// Calls copy(in rows, in panels, width) for each panel's part of each row: row by row, so that what
// is read or written lies one after another on both sides.
template <class Copy>
void for_panel_rows(Contents::Panels panels, const Copy& copy) {
  const auto [rows, cols] = panels;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t col = 0; col < cols; col += kPanel) {
      const size_t width = std::min(kPanel, cols - col);
      copy(row * cols + col, col * rows + row * width, width * sizeof(float));
    }
  }
}

}  // namespace

bool lay_out(Contents& weights, Contents::Panels panels) noexcept {
  if (panels.cols == 0 && !weights.in_panels.load(std::memory_order_acquire)) return true;
  // Of several that want the rows, one makes them, and the others wait.
  static std::mutex changing;
  const std::lock_guard<std::mutex> lock(changing);
  if (weights.panels == panels) return true;
  const size_t bytes = weights.length * sizeof(float);
  const std::unique_ptr<float, Free> memory(static_cast<float*>(std::malloc(bytes)));
  if (memory == nullptr) return false;
  auto* w = static_cast<float*>(weights.data);
  float* copy = memory.get();
  if (weights.panels.cols > 0) {
    std::memcpy(copy, w, bytes);
    for_panel_rows(weights.panels, [=](size_t plain, size_t packed, size_t width) {
      std::memcpy(w + plain, copy + packed, width);
    });
  }
  if (panels.cols > 0) {
    std::memcpy(copy, w, bytes);
    for_panel_rows(panels, [=](size_t plain, size_t packed, size_t width) {
      std::memcpy(w + packed, copy + plain, width);
    });
  }
  weights.panels = panels;
  weights.in_panels.store(panels.cols > 0, std::memory_order_release);
  return true;
}

}  // namespace nb

// A bias and the activation after it in one pass over the matrix, and back: the gradient through
// the activation with that of the bias. Bit for bit what add, the activation, its gradient and sum
// give.
#include "activations.h"
#include "columns.h"
#include "rows.h"

namespace nb {
namespace {

void activation_check(In x, In bias, Out y, Size rows, Size cols) {
  const size_t size = product(rows, cols);
  holds(x, size);
  holds(bias, cols);
  holds(y, size);
  distinct(y, bias);
}
// y = F(x + bias) for x, y [rows, cols]
template <float (*F)(float)>
void activation_run(In x, In bias, Out y, Size rows, Size cols, Share share) noexcept {
  const Range range = share.of(rows * cols);
  simd([=] {
    for_pieces(range, cols, [&](size_t row, size_t from, size_t to) {
      const float* source = x.data + row * cols;
      float* target = y.data + row * cols;
      for (size_t c = from; c < to; ++c) target[c] = F(source[c] + bias[c]);
    });
  });
}
template <float (*F)(float)>
Registration activation(const char* name) {
  return kernel<activation_check, activation_run<F>>(name, "x bias y rows cols");
}

void gradient_check(In y, In dy, Out dx, Out dbias, Size rows, Size cols) {
  const size_t size = product(rows, cols);
  holds(y, size);
  holds(dy, size);
  holds(dx, size);
  holds(dbias, cols);
  distinct(dbias, y);
  distinct(dbias, dy);
  distinct(dbias, dx);
}
// dx = F(y, dy), dbias = the sums of its columns
template <float (*F)(float, float)>
void gradient_run(In y, In dy, Out dx, Out dbias, Size rows, Size cols, Share share) noexcept {
  const Range range = share.of(cols);
  simd([=] {
    for (size_t from = range.first; from < range.second; from += kColumns) {
      const size_t width = std::min(kColumns, range.second - from);
      sum_columns(rows, width, 1, dbias.data + from, [=](size_t r, size_t c) {
        const size_t i = r * cols + from + c;
        return dx[i] = F(y[i], dy[i]);
      });
    }
  });
}
template <float (*F)(float, float)>
Registration gradient(const char* name) {
  return kernel<gradient_check, gradient_run<F>>(name, "y dy dx dbias rows cols");
}

[[maybe_unused]] const Registration registrations[] = {
    activation<relu>("biasRelu"),         gradient<relu_grad>("biasReluGrad"),
    activation<v_sigmoid>("biasSigmoid"), gradient<sigmoid_grad>("biasSigmoidGrad"),
    activation<v_tanh>("biasTanh"),       gradient<tanh_grad>("biasTanhGrad"),
};

}  // namespace
}  // namespace nb

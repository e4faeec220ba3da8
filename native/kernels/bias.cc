// A bias and the activation after it in one pass over the matrix, and back: the gradient through
// the activation with that of the bias. Bit for bit what add, the activation, its gradient and sum
// give.
#include "activations.h"
#include "columns.h"
#include "rows.h"

namespace nb {
namespace {

void activation_check(In x, In bias, InPlace<Out> y, Size rows, Size cols) {
  const size_t size = product(rows, cols);
  holds(x, size);
  holds(bias, cols);
  holds(y, size);
  distinct(y, bias);
}
// y = F(x + bias) for x, y [rows, cols]
template <float (*F)(float)>
void activation_run(In x, In bias, Out y, Size rows, Size cols, Chunk chunk) noexcept {
  const Range range = chunk.of(rows * cols);
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

void gradient_check(In y, In dy, InPlace<Out> dx, Out dbias, Scratch scratch, Size rows,
                    Size cols) {
  const size_t size = product(rows, cols);
  holds(y, size);
  holds(dy, size);
  holds(dx, size);
  holds(dbias, cols);
  holds(scratch, product(runs_of(rows), cols));
}
// dx = F(y, dy), and the sums of its runs of rows: shared by rows, as the products on both sides.
template <float (*F)(float, float)>
void gradient_run(In y, In dy, Out dx, Out, Scratch scratch, Size rows, Size cols,
                  Chunk chunk) noexcept {
  if (cols == 0) return;  // then no buffer bounds the rows
  const Range runs = chunk.of(runs_of(rows), 1);
  simd([=] {
    for (size_t run = runs.first; run < runs.second; ++run) {
      float* sums = scratch.data + run * cols;
      const size_t begin = run * kRun, end = std::min(rows, begin + kRun);
      for (size_t c = 0; c < cols; ++c) {
        const size_t i = begin * cols + c;
        sums[c] = dx[i] = F(y[i], dy[i]);
      }
      for (size_t r = begin + 1; r < end; ++r) {
        for (size_t c = 0; c < cols; ++c) {
          const size_t i = r * cols + c;
          sums[c] += dx[i] = F(y[i], dy[i]);
        }
      }
    }
  });
}
// dbias = the sums of its columns, in the order of `sum`.
void gradient_finish(In, In, Out, Out dbias, Scratch scratch, Size rows, Size cols) noexcept {
  sum_all_runs(rows, cols, scratch.data, dbias.data);
}
template <float (*F)(float, float)>
Registration gradient(const char* name) {
  return kernel<gradient_check, gradient_run<F>, gradient_finish>(
      name, "y dy dx dbias scratch rows cols");
}

[[maybe_unused]] const Registration registrations[] = {
    activation<relu>("biasRelu"),         gradient<relu_grad>("biasReluGrad"),
    activation<v_sigmoid>("biasSigmoid"), gradient<sigmoid_grad>("biasSigmoidGrad"),
    activation<v_tanh>("biasTanh"),       gradient<tanh_grad>("biasTanhGrad"),
};

}  // namespace
}  // namespace nb

// Convolutions of images [batch, height, width, channels] with weights [height, width,
// channels / groups, filters], forward and both gradients.
#include <limits>

#include "convolution.h"

namespace nb {
namespace {

Fault run_units(const ConvShape& shape, const float* x, const float* weights, const float* bias,
                bool relu, float* y, Chunk chunk) noexcept {
  const auto [begin, end] = chunk.of(units_of(shape, false), 1);
  const float floor = relu ? 0 : -std::numeric_limits<float>::infinity();
  return convolve_units(shape, x, weights, bias, floor, y, begin, end);
}

template <class>
struct Conv;
template <size_t... I>
struct Conv<std::index_sequence<I...>> {
  // y = x * w
  static void check(In x, In w, Out y, SizeAt<I>... n) { check_extents(shape_of({n...}), x, w, y); }
  static Fault run(In x, In w, Out y, SizeAt<I>... n, Chunk chunk) noexcept {
    return run_units(shape_of({n...}), x.data, w.data, nullptr, false, y.data, chunk);
  }
  static size_t chunks(In, In, Out, SizeAt<I>... n, size_t threads) noexcept {
    return unit_chunks(shape_of({n...}), units_of(shape_of({n...}), false), threads);
  }

  // y = x * w + bias, and its relu
  static void bias_check(In x, In w, In bias, Out y, SizeAt<I>... n) {
    holds(bias, check_extents(shape_of({n...}), x, w, y).filters);
  }
  template <bool kRelu>
  static Fault bias_run(In x, In w, In bias, Out y, SizeAt<I>... n, Chunk chunk) noexcept {
    return run_units(shape_of({n...}), x.data, w.data, bias.data, kRelu, y.data, chunk);
  }
  static size_t bias_chunks(In, In, In, Out, SizeAt<I>... n, size_t threads) noexcept {
    return unit_chunks(shape_of({n...}), units_of(shape_of({n...}), false), threads);
  }

  // dx, from dy and the weights turned, [height, width, filters, channels / groups]
  static void input_grad_check(In dy, In turned, Out dx, SizeAt<I>... n) {
    check_extents(shape_of({n...}), dx, turned, dy);
  }
  static Fault input_grad_run(In dy, In turned, Out dx, SizeAt<I>... n, Chunk chunk) noexcept {
    return run_input_gradient(shape_of({n...}), {dy.data}, turned.data, dx.data, chunk);
  }
  static size_t input_grad_chunks(In, In, Out, SizeAt<I>... n, size_t threads) noexcept {
    return input_gradient_chunks(shape_of({n...}), threads);
  }

  static void weight_grad_check(In x, In dy, Out dw, Scratch scratch, SizeAt<I>... n) {
    const ConvShape s = check_extents(shape_of({n...}), x, dw, dy);
    holds(scratch, part_sums(s));
  }
  static Fault weight_grad_run(In x, In dy, Out dw, Scratch scratch, SizeAt<I>... n,
                               Chunk chunk) noexcept {
    return run_weight_gradient(shape_of({n...}), x.data, {dy.data}, dw.data, scratch.data, chunk);
  }
  static void weight_grad_finish(In, In, Out dw, Scratch scratch, SizeAt<I>... n) noexcept {
    finish_weight_gradient(shape_of({n...}), dw.data, scratch.data);
  }
  static size_t weight_grad_chunks(In, In, Out, Scratch, SizeAt<I>... n, size_t threads) noexcept {
    return weight_gradient_chunks(shape_of({n...}), threads);
  }
};

using Kernels = Conv<Extents>;
[[maybe_unused]] const Registration registrations[] = {
    kernel<Kernels::check, Kernels::run, nullptr, Kernels::chunks>("conv", "x w y " NB_EXTENTS),
    kernel<Kernels::bias_check, Kernels::bias_run<false>, nullptr, Kernels::bias_chunks>(
        "convBias", "x w bias y " NB_EXTENTS),
    kernel<Kernels::bias_check, Kernels::bias_run<true>, nullptr, Kernels::bias_chunks>(
        "convBiasRelu", "x w bias y " NB_EXTENTS),
    kernel<Kernels::input_grad_check, Kernels::input_grad_run, nullptr, Kernels::input_grad_chunks>(
        "convInputGrad", "dy w dx " NB_EXTENTS),
    kernel<Kernels::weight_grad_check, Kernels::weight_grad_run, Kernels::weight_grad_finish,
           Kernels::weight_grad_chunks>("convWeightGrad", "x dy dw scratch " NB_EXTENTS),
};

}  // namespace
}  // namespace nb

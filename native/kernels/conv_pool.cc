// Convolutions whose results, with a bias and relu, are pooled in windows of 2 × 2 and needed for
// nothing else: neither they nor their gradient are stored. Bit for bit what convBiasRelu, maxPool
// and their gradients give.
#include "columns.h"
#include "convolution.h"

namespace nb {
namespace {

// Those of the results, of which there is a window at least.
void check_pools(const ConvShape& s) {
  if (s.height.out < kWindow || s.width.out < kWindow) {
    throw KernelFault("results must hold a window of 2 by 2");
  }
}
size_t pools_of(const ConvShape& s) {
  return product(s.batch, s.height.out / kWindow, s.width.out / kWindow, s.filters);
}
size_t results_of(const ConvShape& s) { return s.batch * s.height.out * s.width.out; }

template <class Images, class Weights>
ConvShape check_pooled(const ConvShape& s, const Images& images, const Weights& weights) {
  holds(images, product(s.batch, s.height.in, s.width.in, s.channels));
  check_shape(s);
  check_pools(s);
  product(s.batch, s.height.out, s.width.out, s.filters);
  holds(weights, product(s.height.kernel, s.width.kernel, s.group_channels(), s.filters));
  return s;
}

template <class>
struct ConvPool;
template <size_t... I>
struct ConvPool<std::index_sequence<I...>> {
  // y and places: the pools of relu(x * w + bias)
  static void check(In x, In w, In bias, Out y, BytesOut places, SizeAt<I>... n) {
    const ConvShape s = check_pooled(shape_of({n...}), x, w);
    holds(bias, s.filters);
    holds(y, pools_of(s));
    holds(places, pools_of(s));
  }
  static Fault run(In x, In w, In bias, Out y, BytesOut places, SizeAt<I>... n,
                   Chunk chunk) noexcept {
    const ConvShape s = shape_of({n...});
    const auto [begin, end] = chunk.of(pooled_units_of(s), 1);
    return convolve_and_pool_units(s, x.data, w.data, bias.data, y.data, places.data, begin, end);
  }
  static size_t chunks(In, In, In, Out, BytesOut, SizeAt<I>... n, size_t threads) noexcept {
    const ConvShape s = shape_of({n...});
    return unit_chunks(s, pooled_units_of(s), threads);
  }

  // dx, from dy of the pools and the weights turned, [height, width, filters, channels / groups]
  static void input_grad_check(In y, In dy, Bytes places, In turned, Out dx, SizeAt<I>... n) {
    const ConvShape s = check_pooled(shape_of({n...}), dx, turned);
    for (const ConvAxis& axis : {s.height, s.width}) {
      if (axis.pad > product(axis.kernel - 1, axis.dilation)) {
        throw KernelFault("no window of the kernel may lie in the padding");
      }
    }
    for (const In& pools : {y, dy}) holds(pools, pools_of(s));
    holds(places, pools_of(s));
  }
  static Fault input_grad_run(In y, In dy, Bytes places, In turned, Out dx, SizeAt<I>... n,
                              Chunk chunk) noexcept {
    // What is no part of a window is zeros, which are left out.
    return run_input_gradient(shape_of({n...}).pooled(), {dy.data, y.data, places.data},
                              turned.data, dx.data, chunk);
  }
  static size_t input_grad_chunks(In, In, Bytes, In, Out, SizeAt<I>... n, size_t threads) noexcept {
    return input_gradient_chunks(shape_of({n...}).pooled(), threads);
  }

  // dw and dbias
  static void weight_grad_check(In x, In y, In dy, Bytes places, Out dw, Out dbias, Scratch scratch,
                                SizeAt<I>... n) {
    const ConvShape s = check_pooled(shape_of({n...}), x, dw);
    for (const In& pools : {y, dy}) holds(pools, pools_of(s));
    holds(places, pools_of(s));
    holds(dbias, s.filters);
    holds(scratch, total(part_sums(s), product(runs_of(results_of(s)), s.filters)));
  }
  static Fault weight_grad_run(In x, In y, In dy, Bytes places, Out dw, Out, Scratch scratch,
                               SizeAt<I>... n, Chunk chunk) noexcept {
    const ConvShape s = shape_of({n...});
    const ResultGradient gradient{dy.data, y.data, places.data};
    const auto [begin, end] = chunk.of(runs_of(results_of(s)), 1);
    sum_pooled_runs(s, gradient, begin, end, scratch.data + part_sums(s) + begin * s.filters);
    return run_weight_gradient(s, x.data, gradient, dw.data, scratch.data, chunk);
  }
  static void weight_grad_finish(In, In, In, Bytes, Out dw, Out dbias, Scratch scratch,
                                 SizeAt<I>... n) noexcept {
    const ConvShape s = shape_of({n...});
    finish_weight_gradient(s, dw.data, scratch.data);
    sum_all_runs(results_of(s), s.filters, scratch.data + part_sums(s), dbias.data);
  }
  static size_t weight_grad_chunks(In, In, In, Bytes, Out, Out, Scratch, SizeAt<I>... n,
                                   size_t threads) noexcept {
    return weight_gradient_chunks(shape_of({n...}), threads);
  }
};

using Kernels = ConvPool<Extents>;
[[maybe_unused]] const Registration registrations[] = {
    kernel<Kernels::check, Kernels::run, nullptr, Kernels::chunks>("convBiasReluPool",
                                                                   "x w bias y places " NB_EXTENTS),
    kernel<Kernels::input_grad_check, Kernels::input_grad_run, nullptr, Kernels::input_grad_chunks>(
        "convPoolInputGrad", "y dy places w dx " NB_EXTENTS),
    kernel<Kernels::weight_grad_check, Kernels::weight_grad_run, Kernels::weight_grad_finish,
           Kernels::weight_grad_chunks>("convPoolWeightGrad",
                                        "x y dy places dw dbias scratch " NB_EXTENTS),
};

}  // namespace
}  // namespace nb

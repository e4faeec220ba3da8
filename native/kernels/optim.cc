// Optimizer steps, each one pass over the parameters.
#include "descent.h"
#include "rows.h"

namespace nb {
namespace {

void sgd_check(Inout w, In dw, In settings, Size n) {
  holds(w, n);
  holds(dw, n);
  holds(settings, kSettings);
  distinct(w, dw);
  distinct(w, settings);
}
void sgd_run(Inout w, In dw, In settings, Size n, Share share) noexcept {
  const auto [begin, end] = share.of(n);
  descend_plainly(settings_of(settings), w.data + begin, dw.data + begin, end - begin);
}
const Registration sgd = kernel<sgd_check, sgd_run>("sgd", "w dw settings n");

void sgd_momentum_check(Inout w, In dw, Inout velocity, In settings, Size n) {
  sgd_check(w, dw, settings, n);
  holds(velocity, n);
  distinct(velocity, w);
  distinct(velocity, dw);
  distinct(velocity, settings);
}
void sgd_momentum_run(Inout w, In dw, Inout velocity, In settings, Size n, Share share) noexcept {
  const auto [begin, end] = share.of(n);
  descend_with_momentum(settings_of(settings), w.data + begin, dw.data + begin,
                        velocity.data + begin, end - begin);
}
const Registration sgd_momentum =
    kernel<sgd_momentum_check, sgd_momentum_run>("sgdMomentum", "w dw velocity settings n");

void adam_check(Inout w, In dw, Inout mean, Inout square, In settings, Size n) {
  holds(w, n);
  holds(dw, n);
  holds(mean, n);
  holds(square, n);
  holds(settings, kAdamSettings);
  distinct(w, dw);
  distinct(w, mean);
  distinct(w, square);
  distinct(mean, dw);
  distinct(mean, square);
  distinct(square, dw);
  for (const Inout& written : {w, mean, square}) distinct(written, settings);
}
void adam_run(Inout w, In dw, Inout mean, Inout square, In settings, Size n, Share share) noexcept {
  const auto [begin, end] = share.of(n);
  descend_by_adam(adam_settings_of(settings), w.data + begin, dw.data + begin, mean.data + begin,
                  square.data + begin, end - begin);
}
const Registration adam = kernel<adam_check, adam_run>("adam", "w dw mean square settings n");

}  // namespace
}  // namespace nb

// Steps of the optimizers that keep squares of gradients, or their signs, and an average of
// weights.
#include "updates.h"

namespace nb {
namespace {

// What the rule of an optimizer works on. A rule has `kSettings`, the number of its settings, what
// they are, and `moved(at, old, g)`: where the weight at a position goes that is `old` and has the
// gradient g.
template <class S>
struct Rule {
  S s;
  float* w;
  float* first;
  float* second;
  float* third;
};

template <class R>
struct Update : R {
  NB_INLINE void move(size_t at, size_t, float dw) const {
    const float old = this->w[at];
    const float moved = this->moved(at, old, dw + this->s.decay * old);
    store_weights(this->w + at, moved, this->s.threshold);
  }
};

template <class R>
void step_with(In settings, Inout w, float* first, float* second, float* third, In dw, Size n,
               Chunk chunk) noexcept {
  step(Update<R>{{{R::settings_of(settings), w.data, first, second, third}}}, dw, chunk, n);
}

// Kernels that keep one state, two, three.
template <class R>
void check1(Inout w, In dw, Inout first, In settings, Size n) {
  holds(w, n);
  holds(dw, n);
  holds(first, n);
  holds(settings, R::kSettings);
}
template <class R>
void run1(Inout w, In dw, Inout first, In settings, Size n, Chunk chunk) noexcept {
  step_with<R>(settings, w, first.data, nullptr, nullptr, dw, n, chunk);
}
template <class R>
void check2(Inout w, In dw, Inout first, Inout second, In settings, Size n) {
  check1<R>(w, dw, first, settings, n);
  holds(second, n);
}
template <class R>
void run2(Inout w, In dw, Inout first, Inout second, In settings, Size n, Chunk chunk) noexcept {
  step_with<R>(settings, w, first.data, second.data, nullptr, dw, n, chunk);
}
template <class R>
void check3(Inout w, In dw, Inout first, Inout second, Inout third, In settings, Size n) {
  check2<R>(w, dw, first, second, settings, n);
  holds(third, n);
}
template <class R>
void run3(Inout w, In dw, Inout first, Inout second, Inout third, In settings, Size n,
          Chunk chunk) noexcept {
  step_with<R>(settings, w, first.data, second.data, third.data, dw, n, chunk);
}

// Reddi et al. 2018: the largest of all squares so far in place of the last.
struct Amsgrad : Rule<AdamSettings> {
  static constexpr size_t kSettings = kAdamSettings;
  static AdamSettings settings_of(In settings) { return adam_settings_of(settings); }
  NB_INLINE float moved(size_t at, float old, float g) const {
    float m = first[at];
    m = m + s.mean_rate * (g - m);
    float v = second[at];
    v = v + s.square_rate * (g * g - v);
    const float before = third[at];
    // NaN stays.
    const float largest = v > before || v != v ? v : before;
    first[at] = m;
    second[at] = v;
    third[at] = largest;
    return s.keep * old - s.mean_step * m / (std::sqrt(largest) + s.epsilon);
  }
};

// [lr, 1 - decay, inner epsilon, outer epsilon, momentum, weightDecay, l2, l1]
struct RmspropSettings {
  float lr;
  float rate;
  float inner;
  float outer;
  float momentum;
  float decay;
  float threshold;
};

// Tieleman and Hinton 2012; centered as Graves 2013 has it. Keeps squares, velocity and mean, as
// far as they are there.
template <bool kMomentum, bool kCentered>
struct Rmsprop : Rule<RmspropSettings> {
  static constexpr size_t kSettings = 8;
  static RmspropSettings settings_of(In x) {
    return {x[0], x[1], x[2], x[3], x[4], decay_of(x.data + 5), threshold_of(x[0], x[7])};
  }
  NB_INLINE float moved(size_t at, float old, float g) const {
    float v = first[at];
    v = v + s.rate * (g * g - v);
    first[at] = v;
    if (kCentered) {
      float* mean = kMomentum ? third : second;
      float m = mean[at];
      m = m + s.rate * (g - m);
      mean[at] = m;
      v = v - m * m;
      // Rounding may take it below 0.
      v = v < 0 ? 0 : v;
    }
    float step = g / (std::sqrt(v + s.inner) + s.outer);
    if (kMomentum) {
      step = s.momentum * second[at] + step;
      second[at] = step;
    }
    return old - s.lr * step;
  }
};

// [lr, offset, epsilon, weightDecay, l2, l1]
struct AdagradSettings {
  float lr;
  float offset;
  float epsilon;
  float decay;
  float threshold;
};

// Duchi et al. 2011
struct Adagrad : Rule<AdagradSettings> {
  static constexpr size_t kSettings = 6;
  static AdagradSettings settings_of(In x) {
    return {x[0], x[1], x[2], decay_of(x.data + 3), threshold_of(x[0], x[5])};
  }
  NB_INLINE float moved(size_t at, float old, float g) const {
    const float sum = first[at] + g * g;
    first[at] = sum;
    return old - s.lr * g / (std::sqrt(sum + s.offset) + s.epsilon);
  }
};

// [lr, 1 - decay, epsilon, weightDecay, l2, l1]
struct AdadeltaSettings {
  float lr;
  float rate;
  float epsilon;
  float decay;
  float threshold;
};

// Zeiler 2012: squares of gradients and of steps.
struct Adadelta : Rule<AdadeltaSettings> {
  static constexpr size_t kSettings = 6;
  static AdadeltaSettings settings_of(In x) {
    return {x[0], x[1], x[2], decay_of(x.data + 3), threshold_of(x[0], x[5])};
  }
  NB_INLINE float moved(size_t at, float old, float g) const {
    float v = first[at];
    v = v + s.rate * (g * g - v);
    float u = second[at];
    const float step = std::sqrt(u + s.epsilon) / std::sqrt(v + s.epsilon) * g;
    u = u + s.rate * (step * step - u);
    first[at] = v;
    second[at] = u;
    return old - s.lr * step;
  }
};

// [lr, 1 - beta1, 1 - beta2, keep, l2, l1]
struct LionSettings {
  float lr;
  float step_rate;
  float mean_rate;
  float keep;
  float decay;
  float threshold;
};

// Chen et al. 2023
struct Lion : Rule<LionSettings> {
  static constexpr size_t kSettings = 6;
  static LionSettings settings_of(In x) {
    return {x[0], x[1], x[2], x[3], 2 * x[4], threshold_of(x[0], x[5])};
  }
  NB_INLINE float moved(size_t at, float old, float g) const {
    const float m = first[at];
    const float c = m + s.step_rate * (g - m);
    // NaN stays.
    const float rest = c != c ? c : 0.0f;
    const float sign = c > 0 ? 1.0f : (c < 0 ? -1.0f : rest);
    first[at] = m + s.mean_rate * (g - m);
    return s.keep * old - s.lr * sign;
  }
};

template <class R>
Registration one(const char* name, const char* parameters) {
  return kernel<check1<R>, run1<R>>(name, parameters);
}
template <class R>
Registration two(const char* name, const char* parameters) {
  return kernel<check2<R>, run2<R>>(name, parameters);
}
template <class R>
Registration three(const char* name, const char* parameters) {
  return kernel<check3<R>, run3<R>>(name, parameters);
}

[[maybe_unused]] const Registration steps[] = {
    three<Amsgrad>("amsgrad", "w dw mean square largest settings n"),
    one<Rmsprop<false, false>>("rmsprop", "w dw square settings n"),
    two<Rmsprop<true, false>>("rmspropMomentum", "w dw square velocity settings n"),
    two<Rmsprop<false, true>>("rmspropCentered", "w dw square mean settings n"),
    three<Rmsprop<true, true>>("rmspropCenteredMomentum", "w dw square velocity mean settings n"),
    one<Adagrad>("adagrad", "w dw sum settings n"),
    two<Adadelta>("adadelta", "w dw square stepSquare settings n"),
    one<Lion>("lion", "w dw mean settings n"),
};

void lerp_check(Inout y, In x, Float, Size n) {
  holds(y, n);
  holds(x, n);
}
void lerp_run(Inout y, In x, Float rate, Size n, Chunk chunk) noexcept {
  const auto [begin, end] = chunk.of(n);
  simd([=, begin = begin, end = end, y = y.data, x = x.data, rate = static_cast<float>(rate)] {
#pragma GCC ivdep
    for (size_t i = begin; i < end; ++i) y[i] = y[i] + rate * (x[i] - y[i]);
  });
}
const Registration lerp = kernel<lerp_check, lerp_run>("lerp", "y x rate n");

}  // namespace
}  // namespace nb

// The arguments of a kernel call: the types that a kernel's functions take, and how the numbers of
// one call become them.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>

#include "buffers.h"

namespace nb {

constexpr size_t kMaxArguments = 32;

enum class Use : uint8_t { in, out, inout, scratch, size, number };
constexpr bool is_buffer(Use use) { return use < Use::size; }
constexpr bool is_written(Use use) { return is_buffer(use) && use != Use::in; }

// In a kernel's row (kernels.ts) an argument's dtype is either named or one of four parameters,
// each the same wherever it stands in one call: F (float32 or float64), N (these or int32), T and S
// (any dtype).
enum class Parameter : uint8_t { F, N, T, S, none };
constexpr size_t kParameters = 4;

// One buffer as a kernel sees it. `name` is the argument's name, for errors; `contents` may be
// null.
template <typename E, Use kUse, Parameter kParameter = Parameter::none>
struct Span {
  using Element = std::conditional_t<kUse == Use::in, const E, E>;
  Element* data;
  size_t length;
  const char* name;
  Contents* contents;
  Element& operator[](size_t i) const { return data[i]; }
};
// Of the parameter F, for the many kernels that compute in float32 alone.
using In = Span<float, Use::in, Parameter::F>;
using Out = Span<float, Use::out, Parameter::F>;
using Inout = Span<float, Use::inout, Parameter::F>;
// Room to compute in; what it holds afterwards is undefined.
using Scratch = Span<float, Use::scratch, Parameter::F>;
using Ints = Span<int32_t, Use::in>;
using IntsOut = Span<int32_t, Use::out>;
using IntsInout = Span<int32_t, Use::inout>;
using Bytes = Span<uint8_t, Use::in>;
using BytesOut = Span<uint8_t, Use::out>;
// Of the parameter N, for arithmetic.
template <typename E>
using NumbersIn = Span<E, Use::in, Parameter::N>;
template <typename E>
using NumbersOut = Span<E, Use::out, Parameter::N>;
template <typename E>
using NumbersInout = Span<E, Use::inout, Parameter::N>;
// Truth values.
using Truths = Span<Bool, Use::in>;
using TruthsOut = Span<Bool, Use::out>;
// Of the parameters T and S, for kernels that are compiled for several dtypes.
template <typename E>
using InOf = Span<E, Use::in, Parameter::T>;
template <typename E>
using OutOf = Span<E, Use::out, Parameter::T>;

// A buffer of the parameter T, whatever it is: moved but not computed with.
template <Use kUse>
struct AnySpan {
  std::conditional_t<kUse == Use::in, const uint8_t*, uint8_t*> data;
  size_t length;        // in elements
  size_t element_size;  // in bytes
  const char* name;
  Contents* contents;
};
using Any = AnySpan<Use::in>;
using AnyOut = AnySpan<Use::out>;
using AnyInout = AnySpan<Use::inout>;

// A result that may be the very buffer of an operand, because every element of it is written after
// the same element of the operand was read. All other results lie apart from all other buffers.
template <typename S>
struct InPlace : S {};

// A result of which the kernel itself forgets what is known, where it has to.
template <typename S>
struct Watched : S {};

template <typename T>
constexpr bool kForgets = false;
template <typename E, Use kUse, Parameter kParameter>
constexpr bool kForgets<Span<E, kUse, kParameter>> = is_written(kUse);
template <Use kUse>
constexpr bool kForgets<AnySpan<kUse>> = is_written(kUse);
template <typename S>
constexpr bool kForgets<InPlace<S>> = kForgets<S>;

using Size = size_t;
using Float = float;
// A number that is not rounded to float32.
using Double = double;

// What the row of a kernel says of one argument.
struct Kind {
  Use use;
  Parameter parameter = Parameter::none;
  DType dtype = DType::float32;  // of a buffer; meaningless where any dtype will do
  bool is_any = false;
  bool in_place = false;
};

template <typename T>
struct KindOf;
template <>
struct KindOf<Size> {
  static constexpr Kind value{Use::size};
};
template <>
struct KindOf<Float> {
  static constexpr Kind value{Use::number};
};
template <>
struct KindOf<Double> {
  static constexpr Kind value{Use::number};
};
template <typename E, Use kUse, Parameter kParameter>
struct KindOf<Span<E, kUse, kParameter>> {
  static constexpr Kind value{kUse, kParameter, dtype_of<E>()};
};
template <Use kUse>
struct KindOf<AnySpan<kUse>> {
  static constexpr Kind value{kUse, Parameter::T, DType::float32, true};
};
template <typename S>
struct KindOf<InPlace<S>> {
  static constexpr Kind value{KindOf<S>::value.use, KindOf<S>::value.parameter,
                              KindOf<S>::value.dtype, KindOf<S>::value.is_any, true};
};
template <typename S>
struct KindOf<Watched<S>> : KindOf<S> {};

// What is said where memory is asked for that a running program uses.
constexpr const char* kBusy =
    "expected tensors that are free, got one that an awaited run uses; await that first";

// Why a kernel's arguments were refused; the message does not name the kernel yet.
struct KernelFault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An argument is in use by a running program.
struct BusyFault : KernelFault {
  BusyFault() : KernelFault(kBusy) {}
};

// a·b·…, refused when it does not fit.
template <typename... Sizes>
size_t product(Sizes... sizes) {
  size_t result = 1;
  for (size_t size : {static_cast<size_t>(sizes)...}) {
    if (__builtin_mul_overflow(result, size, &result)) throw KernelFault("extent overflows");
  }
  return result;
}

inline size_t total(size_t a, size_t b) {
  size_t result;
  if (__builtin_add_overflow(a, b, &result)) throw KernelFault("extent overflows");
  return result;
}

// Refuses a buffer with fewer than n elements.
template <typename S>
void holds(const S& span, size_t n) {
  if (span.length < n) {
    throw KernelFault(std::string(span.name) + " holds " + std::to_string(span.length) +
                      " elements, expected at least " + std::to_string(n));
  }
}

// Refuses a result that is, against what InPlace says, not to be written over this operand.
template <typename A, typename B>
void distinct(const A& result, const B& operand) {
  if (static_cast<const void*>(result.data) == static_cast<const void*>(operand.data) &&
      operand.length > 0) {
    throw KernelFault(std::string(result.name) + " must not be the same buffer as " + operand.name);
  }
}

inline void flag(const char* name, size_t value) {
  if (value > 1)
    throw KernelFault(std::string(name) + " must be 0 or 1, got " + std::to_string(value));
}

struct Kernel;
struct Instance;

// The numbers of one call with what they stand for: every buffer is in use and may be used so, the
// dtypes are those of one instance of the kernel, and no result lies over what it must not.
class Arguments {
 public:
  // Throws KernelFault.
  Arguments(const Kernel& kernel, const BufferSource& source, const double* values);

  const Instance& instance() const { return *instance_; }
  // Elements of the largest buffer. What is moved counts where it goes to: of a whole data set, a
  // batch takes a few rows.
  size_t weight() const;

  // The argument as a kernel's function takes it. Throws KernelFault for a number that is no size.
  template <typename T>
  T decode(size_t position) const {
    return Decode<T>::from(*this, position);
  }

 private:
  template <typename T>
  struct Decode;

  const Buffer& find(const BufferSource& source, size_t position) const;
  // Says which of the arguments up to `last` has a dtype that does not fit.
  [[noreturn]] void refuse_dtypes(size_t last) const;
  void refuse_overlaps() const;
  void refuse_overlap(size_t i, size_t j) const;
  Size size_at(size_t position) const;
  [[noreturn]] void refuse_size(size_t position) const;
  const char* name(size_t position) const;

  const Kernel& kernel_;
  const Instance* instance_ = nullptr;
  // Copies: the originals may change under our hands.
  double values_[kMaxArguments];
  // Of those that are sizes: here, and not in each kernel, to keep the binary small.
  Size sizes_[kMaxArguments];
  const Buffer* buffers_[kMaxArguments];  // of a number nothing
};

template <>
struct Arguments::Decode<Size> {
  static Size from(const Arguments& a, size_t position) { return a.sizes_[position]; }
};
template <>
struct Arguments::Decode<Float> {
  static Float from(const Arguments& a, size_t position) {
    return static_cast<Float>(a.values_[position]);
  }
};
template <>
struct Arguments::Decode<Double> {
  static Double from(const Arguments& a, size_t position) { return a.values_[position]; }
};
template <typename E, Use kUse, Parameter kParameter>
struct Arguments::Decode<Span<E, kUse, kParameter>> {
  static Span<E, kUse, kParameter> from(const Arguments& a, size_t position) {
    const Buffer& buffer = *a.buffers_[position];
    return {static_cast<E*>(buffer.data), buffer.length, a.name(position), buffer.contents};
  }
};
template <Use kUse>
struct Arguments::Decode<AnySpan<kUse>> {
  static AnySpan<kUse> from(const Arguments& a, size_t position) {
    const Buffer& buffer = *a.buffers_[position];
    return {static_cast<uint8_t*>(buffer.data), buffer.length, element_size(buffer.dtype),
            a.name(position), buffer.contents};
  }
};
template <typename S>
struct Arguments::Decode<InPlace<S>> {
  static InPlace<S> from(const Arguments& a, size_t position) {
    return {Decode<S>::from(a, position)};
  }
};
template <typename S>
struct Arguments::Decode<Watched<S>> {
  static Watched<S> from(const Arguments& a, size_t position) {
    return {Decode<S>::from(a, position)};
  }
};

}  // namespace nb

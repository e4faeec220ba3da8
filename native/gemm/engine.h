// Who computes products: the loops for one level of vector instructions, or OpenBLAS.
#pragma once

#include "epilogues.h"
#include "product.h"
#include "workspace.h"

namespace nb {

// Every kind of product that there is: X(element, epilogue).
#define NB_EACH_PRODUCT_OF_FLOATS(X)         \
  X(float, Store<float>)                     \
  X(float, StoreScaled<float>)               \
  X(float, BiasActivation<identity>)         \
  X(float, BiasActivation<relu>)             \
  X(float, BiasActivation<v_sigmoid>)        \
  X(float, BiasActivation<v_tanh>)           \
  X(float, ActivationGradient<relu_grad>)    \
  X(float, ActivationGradient<sigmoid_grad>) \
  X(float, ActivationGradient<tanh_grad>)    \
  X(float, Updated<SgdUpdate>)               \
  X(float, Updated<MomentumUpdate<false>>)   \
  X(float, Updated<MomentumUpdate<true>>)    \
  X(float, Updated<AdamUpdate>)
#define NB_EACH_PRODUCT(X)     \
  NB_EACH_PRODUCT_OF_FLOATS(X) \
  X(double, StoreScaled<double>)

// A block of the result at a level, k > 0. Defined and instantiated in the level's file.
#define NB_LEVEL(name)                                                            \
  namespace name {                                                                \
  template <class T, class Epilogue>                                              \
  void multiply_block(const Product<T>&, const Epilogue&, const Block&) noexcept; \
  }
NB_LEVEL(avx512)
NB_LEVEL(avx2)
NB_LEVEL(neon)
#undef NB_LEVEL

// Whether this machine has fused multiply-adds that the engine of our own may use.
bool has_own_engine() noexcept;

// "own", or "openblas" where this machine has no fused multiply-add or NEUROBLAS_GEMM=openblas says
// so.
const char* engine_name();

}  // namespace nb

// The products of a level, in the namespace that engine.h declares them in. Included at the end of
// each level's file, after Floats and Doubles; NB_PRODUCTS are those that it has.

template <class T, class Epilogue>
void multiply_block(const Product<T>& p, const Epilogue& e, const Block& block) noexcept {
  using Level = std::conditional_t<std::is_same_v<T, float>, Floats, Doubles>;
  nb::multiply_block<Level, Epilogue>(p, e, block);
}
#define NB_INSTANTIATE(T, E) \
  template void multiply_block(const Product<T>&, const E&, const Block&) noexcept;
NB_PRODUCTS(NB_INSTANTIATE)
#undef NB_INSTANTIATE

// A product at one level of vector instructions. A level's file turns its instructions on, includes
// this file inside an unnamed namespace, and says in a struct what a vector is (tile.h): so
// everything here and in the files below is compiled for that level, and is seen by that file
// alone. None of them has an include guard; each includes the next one: level.h, turned.h,
// vectors.h, blocks.h, sink.h, tile.h.
#include "turned.h"

// All but products of a column and a row.
template <class Level>
__attribute__((noinline)) void multiply_into(const Product<typename Level::T>& p,
                                             const Sink<typename Level::T>& sink,
                                             const Block& block) {
  if (p.m == 1 && (!p.trans_a || p.lda == 1) && !p.trans_b && !p.b_in_panels &&
      p.n >= Level::kLanes) {
    RowProduct<Level>(p, sink).run(block.col, block.col_end);
  } else if (pays_turned(p)) {
    multiply_turned<Level>(p, sink, block);
  } else {
    Multiplication<Level>(p, sink, block).run();
  }
}

template <class Level, class Epilogue>
void multiply_block(const Product<typename Level::T>& p, const Epilogue& e, const Block& block) {
  const bool is_dense = (p.trans_a || p.lda == 1) && (!p.trans_b || p.ldb == 1);
  if (p.k == 1 && is_dense && !p.b_in_panels) {
    outer_product<Level>(p, e, block);
  } else {
    multiply_into<Level>(p, sink_of<Level>(e), block);
  }
}

// A product at one level of vector instructions. A level's file turns its instructions on, includes
// this file inside an unnamed namespace, and says in a struct what a vector is (tile.h): so
// everything here and in the files below is compiled for that level, and is seen by that file
// alone. None of them has an include guard; each includes the next one: level.h, turned.h,
// vectors.h, blocks.h, tile.h.
#include "turned.h"

template <class Level, class Epilogue>
void multiply_block(const Product<typename Level::T>& p, const Epilogue& e, const Block& block) {
  const bool a_is_dense = p.trans_a ? p.k == 1 || p.lda == 1 : p.m == 1 || p.lda == 1;
  if (p.k == 1 && a_is_dense && !p.b_in_panels && (!p.trans_b || p.ldb == 1)) {
    outer_product(p, e, block);
  } else if (p.m == 1 && a_is_dense && !p.trans_b && !p.b_in_panels && p.n >= Level::kLanes) {
    RowProduct<Level, Epilogue>(p, e).run(block.col, block.col_end);
  } else if (pays_turned(p)) {
    multiply_turned<Level>(p, e, block);
  } else {
    Multiplication<Level, Epilogue>(p, e, block).run();
  }
}

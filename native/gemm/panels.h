// Weights in panels: a matrix [rows, cols] as blocks of 64 columns one after another, the last one
// narrower, each with its rows one after another. That is how the tiles of a product with them want
// to find them: without panels, every product of a training step copies them first. A program
// leaves its weights in panels, and the next one finds them so; whoever else uses them has them
// brought into rows before (buffers.h).
#pragma once

#include "buffers.h"

namespace nb {

// Brings weights into these panels, which the caller must have to itself, or into rows for none:
// there whoever reads them may call it, on any thread. False where there is no memory for a copy,
// and then nothing is changed.
bool lay_out(Contents& weights, Contents::Panels panels) noexcept;

}  // namespace nb

// BLAS on plain typed arrays: what `neuroblas/blas` calls.
#pragma once

#include <napi.h>

namespace nb {

void export_blas(Napi::Object exports);

}  // namespace nb

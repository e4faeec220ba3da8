// Buffers as JavaScript sees them: made, shown in part, released, written and read.
#pragma once

#include <napi.h>

namespace nb {

void export_memory(Napi::Object exports);

}  // namespace nb

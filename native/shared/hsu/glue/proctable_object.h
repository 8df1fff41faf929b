#pragma once

// Looks at processes as packages/native reads them. Glue only.

#include <napi.h>

namespace hsu {

// Pids or null, a number of bits (see `read_query`), protocols and ports, and paths that each end with a NUL.
Napi::Value look_flat(const Napi::CallbackInfo& info);

}  // namespace hsu

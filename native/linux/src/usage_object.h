#pragma once

// Samples as packages/native asks for them and reads them. Glue only.

#include <napi.h>

namespace hsu {

Napi::Value sample_trees_flat(const Napi::CallbackInfo& info);

}  // namespace hsu

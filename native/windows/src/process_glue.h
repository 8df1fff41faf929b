#pragma once

#include <napi.h>

namespace hsu {

// Adds what is about processes that need not be ours.
void define_processes(Napi::Env env, Napi::Object exports);

}  // namespace hsu

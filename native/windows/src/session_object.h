#pragma once

#include <napi.h>

namespace hsu {

void define_session(Napi::Env env, Napi::Object exports);

}  // namespace hsu

#pragma once

#include <napi.h>

namespace hsu {

void define_services(Napi::Env env, Napi::Object exports);

}  // namespace hsu

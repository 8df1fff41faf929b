#pragma once

// What the launcher asks of Windows beside processes: a pipe to be controlled by, a lock, services, the end of the session.

#include <napi.h>

namespace hsu {

void define_platform(Napi::Env env, Napi::Object exports);

}  // namespace hsu

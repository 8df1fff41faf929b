#pragma once

// Limits as packages/native passes them. Glue only.

#include <napi.h>

#include "launch.h"

namespace hsu {

// Absent values are null, lists empty.
ProcessLimits read_process_limits(const Napi::Object& given);

// `limits` of a spawn: null leaves all as it is.
void read_spawn_limits(const Napi::Value& given, LaunchOptions& options);

}  // namespace hsu

#pragma once

// Limits of living processes.

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "launch.h"

namespace hsu {

// What failed. Resource limits of another process cannot be changed here: ENOTSUP.
std::vector<StepFailure> limit_process(pid_t pid, uint64_t start_time, const ProcessLimits& limits);

}  // namespace hsu

#pragma once

// Makes children: each begins as hsu-launch (launch/main.cc), born by posix_spawn in a session of its own, with the descriptors that
// it is meant to have and no other.

#include <sys/types.h>

#include <string>

#include "hsu/fd.h"
#include "hsu/result.h"
#include "launch.h"

namespace hsu {

struct Spawned {
  pid_t pid = -1;
  Fd gate;  // the plan is written to it already
  Fd out;   // read ends, non-blocking, where captured
  Fd err;
};

Result<Spawned, StepFailure> spawn(const LaunchOptions& options);

// Beside the addon; empty where that cannot be told.
const std::string& launcher_path();

}  // namespace hsu

#pragma once

// How a child comes into being: by the best call that kernel and filters grant, in its cgroup, with its own
// oom_score_adj.

#include <sys/types.h>

#include <atomic>

#include "launch.h"

namespace hsu {

// Which calls have been refused; belongs to the spawner thread.
struct BirthWays {
  bool no_clone3 = false;
  bool no_cgroup = false;  // CLONE_INTO_CGROUP
};

struct Birth {
  Launch& launch;
  BirthWays& ways;
  int cgroup = -1;  // directory to be born in

  pid_t pid = -1;
  int pidfd = -1;
  pid_t helper = -1;  // stands behind the child until that has left our memory; then it has to be reaped
  StepFailure failure{Step::none, 0};

  std::atomic<int> settled{0};  // the child exists, or `failure` says why not
};

// Returns once the child exists, which runs run_child, or `failure` says why not. All signals must be blocked.
void give_birth(Birth& birth);

// A child of ours, whoever else may have reaped it.
void reap(pid_t pid);

}  // namespace hsu

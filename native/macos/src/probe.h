#pragma once

// What this machine grants, each as the errno of its attempt. The names are those of Linux, see packages/native/src/addon.ts.

#include <errno.h>
#include <unistd.h>

#include "spawner.h"

namespace hsu {

struct Probe {
  int pidfd = ENOTSUP;
  int clone3 = 0;  // hsu-launch is there and can be run
  int clone_into_cgroup = ENOTSUP;
  int close_range = 0;  // POSIX_SPAWN_CLOEXEC_DEFAULT
  int subreaper = ENOTSUP;
  int children_list = ENOTSUP;
  int exit_status = 0;  // NOTE_EXITSTATUS
};

inline Probe probe() {
  Probe found;
  if (::access(launcher_path().c_str(), X_OK) != 0) found.clone3 = errno;
  return found;
}

}  // namespace hsu

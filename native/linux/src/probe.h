#pragma once

// What this kernel, under this filter, really grants. Each is tried, not guessed from a version.

namespace hsu {

struct Probe {
  int pidfd;          // 0, or the errno of pidfd_open
  int clone3;         // the same, and so on
  int clone_into_cgroup;  // CLONE_INTO_CGROUP
  int close_range;
  int subreaper;
  int children_list;  // /proc/self/task/<tid>/children
  int exit_status;    // PIDFD_GET_INFO with the exit status of a process that is not our child
};

Probe probe();

}  // namespace hsu

#pragma once

// Acting on a process by pid and start time, so that a reused pid is never touched.

#include <sys/types.h>

#include <cstdint>

#include "hsu/fd.h"
#include "hsu/result.h"

namespace hsu {

// A pidfd of exactly that process; ESRCH when it has gone or the pid is another's by now.
Result<Fd> open_process(pid_t pid, uint64_t start_time);

int send_signal(int pidfd, int signal);  // 0 or errno
int signal_process(pid_t pid, uint64_t start_time, int signal);

struct ExitStatus {
  int code = -1;  // -1: none, or not known
  int signal = 0;
  bool core_dumped = false;
};

// How a process that is not our child ended. Known only once it has been reaped, and on Linux 6.15 or newer.
bool read_exit_status(int pidfd, ExitStatus& status);

// The same of one that has ended and that nobody has reaped yet, on any kernel where its status may be read.
bool read_zombie_status(pid_t pid, uint64_t start_time, ExitStatus& status);

// As wait(2) has it.
ExitStatus exit_status_of(int wait_status);

}  // namespace hsu

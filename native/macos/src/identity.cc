#include "identity.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "proctable.h"

namespace hsu {

// There are no descriptors of processes here: it is looked at, and signalled right after. The system gives pids in turn, so that one
// is not given again before tens of thousands of others.
int signal_process(pid_t pid, uint64_t start_time, int signal) {
  auto row = read_process(pid);
  if (!row || row->start_time != start_time || row->state == 'Z') return ESRCH;
  return ::kill(pid, signal) == 0 ? 0 : errno;
}

ExitStatus exit_status_of(int wait_status) {
  ExitStatus status;
  if (WIFEXITED(wait_status)) status.code = WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) {
    status.signal = WTERMSIG(wait_status);
    status.core_dumped = WCOREDUMP(wait_status);
  }
  return status;
}

}  // namespace hsu

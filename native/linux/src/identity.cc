#include "identity.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proctable.h"

namespace hsu {

namespace {

// <linux/pidfd.h> of Linux 6.15; older headers lack it.
struct PidfdInfo {
  uint64_t mask, cgroupid;
  uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
};
constexpr uint64_t kInfoExit = 1u << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

}  // namespace

Result<Fd> open_process(pid_t pid, uint64_t start_time) {
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return SystemError{"pidfd_open", errno == EINVAL ? ESRCH : errno};
  // Read after opening: if this row is the expected process, so is the one behind the pidfd.
  auto row = read_process(pid);
  if (!row || row->start_time != start_time) return SystemError{"pidfd_open", ESRCH};
  return pidfd;
}

int send_signal(int pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0 ? 0 : errno;
}

int signal_process(pid_t pid, uint64_t start_time, int signal) {
  auto pidfd = open_process(pid, start_time);
  return pidfd ? send_signal(pidfd->get(), signal) : pidfd.error().error;
}

bool read_exit_status(int pidfd, ExitStatus& status) {
  PidfdInfo info = {};
  info.mask = kInfoExit;
  if (::ioctl(pidfd, kGetInfo, &info) != 0 || !(info.mask & kInfoExit)) return false;
  if (WIFEXITED(info.exit_code)) status.code = WEXITSTATUS(info.exit_code);
  if (WIFSIGNALED(info.exit_code)) {
    status.signal = WTERMSIG(info.exit_code);
    status.core_dumped = WCOREDUMP(info.exit_code);
  }
  return true;
}

}  // namespace hsu

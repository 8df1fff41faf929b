#include "identity.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
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

// Before Linux 5.17 /proc shows what the first thread ended with, which need not be what the process did.
bool tells_status_of_groups() {
  utsname system = {};
  int major = 0, minor = 0;
  if (::uname(&system) != 0 || ::sscanf(system.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 5 || (major == 5 && minor >= 17);
}

// The kernel asks the same question for this link as for the status.
bool may_see(pid_t pid) {
  char path[32], target[64];
  ::snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
  return ::readlink(path, target, sizeof target) > 0;
}

}  // namespace

Result<Fd> open_process(pid_t pid, uint64_t start_time) {
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return SystemError{"pidfd_open", errno == EINVAL ? ESRCH : errno};
  // Read after opening: if this row is the expected process, so is the one behind the pidfd.
  auto row = read_process(pid);
  if (!row && is_shortage(errno)) return SystemError{"pidfd_open", errno};
  if (!row || row->start_time != start_time) return SystemError{"pidfd_open", ESRCH};
  return pidfd;
}

int send_signal(int pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0 ? 0 : errno;
}

int signal_process(pid_t pid, uint64_t start_time, int signal) {
  auto pidfd = with_reserve([&] { return open_process(pid, start_time); });
  return pidfd ? send_signal(pidfd->get(), signal) : pidfd.error().error;
}

bool read_exit_status(int pidfd, ExitStatus& status) {
  PidfdInfo info = {};
  info.mask = kInfoExit;
  if (::ioctl(pidfd, kGetInfo, &info) != 0 || !(info.mask & kInfoExit)) return false;
  status = exit_status_of(info.exit_code);
  return true;
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

bool read_zombie_status(pid_t pid, uint64_t start_time, ExitStatus& status) {
  if (!tells_status_of_groups()) return false;
  auto row = read_process(pid);
  if (!row || row->start_time != start_time || row->state != 'Z') return false;
  // To whom it may not be shown 0 is shown, which is success.
  if (row->exit_code == 0 && !may_see(pid)) return false;
  status = exit_status_of(row->exit_code);
  return true;
}

}  // namespace hsu

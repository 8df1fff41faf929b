#include "probe.h"

#include <errno.h>
#include <sched.h>  // CLONE_*
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hsu/fd.h"
#include "identity.h"
#include "launch.h"
#include "proctable.h"
#include "raw_syscall.h"

namespace hsu {

namespace {

int probe_pidfd() {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!fd) return errno;
  return send_signal(fd.get(), 0);
}

// Arguments that the kernel refuses with EINVAL, having understood the call.
int probe_clone3() {
  ::syscall(SYS_clone3, nullptr, 0);
  return errno == EINVAL ? 0 : errno;
}

void exit_at_once(void*) {
  for (;;) raw(SYS_exit_group, 0);
}

// With a descriptor that cannot be one: who knows the flag answers EBADF. Nothing comes into being.
int probe_clone_into_cgroup() {
  constexpr uint64_t kIntoCgroup = 0x200000000;
  uint64_t args[11] = {CLONE_VM | CLONE_VFORK | kIntoCgroup};
  args[4] = SIGCHLD;
  args[10] = INT32_MAX;
  long result = raw_clone(SYS_clone3, reinterpret_cast<long>(args), sizeof args, 0, 0, 0, &exit_at_once, nullptr);
  return result == -EBADF ? 0 : static_cast<int>(-result);
}

int probe_close_range() {
  ::syscall(SYS_close_range, 2u, 1u, 0u);
  return errno == EINVAL ? 0 : errno;
}

int probe_subreaper() {
  int value = 0;
  return ::prctl(PR_GET_CHILD_SUBREAPER, &value) == 0 ? 0 : errno;
}

// Seen only on a process that has been reaped, so one is made for it.
int probe_exit_status() {
  Stack stack = Stack::take();
  if (!stack) return ENOMEM;
  int fd = -1;
  auto top = reinterpret_cast<long>(stack.lowest()) + static_cast<long>(Stack::kSize);
  long pid = raw_clone(SYS_clone, CLONE_VM | CLONE_VFORK | CLONE_PIDFD, top, reinterpret_cast<long>(&fd), 0, 0,
                       &exit_at_once, nullptr);
  if (pid < 0) return static_cast<int>(-pid);
  Fd pidfd(fd);
  while (::waitpid(static_cast<pid_t>(pid), nullptr, __WALL) < 0 && errno == EINTR) continue;
  ExitStatus status;
  return read_exit_status(pidfd.get(), status) ? 0 : ENOTTY;
}

}  // namespace

Probe probe() {
  return {probe_pidfd(),     probe_clone3(), probe_clone_into_cgroup(), probe_close_range(),
          probe_subreaper(), main_thread_children() ? 0 : ENOENT, probe_exit_status()};
}

}  // namespace hsu

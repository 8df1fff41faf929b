#include "birth.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "in_child.h"

namespace hsu {

namespace {

using child::at;

// <linux/sched.h> of Linux 5.7; older headers lack the last.
struct CloneArguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
constexpr uint64_t kIntoCgroup = 0x200000000;
constexpr size_t kSizeWithoutCgroup = 64;

constexpr long kFlags = CLONE_VM | CLONE_PIDFD;

IN_CHILD void settle(Birth& birth) {
  birth.settled.store(1, std::memory_order_release);
  raw(SYS_futex, at(&birth.settled), FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

IN_CHILD StepFailure adjust_oom_score(const Launch* launch) {
  if (!launch->limits.oom_score_adj) return {Step::none, 0};
  child::Written written = child::write_file("/proc/self/oom_score_adj", launch->oom_text);
  if (written.result >= 0) return {Step::none, 0};
  return {written.opened ? Step::oom_score : Step::oom_score_open, static_cast<int>(-written.result)};
}

// Runs in the child. Once settled, the birth is over and its memory the spawner's again.
IN_CHILD void begin(void* given) {
  Birth& birth = *static_cast<Birth*>(given);
  Launch* launch = &birth.launch;
  birth.pid = static_cast<pid_t>(raw(SYS_getpid));
  birth.failure = adjust_oom_score(launch);
  bool good = birth.failure.step == Step::none;
  settle(birth);
  if (!good) child::leave();
  run_child(launch);
}

// Only a child of a helper may touch the birth: for it the spawner waits.
IN_CHILD long clone_with(Birth& birth, long flags, long number, long first, long second, long third) {
  bool helped = flags & CLONE_VFORK;
  void* given = helped ? static_cast<void*>(&birth) : &birth.launch;
  long pid = raw_clone(number, first, second, third, 0, 0, helped ? &begin : &run_child, given);
  // The helper was suspended until its sibling had left our memory: the birth is long over.
  if (helped && pid > 0) {
    for (;;) raw(SYS_exit_group, 0);
  }
  return pid;
}

IN_CHILD long try_clone3(Birth& birth, long flags, int cgroup) {
  CloneArguments args = {};
  args.flags = static_cast<uint64_t>(flags) | (cgroup >= 0 ? kIntoCgroup : 0);
  args.pidfd = static_cast<uint64_t>(at(&birth.pidfd));
  args.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD;  // a sibling takes over ours
  args.stack = static_cast<uint64_t>(at(birth.launch.stack.lowest()));
  args.stack_size = Stack::kSize - Stack::kHelperSize;
  args.cgroup = cgroup >= 0 ? static_cast<uint64_t>(cgroup) : 0;
  long size = cgroup >= 0 ? sizeof args : kSizeWithoutCgroup;
  return clone_with(birth, flags, SYS_clone3, at(&args), size, 0);
}

// Who is not born in its cgroup moves there by itself.
IN_CHILD long clone_child(Birth& birth, long flags) {
  BirthWays& ways = birth.ways;
  if (birth.cgroup >= 0 && !ways.no_clone3 && !ways.no_cgroup) {
    ++birth.launch.move;
    birth.failure.step = Step::cgroup_clone;
    long pid = try_clone3(birth, flags, birth.cgroup);
    if (pid > 0) return pid;
    ways.no_clone3 = pid == -ENOSYS || pid == -EPERM;
    ways.no_cgroup = pid == -E2BIG || pid == -EINVAL;
    if (!ways.no_clone3 && !ways.no_cgroup) {
      if (pid == -ENOMEM) birth.failure.step = Step::clone;
      return pid;
    }
    --birth.launch.move;
  }
  birth.failure.step = Step::clone;
  if (!ways.no_clone3) {
    long pid = try_clone3(birth, flags, -1);
    if (pid > 0) return pid;
    ways.no_clone3 = pid == -ENOSYS || pid == -EPERM;
    if (!ways.no_clone3) return pid;
  }
  long top = at(birth.launch.stack.lowest()) + static_cast<long>(Stack::kSize - Stack::kHelperSize);
  return clone_with(birth, flags, SYS_clone, flags | SIGCHLD, top, at(&birth.pidfd));
}

// Runs in the helper. It ends with the spawner, whose descriptors it shares: else the child's gate could stay open when the
// master is gone.
IN_CHILD void bear(void* given) {
  Birth& birth = *static_cast<Birth*>(given);
  raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  while (raw(SYS_getppid) != birth.launch.master) raw(SYS_exit_group, 0);
  birth.failure.error = static_cast<int>(-clone_child(birth, kFlags | CLONE_PARENT | CLONE_VFORK));
  settle(birth);
  for (;;) raw(SYS_exit_group, 0);
}

bool has_ended(pid_t helper) {
  long result = raw(SYS_wait4, helper, 0, WNOHANG, 0);
  return result == helper || result == -ECHILD;
}

// Somebody killed the helper, and the child too, if it came to be, before it took its first step.
void give_up(Birth& birth) {
  birth.helper = -1;
  birth.failure = {Step::clone, EINTR};
  siginfo_t info = {};
  if (birth.pidfd >= 0 && raw(SYS_waitid, P_PIDFD, birth.pidfd, at(&info), WEXITED) == 0) ::close(birth.pidfd);
}

void await(Birth& birth) {
  timespec patience = {0, 50'000'000};
  int looks_without_helper = 0;
  while (!birth.settled.load(std::memory_order_acquire)) {
    raw(SYS_futex, at(&birth.settled), FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, at(&patience));
    // A child that exists begins some time; more than these looks it never takes.
    if (birth.helper >= 0 && !has_ended(birth.helper)) continue;
    birth.helper = -1;
    if (!birth.settled.load(std::memory_order_acquire) && ++looks_without_helper == 40) return give_up(birth);
  }
}

// Where the kernel kills for want of memory, it kills all that share the memory of the one that it has chosen: a child
// that is in a full group before its exec would take us along, the more so as it counts for as large as we are. It chooses
// none that was made by vfork before its exec, and what such a one writes to its oom_score_adj is its own, where
// otherwise it holds for all that share the memory. So the child is made by vfork; and as nothing of ours could go on
// meanwhile, by a helper, as whose sibling it is ours.
void bear_by_helper(Birth& birth) {
  long top = at(birth.launch.stack.lowest()) + static_cast<long>(Stack::kSize);
  long helper = raw_clone(SYS_clone, CLONE_VM | CLONE_FILES | SIGCHLD, top, 0, 0, 0, &bear, &birth);
  if (helper < 0) {
    birth.failure = {Step::clone, static_cast<int>(-helper)};
    return;
  }
  birth.helper = static_cast<pid_t>(helper);
  await(birth);
  if (birth.failure.step == Step::none) return;
  if (birth.pid > 0) {
    reap(birth.pid);
    ::close(birth.pidfd);
  }
  if (birth.helper > 0) reap(birth.helper);
}

// In a group of its own memory may be short, but not in one that was made for it a moment ago; and a score of its own must
// not become ours.
bool needs_helper(const Birth& birth) {
  const Launch& launch = birth.launch;
  bool is_new = launch.options.make_cgroup;
  bool is_limited = (birth.cgroup >= 0 && !is_new) || launch.move[is_new ? 1 : 0];
  return is_limited || launch.limits.oom_score_adj;
}

}  // namespace

void give_birth(Birth& birth) {
  if (needs_helper(birth)) return bear_by_helper(birth);
  long pid = clone_child(birth, kFlags);
  if (pid > 0) {
    birth.pid = static_cast<pid_t>(pid);
    birth.failure.step = Step::none;
  } else {
    birth.failure.error = static_cast<int>(-pid);
  }
}

void reap(pid_t pid) {
  long result;
  do result = raw(SYS_wait4, pid, 0, 0, 0);
  while (result == -EINTR);
}

}  // namespace hsu

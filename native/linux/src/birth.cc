#include "birth.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>

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

IN_CHILD long try_clone3(Birth& birth, long flags, int cgroup) {
  CloneArguments args = {};
  args.flags = static_cast<uint64_t>(flags) | (cgroup >= 0 ? kIntoCgroup : 0);
  args.pidfd = static_cast<uint64_t>(at(&birth.pidfd));
  args.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD;  // a sibling takes over ours
  args.stack = static_cast<uint64_t>(at(birth.launch.stack.lowest()));
  args.stack_size = Stack::kSize - Stack::kHelperSize;
  args.cgroup = cgroup >= 0 ? static_cast<uint64_t>(cgroup) : 0;
  long size = cgroup >= 0 ? sizeof args : kSizeWithoutCgroup;
  return raw_clone(SYS_clone3, at(&args), size, 0, 0, 0, &run_child, &birth.launch);
}

// Who is not born in its cgroup moves there by itself.
IN_CHILD long clone_child(Birth& birth, long flags) {
  BirthWays& ways = birth.ways;
  if (birth.cgroup >= 0 && !ways.no_clone3 && !ways.no_cgroup) {
    ++birth.launch.move;
    long pid = try_clone3(birth, flags, birth.cgroup);
    ways.no_clone3 = pid == -ENOSYS || pid == -EPERM;
    ways.no_cgroup = pid == -E2BIG || pid == -EINVAL;
    if (!ways.no_clone3 && !ways.no_cgroup) {
      birth.failure.step = pid == -ENOMEM ? Step::clone : Step::cgroup_clone;
      return pid;
    }
    --birth.launch.move;
  }
  birth.failure.step = Step::clone;
  if (!ways.no_clone3) {
    long pid = try_clone3(birth, flags, -1);
    ways.no_clone3 = pid == -ENOSYS || pid == -EPERM;
    if (!ways.no_clone3) return pid;
  }
  long top = at(birth.launch.stack.lowest()) + static_cast<long>(Stack::kSize - Stack::kHelperSize);
  return raw_clone(SYS_clone, flags | SIGCHLD, top, at(&birth.pidfd), 0, 0, &run_child, &birth.launch);
}

IN_CHILD void record(Birth& birth, long pid) {
  if (pid >= 0) {
    birth.pid = static_cast<pid_t>(pid);
    birth.failure.step = Step::none;
  } else {
    birth.failure.error = static_cast<int>(-pid);
  }
}

// Runs in the helper.
IN_CHILD void bear_adjusted(void* given) {
  Birth& birth = *static_cast<Birth*>(given);
  child::Written written = child::write_file("/proc/self/oom_score_adj", birth.launch.oom_text);
  if (written.result < 0) {
    birth.failure = {written.opened ? Step::oom_score : Step::oom_score_open, static_cast<int>(-written.result)};
  } else {
    record(birth, clone_child(birth, kFlags | CLONE_PARENT));
  }
  for (;;) raw(SYS_exit_group, 0);
}

// What is written to the oom_score_adj of a process holds for all that share its memory, ours too; only a child made by
// vfork is exempt, and stays so until its exec. As our children are not made by vfork (nothing of ours could go on
// meanwhile), one that is stands in between for a moment: it takes the value, bears the child, which inherits it, as its
// own sibling, and leaves.
void bear_by_helper(Birth& birth) {
  long top = at(birth.launch.stack.lowest()) + static_cast<long>(Stack::kSize);
  long helper = raw_clone(SYS_clone, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, top, 0, 0, 0, &bear_adjusted, &birth);
  if (helper < 0) {
    birth.failure = {Step::clone, static_cast<int>(-helper)};
    return;
  }
  // The host application may have reaped it.
  long result;
  do result = raw(SYS_wait4, helper, 0, 0, 0);
  while (result == -EINTR);
  if (birth.pid < 0 && birth.failure.error == 0) birth.failure = {Step::clone, EINTR};  // somebody killed it
}

}  // namespace

void give_birth(Birth& birth) {
  if (birth.launch.limits.oom_score_adj) {
    bear_by_helper(birth);
  } else {
    record(birth, clone_child(birth, kFlags));
  }
}

}  // namespace hsu

#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "in_child.h"
#include "process_limits.h"

namespace hsu::child {

namespace {

IN_CHILD void join(Launch* launch, const char* file) {
  Written written = write_file(file, "0");
  need(launch, written.opened ? Step::cgroup_join : Step::cgroup_open, written.result);
}

IN_CHILD void limit_files(Launch* launch) {
  if (launch->options.nofile < 0) return;
  struct rlimit limit = {};
  need(launch, Step::rlimit, raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, at(&limit)));
  limit.rlim_cur = static_cast<rlim_t>(launch->options.nofile);
  need(launch, Step::rlimit, raw(SYS_prlimit64, 0, RLIMIT_NOFILE, at(&limit), 0));
}

}  // namespace

// Before the gate, so that nothing the child does later happens outside, and with the master's rights, as its new user
// has none over these files.
IN_CHILD void join_groups(Launch* launch) {
  for (char* const* file = launch->move; *file; ++file) join(launch, *file);
}

// Before the change of user: raising a hard limit, a lower niceness and the real-time classes need the master's rights,
// and the kernel takes none of it back afterwards. Resource limits come first, since a soft RLIMIT_NICE or RLIMIT_RTPRIO
// raised here allows a master without rights what follows. RLIMIT_NPROC is no exception: set before the change of user
// it makes the exec of a program whose user has too many processes already fail with EAGAIN, which is told, where
// afterwards the program would start and fail at its first fork.
IN_CHILD void take_limits(Launch* launch) {
  const LimitsView& limits = launch->limits;
  limit_files(launch);
  for (size_t index = 0; index < limits.resource_count; ++index) {
    const ResourceLimit& given = limits.resources[index];
    auto step = static_cast<Step>(static_cast<int>(Step::resource) + given.resource);
    need(launch, step, limit::resource(0, given));
  }
  if (limits.nice) {
    need(launch, Step::nice, limit::nice(0, *limits.nice));
    // With autogroups, each session is scheduled as one and niceness counts only within it; the session's own is set
    // here as well. Not there, or refused for being set too often: then the first is all there is.
    write_file("/proc/self/autogroup", launch->nice_text);
  }
  if (limits.affinity) need(launch, Step::affinity, limit::affinity(0, limits));
  if (limits.scheduler) need(launch, Step::scheduler, limit::scheduler(0, *limits.scheduler));
  if (limits.io_priority) need(launch, Step::io_priority, limit::io_priority(0, *limits.io_priority));
}

IN_CHILD void renounce_privileges(Launch* launch) {
  if (!launch->options.no_new_privs) return;
  need(launch, Step::no_new_privs, raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

}  // namespace hsu::child

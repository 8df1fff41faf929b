#pragma once

// What a process may be given besides its group: limits and priorities that the kernel keeps for each process or
// thread. The same calls serve a child before its exec and a process that already lives.

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launch.h"
#include "raw_syscall.h"

namespace hsu {

// Changes limits of a living process, and of all its threads where the kernel keeps them for each. What failed; ESRCH
// once when the process has gone or is another by now.
std::vector<StepFailure> limit_process(pid_t pid, uint64_t start_time, const ProcessLimits& limits);

// Its own, before it was changed, of the calling process.
std::optional<int> own_oom_score_adj();
// 0 or errno. The kernel changes the value of all that share the memory of the process.
int write_oom_score_adj(pid_t pid, int value);

namespace limit {

// `task` 0: the calling one. Results are the kernel's own.
__attribute__((always_inline)) inline long resource(pid_t process, const ResourceLimit& given) {
  return raw(SYS_prlimit64, process, given.resource, reinterpret_cast<long>(&given.value));
}

__attribute__((always_inline)) inline long nice(pid_t task, int nice) {
  return raw(SYS_setpriority, PRIO_PROCESS, task, nice);
}

__attribute__((always_inline)) inline long affinity(pid_t task, const LimitsView& given) {
  return raw(SYS_sched_setaffinity, task, static_cast<long>(given.affinity_size),
             reinterpret_cast<long>(given.affinity));
}

__attribute__((always_inline)) inline long scheduler(pid_t task, const Scheduler& given) {
  return raw(SYS_sched_setscheduler, task, given.policy, reinterpret_cast<long>(&given.priority));
}

__attribute__((always_inline)) inline long io_priority(pid_t task, int value) {
  constexpr int kWhoProcess = 1;
  return raw(SYS_ioprio_set, kWhoProcess, task, value);
}

}  // namespace limit

}  // namespace hsu

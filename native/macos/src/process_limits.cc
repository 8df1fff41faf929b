#include "process_limits.h"

#include <errno.h>
#include <sys/resource.h>

#include "proctable.h"

namespace hsu {

std::vector<StepFailure> limit_process(pid_t pid, uint64_t start_time, const ProcessLimits& limits) {
  std::vector<StepFailure> failures;
  auto row = read_process(pid);
  if (!row || row->start_time != start_time || row->state == 'Z') return {{Step::process, ESRCH}};
  for (const ResourceLimit& one : limits.resources) {
    failures.push_back({static_cast<Step>(static_cast<int>(Step::resource) + one.resource), ENOTSUP});
  }
  if (limits.nice && ::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), *limits.nice) != 0) {
    failures.push_back({Step::nice, errno});
  }
  if (!limits.affinity.empty()) failures.push_back({Step::affinity, ENOTSUP});
  if (limits.scheduler) failures.push_back({Step::scheduler, ENOTSUP});
  if (limits.io_priority) failures.push_back({Step::io_priority, ENOTSUP});
  if (limits.oom_score_adj) failures.push_back({Step::oom_score, ENOTSUP});
  return failures;
}

}  // namespace hsu

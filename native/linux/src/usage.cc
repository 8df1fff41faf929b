#include "usage.h"

#include <fcntl.h>

#include <algorithm>

#include "connections.h"

namespace hsu {

std::vector<TreeUsage> sample_trees(const std::vector<TreePlace>& trees, UsageDetail detail) {
  std::vector<TreeUsage> result(trees.size());
  Fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc) return result;
  Reader reader;
  Connections connections(proc.get(), reader);
  for (size_t at = 0; at < trees.size(); ++at) {
    std::vector<pid_t> members = trees[at].pids;
    result[at].group = read_group_usage(trees[at].group, detail.pressure, reader, members);
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
    for (pid_t pid : members) {
      auto usage = read_process_usage(proc.get(), pid, reader);
      if (!usage) continue;
      if (detail.descriptors) usage->descriptors = count_descriptors(proc.get(), pid);
      if (detail.pss) usage->pss = read_pss(proc.get(), pid, reader);
      if (detail.connections) usage->connections = connections.count(pid);
      result[at].processes.push_back(*usage);
    }
  }
  return result;
}

}  // namespace hsu

#include "usage.h"

#include <fcntl.h>

#include <algorithm>

namespace hsu {

Pass::Pass(UsageDetail detail, Reader& reader)
    : detail_(detail),
      reader_(reader),
      proc_(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      connections_(proc_.get(), reader) {}

// Members that are these, with the files that are open of them.
void TreeReader::keep(const std::vector<pid_t>& pids) {
  auto is_same = [](const Member& member, pid_t pid) { return member.pid == pid; };
  if (std::equal(members_.begin(), members_.end(), pids.begin(), pids.end(), is_same)) return;
  std::vector<Member> kept;
  kept.reserve(pids.size());
  auto before = members_.begin();
  for (pid_t pid : pids) {
    while (before != members_.end() && before->pid < pid) ++before;
    if (before != members_.end() && before->pid == pid) {
      kept.push_back(std::move(*before));
    } else {
      kept.push_back({pid, Files("/proc/" + std::to_string(pid), shelf_)});
    }
  }
  members_ = std::move(kept);
}

TreeUsage TreeReader::read(const std::vector<pid_t>& known, Pass& pass) {
  TreeUsage result;
  const UsageDetail& detail = pass.detail_;
  std::vector<pid_t> pids = known;
  result.group = group_.read({detail.pressure, detail.peak}, pass.reader_, pids);
  std::sort(pids.begin(), pids.end());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  keep(pids);
  bool io = !result.group || std::isnan(result.group->read_bytes) || std::isnan(result.group->read_ops);
  int proc = pass.proc_.get();
  result.processes.reserve(members_.size());
  for (auto member = members_.begin(); member != members_.end();) {
    auto usage = read_process_usage(member->files, member->pid, io, pass.reader_);
    if (!usage) {
      // Another may have its pid when it is listed again.
      member = members_.erase(member);
      continue;
    }
    if (detail.descriptors) usage->descriptors = count_descriptors(proc, member->pid);
    if (detail.pss) usage->pss = read_pss(proc, member->pid, pass.reader_);
    if (detail.connections) usage->connections = pass.connections_.count(member->pid);
    result.processes.push_back(*usage);
    ++member;
  }
  return result;
}

std::vector<TreeUsage> sample_trees(const std::vector<TreePlace>& trees, UsageDetail detail) {
  std::vector<TreeUsage> result(trees.size());
  Reader reader;
  Pass pass(detail, reader);
  if (!pass) return result;
  for (size_t at = 0; at < trees.size(); ++at) {
    result[at] = TreeReader(trees[at].group, nullptr).read(trees[at].pids, pass);
  }
  return result;
}

}  // namespace hsu

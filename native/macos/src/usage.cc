#include "usage.h"

#include <libproc.h>
#include <mach/mach.h>
#include <mach/mach_time.h>
#include <sys/resource.h>
#include <unistd.h>

#include "process_list.h"
#include "sampler.h"
#include "sockets.h"

namespace hsu {

namespace {

// Times of processes are counted in the ticks of the machine, which are nanoseconds on Intel only.
double milliseconds_of(uint64_t ticks) {
  static const double nanoseconds = [] {
    mach_timebase_info_data_t base = {};
    return ::mach_timebase_info(&base) == KERN_SUCCESS && base.denom ? double(base.numer) / double(base.denom) : 1;
  }();
  return static_cast<double>(ticks) * nanoseconds / 1e6;
}

// Of ourselves the kernel tells more exactly; of others that takes an entitlement.
void read_own(ProcessUsage& usage) {
  mach_task_basic_info_data_t basic = {};
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  auto into = reinterpret_cast<task_info_t>(&basic);
  if (::task_info(mach_task_self(), MACH_TASK_BASIC_INFO, into, &count) != KERN_SUCCESS) return;
  usage.rss = static_cast<double>(basic.resident_size);
  usage.size = static_cast<double>(basic.virtual_size);
}

std::optional<ProcessUsage> read_usage(pid_t pid, const UsageDetail& detail) {
  auto process = find_process(pid);
  if (!process || process->kp_proc.p_stat == SZOMB) return std::nullopt;
  rusage_info_v4 counted = {};
  if (::proc_pid_rusage(pid, RUSAGE_INFO_V4, reinterpret_cast<rusage_info_t*>(&counted)) != 0) return std::nullopt;
  proc_taskinfo task = {};
  if (::proc_pidinfo(pid, PROC_PIDTASKINFO, 0, &task, sizeof task) < static_cast<int>(sizeof task)) return std::nullopt;
  ProcessUsage usage = {};
  usage.pid = pid;
  usage.start_time = static_cast<double>(row_of(*process).start_time);
  usage.cpu_ms = milliseconds_of(counted.ri_user_time + counted.ri_system_time);
  usage.children_cpu_ms = milliseconds_of(counted.ri_child_user_time + counted.ri_child_system_time);
  usage.rss = static_cast<double>(counted.ri_resident_size);
  usage.size = static_cast<double>(task.pti_virtual_size);
  usage.threads = task.pti_threadnum;
  usage.read_bytes = static_cast<double>(counted.ri_diskio_bytesread);
  usage.written_bytes = static_cast<double>(counted.ri_diskio_byteswritten);
  // What the system holds it responsible for: private and compressed memory, without what it shares.
  if (detail.pss) usage.pss = static_cast<double>(counted.ri_phys_footprint);
  if (detail.descriptors || detail.connections) {
    std::vector<proc_fdinfo> open;
    if (list_descriptors(pid, open) == 0) {
      if (detail.descriptors) usage.descriptors = static_cast<double>(open.size());
      if (detail.connections) usage.connections = count_connections(pid, open);
    }
  }
  if (pid == ::getpid()) read_own(usage);
  return usage;
}

TreeUsage read_tree(const std::vector<pid_t>& pids, const UsageDetail& detail) {
  TreeUsage tree;
  for (pid_t pid : pids) {
    if (auto usage = read_usage(pid, detail)) tree.processes.push_back(*usage);
  }
  return tree;
}

}  // namespace

std::vector<TreeUsage> sample_trees(const std::vector<TreePlace>& trees, UsageDetail detail) {
  std::vector<TreeUsage> result;
  for (const TreePlace& place : trees) result.push_back(read_tree(place.pids, detail));
  return result;
}

std::vector<TreeUsage> Sampler::sample(const std::vector<KnownTree>& trees, UsageDetail detail) {
  std::vector<TreeUsage> result;
  for (const KnownTree& tree : trees) result.push_back(read_tree(tree.pids, detail));
  return result;
}

std::vector<ProcessRow> Sampler::newcomers() {
  std::vector<ProcessRow> found;
  auto rows = read_process_table();
  if (!rows) return found;
  std::unordered_map<pid_t, uint64_t> living;
  for (const ProcessRow& row : *rows) {
    if (row.state == 'Z') continue;
    living[row.pid] = row.start_time;
    auto before = seen_.find(row.pid);
    if (before == seen_.end() || before->second != row.start_time) found.push_back(row);
  }
  seen_ = std::move(living);
  return found;
}

}  // namespace hsu

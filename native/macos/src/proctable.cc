#include "proctable.h"

#include <errno.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <algorithm>

#include "process_args.h"
#include "process_list.h"

namespace hsu {

namespace {

char state_of(int status) {
  switch (status) {
    case SIDL: return 'I';
    case SRUN: return 'R';
    case SSTOP: return 'T';
    case SZOMB: return 'Z';
    default: return 'S';
  }
}

// Whole numbers that grow with time: milliseconds since 1970, as they were at its birth.
uint64_t milliseconds_of(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1000 + static_cast<uint64_t>(time.tv_usec) / 1000;
}

}  // namespace

ProcessRow row_of(const kinfo_proc& process) {
  ProcessRow row = {};
  row.pid = process.kp_proc.p_pid;
  row.ppid = process.kp_eproc.e_ppid;
  row.pgid = process.kp_eproc.e_pgid;
  pid_t session = ::getsid(row.pid);
  row.sid = session < 0 ? 0 : session;
  row.start_time = milliseconds_of(process.kp_proc.p_starttime);
  row.state = state_of(process.kp_proc.p_stat);
  row.exit_code = process.kp_proc.p_xstat;
  return row;
}

Result<std::vector<kinfo_proc>> list_processes(int kind, int value) {
  int name[] = {CTL_KERN, KERN_PROC, kind, value};
  constexpr int kAttempts = 8;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    size_t size = 0;
    if (::sysctl(name, 4, nullptr, &size, nullptr, 0) != 0) return SystemError{"sysctl(KERN_PROC)", errno};
    std::vector<kinfo_proc> processes(size / sizeof(kinfo_proc) + 64);
    size = processes.size() * sizeof(kinfo_proc);
    if (::sysctl(name, 4, processes.data(), &size, nullptr, 0) == 0) {
      processes.resize(size / sizeof(kinfo_proc));
      return processes;
    }
    // More were made meanwhile.
    if (errno != ENOMEM) break;
  }
  return SystemError{"sysctl(KERN_PROC)", errno};
}

bool group_lives(pid_t pgid) {
  auto members = list_processes(KERN_PROC_PGRP, pgid);
  if (!members) return true;
  return std::any_of(members->begin(), members->end(), [](const kinfo_proc& one) { return one.kp_proc.p_stat != SZOMB; });
}

std::optional<kinfo_proc> find_process(pid_t pid) {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
  kinfo_proc process = {};
  size_t size = sizeof process;
  if (::sysctl(name, 4, &process, &size, nullptr, 0) != 0) return std::nullopt;
  if (size < sizeof process || process.kp_proc.p_pid != pid) {
    errno = ESRCH;
    return std::nullopt;
  }
  return process;
}

std::string read_process_args(pid_t pid, int& error) {
  static const size_t most = [] {
    int name[] = {CTL_KERN, KERN_ARGMAX}, value = 0;
    size_t size = sizeof value;
    return ::sysctl(name, 2, &value, &size, nullptr, 0) == 0 && value > 0 ? static_cast<size_t>(value) : 1024 * 1024;
  }();
  std::string bytes(most, '\0');
  int name[] = {CTL_KERN, KERN_PROCARGS2, pid};
  size_t size = bytes.size();
  error = ::sysctl(name, 3, bytes.data(), &size, nullptr, 0) == 0 ? 0 : errno;
  bytes.resize(error ? 0 : size);
  return bytes;
}

std::optional<ProcessRow> read_process(pid_t pid) {
  auto process = find_process(pid);
  if (!process) return std::nullopt;
  return row_of(*process);
}

Result<std::vector<ProcessRow>> read_process_table() {
  auto processes = list_processes();
  if (!processes) return processes.error();
  std::vector<ProcessRow> rows;
  rows.reserve(processes->size());
  for (const kinfo_proc& process : *processes) rows.push_back(row_of(process));
  return rows;
}

// The system shows no environment of its own programs (System Integrity Protection), and none of others' to whom is not root.
Variable read_environment(pid_t pid, const std::string& name) {
  int error = 0;
  std::string bytes = read_process_args(pid, error);
  auto args = parse_process_args(bytes);
  if (!args) return {};
  auto value = variable_of(args->environment, name);
  if (!value) return {};
  return {std::string(*value), false};
}

Result<std::string> read_boot_id() {
  char id[64] = {};
  size_t size = sizeof id - 1;
  if (::sysctlbyname("kern.bootsessionuuid", id, &size, nullptr, 0) != 0) return SystemError{"sysctl(kern.bootsessionuuid)", errno};
  return std::string(id);
}

}  // namespace hsu

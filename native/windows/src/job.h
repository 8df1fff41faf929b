#pragma once

// Job Objects: what holds the tree of one worker, or what several workers share.

#include <cstdint>
#include <string>
#include <vector>

#include "handle.h"
#include "hsu/result.h"

namespace hsu {

// What JOBOBJECT_EXTENDED_LIMIT_INFORMATION holds; only what `flags` names counts.
struct JobLimits {
  DWORD flags = 0;  // JOB_OBJECT_LIMIT_*
  uint64_t process_time = 0, job_time = 0;  // user time, in units of 100 ns
  uint64_t least_working_set = 0, most_working_set = 0;
  DWORD active_processes = 0, priority_class = 0, scheduling_class = 0;
  uint64_t affinity = 0;
  uint64_t process_memory = 0, job_memory = 0;
};

// All numbers, in the order in which packages/native/src/windows/rows.ts takes them apart; NaN where the system does not tell.
struct JobUsage {
  double user_ms;
  double kernel_ms;
  double total_processes;
  double active_processes;
  double terminated_processes;
  double read_ops;
  double write_ops;
  double read_bytes;
  double write_bytes;
  double memory;
  double peak_memory;
};

class Job {
 public:
  // ERROR_ALREADY_EXISTS where somebody has that name: what it holds is not ours. An empty name: none.
  static Result<Job> create(const std::wstring& name);
  static Result<Job> open(const std::wstring& name);

  HANDLE get() const { return handle_.get(); }

  DWORD limit(const JobLimits& limits) const;
  // JOB_OBJECT_CPU_RATE_CONTROL_*; 0 flags end it. `value`: a rate in 1/100 percent of all processors, or a weight.
  DWORD limit_cpu(DWORD flags, DWORD value) const;
  DWORD limit_ui(DWORD restrictions) const;
  // Bytes that it may send each second; 0 ends it.
  DWORD limit_network(uint64_t bytes_per_second) const;

  // Messages about the job arrive at the port, under this key.
  DWORD tell(HANDLE port, ULONG_PTR key) const;
  DWORD assign(HANDLE process) const;
  DWORD terminate(UINT code) const;
  Result<std::vector<DWORD>> pids() const;
  JobUsage usage() const;
  // Gives the process a handle of its own to the job: as long as it lives the job’s name does.
  DWORD park(HANDLE process) const;

 private:
  explicit Job(Handle&& handle) : handle_(std::move(handle)) {}
  Handle handle_;
};

}  // namespace hsu

#pragma once

// What one process uses, as /proc tells it. Counts that cannot be had are NaN.

#include <sys/types.h>

#include <cmath>
#include <optional>

#include "kept_files.h"

namespace hsu {

// The order is the contract with packages/native/src/usage.ts.
struct ProcessUsage {
  double pid, start_time;
  double cpu_ms, children_cpu_ms;
  double rss, size, threads;
  double read_bytes = NAN, written_bytes = NAN, read_ops = NAN, write_ops = NAN;
  double pss = NAN, descriptors = NAN, connections = NAN;
};

// None when it has gone or is a zombie. `files` are those of /proc/<pid>. With `io` also what it has read and written.
std::optional<ProcessUsage> read_process_usage(Files& files, pid_t pid, bool io, Reader& reader);

// `proc` is a descriptor of /proc.
double count_descriptors(int proc, pid_t pid);
double read_pss(int proc, pid_t pid, Reader& reader);

}  // namespace hsu

#pragma once

// What a cgroup counts: of v2 where it has the controller, else of the v1 controllers. Counts that cannot be had are NaN.

#include <sys/types.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "file.h"

namespace hsu {

// The numbers are the contract with packages/native/src/usage.ts.
enum Controller { kMemory = 0, kCpuacct = 1, kCpu = 2, kPids = 3, kBlkio = 4, kControllers = 5 };

struct GroupPlace {
  std::string directory;                                // of v2; empty: none
  std::array<std::string, kControllers> controllers{};  // directories of v1; empty: none
};

// The order is the contract with packages/native/src/usage.ts.
struct GroupUsage {
  double memory = NAN, memory_peak = NAN, swap = NAN;
  double cpu_ms = NAN, cpu_throttled = NAN;
  double read_bytes = NAN, written_bytes = NAN, read_ops = NAN, write_ops = NAN;
  double processes = NAN;
  double memory_hits = NAN, process_hits = NAN, oom_kills = NAN;
  double cpu_some = NAN, cpu_full = NAN, memory_some = NAN, memory_full = NAN, io_some = NAN, io_full = NAN;
};

// None when no directory of it is there. Appends who is in it: in v2 and all below, or in the first of v1.
std::optional<GroupUsage> read_group_usage(const GroupPlace& place, bool pressure, Reader& reader,
                                           std::vector<pid_t>& members);

}  // namespace hsu

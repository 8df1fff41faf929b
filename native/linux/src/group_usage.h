#pragma once

// What a cgroup counts: of v2 where it has the controller, else of the v1 controllers. Counts that cannot be had are NaN.

#include <sys/types.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "kept_files.h"

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

struct GroupDetail {
  bool pressure;
  bool peak;  // also the largest use of memory, and the number of tasks
};

// The cgroups of one tree, looked at again and again.
class GroupReader {
 public:
  // Without a shelf nothing stays open.
  GroupReader(const GroupPlace& place, Shelf* shelf);

  // None when no directory of it is there. Appends who is in it: in v2 and all below, or in the first of v1.
  std::optional<GroupUsage> read(GroupDetail detail, Reader& reader, std::vector<pid_t>& members);

 private:
  void read_v2(GroupDetail detail, Reader& reader, GroupUsage& usage);
  void read_v1(Controller controller, GroupDetail detail, Reader& reader, GroupUsage& usage);
  void read_memory_v1(Files& files, GroupDetail detail, Reader& reader, GroupUsage& usage);

  std::optional<Files> unified_;
  std::array<std::optional<Files>, kControllers> controllers_;
};

}  // namespace hsu

#pragma once

// What whole trees of processes use, in one pass over all of them.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "group_usage.h"
#include "process_usage.h"

namespace hsu {

struct TreePlace {
  GroupPlace group;
  std::vector<pid_t> pids;  // members known otherwise
};

struct TreeUsage {
  std::optional<GroupUsage> group;
  std::vector<ProcessUsage> processes;
};

struct UsageDetail {
  bool pss, connections, pressure, descriptors;
};

std::vector<TreeUsage> sample_trees(const std::vector<TreePlace>& trees, UsageDetail detail);

}  // namespace hsu

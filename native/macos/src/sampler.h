#pragma once

// Trees that are sampled again and again. Nothing of a process can be kept open here, so it is the same as asking once.

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "proctable.h"
#include "usage.h"

namespace hsu {

struct KnownTree {
  uint32_t tree;
  std::vector<pid_t> pids;
};

class Sampler {
 public:
  uint32_t enter(GroupPlace) { return ++last_; }
  void leave(uint32_t) {}
  std::vector<TreeUsage> sample(const std::vector<KnownTree>& trees, UsageDetail detail);
  // Processes that no earlier call saw; the first returns all.
  std::vector<ProcessRow> newcomers();

 private:
  uint32_t last_ = 0;
  std::unordered_map<pid_t, uint64_t> seen_;  // start times
};

}  // namespace hsu

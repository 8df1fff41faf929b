#pragma once

// What whole trees of processes use, in one pass over all of them.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "connections.h"
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
  bool pss, connections, pressure, descriptors, peak;
};

// One pass: what all trees share.
class Pass {
 public:
  Pass(UsageDetail detail, Reader& reader);
  explicit operator bool() const { return static_cast<bool>(proc_); }

 private:
  friend class TreeReader;
  UsageDetail detail_;
  Reader& reader_;
  Fd proc_;
  Connections connections_;
};

// One tree, looked at again and again.
class TreeReader {
 public:
  // Without a shelf nothing stays open.
  TreeReader(const GroupPlace& place, Shelf* shelf) : group_(place, shelf), shelf_(shelf) {}

  TreeUsage read(const std::vector<pid_t>& known, Pass& pass);

 private:
  struct Member {
    pid_t pid;
    Files files;
  };

  void keep(const std::vector<pid_t>& pids);

  GroupReader group_;
  Shelf* shelf_;
  std::vector<Member> members_;  // by pid
};

std::vector<TreeUsage> sample_trees(const std::vector<TreePlace>& trees, UsageDetail detail);

}  // namespace hsu

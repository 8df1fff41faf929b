#pragma once

// What a child is told to become: written by the master, read by hsu-launch, which is what every child begins as. Texts, each with one
// letter before it and NUL behind it. On any system.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hsu {

struct PlannedLimit {
  int resource;          // as packages/native numbers them
  long long soft, hard;  // -1: unlimited
};

struct Plan {
  std::string file;
  std::vector<std::string> argv, env;
  std::string cwd;  // empty: as it is
  int umask = -1;   // -1: as it is
  long long uid = -1, gid = -1, nofile = -1;
  bool set_groups = false;
  std::vector<gid_t> groups;
  std::vector<PlannedLimit> limits;
  std::optional<int> nice;
  bool shell_fallback = false;
  bool tells_listen_pid = false;

  std::string written() const;
  static std::optional<Plan> read(std::string_view text);
};

// How a child failed: a step of launch.h, and an errno.
struct LaunchFailure {
  int step, error;
};

// The master writes the length of the plan, the plan, and, when the program may begin, this.
constexpr char kGo = 'g';

}  // namespace hsu

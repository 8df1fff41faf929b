#pragma once

// Everything one child needs, prepared before it exists: it only follows pointers. It lives in the memory that
// parent and child share until the child has execed or died, and is freed only after that.

#include <sys/resource.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports.h"

namespace hsu {

// The numbers are the contract with packages/native/src/failure.ts.
enum class Step : int {
  none = -1,
  pipe = 0,
  socketpair = 1,
  clone = 2,
  pidfd = 3,
  setsid = 4,
  chdir = 5,
  groups = 6,
  group = 7,
  user = 8,
  umask = 9,
  rlimit = 10,
  stdio = 11,
  exec = 12,
  gate = 13,
  parent_death = 14,
  cgroup_open = 15,
  cgroup_clone = 16,
  cgroup_join = 17,
  nice = 18,
  affinity = 19,
  scheduler = 20,
  io_priority = 21,
  oom_score_open = 22,
  oom_score = 23,
  no_new_privs = 24,
  process = 25,
  channel = 26,
  cgroup_make = 27,
  listen_bind = 28,
  listen_listen = 29,
  resource = 32,  // plus the number of the resource
};

struct StepFailure {
  Step step;
  int error;
};

enum class Output : int { capture = 0, null = 1, inherit = 2, same_as_stdout = 3, channel = 4 };

struct ResourceLimit {
  int resource;
  struct rlimit value;  // what prlimit64 takes, wherever long has 64 bits
};

struct Scheduler {
  int policy;
  int priority;  // laid out as the kernel's sched_param: one int
};

// Of one process or all its threads; what is absent stays as it is.
struct ProcessLimits {
  std::vector<ResourceLimit> resources;
  std::optional<int> nice;
  std::vector<unsigned long> affinity;  // a mask
  std::optional<Scheduler> scheduler;
  std::optional<int> io_priority;  // class and level as ioprio_set takes them
  std::optional<int> oom_score_adj;
};

// The same for who may only follow pointers. Null: stays as it is.
struct LimitsView {
  LimitsView() = default;
  explicit LimitsView(const ProcessLimits& limits);

  const ResourceLimit* resources = nullptr;
  size_t resource_count = 0;
  const int* nice = nullptr;
  const unsigned long* affinity = nullptr;
  size_t affinity_size = 0;  // bytes
  const Scheduler* scheduler = nullptr;
  const int* io_priority = nullptr;
  const int* oom_score_adj = nullptr;
};

struct LaunchOptions {
  std::string file;
  std::string argv;  // each argument followed by NUL
  std::string env;   // each "K=V" followed by NUL
  std::string cwd;   // empty: the master's
  int umask = -1;    // -1: the master's
  long long uid = -1, gid = -1;
  bool set_groups = false;
  std::vector<gid_t> groups;
  Output out = Output::null, err = Output::null;
  std::string out_channel, err_channel;  // FIFOs
  std::vector<ListenAddress> listens;    // sockets on descriptors 3 and on
  bool shell_fallback = false;
  long long nofile = -1;
  bool die_with_master = false;
  ProcessLimits limits;
  std::string cgroup;  // directory of a cgroup v2; empty: the master's
  bool make_cgroup = false;  // it is not there yet, and nothing around it limits it more than us
  std::string joins;   // files to write "0" to, each followed by NUL
  bool no_new_privs = false;
};

// A child's stack. Taken from and given back to a pool, because mapping one costs more than the rest of a launch.
class Stack {
 public:
  static constexpr size_t kSize = 32 * 1024;
  static constexpr size_t kHelperSize = 8 * 1024;  // its upper end, for who stands between us and the child (birth.h)

  Stack() = default;
  Stack(Stack&& other) noexcept : base_(std::exchange(other.base_, nullptr)) {}
  Stack& operator=(Stack&&) = delete;
  ~Stack();

  static Stack take();  // empty when memory is short
  explicit operator bool() const { return base_ != nullptr; }
  void* lowest() const;

 private:
  explicit Stack(void* base) : base_(base) {}
  void* base_ = nullptr;
};

// Changing user or group makes the kernel mark the memory it happens in as not dumpable, and that memory is ours.
// The mark keeps the new user from tracing a child that can still see our memory, so it stays until no child is
// between its change and its exec; then what was there before comes back.
class DumpableGuard {
 public:
  DumpableGuard();
  DumpableGuard(const DumpableGuard&) = delete;
  DumpableGuard& operator=(const DumpableGuard&) = delete;
  ~DumpableGuard();
};

class Launch {
 public:
  explicit Launch(LaunchOptions&& options);
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  // The options as the system wants them.
  LaunchOptions options;
  std::vector<char*> argv, envp, shell_argv;
  LimitsView limits;
  char nice_text[8] = "", oom_text[8] = "";
  char listen_pid[24] = "LISTEN_PID=";  // completed by the child, who alone knows
  std::string cgroup_procs;
  std::vector<char*> joins;
  char* const* move = nullptr;  // what of `joins` remains for the child, the first being `cgroup_procs` if there is one
  pid_t master;
  Stack stack;
  std::optional<DumpableGuard> dumpable;

  // Descriptors in the spawner's table; -1 where the option needs none.
  int gate_fd = -1, null_fd = -1, out_fd = -1, err_fd = -1;
  std::vector<int> listen_fds;

  // Written by the child; valid once it has left our memory.
  std::atomic<bool> reached_exec{false};
  std::atomic<bool> used_shell{false};
  std::atomic<Step> failed_step{Step::none};
  std::atomic<int> failed_error{0};

 private:
  void prepare_limits();
};

}  // namespace hsu

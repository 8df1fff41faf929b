#pragma once

// One engine: a spawner, a waiter, and, once something is captured, a capture thread, all telling one queue.

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "capture.h"
#include "hsu/events.h"
#include "hsu/result.h"
#include "launch.h"
#include "spawner.h"
#include "waiter.h"

namespace hsu {

class Engine {
 public:
  struct Options {
    bool subreaper;
    size_t max_unacknowledged;
    std::function<void()> wake;
  };
  struct Collected {
    Handle handle;
    StepFailure failure;  // step none: the process exists and waits at its gate
    pid_t pid;
    uint64_t start_time;
  };

  static Result<std::unique_ptr<Engine>> open(Options options);

  ~Engine();

  // What becomes of it is collected. Waits only where many are uncollected.
  Handle submit(LaunchOptions&& options);
  std::vector<Collected> collect();  // all that were submitted, each once
  Waiter& waiter() { return *waiter_; }
  void detach_output(Handle handle);
  void acknowledge(size_t bytes);
  int watch(pid_t pid, uint64_t start_time, uint64_t& watch);  // 0 or errno
  // 0 or errno. Children have the value from before, unless their limits name another.
  int protect(int oom_score_adj);
  std::vector<Event> take() { return queue_.take(); }

 private:
  explicit Engine(Options&& options) : max_unacknowledged_(options.max_unacknowledged), queue_(std::move(options.wake)) {}

  struct Submitted {
    Handle handle;
    std::unique_ptr<Launch> launch;
  };

  void collect_first();
  StepFailure begin(Submitted& submitted);
  StepFailure take(Submitted&& submitted, Spawned&& spawned);
  uint64_t start_time_of(const Spawned& spawned);

  const size_t max_unacknowledged_;
  std::optional<int> unprotected_;  // our oom_score_adj before it was changed
  EventQueue queue_;
  std::unique_ptr<Spawner> spawner_;
  std::unique_ptr<Capture> capture_;
  std::unique_ptr<Waiter> waiter_;
  std::deque<Submitted> submitted_;
  std::vector<Collected> collected_;
  enum class Clock { unproved, tells, misleads } clock_ = Clock::unproved;
  Handle last_handle_ = 0;
  uint64_t last_watch_ = 0;
};

}  // namespace hsu

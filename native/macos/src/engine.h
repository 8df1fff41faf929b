#pragma once

// One engine: children are made where they are asked for, a waiter, and, once something is captured, a capture thread, all telling
// one queue.

#include <memory>
#include <vector>

#include "capture.h"
#include "hsu/events.h"
#include "hsu/result.h"
#include "launch.h"
#include "waiter.h"

namespace hsu {

class Engine {
 public:
  struct Options {
    bool subreaper;  // nobody can be one here: what workers leave behind goes to launchd
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

  Handle submit(LaunchOptions&& options);
  std::vector<Collected> collect();  // all that were submitted, each once
  Waiter& waiter() { return *waiter_; }
  void detach_output(Handle handle);
  void acknowledge(size_t bytes);
  int watch(pid_t pid, uint64_t start_time, uint64_t& watch);  // 0 or errno
  int protect(int oom_score_adj);                              // ENOTSUP
  std::vector<Event> take() { return queue_.take(); }

 private:
  explicit Engine(Options&& options) : max_unacknowledged_(options.max_unacknowledged), queue_(std::move(options.wake)) {}
  StepFailure begin(Handle handle, const LaunchOptions& options, Collected& collected);

  const size_t max_unacknowledged_;
  EventQueue queue_;
  std::unique_ptr<Capture> capture_;
  std::unique_ptr<Waiter> waiter_;
  std::vector<Collected> collected_;
  Handle last_handle_ = 0;
  uint64_t last_watch_ = 0;
};

}  // namespace hsu

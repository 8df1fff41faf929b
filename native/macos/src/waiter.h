#pragma once

// The one thread that learns of births and ends: a kqueue tells when a gate is closed (the program runs, or never will) and when a
// process has ended, ours or another's.

#include <pthread.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "hsu/events.h"
#include "hsu/fd.h"
#include "hsu/result.h"
#include "launch.h"

struct kevent;

namespace hsu {

using Handle = uint64_t;

class Waiter {
 public:
  static Result<std::unique_ptr<Waiter>> open(EventQueue& queue);
  ~Waiter();  // turns away who waits at a gate

  StepFailure take(Handle handle, pid_t pid, Fd gate);
  void release(Handle handle, bool go);
  void discard(Handle handle);  // as release without go, and tells nothing
  int signal(Handle handle, int signal);        // 0 or errno
  int signal_group(Handle handle, int signal);  // the same
  int watch(uint64_t id, pid_t pid, uint64_t start_time);
  void unwatch(uint64_t id);
  void reap_inherited() {}  // nobody is adopted here
  void rest();              // reaps and tells nothing any more

 private:
  struct Child {
    pid_t pid;
    Fd gate;
    bool decided = false, abandoned = false, silent = false;
    bool execed = false, used_shell = false;
    bool ending = false;  // before anybody could watch it: its gate, which is closed then, tells
    StepFailure failure{Step::none, 0};
  };
  struct Watch {
    pid_t pid;
    uint64_t start_time;
  };

  explicit Waiter(EventQueue& queue) : queue_(queue) {}
  static void* run(void* self);
  void serve();
  int change(uintptr_t ident, int filter, int flags, unsigned notes, uint64_t source, uint64_t id);
  int await_end(pid_t pid, unsigned notes);  // 0 or errno
  void on_process(const struct kevent& event, std::vector<Event>& events);
  void on_gate(Handle handle, std::vector<Event>& events);
  void on_exit(Handle handle, std::vector<Event>& events);
  void on_watched_exit(uint64_t id, bool has_status, int status, std::vector<Event>& events);
  void settle(Handle handle, Child& child, std::vector<Event>& events);

  EventQueue& queue_;
  Fd kqueue_;
  std::mutex mutex_;
  std::unordered_map<Handle, Child> children_;
  std::unordered_map<uint64_t, Watch> watches_;
  bool running_ = false;
  pthread_t thread_{};
};

}  // namespace hsu

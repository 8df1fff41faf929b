#pragma once

// The one thread that waits: for programs to start, for processes to end, for orphans to reap. It owns every
// child from clone to reaping.

#include <pthread.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "hsu/events.h"
#include "hsu/fd.h"
#include "hsu/result.h"
#include "identity.h"
#include "launch.h"
#include "orphans.h"
#include "spawner.h"

namespace hsu {

using Handle = uint64_t;

class Waiter {
 public:
  static Result<std::unique_ptr<Waiter>> open(EventQueue& queue, bool subreaper);
  ~Waiter();  // joins the thread, turns away children at their gates; kills nothing

  // Takes the child over. Its failure is that of epoll: the child is turned away and reaped.
  StepFailure take(Handle handle, Spawned&& spawned, std::unique_ptr<Launch> launch);

  void release(Handle handle, bool go);
  void discard(Handle handle);                  // turns the child away and tells nobody
  int signal(Handle handle, int signal);        // 0 or errno; ESRCH once reaped
  int signal_group(Handle handle, int signal);  // the same

  int watch(uint64_t watch, pid_t pid, uint64_t start_time, Fd pidfd);  // 0 or errno
  void unwatch(uint64_t watch);

  // Children that this process had before (an exec kept them) are reaped from now on; before, only where they are watched.
  void reap_inherited();

  // Ends the thread: from now on nobody is reaped, so that who ends does so for the program after an exec.
  void rest();

 private:
  struct Child {
    pid_t pid, helper;  // the helper until the child has left our memory, -1 where there is none
    Fd pidfd, gate;
    std::unique_ptr<Launch> launch;  // until the child has left our memory
    bool decided = false;            // released, one way or the other
    bool abandoned = false;
    bool silent = false;
    bool execed = false;
    bool used_shell = false;
    StepFailure failure{Step::none, 0};
    long rss_before_exec = 0;  // KiB
  };

  explicit Waiter(EventQueue& queue) : queue_(queue) {}
  static void* run(void* self);
  void serve();
  void on_left_memory(Handle handle, std::vector<Event>& events);
  static void reap_helper(Child& child);
  void settle(Handle handle, Child& child, std::vector<Event>& events);
  void on_exit(Handle handle, std::vector<Event>& events);
  void on_watched_exit(uint64_t watch, bool reaped, std::vector<Event>& events);
  bool is_own(pid_t pid) const;
  void look_again();
  bool group_is_empty(pid_t pgid, std::vector<Event>& events);
  void reap_orphans(std::vector<Event>& events);
  void turn_away();

  EventQueue& queue_;
  Fd epoll_, stop_;
  std::unique_ptr<Orphans> orphans_;
  std::mutex mutex_;  // children_ and watches_; held while reaping, so that a signal never meets a reused pid
  std::unordered_map<Handle, Child> children_;
  struct Watch {
    Fd pidfd;
    pid_t pid = 0;
    uint64_t start_time = 0;
    bool told = false;
  };
  std::unordered_map<uint64_t, Watch> watches_;
  std::unordered_multiset<pid_t> watched_;  // whose
  void forget_watch(std::unordered_map<uint64_t, Watch>::iterator found);
  bool reap_watched(const Watch& watch, ExitStatus& status, double& user, double& system, std::vector<Event>& events);
  bool running_ = false;
  pthread_t thread_{};
};

}  // namespace hsu

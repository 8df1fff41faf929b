#pragma once

// The one thread that makes children. It has a descriptor table of its own that holds next to nothing, so a
// child is born with nothing to leak and making it costs the same whatever the master has open; and since it is
// the parent thread of every child, the main thread's list of children holds adopted orphans only.

#include <pthread.h>

#include <atomic>
#include <memory>

#include "birth.h"
#include "hsu/fd.h"
#include "hsu/result.h"
#include "launch.h"

namespace hsu {

struct Spawned {
  pid_t pid = -1;
  pid_t helper = -1;  // to be reaped once the child has left our memory; -1: there is none
  Fd pidfd;
  Fd gate;  // one byte opens it; hang-up tells that the child has left our memory: execed or died
  Fd out;   // read ends, non-blocking, where captured
  Fd err;
  uint64_t start_time = 0;  // as the clock tells it; 0: it does not
};

class Spawner {
 public:
  static Result<std::unique_ptr<Spawner>> open();
  ~Spawner();

  // Has the thread make a child, and does not wait for it; `launch` must live until `collect`, and from then on as long as
  // the child waits at its gate. At most kMostSubmitted may be uncollected. 0 or errno.
  static constexpr size_t kMostSubmitted = 32;
  int submit(Launch& launch);
  // Of the one that was submitted first and is not collected yet: returns once its child exists.
  Result<Spawned, StepFailure> collect(const Launch& launch);
  // What the thread has not begun fails from now on.
  void refuse() { refusing_ = true; }

 private:
  Spawner() = default;
  static void* run(void* self);
  void serve();
  bool separate_descriptors();
  StepFailure make(Launch& launch, Spawned& spawned);

  Fd control_;
  int thread_control_ = -1;  // these belong to the thread, the descriptors to its own table
  int null_fd_ = -1;
  uint64_t tick_ns_ = 0;
  BirthWays ways_;
  std::atomic<bool> refusing_{false};
  pthread_t thread_{};
};

}  // namespace hsu

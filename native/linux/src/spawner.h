#pragma once

// The one thread that makes children. It has a descriptor table of its own that holds next to nothing, so a
// child is born with nothing to leak and making it costs the same whatever the master has open; and since it is
// the parent thread of every child, the main thread's list of children holds adopted orphans only.

#include <pthread.h>

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
};

class Spawner {
 public:
  static Result<std::unique_ptr<Spawner>> open();
  ~Spawner();

  // Returns once the child exists. It waits at its gate; `launch` must outlive its stay there.
  Result<Spawned, StepFailure> spawn(Launch& launch);

 private:
  Spawner() = default;
  static void* run(void* self);
  void serve();
  bool separate_descriptors();
  StepFailure make(Launch& launch, Spawned& spawned);

  Fd control_;
  int thread_control_ = -1;  // these belong to the thread, the descriptors to its own table
  int null_fd_ = -1;
  BirthWays ways_;
  pthread_t thread_{};
};

}  // namespace hsu

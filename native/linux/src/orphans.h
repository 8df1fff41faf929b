#pragma once

// Adoption: as child subreaper the master inherits what its workers leave behind. An inherited process ends as a
// zombie of the main thread; SIGCHLD tells that one did. One per process: the attribute belongs to all of it.

#include <sys/types.h>

#include <memory>
#include <vector>

#include "hsu/fd.h"
#include "hsu/result.h"

namespace hsu {

class Orphans {
 public:
  static Result<std::unique_ptr<Orphans>> adopt();  // EBUSY: another engine of this process does it
  ~Orphans();

  int fd() const { return told_.get(); }  // readable after any SIGCHLD
  void drain();
  std::vector<pid_t> reap();  // zombies only; the living stay

 private:
  Orphans() = default;
  Fd told_;
  int subreaper_before_ = 0;
};

// Adopted and still alive: none is left out. Where they die faster than they can be listed, the last that died are
// named as well. Empty where the kernel does not list children by thread (see capabilities).
std::vector<pid_t> living_orphans();

}  // namespace hsu

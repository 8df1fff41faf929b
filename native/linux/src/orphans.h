#pragma once

// Adoption: as child subreaper the master inherits what its workers leave behind. An inherited process ends as a
// zombie of the main thread; SIGCHLD tells that one did. One per process: the attribute belongs to all of it.

#include <sys/types.h>

#include <memory>
#include <unordered_set>
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
  std::vector<pid_t> reap(const std::unordered_multiset<pid_t>& spared);  // zombies only; the living stay

  // Children from before the adoption are spared until this is called: somebody may want to know how they ended.
  void take_inherited() { inherited_.clear(); }
  void reaped(pid_t pid) { inherited_.erase(pid); }

 private:
  Orphans() = default;
  Fd told_;
  std::unordered_set<pid_t> inherited_;
  int subreaper_before_ = 0;
};

// Adopted and still alive: none is left out. Where they die faster than they can be listed, the last that died are
// named as well. Empty where the kernel does not list children by thread (see capabilities).
std::vector<pid_t> living_orphans();

}  // namespace hsu

#pragma once

// Trees that are sampled again and again. Their files stay open, in a table of descriptors of their own: a child that
// is being made copies the table of the thread that makes it, and the master’s own limit of open files is not used up.

#include <pthread.h>
#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "proctable.h"
#include "usage.h"

namespace hsu {

struct KnownTree {
  uint32_t tree;
  std::vector<pid_t> pids;  // members known otherwise
};

class Sampler {
 public:
  Sampler();
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  uint32_t enter(GroupPlace place);
  void leave(uint32_t tree);
  // Who has left, or never entered, has nothing.
  std::vector<TreeUsage> sample(const std::vector<KnownTree>& trees, UsageDetail detail);
  // Processes that no earlier call saw; the first returns all. Who has died while it was listed is left out.
  std::vector<ProcessRow> newcomers();

 private:
  using Work = std::function<void()>;

  void call(const Work& work);
  void serve();
  static void* run(void* self);
  std::vector<ProcessRow> list_newcomers();

  // Of the thread alone.
  std::unique_ptr<Shelf> shelf_;
  Reader reader_;
  std::unordered_map<uint32_t, TreeReader> trees_;
  // By pid, what tells two processes apart that have it one after the other: the inode of its folder in /proc.
  std::unordered_map<pid_t, uint64_t> seen_;

  // Of the caller alone.
  uint32_t last_ = 0;
  size_t count_ = 0;
  std::vector<uint32_t> left_;

  pthread_t thread_{};
  bool has_thread_ = false;
  std::mutex mutex_;
  std::condition_variable asked_, done_;
  const Work* work_ = nullptr;
  bool over_ = false;
};

}  // namespace hsu

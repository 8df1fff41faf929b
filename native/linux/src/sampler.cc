#include "sampler.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "thread.h"

namespace hsu {

namespace {

// An open file of /proc or of a cgroup takes about 5 KiB of the kernel’s memory once it was read.
constexpr size_t kMostKept = 8192;
// For what is opened for a moment.
constexpr size_t kSpare = 64;

// Gives this thread a table of descriptors of its own, with nothing in it.
bool leave_table() {
#ifdef SYS_close_range
  constexpr unsigned kUnshare = 1u << 1;
  return ::syscall(SYS_close_range, 0u, ~0u, kUnshare) == 0;
#else
  return false;
#endif
}

size_t room_for_files() {
  struct rlimit files;
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur <= kSpare) return 0;
  return std::min<size_t>(kMostKept, files.rlim_cur - kSpare);
}

}  // namespace

// Without a thread, or a table for it, nothing stays open, and all the rest is the same.
Sampler::Sampler() { has_thread_ = start_thread(thread_, "hsu-sampler", &Sampler::run, this) == 0; }

Sampler::~Sampler() {
  if (!has_thread_) return;
  {
    std::lock_guard lock(mutex_);
    over_ = true;
  }
  asked_.notify_one();
  ::pthread_join(thread_, nullptr);
}

void* Sampler::run(void* self) {
  static_cast<Sampler*>(self)->serve();
  return nullptr;
}

void Sampler::serve() {
  if (leave_table()) shelf_ = std::make_unique<Shelf>(room_for_files());
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_.wait(lock, [this] { return work_ || over_; });
    if (!work_) break;
    (*work_)();
    work_ = nullptr;
    done_.notify_one();
  }
  // The numbers of the open files mean something in this thread’s table only.
  trees_.clear();
}

void Sampler::call(const Work& work) {
  if (!has_thread_) return work();
  std::unique_lock lock(mutex_);
  work_ = &work;
  asked_.notify_one();
  done_.wait(lock, [this] { return !work_; });
}

uint32_t Sampler::enter(GroupPlace place) {
  uint32_t tree = ++last_;
  ++count_;
  // Nothing is opened before the first sample.
  call([&] { trees_.try_emplace(tree, place, shelf_.get()); });
  return tree;
}

void Sampler::leave(uint32_t tree) {
  left_.push_back(tree);
  if (count_ > 0) --count_;
  // The next sample closes its files, unless there will be none.
  if (count_ > 0) return;
  call([this] {
    trees_.clear();
    seen_.clear();
  });
  left_.clear();
}

std::vector<TreeUsage> Sampler::sample(const std::vector<KnownTree>& trees, UsageDetail detail) {
  std::vector<TreeUsage> result(trees.size());
  call([&] {
    for (uint32_t tree : left_) trees_.erase(tree);
    Pass pass(detail, reader_);
    if (!pass) return;
    for (size_t at = 0; at < trees.size(); ++at) {
      auto found = trees_.find(trees[at].tree);
      if (found != trees_.end()) result[at] = found->second.read(trees[at].pids, pass);
    }
  });
  left_.clear();
  return result;
}

std::vector<ProcessRow> Sampler::newcomers() {
  std::vector<ProcessRow> rows;
  call([&] { rows = list_newcomers(); });
  return rows;
}

std::vector<ProcessRow> Sampler::list_newcomers() {
  std::vector<ProcessRow> rows;
  DIR* proc = ::opendir("/proc");
  if (!proc) return rows;
  std::unordered_map<pid_t, uint64_t> now;
  now.reserve(seen_.size() + seen_.size() / 8);
  while (dirent* entry = ::readdir(proc)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    auto pid = static_cast<pid_t>(::strtol(entry->d_name, nullptr, 10));
    now.emplace(pid, entry->d_ino);
    auto known = seen_.find(pid);
    if (known != seen_.end() && known->second == entry->d_ino) continue;
    if (auto row = read_process(pid)) rows.push_back(*row);
  }
  ::closedir(proc);
  seen_ = std::move(now);
  return rows;
}

}  // namespace hsu

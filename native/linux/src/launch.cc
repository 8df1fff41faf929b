#include "launch.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <mutex>

namespace hsu {

namespace {

constexpr size_t kPooledStacks = 32;

struct Pool {
  std::mutex mutex;
  std::vector<void*> free;
};

// Never destroyed: an engine of another thread may still give a stack back while the process exits.
Pool& pool() {
  static Pool* instance = new Pool;
  return *instance;
}

size_t guard_size() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

std::vector<char*> pointers(std::string& blob) {
  std::vector<char*> result;
  for (size_t at = 0, end = 0; at < blob.size() && end != std::string::npos; at = end + 1) {
    result.push_back(&blob[at]);
    end = blob.find('\0', at);
  }
  result.push_back(nullptr);
  return result;
}

}  // namespace

Stack Stack::take() {
  {
    std::lock_guard lock(pool().mutex);
    if (!pool().free.empty()) {
      void* base = pool().free.back();
      pool().free.pop_back();
      return Stack(base);
    }
  }
  void* base = ::mmap(nullptr, guard_size() + kSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return Stack();
  if (::mprotect(base, guard_size(), PROT_NONE) != 0) {
    ::munmap(base, guard_size() + kSize);
    return Stack();
  }
  return Stack(base);
}

Stack::~Stack() {
  if (!base_) return;
  {
    std::lock_guard lock(pool().mutex);
    if (pool().free.size() < kPooledStacks) {
      pool().free.push_back(base_);
      return;
    }
  }
  ::munmap(base_, guard_size() + kSize);
}

void* Stack::lowest() const { return static_cast<char*>(base_) + guard_size(); }

namespace {

std::mutex credentials_mutex;
int changing_credentials = 0;
int dumpable_before = 0;

}  // namespace

DumpableGuard::DumpableGuard() {
  std::lock_guard lock(credentials_mutex);
  if (changing_credentials++ == 0) dumpable_before = ::prctl(PR_GET_DUMPABLE);
}

DumpableGuard::~DumpableGuard() {
  std::lock_guard lock(credentials_mutex);
  if (--changing_credentials == 0 && dumpable_before == 1) ::prctl(PR_SET_DUMPABLE, 1);
}

Launch::Launch(LaunchOptions&& given) : options(std::move(given)), master(::getpid()), stack(Stack::take()) {
  if (options.uid >= 0 || options.gid >= 0) dumpable.emplace();
  argv = pointers(options.argv);
  envp = pointers(options.env);
  if (!options.listens.empty()) envp.insert(envp.end() - 1, listen_pid);
  prepare_limits();
  if (options.shell_fallback) {
    static char shell[] = "/bin/sh";
    shell_argv.push_back(shell);
    shell_argv.push_back(options.file.data());
    for (size_t at = 1; at < argv.size(); ++at) shell_argv.push_back(argv[at]);
    if (argv.size() == 1) shell_argv.push_back(nullptr);
  }
}

void Launch::prepare_limits() {
  limits = LimitsView(options.limits);
  for (const ResourceLimit& given : options.limits.resources) {
    if (given.resource == RLIMIT_NOFILE) options.nofile = -1;
  }
  if (limits.nice) ::snprintf(nice_text, sizeof nice_text, "%d", *limits.nice);
  if (limits.oom_score_adj) ::snprintf(oom_text, sizeof oom_text, "%d", *limits.oom_score_adj);
  joins = pointers(options.joins);
  if (!options.cgroup.empty()) {
    cgroup_procs = options.cgroup + "/cgroup.procs";
    joins.insert(joins.begin(), cgroup_procs.data());
  }
  move = joins.data();
}

LimitsView::LimitsView(const ProcessLimits& limits)
    : resources(limits.resources.data()),
      resource_count(limits.resources.size()),
      nice(limits.nice ? &*limits.nice : nullptr),
      affinity(limits.affinity.empty() ? nullptr : limits.affinity.data()),
      affinity_size(limits.affinity.size() * sizeof(unsigned long)),
      scheduler(limits.scheduler ? &*limits.scheduler : nullptr),
      io_priority(limits.io_priority ? &*limits.io_priority : nullptr),
      oom_score_adj(limits.oom_score_adj ? &*limits.oom_score_adj : nullptr) {}

}  // namespace hsu

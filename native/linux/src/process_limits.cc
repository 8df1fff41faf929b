#include "process_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "identity.h"
#include "proctable.h"

namespace hsu {

namespace {

// 0 or errno.
int write_number(pid_t pid, const char* name, int value) {
  char path[64], text[16];
  ::snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int length = ::snprintf(text, sizeof text, "%d", value);
  Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text, static_cast<size_t>(length)) >= 0 ? 0 : errno;
}

class Change {
 public:
  Change(pid_t pid, const ProcessLimits& limits) : pid_(pid), limits_(limits) {}

  std::vector<StepFailure> apply() {
    for (size_t at = 0; at < limits_.resource_count; ++at) {
      const ResourceLimit& given = limits_.resources[at];
      note(static_cast<Step>(static_cast<int>(Step::resource) + given.resource), limit::resource(pid_, given));
    }
    if (limits_.nice) set_autogroup();
    apply_to_threads();
    if (limits_.oom_score_adj) set_oom_score_adj();
    return std::move(failures_);
  }

 private:
  // The first failure of each step: the threads of a process fail alike.
  void note(Step step, long result) {
    if (result >= 0) return;
    for (const StepFailure& known : failures_) {
      if (known.step == step) return;
    }
    failures_.push_back({step, static_cast<int>(-result)});
  }

  void note_thread(Step step, long result) {
    if (result != -ESRCH) note(step, result);  // a thread that has ended needs nothing
  }

  // A thread made meanwhile has what its maker had, so the list is read until it holds nobody new.
  void apply_to_threads() {
    if (!limits_.nice && !limits_.affinity && !limits_.scheduler && !limits_.io_priority) return;
    constexpr int kRounds = 16;
    std::vector<pid_t> done;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<pid_t> fresh;
      for (pid_t thread : threads_of(pid_)) {
        if (!std::binary_search(done.begin(), done.end(), thread)) fresh.push_back(thread);
      }
      if (fresh.empty()) return;
      for (pid_t thread : fresh) apply_to_thread(thread);
      done.insert(done.end(), fresh.begin(), fresh.end());
      std::sort(done.begin(), done.end());
    }
  }

  void apply_to_thread(pid_t thread) {
    if (limits_.nice) note_thread(Step::nice, limit::nice(thread, *limits_.nice));
    if (limits_.affinity) note_thread(Step::affinity, limit::affinity(thread, limits_));
    if (limits_.scheduler) note_thread(Step::scheduler, limit::scheduler(thread, *limits_.scheduler));
    if (limits_.io_priority) note_thread(Step::io_priority, limit::io_priority(thread, *limits_.io_priority));
  }

  // As at spawn: niceness counts within the session only, where sessions are scheduled as one each. Who does not lead
  // its session shares this with strangers to the change.
  void set_autogroup() {
    auto row = read_process(pid_);
    if (row && row->sid == pid_) write_number(pid_, "autogroup", *limits_.nice);
  }

  // The kernel changes the value of all that share the memory, so never while that is ours.
  void set_oom_score_adj() {
    if (shares_our_memory(pid_)) {
      note(Step::oom_score, -EBUSY);
    } else {
      note(Step::oom_score, -write_oom_score_adj(pid_, *limits_.oom_score_adj));
    }
  }

  pid_t pid_;
  const LimitsView limits_;
  std::vector<StepFailure> failures_;
};

}  // namespace

std::optional<int> own_oom_score_adj() {
  Fd fd(::open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC));
  char text[16] = {};
  if (!fd || ::read(fd.get(), text, sizeof text - 1) <= 0) return std::nullopt;
  return std::atoi(text);
}

int write_oom_score_adj(pid_t pid, int value) { return write_number(pid, "oom_score_adj", value); }

std::vector<StepFailure> limit_process(pid_t pid, uint64_t start_time, const ProcessLimits& limits) {
  auto pidfd = open_process(pid, start_time);
  if (!pidfd) return {{Step::process, pidfd.error().error}};
  auto failures = Change(pid, limits).apply();
  // Gone in between: none of it matters any more.
  if (send_signal(pidfd->get(), 0) == ESRCH) return {{Step::process, ESRCH}};
  return failures;
}

}  // namespace hsu

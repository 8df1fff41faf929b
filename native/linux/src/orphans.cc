#include "orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <atomic>
#include <mutex>
#include <set>

#include "proctable.h"

namespace hsu {

namespace {

std::mutex adoption_mutex;
// Held while the list is read and while something is reaped: a child that leaves the list shifts those behind it, and
// the kernel, which shows the list piece by piece, would then leave one out.
std::mutex list_mutex;
bool adopting = false;
bool installed = false;
struct sigaction previous_action;
std::atomic<int> told_fd{-1};

void on_child(int signal, siginfo_t* info, void* context) {
  int saved = errno;
  int fd = told_fd.load(std::memory_order_relaxed);
  if (fd >= 0) {
    uint64_t one = 1;
    [[maybe_unused]] ssize_t written = ::write(fd, &one, sizeof one);
  }
  if (previous_action.sa_flags & SA_SIGINFO) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  }
  errno = saved;
}

void install() {
  // Someone who replaced our handler may call it in turn: installing it once more would make a circle.
  if (installed) return;
  ::sigaction(SIGCHLD, nullptr, &previous_action);
  struct sigaction action = {};
  action.sa_sigaction = &on_child;
  bool alone = !(previous_action.sa_flags & SA_SIGINFO) && previous_action.sa_handler == SIG_DFL;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | (alone ? SA_NOCLDSTOP : previous_action.sa_flags & SA_NOCLDSTOP);
  ::sigfillset(&action.sa_mask);
  installed = ::sigaction(SIGCHLD, &action, nullptr) == 0;
}

void uninstall() {
  struct sigaction current;
  ::sigaction(SIGCHLD, nullptr, &current);
  if (!(current.sa_flags & SA_SIGINFO) || current.sa_sigaction != &on_child) return;
  ::sigaction(SIGCHLD, &previous_action, nullptr);
  installed = false;
}

}  // namespace

Result<std::unique_ptr<Orphans>> Orphans::adopt() {
  std::lock_guard lock(adoption_mutex);
  if (adopting) return SystemError{"prctl(PR_SET_CHILD_SUBREAPER)", EBUSY};
  std::unique_ptr<Orphans> orphans(new Orphans);
  orphans->told_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!orphans->told_) return SystemError{"eventfd", errno};
  ::prctl(PR_GET_CHILD_SUBREAPER, &orphans->subreaper_before_);
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    int error = errno;
    orphans->told_.reset();
    return SystemError{"prctl(PR_SET_CHILD_SUBREAPER)", error};
  }
  auto before = main_thread_children().value_or(std::vector<pid_t>{});
  orphans->inherited_ = std::unordered_set<pid_t>(before.begin(), before.end());
  adopting = true;
  told_fd.store(orphans->told_.get());
  install();
  return orphans;
}

Orphans::~Orphans() {
  if (!told_) return;
  std::lock_guard lock(adoption_mutex);
  uninstall();
  told_fd.store(-1);
  ::prctl(PR_SET_CHILD_SUBREAPER, subreaper_before_);
  adopting = false;
}

void Orphans::drain() {
  uint64_t count;
  [[maybe_unused]] ssize_t length = ::read(told_.get(), &count, sizeof count);
}

std::vector<pid_t> Orphans::reap(const std::unordered_multiset<pid_t>& spared) {
  std::lock_guard lock(list_mutex);
  std::vector<pid_t> reaped;
  for (pid_t pid : main_thread_children().value_or(std::vector<pid_t>{})) {
    if (spared.contains(pid) || inherited_.contains(pid)) continue;
    siginfo_t info = {};
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid) {
      reaped.push_back(pid);
    }
  }
  return reaped;
}

// What dies while the list is read may leave children that are appended behind its end as it was: only a list in which
// nobody died who was alive before is complete.
std::vector<pid_t> living_orphans() {
  constexpr int kRounds = 8;
  std::lock_guard lock(list_mutex);
  std::vector<pid_t> living, died;
  std::set<pid_t> dead;
  for (int round = 0; round < kRounds; ++round) {
    living.clear();
    died.clear();
    for (pid_t pid : main_thread_children().value_or(std::vector<pid_t>{})) {
      auto row = read_process(pid);
      if (row && row->state != 'Z' && row->state != 'X') {
        living.push_back(pid);
      } else if (dead.insert(pid).second) {
        died.push_back(pid);
      }
    }
    if (died.empty()) return living;
  }
  living.insert(living.end(), died.begin(), died.end());
  return living;
}

}  // namespace hsu

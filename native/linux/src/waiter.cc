#include "waiter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "birth.h"
#include "identity.h"
#include "thread.h"

namespace hsu {

namespace {

enum class Source : uint64_t { stop, orphans, gate, exit, watch };

constexpr int kSourceShift = 56;
constexpr uint64_t kIdMask = (1ull << kSourceShift) - 1;

int add(int epoll, int fd, uint32_t interest, Source source, uint64_t id = 0) {
  epoll_event event = {};
  event.events = interest;
  event.data.u64 = static_cast<uint64_t>(source) << kSourceShift | id;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

// By hand, because closing is not enough: a process that another part of the host application is just forking
// holds copies of our descriptors until its exec, and epoll goes on reporting them.
void remove(int epoll, Fd& fd) {
  if (fd) ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd.get(), nullptr);
  fd.reset();
}

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

// libc's waitid hides the kernel's fifth argument.
int wait_by(int kind, int which, int options, siginfo_t& info, rusage* usage) {
  long result;
  do result = ::syscall(SYS_waitid, kind, which, &info, options, usage);
  while (result < 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

int wait_for(pid_t pid, int options, siginfo_t& info, rusage* usage) {
  return wait_by(P_PID, pid, options, info, usage);
}

// By pidfd (Linux 5.4): the number may be another child's by now.
int wait_for_pidfd(int pidfd, siginfo_t& info, rusage& usage) {
  constexpr int kByPidfd = 3;
  return wait_by(kByPidfd, pidfd, WEXITED | WNOHANG, info, &usage);
}

long largest_rss_of_master() {
  rusage usage;
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

}  // namespace

Result<std::unique_ptr<Waiter>> Waiter::open(EventQueue& queue, bool subreaper) {
  std::unique_ptr<Waiter> waiter(new Waiter(queue));
  waiter->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!waiter->epoll_) return SystemError{"epoll_create1", errno};
  waiter->stop_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!waiter->stop_) return SystemError{"eventfd", errno};
  int error = add(waiter->epoll_.get(), waiter->stop_.get(), EPOLLIN, Source::stop);
  if (error) return SystemError{"epoll_ctl", error};
  if (subreaper) {
    auto orphans = Orphans::adopt();
    if (!orphans) return orphans.error();
    waiter->orphans_ = std::move(*orphans);
    error = add(waiter->epoll_.get(), waiter->orphans_->fd(), EPOLLIN, Source::orphans);
    if (error) return SystemError{"epoll_ctl", error};
  }
  error = start_thread(waiter->thread_, "hsu-waiter", &Waiter::run, waiter.get());
  if (error) return SystemError{"pthread_create", error};
  waiter->running_ = true;
  return waiter;
}

Waiter::~Waiter() {
  rest();
  turn_away();
}

void Waiter::rest() {
  if (!running_) return;
  running_ = false;
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(stop_.get(), &one, sizeof one);
  ::pthread_join(thread_, nullptr);
}

// Whoever has not execed yet shares our memory; give each a moment to leave it. What stays (a program on a dead
// network file system, a stopped child) keeps its launch for ever: better a few kilobytes than its crash.
void Waiter::turn_away() {
  constexpr int kPatienceMs = 1000;
  for (auto& [handle, child] : children_) {
    if (child.launch) ::shutdown(child.gate.get(), SHUT_WR);
  }
  for (auto& [handle, child] : children_) {
    if (!child.launch) continue;
    pollfd gate = {child.gate.get(), 0, 0};
    int left;
    do left = ::poll(&gate, 1, kPatienceMs);
    while (left < 0 && errno == EINTR);
    if (left != 1) {
      [[maybe_unused]] Launch* kept = child.launch.release();
      continue;
    }
    reap_helper(child);
    bool execed = child.launch->reached_exec && child.launch->failed_step.load() == Step::none;
    siginfo_t info = {};
    if (!execed) wait_for(child.pid, WEXITED, info, nullptr);
  }
}

StepFailure Waiter::take(Handle handle, Spawned&& spawned, std::unique_ptr<Launch> launch) {
  std::lock_guard lock(mutex_);
  Child& child = children_[handle];
  child.pid = spawned.pid;
  child.helper = spawned.helper;
  child.pidfd = std::move(spawned.pidfd);
  child.gate = std::move(spawned.gate);
  child.launch = std::move(launch);
  // Only hang-up matters at the gate, and that is always reported. Edge-triggered for the exit: while a debugger
  // holds a dead child it is readable but cannot be reaped, and its real end makes another edge.
  int error = add(epoll_.get(), child.gate.get(), 0, Source::gate, handle);
  if (!error) error = add(epoll_.get(), child.pidfd.get(), EPOLLIN | EPOLLET, Source::exit, handle);
  if (!error) return {Step::none, 0};
  child.gate.reset();
  siginfo_t info = {};
  wait_for(child.pid, WEXITED, info, nullptr);
  reap_helper(child);
  children_.erase(handle);
  return {Step::pidfd, error};
}

void Waiter::release(Handle handle, bool go) {
  std::lock_guard lock(mutex_);
  auto found = children_.find(handle);
  if (found == children_.end() || found->second.decided) return;
  Child& child = found->second;
  child.decided = true;
  child.abandoned = !go;
  if (!child.gate) return;
  char byte = 1;
  if (go) {
    ::send(child.gate.get(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  } else {
    ::shutdown(child.gate.get(), SHUT_WR);
  }
}

void Waiter::discard(Handle handle) {
  {
    std::lock_guard lock(mutex_);
    auto found = children_.find(handle);
    if (found != children_.end()) found->second.silent = true;
  }
  release(handle, false);
}

int Waiter::signal(Handle handle, int signal) {
  std::lock_guard lock(mutex_);
  auto found = children_.find(handle);
  return found == children_.end() ? ESRCH : send_signal(found->second.pidfd.get(), signal);
}

int Waiter::signal_group(Handle handle, int signal) {
  std::lock_guard lock(mutex_);
  auto found = children_.find(handle);
  if (found == children_.end()) return ESRCH;
  if (::kill(-found->second.pid, signal) == 0) return 0;
  // A child that has not come as far as setsid is a group of one.
  return errno == ESRCH ? send_signal(found->second.pidfd.get(), signal) : errno;
}

int Waiter::watch(uint64_t id, pid_t pid, uint64_t start_time, Fd pidfd) {
  std::lock_guard lock(mutex_);
  int fd = pidfd.get();
  Watch& watch = watches_[id];
  watch.pidfd = std::move(pidfd);
  watch.pid = pid;
  watch.start_time = start_time;
  watched_.insert(pid);
  int error = add(epoll_.get(), fd, EPOLLIN | EPOLLET, Source::watch, id);
  if (error) forget_watch(watches_.find(id));
  return error;
}

void Waiter::unwatch(uint64_t id) {
  std::lock_guard lock(mutex_);
  auto found = watches_.find(id);
  if (found == watches_.end()) return;
  forget_watch(found);
  look_again();
}

void Waiter::forget_watch(std::unordered_map<uint64_t, Watch>::iterator found) {
  remove(epoll_.get(), found->second.pidfd);
  watched_.extract(found->second.pid);
  watches_.erase(found);
}

void Waiter::reap_inherited() {
  if (!orphans_) return;
  std::lock_guard lock(mutex_);
  orphans_->take_inherited();
  look_again();
}

// Whom nobody watches any more is reaped like all others.
void Waiter::look_again() {
  if (!orphans_) return;
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(orphans_->fd(), &one, sizeof one);
}

void* Waiter::run(void* self) {
  static_cast<Waiter*>(self)->serve();
  return nullptr;
}

void Waiter::serve() {
  constexpr int kBatch = 128;
  epoll_event ready[kBatch];
  for (;;) {
    int count = ::epoll_wait(epoll_.get(), ready, kBatch, -1);
    std::vector<Event> events;
    bool stopped = false;
    {
      std::lock_guard lock(mutex_);
      for (int at = 0; at < count; ++at) {
        uint64_t id = ready[at].data.u64 & kIdMask;
        switch (static_cast<Source>(ready[at].data.u64 >> kSourceShift)) {
          case Source::stop:
            stopped = true;
            break;
          case Source::orphans:
            orphans_->drain();
            reap_orphans(events);
            break;
          case Source::gate:
            on_left_memory(id, events);
            break;
          case Source::exit:
            on_exit(id, events);
            break;
          case Source::watch:
            on_watched_exit(id, ready[at].events & EPOLLHUP, events);
            break;
        }
      }
    }
    queue_.push(std::move(events));
    if (stopped) return;
  }
}

void Waiter::on_left_memory(Handle handle, std::vector<Event>& events) {
  auto found = children_.find(handle);
  if (found != children_.end() && found->second.launch) settle(handle, found->second, events);
}

// It goes on when the child has left our memory, to end at once; it stands on the launch.
void Waiter::reap_helper(Child& child) {
  if (child.helper > 0) reap(child.helper);
  child.helper = -1;
}

// The child has execed or died: what it wrote is final, and what it stood on can be used again.
void Waiter::settle(Handle handle, Child& child, std::vector<Event>& events) {
  const Launch& launch = *child.launch;
  child.failure = {launch.failed_step.load(), launch.failed_error.load()};
  child.execed = launch.reached_exec && child.failure.step == Step::none;
  child.used_shell = launch.used_shell;
  reap_helper(child);
  child.launch.reset();
  remove(epoll_.get(), child.gate);
  if (!child.execed) return;
  child.rss_before_exec = largest_rss_of_master();
  events.emplace_back(EventType::execed, handle, std::initializer_list<double>{double(child.used_shell)});
}

void Waiter::on_exit(Handle handle, std::vector<Event>& events) {
  auto found = children_.find(handle);
  if (found == children_.end()) return;
  Child& child = found->second;
  siginfo_t info = {};
  rusage usage = {};
  int error = wait_for(child.pid, WEXITED | WNOHANG, info, &usage);
  if (!error && info.si_pid == 0) return;  // held by a debugger; there will be another edge
  if (child.launch) settle(handle, child, events);
  remove(epoll_.get(), child.pidfd);

  if (!child.execed) {
    StepFailure failure = child.failure;
    if (failure.step == Step::none) failure = {Step::gate, child.abandoned ? ECANCELED : EINTR};
    if (!child.silent) {
      events.emplace_back(EventType::exec_failed, handle,
                          std::initializer_list<double>{double(failure.step), double(failure.error)});
    }
    children_.erase(found);
    return;
  }
  // ECHILD: the host application ignores SIGCHLD, or waits for just any child. How it ended is not known then.
  bool exited = !error && info.si_code == CLD_EXITED;
  bool killed = !error && !exited;
  // exec counts the memory left behind, ours, into the child's maximum: below that its own is not visible.
  double max_rss = usage.ru_maxrss > child.rss_before_exec ? static_cast<double>(usage.ru_maxrss) * 1024 : -1;
  bool empty = group_is_empty(child.pid, events);
  events.emplace_back(EventType::exited, handle,
                      std::initializer_list<double>{
                          exited ? double(info.si_status) : -1, killed ? double(info.si_status) : 0,
                          double(!error && info.si_code == CLD_DUMPED), milliseconds(usage.ru_utime),
                          milliseconds(usage.ru_stime), max_rss, double(empty)});
  children_.erase(found);
}

bool Waiter::group_is_empty(pid_t pgid, std::vector<Event>& events) {
  if (::kill(-pgid, 0) != 0) return errno == ESRCH;
  if (!orphans_) return false;
  // Zombies count as members, and those adopted a moment ago are ours to remove.
  reap_orphans(events);
  return ::kill(-pgid, 0) != 0 && errno == ESRCH;
}

void Waiter::reap_orphans(std::vector<Event>& events) {
  for (pid_t pid : orphans_->reap(watched_)) events.emplace_back(EventType::orphan_reaped, pid);
}

bool Waiter::is_own(pid_t pid) const {
  return std::any_of(children_.begin(), children_.end(), [pid](const auto& child) { return child.second.pid == pid; });
}

// Where it is our child that this engine did not make: an orphan, or one that an exec of ours kept.
bool Waiter::reap_watched(const Watch& watch, ExitStatus& status, double& user, double& system,
                          std::vector<Event>& events) {
  if (!orphans_ || is_own(watch.pid)) return false;
  siginfo_t info = {};
  rusage usage = {};
  if (wait_for_pidfd(watch.pidfd.get(), info, usage) != 0 || info.si_pid != watch.pid) return false;
  if (info.si_code == CLD_EXITED) status.code = info.si_status;
  else status.signal = info.si_status;
  status.core_dumped = info.si_code == CLD_DUMPED;
  user = milliseconds(usage.ru_utime);
  system = milliseconds(usage.ru_stime);
  orphans_->reaped(watch.pid);
  events.emplace_back(EventType::orphan_reaped, watch.pid);
  return true;
}

void Waiter::on_watched_exit(uint64_t id, bool reaped, std::vector<Event>& events) {
  auto found = watches_.find(id);
  if (found == watches_.end()) return;
  Watch& watch = found->second;
  if (!watch.told) events.emplace_back(EventType::watched_exited, id);
  watch.told = true;
  ExitStatus status;
  double user = -1, system = -1;
  if (!reap_watched(watch, status, user, system, events) &&
      !(reaped ? read_exit_status(watch.pidfd.get(), status)
               : read_zombie_status(watch.pid, watch.start_time, status))) {
    if (!reaped) return;
  } else {
    events.emplace_back(EventType::watched_status, id,
                        std::initializer_list<double>{double(status.code), double(status.signal),
                                                      double(status.core_dumped), user, system});
  }
  forget_watch(found);
}

}  // namespace hsu

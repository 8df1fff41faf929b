#include "waiter.h"

#include <errno.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hsu/socket.h"
#include "identity.h"
#include "launch/plan.h"
#include "process_list.h"
#include "proctable.h"
#include "thread.h"

namespace hsu {

namespace {

// In the eight highest bits of what the system keeps for us.
enum Source : uint64_t { kStop, kGate, kProcess };
constexpr int kSourceShift = 56;
constexpr uint64_t kIdMask = (1ull << kSourceShift) - 1;

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

// Waits: a process tells that it ends (NOTE_EXIT) and closes what it has open some steps before it can be reaped, and nothing tells
// of that moment.
int reap(pid_t pid, int& status, rusage& usage) {
  int result;
  do result = ::wait4(pid, &status, 0, &usage);
  while (result < 0 && errno == EINTR);
  return result;
}

}  // namespace

Result<std::unique_ptr<Waiter>> Waiter::open(EventQueue& queue) {
  std::unique_ptr<Waiter> waiter(new Waiter(queue));
  waiter->kqueue_.reset(::kqueue());
  if (!waiter->kqueue_) return SystemError{"kqueue", errno};
  int error = waiter->change(0, EVFILT_USER, EV_ADD | EV_CLEAR, 0, kStop, 0);
  if (error) return SystemError{"kevent", error};
  error = start_thread(waiter->thread_, "hsu-waiter", &Waiter::run, waiter.get());
  if (error) return SystemError{"pthread_create", error};
  waiter->running_ = true;
  return waiter;
}

Waiter::~Waiter() {
  rest();
  for (auto& [handle, child] : children_) {
    if (child.execed || child.decided) continue;
    child.gate.reset();
    int status = 0;
    rusage usage;
    reap(child.pid, status, usage);
  }
}

void Waiter::rest() {
  if (!running_) return;
  running_ = false;
  change(0, EVFILT_USER, 0, NOTE_TRIGGER, kStop, 0);
  ::pthread_join(thread_, nullptr);
}

int Waiter::change(uintptr_t ident, int filter, int flags, unsigned notes, uint64_t source, uint64_t id) {
  struct kevent event;
  EV_SET(&event, ident, static_cast<int16_t>(filter), static_cast<uint16_t>(flags), notes, 0,
         reinterpret_cast<void*>(source << kSourceShift | id));
  int result;
  do result = ::kevent(kqueue_.get(), &event, 1, nullptr, 0, nullptr);
  while (result < 0 && errno == EINTR);
  return result < 0 ? errno : 0;
}

// A kqueue has one such event of a process, whoever asked for it: what is kept with it would be the last one's.
int Waiter::await_end(pid_t pid, unsigned notes) {
  return change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD | EV_ONESHOT, notes, kProcess, 0);
}

StepFailure Waiter::take(Handle handle, pid_t pid, Fd gate) {
  std::lock_guard lock(mutex_);
  int fd = gate.get();
  Child& child = children_[handle];
  child.pid = pid;
  child.gate = std::move(gate);
  int error = change(static_cast<uintptr_t>(fd), EVFILT_READ, EV_ADD, 0, kGate, handle);
  if (!error) error = await_end(pid, NOTE_EXIT);
  child.ending = error == ESRCH;
  if (!error || child.ending) return {Step::none, 0};
  child.gate.reset();
  int status = 0;
  rusage usage;
  reap(pid, status, usage);
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
  if (go) ::send(child.gate.get(), &kGo, 1, kNoSignal);
  else ::shutdown(child.gate.get(), SHUT_WR);
}

void Waiter::discard(Handle handle) {
  {
    std::lock_guard lock(mutex_);
    auto found = children_.find(handle);
    if (found != children_.end()) found->second.silent = true;
  }
  release(handle, false);
}

// Under the lock that reaping takes: an unreaped child's pid is its own.
int Waiter::signal(Handle handle, int signal) {
  std::lock_guard lock(mutex_);
  auto found = children_.find(handle);
  if (found == children_.end()) return ESRCH;
  return ::kill(found->second.pid, signal) == 0 ? 0 : errno;
}

int Waiter::signal_group(Handle handle, int signal) {
  std::lock_guard lock(mutex_);
  auto found = children_.find(handle);
  if (found == children_.end()) return ESRCH;
  if (::kill(-found->second.pid, signal) == 0) return 0;
  // A group of zombies answers EPERM here, as does one of other users' processes.
  return errno == EPERM && !group_lives(found->second.pid) ? ESRCH : errno;
}

int Waiter::watch(uint64_t id, pid_t pid, uint64_t start_time) {
  std::lock_guard lock(mutex_);
  watches_[id] = {pid, start_time};
  // How it ended is told of who is ours to signal.
  int error = await_end(pid, NOTE_EXIT | NOTE_EXITSTATUS);
  if (error == EACCES || error == EPERM) error = await_end(pid, NOTE_EXIT);
  // Looked at afterwards: if it is still the expected one, so is who is watched.
  auto row = error ? std::nullopt : read_process(pid);
  if (!error && (!row || row->start_time != start_time || row->state == 'Z')) error = ESRCH;
  if (error) watches_.erase(id);
  return error;
}

void Waiter::unwatch(uint64_t id) {
  std::lock_guard lock(mutex_);
  watches_.erase(id);
}

void* Waiter::run(void* self) {
  static_cast<Waiter*>(self)->serve();
  return nullptr;
}

void Waiter::serve() {
  constexpr int kBatch = 128;
  struct kevent ready[kBatch];
  for (;;) {
    int count = ::kevent(kqueue_.get(), nullptr, 0, ready, kBatch, nullptr);
    std::vector<Event> events;
    bool stopped = false;
    {
      std::lock_guard lock(mutex_);
      for (int at = 0; at < count; ++at) {
        auto data = reinterpret_cast<uint64_t>(ready[at].udata);
        uint64_t id = data & kIdMask;
        switch (static_cast<Source>(data >> kSourceShift)) {
          case kStop:
            stopped = true;
            break;
          case kGate:
            on_gate(id, events);
            break;
          case kProcess:
            on_process(ready[at], events);
            break;
        }
      }
    }
    queue_.push(std::move(events));
    if (stopped) return;
  }
}

// What the child wrote before it was closed is final.
void Waiter::settle(Handle handle, Child& child, std::vector<Event>& events) {
  if (!child.gate) return;
  LaunchFailure told;
  bool failed = false;
  ssize_t length;
  while ((length = ::recv(child.gate.get(), &told, sizeof told, MSG_DONTWAIT)) != 0) {
    if (length < 0 && errno == EINTR) continue;
    if (length != static_cast<ssize_t>(sizeof told)) break;
    if (told.step == static_cast<int>(Step::none)) {
      child.used_shell = true;
    } else {
      child.failure = {static_cast<Step>(told.step), told.error};
      failed = true;
    }
  }
  bool closed = length == 0 || (length < 0 && errno != EAGAIN);
  if (!closed && !failed) return;
  child.gate.reset();
  child.execed = !failed && child.decided && !child.abandoned;
  if (!child.execed) return;
  events.emplace_back(EventType::execed, handle, std::initializer_list<double>{double(child.used_shell)});
}

void Waiter::on_gate(Handle handle, std::vector<Event>& events) {
  auto found = children_.find(handle);
  if (found == children_.end()) return;
  settle(handle, found->second, events);
  if (!found->second.gate && found->second.ending) on_exit(handle, events);
}

void Waiter::on_process(const struct kevent& event, std::vector<Event>& events) {
  auto pid = static_cast<pid_t>(event.ident);
  for (const auto& [handle, child] : children_) {
    if (child.pid != pid) continue;
    on_exit(handle, events);
    break;
  }
  std::vector<uint64_t> watching;
  for (const auto& [id, watch] : watches_) {
    if (watch.pid == pid) watching.push_back(id);
  }
  for (uint64_t id : watching) {
    on_watched_exit(id, event.fflags & NOTE_EXITSTATUS, static_cast<int>(event.data), events);
  }
}

void Waiter::on_exit(Handle handle, std::vector<Event>& events) {
  auto found = children_.find(handle);
  if (found == children_.end()) return;
  Child& child = found->second;
  int status = 0;
  rusage usage = {};
  bool known = reap(child.pid, status, usage) > 0;
  settle(handle, child, events);
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
  ExitStatus how = known ? exit_status_of(status) : ExitStatus();
  bool empty = ::kill(-child.pid, 0) != 0 && errno == ESRCH;
  // Bytes here, where Linux has kibibytes; exec counts anew.
  events.emplace_back(EventType::exited, handle,
                      std::initializer_list<double>{double(how.code), double(how.signal), double(how.core_dumped),
                                                    milliseconds(usage.ru_utime), milliseconds(usage.ru_stime),
                                                    known ? double(usage.ru_maxrss) : -1, double(empty)});
  children_.erase(found);
}

void Waiter::on_watched_exit(uint64_t id, bool has_status, int status, std::vector<Event>& events) {
  auto found = watches_.find(id);
  if (found == watches_.end()) return;
  events.emplace_back(EventType::watched_exited, id);
  if (has_status) {
    ExitStatus how = exit_status_of(status);
    events.emplace_back(EventType::watched_status, id,
                        std::initializer_list<double>{double(how.code), double(how.signal), double(how.core_dumped), -1, -1});
  }
  watches_.erase(found);
}

}  // namespace hsu

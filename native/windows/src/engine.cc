#include "engine.h"

#include <system_error>

#include "identity.h"
#include "port_key.h"

namespace hsu {

namespace {

// Sent to the thread as the number of a wake-up.
constexpr uint64_t kStop = 1;

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(size_t max_unacknowledged, std::function<void()> wake) {
  // Who ignores Ctrl-C hands that on to its children, and whoever was started in a process group of its own does.
  ::SetConsoleCtrlHandler(nullptr, FALSE);
  Handle port(::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1));
  if (!port) return SystemError{"CreateIoCompletionPort", static_cast<int>(::GetLastError())};
  std::unique_ptr<Engine> engine(new Engine(std::move(port), max_unacknowledged, std::move(wake)));
  try {
    engine->thread_ = std::thread([self = engine.get()] { self->serve(); });
  } catch (const std::system_error& error) {
    return SystemError{"CreateThread", ERROR_NOT_ENOUGH_MEMORY};
  }
  return engine;
}

Engine::~Engine() {
  if (thread_.joinable()) {
    ::PostQueuedCompletionStatus(port_.get(), 0, port_key(Arrival::wake, kStop), nullptr);
    thread_.join();
  }
  // Who waits at its gate must not wait for ever.
  for (auto& [handle, child] : children_) {
    if (child.thread) ::TerminateProcess(child.process.get(), ERROR_CANCELLED);
  }
}

Result<uint64_t> Engine::keep(Result<Job>&& job) {
  if (!job) return job.error();
  uint64_t number = ++last_number_;
  // One that an earlier master made may be bound to that one’s port for good: then it has no messages for us.
  job->tell(port_.get(), port_key(Arrival::job, number));
  jobs_.emplace(number, std::move(*job));
  return number;
}

const Job* Engine::job(uint64_t number) const {
  auto found = jobs_.find(number);
  return found == jobs_.end() ? nullptr : &found->second;
}

void Engine::close_job(uint64_t number) { jobs_.erase(number); }

Engine::Spawned Engine::spawn(LaunchOptions&& options, const std::vector<uint64_t>& jobs) {
  for (uint64_t number : jobs) {
    const Job* one = job(number);
    if (!one) return {{Step::create, ERROR_INVALID_HANDLE}, 0, 0, 0};
    options.jobs.push_back(one->get());
  }
  Launched launched;
  StepFailure failure = launch(options, launched);
  uint64_t handle = ++last_number_;
  if (!failure) failure = take_charge(handle, launched);
  if (failure) {
    if (launched.process) ::TerminateProcess(launched.process.get(), ERROR_CANCELLED);
    return {failure, 0, 0, 0};
  }
  children_[handle] = {std::move(launched.process), std::move(launched.thread), jobs};
  return {{}, handle, launched.pid, launched.start_time};
}

StepFailure Engine::take_charge(uint64_t handle, Launched& launched) {
  HANDLE awaited = nullptr;
  if (!::DuplicateHandle(::GetCurrentProcess(), launched.process.get(), ::GetCurrentProcess(), &awaited, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
    return {Step::watch, ::GetLastError()};
  if (DWORD error = exits_.add(handle, true, Handle(awaited))) return {Step::watch, error};
  if (launched.out) {
    if (DWORD error = capture_.add(handle, 0, std::move(launched.out))) return {Step::stdio, error};
  }
  if (launched.err) {
    if (DWORD error = capture_.add(handle, 1, std::move(launched.err))) return {Step::stdio, error};
  }
  return {};
}

StepFailure Engine::release(uint64_t handle, bool go, UINT code) {
  auto found = children_.find(handle);
  if (found == children_.end() || !found->second.thread) return {};
  Child& child = found->second;
  Handle thread = std::move(child.thread);
  if (!go) {
    ::TerminateProcess(child.process.get(), code);
    return {};
  }
  StepFailure failure;
  for (uint64_t number : child.jobs) {
    const Job* one = job(number);
    DWORD error = one ? one->park(child.process.get()) : 0;
    if (error) failure = {Step::park, error};
  }
  if (::ResumeThread(thread.get()) == static_cast<DWORD>(-1)) failure = {Step::gate, ::GetLastError()};
  return failure;
}

DWORD Engine::terminate(uint64_t handle, UINT code) {
  auto found = children_.find(handle);
  if (found == children_.end()) return ERROR_NOT_FOUND;
  if (::TerminateProcess(found->second.process.get(), code)) return 0;
  return ::GetLastError();
}

Result<uint64_t> Engine::watch(DWORD pid, uint64_t start_time) {
  auto process = open_process(pid, start_time, 0);
  if (!process) return process.error();
  uint64_t number = ++last_number_;
  if (DWORD error = exits_.add(number, false, std::move(*process)))
    return SystemError{"RegisterWaitForSingleObject", static_cast<int>(error)};
  return number;
}

void Engine::unwatch(uint64_t watch) {
  if (children_.count(watch) == 0) exits_.remove(watch);
}

std::vector<Event> Engine::take() {
  auto events = queue_.take();
  // Here because children_ belongs to this thread.
  for (const Event& event : events) {
    if (event.type == EventType::exited) children_.erase(static_cast<uint64_t>(event.subject));
  }
  return events;
}

void Engine::serve() {
  for (;;) {
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    OVERLAPPED* with = nullptr;
    bool ok = ::GetQueuedCompletionStatus(port_.get(), &bytes, &key, &with, INFINITE);
    DWORD error = ok ? 0 : ::GetLastError();
    if (!ok && with == nullptr) return;  // the port is gone
    if (arrival_of(key) == Arrival::wake && number_of(key) == kStop) return;
    std::vector<Event> events;
    hear(key, with, bytes, error, events);
    queue_.push(std::move(events));
  }
}

void Engine::hear(ULONG_PTR key, OVERLAPPED* with, DWORD bytes, DWORD error, std::vector<Event>& events) {
  uint64_t number = number_of(key);
  switch (arrival_of(key)) {
    case Arrival::exit:
      exits_.tell(number, events);
      return;
    case Arrival::pipe:
      capture_.done(number, error, bytes, events);
      return;
    case Arrival::job:
      // In place of an OVERLAPPED it has the pid.
      events.emplace_back(kJobMessage, static_cast<double>(number),
                          std::initializer_list<double>{static_cast<double>(bytes),
                                                        static_cast<double>(reinterpret_cast<uintptr_t>(with))});
      return;
    default:
      capture_.serve(events);
  }
}

}  // namespace hsu

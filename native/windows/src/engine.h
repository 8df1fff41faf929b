#pragma once

// One engine: the jobs and children of one master, and the one thread that hears of them.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "capture.h"
#include "exits.h"
#include "handle.h"
#include "hsu/events.h"
#include "hsu/result.h"
#include "job.h"
#include "launch.h"

namespace hsu {

// Beyond those of hsu/events.h; the numbers are the contract with packages/native/src/windows/events.ts.
constexpr auto kJobMessage = static_cast<EventType>(32);  // JOB_OBJECT_MSG_*, pid

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> open(size_t max_unacknowledged, std::function<void()> wake);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  Result<uint64_t> create_job(const std::wstring& name) { return keep(Job::create(name)); }
  Result<uint64_t> open_job(const std::wstring& name) { return keep(Job::open(name)); }
  const Job* job(uint64_t number) const;  // nullptr: closed
  void close_job(uint64_t number);

  struct Spawned {
    StepFailure failure;
    uint64_t handle;
    DWORD pid;
    uint64_t start_time;
  };

  // The process exists and has not begun. It is in these jobs, the outermost first.
  Spawned spawn(LaunchOptions&& options, const std::vector<uint64_t>& jobs);
  // Lets it begin, with a handle of its own to each of its jobs; or ends it, with `code`. Later calls change nothing.
  StepFailure release(uint64_t handle, bool go, UINT code);
  DWORD terminate(uint64_t handle, UINT code);  // 0 or an error
  Result<uint64_t> watch(DWORD pid, uint64_t start_time);
  void unwatch(uint64_t watch);
  void detach_output(uint64_t handle) { capture_.detach(handle); }
  void acknowledge(size_t bytes) { capture_.acknowledge(bytes); }
  std::vector<Event> take();

 private:
  struct Child {
    Handle process, thread;
    std::vector<uint64_t> jobs;
  };

  Engine(Handle&& port, size_t max_unacknowledged, std::function<void()> wake)
      : port_(std::move(port)), queue_(std::move(wake)), exits_(port_.get()), capture_(port_.get(), max_unacknowledged) {}

  Result<uint64_t> keep(Result<Job>&& job);
  StepFailure take_charge(uint64_t handle, Launched& launched);
  void serve();
  void hear(ULONG_PTR key, OVERLAPPED* with, DWORD bytes, DWORD error, std::vector<Event>& events);

  Handle port_;
  EventQueue queue_;
  Exits exits_;
  Capture capture_;
  std::unordered_map<uint64_t, Job> jobs_;
  std::unordered_map<uint64_t, Child> children_;
  uint64_t last_number_ = 0;
  std::thread thread_;
};

}  // namespace hsu

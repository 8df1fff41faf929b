#pragma once

// The one thread that reads what workers write. It stops while too much is waiting to be consumed, and the
// workers then wait in write(); their supervision does not, it has its own thread.

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "hsu/events.h"
#include "hsu/fd.h"
#include "hsu/poller.h"
#include "hsu/result.h"

namespace hsu {

class Capture {
 public:
  static Result<std::unique_ptr<Capture>> open(EventQueue& queue, size_t max_unacknowledged);
  ~Capture();  // joins the thread, closes the pipes

  int add(uint64_t handle, int stream, Fd pipe);  // 0 or errno
  void detach(uint64_t handle);                   // reads what is there, then no more
  void acknowledge(size_t bytes);

 private:
  static constexpr int kStreams = 2;
  static constexpr size_t kChunk = 64 * 1024;

  struct Pipe {
    Fd fd;
    bool detaching = false;
    size_t remaining = 0;  // bytes still to be read when detaching
  };

  Capture(EventQueue& queue, size_t max) : queue_(queue), max_unacknowledged_(max) {}
  static void* run(void* self);
  void serve();
  void wait_for_acknowledgement();
  void read_pipe(uint64_t id, std::vector<Event>& events);
  void finish_detaching(std::vector<Event>& events);
  void end(uint64_t id, std::vector<Event>& events);
  Pipe* find(uint64_t id);

  EventQueue& queue_;
  const size_t max_unacknowledged_;
  std::atomic<size_t> unacknowledged_{0};
  Poller poller_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // pipes_ and detaching_; a pipe is closed by the thread alone
  std::unordered_map<uint64_t, Pipe> pipes_;
  std::vector<uint64_t> detaching_;
  std::unique_ptr<char[]> chunk_{new char[kChunk]};
  bool running_ = false;
  pthread_t thread_{};
};

}  // namespace hsu

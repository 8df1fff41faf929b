#pragma once

// Reads what workers write, on the thread that serves the port: every read is begun and comes back there when it is done. None is
// begun while too much is waiting to be consumed, and the workers then wait in their writes; their supervision does not.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "handle.h"
#include "hsu/events.h"

namespace hsu {

class Capture {
 public:
  Capture(HANDLE port, size_t max_unacknowledged) : port_(port), max_unacknowledged_(max_unacknowledged) {}
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture();  // once the thread has ended

  // From any thread.
  DWORD add(uint64_t handle, int stream, Handle pipe);  // 0 or an error
  void detach(uint64_t handle);                         // reads what is there, then no more
  void acknowledge(size_t bytes);

  // By the thread: something was asked for; a read is done.
  void serve(std::vector<Event>& events);
  void done(uint64_t number, DWORD error, DWORD bytes, std::vector<Event>& events);

 private:
  static constexpr DWORD kChunk = 64 * 1024;

  struct Pipe {
    uint64_t number, handle;
    int stream;
    Handle pipe;
    OVERLAPPED read = {};
    std::unique_ptr<char[]> chunk{new char[kChunk]};
    bool reading = false, detaching = false, waiting = false;
    size_t remaining = 0;  // bytes still to be read when detaching
  };

  void wake();
  bool is_full() const { return unacknowledged_ >= max_unacknowledged_; }
  void begin(Pipe& pipe, std::vector<Event>& events);
  void begin_detaching(Pipe& pipe, std::vector<Event>& events);
  void end(Pipe& pipe, std::vector<Event>& events);

  HANDLE port_;
  const size_t max_unacknowledged_;
  std::atomic<size_t> unacknowledged_{0};
  std::mutex mutex_;  // added_ and detached_
  std::vector<std::unique_ptr<Pipe>> added_;
  std::vector<uint64_t> detached_;
  std::unordered_map<uint64_t, std::unique_ptr<Pipe>> pipes_;  // of the thread alone
  std::atomic<uint64_t> last_number_{0};
};

}  // namespace hsu

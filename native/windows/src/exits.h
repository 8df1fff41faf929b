#pragma once

// Whose end is awaited. The system’s own pool waits for their handles and tells the port; no process takes a thread.

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "handle.h"
#include "hsu/events.h"

namespace hsu {

class Exits {
 public:
  explicit Exits(HANDLE port) : port_(port) {}
  Exits(const Exits&) = delete;
  Exits& operator=(const Exits&) = delete;
  ~Exits();

  // Tells the end of a child as `exited`, of another process as `watched_exited` and `watched_status`. 0 or an error.
  DWORD add(uint64_t number, bool is_child, Handle process);
  void remove(uint64_t number);
  // It has ended; called by the thread that serves the port.
  void tell(uint64_t number, std::vector<Event>& events);

 private:
  struct Awaited {
    Awaited(HANDLE port, uint64_t number, bool is_child, Handle&& process)
        : port(port), number(number), is_child(is_child), process(std::move(process)) {}
    Awaited(const Awaited&) = delete;
    Awaited& operator=(const Awaited&) = delete;
    ~Awaited();

    HANDLE port;
    uint64_t number;
    bool is_child;
    Handle process;
    HANDLE wait = nullptr;
  };

  static void CALLBACK on_ended(void* awaited, BOOLEAN timed_out);

  HANDLE port_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, std::unique_ptr<Awaited>> awaited_;
};

}  // namespace hsu

#include "exits.h"

#include <psapi.h>

#include "port_key.h"
#include "file_time.h"

namespace hsu {

namespace {

double peak_of(HANDLE process) {
  PROCESS_MEMORY_COUNTERS counters = {};
  counters.cb = sizeof counters;
  if (!::GetProcessMemoryInfo(process, &counters, sizeof counters) || counters.PeakWorkingSetSize == 0) return -1;
  return static_cast<double>(counters.PeakWorkingSetSize);
}

void append(std::vector<Event>& events, bool is_child, uint64_t number, HANDLE process) {
  DWORD code = 0;
  double known = ::GetExitCodeProcess(process, &code) ? code : -1;
  FILETIME created, exited, kernel = {}, user = {};
  ::GetProcessTimes(process, &created, &exited, &kernel, &user);
  double user_ms = milliseconds_of(ticks_of(user)), kernel_ms = milliseconds_of(ticks_of(kernel));
  auto subject = static_cast<double>(number);
  if (is_child) {
    events.emplace_back(EventType::exited, subject,
                        std::initializer_list<double>{known, 0, 0, user_ms, kernel_ms, peak_of(process), 0});
  } else {
    events.emplace_back(EventType::watched_exited, subject);
    events.emplace_back(EventType::watched_status, subject,
                        std::initializer_list<double>{known, 0, 0, user_ms, kernel_ms});
  }
}

}  // namespace

Exits::Awaited::~Awaited() {
  // Waits for a call of on_ended that is under way; that one waits for nobody.
  if (wait) ::UnregisterWaitEx(wait, INVALID_HANDLE_VALUE);
}

Exits::~Exits() = default;

void CALLBACK Exits::on_ended(void* awaited, BOOLEAN) {
  auto self = static_cast<Awaited*>(awaited);
  ::PostQueuedCompletionStatus(self->port, 0, port_key(Arrival::exit, self->number), nullptr);
}

DWORD Exits::add(uint64_t number, bool is_child, Handle process) {
  auto awaited = std::make_unique<Awaited>(port_, number, is_child, std::move(process));
  Awaited* added = awaited.get();
  std::lock_guard lock(mutex_);
  awaited_[number] = std::move(awaited);
  // It may have ended already, and be told before this returns: then the number is known.
  if (::RegisterWaitForSingleObject(&added->wait, added->process.get(), &Exits::on_ended, added, INFINITE,
                                    WT_EXECUTEINWAITTHREAD | WT_EXECUTEONLYONCE))
    return 0;
  DWORD error = ::GetLastError();
  added->wait = nullptr;
  awaited_.erase(number);
  return error;
}

void Exits::remove(uint64_t number) {
  std::unique_ptr<Awaited> removed;
  std::lock_guard lock(mutex_);
  auto found = awaited_.find(number);
  if (found == awaited_.end()) return;
  removed = std::move(found->second);
  awaited_.erase(found);
}

void Exits::tell(uint64_t number, std::vector<Event>& events) {
  std::unique_ptr<Awaited> ended;
  {
    std::lock_guard lock(mutex_);
    auto found = awaited_.find(number);
    if (found == awaited_.end()) return;
    ended = std::move(found->second);
    awaited_.erase(found);
  }
  append(events, ended->is_child, number, ended->process.get());
}

}  // namespace hsu

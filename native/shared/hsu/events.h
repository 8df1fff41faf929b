#pragma once

// What the threads of an engine tell the JavaScript thread. Every thread appends to one queue, so the order
// in which facts were established is the order in which they are told; one wake-up serves whatever has gathered
// when the JavaScript thread gets round to it.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace hsu {

// The numbers are the contract with packages/native/src/decode.ts.
enum class EventType : int {
  execed = 0,          // usedShell
  exec_failed = 1,     // step, errno
  exited = 2,          // code | -1, signal | 0, core dumped, user ms, system ms, max RSS bytes | -1, group empty
  output = 3,          // stream; bytes
  output_end = 4,      // stream
  watched_exited = 5,  //
  watched_status = 6,  // code | -1, signal | 0, core dumped, user ms | -1, system ms | -1
  orphan_reaped = 7,   //

  // Of a pump (packages/native/src/pump-events.ts); all of them come with bytes, which may be none.
  channel_end = 8,     // bytes, lines, dropped bytes, dropped lines, bytes lost to the tap
  tapped = 9,          // bytes lost to the tap so far; bytes
  rotated = 10,        // path
  unrotatable = 11,    // errno, size; call, NUL, path
  outage = 12,         // errno; call, NUL, path
  resumed = 13,        // bytes and lines lost; path
  copying = 14,        // path
  channel_small = 15,  // capacity
  replaced = 16,       // errno | 0; path of what was made
  pump_closed = 17,    //
};

struct Event {
  static constexpr int kFields = 7;

  Event(EventType type, double subject, std::initializer_list<double> values = {}) : type(type), subject(subject) {
    int at = 0;
    for (double value : values) fields[at++] = value;
  }

  EventType type;
  double subject;  // handle, watch or pid
  double fields[kFields] = {};
  std::string bytes;
};

class EventQueue {
 public:
  // `wake` is called from any thread, at most once until take() has been called.
  explicit EventQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  void push(std::vector<Event>&& batch) {
    if (batch.empty()) return;
    {
      std::lock_guard lock(mutex_);
      if (gathered_.empty()) {
        gathered_ = std::move(batch);
      } else {
        gathered_.insert(gathered_.end(), std::make_move_iterator(batch.begin()),
                         std::make_move_iterator(batch.end()));
      }
      batch.clear();
      if (std::exchange(woken_, true)) return;
    }
    wake_();
  }

  std::vector<Event> take() {
    std::lock_guard lock(mutex_);
    woken_ = false;
    return std::exchange(gathered_, {});
  }

 private:
  std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<Event> gathered_;
  bool woken_ = false;
};

}  // namespace hsu

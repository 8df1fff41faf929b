#pragma once

// Descriptors that JavaScript holds by their numbers: locks and reservations of ports. A number that is given back twice may be
// somebody else's by then, so only those that are held are closed.

#include <mutex>
#include <unordered_map>

#include "hsu/fd.h"

namespace hsu {

// One for all threads of the process. What it holds goes with the process.
class Held {
 public:
  int keep(Fd fd) {
    std::lock_guard lock(mutex_);
    int number = fd.get();
    held_[number] = std::move(fd);
    return number;
  }
  void release(int number) {
    std::lock_guard lock(mutex_);
    held_.erase(number);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<int, Fd> held_;
};

}  // namespace hsu

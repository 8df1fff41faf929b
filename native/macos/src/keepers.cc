#include "keepers.h"

#include <mutex>
#include <unordered_map>

namespace hsu {

namespace {

std::mutex keepers_mutex;

std::unordered_map<std::string, Fd>& keepers() {
  static auto* instance = new std::unordered_map<std::string, Fd>;
  return *instance;
}

}  // namespace

void add_keeper(const std::string& fifo, Fd writer) {
  std::lock_guard lock(keepers_mutex);
  keepers()[fifo] = std::move(writer);
}

void release_keeper(const std::string& fifo) {
  if (fifo.empty()) return;
  std::lock_guard lock(keepers_mutex);
  keepers().erase(fifo);
}

}  // namespace hsu

#pragma once

// A pump for each disk, seen as one: a disk that does not answer holds up those who write to it and nobody else. What goes
// through spools has pumps of its own, which never wait for any disk. Used by one thread; events may come from any.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "pump.h"

namespace hsu::pump {

struct LanesOptions {
  size_t max_tapped;  // bytes tapped and not acknowledged, all channels together
  std::function<void()> wake;
  std::shared_ptr<Disk> disk = nullptr;  // the real one
};

// Whether what is known of paths may be outdated.
class Mounts {
 public:
  Mounts();
  bool have_changed();  // since it was asked last; true where nobody can tell

 private:
  Fd file_;
};

class Lanes {
 public:
  static Result<std::shared_ptr<Lanes>> open(LanesOptions options);

  // As those of Pump.
  Result<ChannelId> add(ChannelOptions&& options);
  void discard(ChannelId id);
  void let_go(ChannelId id);
  void forget(ChannelId id);
  bool counts(ChannelId id, Counts& counts);
  std::string tail(ChannelId id);
  void tap(ChannelId id, Tap how);
  void acknowledge(size_t bytes);
  void carry_on();
  void replace_rotated(std::string path, uint64_t device, uint64_t inode, std::string made, std::string suffix);
  void stop();  // `pump_closed` is told when all have stopped
  void abandon();
  std::vector<Event> take();

 private:
  // The device of a file, and whether its bytes wait in spools.
  using Key = std::pair<uint64_t, bool>;

  explicit Lanes(LanesOptions&& options) : options_(std::move(options)) {}
  Result<size_t> begin();  // the number of a new lane
  Result<size_t> lane_for(const ChannelOptions& options);
  uint64_t device_for(const std::string& path);
  Pump* of(ChannelId id);
  bool is_news(const Event& event);
  void forget_paths();

  const LanesOptions options_;
  std::shared_ptr<std::atomic<size_t>> tapped_ = std::make_shared<std::atomic<size_t>>(0);
  std::vector<std::shared_ptr<Pump>> lanes_;
  std::map<Key, size_t> by_key_;
  // One thread writes to a file, also when what comes to be written to it would go another way.
  std::unordered_map<std::string, size_t> by_path_;
  size_t forget_at_ = 1024;
  Mounts mounts_;
  std::unordered_map<std::string, uint64_t> by_folder_;  // of those that lack the file that was asked for
  size_t closed_ = 0;
  bool told_small_ = false;
};

}  // namespace hsu::pump

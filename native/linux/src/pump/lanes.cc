#include "lanes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

namespace hsu::pump {

namespace {

// Channels of one lane have numbers from its own on; JavaScript's numbers are exact up to 2^53.
constexpr int kLaneShift = 44;
constexpr size_t kMostLanes = 256;
constexpr size_t kMostFolders = 1024;

// Asks no server of a network file system.
std::optional<uint64_t> device_of(const std::string& path) {
  struct statx facts;
  if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, 0, &facts) != 0) return std::nullopt;
  return (static_cast<uint64_t>(facts.stx_dev_major) << 32) | facts.stx_dev_minor;
}

// Of the folder, or of the one that it will be made in; 0 where that is not known.
uint64_t device_of_folder(std::string folder) {
  for (;;) {
    if (auto device = device_of(folder)) return *device;
    size_t above = folder.rfind('/');
    if (above == std::string::npos || folder == "/") return 0;
    folder.resize(std::max<size_t>(above, 1));
  }
}

std::string folder_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
}

}  // namespace

// The kernel says that it has mounted or unmounted something since it was asked last.
bool Mounts::have_changed() {
  if (!file_) return true;
  struct pollfd asked = {file_.get(), POLLPRI, 0};
  return ::poll(&asked, 1, 0) != 0;
}

Mounts::Mounts() : file_(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) {}

// Most files are new ones in a folder that others are in: its device is asked once, until something is mounted.
uint64_t Lanes::device_for(const std::string& path) {
  if (auto device = device_of(path)) return *device;
  if (mounts_.have_changed() || by_folder_.size() >= kMostFolders) by_folder_.clear();
  std::string folder = folder_of(path);
  auto known = by_folder_.find(folder);
  if (known != by_folder_.end()) return known->second;
  return by_folder_[folder] = device_of_folder(folder);
}

Result<std::shared_ptr<Lanes>> Lanes::open(LanesOptions options) {
  std::shared_ptr<Lanes> lanes(new Lanes(std::move(options)));
  // Whether threads can be made is known at once.
  auto first = lanes->begin();
  if (!first) return first.error();
  return lanes;
}

Result<size_t> Lanes::begin() {
  size_t number = lanes_.size();
  ChannelId first = static_cast<ChannelId>(number) << kLaneShift;
  auto opened = Pump::open({options_.max_tapped, options_.wake, options_.disk, first, tapped_});
  if (!opened) return opened.error();
  lanes_.push_back(std::move(*opened));
  return number;
}

Result<size_t> Lanes::lane_for(const ChannelOptions& options) {
  auto known = by_path_.find(options.file);
  if (known != by_path_.end()) return known->second;
  Key key = options.file.empty() ? Key{0, true} : Key{device_for(options.file), options.spooled()};
  auto found = by_key_.find(key);
  if (found != by_key_.end()) return found->second;
  size_t number = by_key_.size();
  if (number >= kMostLanes) return kMostLanes - 1;
  if (number == lanes_.size()) {
    auto begun = begin();
    if (!begun) return begun;
  }
  by_key_[key] = number;
  return number;
}

Result<ChannelId> Lanes::add(ChannelOptions&& options) {
  auto number = lane_for(options);
  if (!number) return number.error();
  std::string path = options.file;
  auto channel = lanes_[*number]->add(std::move(options));
  if (channel && !path.empty()) {
    by_path_[path] = *number;
    if (by_path_.size() >= forget_at_) forget_paths();
  }
  return channel;
}

// Of files that no channel writes to.
void Lanes::forget_paths() {
  std::unordered_set<std::string> used;
  for (auto& lane : lanes_) lane->add_paths(used);
  std::erase_if(by_path_, [&](const auto& known) { return !used.contains(known.first); });
  forget_at_ = std::max<size_t>(1024, 2 * by_path_.size());
}

Pump* Lanes::of(ChannelId id) {
  size_t number = static_cast<size_t>(id >> kLaneShift);
  return number < lanes_.size() ? lanes_[number].get() : nullptr;
}

void Lanes::discard(ChannelId id) {
  if (Pump* lane = of(id)) lane->discard(id);
}

void Lanes::let_go(ChannelId id) {
  if (Pump* lane = of(id)) lane->let_go(id);
}

void Lanes::forget(ChannelId id) {
  if (Pump* lane = of(id)) lane->forget(id);
}

bool Lanes::counts(ChannelId id, Counts& counts) {
  Pump* lane = of(id);
  return lane && lane->counts(id, counts);
}

std::string Lanes::tail(ChannelId id) {
  Pump* lane = of(id);
  return lane ? lane->tail(id) : std::string();
}

void Lanes::tap(ChannelId id, Tap how) {
  if (Pump* lane = of(id)) lane->tap(id, how);
}

void Lanes::acknowledge(size_t bytes) {
  size_t before = tapped_->load();
  size_t after;
  do after = before - std::min(before, bytes);
  while (!tapped_->compare_exchange_weak(before, after));
  if (before < options_.max_tapped || after >= options_.max_tapped) return;
  for (auto& lane : lanes_) lane->unpark();
}

void Lanes::carry_on() {
  for (auto& lane : lanes_) lane->carry_on();
}

void Lanes::replace_rotated(std::string path, uint64_t device, uint64_t inode, std::string made, std::string suffix) {
  auto known = by_path_.find(path);
  size_t number = known == by_path_.end() ? 0 : known->second;
  lanes_[number]->replace_rotated(std::move(path), device, inode, std::move(made), std::move(suffix));
}

void Lanes::stop() {
  for (auto& lane : lanes_) lane->stop();
}

void Lanes::abandon() {
  for (auto& lane : lanes_) lane->abandon();
}

// Of what each lane tells, but all have in common.
bool Lanes::is_news(const Event& event) {
  if (event.type == EventType::pump_closed) return ++closed_ == lanes_.size();
  return event.type != EventType::channel_small || !std::exchange(told_small_, true);
}

std::vector<Event> Lanes::take() {
  std::vector<Event> all;
  for (auto& lane : lanes_) {
    std::vector<Event> some = lane->take();
    std::copy_if(std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()), std::back_inserter(all),
                 [this](const Event& event) { return is_news(event); });
  }
  return all;
}

}  // namespace hsu::pump

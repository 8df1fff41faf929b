#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "../thread.h"
#include "clock.h"
#include "rotation.h"

namespace hsu::pump {

namespace {

constexpr Milliseconds kSweep = 10'000;
constexpr Milliseconds kIdle = 30'000;
constexpr long kPauseNs = 500'000;

size_t held_by(const Fd& fifo) {
  int available = 0;
  return ::ioctl(fifo.get(), FIONREAD, &available) == 0 && available > 0 ? static_cast<size_t>(available) : 0;
}

}  // namespace

Pump::Pump(PumpOptions&& options)
    : max_tapped_(options.max_tapped),
      disk_(options.disk ? std::move(options.disk) : std::make_shared<Disk>()),
      wake_(std::move(options.wake)),
      queue_([this] {
        std::lock_guard lock(wake_mutex_);
        if (wake_) wake_();
      }),
      last_id_(options.first),
      tapped_(std::move(options.tapped)),
      news_([this](Event&& event) { events_.push_back(std::move(event)); },
            [this] {
              for (auto& [path, file] : files_) file->let_go();
            }) {}

Pump::~Pump() = default;

Result<std::shared_ptr<Pump>> Pump::open(PumpOptions options) {
  std::shared_ptr<Pump> pump(new Pump(std::move(options)));
  pump->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!pump->epoll_) return SystemError{"epoll_create1", errno};
  pump->signal_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!pump->signal_) return SystemError{"eventfd", errno};
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (::epoll_ctl(pump->epoll_.get(), EPOLL_CTL_ADD, pump->signal_.get(), &event) != 0) {
    return SystemError{"epoll_ctl", errno};
  }
  // The thread holds the pump: it may outlast everybody else when a disk does not answer.
  pump->self_ = pump;
  pthread_t thread;
  int error = start_thread(thread, "hsu-pump", &Pump::run, pump.get());
  if (error) {
    pump->self_.reset();
    return SystemError{"pthread_create", error};
  }
  ::pthread_detach(thread);
  return pump;
}

void* Pump::run(void* self) {
  std::shared_ptr<Pump> pump = std::move(static_cast<Pump*>(self)->self_);
  pump->serve();
  return nullptr;
}

void Pump::order(Order order, ChannelId id) {
  {
    std::lock_guard lock(mutex_);
    commands_.push_back({order, id});
  }
  wake();
}

void Pump::wake() {
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(signal_.get(), &one, sizeof one);
}

// On the caller's thread.

Result<ChannelId> Pump::add(ChannelOptions&& options) {
  if (closed_) return SystemError{"pump", ESHUTDOWN};
  bool found = false;
  if (::mkfifo(options.fifo.c_str(), 0600) != 0) {
    if (errno != EEXIST) return SystemError{"mkfifo", errno};
    found = true;
  }
  Fd fifo(::open(options.fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fifo) return SystemError{"open", errno};
  struct stat facts;
  if (found && ::fstat(fifo.get(), &facts) != 0) return SystemError{"fstat", errno};
  if (found && !S_ISFIFO(facts.st_mode)) return SystemError{"fstat", EINVAL};
  std::lock_guard lock(mutex_);
  ChannelId id = ++last_id_;
  auto channel = std::make_unique<Channel>(id, std::move(options));
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = channel.get();
  channel->polled = !found;
  int fd = fifo.get();
  int capacity = ::fcntl(fd, F_GETPIPE_SZ);
  if (capacity > 0) channel->capacity = static_cast<size_t>(capacity);
  channel->fifo = std::move(fifo);
  Channel& kept = *channels_.emplace(id, std::move(channel)).first->second;
  if (found) {
    found_.push_back(&kept);
    return id;
  }
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return id;
  int error = errno;
  channels_.erase(kept.id);
  return SystemError{"epoll_ctl", error};
}

void Pump::discard(ChannelId id) { order(Order::discard, id); }

void Pump::let_go(ChannelId id) { order(Order::let_go, id); }

// Not urgent: obeyed when the thread is awake for something else.
void Pump::forget(ChannelId id) {
  std::lock_guard lock(mutex_);
  commands_.push_back({Order::forget, id});
  forgets_ = true;
}

void Pump::carry_on() { order(Order::carry_on, 0); }

void Pump::stop() {
  closed_ = true;
  order(Order::stop, 0);
}

void Pump::abandon() {
  std::lock_guard lock(wake_mutex_);
  wake_ = nullptr;
}

bool Pump::counts(ChannelId id, Counts& counts) {
  std::lock_guard lock(mutex_);
  auto found = channels_.find(id);
  if (found == channels_.end()) return false;
  const Channel& channel = *found->second;
  counts = {channel.bytes, channel.lines, channel.dropped_bytes, channel.dropped_lines, channel.tap_lost};
  return true;
}

std::string Pump::tail(ChannelId id) {
  std::lock_guard lock(mutex_);
  auto found = channels_.find(id);
  return found == channels_.end() ? std::string() : found->second->tail.bytes();
}

void Pump::tap(ChannelId id, Tap how) {
  {
    std::lock_guard lock(mutex_);
    auto found = channels_.find(id);
    if (found == channels_.end()) return;
    found->second->tap = how;
    if (how == Tap::wait) return;
    commands_.push_back({Order::unpark, id});
  }
  wake();
}

void Pump::unpark() { order(Order::unpark, 0); }

void Pump::add_paths(std::unordered_set<std::string>& paths) {
  std::lock_guard lock(mutex_);
  for (auto& [id, channel] : channels_) paths.insert(channel->options.file);
}

void Pump::replace_rotated(std::string path, uint64_t device, uint64_t inode, std::string made, std::string suffix) {
  {
    std::lock_guard lock(mutex_);
    replacements_.push_back({std::move(path), std::move(made), std::move(suffix), device, inode});
  }
  wake();
}

// On the thread.

void Pump::serve() {
  constexpr int kBatch = 64;
  epoll_event ready[kBatch];
  for (;;) {
    int count = ::epoll_wait(epoll_.get(), ready, kBatch, wait_time());
    now_ = monotonic();
    busy_ = moved_ = false;
    bool called = false;
    for (int at = 0; at < count; ++at) {
      // epoll's ready list rotates, and each channel gets one turn: a flood does not starve its neighbours.
      if (ready[at].data.ptr) {
        Channel& channel = *static_cast<Channel*>(ready[at].data.ptr);
        // Without this a channel that never said anything would still have its file made.
        if (ready[at].events & EPOLLIN) turn(channel);
        else finish(channel);
      } else {
        called = true;
      }
    }
    on_time();
    if (called) {
      uint64_t ignored;
      [[maybe_unused]] ssize_t length = ::read(signal_.get(), &ignored, sizeof ignored);
    }
    if (called || forgets_.exchange(false)) obey();
    if (stopping_) break;
    queue_.push(std::move(events_));
    events_.clear();
    pause_if_worthwhile();
  }
  drain_all();
  tell(EventType::pump_closed, 0, {});
  queue_.push(std::move(events_));
}

// A worker that writes line by line would wake us for each. Half a millisecond later there are hundreds, for the price
// of one; a channel that filled up meanwhile to a quarter is not let wait.
void Pump::pause_if_worthwhile() {
  if (!moved_ || busy_) return;
  pollfd state = {signal_.get(), POLLIN, 0};
  timespec pause = {0, kPauseNs};
  ::ppoll(&state, 1, &pause, nullptr);
}

int Pump::wait_time() const {
  Milliseconds next = INT64_MAX;
  if (!unfinished_.empty()) next = now_ + 1;
  bool open = false;
  for (const auto& [path, file] : files_) {
    if (file->is_out()) next = std::min(next, file->next_try());
    open |= file->holds_descriptor() || file->users == 0;
  }
  if (open) next = std::min(next, swept_ + kSweep);
  if (next == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<Milliseconds>(next - monotonic(), 0, 60'000));
}

void Pump::on_time() {
  for (Channel* channel : std::exchange(unfinished_, {})) poll_again(*channel, true);
  for (auto& [path, file] : files_) {
    if (file->is_out() && file->next_try() <= now_) resume(*file);
  }
  if (now_ - swept_ < kSweep) return;
  swept_ = now_;
  for (auto at = files_.begin(); at != files_.end();) {
    LogFile& file = *at->second;
    if (!file.is_out() && file.idle_since(now_ - kIdle)) file.let_go();
    at = file.users == 0 && !file.is_out() && !file.holds_descriptor() ? files_.erase(at) : std::next(at);
  }
}

void Pump::obey() {
  std::vector<Command> commands;
  std::vector<Replacement> replacements;
  {
    std::lock_guard lock(mutex_);
    commands.swap(commands_);
    replacements.swap(replacements_);
  }
  for (const Command& command : commands) obey(command);
  for (const Replacement& one : replacements) {
    int error = pump::replace_rotated(*disk_, one.path, one.device, one.inode, one.made, one.suffix);
    if (error) disk_->remove(one.made.c_str());
    tell(EventType::replaced, 0, {static_cast<double>(-error)}, one.made);
  }
}

void Pump::obey(const Command& command) {
  if (command.order == Order::stop) {
    stopping_ = true;
    return;
  }
  if (command.order == Order::unpark) {
    for (Channel* one : std::exchange(parked_, {})) poll_again(*one, true);
    return;
  }
  if (command.order == Order::carry_on) {
    std::vector<Channel*> found;
    {
      std::lock_guard lock(mutex_);
      found.swap(found_);
    }
    return adopt(found);
  }
  Channel* channel;
  {
    std::lock_guard lock(mutex_);
    auto found = channels_.find(command.id);
    if (found == channels_.end()) return;
    channel = found->second.get();
  }
  switch (command.order) {
    case Order::discard:
      return finish(*channel);
    case Order::emptied:
      channel->emptied = true;
      return finish(*channel);
    case Order::eased:
      if (!channel->at_end) poll_again(*channel, true);
      return;
    case Order::let_go:
      channel->letting_go = true;
      channel->until = channel->taken() + (channel->fifo ? held_by(channel->fifo) : 0);
      return settle(*channel);
    default:
      // Who still holds it goes on being read.
      channel->tap = Tap::none;
      channel->forgotten = true;
      if (!channel->ended) return;
      std::lock_guard lock(mutex_);
      channels_.erase(command.id);
  }
}

LogFile& Pump::file_of(const std::string& path) {
  auto& file = files_[path];
  if (!file) file = std::make_unique<LogFile>(path, *disk_, scratch_, news_);
  return *file;
}

std::vector<Channel*> Pump::living() {
  std::vector<Channel*> found;
  std::lock_guard lock(mutex_);
  for (auto& [id, channel] : channels_) {
    if (!channel->ended) found.push_back(channel.get());
  }
  return found;
}

void Pump::tell(EventType type, ChannelId subject, std::initializer_list<double> values, std::string bytes) {
  Event& event = events_.emplace_back(type, static_cast<double>(subject), values);
  event.bytes = std::move(bytes);
}

}  // namespace hsu::pump

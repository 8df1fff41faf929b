#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "../thread.h"
#include "clock.h"
#include "rotation.h"
#ifdef __APPLE__
#include "keepers.h"
#endif

namespace hsu::pump {

namespace {

constexpr Milliseconds kSweep = 10'000;
constexpr Milliseconds kIdle = 30'000;
constexpr long kPauseNs = 500'000;

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
  SystemError refused = pump->poller_.open();
  if (refused.error) return refused;
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

void Pump::wake() { poller_.wake(); }

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
#ifdef __APPLE__
  if (!found) add_keeper(options.fifo, Fd(::open(options.fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)));
#endif
  std::lock_guard lock(mutex_);
  ChannelId id = ++last_id_;
  auto channel = std::make_unique<Channel>(id, std::move(options));
  channel->polled = !found;
  int fd = fifo.get();
#ifdef F_GETPIPE_SZ
  int capacity = ::fcntl(fd, F_GETPIPE_SZ);
  if (capacity > 0) channel->capacity = static_cast<size_t>(capacity);
#else
  channel->capacity = 8 * 1024;
#endif
  channel->fifo = std::move(fifo);
  Channel& kept = *channels_.emplace(id, std::move(channel)).first->second;
  if (found) {
    found_.push_back(&kept);
    return id;
  }
  int error = poller_.add(fd, token_of(kept));
  if (!error) return id;
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
  Poller::Ready ready[kBatch];
  for (;;) {
    int count = poller_.wait(ready, kBatch, wait_time());
    now_ = monotonic();
    busy_ = moved_ = false;
    bool called = false;
    for (int at = 0; at < count; ++at) {
      // The list of who is ready rotates, and each channel gets one turn: a flood does not starve its neighbours.
      if (ready[at].token != Poller::kWoken) {
        Channel& channel = *reinterpret_cast<Channel*>(ready[at].token);
        // Without this a channel that never said anything would still have its file made.
        if (ready[at].has_bytes || scratch_.keeps(channel.fifo.get())) turn(channel);
        else finish(channel);
      } else {
        called = true;
      }
    }
    if (scratch_.keeps_any()) turn_kept();
    on_time();
    if (called) poller_.hear();
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
  timespec pause = {0, kPauseNs};
  poller_.await_wake(&pause);
}

// Of these something was read to be looked at, and nothing need come to go on with it.
void Pump::turn_kept() {
  for (Channel* channel : living()) {
    if (channel->fifo && channel->polled && scratch_.keeps(channel->fifo.get())) turn(*channel);
  }
}

int Pump::wait_time() const {
  Milliseconds next = INT64_MAX;
  if (!unfinished_.empty()) next = now_ + 1;
  if (scratch_.keeps_any()) next = std::min(next, now_);
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
      channel->until = channel->taken() + (channel->fifo ? scratch_.held(channel->fifo.get()) : 0);
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

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
#include "hsu/pump/lines.h"
#include "rotation.h"

namespace hsu::pump {

namespace {

constexpr int kMostCapacity = 1024 * 1024;
constexpr size_t kGrowAt = 16 * 1024;
constexpr Milliseconds kTrim = 20;
constexpr Milliseconds kSweep = 10'000;
constexpr Milliseconds kIdle = 30'000;
constexpr long kPauseNs = 500'000;

Milliseconds monotonic() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Milliseconds>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

size_t held_by(const Fd& fifo) {
  int available = 0;
  return ::ioctl(fifo.get(), FIONREAD, &available) == 0 && available > 0 ? static_cast<size_t>(available) : 0;
}

}  // namespace

class Pump::Sight : public Witness {
 public:
  Sight(Pump& pump, Channel& channel) : pump_(pump), channel_(channel) {}
  void see(const char* bytes, size_t length) override { pump_.witness(channel_, bytes, length, false); }
  void pass(size_t length) override { channel_.bytes += length; }

 private:
  Pump& pump_;
  Channel& channel_;
};

Pump::Pump(PumpOptions&& options)
    : max_tapped_(options.max_tapped),
      disk_(options.disk ? std::move(options.disk) : std::make_shared<Disk>()),
      wake_(std::move(options.wake)),
      queue_([this] {
        std::lock_guard lock(wake_mutex_);
        if (wake_) wake_();
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

void Pump::discard(ChannelId id) {
  {
    std::lock_guard lock(mutex_);
    commands_.push_back({Order::discard, id});
  }
  wake();
}

void Pump::let_go(ChannelId id) {
  {
    std::lock_guard lock(mutex_);
    commands_.push_back({Order::let_go, id});
  }
  wake();
}

// Not urgent: obeyed when something else is.
void Pump::forget(ChannelId id) {
  std::lock_guard lock(mutex_);
  commands_.push_back({Order::forget, id});
}

void Pump::carry_on() {
  {
    std::lock_guard lock(mutex_);
    commands_.push_back({Order::carry_on, 0});
  }
  wake();
}

void Pump::stop() {
  closed_ = true;
  {
    std::lock_guard lock(mutex_);
    commands_.push_back({Order::stop, 0});
  }
  wake();
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

void Pump::acknowledge(size_t bytes) {
  size_t before = tapped_.load();
  size_t after;
  do after = before - std::min(before, bytes);
  while (!tapped_.compare_exchange_weak(before, after));
  if (before < max_tapped_ || after >= max_tapped_) return;
  {
    std::lock_guard lock(mutex_);
    commands_.push_back({Order::unpark, 0});
  }
  wake();
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
      obey();
    }
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
  bool open = false;
  for (const auto& [path, file] : files_) {
    if (file->is_out()) next = std::min(next, file->next_try());
    open = true;
  }
  if (!trimmed_.empty()) next = std::min(next, now_ + kTrim);
  if (open) next = std::min(next, swept_ + kSweep);
  if (next == INT64_MAX) return -1;
  return static_cast<int>(std::clamp<Milliseconds>(next - monotonic(), 0, 60'000));
}

void Pump::on_time() {
  for (auto& [path, file] : files_) {
    if (file->is_out() && file->next_try() <= now_) resume(*file);
  }
  std::vector<Channel*> trimmed = trimmed_;
  for (Channel* channel : trimmed) trim(*channel);
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
    for (Channel* channel : std::exchange(parked_, {})) poll_again(*channel, true);
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
  if (command.order == Order::discard) {
    finish(*channel);
  } else if (command.order == Order::let_go) {
    channel->letting_go = true;
    channel->until = channel->taken() + (channel->fifo ? held_by(channel->fifo) : 0);
    settle(*channel);
  } else {
    // Who still holds it goes on being read.
    channel->tap = Tap::none;
    if (!channel->ended) return;
    std::lock_guard lock(mutex_);
    channels_.erase(command.id);
  }
}

LogFile& Pump::file_of(const std::string& path) {
  auto& file = files_[path];
  if (!file) file = std::make_unique<LogFile>(path, *disk_, scratch_, *this);
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

void Pump::turn(Channel& channel) {
  if (channel.ended || !channel.polled) return;
  if (channel.tap == Tap::wait && tapped_.load() >= max_tapped_) {
    poll_again(channel, false);
    parked_.push_back(&channel);
    return;
  }
  current_ = channel.id;
  if (channel.options.file.empty()) return turn_without_file(channel);
  attach(channel);
  if (channel.options.formatted()) return turn_formatted(channel);
  LogFile& file = *channel.file;
  if (channel.skipping && !file.is_out()) {
    drop_line_rest(channel);
    if (channel.skipping || channel.ended) return;
  }
  Sight sight(*this, channel);
  LogFile::Pulled pulled = file.pull(channel.fifo.get(), channel.options.rotation, sight, now_);
  switch (pulled.outcome) {
    case LogFile::Outcome::ended:
      return finish(channel);
    case LogFile::Outcome::refused:
      moved_ = true;
      if (channel.options.overflow == Overflow::drop_oldest) return trim(channel);
      drop(channel, LogFile::kTurn);
      return;
    case LogFile::Outcome::empty:
      return settle(channel);
    case LogFile::Outcome::moved:
      moved_ = true;
      busy_ |= pulled.bytes >= channel.capacity / 4 || file.users > 1;
      grow(channel, pulled.bytes);
      settle(channel);
  }
}

void Pump::attach(Channel& channel) {
  if (channel.file) return;
  channel.file = &file_of(channel.options.file);
  channel.file->users += 1;
  channel.file->gap_format = channel.options.format;
}

// Those of an earlier process. Each tells its file what was finished before anything is written.
void Pump::adopt(const std::vector<Channel*>& found) {
  for (Channel* channel : found) {
    if (!channel->options.formatted()) continue;
    attach(*channel);
    if (!open_spool(*channel)) continue;
    const Spool::Pair& pair = channel->spool->pair();
    if (pair.inode != 0) channel->file->trust(pair.device, pair.inode, pair.length);
  }
  for (Channel* channel : found) {
    if (channel->ended) continue;
    current_ = channel->id;
    poll_again(*channel, true);
    if (channel->spool && channel->spool->is_open()) format_waiting(*channel, false);
    // One that nobody holds is never reported as readable.
    turn(*channel);
  }
}

bool Pump::open_spool(Channel& channel) {
  if (!channel.spool) {
    channel.spool.emplace(channel.options.fifo + ".spool", *disk_);
    channel.formatter.emplace(channel.options.format, channel.options.labels);
  }
  if (channel.spool->is_open()) return true;
  int error = channel.spool->open();
  if (error && !std::exchange(channel.spool_failed, true)) outage(channel.options.fifo + ".spool", "open", -error);
  return !error;
}

void Pump::turn_formatted(Channel& channel) {
  LogFile& file = *channel.file;
  if (!open_spool(channel)) return drop(channel, LogFile::kTurn);
  Spool& spool = *channel.spool;
  if (channel.skipping && !file.is_out()) {
    drop_line_rest(channel);
    if (channel.skipping || channel.ended) return;
  }
  moved_ = true;
  if (spool.waiting() >= Spool::kMost) {
    if (channel.options.overflow == Overflow::drop_oldest) {
      lose_waiting(channel);
    } else {
      size_t partial = channel.skipping ? 0 : spool.drop_partial_line();
      channel.dropped_bytes += partial;
      file.lose(partial, 0);
      return drop(channel, LogFile::kTurn);
    }
  }
  ssize_t length = spool.pull(channel.fifo.get(), LogFile::kTurn);
  if (length == -EAGAIN) return settle(channel);
  if (length < 0) {
    if (!std::exchange(channel.spool_failed, true)) {
      outage(channel.options.fifo + ".spool", "splice", static_cast<int>(-length));
    }
    return drop(channel, LogFile::kTurn);
  }
  if (length > 0) {
    channel.spool_failed = false;
    auto size = static_cast<size_t>(length);
    Spool::Bytes fresh = spool.read_last(size);
    for (size_t at = 0; at < fresh.length; at += Scratch::kBuffer) {
      witness(channel, fresh.bytes + at, std::min(Scratch::kBuffer, fresh.length - at), false);
    }
    busy_ |= size >= channel.capacity / 4 || file.users > 1;
    grow(channel, size);
  }
  if (length == 0) return finish(channel);
  format_waiting(channel, false);
  settle(channel);
}

void Pump::format_waiting(Channel& channel, bool last) {
  Spool& spool = *channel.spool;
  LogFile& file = *channel.file;
  constexpr size_t kPiece = LogFile::kTurn;
  while (spool.waiting() > 0 && !file.is_out()) {
    Spool::Bytes waiting = spool.read(kPiece + 2 * Formatter::kMostLine);
    if (waiting.length == 0) return;
    formatted_.clear();
    timespec now;
    ::clock_gettime(CLOCK_REALTIME, &now);
    int64_t at = static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
    uint64_t before = channel.formatter->numbered();
    size_t used = channel.formatter->format(waiting.bytes, waiting.length, last && waiting.length == spool.waiting(), at, formatted_);
    if (used == 0) return;
    const Spool::Pair& known = spool.pair();
    bool ready = file.prepare(formatted_.size(), channel.options.rotation, now_);
    if (ready && (known.inode != file.inode() || known.device != file.device())) {
      spool.commit({known.position, file.device(), file.inode(), file.length()});
    }
    if (!ready || !file.write_lines(formatted_.data(), formatted_.size(), now_)) {
      channel.formatter->number_from(before);
      return;
    }
    spool.commit({known.position + used, file.device(), file.inode(), file.length()});
  }
}

// The oldest half of what waits.
void Pump::lose_waiting(Channel& channel) {
  Spool& spool = *channel.spool;
  Spool::Bytes oldest = spool.read(Spool::kMost / 2);
  size_t whole = whole_lines(oldest.bytes, oldest.length);
  if (whole == 0) whole = oldest.length ? oldest.length : spool.waiting();
  size_t lines = count_lines(oldest.bytes, whole);
  channel.dropped_bytes += whole;
  channel.dropped_lines += lines;
  channel.bytes -= whole;
  channel.lines -= lines;
  channel.file->lose(whole, lines);
  Spool::Pair pair = spool.pair();
  pair.position += whole;
  spool.commit(pair);
}

void Pump::turn_without_file(Channel& channel) {
  char* buffer = scratch_.buffer();
  ssize_t length = ::read(channel.fifo.get(), buffer, Scratch::kBuffer);
  if (length == 0) return finish(channel);
  if (length < 0) return settle(channel);
  witness(channel, buffer, static_cast<size_t>(length), false);
  moved_ = true;
  busy_ |= static_cast<size_t>(length) >= channel.capacity / 4;
  grow(channel, static_cast<size_t>(length));
  settle(channel);
}

// Quiet channels keep the small buffer that they were born with: a large one costs the system ten kilobytes.
void Pump::grow(Channel& channel, size_t moved) {
  if (channel.grown || moved < kGrowAt) return;
  channel.grown = true;
  for (int size = kMostCapacity; size > static_cast<int>(channel.capacity); size /= 2) {
    int got = ::fcntl(channel.fifo.get(), F_SETPIPE_SZ, size);
    if (got < 0) continue;
    channel.capacity = static_cast<size_t>(got);
    break;
  }
  if (channel.capacity >= kMostCapacity || std::exchange(told_small_, true)) return;
  tell(EventType::channel_small, channel.id, {static_cast<double>(channel.capacity)});
}

void Pump::poll_again(Channel& channel, bool on) {
  if (channel.ended || channel.polled == on) return;
  channel.polled = on;
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = &channel;
  ::epoll_ctl(epoll_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, channel.fifo.get(), &event);
}

// Throws away what the disk does not take.
void Pump::drop(Channel& channel, size_t most) {
  char* buffer = scratch_.buffer();
  while (most > 0) {
    ssize_t length = ::read(channel.fifo.get(), buffer, std::min(most, Scratch::kBuffer));
    if (length == 0) return finish(channel);
    if (length < 0) break;
    size_t bytes = static_cast<size_t>(length);
    witness(channel, buffer, bytes, true);
    channel.skipping = buffer[bytes - 1] != '\n';
    most -= bytes;
    if (bytes < Scratch::kBuffer) break;
  }
  settle(channel);
}

// A line of which the beginning is lost is lost as a whole.
void Pump::drop_line_rest(Channel& channel) {
  Scratch::Look seen = scratch_.look(channel.fifo.get(), Scratch::kBuffer);
  if (seen.length == 0) {
    // Its end, or nothing yet.
    pollfd state = {channel.fifo.get(), POLLIN, 0};
    ::poll(&state, 1, 0);
    if (!(state.revents & POLLIN) && (state.revents & POLLHUP)) finish(channel);
    return;
  }
  size_t rest = first_line(seen.bytes, seen.length);
  drop(channel, rest ? rest : seen.length);
  if (!channel.skipping && channel.file) channel.file->tell_gap();
}

// In an outage: leaves the newest bytes where they are, and the worker room to go on.
void Pump::trim(Channel& channel) {
  if (!channel.trimmed) {
    poll_again(channel, false);
    channel.trimmed = true;
    trimmed_.push_back(&channel);
  }
  pollfd state = {channel.fifo.get(), POLLIN, 0};
  ::poll(&state, 1, 0);
  size_t held = held_by(channel.fifo);
  size_t keep = state.revents & POLLHUP ? 0 : channel.capacity / 2;
  if (held > keep) drop(channel, held - keep);
  if (!channel.ended && held <= keep && (state.revents & POLLHUP)) finish(channel);
  if (channel.ended) return;
  settle(channel);
}

void Pump::resume(LogFile& file) {
  for (Channel* channel : living()) {
    if (channel->file != &file || !channel->skipping) continue;
    Scratch::Look seen = scratch_.look(channel->fifo.get(), Scratch::kBuffer);
    size_t rest = first_line(seen.bytes, seen.length);
    if (rest) drop(*channel, rest);
  }
  if (!file.resume(now_)) return;
  for (Channel* channel : living()) {
    if (channel->file == &file && channel->spool && channel->spool->is_open()) format_waiting(*channel, false);
  }
  std::erase_if(trimmed_, [&](Channel* channel) {
    if (channel->file != &file) return false;
    channel->trimmed = false;
    poll_again(*channel, true);
    return true;
  });
}

void Pump::witness(Channel& channel, const char* bytes, size_t length, bool dropped) {
  size_t lines = count_lines(bytes, length);
  if (dropped) {
    channel.dropped_bytes += length;
    channel.dropped_lines += lines;
    channel.in_line = false;  // of a line that is torn the end counts
    if (channel.file) channel.file->lose(length, lines);
  } else {
    channel.bytes += length;
    channel.lines += lines;
    channel.in_line = bytes[length - 1] != '\n';
  }
  {
    std::lock_guard lock(mutex_);
    channel.tail.add(bytes, length);
  }
  Tap tap = channel.tap;
  if (tap == Tap::none) return;
  if (tap == Tap::lose && tapped_.load() >= max_tapped_) {
    channel.tap_lost += length;
    return;
  }
  tapped_ += length;
  tell(EventType::tapped, channel.id, {static_cast<double>(channel.tap_lost)}, std::string(bytes, length));
}

void Pump::settle(Channel& channel) {
  if (channel.letting_go && !channel.told && channel.taken() >= channel.until) tell_end(channel);
}

void Pump::tell_end(Channel& channel) {
  if (std::exchange(channel.told, true)) return;
  tell(EventType::channel_end, channel.id,
       {static_cast<double>(channel.bytes), static_cast<double>(channel.lines),
        static_cast<double>(channel.dropped_bytes), static_cast<double>(channel.dropped_lines),
        static_cast<double>(channel.tap_lost)});
}

void Pump::finish(Channel& channel) {
  if (channel.ended) return;
  poll_again(channel, false);
  channel.ended = true;
  std::erase(trimmed_, &channel);
  std::erase(parked_, &channel);
  if (channel.in_line) channel.lines += 1;
  if (channel.spool) {
    if (channel.spool->is_open()) format_waiting(channel, true);
    while (channel.spool->is_open() && channel.spool->waiting() > 0) lose_waiting(channel);
    channel.spool->remove();
  }
  if (channel.skipping && channel.file) channel.file->tell_gap();
  if (channel.file) channel.file->users -= 1;
  channel.file = nullptr;
  channel.fifo.reset();
  ::unlink(channel.options.fifo.c_str());
  tell_end(channel);
}

// Takes what is there, no matter what is written meanwhile. A FIFO that somebody holds stays for the next master.
void Pump::drain_all() {
  now_ = monotonic();
  for (Channel* channel : living()) {
    channel->tap = Tap::none;
    poll_again(*channel, true);
    uint64_t until = channel->taken() + held_by(channel->fifo);
    for (uint64_t before = UINT64_MAX; !channel->ended && channel->taken() < until;) {
      if (channel->taken() == before) break;
      before = channel->taken();
      turn(*channel);
    }
    if (!channel->ended) {
      pollfd state = {channel->fifo.get(), POLLIN, 0};
      ::poll(&state, 1, 0);
      if ((state.revents & POLLHUP) && !(state.revents & POLLIN)) finish(*channel);
    }
    tell_end(*channel);
  }
  for (auto& [path, file] : files_) file->close();
  files_.clear();
}

void Pump::tell(EventType type, ChannelId subject, std::initializer_list<double> values, std::string bytes) {
  Event& event = events_.emplace_back(type, static_cast<double>(subject), values);
  event.bytes = std::move(bytes);
}

void Pump::rotated(const std::string& path) { tell(EventType::rotated, current_, {}, path); }

void Pump::unrotatable(const std::string& path, const char* call, int error, uint64_t size) {
  tell(EventType::unrotatable, current_, {static_cast<double>(error), static_cast<double>(size)},
       std::string(call) + '\0' + path);
}

void Pump::outage(const std::string& path, const char* call, int error) {
  tell(EventType::outage, current_, {static_cast<double>(error)}, std::string(call) + '\0' + path);
}

void Pump::resumed(const std::string& path, uint64_t bytes, uint64_t lines) {
  tell(EventType::resumed, current_, {static_cast<double>(bytes), static_cast<double>(lines)}, path);
}

void Pump::copying(const std::string& path) { tell(EventType::copying, current_, {}, path); }

void Pump::relieve() {
  for (auto& [path, file] : files_) file->let_go();
}

}  // namespace hsu::pump

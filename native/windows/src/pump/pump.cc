#include "pump.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "../errors.h"
#include "../text.h"
#include "door.h"
#include "rotation.h"

namespace hsu::pump {

namespace {

constexpr Milliseconds kSweep = 10'000;
constexpr Milliseconds kIdle = 30'000;

}  // namespace

Pump::Pump(PumpOptions&& options)
    : max_tapped_(options.max_tapped),
      wake_(std::move(options.wake)),
      queue_([this] {
        std::lock_guard lock(wake_mutex_);
        if (wake_) wake_();
      }),
      news_([this](Event&& event) { events_.push_back(std::move(event)); }, [] {}) {}

Pump::~Pump() = default;

Result<std::shared_ptr<Pump>> Pump::open(PumpOptions options) {
  std::shared_ptr<Pump> pump(new Pump(std::move(options)));
  pump->signal_ = Handle(::CreateEventW(nullptr, FALSE, FALSE, nullptr));
  pump->read_ = Handle(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
  if (!pump->signal_ || !pump->read_) return SystemError{"CreateEvent", last_errno()};
  // Its thread may outlast the environment that loaded this library.
  HMODULE pinned;
  ::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       reinterpret_cast<LPCWSTR>(&Pump::run), &pinned);
  // The thread holds the pump: it may outlast everybody else when a disk does not answer.
  pump->self_ = pump;
  Handle thread(::CreateThread(nullptr, 0, &Pump::run, pump.get(), 0, nullptr));
  if (!thread) {
    pump->self_.reset();
    return SystemError{"CreateThread", last_errno()};
  }
  return pump;
}

DWORD WINAPI Pump::run(void* self) {
  std::shared_ptr<Pump> pump = std::move(static_cast<Pump*>(self)->self_);
  pump->serve();
  return 0;
}

// On the caller's thread.

void Pump::order(Order order, ChannelId id) {
  {
    std::lock_guard lock(mutex_);
    commands_.push_back({order, id});
  }
  ::SetEvent(signal_.get());
}

Result<ChannelId> Pump::add(ChannelOptions&& options) {
  if (closed_) return SystemError{"pump", EPIPE};
  bool found = false;
  auto reader = make_channel(options.fifo);
  if (!reader && reader.error().error == ERROR_FILE_EXISTS) {
    found = true;
    reader = find_channel(options.fifo);
  }
  if (!reader) return SystemError{reader.error().call, errno_of(static_cast<DWORD>(reader.error().error))};
  std::lock_guard lock(mutex_);
  ChannelId id = ++last_id_;
  auto channel = std::make_unique<Channel>(id, std::move(options), *this);
  channel->reader = std::move(*reader);
  Channel& kept = *channels_.emplace(id, std::move(channel)).first->second;
  (found ? found_ : fresh_).push_back(&kept);
  if (!found) ::SetEvent(signal_.get());
  return id;
}

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
  }
  order(Order::unpark, id);
}

void Pump::acknowledge(size_t bytes) {
  size_t before = tapped_.fetch_sub(bytes);
  if (before >= max_tapped_ && before - bytes < max_tapped_) order(Order::unpark, 0);
}

void Pump::replace_rotated(std::string path, uint64_t, uint64_t index, std::string made, std::string suffix) {
  {
    std::lock_guard lock(mutex_);
    replacements_.push_back({std::move(path), std::move(made), std::move(suffix), index});
  }
  ::SetEvent(signal_.get());
}

// On the thread.

void Pump::serve() {
  for (;;) {
    ::WaitForSingleObjectEx(signal_.get(), ready_.empty() ? wait_time() : 0, TRUE);
    now_ = monotonic();
    // Each gets one turn: a flood does not starve its neighbours.
    for (size_t count = ready_.size(); count > 0; --count) {
      Channel* channel = ready_.front();
      ready_.pop_front();
      channel->ready = false;
      turn(*channel);
    }
    on_time();
    obey();
    if (stopping_) break;
    queue_.push(std::move(events_));
    events_.clear();
  }
  drain_all();
  tell(EventType::pump_closed, 0, {});
  queue_.push(std::move(events_));
}

DWORD Pump::wait_time() const {
  Milliseconds next = INT64_MAX;
  for (const auto& [path, file] : files_) {
    if (file->is_out()) next = std::min(next, file->next_try());
    else next = std::min(next, swept_ + kSweep);
    if (file->users > 1) next = std::min(next, now_ + 100);
  }
  if (next == INT64_MAX) return INFINITE;
  return static_cast<DWORD>(std::clamp<Milliseconds>(next - monotonic(), 0, 60'000));
}

void Pump::on_time() {
  for (auto& [path, file] : files_) {
    bool resumes = file->is_out() && file->next_try() <= now_;
    if (!resumes && file->users < 2) continue;
    std::vector<Channel*> waiting;
    for (Channel* channel : living()) {
      if (channel->file == file.get() && !channel->rest.empty()) waiting.push_back(channel);
    }
    if (!resumes) {
      for (Channel* channel : waiting) write_rest(*channel, false);
    } else if (file->resume(now_)) {
      for (Channel* channel : waiting) write_rest(*channel, false);
    }
  }
  if (now_ - swept_ < kSweep) return;
  swept_ = now_;
  for (auto at = files_.begin(); at != files_.end();) {
    LogFile& file = *at->second;
    if (!file.is_out() && file.idle_since(now_ - kIdle)) file.let_go();
    at = file.users == 0 && !file.is_out() ? files_.erase(at) : std::next(at);
  }
}

void Pump::obey() {
  std::vector<Command> commands;
  std::vector<Replacement> replacements;
  std::vector<Channel*> fresh;
  {
    std::lock_guard lock(mutex_);
    commands.swap(commands_);
    replacements.swap(replacements_);
    fresh.swap(fresh_);
  }
  for (Channel* channel : fresh) arm(*channel);
  for (const Command& command : commands) obey(command);
  for (const Replacement& one : replacements) {
    DWORD error = pump::replace_rotated(one.path, one.index, one.made, one.suffix);
    if (error) ::DeleteFileW(file_path(one.made).c_str());
    tell(EventType::replaced, 0, {static_cast<double>(errno_of(error))}, one.made);
  }
}

void Pump::obey(const Command& command) {
  switch (command.order) {
    case Order::stop:
      stopping_ = true;
      return;
    case Order::unpark:
      for (Channel* channel : living()) {
        if (std::exchange(channel->parked, false)) make_ready(*channel);
      }
      return;
    case Order::carry_on:
      return adopt();
    default:
      break;
  }
  Channel* channel = find(command.id);
  if (!channel) return;
  if (command.order == Order::discard) return finish(*channel);
  if (command.order == Order::let_go) {
    channel->letting_go = true;
    channel->until = channel->taken() + (channel->reader ? held_by(channel->reader.get()) : 0);
    return settle(*channel);
  }
  // Who still holds it goes on being read.
  channel->tap = Tap::none;
  channel->forgotten = true;
  if (!channel->ended) return;
  std::lock_guard lock(mutex_);
  channels_.erase(command.id);
}

// Those of an earlier process.
void Pump::adopt() {
  std::vector<Channel*> found;
  {
    std::lock_guard lock(mutex_);
    found.swap(found_);
  }
  for (Channel* channel : found) {
    if (channel->ended) continue;
    if (channel->reader) arm(*channel);
    else finish(*channel);
  }
}

Channel* Pump::find(ChannelId id) {
  std::lock_guard lock(mutex_);
  auto found = channels_.find(id);
  return found == channels_.end() ? nullptr : found->second.get();
}

LogFile& Pump::file_of(const Channel& channel) {
  auto& file = files_[channel.options.file];
  if (!file) file = std::make_unique<LogFile>(channel.options.file, channel.options.format, news_);
  return *file;
}

std::vector<Channel*> Pump::living() {
  std::vector<Channel*> found;
  {
    std::lock_guard lock(mutex_);
    for (auto& [id, channel] : channels_) {
      if (!channel->ended) found.push_back(channel.get());
    }
  }
  std::sort(found.begin(), found.end(), [](Channel* a, Channel* b) { return a->id < b->id; });
  return found;
}

void Pump::tell(EventType type, ChannelId subject, std::initializer_list<double> values, std::string bytes) {
  Event& event = events_.emplace_back(type, static_cast<double>(subject), values);
  event.bytes = std::move(bytes);
}

}  // namespace hsu::pump

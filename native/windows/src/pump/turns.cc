#include <algorithm>
#include <utility>

#include "door.h"
#include "hsu/pump/lines.h"
#include "pump.h"

namespace hsu::pump {

namespace {

constexpr Milliseconds kRestOfLine = 1000;
constexpr int kBatchesInTurn = 4;

bool has_ended(DWORD error) {
  return error == ERROR_BROKEN_PIPE || error == ERROR_PIPE_NOT_CONNECTED || error == ERROR_NO_DATA ||
         error == ERROR_HANDLE_EOF || error == ERROR_INVALID_HANDLE;
}

}  // namespace

// Waits for bytes without taking any.
void Pump::arm(Channel& channel) {
  if (channel.ended || channel.armed || !channel.reader) return;
  channel.pending = {};
  // Such calls do not use the event, so it carries the channel.
  channel.pending.hEvent = static_cast<HANDLE>(&channel);
  static char none;
  if (::ReadFileEx(channel.reader.get(), &none, 0, &channel.pending, &Pump::on_ready)) {
    channel.armed = true;
    return;
  }
  make_ready(channel);
}

void CALLBACK Pump::on_ready(DWORD, DWORD, OVERLAPPED* pending) {
  auto* channel = static_cast<Channel*>(pending->hEvent);
  channel->armed = false;
  channel->pump.make_ready(*channel);
}

void Pump::make_ready(Channel& channel) {
  if (channel.ended || std::exchange(channel.ready, true)) return;
  ready_.push_back(&channel);
}

void Pump::turn(Channel& channel) {
  if (channel.ended || !channel.reader) return;
  if (channel.tap == Tap::wait && tapped_.load() >= max_tapped_) {
    channel.parked = true;
    return;
  }
  if (!channel.options.file.empty()) let_predecessors_go_first(channel);
  for (int batch = 0; batch < kBatchesInTurn; ++batch) {
    if (take_some(channel, kBatch) == 0) break;
    if (channel.ended || (channel.tap == Tap::wait && tapped_.load() >= max_tapped_)) break;
  }
  if (channel.ended) return;
  settle(channel);
  DWORD available = 0;
  if (!::PeekNamedPipe(channel.reader.get(), nullptr, 0, nullptr, &available, nullptr) && has_ended(::GetLastError()))
    return finish(channel);
  if (available > 0) make_ready(channel);
  else arm(channel);
}

size_t Pump::take_some(Channel& channel, size_t most) {
  most = std::min(most, held_by(channel.reader.get()));
  if (most == 0) return 0;
  buffer_.resize(most);
  OVERLAPPED reading = {};
  // The lowest bit keeps its end away from a completion port that somebody may have put there.
  reading.hEvent = reinterpret_cast<HANDLE>(reinterpret_cast<uintptr_t>(read_.get()) | 1);
  DWORD length = 0;
  if (!::ReadFile(channel.reader.get(), buffer_.data(), static_cast<DWORD>(most), nullptr, &reading) &&
      ::GetLastError() != ERROR_IO_PENDING)
    return 0;
  if (!::GetOverlappedResult(channel.reader.get(), &reading, &length, TRUE) || length == 0) return 0;
  witness(channel, buffer_.data(), length);
  if (channel.options.file.empty()) return length;
  news_.current = channel.id;
  if (!channel.file) {
    channel.file = &file_of(channel);
    channel.file->users += 1;
  }
  channel.rest.append(buffer_.data(), length);
  write_rest(channel, false);
  return length;
}

// A run begins when the one before it has ended, which need not be when all that it wrote has been read.
void Pump::let_predecessors_go_first(Channel& channel) {
  if (!std::exchange(channel.preceded, true)) {
    for (Channel* other : living()) {
      if (other->id < channel.id && other->options.file == channel.options.file &&
          other->options.labels.worker == channel.options.labels.worker &&
          other->options.labels.stream == channel.options.labels.stream)
        channel.predecessors.push_back(other);
    }
  }
  for (Channel* other : std::exchange(channel.predecessors, {})) {
    if (other->ended || !other->reader) continue;
    // Who still writes to it writes beside the new run.
    uint64_t until = other->taken() + held_by(other->reader.get());
    while (!other->ended && other->taken() < until && take_some(*other, kBatch) > 0) {
    }
  }
}

// What was taken and can be written: lines where more than one write to the file, or where they are formatted.
void Pump::write_rest(Channel& channel, bool last) {
  LogFile& file = *channel.file;
  news_.current = channel.id;
  if (channel.skipping && !file.is_out()) {
    size_t rest = first_line(channel.rest.data(), channel.rest.size());
    channel.skipping = rest == 0;
    drop(channel, 0, rest ? rest : channel.rest.size());
    if (!channel.skipping) file.tell_gap();
  }
  if (channel.rest.empty()) return;
  if (file.is_out()) return hold_up(channel);
  bool late = channel.unfinished != 0 && now_ - channel.unfinished >= kRestOfLine;
  bool direct = channel.options.format == Format::plain && (file.users == 1 || late);
  formatted_.clear();
  uint64_t before = channel.formatter.numbered();
  size_t used = channel.formatter.format(channel.rest.data(), channel.rest.size(), last || direct, wall(), formatted_);
  if (used == 0) {
    if (channel.unfinished == 0) channel.unfinished = now_;
    return;
  }
  channel.unfinished = 0;
  size_t written = 0;
  if (file.write(formatted_.data(), formatted_.size(), channel.options.rotation, now_, written)) {
    file.last = channel.id;
    channel.rest.erase(0, used);
    return;
  }
  // Of plain bytes it is known which are in the file; formatted ones are written again, whole.
  if (channel.options.format == Format::plain) channel.rest.erase(0, written);
  else channel.formatter.number_from(before);
  hold_up(channel);
}

// Nothing can be written now.
void Pump::hold_up(Channel& channel) {
  size_t held = channel.rest.size();
  switch (channel.options.overflow) {
    case Overflow::block:
      return drop(channel, 0, held);
    case Overflow::drop_newest:
      if (held > kHeldUp) {
        size_t whole = whole_lines(channel.rest.data(), kHeldUp);
        drop(channel, whole, held - whole);
      }
      return;
    default:
      if (held > kHeldUp) {
        size_t first = first_line(channel.rest.data() + (held - kHeldUp), kHeldUp);
        drop(channel, 0, held - kHeldUp + (first ? first : kHeldUp));
      }
  }
}

void Pump::drop(Channel& channel, size_t from, size_t length) {
  if (length == 0) return;
  const char* bytes = channel.rest.data() + from;
  uint64_t lines = count_lines(bytes, length);
  bool tail = from + length == channel.rest.size();
  if (tail) channel.skipping = bytes[length - 1] != '\n';
  channel.bytes -= std::min<uint64_t>(length, channel.bytes);
  channel.lines -= std::min<uint64_t>(lines, channel.lines);
  channel.dropped_bytes += length;
  channel.dropped_lines += lines;
  if (channel.file) channel.file->lose(length, lines);
  channel.rest.erase(from, length);
  if (tail) channel.in_line = false;
}

void Pump::witness(Channel& channel, const char* bytes, size_t length) {
  channel.bytes += length;
  channel.lines += count_lines(bytes, length);
  channel.in_line = bytes[length - 1] != '\n';
  // Before the tail: who has seen it there and taps then is not told of it again.
  Tap tap = channel.tap;
  {
    std::lock_guard lock(mutex_);
    channel.tail.add(bytes, length);
  }
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
  while (channel.reader && take_some(channel, kBatch) > 0) {
  }
  if (channel.file) {
    write_rest(channel, true);
    drop(channel, 0, channel.rest.size());
    if (channel.skipping) channel.file->tell_gap();
    channel.file->users -= 1;
    channel.file = nullptr;
  }
  // The call that waits comes back before its memory may go.
  if (channel.armed) ::CancelIoEx(channel.reader.get(), &channel.pending);
  while (channel.armed) ::SleepEx(INFINITE, TRUE);
  std::erase(ready_, &channel);
  channel.ended = true;
  for (Channel* one : living()) std::erase(one->predecessors, &channel);
  if (channel.in_line) channel.lines += 1;
  channel.reader.reset();
  forget_channel(channel.options.fifo, true);
  tell_end(channel);
  if (channel.forgotten) forget(channel.id);
}

// Takes what is there, no matter what is written meanwhile; who taps it is not waited for any more, but told what it missed. A
// channel that somebody holds stays for the next master.
void Pump::drain_all() {
  now_ = monotonic();
  for (Channel* channel : living()) {
    if (channel->tap == Tap::wait) channel->tap = Tap::lose;
    if (!channel->reader) continue;
    uint64_t until = channel->taken() + held_by(channel->reader.get());
    while (channel->taken() < until && take_some(*channel, kBatch) > 0) {
    }
    DWORD available = 0;
    bool open = ::PeekNamedPipe(channel->reader.get(), nullptr, 0, nullptr, &available, nullptr);
    if (!open && has_ended(::GetLastError())) {
      finish(*channel);
      continue;
    }
    if (channel->file) write_rest(*channel, true);
    if (channel->armed) ::CancelIoEx(channel->reader.get(), &channel->pending);
    while (channel->armed) ::SleepEx(INFINITE, TRUE);
    drop_writer(channel->options.fifo);
    channel->reader.reset();
    tell_end(*channel);
  }
  obey();
  for (auto& [path, file] : files_) file->close();
  files_.clear();
}

}  // namespace hsu::pump

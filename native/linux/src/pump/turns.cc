// Longer than other files: all that the pump's thread does in one turn, which has one order.

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "hsu/pump/lines.h"
#include "pump.h"
#ifdef __APPLE__
#include "keepers.h"
#endif

namespace hsu::pump {

namespace {

constexpr int kMostCapacity = 1024 * 1024;
constexpr size_t kGrowAt = 16 * 1024;
constexpr Milliseconds kRestOfLine = 1000;
constexpr int kLooks = 200;
constexpr size_t kMostGrown = 8 * 1024 * 1024;  // all channels together

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

void Pump::turn(Channel& channel) {
  if (channel.ended || !channel.polled) return;
  if (channel.tap == Tap::wait && tapped_->load() >= max_tapped_) {
    poll_again(channel, false);
    parked_.push_back(&channel);
    return;
  }
  news_.current = channel.id;
  if (channel.options.file.empty()) return turn_without_file(channel);
  let_predecessors_go_first(channel);
  if (channel.ended || !channel.polled) return;
  news_.current = channel.id;
  if (through_spool(channel)) return turn_spooled(channel);
  attach(channel);
  LogFile& file = *channel.file;
  if (channel.skipping && !file.is_out()) {
    drop_line_rest(channel);
    if (channel.skipping || channel.ended) return;
  }
  Sight sight(*this, channel);
  // Lines of two channels must not be mixed.
  bool patient = channel.looks < kLooks || now_ - channel.unfinished < kRestOfLine;
  bool whole = file.users > 1 && patient && !file.is_out() && !stopping_;
  if (whole && file.last != channel.id && !file.at_line_end() && !file.given_up) return wait_for_rest(channel);
  LogFile::Pulled pulled = file.pull(channel.fifo.get(), channel.options.rotation, sight, now_, whole);
  if (pulled.outcome == LogFile::Outcome::unfinished) return wait_for_rest(channel);
  channel.looks = 0;
  switch (pulled.outcome) {
    case LogFile::Outcome::ended:
      return finish(channel);
    case LogFile::Outcome::refused:
      moved_ = true;
      return drop(channel, LogFile::kTurn);
    case LogFile::Outcome::empty:
      return settle(channel);
    default:
      moved_ = true;
      file.last = channel.id;
      file.given_up = !patient;
      busy_ |= pulled.bytes >= channel.capacity / 4 || file.users > 1;
      grow(channel, pulled.bytes);
      settle(channel);
  }
}

void Pump::wait_for_rest(Channel& channel) {
  if (channel.looks++ == 0) channel.unfinished = now_;
  poll_again(channel, false);
  unfinished_.push_back(&channel);
}

// A run begins when the one before it has ended, which need not be when all that it wrote has been read.
void Pump::let_predecessors_go_first(Channel& channel) {
  if (!std::exchange(channel.preceded, true)) {
    for (Channel* other : living()) {
      if (other->id < channel.id && other->options.file == channel.options.file &&
          other->options.labels.worker == channel.options.labels.worker &&
          other->options.labels.stream == channel.options.labels.stream) {
        channel.predecessors.push_back(other);
      }
    }
  }
  while (!channel.predecessors.empty()) {
    Channel& other = *channel.predecessors.front();
    if (!other.fifo || !other.polled) {
      // It is in its spool already, or has to wait.
      if (other.at_end) channel.predecessors.erase(channel.predecessors.begin());
      return;
    }
    uint64_t until = other.taken() + scratch_.held(other.fifo.get());
    for (uint64_t before = UINT64_MAX; !other.ended && other.fifo && other.taken() < until && other.taken() != before;) {
      before = other.taken();
      turn(other);
    }
    // Who still writes to it writes beside the new run.
    auto& rest = channel.predecessors;
    if (!rest.empty() && rest.front() == &other) rest.erase(rest.begin());
  }
}

// One thread writes to a file: once one channel of it goes by a spool, all do.
bool Pump::through_spool(Channel& channel) {
  const std::string& path = channel.options.file;
  bool others = spooled_files_.count(path) > 0;
  if (!channel.spooled && !others) return false;
  if (!others) {
    spooled_files_.insert(path);
    auto direct = files_.find(path);
    if (direct != files_.end()) {
      for (Channel* one : living()) {
        if (one->file == direct->second.get()) one->file = nullptr;
      }
      direct->second->close();
      files_.erase(direct);
    }
  }
  channel.spooled = true;
  return true;
}

void Pump::attach(Channel& channel) {
  if (channel.file) return;
  channel.file = &file_of(channel.options.file);
  channel.file->users += 1;
}

// Those of an earlier process. Each tells its file what was finished before anything is written.
void Pump::adopt(const std::vector<Channel*>& found) {
  for (Channel* channel : found) {
    if (channel->spooled && through_spool(*channel) && open_spool(*channel)) writer_->trust(*channel);
  }
  for (Channel* channel : found) {
    if (channel->ended) continue;
    poll_again(*channel, true);
    if (channel->spool && channel->spool->is_open()) writer_->write(*channel);
    // One that nobody holds is never reported as readable.
    turn(*channel);
  }
}

bool Pump::open_spool(Channel& channel) {
  if (!writer_) {
    auto writer = std::make_unique<SpoolWriter>(SpoolWriter::Options{
        *disk_,
        [this](Event&& event) {
          std::vector<Event> one;
          one.push_back(std::move(event));
          queue_.push(std::move(one));
        },
        [this](ChannelId id) { order(Order::emptied, id); }, [this](ChannelId id) { order(Order::eased, id); }});
    if (writer->start() != 0) return false;
    writer_ = std::move(writer);
  }
  if (!channel.spool) {
    channel.spool.emplace(channel.options.fifo + ".spool", *disk_);
    channel.formatter.emplace(channel.options.format, channel.options.labels);
  }
  if (channel.spool->is_open()) return true;
  int error = channel.spool->open();
  if (error && !std::exchange(channel.spool_failed, true)) {
    news_.outage(channel.options.fifo + ".spool", "open", -error);
  }
  return !error;
}

// false: nothing can be taken in now.
bool Pump::make_room(Channel& channel) {
  Spool& spool = *channel.spool;
  if (spool.waiting() < Spool::kMost) return true;
  if (channel.options.overflow == Overflow::block) {
    channel.full = true;
    if (channel.held_up) {
      channel.full = false;
      drop(channel, LogFile::kTurn);
    } else if (spool.waiting() < Spool::kMost) {
      return true;
    } else {
      poll_again(channel, false);
    }
    return false;
  }
  if (channel.options.overflow == Overflow::drop_oldest) {
    Spool::Lost lost = spool.drop_oldest(Spool::kMost / 2, seen_);
    channel.dropped_bytes += lost.bytes;
    channel.dropped_lines += lost.lines;
    channel.bytes -= lost.bytes;
    channel.lines -= lost.lines;
    if (lost.bytes > 0) return true;
  }
  drop(channel, LogFile::kTurn);
  return false;
}

void Pump::turn_spooled(Channel& channel) {
  moved_ = true;
  if (!open_spool(channel)) return drop(channel, LogFile::kTurn);
  Spool& spool = *channel.spool;
  if (channel.skipping) {
    if (spool.waiting() >= Spool::kMost / 2) return drop(channel, LogFile::kTurn);
    drop_line_rest(channel);
    if (channel.skipping || channel.at_end) return;
  }
  if (!make_room(channel)) return;
  ssize_t length = spool.pull(channel.fifo.get(), LogFile::kTurn, seen_, scratch_);
  if (length == -EAGAIN) return settle(channel);
  if (length == 0) return finish(channel);
  if (length < 0) {
    if (!std::exchange(channel.spool_failed, true)) {
      news_.outage(channel.options.fifo + ".spool", "splice", static_cast<int>(-length));
    }
    return drop(channel, LogFile::kTurn);
  }
  channel.spool_failed = false;
  auto size = static_cast<size_t>(length);
  for (size_t at = 0; at < size; at += Scratch::kBuffer) {
    witness(channel, seen_.data() + at, std::min(Scratch::kBuffer, size - at), false);
  }
  writer_->write(channel);
  busy_ |= size >= channel.capacity / 4;
  grow(channel, size);
  settle(channel);
}

// All of it is in its spool; what comes next is told by the writer.
void Pump::end_spooled(Channel& channel) {
  if (channel.at_end) return;
  poll_again(channel, false);
  std::erase(parked_, &channel);
  std::erase(unfinished_, &channel);
  close_fifo(channel);
  channel.at_end = true;
  writer_->write(channel);
}

void Pump::close_fifo(Channel& channel) {
#ifdef __APPLE__
  release_keeper(channel.options.fifo);
#endif
  if (channel.fifo) scratch_.forget(channel.fifo.get());
  channel.fifo.reset();
}

void Pump::turn_without_file(Channel& channel) {
  char* buffer = scratch_.buffer();
  ssize_t length = scratch_.read(channel.fifo.get(), buffer, Scratch::kBuffer);
  if (length == 0) return finish(channel);
  if (length < 0) return settle(channel);
  witness(channel, buffer, static_cast<size_t>(length), false);
  moved_ = true;
  busy_ |= static_cast<size_t>(length) >= channel.capacity / 4;
  grow(channel, static_cast<size_t>(length));
  settle(channel);
}

// Quiet channels keep the small buffer that they were born with: a large one costs the system ten kilobytes. Of many that
// flood only some get one: a hundred megabytes of buffers do not stay in any cache, and were slower than small ones.
void Pump::grow(Channel& channel, size_t moved) {
  if (channel.grown || moved < std::min(kGrowAt, channel.capacity / 2) || grown_ + kMostCapacity > kMostGrown) return;
  channel.grown = true;
#ifdef F_SETPIPE_SZ
  for (int size = kMostCapacity; size > static_cast<int>(channel.capacity); size /= 2) {
    int got = ::fcntl(channel.fifo.get(), F_SETPIPE_SZ, size);
    if (got < 0) continue;
    channel.capacity = static_cast<size_t>(got);
    grown_ += channel.capacity;
    break;
  }
  if (channel.capacity >= kMostCapacity || std::exchange(told_small_, true)) return;
  tell(EventType::channel_small, channel.id, {static_cast<double>(channel.capacity)});
#endif
}

void Pump::poll_again(Channel& channel, bool on) {
  if (channel.ended || channel.polled == on) return;
  channel.polled = on;
  if (on) poller_.add(channel.fifo.get(), token_of(channel));
  else poller_.remove(channel.fifo.get());
}

// Throws away what the disk does not take.
void Pump::drop(Channel& channel, size_t most) {
  char* buffer = scratch_.buffer();
  Spool::Lost before = {channel.dropped_bytes, channel.dropped_lines};
  bool ended = false;
  while (most > 0) {
    ssize_t length = scratch_.read(channel.fifo.get(), buffer, std::min(most, Scratch::kBuffer));
    ended = length == 0;
    if (length <= 0) break;
    size_t bytes = static_cast<size_t>(length);
    witness(channel, buffer, bytes, true);
    channel.skipping = buffer[bytes - 1] != '\n';
    most -= bytes;
    if (bytes < Scratch::kBuffer) break;
  }
  Spool::Lost lost = {channel.dropped_bytes - before.bytes, channel.dropped_lines - before.lines};
  if (lost.bytes > 0 && channel.spool && channel.spool->is_open()) {
    uint64_t begun = channel.spool->drop_newest(lost, seen_);
    channel.bytes -= begun;
    channel.dropped_bytes += begun;
    writer_->write(channel);
  }
  if (ended) return finish(channel);
  settle(channel);
}

// A line of which the beginning is lost is lost as a whole.
void Pump::drop_line_rest(Channel& channel) {
  Scratch::Look seen = scratch_.look(channel.fifo.get(), Scratch::kBuffer);
  if (seen.length == 0) {
    // Its end, or nothing yet.
    if (scratch_.state(channel.fifo.get()) == Scratch::State::ended) finish(channel);
    return;
  }
  size_t rest = first_line(seen.bytes, seen.length);
  drop(channel, rest ? rest : seen.length);
  if (!channel.skipping && channel.file) channel.file->tell_gap();
}

void Pump::resume(LogFile& file) {
  for (Channel* channel : living()) {
    if (channel->file != &file || !channel->skipping) continue;
    Scratch::Look seen = scratch_.look(channel->fifo.get(), Scratch::kBuffer);
    size_t rest = first_line(seen.bytes, seen.length);
    if (rest) drop(*channel, rest);
  }
  file.resume(now_);
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
  // Before the tail: who has seen it there and taps then is not told of it again.
  Tap tap = channel.tap;
  {
    std::lock_guard lock(mutex_);
    channel.tail.add(bytes, length);
  }
  if (tap == Tap::none) return;
  if (tap == Tap::lose && tapped_->load() >= max_tapped_) {
    channel.tap_lost += length;
    return;
  }
  *tapped_ += length;
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
  if (writer_ && channel.spool && channel.spool->is_open() && !channel.emptied) return end_spooled(channel);
  poll_again(channel, false);
  channel.ended = true;
  for (Channel* one : living()) std::erase(one->predecessors, &channel);
  std::erase(parked_, &channel);
  std::erase(unfinished_, &channel);
  if (channel.in_line) channel.lines += 1;
  if (channel.spool) channel.spool->remove();
  if (channel.skipping && channel.file) channel.file->tell_gap();
  if (channel.file) channel.file->users -= 1;
  channel.file = nullptr;
  close_fifo(channel);
  if (channel.grown) grown_ -= std::min(grown_, channel.capacity);
  ::unlink(channel.options.fifo.c_str());
  tell_end(channel);
  if (channel.forgotten) forget(channel.id);
}

// Takes what is there, no matter what is written meanwhile; who taps it is not waited for any more, but told what it missed. A
// FIFO that somebody holds stays for the next master.
void Pump::drain_all() {
  now_ = monotonic();
  for (Channel* channel : living()) {
    if (channel->tap == Tap::wait) channel->tap = Tap::lose;
    if (channel->fifo) poll_again(*channel, true);
    uint64_t until = channel->taken() + (channel->fifo ? scratch_.held(channel->fifo.get()) : 0);
    for (uint64_t before = UINT64_MAX; !channel->ended && !channel->at_end && channel->taken() < until;) {
      if (channel->taken() == before) break;
      before = channel->taken();
      turn(*channel);
    }
    if (!channel->ended && channel->fifo) {
      if (scratch_.state(channel->fifo.get()) == Scratch::State::ended) finish(*channel);
    }
    if (!channel->at_end) tell_end(*channel);
  }
  writer_.reset();
  obey();
  for (auto& [path, file] : files_) file->close();
  files_.clear();
}

}  // namespace hsu::pump

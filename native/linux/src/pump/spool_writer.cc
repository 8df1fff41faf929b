#include "spool_writer.h"

#include <errno.h>

#include <algorithm>
#include <chrono>

#include "../thread.h"
#include "clock.h"

namespace hsu::pump {

namespace {

constexpr size_t kPiece = 256 * 1024;
constexpr int kPiecesInTurn = 20;  // a full spool: who comes after it may be its successor
constexpr Milliseconds kSweep = 10'000;
constexpr Milliseconds kIdle = 30'000;

}  // namespace

SpoolWriter::SpoolWriter(Options options)
    : options_(std::move(options)), news_(options_.tell, [this] {
        for (auto& [path, file] : files_) file->let_go();
      }) {}

int SpoolWriter::start() {
  int error = start_thread(thread_, "hsu-pump-disk", &SpoolWriter::run, this);
  running_ = !error;
  return error;
}

SpoolWriter::~SpoolWriter() {
  if (!running_) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  ::pthread_join(thread_, nullptr);
}

void SpoolWriter::trust(Channel& channel) {
  std::lock_guard lock(mutex_);
  trusted_.push_back(&channel);
}

void SpoolWriter::write(Channel& channel) {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(channel.queued, true)) return;
    work_.push_back(&channel);
  }
  changed_.notify_one();
}

void* SpoolWriter::run(void* self) {
  static_cast<SpoolWriter*>(self)->serve();
  return nullptr;
}

Milliseconds SpoolWriter::next_try() const {
  Milliseconds next = INT64_MAX;
  for (const auto& [path, file] : files_) {
    if (file->is_out()) next = std::min(next, file->next_try());
    if (file->holds_descriptor()) next = std::min(next, swept_ + kSweep);
  }
  return next;
}

void SpoolWriter::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    Milliseconds next = next_try();
    auto has_news = [this] { return !work_.empty() || stopping_; };
    if (next == INT64_MAX) {
      changed_.wait(lock, has_news);
    } else {
      changed_.wait_for(lock, std::chrono::milliseconds(std::max<Milliseconds>(0, next - monotonic())), has_news);
    }
    std::vector<Channel*> trusted = std::exchange(trusted_, {});
    Channel* channel = nullptr;
    if (!work_.empty()) {
      channel = work_.front();
      work_.pop_front();
      channel->queued = false;
    } else if (stopping_) {
      break;
    }
    lock.unlock();
    for (Channel* one : trusted) {
      Spool::Pair pair = one->spool->pair();
      if (pair.inode != 0) file_of(*one).trust(pair.device, pair.inode, pair.length);
    }
    if (channel) carry(*channel);
    resume_files();
    lock.lock();
  }
  lock.unlock();
  for (auto& [path, file] : files_) file->close();
}

LogFile& SpoolWriter::file_of(const Channel& channel) {
  auto& file = files_[channel.options.file];
  if (!file) {
    file = std::make_unique<LogFile>(channel.options.file, options_.disk, scratch_, news_);
    file->gap_format = channel.options.format;
  }
  return *file;
}

void SpoolWriter::carry(Channel& channel) {
  LogFile& file = file_of(channel);
  news_.current = channel.id;
  for (int piece = 0; piece < kPiecesInTurn; ++piece) {
    switch (write_some(channel, file)) {
      case Step::on:
        continue;
      case Step::held:
        if (channel.at_end) return end(channel, file);
        channel.held_up = true;
        if (std::find(held_.begin(), held_.end(), &channel) == held_.end()) held_.push_back(&channel);
        options_.eased(channel.id);
        return;
      case Step::done:
        channel.held_up = false;
        if (channel.full.exchange(false)) options_.eased(channel.id);
        if (channel.at_end && channel.spool->waiting() == 0) end(channel, file);
        return;
    }
  }
  if (channel.full && channel.spool->waiting() < Spool::kMost / 2 && channel.full.exchange(false)) options_.eased(channel.id);
  write(channel);
}

SpoolWriter::Step SpoolWriter::write_some(Channel& channel, LogFile& file) {
  if (file.is_out()) return Step::held;
  Spool& spool = *channel.spool;
  bool ends = channel.at_end;
  Spool::Batch batch = spool.take(kPiece + 2 * Formatter::kMostLine, buffer_);
  if (batch.missing) {
    write_gap(channel, file);
    return file.is_out() ? Step::held : Step::on;
  }
  if (batch.length == 0) return Step::done;
  bool last = batch.before_gap || (batch.is_last && ends);
  return write_batch(channel, file, batch.length, last) ? Step::on : file.is_out() ? Step::held : Step::done;
}

// false: nothing can be written now.
bool SpoolWriter::write_batch(Channel& channel, LogFile& file, size_t length, bool whole) {
  Spool& spool = *channel.spool;
  formatted_.clear();
  uint64_t before = channel.formatter->numbered();
  size_t used = channel.formatter->format(buffer_.data(), length, whole, wall(), formatted_);
  if (used == 0) return false;
  Spool::Pair known = spool.pair();
  Milliseconds now = monotonic();
  bool ready = file.prepare(formatted_.size(), channel.options.rotation, now);
  if (ready && (known.inode != file.inode() || known.device != file.device())) {
    spool.note_file(file.device(), file.inode(), file.length());
  }
  if (!ready || !file.write_lines(formatted_.data(), formatted_.size(), now)) {
    channel.formatter->number_from(before);
    return false;
  }
  spool.commit({known.position + used, file.device(), file.inode(), file.length()});
  return true;
}

void SpoolWriter::write_gap(Channel& channel, LogFile& file) {
  Spool::Lost lost = channel.spool->pass();
  file.lose(lost.bytes, lost.lines);
  if (file.make_ready(monotonic())) file.tell_gap();
}

// Nobody writes to its channel any more, and what is left in its spool cannot be written.
void SpoolWriter::end(Channel& channel, LogFile& file) {
  auto [lost, missing] = channel.spool->give_up(buffer_);
  file.lose(lost.bytes + missing.bytes, lost.lines + missing.lines);
  if (lost.bytes > 0) {
    channel.dropped_bytes += lost.bytes;
    channel.dropped_lines += lost.lines;
    channel.bytes -= std::min<uint64_t>(lost.bytes, channel.bytes);
    channel.lines -= std::min<uint64_t>(lost.lines, channel.lines);
  }
  std::erase(held_, &channel);
  options_.emptied(channel.id);
}

void SpoolWriter::resume_files() {
  Milliseconds now = monotonic();
  for (auto& [path, file] : files_) {
    if (!file->is_out() || file->next_try() > now || !file->resume(now)) continue;
    for (Channel* channel : std::exchange(held_, {})) {
      channel->held_up = false;
      write(*channel);
    }
  }
  if (now - swept_ < kSweep) return;
  swept_ = now;
  for (auto& [path, file] : files_) {
    if (!file->is_out() && file->idle_since(now - kIdle)) file->let_go();
  }
}

}  // namespace hsu::pump

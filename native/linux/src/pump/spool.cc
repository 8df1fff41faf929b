#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "hsu/pump/lines.h"

namespace hsu::pump {

namespace {

constexpr uint64_t kMagic = 0x31'6c'6f'6f'70'73'73'68;  // "hsspool1"
constexpr uint64_t kHead = 4096;
constexpr uint64_t kShrinkAt = 1024 * 1024;
constexpr size_t kLineReach = 128 * 1024;

struct Head {
  uint64_t magic;
  Spool::Pair pair;
};

}  // namespace

int Spool::open() {
  int fd = disk_.open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fd;
  Fd file(fd);
  struct stat facts;
  int error = disk_.facts(fd, facts);
  if (error) return error;
  Head head = {};
  bool known = disk_.read_at(fd, reinterpret_cast<char*>(&head), sizeof head, 0) == sizeof head && head.magic == kMagic;
  auto size = static_cast<uint64_t>(facts.st_size);
  if (size < kHead && ::ftruncate(fd, static_cast<off_t>(kHead)) != 0) return -errno;
  std::lock_guard lock(mutex_);
  file_ = std::move(file);
  end_ = std::max(size, kHead);
  pair_ = known ? head.pair : Pair{kHead, 0, 0, 0};
  // It was emptied, and the next commit would have said so.
  if (pair_.position > end_ || pair_.position < kHead) pair_.position = kHead;
  punched_ = kHead;
  return known || write_pair(pair_) ? 0 : -EIO;
}

size_t Spool::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_now();
}

size_t Spool::waiting_now() const {
  uint64_t missing = 0;
  for (const Gap& gap : gaps_) missing += gap.to - gap.from;
  return static_cast<size_t>(end_ - pair_.position - missing);
}

size_t Spool::read_at(uint64_t at, size_t most, std::vector<char>& buffer) {
  if (buffer.size() < most) buffer.resize(most);
  ssize_t length = most ? disk_.read_at(file_.get(), buffer.data(), most, at) : 0;
  return length > 0 ? static_cast<size_t>(length) : 0;
}

void Spool::remove() {
  std::lock_guard lock(mutex_);
  file_.reset();
  disk_.remove(path_.c_str());
}

// Of who fills it.

ssize_t Spool::pull(int pipe, size_t most, std::vector<char>& buffer, Scratch& scratch) {
  std::lock_guard lock(mutex_);
  ssize_t length = disk_.splice(pipe, file_.get(), end_, most);
  if (length == -EINVAL || length == -ENOSYS) {
    if (buffer.size() < most) buffer.resize(most);
    length = scratch.read(pipe, buffer.data(), most);
    if (length < 0) return -errno;
    if (length > 0) length = disk_.write_at(file_.get(), buffer.data(), static_cast<size_t>(length), end_);
  }
  if (length <= 0) return length;
  size_t seen = read_at(end_, static_cast<size_t>(length), buffer);
  if (seen < static_cast<size_t>(length)) memset(buffer.data() + seen, 0, static_cast<size_t>(length) - seen);
  end_ += static_cast<uint64_t>(length);
  return length;
}

uint64_t Spool::drop_newest(Lost lost, std::vector<char>& buffer) {
  std::lock_guard lock(mutex_);
  uint64_t free = std::max(pair_.position + taken_, gaps_.empty() ? 0 : gaps_.back().to);
  size_t reach = static_cast<size_t>(std::min<uint64_t>(kLineReach, end_ - std::min(free, end_)));
  size_t length = read_at(end_ - reach, reach, buffer);
  size_t partial = length - whole_lines(buffer.data(), length);
  if (partial > 0 && ::ftruncate(file_.get(), static_cast<off_t>(end_ - partial)) == 0) {
    end_ -= partial;
    lost.bytes += partial;
  } else {
    partial = 0;
  }
  if (gaps_.empty() || gaps_.back().to != end_) gaps_.push_back({end_, end_, {}});
  gaps_.back().lost.bytes += lost.bytes;
  gaps_.back().lost.lines += lost.lines;
  return partial;
}

Spool::Lost Spool::drop_oldest(size_t most, std::vector<char>& buffer) {
  std::lock_guard lock(mutex_);
  uint64_t from = pair_.position + taken_;
  bool extends = !gaps_.empty() && gaps_.back().to >= from;
  if (extends) from = gaps_.back().to;
  size_t length = read_at(from, static_cast<size_t>(std::min<uint64_t>(most, end_ - std::min(from, end_))), buffer);
  // What is taken may end inside of a line.
  size_t begin = extends || taken_ == 0 ? 0 : first_line(buffer.data(), length);
  size_t until = begin + whole_lines(buffer.data() + begin, length - begin);
  if (until <= begin) return {};
  Lost lost = {until - begin, count_lines(buffer.data() + begin, until - begin)};
  if (extends) {
    gaps_.back().to = from + until;
    gaps_.back().lost.bytes += lost.bytes;
    gaps_.back().lost.lines += lost.lines;
  } else {
    gaps_.push_back({from + begin, from + until, lost});
  }
  return lost;
}

// Of who empties it.

Spool::Batch Spool::take(size_t most, std::vector<char>& buffer) {
  std::lock_guard lock(mutex_);
  uint64_t limit = end_;
  if (!gaps_.empty()) {
    limit = gaps_.front().from;
    if (limit <= pair_.position) return {0, false, false, true};
  }
  size_t wanted = static_cast<size_t>(std::min<uint64_t>(most, limit - pair_.position));
  size_t length = read_at(pair_.position, wanted, buffer);
  taken_ = length;
  bool all = pair_.position + length == limit;
  return {length, all && !gaps_.empty(), all && gaps_.empty(), false};
}

Spool::Pair Spool::pair() const {
  std::lock_guard lock(mutex_);
  return pair_;
}

bool Spool::note_file(uint64_t device, uint64_t inode, uint64_t length) {
  std::lock_guard lock(mutex_);
  return write_pair({pair_.position, device, inode, length});
}

bool Spool::commit(const Pair& pair) {
  std::lock_guard lock(mutex_);
  if (!write_pair(pair)) return false;
  taken_ = 0;
  shrink();
  return true;
}

Spool::Lost Spool::pass() {
  std::lock_guard lock(mutex_);
  if (gaps_.empty() || gaps_.front().from > pair_.position) return {};
  Lost lost = gaps_.front().lost;
  Pair pair = pair_;
  pair.position = gaps_.front().to;
  gaps_.pop_front();
  taken_ = 0;
  write_pair(pair);
  return lost;
}

Spool::GivenUp Spool::give_up(std::vector<char>& buffer) {
  std::lock_guard lock(mutex_);
  Lost lost, missing;
  for (const Gap& gap : gaps_) {
    missing.bytes += gap.lost.bytes;
    missing.lines += gap.lost.lines;
  }
  uint64_t at = pair_.position;
  while (at < end_) {
    if (!gaps_.empty() && at >= gaps_.front().from) {
      at = std::max(at, gaps_.front().to);
      gaps_.pop_front();
      continue;
    }
    uint64_t limit = gaps_.empty() ? end_ : gaps_.front().from;
    size_t length = read_at(at, static_cast<size_t>(std::min<uint64_t>(kLineReach, limit - at)), buffer);
    if (length == 0) break;
    lost.bytes += length;
    lost.lines += count_lines(buffer.data(), length);
    at += length;
  }
  gaps_.clear();
  taken_ = 0;
  Pair pair = pair_;
  pair.position = end_;
  write_pair(pair);
  return {lost, missing};
}

bool Spool::write_pair(const Pair& pair) {
  Head head = {kMagic, pair};
  if (disk_.write_at(file_.get(), reinterpret_cast<const char*>(&head), sizeof head, 0) != sizeof head) return false;
  pair_ = pair;
  return true;
}

// Gives back what is formatted.
void Spool::shrink() {
  if (pair_.position == end_ && gaps_.empty()) {
    if (end_ - kHead < kShrinkAt || ::ftruncate(file_.get(), static_cast<off_t>(kHead)) != 0) return;
    end_ = punched_ = kHead;
    Pair pair = pair_;
    pair.position = kHead;
    write_pair(pair);
    return;
  }
  uint64_t to = pair_.position / kHead * kHead;
  if (to < punched_ + kShrinkAt) return;
#ifdef __APPLE__
  fpunchhole_t hole = {0, 0, static_cast<off_t>(punched_), static_cast<off_t>(to - punched_)};
  ::fcntl(file_.get(), F_PUNCHHOLE, &hole);
#else
  ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(punched_),
              static_cast<off_t>(to - punched_));
#endif
  punched_ = to;
}

}  // namespace hsu::pump

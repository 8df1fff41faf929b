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

struct Head {
  uint64_t magic;
  Spool::Pair pair;
};

}  // namespace

int Spool::open() {
  int fd = disk_.open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fd;
  file_.reset(fd);
  struct stat facts;
  int error = disk_.facts(fd, facts);
  if (error) return error;
  Head head = {};
  bool known = disk_.read_at(fd, reinterpret_cast<char*>(&head), sizeof head, 0) == sizeof head && head.magic == kMagic;
  auto size = static_cast<uint64_t>(facts.st_size);
  if (!known) {
    pair_ = {kHead, 0, 0, 0};
    end_ = std::max(size, kHead);
    if (!commit(pair_)) return -EIO;
    if (size < kHead && ::ftruncate(fd, static_cast<off_t>(kHead)) != 0) return -errno;
    return 0;
  }
  pair_ = head.pair;
  end_ = std::max(size, kHead);
  // It was emptied, and the next commit would have said so.
  if (pair_.position > end_ || pair_.position < kHead) pair_.position = kHead;
  punched_ = kHead;
  return 0;
}

ssize_t Spool::pull(int pipe, size_t most) {
  ssize_t length = disk_.splice(pipe, file_.get(), end_, most);
  if (length == -EINVAL || length == -ENOSYS) {
    buffer_.resize(std::max(buffer_.size(), most));
    length = ::read(pipe, buffer_.data(), most);
    if (length < 0) return -errno;
    if (length > 0) length = disk_.write_at(file_.get(), buffer_.data(), static_cast<size_t>(length), end_);
  }
  if (length > 0) end_ += static_cast<uint64_t>(length);
  return length;
}

Spool::Bytes Spool::read(size_t most) {
  most = std::min(most, waiting());
  if (buffer_.size() < most) buffer_.resize(most);
  ssize_t length = most ? disk_.read_at(file_.get(), buffer_.data(), most, pair_.position) : 0;
  return {buffer_.data(), length > 0 ? static_cast<size_t>(length) : 0};
}

Spool::Bytes Spool::read_last(size_t most) {
  most = std::min(most, waiting());
  if (buffer_.size() < most) buffer_.resize(most);
  ssize_t length = most ? disk_.read_at(file_.get(), buffer_.data(), most, end_ - most) : 0;
  return {buffer_.data(), length > 0 ? static_cast<size_t>(length) : 0};
}

size_t Spool::drop_partial_line() {
  Bytes last = read_last(128 * 1024);
  size_t partial = last.length - whole_lines(last.bytes, last.length);
  if (partial == 0 || ::ftruncate(file_.get(), static_cast<off_t>(end_ - partial)) != 0) return 0;
  end_ -= partial;
  return partial;
}

bool Spool::commit(const Pair& pair) {
  Head head = {kMagic, pair};
  if (disk_.write_at(file_.get(), reinterpret_cast<const char*>(&head), sizeof head, 0) != sizeof head) return false;
  pair_ = pair;
  shrink();
  return true;
}

// Gives back what is formatted.
void Spool::shrink() {
  if (pair_.position - kHead < kShrinkAt || pair_.position - punched_ < kShrinkAt) {
    if (waiting() > 0 || end_ - kHead < kShrinkAt) return;
  }
  if (waiting() == 0) {
    if (::ftruncate(file_.get(), static_cast<off_t>(kHead)) != 0) return;
    pair_.position = end_ = punched_ = kHead;
    commit(pair_);
    return;
  }
  uint64_t from = std::max(punched_, kHead), to = pair_.position / kHead * kHead;
  ::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), static_cast<off_t>(to - from));
  punched_ = to;
}

void Spool::remove() {
  file_.reset();
  disk_.remove(path_.c_str());
}

}  // namespace hsu::pump

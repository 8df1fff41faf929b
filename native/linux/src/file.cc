#include "file.h"

#include <errno.h>
#include <fcntl.h>

#include <array>
#include <mutex>

namespace hsu {

namespace {

// A folder, a file in it and a pidfd.
std::mutex reserve_mutex;
std::array<Fd, 3> reserve;

}  // namespace

void keep_reserve() {
  std::lock_guard lock(reserve_mutex);
  for (Fd& fd : reserve)
    if (!fd) fd = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

void lend_reserve() {
  std::lock_guard lock(reserve_mutex);
  for (Fd& fd : reserve) fd = Fd();
}

ssize_t read_some(int fd, void* buffer, size_t size) {
  ssize_t length;
  do length = ::read(fd, buffer, size);
  while (length < 0 && errno == EINTR);
  return length;
}

std::optional<std::string> read_whole(const char* path, size_t limit) {
  Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string content;
  char chunk[16 * 1024];
  while (content.size() < limit) {
    ssize_t length = read_some(fd.get(), chunk, sizeof chunk);
    if (length < 0) return std::nullopt;
    if (length == 0) break;
    content.append(chunk, static_cast<size_t>(length));
  }
  return content;
}

std::optional<std::string_view> Reader::read(int folder, const char* path) {
  Fd fd(::openat(folder, path, O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  size_t size = 0;
  for (;;) {
    ssize_t length = read_some(fd.get(), buffer_.data() + size, buffer_.size() - size);
    if (length < 0) return std::nullopt;
    size += static_cast<size_t>(length);
    if (length == 0) return std::string_view(buffer_.data(), size);
    if (size == buffer_.size()) buffer_.resize(2 * size);
  }
}

namespace {

ssize_t read_some_at(int fd, void* buffer, size_t size, size_t offset) {
  ssize_t length;
  do length = ::pread(fd, buffer, size, static_cast<off_t>(offset));
  while (length < 0 && errno == EINTR);
  return length;
}

}  // namespace

std::optional<std::string_view> Reader::record_of(int fd) {
  ssize_t length = read_some_at(fd, buffer_.data(), buffer_.size(), 0);
  if (length < 0) return std::nullopt;
  return std::string_view(buffer_.data(), static_cast<size_t>(length));
}

std::optional<std::string_view> Reader::list_of(int fd) {
  // A read gives as many lines as its page holds: one that is far from full was the last.
  constexpr size_t kFarFromFull = 2048;
  size_t size = 0;
  for (;;) {
    size_t room = buffer_.size() - size;
    ssize_t length = read_some_at(fd, buffer_.data() + size, room, size);
    if (length < 0) return std::nullopt;
    auto taken = static_cast<size_t>(length);
    size += taken;
    if (taken == 0 || (taken < kFarFromFull && room >= kFarFromFull)) return std::string_view(buffer_.data(), size);
    if (size == buffer_.size()) buffer_.resize(2 * size);
  }
}

uint64_t take_number(std::string_view& text) {
  size_t at = 0;
  while (at < text.size() && (text[at] < '0' || text[at] > '9')) ++at;
  uint64_t number = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    number = number * 10 + static_cast<uint64_t>(text[at] - '0');
  }
  text.remove_prefix(at);
  return number;
}

std::string_view take_line(std::string_view& text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace hsu

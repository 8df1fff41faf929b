#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "hsu/poller.h"

namespace hsu::pump {

namespace {

size_t available(int pipe) {
  int bytes = 0;
  return ::ioctl(pipe, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<size_t>(bytes) : 0;
}

}  // namespace

char* Scratch::buffer() {
  if (buffer_.empty()) buffer_.resize(kBuffer);
  return buffer_.data();
}

#ifdef HSU_PLAIN_PIPES

namespace {

// A pipe that has ended can be read, too.
bool is_readable(int pipe) {
#ifdef HSU_SELECT
  Poller::Set set;
  set.put(pipe);
  timespec at_once = {0, 0};
  return set.wait(&at_once) > 0;
#else
  pollfd state = {pipe, POLLIN, 0};
  return ::poll(&state, 1, 0) > 0;
#endif
}

}  // namespace

Scratch::Look Scratch::look(int pipe, size_t most) {
  std::string& kept = kept_[pipe];
  while (kept.size() < std::min(most, kBuffer)) {
    char* into = buffer();
    ssize_t length = ::read(pipe, into, std::min(most, kBuffer) - kept.size());
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    kept.append(into, static_cast<size_t>(length));
  }
  size_t length = std::min(kept.size(), most);
  seen_.assign(kept.data(), kept.data() + length);
  if (kept.empty()) kept_.erase(pipe);
  return {seen_.data(), length};
}

ssize_t Scratch::read(int pipe, char* bytes, size_t most) {
  auto kept = kept_.find(pipe);
  if (kept == kept_.end()) return ::read(pipe, bytes, most);
  size_t length = std::min(kept->second.size(), most);
  memcpy(bytes, kept->second.data(), length);
  kept->second.erase(0, length);
  if (kept->second.empty()) kept_.erase(kept);
  return static_cast<ssize_t>(length);
}

size_t Scratch::held(int pipe) {
  auto kept = kept_.find(pipe);
  return available(pipe) + (kept == kept_.end() ? 0 : kept->second.size());
}

Scratch::State Scratch::state(int pipe) {
  if (held(pipe) > 0) return State::bytes;
  if (!is_readable(pipe)) return State::quiet;
  return available(pipe) > 0 ? State::bytes : State::ended;
}

bool Scratch::has_writers(int pipe) { return available(pipe) > 0 || !is_readable(pipe); }

#else

bool Scratch::open() {
  if (out_) return true;
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  out_.reset(fds[0]);
  in_.reset(fds[1]);
  ::fcntl(fds[1], F_SETPIPE_SZ, static_cast<int>(kMost));  // as many pages as the largest channel, where permitted
  return true;
}

Scratch::Look Scratch::look(int pipe, size_t most) {
  if (!open()) return {nullptr, 0};
  ssize_t length;
  do length = ::tee(pipe, in_.get(), std::min(most, kMost), SPLICE_F_NONBLOCK);
  while (length < 0 && errno == EINTR);
  if (length <= 0) return {nullptr, 0};
  if (seen_.size() < static_cast<size_t>(length)) seen_.resize(static_cast<size_t>(length));
  size_t got = 0;
  while (got < static_cast<size_t>(length)) {
    ssize_t some = ::read(out_.get(), seen_.data() + got, static_cast<size_t>(length) - got);
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) break;
    got += static_cast<size_t>(some);
  }
  return {seen_.data(), got};
}

ssize_t Scratch::read(int pipe, char* bytes, size_t most) { return ::read(pipe, bytes, most); }

size_t Scratch::held(int pipe) { return available(pipe); }

Scratch::State Scratch::state(int pipe) {
  pollfd state = {pipe, POLLIN, 0};
  ::poll(&state, 1, 0);
  if (state.revents & POLLIN) return State::bytes;
  return state.revents & POLLHUP ? State::ended : State::quiet;
}

bool Scratch::has_writers(int pipe) {
  pollfd state = {pipe, 0, 0};
  ::poll(&state, 1, 0);
  return !(state.revents & POLLHUP);
}

#endif

}  // namespace hsu::pump

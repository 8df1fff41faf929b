#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace hsu::pump {

bool Scratch::open() {
  if (out_) return true;
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  out_.reset(fds[0]);
  in_.reset(fds[1]);
  ::fcntl(fds[1], F_SETPIPE_SZ, static_cast<int>(kMost));  // as many pages as the largest channel, where permitted
  return true;
}

char* Scratch::buffer() {
  if (buffer_.empty()) buffer_.resize(kBuffer);
  return buffer_.data();
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

}  // namespace hsu::pump

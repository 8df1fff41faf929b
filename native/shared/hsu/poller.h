#pragma once

// Waits until one of many pipes has bytes or has ended, or somebody wakes. By epoll; with HSU_SELECT, as on macOS, by select: there
// neither kqueue nor poll tells that a FIFO has ended. One thread waits, any may add and wake.

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#define HSU_SELECT
#endif

#ifdef HSU_SELECT
#include <sys/select.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>
#else
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif

#include "hsu/fd.h"
#include "hsu/result.h"

namespace hsu {

class Poller {
 public:
  static constexpr uint64_t kWoken = ~0ull;

  struct Ready {
    uint64_t token;  // kWoken: somebody called wake
    bool has_bytes;  // false: it has ended
  };

  SystemError open();  // error 0: it is
  int add(int fd, uint64_t token);  // 0 or errno
  void remove(int fd);
  // How many are ready, at most `most`; -1 waits for ever. Who is ready is told again until it was read.
  int wait(Ready* ready, int most, int milliseconds);

  void wake();
  void hear();                         // takes what woke
  void await_wake(const timespec* most);  // null: for ever

#ifndef HSU_SELECT

 private:
  Fd epoll_, signal_;
};

inline SystemError Poller::open() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return {"epoll_create1", errno};
  signal_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!signal_) return {"eventfd", errno};
  return {"epoll_ctl", add(signal_.get(), kWoken)};
}

inline int Poller::add(int fd, uint64_t token) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = token;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

inline void Poller::remove(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

inline int Poller::wait(Ready* ready, int most, int milliseconds) {
  constexpr int kBatch = 64;
  epoll_event events[kBatch];
  int count = ::epoll_wait(epoll_.get(), events, most < kBatch ? most : kBatch, milliseconds);
  for (int at = 0; at < count; ++at) ready[at] = {events[at].data.u64, (events[at].events & EPOLLIN) != 0};
  return count;
}

inline void Poller::wake() {
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(signal_.get(), &one, sizeof one);
}

inline void Poller::hear() {
  uint64_t ignored;
  [[maybe_unused]] ssize_t length = ::read(signal_.get(), &ignored, sizeof ignored);
}

inline void Poller::await_wake(const timespec* most) {
  pollfd state = {signal_.get(), POLLIN, 0};
  ::ppoll(&state, 1, most, nullptr);
}

#else

  // A set of descriptors without a bound: the system reads as many bits as it is told.
  class Set {
   public:
    void put(int fd) {
      size_t word = static_cast<size_t>(fd) / kBits;
      if (words_.size() <= word) words_.resize(word + kRoom);
      words_[word] |= uint32_t{1} << (fd % kBits);
      most_ = std::max(most_, fd);
    }
    bool has(int fd) const {
      size_t word = static_cast<size_t>(fd) / kBits;
      return word < words_.size() && (words_[word] >> (fd % kBits) & 1);
    }
    // How many of them can be read without waiting; what is not ready is taken out. Negative: errno says why.
    int wait(const timespec* most) {
      timeval time = {};
      if (most) time = {most->tv_sec, static_cast<decltype(time.tv_usec)>((most->tv_nsec + 999) / 1000)};
      return ::select(most_ + 1, reinterpret_cast<fd_set*>(words_.data()), nullptr, nullptr, most ? &time : nullptr);
    }

   private:
    static constexpr int kBits = 32;
    static constexpr size_t kRoom = sizeof(fd_set) / sizeof(uint32_t);  // never less than the system's own
    std::vector<uint32_t> words_ = std::vector<uint32_t>(kRoom);
    int most_ = -1;
  };

 private:
  void drop_closed();

  Fd reader_, writer_;
  std::mutex mutex_;
  std::map<int, uint64_t> tokens_;
  int last_ = -1;  // who was told last: the next call begins behind it
};

inline SystemError Poller::open() {
  int fds[2];
  if (::pipe(fds) != 0) return {"pipe", errno};
  reader_.reset(fds[0]);
  writer_.reset(fds[1]);
  for (int fd : fds) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || ::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return {"fcntl", errno};
  }
  return {"pipe", 0};
}

inline int Poller::add(int fd, uint64_t token) {
  {
    std::lock_guard lock(mutex_);
    tokens_[fd] = token;
  }
  wake();
  return 0;
}

inline void Poller::remove(int fd) {
  std::lock_guard lock(mutex_);
  tokens_.erase(fd);
}

inline int Poller::wait(Ready* ready, int most, int milliseconds) {
  Set set;
  std::map<int, uint64_t> tokens;
  {
    std::lock_guard lock(mutex_);
    tokens = tokens_;
  }
  set.put(reader_.get());
  for (auto& [fd, token] : tokens) set.put(fd);
  timespec time = {milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  int found = set.wait(milliseconds < 0 ? nullptr : &time);
  if (found < 0 && errno == EBADF) drop_closed();
  if (found <= 0) return found;
  int count = 0;
  if (set.has(reader_.get())) ready[count++] = {kWoken, true};
  auto look = [&](auto from, auto to) {
    for (; from != to && count < most; ++from) {
      if (!set.has(from->first)) continue;
      int bytes = 0;
      ready[count++] = {from->second, ::ioctl(from->first, FIONREAD, &bytes) != 0 || bytes > 0};
      last_ = from->first;
    }
  };
  auto middle = tokens.upper_bound(last_);
  look(middle, tokens.end());
  look(tokens.begin(), middle);
  return count;
}

inline void Poller::drop_closed() {
  std::lock_guard lock(mutex_);
  std::erase_if(tokens_, [](const auto& one) { return ::fcntl(one.first, F_GETFD) < 0; });
}

inline void Poller::wake() {
  [[maybe_unused]] ssize_t written = ::write(writer_.get(), "", 1);
}

inline void Poller::hear() {
  char ignored[64];
  while (::read(reader_.get(), ignored, sizeof ignored) == sizeof ignored) {
  }
}

inline void Poller::await_wake(const timespec* most) {
  Set set;
  set.put(reader_.get());
  set.wait(most);
}

#endif

}  // namespace hsu

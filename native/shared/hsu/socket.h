#pragma once

// Sockets that no other program inherits, and that raise no SIGPIPE.

#include <fcntl.h>
#include <sys/socket.h>

#include "hsu/fd.h"

namespace hsu {

#ifdef __APPLE__

// Of sendmsg; here the socket itself has it.
constexpr int kNoSignal = 0;

inline bool settle_socket(int fd) {
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

inline Fd open_socket(int domain, int type, bool waits = true) {
  Fd fd(::socket(domain, type, 0));
  if (!fd || !settle_socket(fd.get())) return Fd();
  if (!waits && ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return Fd();
  return fd;
}

#else

constexpr int kNoSignal = MSG_NOSIGNAL;

inline Fd open_socket(int domain, int type, bool waits = true) {
  return Fd(::socket(domain, type | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0));
}

#endif

}  // namespace hsu

#pragma once

// Datagrams to sockets of this machine, as /dev/log is: Node has none.

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "hsu/fd.h"

namespace hsu {

// Never waits. 0, or an errno: EAGAIN where the receiver is behind.
inline int send_datagram(const std::string& path, const void* bytes, size_t length) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  memcpy(address.sun_path, path.data(), path.size());
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  ssize_t sent;
  do {
    sent = ::sendto(fd.get(), bytes, length, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), sizeof address);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

}  // namespace hsu

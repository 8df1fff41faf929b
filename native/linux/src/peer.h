#pragma once

// Who is at the other end of a unix socket: Node does not tell.

#include <errno.h>
#include <sys/socket.h>

#include "hsu/result.h"

namespace hsu {

// As they were when the connection was made.
inline Result<ucred> peer_of(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return SystemError{"getsockopt", errno};
  // A socket that is no unix socket has no peer of this machine.
  if (peer.pid == 0 && peer.uid == static_cast<uid_t>(-1)) return SystemError{"getsockopt", ENOTCONN};
  return peer;
}

}  // namespace hsu

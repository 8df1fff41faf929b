#pragma once

// Who is at the other end of a unix socket: Node does not tell.

#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "hsu/result.h"

namespace hsu {

struct Peer {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};

// As they were when the connection was made; the pid is that of who used it last.
inline Result<Peer> peer_of(int fd) {
  Peer peer = {};
  if (::getpeereid(fd, &peer.uid, &peer.gid) != 0) return SystemError{"getpeereid", errno};
  socklen_t length = sizeof peer.pid;
  if (::getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &peer.pid, &length) != 0) return SystemError{"getsockopt", errno};
  return peer;
}

}  // namespace hsu

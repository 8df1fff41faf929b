#include "sockets.h"

#include <errno.h>

namespace hsu {

int list_descriptors(pid_t pid, std::vector<proc_fdinfo>& found) {
  for (size_t room = 64;; room *= 2) {
    found.resize(room);
    errno = 0;
    int size = ::proc_pidinfo(pid, PROC_PIDLISTFDS, 0, found.data(), static_cast<int>(room * sizeof(proc_fdinfo)));
    // Without an error it has none open.
    if (size <= 0) {
      found.clear();
      return errno;
    }
    auto count = static_cast<size_t>(size) / sizeof(proc_fdinfo);
    if (count == room) continue;
    found.resize(count);
    return 0;
  }
}

std::optional<socket_info> socket_of(pid_t pid, int fd) {
  socket_fdinfo info = {};
  int size = ::proc_pidfdinfo(pid, fd, PROC_PIDFDSOCKETINFO, &info, sizeof info);
  if (size < static_cast<int>(sizeof info)) return std::nullopt;
  return info.psi;
}

double count_connections(pid_t pid, const std::vector<proc_fdinfo>& open) {
  double count = 0;
  for (const proc_fdinfo& one : open) {
    if (one.proc_fdtype != PROX_FDTYPE_SOCKET) continue;
    auto socket = socket_of(pid, one.proc_fd);
    if (!socket || socket->soi_kind != SOCKINFO_TCP) continue;
    int state = socket->soi_proto.pri_tcp.tcpsi_state;
    if (state != TSI_S_CLOSED && state != TSI_S_LISTEN && state != TSI_S_TIME_WAIT) count += 1;
  }
  return count;
}

}  // namespace hsu

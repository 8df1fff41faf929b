#pragma once

// Datagrams to sockets of this machine, as /dev/log is: Node has none.

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "hsu/fd.h"
#include "hsu/socket.h"

namespace hsu {

// A path, or with @ before it a name without a file. 0: too long.
inline socklen_t unix_address(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return 0;
  memcpy(address.sun_path, path.data(), path.size());
  if (path.empty() || path[0] != '@') return sizeof address;
  address.sun_path[0] = 0;
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
}

// With a descriptor of `file`, opened for reading only, unless that is empty: who gets it keeps what is in a FIFO, and is no writer.
// Never waits. 0, or an errno: EAGAIN where the receiver is behind.
inline int send_datagram(const std::string& path, const void* bytes, size_t length, const std::string& file) {
  sockaddr_un address;
  socklen_t address_length = unix_address(path, address);
  if (address_length == 0) return ENAMETOOLONG;
  Fd fd = open_socket(AF_UNIX, SOCK_DGRAM, false);
  if (!fd) return errno;
  iovec part = {const_cast<void*>(bytes), length};
  msghdr message = {};
  message.msg_name = &address;
  message.msg_namelen = address_length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Fd passed;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (!file.empty()) {
    passed.reset(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (!passed) return errno;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int number = passed.get();
    memcpy(CMSG_DATA(header), &number, sizeof number);
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(fd.get(), &message, kNoSignal);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

}  // namespace hsu

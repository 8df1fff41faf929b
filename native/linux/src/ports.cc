#include "ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "hsu/socket.h"

namespace hsu {

namespace {

// An address of the loopback network that nobody else uses.
constexpr uint32_t kOurLoopback = 0x7f535548;  // 127.83.85.72

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address ipv4(uint32_t address, uint16_t port) {
  Address result;
  auto* in = reinterpret_cast<sockaddr_in*>(&result.storage);
  in->sin_family = AF_INET;
  in->sin_port = htons(port);
  in->sin_addr.s_addr = htonl(address);
  result.size = sizeof *in;
  return result;
}

Address ipv6_any(uint16_t port) {
  Address result;
  auto* in = reinterpret_cast<sockaddr_in6*>(&result.storage);
  in->sin6_family = AF_INET6;
  in->sin6_port = htons(port);
  in->sin6_addr = in6addr_any;
  result.size = sizeof *in;
  return result;
}

bool allow(const Fd& fd, int option) {
  int on = 1;
  return ::setsockopt(fd.get(), SOL_SOCKET, option, &on, sizeof on) == 0;
}

Result<Fd> bound(const Address& where, bool shared) {
  Fd fd = open_socket(where.get()->sa_family, SOCK_STREAM);
  if (!fd) return SystemError{"socket", errno};
  int off = 0;
  if (where.get()->sa_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (shared && !allow(fd, SO_REUSEADDR)) return SystemError{"setsockopt", errno};
  if (::bind(fd.get(), where.get(), where.size) != 0) return SystemError{"bind", errno};
  return fd;
}

// On all addresses of both families, or of IPv4 where this system has nothing else.
Result<Fd> bound_everywhere(uint16_t port, bool shared) {
  auto both = bound(ipv6_any(port), shared);
  if (both || (both.error().error != EAFNOSUPPORT && both.error().error != EADDRNOTAVAIL)) return both;
  return bound(ipv4(INADDR_ANY, port), shared);
}

// What is left of closed connections (TIME_WAIT) refuses who does not share. Who shares gets a port that another master holds, too;
// but nobody who does not share gets an address of that port.
Result<Fd> bound_after_predecessor(uint16_t port) {
  auto sole = bound(ipv4(kOurLoopback, port), false);
  if (!sole) return sole;
  if (!allow(*sole, SO_REUSEADDR)) return SystemError{"setsockopt", errno};
  return bound_everywhere(port, true);
}

uint16_t port_of(const Fd& fd) {
  Address address;
  address.size = sizeof address.storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) return 0;
  // The port lies in the same place in both families.
  return ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
}

}  // namespace

Result<Reservation> reserve_port(uint16_t port) {
  auto fd = bound_everywhere(port, false);
  if (!fd && port != 0 && fd.error().error == EADDRINUSE) fd = bound_after_predecessor(port);
  if (!fd) return fd.error();
  // Not before: it would have shared the port with whoever shares.
  if (!allow(*fd, SO_REUSEADDR) || !allow(*fd, SO_REUSEPORT)) return SystemError{"setsockopt", errno};
  uint16_t got = port_of(*fd);
  return Reservation{std::move(*fd), got};
}

Result<Fd> listen_on(const ListenAddress& where) {
  Address address = ipv4(0, where.port);
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (::inet_pton(AF_INET, where.address.c_str(), &four->sin_addr) != 1) {
    address = ipv6_any(where.port);
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (::inet_pton(AF_INET6, where.address.c_str(), &six->sin6_addr) != 1) return SystemError{"inet_pton", EINVAL};
  }
  auto fd = bound(address, true);
  if (!fd) return fd;
  if (::listen(fd->get(), SOMAXCONN) != 0) return SystemError{"listen", errno};
  return fd;
}

}  // namespace hsu

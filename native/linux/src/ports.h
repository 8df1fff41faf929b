#pragma once

#include <cstdint>
#include <string>

#include "hsu/fd.h"
#include "hsu/result.h"

namespace hsu {

struct Reservation {
  Fd fd;
  uint16_t port;
};

// Holds a TCP port, 0: any that is free, on all addresses of this machine: the kernel gives it to nobody who does not ask for
// this very number. A program that sets SO_REUSEADDR or SO_REUSEPORT (any server that wants to be restarted does) may bind and
// listen on it meanwhile. EADDRINUSE: somebody has it, or holds it like this.
Result<Reservation> reserve_port(uint16_t port);

struct ListenAddress {
  std::string address;  // IPv4 or IPv6
  uint16_t port;
};

// A listening socket, also where the port is held as above.
Result<Fd> listen_on(const ListenAddress& where);

}  // namespace hsu

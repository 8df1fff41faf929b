#pragma once

// Who listens where, and who is connected to how many.

#include <cstdint>
#include <string>
#include <vector>

#include "hsu/result.h"
#include "win.h"

namespace hsu {

struct Listener {
  DWORD pid;
  int protocol;  // 6 TCP, 17 UDP
  int port;
  std::string address;
};

Result<std::vector<Listener>> read_listeners();

// The pids of all TCP connections that are being made or stand, each as often as it has any.
Result<std::vector<DWORD>> read_connections();

}  // namespace hsu

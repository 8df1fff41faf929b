#pragma once

// The process table with what tells processes apart for people: names, arguments, places, users, environments, the
// ports they listen on and the files they have open. Only what is asked for is read.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hsu/result.h"

namespace hsu {

struct LookQuery {
  std::optional<std::vector<pid_t>> pids;  // none: all
  bool argv = false, exe = false, cwd = false, user = false, environment = false;
  bool all_ports = false;
  std::vector<std::pair<int, int>> ports;  // IPPROTO_TCP or IPPROTO_UDP, and the port
  std::vector<std::string> files;          // paths as the system has them, also of unix sockets
};

// A socket that waits for connections, or a bound one of UDP, in the network namespace of the master.
struct ListeningSocket {
  int protocol, family;  // IPPROTO_…, 4 or 6
  int port;
  uint64_t inode;
  std::string address;  // as the system's table has it: hexadecimal words
};

// NaN: not asked for. Negative: the errno of the attempt.
struct LookRow {
  double pid, ppid, start_time, state, flags, user;
  // Of their texts, which follow one another in `texts` in this order.
  double name_length, argv_length, exe_length, cwd_length, environment_length;
  double descriptors;  // 0: its open files were looked at
};

struct Look {
  std::vector<LookRow> rows;
  std::string texts;
  std::vector<ListeningSocket> sockets;
  std::vector<std::pair<size_t, size_t>> listens;  // row and socket
  std::vector<std::pair<size_t, size_t>> holds;    // row and file
  bool hidden = false;                             // processes of others are not shown: hidepid
};

Result<Look> look_at_processes(const LookQuery& query);

}  // namespace hsu

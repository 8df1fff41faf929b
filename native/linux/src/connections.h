#pragma once

// TCP connections of processes: their sockets, looked up in the tables of their network namespaces, each read once.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "file.h"

namespace hsu {

class Connections {
 public:
  Connections(int proc, Reader& reader) : proc_(proc), reader_(reader) {}

  // NaN: not ours to see. A connection of several processes counts for each; what listens, is closed or only waits out
  // its last packets does not count.
  double count(pid_t pid);

 private:
  using Inodes = std::unordered_set<uint64_t>;
  using Namespace = std::pair<uint64_t, uint64_t>;  // device and inode

  bool list_sockets(pid_t pid);
  const Inodes& connected(pid_t pid, Namespace space);
  void read_table(pid_t pid, const char* name, Inodes& inodes);

  int proc_;
  Reader& reader_;
  std::vector<uint64_t> sockets_;
  std::map<Namespace, Inodes> connected_;
};

}  // namespace hsu

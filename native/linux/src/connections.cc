#include "connections.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>

namespace hsu {

namespace {

constexpr size_t kPathSize = 48;

// <net/tcp_states.h>, where a connection is being made, stands, or has one side open still.
bool is_connection(uint64_t state) {
  constexpr uint64_t kTimeWait = 6, kClose = 7, kListen = 10;
  return state >= 1 && state < 12 && state != kTimeWait && state != kClose && state != kListen;
}

std::string_view take_word(std::string_view& line) {
  size_t begin = std::min(line.find_first_not_of(' '), line.size());
  size_t end = std::min(line.find(' ', begin), line.size());
  std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

}  // namespace

double Connections::count(pid_t pid) {
  char path[kPathSize];
  struct stat space;
  ::snprintf(path, sizeof path, "%d/ns/net", pid);
  if (::fstatat(proc_, path, &space, 0) != 0 || !list_sockets(pid)) return NAN;
  if (sockets_.empty()) return 0;
  const Inodes& inodes = connected(pid, {space.st_dev, space.st_ino});
  return static_cast<double>(
      std::count_if(sockets_.begin(), sockets_.end(), [&](uint64_t socket) { return inodes.contains(socket); }));
}

// Sockets that a process has open, each once.
bool Connections::list_sockets(pid_t pid) {
  sockets_.clear();
  char path[kPathSize];
  ::snprintf(path, sizeof path, "%d/fd", pid);
  int fd = ::openat(proc_, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = fd < 0 ? nullptr : ::fdopendir(fd);
  if (!entries) return false;
  char target[64];
  constexpr std::string_view kKind = "socket:[";
  while (dirent* entry = ::readdir(entries)) {
    ssize_t length = ::readlinkat(fd, entry->d_name, target, sizeof target);
    if (length <= 0) continue;
    std::string_view link(target, static_cast<size_t>(length));
    if (link.starts_with(kKind)) sockets_.push_back(take_number(link));
  }
  ::closedir(entries);
  std::sort(sockets_.begin(), sockets_.end());
  sockets_.erase(std::unique(sockets_.begin(), sockets_.end()), sockets_.end());
  return true;
}

const Connections::Inodes& Connections::connected(pid_t pid, Namespace space) {
  auto [found, fresh] = connected_.try_emplace(space);
  if (fresh) {
    read_table(pid, "net/tcp", found->second);
    read_table(pid, "net/tcp6", found->second);
  }
  return found->second;
}

// "sl local remote st tx:rx tr:when retransmits uid timeout inode …": the fourth and the tenth word.
void Connections::read_table(pid_t pid, const char* name, Inodes& inodes) {
  char path[kPathSize];
  ::snprintf(path, sizeof path, "%d/%s", pid, name);
  auto table = reader_.read(proc_, path);
  if (!table) return;
  take_line(*table);
  while (!table->empty()) {
    std::string_view line = take_line(*table);
    for (int word = 0; word < 3; ++word) take_word(line);
    std::string_view state = take_word(line);
    uint64_t number = 0;
    for (char digit : state) number = number * 16 + static_cast<uint64_t>(digit <= '9' ? digit - '0' : digit - 'A' + 10);
    if (!is_connection(number)) continue;
    for (int word = 0; word < 5; ++word) take_word(line);
    if (uint64_t inode = take_number(line)) inodes.insert(inode);
  }
}

}  // namespace hsu

#pragma once

// Bytes between their channel and their formatting: they arrive by splice, so that a kill leaves each in one of the two,
// and leave when a committed pair says so: up to where they are formatted, and how long the log was then. Whoever comes
// after a kill cuts the log to that length and formats on.

#include <cstdint>
#include <string>
#include <vector>

#include "disk.h"
#include "hsu/fd.h"

namespace hsu::pump {

class Spool {
 public:
  static constexpr size_t kMost = 4 * 1024 * 1024;  // bytes that wait

  struct Pair {
    uint64_t position;  // of the first byte that is not formatted
    uint64_t device, inode, length;  // of the log; inode 0: none yet
  };

  Spool(std::string path, Disk& disk) : path_(std::move(path)), disk_(disk) {}

  int open();  // makes it, or takes what an earlier process left: 0 or a negative errno
  bool is_open() const { return static_cast<bool>(file_); }
  ssize_t pull(int pipe, size_t most);  // as Disk::splice; copies where that is refused
  size_t waiting() const { return static_cast<size_t>(end_ - pair_.position); }

  struct Bytes {
    const char* bytes;
    size_t length;
  };
  Bytes read(size_t most);  // from the first that waits; valid until the next call

  // The newest waiting bytes, from the end on, as `read`.
  Bytes read_last(size_t most);
  size_t drop_partial_line();  // at the end; answers its bytes

  const Pair& pair() const { return pair_; }
  bool commit(const Pair& pair);
  void remove();

 private:
  void shrink();

  const std::string path_;
  Disk& disk_;
  Fd file_;
  Pair pair_ = {0, 0, 0, 0};
  uint64_t end_ = 0, punched_ = 0;
  std::vector<char> buffer_;
};

}  // namespace hsu::pump

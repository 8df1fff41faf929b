#pragma once

// Bytes between their channel and their formatting: they arrive by splice, so that a kill leaves each in one of the two,
// and leave when a committed pair says so: up to where they are formatted, and how long the log was then. Whoever comes
// after a kill cuts the log to that length and formats on. One thread fills it, another empties it.

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "disk.h"
#include "hsu/fd.h"
#include "scratch.h"

namespace hsu::pump {

class Spool {
 public:
  static constexpr size_t kMost = 4 * 1024 * 1024;  // bytes that wait

  struct Pair {
    uint64_t position;               // of the first byte that is not formatted
    uint64_t device, inode, length;  // of the log; inode 0: none yet
  };
  struct Lost {
    uint64_t bytes = 0, lines = 0;
  };

  Spool(std::string path, Disk& disk) : path_(std::move(path)), disk_(disk) {}

  int open();  // makes it, or takes what an earlier process left: 0 or a negative errno
  bool is_open() const { return static_cast<bool>(file_); }
  size_t waiting() const;
  void remove();

  // Of who fills it.
  // As Disk::splice, but it copies where that is refused; the bytes are in the buffer, too.
  ssize_t pull(int pipe, size_t most, std::vector<char>& buffer, Scratch& scratch);
  // So much did not get in. Answers how many bytes of their first line had, and are taken out.
  uint64_t drop_newest(Lost lost, std::vector<char>& buffer);
  Lost drop_oldest(size_t most, std::vector<char>& buffer);  // whole lines

  // Of who empties it.
  struct Batch {
    size_t length;    // in the buffer, from the front on
    bool before_gap;  // behind it something is missing
    bool is_last;     // behind it is nothing now
    bool missing;     // in place of bytes: see `pass`
  };
  Batch take(size_t most, std::vector<char>& buffer);
  Pair pair() const;
  bool note_file(uint64_t device, uint64_t inode, uint64_t length);  // it is another than before
  bool commit(const Pair& pair);
  Lost pass();  // over what is missing at the front
  struct GivenUp {
    Lost waiting, missing;
  };
  GivenUp give_up(std::vector<char>& buffer);  // everything

 private:
  struct Gap {
    uint64_t from, to;
    Lost lost;
  };
  size_t waiting_now() const;
  size_t read_at(uint64_t at, size_t most, std::vector<char>& buffer);
  bool write_pair(const Pair& pair);
  void shrink();

  const std::string path_;
  Disk& disk_;
  Fd file_;
  mutable std::mutex mutex_;
  Pair pair_ = {0, 0, 0, 0};
  uint64_t end_ = 0, punched_ = 0;
  uint64_t taken_ = 0;  // bytes from the front that are being written
  std::deque<Gap> gaps_;
};

}  // namespace hsu::pump

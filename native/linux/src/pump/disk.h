#pragma once

// The calls by which the pump meets a file system. Virtual for the sake of tests that let a disk fail as real ones cannot
// be made to. Each answers bytes, a descriptor or 0, or a negative errno.

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>

namespace hsu::pump {

class Disk {
 public:
  virtual ~Disk() = default;

  // Out of a pipe, without waiting for it, to a place in a file. 0: the pipe has ended.
  virtual ssize_t splice(int pipe, int file, uint64_t at, size_t most);
  virtual ssize_t write(int file, const char* bytes, size_t length);
  virtual ssize_t write_at(int file, const char* bytes, size_t length, uint64_t at);
  virtual ssize_t read_at(int file, char* bytes, size_t length, uint64_t at);
  virtual int open(const char* path, int flags, mode_t mode);
  virtual int rename(const char* from, const char* to);
  virtual int remove(const char* path);
  virtual int facts(int file, struct stat& facts);
  virtual int facts(const char* path, struct stat& facts);
};

int make_folder_of(const char* path);  // and its parents, mode 0750; 0 or a negative errno

}  // namespace hsu::pump

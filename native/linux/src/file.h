#pragma once

// Reading small files of /proc and of cgroups, and the numbers in them.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hsu/fd.h"

namespace hsu {

ssize_t read_some(int fd, void* buffer, size_t size);  // read, whatever signals come

// The first `limit` bytes at least, where there are as many. None leaves errno.
std::optional<std::string> read_whole(const char* path, size_t limit);

// One buffer for many files. What a read returns is valid until the next.
class Reader {
 public:
  std::optional<std::string_view> read(int folder, const char* path);

  // From the beginning of an open file, with one read: for what the kernel shows as a whole.
  std::optional<std::string_view> record_of(int fd);

  // From the beginning of an open file to its end.
  std::optional<std::string_view> list_of(int fd);

 private:
  std::vector<char> buffer_ = std::vector<char>(16 * 1024);
};

// Takes a decimal number from the front, what precedes it skipped. 0 where there is none.
uint64_t take_number(std::string_view& text);

// Takes a line from the front, without its end.
std::string_view take_line(std::string_view& text);

}  // namespace hsu

#pragma once

// Reading small files of /proc and of cgroups, and the numbers in them.

#include <errno.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hsu/fd.h"

namespace hsu {

// Nothing was learned about what was to be opened: no descriptor or memory is free.
inline bool is_shortage(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

// Descriptors that are given up for as long as a look at processes takes which found none free: a supervisor that sees nobody
// would take everybody for gone.
void keep_reserve();  // filled again where it was lent
void lend_reserve();  // until the next keep_reserve

template <typename Read>
auto with_reserve(Read read) {
  errno = 0;
  auto result = read();
  if (result || errno != EMFILE) return result;
  lend_reserve();
  errno = 0;
  result = read();
  int error = errno;
  keep_reserve();
  errno = error;
  return result;
}

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

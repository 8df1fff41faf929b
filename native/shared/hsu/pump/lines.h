#pragma once

// Looking at bytes as lines: how many end in them, and where the last one ends.

#include <cstddef>
#include <cstring>

namespace hsu::pump {

// A plain loop: compilers make vector code of it.
inline size_t count_lines(const char* bytes, size_t length) {
  size_t count = 0;
  for (size_t at = 0; at < length; ++at) count += bytes[at] == '\n';
  return count;
}

// Bytes up to and with the last line end; 0 where there is none.
inline size_t whole_lines(const char* bytes, size_t length) {
#ifdef __linux__
#ifdef __APPLE__
  const void* found = nullptr;
  for (size_t at = length; at > 0 && !found; --at) {
    if (bytes[at - 1] == '\n') found = bytes + at - 1;
  }
#else
  const void* found = ::memrchr(bytes, '\n', length);
#endif
  return found ? static_cast<size_t>(static_cast<const char*>(found) - bytes) + 1 : 0;
#else
  while (length > 0 && bytes[length - 1] != '\n') --length;
  return length;
#endif
}

// Bytes up to and with the first line end; 0 where there is none.
inline size_t first_line(const char* bytes, size_t length) {
  const void* found = ::memchr(bytes, '\n', length);
  return found ? static_cast<size_t>(static_cast<const char*>(found) - bytes) + 1 : 0;
}

}  // namespace hsu::pump

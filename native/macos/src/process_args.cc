#include "process_args.h"

#include <string.h>

#include <cstdint>

namespace hsu {

namespace {

// The length of so many texts, each with its NUL; fewer where there are fewer.
size_t length_of(std::string_view bytes, size_t count) {
  size_t length = 0;
  for (; count > 0; --count) {
    size_t end = bytes.find('\0', length);
    if (end == std::string_view::npos) break;
    length = end + 1;
  }
  return length;
}

}  // namespace

std::optional<ProcessArgs> parse_process_args(std::string_view bytes) {
  int32_t count = 0;
  if (bytes.size() <= sizeof count) return std::nullopt;
  memcpy(&count, bytes.data(), sizeof count);
  if (count < 0) return std::nullopt;
  bytes.remove_prefix(sizeof count);
  ProcessArgs found;
  size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  found.program = bytes.substr(0, end);
  // Filled up with NULs to a multiple of the word. An empty first argument cannot be told from these.
  size_t begin = bytes.find_first_not_of('\0', end);
  if (begin == std::string_view::npos) return found;
  bytes.remove_prefix(begin);
  size_t arguments = length_of(bytes, static_cast<size_t>(count));
  found.arguments = bytes.substr(0, arguments);
  bytes.remove_prefix(arguments);
  // The environment ends with an empty text; what follows is the kernel's own.
  size_t length = 0;
  while (length < bytes.size() && bytes[length] != '\0') {
    size_t next = bytes.find('\0', length);
    if (next == std::string_view::npos) break;
    length = next + 1;
  }
  found.environment = bytes.substr(0, length);
  return found;
}

std::optional<std::string_view> variable_of(std::string_view environment, std::string_view name) {
  while (!environment.empty()) {
    size_t end = environment.find('\0');
    std::string_view entry = environment.substr(0, end);
    environment.remove_prefix(end == std::string_view::npos ? environment.size() : end + 1);
    if (entry.size() > name.size() && entry.substr(0, name.size()) == name && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

}  // namespace hsu

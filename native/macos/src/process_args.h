#pragma once

// What sysctl(KERN_PROCARGS2) tells of a process: the number of its arguments, its program's path, arguments, environment. Parsing
// only, on any system.

#include <optional>
#include <string_view>

namespace hsu {

struct ProcessArgs {
  std::string_view program;      // as it was given to exec
  std::string_view arguments;    // each followed by NUL, as is the environment
  std::string_view environment;  // empty also where the system does not show it
};

// None where the bytes are not what they should be; a text that the system has cut off is left out.
std::optional<ProcessArgs> parse_process_args(std::string_view bytes);

// The value of one variable, the first of that name.
std::optional<std::string_view> variable_of(std::string_view environment, std::string_view name);

}  // namespace hsu

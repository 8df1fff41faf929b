#pragma once

// What one process says of itself: command line, image, directory, environment, user.

#include <optional>
#include <string>
#include <vector>

#include "hsu/result.h"
#include "win.h"

namespace hsu {

// What is to be read. What is not asked for costs nothing.
struct LookQuery {
  bool command_line = false, image = false, directory = false, environment = false, user = false;
};

// One text, or why it could not be read; neither where it was not asked for.
struct LookText {
  std::optional<std::wstring> text;
  DWORD error = 0;
};

struct Look {
  uint64_t start_time = 0;  // 0: gone, or not to be opened at all
  LookText command_line, image, directory;
  LookText environment;  // variables that each end with a NUL
  LookText user;         // its security identifier
};

Look look_at(DWORD pid, const LookQuery& query);

}  // namespace hsu

#pragma once

// Looks at what a pipe holds without taking it: tee puts references to its pages into a pipe of our own.

#include <cstddef>
#include <vector>

#include "hsu/fd.h"

namespace hsu::pump {

class Scratch {
 public:
  static constexpr size_t kMost = 1024 * 1024;

  struct Look {
    const char* bytes;
    size_t length;
  };
  // Up to `most` bytes from the front; valid until the next look. Nothing where the system refuses.
  Look look(int pipe, size_t most);

  // A buffer for whoever needs one for a moment.
  static constexpr size_t kBuffer = 64 * 1024;
  char* buffer();

 private:
  bool open();
  Fd in_, out_;
  std::vector<char> seen_;
  std::vector<char> buffer_;
};

}  // namespace hsu::pump

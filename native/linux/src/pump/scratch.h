#pragma once

// Looks at what a pipe holds without taking it: tee puts references to its pages into a pipe of our own. With HSU_PLAIN_PIPES, as
// on macOS, there is nothing like it: what was looked at was read, at most a buffer, and is kept for who reads next.

#include <sys/types.h>

#include <cstddef>
#include <vector>

#ifdef __APPLE__
#define HSU_PLAIN_PIPES
#endif

#ifdef HSU_PLAIN_PIPES
#include <map>
#include <string>
#endif

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

  // As ::read, of a pipe that never waits.
  ssize_t read(int pipe, char* bytes, size_t most);
  size_t held(int pipe);  // bytes that can be read
  enum class State { bytes, quiet, ended };
  State state(int pipe);
  bool has_writers(int pipe);  // asked when nothing is left to be looked at

  // A buffer for whoever needs one for a moment.
  static constexpr size_t kBuffer = 64 * 1024;
  char* buffer();

#ifdef HSU_PLAIN_PIPES
  static constexpr bool kPlain = true;
  bool keeps(int pipe) const { return kept_.count(pipe) > 0; }
  bool keeps_any() const { return !kept_.empty(); }
  void forget(int pipe) { kept_.erase(pipe); }
  bool put_back(int pipe, const char* bytes, size_t length) { return kept_[pipe].insert(0, bytes, length), true; }

 private:
  std::map<int, std::string> kept_;
#else
  static constexpr bool kPlain = false;
  bool keeps(int) const { return false; }
  bool keeps_any() const { return false; }
  void forget(int) {}
  bool put_back(int, const char*, size_t) { return false; }

 private:
  bool open();
  Fd in_, out_;
#endif
  std::vector<char> seen_;
  std::vector<char> buffer_;
};

}  // namespace hsu::pump

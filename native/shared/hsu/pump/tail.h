#pragma once

// The last bytes of a stream, in one buffer that grows up to its bound.

#include <algorithm>
#include <cstddef>
#include <string>

namespace hsu::pump {

class Tail {
 public:
  static constexpr size_t kMost = 4096;

  void add(const char* bytes, size_t length) {
    if (length >= kMost) {
      kept_.assign(bytes + length - kMost, kMost);
      return;
    }
    if (kept_.size() + length > kMost) kept_.erase(0, kept_.size() + length - kMost);
    kept_.append(bytes, length);
  }

  const std::string& bytes() const { return kept_; }

 private:
  std::string kept_;
};

}  // namespace hsu::pump

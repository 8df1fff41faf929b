#pragma once

// A process is named by its pid and the time of its creation. The system counts that in units of 100 ns since 1601, which a
// double cannot hold; in microseconds since 1970 it can, and two lives of one pid are further apart than that.

#include <cstdint>

#include "win.h"

namespace hsu {

inline uint64_t ticks_of(const FILETIME& time) {
  return (static_cast<uint64_t>(time.dwHighDateTime) << 32) | time.dwLowDateTime;
}

inline uint64_t start_time_of(uint64_t ticks) {
  constexpr uint64_t kEpoch = 116444736000000000;
  return ticks < kEpoch ? 0 : (ticks - kEpoch) / 10;
}

inline double milliseconds_of(uint64_t ticks) { return static_cast<double>(ticks) / 10000; }

}  // namespace hsu

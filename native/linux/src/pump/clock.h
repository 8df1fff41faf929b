#pragma once

#include <time.h>

#include <cstdint>

namespace hsu::pump {

using Milliseconds = int64_t;

inline Milliseconds milliseconds_of(clockid_t clock) {
  timespec now;
  ::clock_gettime(clock, &now);
  return static_cast<Milliseconds>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

inline Milliseconds monotonic() { return milliseconds_of(CLOCK_MONOTONIC); }
inline Milliseconds wall() { return milliseconds_of(CLOCK_REALTIME); }

}  // namespace hsu::pump

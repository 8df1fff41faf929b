#pragma once

// The local time of a moment.

#include <time.h>

namespace hsu::pump {

// Answers the offset from UTC in seconds.
inline long to_local(time_t at, struct tm& local) {
#ifdef _WIN32
  ::localtime_s(&local, &at);
  struct tm copy = local;
  return static_cast<long>(::_mkgmtime(&copy) - at);
#else
  ::localtime_r(&at, &local);
  return local.tm_gmtoff;
#endif
}

}  // namespace hsu::pump

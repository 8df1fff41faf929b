#pragma once

// Limits of a process by the numbers that packages/native uses, those of Linux, as this system numbers them.

#include <sys/resource.h>

#ifdef __APPLE__
#include <sys/sysctl.h>

#include <algorithm>
#endif

namespace hsu {

constexpr int kNoResource = -1;

inline int own_resource(int number) {
  switch (number) {
    case 0: return RLIMIT_CPU;
    case 1: return RLIMIT_FSIZE;
    case 2: return RLIMIT_DATA;
    case 3: return RLIMIT_STACK;
    case 4: return RLIMIT_CORE;
    case 6: return RLIMIT_NPROC;
    case 7: return RLIMIT_NOFILE;
    case 8: return RLIMIT_MEMLOCK;
#ifndef __APPLE__
    // There both are one number, and the system holds nobody to it.
    case 5: return RLIMIT_RSS;
    case 9: return RLIMIT_AS;
#endif
    default: return kNoResource;
  }
}

// What a soft limit on open files without bound stands for. This system refuses (EINVAL) more than it ever gives.
inline rlim_t most_files([[maybe_unused]] rlim_t hard) {
#ifdef __APPLE__
  int most = 0;
  size_t size = sizeof most;
  if (::sysctlbyname("kern.maxfilesperproc", &most, &size, nullptr, 0) == 0 && most > 0)
    return std::min(hard, static_cast<rlim_t>(most));
#endif
  return RLIM_INFINITY;
}

}  // namespace hsu

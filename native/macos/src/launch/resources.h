#pragma once

// Limits of a process by the numbers that packages/native uses, those of Linux, as this system numbers them.

#include <sys/resource.h>

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

}  // namespace hsu

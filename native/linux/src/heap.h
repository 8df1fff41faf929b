#pragma once

#include <cstdlib>  // defines __GLIBC__ where it is

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace hsu {

// Gives pages to the system that the C library keeps for later allocations, of all threads. Other C libraries than
// glibc have no such call.
inline void trim_heap() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace hsu

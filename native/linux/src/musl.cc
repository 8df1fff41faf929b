// What older versions of musl do not have (1.2.3 is that of Debian 12).

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __GLIBC__

// Since 1.2.5.
extern "C" __attribute__((visibility("hidden"))) int statx(int folder, const char* path, int flags, unsigned mask,
                                                           struct statx* facts) {
  return static_cast<int>(::syscall(SYS_statx, folder, path, flags, mask, facts));
}

#endif
